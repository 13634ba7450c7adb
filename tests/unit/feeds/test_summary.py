"""What the summary of a run stores, however much has failed."""

from __future__ import annotations

import json
from typing import Any

from kaltura_provider.feeds.outcome.failures import FAILED_KEY, failure_message, named_failures
from kaltura_provider.feeds.outcome.run_note import message_of_summary, note_of_summary
from kaltura_provider.hooks.xcom_parts import LARGEST, pull_parts


class Instance:
    """A task instance that keeps its XComs."""

    task_id = "summary"

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.stored[key] = value

    def xcom_pull(self, task_ids: str, key: str, map_indexes: int = -1) -> Any:
        return self.stored.get(key)


def failure(number: int, batch: int, reason: str = "no such key") -> dict[str, Any]:
    uri = f"s3://media/{number}.mp4?X-Amz-Signature=0a1b"
    return {"uri": uri, "step": "ingest", "reason": reason, "retry_helps": True, "batch": batch}


def named(failed: list[dict[str, Any]]) -> tuple[dict[str, Any], Instance]:
    """Return what a summary says of failures, and the task instance."""
    ti = Instance()
    return named_failures({"ti": ti}, failed), ti  # type: ignore[arg-type,typeddict-item]


def test_a_few_failures_are_all_in_the_result() -> None:
    summary, ti = named([failure(1, 0), failure(2, 1)])
    assert [item["uri"] for item in summary["failed"]] == [f"s3://media/{n}.mp4?X-Amz-Signature=***" for n in (1, 2)]
    assert summary["failed_count"] == 2
    assert ti.stored == {}


def test_very_many_failures_are_counted_and_listed_in_parts() -> None:
    failed = [failure(number, number // 25, "x" * 3000) for number in range(10_000)]
    summary, ti = named(failed)
    assert len(json.dumps(summary)) < 700_000
    assert summary["failed_count"] == 10_000
    # To start these again is to start every batch.
    assert {item["batch"] for item in summary["failed"]} == set(range(400))
    every = pull_parts({"ti": ti}, "summary", FAILED_KEY)  # type: ignore[arg-type,typeddict-item]
    assert [item["uri"].partition("?")[0] for item in every] == [f"s3://media/{n}.mp4" for n in range(10_000)]
    assert all(item["reason"] == "x" * 3000 for item in every)
    assert max(len(json.dumps(part)) for part in ti.stored.values()) < LARGEST + 5000
    said = summary | {"new": 5, "found": 0}
    assert note_of_summary(said).startswith("5 new, 10,000 failed: ")
    assert "; and 9,997 more" in note_of_summary(said | {"failed": [failure(n, 0) for n in range(3)]})
    assert message_of_summary(said).endswith("\n  and 9,950 more")
    error = failure_message(summary["failed"], 10_000, 10_005)
    assert error.startswith("10000 of 10005 items failed:")
    assert error.endswith("  and 9,500 more; the XComs of this task that begin with failed_ list all")


def test_a_long_reason_is_kept_beside_the_result() -> None:
    summary, ti = named([failure(1, 0, "x" * 5000)])
    assert len(summary["failed"][0]["reason"]) == 1003
    (row,) = pull_parts({"ti": ti}, "summary", FAILED_KEY)  # type: ignore[arg-type,typeddict-item]
    assert row["reason"] == "x" * 5000
