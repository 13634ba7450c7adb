"""The filters in the query of a page, and the records that pass them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaltura_provider.board.records import Arrival, Failure, Run

__all__ = ["PAGE_SIZE", "STATES", "Arrived", "Failed", "Page", "Selection", "arrived", "failed", "selection"]

PAGE_SIZE: Final = 24
STATES: Final = ("now", "failed", "arrived")
_DEFAULT_DAYS: Final = 30

T = TypeVar("T")


class Arrived(NamedTuple):
    """An item and the run that brought it in."""

    run: Run
    item: Arrival


class Failed(NamedTuple):
    """An item and the run that did not bring it in."""

    run: Run
    item: Failure


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters of a page. Days are those on which runs ended, in UTC; both are included."""

    feed: str
    state: str
    since: dt.date
    until: dt.date
    text: str
    page: int

    def shows(self, part: str) -> bool:
        """Return whether to show a part of the board."""
        return self.state in ("", part)

    @property
    def narrowed(self) -> bool:
        """Whether the reader has set a filter besides the days."""
        return bool(self.feed or self.state or self.text)

    def query(self, **changes: str | int) -> str:
        """Return the query of a page with these filters, some of them changed."""
        values = {
            "feed": self.feed,
            "state": self.state,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "q": self.text,
            "page": self.page,
            **changes,
        }
        return urlencode({name: value for name, value in values.items() if value not in ("", 1)})

    def runs(self, runs: Sequence[Run]) -> list[Run]:
        """Return the runs that have ended on these days, of this feed."""
        first = dt.datetime.combine(self.since, dt.time(), dt.UTC)
        last = dt.datetime.combine(self.until + dt.timedelta(days=1), dt.time(), dt.UTC)
        feed = self.feed
        return [run for run in runs if first <= run.at < last and (not feed or run.dag_id == feed)]


def selection(
    feed: Annotated[str, Query(max_length=250)] = "",
    state: Annotated[str, Query(max_length=100)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Selection:
    """Read the filters of a query. Invalid values count as not set, because people also edit addresses by hand."""
    today = dt.datetime.now(dt.UTC).date()
    end = _day(until) or today
    start = _day(since) or end - dt.timedelta(days=_DEFAULT_DAYS)
    return Selection(feed, state if state in STATES else "", min(start, end), end, q.strip(), page)


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if dt.date(2000, 1, 1) <= day <= dt.date(2200, 1, 1) else None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, with what is needed for links to the other parts."""

    rows: Sequence[T]
    number: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return _pages(self.total)


def arrived(runs: Sequence[Run], text: str, page: int) -> Page[Arrived]:
    """Return a page of the items that runs brought in, the newest first."""
    if text:
        found = [
            Arrived(run, item)
            for run in runs
            for item in run.arrivals
            if _matches(text, item.name, item.uri, item.entry_id)
        ]
        number = min(page, _pages(len(found)))
        return Page(found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], number, len(found))
    total = sum(len(run.arrivals) for run in runs)
    number = min(page, _pages(total))
    return Page(list(_slice(runs, (number - 1) * PAGE_SIZE, PAGE_SIZE)), number, total)


def _pages(total: int) -> int:
    return max(1, math.ceil(total / PAGE_SIZE))


def _slice(runs: Sequence[Run], skip: int, count: int) -> Iterator[Arrived]:
    for run in runs:
        if count <= 0:
            return
        items = run.arrivals[skip : skip + count]
        skip = max(0, skip - len(run.arrivals))
        count -= len(items)
        for item in items:
            yield Arrived(run, item)


def failed(runs: Sequence[Run], text: str = "") -> list[Failed]:
    """Return the items that failed and that no later run of the same DAG has brought in, the newest first."""
    failing = {run.dag_id for run in runs if run.failures}
    there: dict[str, set[str]] = {}
    seen: set[tuple[str, str, str]] = set()
    found = []
    for run in runs:
        if not run.finished or run.dag_id not in failing:
            continue
        later = there.setdefault(run.dag_id, set())
        for item in run.failures:
            key = (run.dag_id, item.uri, "" if item.uri else run.run_id)
            if item.uri in later or key in seen:
                continue
            seen.add(key)
            if not text or _matches(text, item.uri, item.reason, run.feed):
                found.append(Failed(run, item))
        later |= run.there
    return found


def _matches(text: str, *values: str) -> bool:
    wanted = text.lower()
    return any(wanted in value.lower() for value in values)
