"""What the runs of a feed have brought in, by window and in total: from receipts, and from what Kaltura holds."""

from __future__ import annotations

import datetime as dt
import json
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from kaltura_provider.feeds.feed_plan import plan_feed, windows_of
from kaltura_provider.feeds.outcome.receipts import read_receipt
from kaltura_provider.feeds.planning.interval import feed_context
from kaltura_provider.feeds.planning.window_plans import window_context
from kaltura_provider.feeds.state.stored_version import NewerData

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow.sdk import DAG

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.feeds.planning.interval import Interval
    from kaltura_provider.feeds.planning.window_plans import WindowPlan
    from kaltura_provider.feeds.schema import Feed

__all__ = ["FailedItem", "FeedReport", "Sums", "WindowReport", "feed_report"]


@dataclass(frozen=True, slots=True)
class FailedItem:
    """An item that is not in Kaltura.

    :param uri: its address, with secrets hidden.
    :param step: the task that failed, or the kind of the error.
    """

    uri: str
    step: str = ""
    reason: str = ""
    entry_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Figures of one window, or of all windows together.

    :param runs: runs that left receipts.
    :param found: items in the source. Each counts once, however often the window was run.
    :param ingested: items whose entry or content a run of the window made.
    :param already_there: items that were in Kaltura before.
    :param skipped: items that were left alone: their entry keeps other content, or was deleted in Kaltura.
    :param failed: items whose last run failed.
    :param missing: ingested items whose entry no longer exists, or, without receipts, items that are not in Kaltura.
    :param bytes: size of the items in Kaltura.
    :param hours: duration of the items in Kaltura, in hours; ``None`` if Kaltura was not asked.
    """

    runs: int = 0
    found: int = 0
    ingested: int = 0
    already_there: int = 0
    skipped: int = 0
    failed: int = 0
    missing: int = 0
    bytes: int = 0
    hours: float | None = None

    def __add__(self, other: Sums) -> Sums:
        """Return the sum of each figure."""
        added = {one.name: _added(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)}
        return Sums(**added)

    def row(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _added(one: float | None, other: float | None) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return one + other


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What became of one window.

    :param window: the start of the window in ISO 8601.
    :param problem: why the source cannot be read, if the figures are from the source.
    """

    window: str
    sums: Sums
    failed: tuple[FailedItem, ...] = ()
    problem: str | None = None

    def row(self) -> dict[str, Any]:
        """Return the figures and the reasons of failures as plain values."""
        reasons = [f"{item.uri}: {item.reason}" for item in self.failed] + ([self.problem] if self.problem else [])
        return {"window": self.window, **self.sums.row(), "reasons": "; ".join(reasons)}


@dataclass(frozen=True, slots=True)
class FeedReport:
    """The windows of a feed, oldest first, and their sum.

    :param source: ``receipts``, or ``plan`` if the feed keeps no receipts: the source was compared with Kaltura, so
        nothing is known about which run ingested an item, and what failed is ``missing``.
    """

    feed: str
    windows: tuple[WindowReport, ...]
    source: Literal["receipts", "plan"]

    @property
    def total(self) -> Sums:
        """The sum of all windows."""
        return sum((window.sums for window in self.windows), Sums())

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each window, and a last one with ``window`` set to ``total``."""
        return [*(window.row() for window in self.windows), {"window": "total", **self.total.row(), "reasons": ""}]


def feed_report(feed: Feed, first: dt.date, last: dt.date | None = None, *, look_up: bool = True) -> FeedReport:
    """Report what the runs of a range of dates have brought in. Needs the feed's connections, but no task.

    :param first: windows that start on this day or at this moment or later. Without a time zone, the feed's is used.
    :param last: windows that start no later than this moment, or during this day. By default, ``first``.
    :param look_up: whether to ask Kaltura for the duration of the entries, and whether they still exist.
    :raises DateRangeError: the range makes no sense.
    :raises KalturaError: Kaltura did not answer, or refused; the template of ``receipts`` cannot be rendered; or the
        folder of the receipts is not allowed.
    :raises SourceError: the receipts in S3 cannot be read.
    """
    from kaltura_provider.feeds.dag import feed_dag

    client = _client(feed) if look_up else None
    if feed.receipts is None:
        planned = plan_feed(feed, first, last).windows
        known = _entries(client, [entry for window in planned for entry in _held(window)])
        return FeedReport(feed.name, tuple(_of_plan(window, known) for window in planned), "plan")
    lines = _Lines()
    windows = windows_of(feed, first, last)
    for root, day in _places(feed, feed_dag(feed), windows):
        for place, content in _read(feed, root, day):
            lines.take(place, content)
    known = _entries(client, lines.entry_ids())
    return FeedReport(feed.name, tuple(lines.reports(windows, known)), "receipts")


def _client(feed: Feed) -> KalturaClient:
    from kaltura_provider.hooks.kaltura import KalturaHook

    return KalturaHook(feed.connections.kaltura).get_conn()


def _places(feed: Feed, dag: DAG, windows: Sequence[Interval]) -> list[tuple[str, str]]:
    """Return where the files of the runs of these windows are: the destination of the receipts, and the day.

    :raises KalturaConfigurationError: the template of the destination cannot be rendered.
    """
    from kaltura_provider.hooks.authored import TEMPLATE_ERRORS, unrenderable

    places: dict[tuple[str, str], None] = {}
    try:
        template = dag.get_template_env().from_string(str(feed.receipts))
        for window in windows:
            scope = dict(feed_context(window_context(dag, window), feed.timezone))
            places[template.render(scope), window.start.strftime("%Y-%m-%d")] = None
    except TEMPLATE_ERRORS as error:
        raise unrenderable("receipts", feed.receipts, error) from None
    return list(places)


def _read(feed: Feed, root: str, day: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the runs of one day, each with its location."""
    from kaltura_provider.feeds.outcome.receipts import RUN_ENDING, runs_folder
    from kaltura_provider.hooks.destination import destination

    sink = destination(root, argument="receipts", aws_conn_id=feed.connections.aws)
    for place, content in sink.read(runs_folder(feed.name, day)):
        if place.endswith(RUN_ENDING):
            yield place, content


class _Lines:
    """The lines of runs' files. Of several runs, the last decides what became of an item."""

    def __init__(self) -> None:
        self._lines: list[dict[str, Any]] = []

    def take(self, place: str, content: bytes) -> None:
        """Read one file.

        :raises ValueError: a line is not a receipt, or a newer version of this package wrote it.
        """
        for number, text in enumerate(content.splitlines(), 1):
            try:
                line = read_receipt(json.loads(text))
                # What every line has.
                self._lines.append({**line, "uri": line["uri"], "state": line["state"], "run_id": line["run_id"]})
            except NewerData:
                raise
            except (AttributeError, LookupError, TypeError, ValueError):
                fix = "restore the file, or move it away"
                raise ValueError(f"{place}: line {number} is not a receipt of a run; {fix}") from None

    def entry_ids(self) -> list[str]:
        """Return the entries of all items that are in Kaltura."""
        return [line["entry_id"] for line in self._lines if line["state"] == "done" and line.get("entry_id")]

    def reports(self, windows: Sequence[Interval], known: Mapping[str, float] | None) -> Iterator[WindowReport]:
        """Yield the report of each window."""
        lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
        begins = [window.start for window in windows]
        for line in self._lines:
            number = _window_of(line, begins)
            if number >= 0 and _is_of(line, windows[number]):
                lines[number].append(line)
        for number, window in enumerate(windows):
            yield self._report(window, lines[number], known)

    def _report(
        self, window: Interval, of_runs: Sequence[dict[str, Any]], known: Mapping[str, float] | None
    ) -> WindowReport:
        lines = _of_items(of_runs)
        done = [line for line in lines if line["state"] == "done"]
        failed = [line for line in lines if line["state"] == "failed"]
        held = done if known is None else [line for line in done if line.get("entry_id") in known]
        sums = Sums(
            runs=len({line["run_id"] for line in of_runs}),
            found=len(lines),
            ingested=sum(bool(line["made"]) for line in done),
            already_there=sum(not line["made"] for line in done),
            skipped=len(lines) - len(done) - len(failed),
            failed=len(failed),
            missing=len(done) - len(held),
            bytes=sum(line.get("bytes") or 0 for line in held),
            hours=None if known is None else _hours(known, (line["entry_id"] for line in held)),
        )
        return WindowReport(window.start.isoformat(), sums, tuple(_failed(line) for line in failed))


def _window_of(line: Mapping[str, Any], begins: Sequence[dt.datetime]) -> int:
    """Return the number of the last window that begins before the run of a line, or with it; -1 if there is none."""
    said = line.get("window_start")
    return bisect_right(begins, dt.datetime.fromisoformat(said)) - 1 if said else -1


def _is_of(line: Mapping[str, Any], window: Interval) -> bool:
    """Tell whether the run of a line begins in a window. Runs without a schedule begin at any moment of a day."""
    return dt.datetime.fromisoformat(line["window_start"]) < window.end


def _of_items(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the last line of each item, with ``made``: whether one of its runs made its entry or content."""
    items: dict[str, dict[str, Any]] = {}
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for line in sorted(lines, key=lambda line: bool(line.get("item_id")), reverse=True):
        # In lines of older versions, an item that failed before it was opened has no identity.
        known = line.get("item_id") or next(iter(names[line["uri"]]), line["uri"])
        names[line["uri"]][known] = None
        before = items.get(known, {})
        # An entry that was there can have got its content from this run.
        made = before.get("made") or (line["state"] == "done" and (not line.get("found") or line.get("bytes_sent")))
        last = line if line.get("finished_at", 0) >= before.get("finished_at", 0) else before
        items[known] = {**last, "made": made}
    return list(items.values())


def _failed(line: Mapping[str, Any]) -> FailedItem:
    error = line.get("error") or {}
    return FailedItem(line["uri"], str(error.get("kind", "")), str(error.get("message", "")), line.get("entry_id"))


def _held(window: WindowPlan) -> list[str]:
    from kaltura_provider.feeds.planning.plan import Decision

    items = window.plan.items if window.plan else ()
    return [item.entry_id for item in items if item.decision is Decision.THERE and item.entry_id]


def _of_plan(window: WindowPlan, known: Mapping[str, float] | None) -> WindowReport:
    from kaltura_provider.feeds.planning.plan import Decision

    items = window.plan.items if window.plan else ()
    there = [item for item in items if item.decision is Decision.THERE]
    sums = Sums(
        found=window.items,
        already_there=len(there),
        skipped=sum(item.decision in (Decision.SKIP, Decision.DELETED) for item in items),
        missing=len(window.wanted),
        bytes=sum(item.size or 0 for item in there),
        hours=None if known is None else _hours(known, _held(window)),
    )
    return WindowReport(window.window, sums, problem=window.problem)


def _hours(known: Mapping[str, float], entry_ids: Iterable[str]) -> float:
    return round(sum(known.get(entry_id, 0.0) for entry_id in entry_ids) / 3600, 4)


def _entries(client: KalturaClient | None, entry_ids: Sequence[str]) -> dict[str, float] | None:
    """Return the duration in seconds of each entry that exists; ``None`` without a client."""
    from kaltura_provider.services.entry.durations import durations

    if client is None:
        return None
    return durations(client, list(dict.fromkeys(entry_ids)))
