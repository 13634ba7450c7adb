"""The figures of a report, from the files that runs have left."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.feeds.outcome.receipts import write_receipts
from kaltura_provider.feeds.report import FeedReport, feed_report
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.state.stored_version import NewerData
from kaltura_provider.hooks.connection import KalturaAccount
from kaltura_provider.hooks.destination import LocalFolder
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState, SourceItem

DAY = date(2024, 3, 1)


def done(uri: str) -> dict[str, Any]:
    item = SourceItem(uri=uri, size=10, validator="e", name="video.mp4")
    return {**ItemRef.of(item, ItemState.DONE, made=True).to_dict(), "uri": uri}


def unopened(uri: str) -> dict[str, Any]:
    error = ItemError("source", "HTTP 404")
    ref = ItemRef(uri=uri, name="video", size=0, item_id="", content_id="", state=ItemState.FAILED, error=error)
    return ref.to_dict()


def write(root: Path, refs: list[dict[str, Any]], begins: str, ends: str, run: str = "run", **more: Any) -> None:
    account: KalturaAccount | Any = None  # no entry, no links
    named = {"feed": "told", "date": begins[:10], "run_id": run}
    write_receipts(LocalFolder(root), refs, account, window=(begins, ends), **named, **more)


@pytest.fixture
def receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path))
    return tmp_path


def report(receipts: Path, path: str = "", **fields: Any) -> FeedReport:
    source = {"type": "urls", "urls": ["https://cms/video?id=1"]}
    said = {"name": "told", "start_date": "2024-01-01", "source": source, "receipts": f"{receipts}{path}"}
    return feed_report(Feed.model_validate({**said, **fields}), DAY, look_up=False)


def test_addresses_that_differ_in_their_query_are_different_items(receipts: Path) -> None:
    one, two, three, four = (f"https://cms/video?id={number}" for number in range(1, 5))
    lost = [{"uri": four, "step": "ingest", "reason": "killed", "retry_helps": True}]
    window = ("2024-03-01T00:00:00+00:00", "2024-03-02T00:00:00+00:00")
    ids = {uri: done(uri)["item_id"] for uri in (three, four)}
    write(receipts, [done(one), done(two), unopened(three)], *window, lost=lost, identities=ids)
    total = report(receipts).total
    assert (total.found, total.ingested, total.failed) == (4, 2, 2)
    # The next run brings one of them in.
    write(receipts, [done(three)], *window, run="second")
    total = report(receipts).total
    assert (total.runs, total.found, total.ingested, total.failed) == (2, 4, 3, 1)


def test_an_item_without_identity_is_the_one_with_its_address(receipts: Path) -> None:
    uri = "s3://media/a.mp4"
    window = ("2024-03-01T00:00:00+00:00", "2024-03-02T00:00:00+00:00")
    write(receipts, [unopened(uri)], *window)
    assert report(receipts).total.failed == 1
    write(receipts, [done(uri)], *window, run="second")
    total = report(receipts).total
    assert (total.found, total.ingested, total.failed) == (1, 1, 0)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York"])
def test_without_a_schedule_the_runs_of_a_day_count(receipts: Path, timezone: str) -> None:
    moment = "2024-03-01T12:34:56.789+00:00"
    write(receipts, [done("s3://media/a.mp4")], moment, moment)
    write(receipts, [done("s3://media/b.mp4")], moment, moment, run="second")
    sources = {
        "urls": {"schedule": None},
        "sqs": {"source": {"type": "sqs", "queue": "https://sqs/1/q", "uri": "s3://media/"}},
    }
    for fields in sources.values():
        (window,) = report(receipts, timezone=timezone, **fields).windows
        assert (window.sums.runs, window.sums.found, window.sums.ingested) == (2, 2, 2)


def test_each_window_can_have_receipts_of_its_own(receipts: Path) -> None:
    for hour in (3, 4):
        begins, ends = (f"2024-03-01T{number:02}:00:00+00:00" for number in (hour, hour + 1))
        write(receipts / str(hour), [done(f"s3://media/{hour}.mp4")], begins, ends)
    told = report(receipts, "/{{ data_interval_start.hour }}", schedule="@hourly")
    assert [window.sums.ingested for window in told.windows][2:6] == [0, 1, 1, 0]
    assert told.total.found == 2


@pytest.mark.parametrize("wrong", ['{"version": 2, "uri', "[]", '{"version": 2}', "\u00ff", ""])
def test_a_line_that_is_no_receipt_is_named(receipts: Path, wrong: str) -> None:
    write(receipts, [done("https://cms/video?id=1")], "2024-03-01T00:00:00+00:00", "2024-03-02T00:00:00+00:00")
    (file,) = (receipts / "told/runs/2024-03-01").iterdir()
    (file.parent / "notes.txt").write_text("mine")
    (file.parent / "more.jsonl").mkdir()
    assert report(receipts).total.ingested == 1
    file.write_text(f"{file.read_text()}{wrong}\n", encoding="latin-1")
    with pytest.raises(ValueError, match=f"^{file}: line 2 is not a receipt of a run; restore the file, or move it"):
        report(receipts)


def test_receipts_of_a_newer_version_are_refused(receipts: Path) -> None:
    folder = receipts / "told/runs/2024-03-01"
    folder.mkdir(parents=True)
    (folder / "run.jsonl").write_text('{"version": 99}\n')
    with pytest.raises(NewerData, match="version 99 was written by a newer airflow-provider-kaltura"):
        report(receipts)
