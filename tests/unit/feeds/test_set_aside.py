"""Which items are set aside, and when they are tried again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.feeds.outcome.aftercare import is_about_the_item
from kaltura_provider.feeds.sources import Found, FoundItem
from kaltura_provider.feeds.tasks.set_aside import FailureCounts, set_aside
from kaltura_provider.hooks.source_items import failed_source
from kaltura_provider.upload.sources.errors import (
    SourceArchived,
    SourceEmpty,
    SourceForbidden,
    SourceNotMedia,
    SourceRefused,
)
from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.snapshot import EntrySnapshot

NOW = dt.datetime(2024, 3, 2, 12, tzinfo=dt.UTC)
CAPTION = {"uri": "s3://media/a.srt", "etag": "c", "kind": "caption"}
ITEM = FoundItem("s3://media/a.mp4", etag="one", last_modified=NOW, newest=NOW, sidecars=(CAPTION,))


class Memory(dict[str, Any]):
    """A state store."""

    set = dict.__setitem__


def fail(counts: FailureCounts, item: FoundItem, *, run: str = "", minutes: int = 1) -> None:
    said = {"uri": item.uri, "reason": "it is empty", "contents": item.contents}
    counts.count([said], [], NOW + dt.timedelta(minutes=minutes), run)


def is_aside(counts: FailureCounts, item: FoundItem, most: int = 1) -> bool:
    found = Found("here", [item])
    set_aside(found, counts.read(), most)
    return bool(found.set_aside)


@pytest.mark.parametrize(
    "changes",
    [
        {"etag": "two"},
        {"sidecars": ({**CAPTION, "etag": "d"},)},
        {"sidecars": ()},
        {"metadata_file": {"uri": "s3://media/a.json", "etag": "m"}},
        {"error": "another file is both"},
    ],
    ids=["media", "sidecar", "one less", "one more", "problem"],
)
def test_an_item_is_tried_again_once_its_files_have_changed_even_before_the_run_ended(changes: dict[str, Any]) -> None:
    counts = FailureCounts(Memory())
    fail(counts, ITEM)
    assert is_aside(counts, ITEM)
    assert not is_aside(counts, replace(ITEM, **changes))


def test_without_etags_the_dates_decide() -> None:
    item = replace(ITEM, etag="")
    counts = FailureCounts(Memory())
    fail(counts, item)
    assert is_aside(counts, item)
    assert not is_aside(counts, replace(item, newest=NOW + dt.timedelta(hours=1)))


def test_a_run_counts_once_however_often_its_summary_is_tried() -> None:
    counts = FailureCounts(Memory())
    for _ in range(3):
        fail(counts, ITEM, run="first")
    assert not is_aside(counts, ITEM, 2)
    fail(counts, ITEM, run="second")
    assert is_aside(counts, ITEM, 2)


def test_what_kaltura_cannot_fetch_may_be_in_a_store_that_it_cannot_reach() -> None:
    snapshot = EntrySnapshot(id="0_abc", status=EntryStatus.ERROR_IMPORTING)
    verdict = EntryReady(grace=0).evaluate(snapshot, 1)
    failed = {"kind": "wait", "retry_helps": False, "reason": verdict.reason}
    assert not is_about_the_item(failed)
    assert not is_about_the_item({**failed, "kind": "import_failed", "reason": "Kaltura could not fetch the file"})
    assert is_about_the_item({**failed, "reason": "Kaltura could not convert entry 0_abc (ERROR_CONVERTING)"})


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (SourceEmpty("s3://media/a.mp4"), True),
        (SourceNotMedia("s3://media/a.mp4", "it is a web page"), True),
        (ValueError("start_date is not a date"), True),
        (SourceForbidden("s3://media/a.mp4", "S3 answered AccessDenied"), False),
        (SourceRefused("http://10.0.0.1/a.mp4", "is in a private network"), False),
        (SourceArchived("s3://media/a.mp4", "it is archived"), False),
    ],
    ids=["empty", "not media", "invalid", "forbidden", "refused", "archived"],
)
def test_a_missing_permission_is_not_the_fault_of_the_item(error: Exception, own: bool) -> None:
    failed = failed_source("s3://media/a.mp4", error).error
    assert failed is not None
    assert is_about_the_item({"kind": failed.kind, "retry_helps": failed.retry_helps}) is own
