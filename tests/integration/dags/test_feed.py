from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.sdk import DAG

DAY = datetime(2024, 3, 1, tzinfo=UTC)
# A run by hand takes the last interval that has ended by its date.
AFTER = datetime(2024, 3, 2, tzinfo=UTC)


def daily(deployment, **fields: object) -> DAG:
    said = {
        "name": "daily",
        "start_date": "2024-03-01",
        "source": {
            "uri": f"s3://media/{deployment.folder.name}/{{{{ data_interval_start | ds }}}}/",
            "include": "*.mp4",
        },
        "metadata": {
            "name": "{{ asset.stem }} of {{ data_interval_start | ds }}",
            "tags": ["news", "{{ data_interval_start | ds_nodash }}"],
        },
        "retries": 1,
    }
    return deployment.feed(**{**said, **fields})


def put_day(deployment, clips: dict[str, bytes]) -> dict[str, str]:
    """Put one day into S3 and return entry name -> sha256."""
    deployment.put("2024-03-01/notes.txt", b"not for Kaltura")
    deployment.put("2024-03-02/clip-1.mp4", clips["clip-3.mp4"])
    for name in ("clip-1.mp4", "clip-2.mp4"):
        deployment.put(f"2024-03-01/{name}", clips[name])
    return {f"{n} of 2024-03-01": hashlib.sha256(clips[f"{n}.mp4"]).hexdigest() for n in ("clip-1", "clip-2")}


def calls(deployment, name: str) -> int:
    return sum(call["call"].lower() == name for call in deployment.sandbox.control.log(5000))


def test_a_day_is_in_kaltura_once_with_its_bytes_however_often_it_runs(deployment, clips) -> None:
    expected = put_day(deployment, clips)
    first = deployment.run(daily(deployment), AFTER)
    assert first.state == "success"
    assert deployment.held() == expected
    assert [(row["status"], row["new"]) for row in first.summary["assets"]] == [("ready", True)] * 2
    assert all("source" in row["flavors"] and len(row["flavors"]) > 1 for row in first.summary["assets"])
    uploads = calls(deployment, "uploadtoken.upload")
    assert uploads >= 2

    again = deployment.run(daily(deployment), AFTER)
    assert again.state == "success"
    assert (again.summary["new"], again.summary["found"]) == (0, 2)
    assert deployment.held() == expected
    assert calls(deployment, "uploadtoken.upload") == uploads
    assert again.summary["plan"] == {"already there": 2, "ignored": 1}
    ended = {name for name, state in again.states.items() if state == "success"}
    assert ended == {"discover[-1]", "summary[-1]"}


def test_a_dry_run_moves_nothing_and_returns_what_a_run_would_do(deployment, clips) -> None:
    put_day(deployment, clips)
    ran = deployment.run(daily(deployment), AFTER, dry_run=True)
    assert ran.state == "success", ran.states
    assert deployment.held() == {}
    assert deployment.sandbox.control.tokens() == []
    assert ran.summary["plan"] == {"new": 2, "ignored": 1}
    rows = {row["uri"].rsplit("/", 1)[-1]: row for row in ran.summary["rows"]}
    assert rows["clip-1.mp4"] == {
        "uri": f"s3://media/{deployment.folder.name}/2024-03-01/clip-1.mp4",
        "decision": "new",
        "name": "clip-1 of 2024-03-01",
        "tags": ["news", "20240301"],
        "bytes": len(clips["clip-1.mp4"]),
        "transfer": "upload",
        "entry_id": None,
        "reason": "",
    }
    assert (rows["notes.txt"]["decision"], rows["notes.txt"]["reason"]) == ("ignored", "match no include pattern")

    deployment.run(daily(deployment), AFTER)
    deployment.put("2024-03-01/clip-2.mp4", clips["clip-3.mp4"])
    for if_exists in ("skip", "replace", "fail"):
        ran = deployment.run(daily(deployment, if_exists=if_exists), AFTER, dry_run=True)
        assert ran.summary["plan"] == {"already there": 1, f"changed: {if_exists}": 1, "ignored": 1}
    held = deployment.held()
    typed = {"only": ["", "clip-2.mp4 "], "if_exists": "replace", "transfer": "import"}
    ran = deployment.run(daily(deployment), AFTER, dry_run=True, **typed)
    assert ran.summary["plan"] == {"changed: replace": 1, "ignored": 1}
    assert {row["transfer"] for row in ran.summary["rows"]} == {"import"}
    ran = deployment.run(daily(deployment), AFTER, only=["clip-3.mp4"])
    assert ran.state == "failed"
    reason = ran.xcom("discover", "kaltura_failure")["reason"]
    assert "line 1: 'clip-3.mp4' is not among the 2 items" in reason
    assert deployment.held() == held


def test_batches_too_large_for_one_xcom_are_brought_in_and_repeated_as_well(
    deployment, clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kaltura_provider.hooks import xcom_parts

    monkeypatch.setattr(xcom_parts, "LARGEST", 100)
    expected = put_day(deployment, clips)
    first = deployment.run(daily(deployment, batch_size=1), AFTER)
    assert first.state == "success", first.states
    assert [set(batch) for batch in first.xcom("discover")] == [{"xcom", "task_id"}] * 2
    for task in ("batch.ingest", "batch.ready"):
        assert first.xcom(task, map_index=1) == {"xcom": "result", "task_id": task, "map_index": 1}
    assert (first.summary["new"], len(first.summary["assets"])) == (2, 2)
    assert deployment.held() == expected
    again = deployment.run(daily(deployment), AFTER)
    assert (again.summary["new"], again.summary["found"], len(again.summary["assets"])) == (0, 2, 2)


def test_the_run_just_after_midnight_ingests_the_day_that_has_ended(deployment) -> None:
    from airflow.timetables.base import TimeRestriction

    feed = daily(deployment)
    timetable = _scheduler_side(feed)
    info = timetable.next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest=feed.start_date, latest=None, catchup=True),
    )
    assert info is not None
    assert info.data_interval.start == DAY
    assert info.data_interval.end == AFTER
    assert info.run_after == AFTER


def test_an_empty_prefix_is_a_success(deployment) -> None:
    ran = deployment.run(daily(deployment), datetime(2024, 3, 9, tzinfo=UTC))
    assert ran.state == "success"
    assert not any(ran.summary.values())
    assert {"assets", "failed", "new", "found", "left_out", "plan"} <= set(ran.summary)
    assert deployment.held() == {}


def test_metadata_and_tags_come_from_the_feed(deployment, clips) -> None:
    put_day(deployment, clips)
    deployment.run(daily(deployment), AFTER)
    tags = {entry["tags"] for entry in deployment.sandbox.control.entries()}
    assert tags == {"news, 20240301"}


def test_a_batch_brings_in_what_is_good_and_names_what_is_not(deployment, clips) -> None:
    expected = put_day(deployment, clips)
    deployment.put("2024-03-01/empty.mp4", b"")
    ran = deployment.run(daily(deployment, batch_size=10), AFTER)
    assert ran.state == "failed"
    assert deployment.held() == expected
    (failed,) = ran.summary["failed"]
    assert failed["uri"] == f"s3://media/{deployment.folder.name}/2024-03-01/empty.mp4"
    assert (failed["step"], failed["retry_helps"]) == ("ingest", False)
    assert "it is empty (0 bytes)" in failed["reason"]


def test_a_feed_sets_what_its_uploads_keep_to(deployment, clips) -> None:
    put_day(deployment, clips)
    ran = deployment.run(daily(deployment, upload={"max_size": 1000}, retries=0), AFTER)
    assert [item["step"] for item in ran.summary["failed"]] == ["ingest", "ingest"]
    assert all("max_size" in item["reason"] for item in ran.summary["failed"])
    assert deployment.held() == {}
    assert deployment.sandbox.control.tokens() == []


def test_a_changed_object_is_kept_or_replaced_as_the_feed_says(deployment, clips) -> None:
    deployment.put("2024-03-01/clip-1.mp4", clips["clip-1.mp4"])
    deployment.run(daily(deployment), AFTER)
    (before,) = deployment.sandbox.control.entries()
    deployment.put("2024-03-01/clip-1.mp4", clips["clip-2.mp4"])

    kept = deployment.run(daily(deployment), AFTER)
    assert kept.state == "success"
    assert "changed" in kept.summary["assets"][0]["note"]
    assert list(deployment.held().values()) == [hashlib.sha256(clips["clip-1.mp4"]).hexdigest()]

    replaced = deployment.run(daily(deployment, if_exists="replace"), AFTER)
    assert replaced.state == "success", replaced.states
    deployment.sandbox.control.wait_idle()
    shown = [entry for entry in deployment.sandbox.control.entries() if entry.get("displayInSearch") != -1]
    assert [entry["id"] for entry in shown] == [before["id"]]
    assert deployment.held()["clip-1 of 2024-03-01"] == hashlib.sha256(clips["clip-2.mp4"]).hexdigest()


def test_kaltura_fetches_the_objects_itself_when_told(deployment, clips) -> None:
    expected = put_day(deployment, clips)
    ran = deployment.run(daily(deployment, transfer="import"), AFTER)
    assert ran.state == "success", ran.states
    assert deployment.held() == expected
    assert calls(deployment, "uploadtoken.upload") == 0
    assert "Signature" not in str([ran.xcom("batch.ingest", map_index=0), ran.summary])
    again = deployment.run(daily(deployment, transfer="import"), AFTER)
    assert (again.summary["new"], again.summary["found"]) == (0, 2)
    assert deployment.held() == expected


def _scheduler_side(dag: DAG):
    """Return the timetable as the scheduler sees it, after serialization."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
