"""A batch in one task: the same outcome as the single operators, one failure stops no other, a retry sends the rest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.operators.ingest import KalturaIngestOperator
from kaltura_provider.operators.prepare import KalturaPrepareOperator

from .conftest import Store


@pytest.fixture
def files(clip, tmp_path: Path) -> list[Path]:
    """Return six files that differ in their bytes."""
    folder = clip.parent / tmp_path.name
    folder.mkdir()
    made = []
    for number in range(6):
        path = folder / f"film-{number}.mp4"
        path.write_bytes(clip.read_bytes() + bytes([number]))
        made.append(path)
    return made


def digests(kaltura) -> list[str]:
    control = kaltura.sandbox.control
    return sorted(control.entry(entry["id"])["content"]["sha256"] for entry in control.entries())


def expected(paths: list[Path]) -> list[str]:
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def test_a_batch_is_in_once_however_often_it_is_sent(kaltura, files) -> None:
    uris = [path.as_uri() for path in files]
    first = kaltura.run(KalturaIngestOperator, source=uris)
    assert [ref["state"] for ref in first] == ["done"] * len(files)
    assert [ref["uri"] for ref in first] == uris
    assert digests(kaltura) == expected(files)
    before = len(kaltura.calls)
    again = kaltura.run(KalturaIngestOperator, source=uris)
    assert [ref["entry_id"] for ref in again] == [ref["entry_id"] for ref in first]
    assert len(kaltura.calls) - before <= 3
    assert digests(kaltura) == expected(files)


def test_what_fails_stops_no_other_and_the_next_try_sends_only_what_is_missing(kaltura, files) -> None:
    store: Any = Store()
    uris = [path.as_uri() for path in files]
    away = [path.rename(path.with_suffix(".away")) for path in files[1:3]]
    first = kaltura.run(KalturaIngestOperator, source=uris, store=store, max_active=3)
    assert [ref["state"] for ref in first] == ["done", "failed", "failed", "done", "done", "done"]
    for path in away:
        path.rename(path.with_suffix(".mp4"))
    before = uploads(kaltura)
    refs = kaltura.run(KalturaIngestOperator, source=uris, store=store)
    assert [ref["state"] for ref in refs] == ["done"] * len(files)
    assert uploads(kaltura) - before == 2 * before // 4
    assert digests(kaltura) == expected(files)


def test_single_operators_and_the_batch_come_to_the_same_outcome(airflow_db, kaltura, files) -> None:
    ran = kaltura.dag("one_by_one", sources=[path.as_uri() for path in files[:2]])
    assert [ref["made"] for ref in ran["upload"]] == [True, True]
    assert [ref["entry_id"] for ref in ran["ingest"]] == [ref["entry_id"] for ref in ran["upload"]]
    listed, together = (
        [[flavor["asset_id"] for flavor in ref["flavors"]] for ref in ran[task_id]]
        for task_id in ("flavors", "again_ready")
    )
    assert listed == together
    assert all(len(ids) > 1 for ids in listed)
    assert digests(kaltura) == expected(files[:2])


def uploads(kaltura) -> int:
    return sum(call.lower() == "uploadtoken.upload" for call in kaltura.calls)


def test_sidecar_files_come_to_their_entries_once_and_a_bad_one_is_named(kaltura, files) -> None:
    subtitles = files[0].with_suffix(".en.srt")
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    caption = {"language": "English", "label": "English", "format": 1}
    good = {"uri": subtitles.as_uri(), "kind": "caption", "default": True, "values": caption}
    bad = {"uri": files[1].with_suffix(".xx.srt").as_uri(), "kind": "caption", "error": "'xx' is not a language"}
    requests = [
        {"uri": files[0].as_uri(), "sidecars": [{**good, "size": 40, "etag": "1"}]},
        {"uri": files[1].as_uri(), "sidecars": [{**good, "values": {**caption, "label": "Two"}}, bad]},
    ]
    refs = kaltura.run(KalturaIngestOperator, source=requests)
    assert [ref["state"] for ref in refs] == ["done", "failed"]
    assert "'xx' is not a language" in refs[1]["error"]["message"]
    assert refs[1]["error"]["message"].count(".xx.srt") == 1
    assert [file["made"] for ref in refs for file in ref["sidecars"]] == [True, True]
    again = kaltura.run(KalturaIngestOperator, source=requests)
    assert [file["made"] for ref in again for file in ref["sidecars"]] == [False, False]
    assert digests(kaltura) == expected(files[:2])
    for ref in refs:
        found = kaltura.hook.get_conn().call(
            "caption_captionAsset", "list", {"filter": {"entryIdEqual": ref["entry_id"]}}
        )["objects"]
        assert [(item["language"], int(item["isDefault"])) for item in found] == [("English", 1)]
    marks = [kaltura.sandbox.control.entry(ref["entry_id"])["adminTags"].count("kai1:s:") for ref in refs]
    assert marks == [1, 0]


def test_what_cannot_become_media_is_refused_before_anything_is_made(kaltura, files) -> None:
    cut = files[0].with_name("cut.mp4")
    cut.write_bytes(files[0].read_bytes()[:-5000])
    uris = [cut.as_uri(), files[1].as_uri()]
    refs = kaltura.run(KalturaIngestOperator, source=uris, preflight="fail")
    assert [ref["state"] for ref in refs] == ["failed", "done"]
    assert "cut.mp4 cannot become media: its " in refs[0]["error"]["message"]
    assert not refs[0]["error"]["retry_helps"]
    assert digests(kaltura) == expected(files[1:2])
    assert [ref["state"] for ref in kaltura.run(KalturaIngestOperator, source=uris, preflight="warn")] == ["done"] * 2


def test_a_task_that_does_not_attach_sidecar_files_refuses_them(kaltura) -> None:
    sidecars = [{"uri": "s3://b/a.srt", "kind": "caption"}]
    why = kaltura.refused(KalturaPrepareOperator, source={"uri": "s3://b/a.mp4", "sidecars": sidecars})
    assert "has sidecars, which this operator does not attach" in why
