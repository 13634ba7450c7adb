"""The report of a feed: what its runs brought in, by window, from receipts or from source and Kaltura."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kaltura_provider.feeds.report import feed_report
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.hooks.kaltura import KalturaHook

FIRST, LAST = date(2024, 3, 1), date(2024, 3, 3)
SECONDS = 2  # of each clip


def feed_of(deployment, receipts: str | None) -> dict[str, object]:
    uri = f"s3://media/{deployment.folder.name}/{{{{ data_interval_start | ds }}}}/"
    values = {"name": "told", "start_date": "2024-03-01", "source": {"uri": uri}, "retries": 0}
    return values | ({"receipts": receipts} if receipts else {})


def run(deployment, values: dict[str, object], day: int):
    return deployment.run(deployment.feed(**values), datetime(2024, 3, day + 1, tzinfo=UTC))


def test_receipts_of_several_runs_are_one_report(deployment, clips) -> None:
    values = feed_of(deployment, f"s3://media/{deployment.folder.name}/{{{{ 'receipts' }}}}")
    deployment.put("2024-03-01/a.mp4", clips["clip-1.mp4"])
    empty = deployment.put("2024-03-01/b.mp4", b"")
    deployment.put("2024-03-02/c.mp4", clips["clip-2.mp4"])
    assert run(deployment, values, 1).state == "failed"
    assert run(deployment, values, 2).state == "success"
    feed = Feed.model_validate(values)
    report = feed_report(feed, FIRST, LAST)
    assert report.source == "receipts"
    first, second, third = report.windows
    (failed,) = first.failed
    assert (failed.uri, "it is empty" in failed.reason) == (empty, True)
    size = len(clips["clip-1.mp4"]) + len(clips["clip-2.mp4"])
    assert report.total.row() == {
        "runs": 2, "found": 3, "ingested": 2, "already_there": 0, "skipped": 0, "failed": 1, "missing": 0,
        "bytes": size, "hours": pytest.approx(2 * SECONDS / 3600, rel=0.1),
    }  # fmt: skip
    assert (third.sums.runs, third.sums.found) == (0, 0)

    deployment.put("2024-03-01/b.mp4", clips["clip-3.mp4"])
    assert run(deployment, values, 1).state == "success"
    entry_id = run(deployment, values, 2).summary["assets"][0]["entry_id"]
    KalturaHook().call("baseEntry", "delete", entryId=entry_id)
    first, second, _ = feed_report(feed, FIRST, LAST).windows
    assert (first.sums.ingested, first.sums.failed, first.failed) == (2, 0, ())
    assert (second.sums.runs, second.sums.ingested, second.sums.missing, second.sums.bytes) == (2, 1, 1, 0)
    rows = feed_report(feed, FIRST, LAST, look_up=False).rows()
    assert [row["window"][:10] for row in rows] == ["2024-03-01", "2024-03-02", "2024-03-03", "total"]
    assert (rows[-1]["ingested"], rows[-1]["hours"]) == (3, None)


def test_without_receipts_the_source_is_compared_with_kaltura(deployment, clips) -> None:
    values = feed_of(deployment, None)
    deployment.put("2024-03-01/a.mp4", clips["clip-1.mp4"])
    assert run(deployment, values, 1).state == "success"
    deployment.put("2024-03-02/b.mp4", clips["clip-2.mp4"])
    report = feed_report(Feed.model_validate(values), FIRST, LAST)
    total = report.total
    assert (report.source, total.found, total.already_there, total.missing) == ("plan", 2, 1, 1)
    assert total.hours == pytest.approx(SECONDS / 3600, rel=0.1)


def test_an_empty_window_updates_no_asset(deployment) -> None:
    ran = run(deployment, feed_of(deployment, None), 1)
    assert (ran.state, ran.states["summary[-1]"]) == ("success", "skipped")
    assert (ran.summary["new"], ran.summary["failed"]) == (0, [])
