"""A run of 100,000 items: few tasks, small XComs, each item once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from kaltura_provider.feeds.dag import feed_dag
from kaltura_provider.feeds.outcome.failures import failure_message
from kaltura_provider.feeds.outcome.results import RunResults
from kaltura_provider.feeds.planning.planner import Planner
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.sources import Found, FoundItem
from kaltura_provider.feeds.tasks.discover import PLAN_KEY, hand_on_plan
from kaltura_provider.hooks.xcom_parts import LARGEST, pull_results, resolved, split_result

MANY = 100_000


class Task:
    """The XComs of the instances of one task, as Airflow keeps them: JSON."""

    def __init__(self, store: dict[tuple[str, int, str], str], task_id: str, map_index: int = -1) -> None:
        self.store, self.task_id, self.map_index = store, task_id, map_index

    def xcom_push(self, key: str, value: Any) -> None:
        self.store[self.task_id, self.map_index, key] = json.dumps(value)

    def xcom_pull(self, task_ids: str | Sequence[str], key: str, map_indexes: int | Sequence[int] | None = None) -> Any:
        wanted = [task_ids] if isinstance(task_ids, str) else task_ids
        if isinstance(map_indexes, int):
            map_indexes = [map_indexes]
        found = [
            json.loads(text)
            for (task, index, name), text in self.store.items()
            if task in wanted and name == key and (map_indexes is None or index in map_indexes)
        ]
        return (found[0] if found else None) if isinstance(task_ids, str) else found


@pytest.fixture
def store() -> dict[tuple[str, int, str], str]:
    return {}


def test_each_item_is_in_one_of_a_thousand_small_batches(store) -> None:
    uris = [f"s3://media/news/2024-03-01/clips/{number:06}.mp4" for number in range(MANY)]
    found = Found("below s3://media/news/", [FoundItem(uri, size=1000, etag="e") for uri in uris])
    plan = Planner(metadata=lambda item: {"name": item.uri[-10:-4], "tags": ["news"]}).plan(found)
    context = cast("Any", {"ti": Task(store, "discover"), "params": {}})
    batches = hand_on_plan(context, plan, found, 50, dry_run=False)
    assert len(batches) == 1000
    assert max(map(len, [json.dumps(batches), *store.values()])) <= LARGEST
    assert json.loads(store["discover", -1, PLAN_KEY])["counts"] == {"new": MANY}
    items = [item for batch in batches for item in resolved(context, batch)]
    assert [item["uri"] for item in items] == uris


def test_a_large_result_of_a_mapped_task_is_read_from_its_parts(store) -> None:
    results: dict[int, list[dict[str, Any]]] = {
        0: [{"uri": f"a{number}", "flavors": ["f"] * 100} for number in range(300)],
        1: [{"uri": "b0"}],
        2: [{"uri": f"c{number}", "flavors": ["f"] * 100} for number in range(100)],
    }
    for map_index, rows in results.items():
        task = Task(store, "batch.ready", map_index)
        task.xcom_push("return_value", split_result(cast("Any", {"ti": task}), rows))
    assert max(map(len, store.values())) <= LARGEST * 1.01  # brackets and separators come on top
    rows = pull_results(Task(store, "summary"), "batch.ready")
    assert sorted(row["uri"] for row in rows) == sorted(row["uri"] for own in results.values() for row in own)
    assert all(len(row["flavors"]) == 100 for row in rows if row["uri"] != "b0")
    assert pull_results(Task(store, "summary"), "other") == []


def test_a_task_gets_the_large_result_of_its_own_batch(store) -> None:
    for map_index in range(2):
        task = Task(store, "batch.ingest", map_index)
        rows = [{"uri": f"{map_index}/{number}", "name": "n" * 1000} for number in range(100)]
        task.xcom_push("return_value", split_result(cast("Any", {"ti": task}), rows))
        reference = json.loads(store["batch.ingest", map_index, "return_value"])
        assert resolved(cast("Any", {"ti": Task(store, "batch.ready", map_index)}), reference) == rows
    del store["batch.ingest", 1, "result_1"]
    with pytest.raises(ValueError, match=r"result_1 of task 'batch\.ingest' does not exist"):
        resolved(cast("Any", {"ti": Task(store, "batch.ready", 1)}), reference)
    del store["batch.ingest", 1, "result_0"]
    with pytest.raises(ValueError, match="Clear that task"):
        resolved(cast("Any", {"ti": Task(store, "batch.ready", 1)}), reference)


def test_results_that_a_cleared_run_left_behind_are_not_its_own(store) -> None:
    # An earlier attempt had three batches; this one has one, whose ingest failed, so that its ready did not start.
    for index in range(3):
        ref = {"uri": f"s3://b/{index}.mp4", "state": "done"}
        Task(store, "batch.ready", index).xcom_push("return_value", [ref])
        if index:
            Task(store, "batch.ingest", index).xcom_push("return_value", [ref])
            Task(store, "batch.ingest", index).xcom_push("kaltura_failure", {"map_index": index, "reason": "old"})
    Task(store, "batch.ingest", 0).xcom_push("kaltura_failure", {"map_index": 0, "reason": "new", "retry_helps": True})
    task = Task(store, "summary")
    task.try_number = 1
    context = cast("Any", {"ti": task, "dag_run": SimpleNamespace(clear_number=1)})
    results = RunResults(context, "batch", [[{"uri": "s3://b/0.mp4"}]])
    assert results.known == {}
    (failed,) = results.failed()
    assert (failed["uri"], failed["reason"]) == ("s3://b/0.mp4", "new")


def test_every_other_task_goes_before_the_batches_of_a_large_run() -> None:
    """The scheduler chooses by weight among all tasks that wait, so the batches of a run could hold up the rest."""
    source = {"uri": "s3://media/{{ ds }}/"}
    dag: Any = feed_dag(Feed.model_validate({"name": "news", "start_date": "2024-03-01", "source": source}))
    stored: Any = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    weights = {name: task.weight_rule.get_weight(SimpleNamespace(task=task)) for name, task in stored.task_dict.items()}
    batches = {weights.pop("batch.ingest"), weights.pop("batch.ready")}
    assert batches == {0}
    assert min(weights.values()) >= 1


def test_the_error_of_a_run_in_which_everything_fails_stays_readable() -> None:
    failed = [{"uri": f"s3://b/{number}", "step": "ingest", "reason": "it is empty"} for number in range(10_000)]
    lines = failure_message(failed[:500], 10_000, 10_000).splitlines()
    assert (lines[0], len(lines)) == ("10000 of 10000 items failed:", 502)
    assert lines[-1] == "  and 9,500 more; the XComs of this task that begin with failed_ list all"
    assert failure_message(failed[:2], 2, 3).splitlines()[1:] == [
        f"  s3://b/{n}: ingest failed: it is empty" for n in (0, 1)
    ]


def test_a_bulk_upload_takes_ten_times_as_many_items_whatever_their_size(store) -> None:
    found = Found("here", [FoundItem(f"s3://media/{number}.mp4", size=2**30, etag="e") for number in range(1200)])
    plan = Planner(metadata=lambda item: {}, transfer="bulk").plan(found)
    context = cast("Any", {"ti": Task(store, "discover"), "params": {}})
    batches = hand_on_plan(context, plan, found, 50, dry_run=False)
    assert [len(resolved(context, batch)) for batch in batches] == [500, 500, 200]
