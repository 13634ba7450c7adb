"""Importing items by bulk uploads: Kaltura reads a CSV file, makes an entry of each row and fetches its content.

Nothing in Kaltura connects a row with an item before its entry exists. So a comment before each row names the item and
its content, and before rows are sent, the files of all recent bulk uploads are read: an item that one of them lists is
not sent again. Its entry is taken from the log of that bulk upload, and marked.
"""

from __future__ import annotations

import csv
import io
import logging
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError, KalturaPermanentError
from kaltura_provider.ingest.identity import PREFIX, reference_for
from kaltura_provider.ingest.marks import import_mark, run_mark
from kaltura_provider.services.bulk_upload.jobs import (
    OF_THE_LAST_DAY,
    UNFINISHED,
    has_ended,
    latest_jobs,
    read_job_log,
    read_sent_file,
    send_job_file,
)
from kaltura_provider.services.bulk_upload.log import NO_LINE, read_log, results_by_row
from kaltura_provider.services.bulk_upload.rows import BulkAction, BulkRow, csv_file
from kaltura_provider.services.entry.kind import Kind
from kaltura_provider.services.entry.stored import bounded
from kaltura_provider.services.paging import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.marks import EntryView
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["ROWS", "BulkImport", "BulkQueue", "BulkRowState"]

log = logging.getLogger("kaltura_provider.ingest")

ROWS = 500
"""Most rows of a bulk upload: Kaltura's own advice."""

_KINDS = (Kind.VIDEO, Kind.AUDIO, Kind.IMAGE)
_HEAD = csv_file([])
_URL_COLUMN = _HEAD.decode().lstrip("*").strip().split(",").index("url")


@dataclass(frozen=True, slots=True)
class BulkRowState:
    """What is known about an item's row.

    :param content_id: the content that the row names.
    :param entry_id: the entry that Kaltura made of it.
    :param error: why Kaltura made none.
    :param again: the row must be offered again, under a new claim.
    """

    content_id: str = ""
    entry_id: str | None = None
    error: str | None = None
    again: bool = False

    @property
    def waiting(self) -> bool:
        """Whether Kaltura has not read the row yet, or it was not sent yet."""
        return self.entry_id is None and self.error is None and not self.again


@dataclass(slots=True)
class _Job:
    """A bulk upload: the items and contents of its rows, and the results so far."""

    id: str
    rows: list[tuple[str, str]]
    urls: list[str]
    ended: bool = False
    states: list[BulkRowState] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        return self.ended or not any(state.waiting for state in self.states)


@dataclass(slots=True)
class _Offer:
    """An item to send, under a claim that was made at ``claimed``; ``sent`` is when the request began.

    With ``follow``, it is not sent: it has an entry without marks, which a bulk upload may have made.
    """

    item: SourceItem
    claimed: float
    follow: bool = False
    sent: float | None = None
    job: str | None = None


class BulkQueue:
    """Collects items whose entries are to be made by bulk uploads, sends them, and follows their rows.

    :meth:`offer` and :meth:`state` may be called from several threads, :meth:`work` from one.
    """

    def __init__(self, client: KalturaClient, settings: IngestSettings) -> None:
        self._client = client
        self._settings, self._clock = settings, settings.clock
        self._lock = threading.Lock()
        self._offers: dict[str, _Offer] = {}
        self._states: dict[str, BulkRowState] = {}
        self._jobs: dict[str, _Job] = {}
        self._due = 0.0

    @staticmethod
    def takes(item: SourceItem) -> bool:
        """Whether a row can say all that there is to say about an item. Others are imported one by one."""
        said = item.metadata
        beyond = item.import_headers or said.admin_tags or said.extra or said.parent_entry_id
        if item.kind not in _KINDS or not item.import_url or beyond or said.conversion_profile_id == -1:
            return False
        try:
            csv_file([_row(item)])
        except KalturaConfigurationError:
            return False
        return True

    def offer(self, item: SourceItem, claimed: float, *, follow: bool = False) -> None:
        """Offer an item that is claimed since ``claimed`` (monotonic).

        :param follow: it has an entry, so it must not be sent; find out whether a bulk upload made it.
        """
        with self._lock:
            self._offers[item.item_id] = _Offer(item, claimed, follow)
            self._states.pop(item.item_id, None)
            self._due = 0.0

    def withdraw(self, item_id: str) -> None:
        """Forget an item."""
        with self._lock:
            self._offers.pop(item_id, None)

    def state(self, item_id: str) -> BulkRowState:
        """Return what :meth:`work` found out about an item that was offered."""
        with self._lock:
            return self._states.get(item_id, BulkRowState())

    def work(self) -> None:
        """Read the results of the rows, and send rows for items that no bulk upload lists.

        Does nothing if it looked less than ``poll`` seconds ago, and no item was offered since. Errors are logged: the
        items wait, and the next call tries again.
        """
        now = self._clock.monotonic()
        if not self._offers or now < self._due:
            return
        self._due = now + self._settings.poll
        try:
            self._read_jobs()
            self._settle()
            self._send(now)
        except KalturaError as error:
            log.warning("bulk uploads cannot be read or sent: %s", error)

    def _read_jobs(self) -> None:
        """Read the bulk uploads of the last day, older ones that have not ended, and the logs of those of ours."""
        for values in self._latest():
            job_id = str(values["id"])
            if job_id not in self._jobs:
                self._jobs[job_id] = _read_file(job_id, self._sent_file(job_id))
            job = self._jobs[job_id]
            if job.rows and not job.ended:
                job.ended = has_ended(values["status"])
                job.states = _states(job, read_job_log(self._client, job_id), values.get("error"))

    def _latest(self) -> Iterator[dict[str, Any]]:
        """Yield the bulk uploads, oldest first, so that what a later one says counts."""
        found = {
            int(values["id"]): values
            for conditions in (OF_THE_LAST_DAY, UNFINISHED)
            for values in latest_jobs(self._client, conditions, maximum=PAGE_SIZE)
        }
        yield from (found[number] for number in sorted(found))

    def _sent_file(self, job_id: str) -> bytes:
        try:
            return read_sent_file(self._client, job_id)
        except KalturaPermanentError as error:
            # Somebody else's, most likely: files of this package are kept for longer than a day.
            log.warning("the file of bulk upload %s cannot be read: %s", job_id, error)
            return b""

    def _settle(self) -> None:
        """Say of each offered item what its latest row says."""
        with self._lock:
            for job in self._jobs.values():
                for (item_id, _), state in zip(job.rows, job.states, strict=True):
                    offer = self._offers.get(item_id)
                    if offer is None:
                        continue
                    if offer.sent is not None and offer.job is None and not state.error:
                        offer.job = job.id  # the answer to the request was lost
                    if state.error is None or offer.job == job.id:
                        self._states[item_id] = state
                    else:
                        # It failed in an earlier run: this one may try again.
                        self._states.pop(item_id, None)

    def _send(self, now: float) -> None:
        with self._lock:
            ready = [offer for item_id, offer in self._offers.items() if item_id not in self._states]
        late = self._settings.grace / 2
        for offer in ready:
            lost = offer.sent is not None and now - offer.sent > self._settings.grace
            if lost or offer.follow or (offer.sent is None and now - offer.claimed > late):
                with self._lock:
                    self._states[offer.item.item_id] = BulkRowState(again=True)
        mine = {offer.job for offer in self._offers.values()}
        if any(not job.is_read for job in self._jobs.values() if job.id in mine):
            return  # one after the other
        fresh = [offer for offer in ready if not offer.follow and offer.sent is None and now - offer.claimed <= late]
        if fresh:
            self._submit(fresh[:ROWS], now)

    def _submit(self, offers: list[_Offer], now: float) -> None:
        content = _file_of([offer.item for offer in offers])
        for offer in offers:
            offer.sent = now
        try:
            job_id = send_job_file(self._client, content, f"{PREFIX}.csv", timeout=self._settings.grace / 4)
        except KalturaError as error:
            if not error.ambiguous:
                for offer in offers:
                    offer.sent = None
            raise
        job = _read_file(job_id, content)
        job.states = [BulkRowState(content_id) for _, content_id in job.rows]
        self._jobs[job.id] = job
        for offer in offers:
            offer.job = job.id
        self._settle()
        log.info("bulk upload %s: %d rows", job.id, len(offers))


class BulkImport:
    """The import of one item through a queue, while this process holds the claim on it."""

    def __init__(self, queue: BulkQueue, item: SourceItem) -> None:
        self._queue, self._item = queue, item
        self._unlisted = False
        self.queued = False

    @property
    def row(self) -> BulkRowState:
        """What is known about the item's row."""
        return self._queue.state(self._item.item_id)

    def offers(self, claimed: float) -> bool:
        """Offer the item to the queue; return whether it takes it."""
        if not self._queue.takes(self._item):
            return False
        self._queue.offer(self._item, claimed)
        self.queued = True
        return True

    def follows(self, entries: Sequence[EntryView], claimed: float) -> bool:
        """Return whether the item has an entry without marks, and bulk uploads will be asked about it."""
        if self._unlisted or all(entry.deleted or entry.is_item(self._item.item_id) for entry in entries):
            return False
        self._queue.offer(self._item, claimed, follow=True)
        self.queued = True
        return True

    def end(self, row: BulkRowState) -> None:
        """Take the item out of the queue, with its row as it is now."""
        self._queue.withdraw(self._item.item_id)
        self.queued = False
        self._unlisted = row.again

    def mark(self, ledger: Ledger, entry: EntryView, content_id: str, run: str | None) -> EntryView:
        """Mark an entry that a bulk upload made of the item; raises as :meth:`Ledger.write_marks`."""
        if entry.is_item(self._item.item_id):
            return entry
        marks = [import_mark(content_id), *([run_mark(run)] if run else ())]
        own = self._item.metadata.reference_id
        return ledger.write_marks(
            entry, self._item.item_id, *marks, beside={"referenceId": own} if own else None
        )  # fmt: skip


def _row(item: SourceItem) -> BulkRow:
    said, _ = bounded(item.metadata)
    # By this reference id, searches find the entry before it has marks. Marking it sets the author's own.
    said = replace(said, name=said.name or item.name, reference_id=reference_for(item.item_id))
    return BulkRow(item.import_url or "", item.kind, said, None, {}, BulkAction.ADD)


def _file_of(items: list[SourceItem]) -> bytes:
    """Return the CSV file for items, with a comment before each row that names its item and content."""
    rows = [
        f"# {PREFIX}-{item.item_id}-{item.content_id}\n".encode() + csv_file([_row(item)])[len(_HEAD) :]
        for item in items
    ]
    return _HEAD + b"".join(rows)


def _read_file(job_id: str, content: bytes) -> _Job:
    """Read a CSV file of this package; any other file has no rows of ours."""
    job = _Job(job_id, [], [])
    named: tuple[str, str] | None = None
    if f"\n# {PREFIX}-".encode() not in content:
        return job
    for cells in csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"))):
        words = cells[0].removeprefix("# ").split("-") if len(cells) == 1 and cells[0].startswith("# ") else []
        if len(words) == 3 and words[0] == PREFIX:
            named = (words[1], words[2])
        elif named is not None and len(cells) > _URL_COLUMN:
            job.rows.append(named)
            job.urls.append(cells[_URL_COLUMN])
            named = None
    return job


def _states(job: _Job, content: bytes, trouble: Any) -> list[BulkRowState]:
    """Return the state of each row of a job."""
    results = results_by_row(read_log(content) or (), job.urls)
    states = []
    for (_, content_id), result in zip(job.rows, results, strict=True):
        error = str(result.get("error") or "") or None
        if result.get("entry_id"):
            states.append(BulkRowState(content_id, entry_id=str(result["entry_id"])))
        elif result["result"] == "failed" and (error != NO_LINE or job.ended):
            text = str(trouble) if trouble and error == NO_LINE else error
            states.append(BulkRowState(content_id, error=f"bulk upload {job.id}: {text or 'no reason given'}"))
        else:
            states.append(BulkRowState(content_id))
    return states
