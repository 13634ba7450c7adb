"""Items come by bulk uploads: a few CSV files, one entry an item, whatever dies in between."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.observer import CallRecord, Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.ingest.bulk import BulkQueue
from kaltura_provider.ingest.confirmation import confirm_all
from kaltura_provider.ingest.item import ItemRef, ItemState, SourceItem
from kaltura_provider.ingest.preparation import prepare
from kaltura_provider.ingest.settings import Transfer
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_sandbox.bulk import work
from kaltura_sandbox.job_queue import Retry
from tests.integration.ingest.conftest import Library, SandboxClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_sandbox import Sandbox

BATCH_SERVER = threading.Lock()
"""A file is read by one process at a time."""
RETRY = RetrySettings(attempts=2, base=0.001, cap=0.002)


class Died(BaseException):
    """The worker's process is gone."""


class Calls(Observer):
    """Counts requests, and lets the worker die after some of them."""

    def __init__(self, die_after: int | None = None) -> None:
        self.names: list[str] = []
        self._die_after = die_after

    def on_call(self, call: CallRecord) -> None:
        self.names.append(f"{call.service}.{call.action}")
        if self._die_after is not None and len(self.names) >= self._die_after:
            raise Died


def read_files(sandbox: Sandbox) -> None:
    """Let Kaltura read the files of bulk uploads, as its batch server does."""
    with BATCH_SERVER:
        for upload in sandbox.account.tables.bulk_uploads.find():
            with suppress(Retry):
                work.process(sandbox.account, {"bulk_id": upload["id"]})


class BatchClock(SandboxClock):
    """While a worker waits, Kaltura reads bulk uploads; the first ``late`` pauses pass before it does."""

    late = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.late -= 1
        if self.late < 0:
            read_files(self.sandbox)


def items_of(names: Sequence[str], version: str = "1", **metadata: Any) -> list[SourceItem]:
    return [
        SourceItem(
            uri=f"https://media.example/{name}",
            size=1000,
            validator=version,
            import_url=f"https://media.example/{quote(name)}",
            metadata=EntryMetadata(**metadata),
        )
        for name in names
    ]


def run(
    library: Library, items: Sequence[SourceItem], observer: Observer | None = None, **settings: Any
) -> list[ItemRef]:
    clock = settings.pop("clock", None) or BatchClock(library.sandbox)
    known = settings.pop("known", None)
    chosen = replace(library.settings, **({"transfer": Transfer.BULK, "run": "nightly", "clock": clock} | settings))
    credentials = Credentials(
        partner_id=library.sandbox.partner_id, auth=AuthMethod.SECRET, secret=library.sandbox.admin_secret
    )

    def remember(ref: ItemRef) -> None:
        if known is not None and ref.token_id:
            known[ref.item_id] = ref.token_id

    with KalturaClient(
        library.sandbox.service_url, credentials, observer=observer, retry=RETRY,
        wall_clock=library.sandbox.account.clock.time,
    ) as client:  # fmt: skip
        return prepare(client, items, settings=chosen, known=dict(known or {}), on_ref=remember)


def finish(library: Library, refs: Sequence[ItemRef]) -> None:
    """Let Kaltura fetch the contents, and check that each item is one entry that holds it."""
    for ref in refs:
        assert ref.state is ItemState.IMPORTING, ref
        library.sandbox.control.drive(str(ref.entry_id), "imported", size=ref.size)
    assert {ref.state for ref in confirm_all(library.client, refs)} == {ItemState.DONE}
    for ref in refs:
        assert [entry["id"] for entry in library.entries(ref)] == [ref.entry_id]
    assert len(library.sandbox.control.entries()) == len(refs)
    # Claims of dead workers are left to housekeeping.
    assert {token["status"] for token in library.sandbox.control.tokens()} <= {0, 5}


NAMES = ("a.mp4", "b.mp3", "c.png", "d, e.mp4")


def test_a_batch_comes_by_one_bulk_upload(library: Library) -> None:
    metadata = {"tags": ("aa", "bb"), "description": 'two\nlines, "quoted"', "reference_id": "ours-1"}
    items = items_of([f"{number}.mp4" for number in range(30)], **metadata)
    calls = Calls()
    refs = run(library, items, calls)
    assert all(ref.made for ref in refs)
    assert calls.names.count("media.bulkUploadAdd") == 1
    assert len(calls.names) < 2 * len(items)
    entry = library.entries(items[7])[0]
    assert (entry["name"], entry["tags"], entry["referenceId"]) == ("7.mp4", "aa, bb", "ours-1")
    assert entry["description"] == metadata["description"]
    finish(library, refs)
    before = library.changes()
    again = run(library, items)
    assert {(ref.state, ref.entry_id) for ref in again} == {(ItemState.DONE, ref.entry_id) for ref in refs}
    assert library.changes() == before


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("late", [0, 3])
def test_a_worker_that_dies_after_any_request_doubles_nothing(library: Library, remembered: bool, late: int) -> None:
    """Each worker dies one request later than the one before; Kaltura reads the file before or after."""
    items = items_of(NAMES)
    known: dict[str, str] = {}
    for last in range(1, 80):
        clock = BatchClock(library.sandbox)
        clock.late = late
        with suppress(Died):
            refs = run(library, items, Calls(last), clock=clock, known=known if remembered else {})
            break
        library.sandbox.control.advance_clock(5 if last % 3 else 130)
    else:
        raise AssertionError("no worker came to the end")
    finish(library, refs if all(ref.state is ItemState.IMPORTING for ref in refs) else run(library, items))
    assert len(library.sandbox.account.tables.bulk_uploads.find()) <= 2


@pytest.mark.parametrize("kind", ["reply_lost", "reset_before", "error_after", "error"])
def test_a_bulk_upload_whose_answer_is_lost_is_found_again(library: Library, kind: str) -> None:
    library.sandbox.control.fault(kind, service="media", action="bulkUploadAdd", times=1)
    refs = run(library, items_of(NAMES))
    finish(library, refs)
    files = [Path(upload["_path"]).read_bytes() for upload in library.sandbox.account.tables.bulk_uploads.find()]
    if kind in ("reply_lost", "error_after"):
        # Kaltura has the file, so it is never sent again.
        assert len(files) == 1
    else:
        # Kaltura never had it. Its items claim again, each in its own time, and come by one file or several.
        assert 1 <= len(files) <= len(NAMES)
    listed = re.findall(rb"(?m)^# kai1-(\w+)-", b"\n".join(files))
    assert sorted(listed) == sorted(ref.item_id.encode() for ref in refs)


def test_a_bulk_upload_that_kaltura_has_not_read_is_waited_for_by_the_next_run(library: Library) -> None:
    clock = BatchClock(library.sandbox)
    clock.late = 10_000
    items = items_of(NAMES)
    refs = run(library, items, clock=clock, claim_timeout=60.0)
    assert {(ref.state, ref.error.kind if ref.error else "") for ref in refs} == {(ItemState.FAILED, "busy")}
    assert all(ref.error and ref.error.retry_helps for ref in refs)
    finish(library, run(library, items))
    assert len(library.sandbox.account.tables.bulk_uploads.find()) == 1


def test_a_row_that_kaltura_refuses_fails_alone_and_is_named(library: Library) -> None:
    good = items_of(NAMES)
    bad = replace(items_of(["bad.mp4"])[0], import_url="https://media.example/not a url.mp4")
    refs = run(library, [*good[:2], bad, *good[2:]])
    failed = refs.pop(2)
    assert failed.state is ItemState.FAILED
    assert failed.error is not None
    assert "bad.mp4: bulk upload" in failed.error.message
    assert "invalid" in failed.error.message
    finish(library, refs)
    mended = run(library, items_of(["bad.mp4"]))
    assert mended[0].state is ItemState.IMPORTING


def test_two_workers_at_once_make_one_entry_each(library: Library) -> None:
    items = items_of(NAMES)
    found: list[list[ItemRef]] = []
    clock = BatchClock(library.sandbox)  # time passes equally fast for both
    workers = [
        threading.Thread(target=lambda: found.append(run(library, items, clock=clock)), daemon=True) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(found) == 2
    finish(library, run(library, items))


def test_what_a_row_cannot_say_is_imported_by_itself(library: Library) -> None:
    plain, *_ = items_of(["plain.mp4"])
    others = [
        *items_of(["paper.pdf"]),
        *items_of(["tagged.mp4"], admin_tags=("internal",)),
        *items_of(["quoted.mp4"], description='a backslash \\" before a quote'),
        replace(plain, uri="https://media.example/secret.mp4", import_headers=("Authorization: x",)),
    ]
    assert BulkQueue.takes(plain)
    assert not any(BulkQueue.takes(item) for item in others)
    refs = run(library, [plain, *others])
    assert {ref.state for ref in refs} == {ItemState.IMPORTING}
    assert len(library.sandbox.control.entries()) == 5


def test_another_version_of_the_source_gets_no_second_entry(library: Library) -> None:
    first = run(library, items_of(NAMES))
    second = run(library, items_of(NAMES, version="2"), claim_timeout=20.0)
    assert all(ref.state is ItemState.FAILED for ref in second)
    finish(library, first)
    assert {ref.state for ref in run(library, items_of(NAMES, version="2"))} == {ItemState.SKIPPED}
    assert len(library.sandbox.control.entries()) == len(NAMES)
