"""Sums over runs, by day and feed, and the charts of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from kaltura_provider.board.text import byte_size, counted, hours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.board.records import Run

__all__ = ["Bar", "Chart", "Sums", "Totals", "charts", "totals"]

_COLOURS: Final = 5
_OTHERS: Final = "other feeds"
_WIDTH: Final = 600.0
_HEIGHT: Final = 120.0
_MAX_BARS: Final = 92


@dataclass(slots=True)
class Sums:
    """What some runs did: items and bytes that arrived, seconds of media, and items that failed."""

    items: int = 0
    size: int = 0
    media: float = 0.0
    failures: int = 0

    def add(self, run: Run) -> None:
        """Add a run."""
        self.items += run.new
        self.size += run.size
        self.media += run.media
        self.failures += run.failed


@dataclass(slots=True)
class Totals:
    """The sums of runs: all of them, and by day and feed."""

    all: Sums = field(default_factory=Sums)
    by_day: dict[dt.date, dict[str, Sums]] = field(default_factory=dict)
    by_feed: dict[str, Sums] = field(default_factory=dict)


class Bar(NamedTuple):
    """A part of a bar: its place in the chart, the number of its colour, and what it says to a pointer."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    label: str


class Chart(NamedTuple):
    """A chart of one value per day, as bars in a picture of 600 by 120."""

    name: str
    total: str
    peak: str
    bars: Sequence[Bar]
    feeds: Sequence[str]


def totals(runs: Sequence[Run]) -> Totals:
    """Return the sums over runs."""
    found = Totals()
    by_day: dict[dt.date, dict[str, Sums]] = defaultdict(lambda: defaultdict(Sums))
    by_feed: dict[str, Sums] = defaultdict(Sums)
    for run in runs:
        if not (run.new or run.failed):
            continue
        sums = by_day[run.at.date()][run.feed]
        sums.add(run)
        by_feed[run.feed].add(run)
        found.all.add(run)
    found.by_day = {day: dict(feeds) for day, feeds in sorted(by_day.items())}
    found.by_feed = dict(sorted(by_feed.items(), key=lambda pair: -pair[1].items))
    return found


def charts(found: Totals, since: dt.date, until: dt.date) -> list[Chart]:
    """Return the charts of items, bytes, hours of media and failures, each by day and feed."""
    since = max(since, until - dt.timedelta(days=_MAX_BARS - 1))
    feeds = list(found.by_feed)
    feeds = [*feeds[: _COLOURS - 1], _OTHERS] if len(feeds) > _COLOURS else feeds
    kinds: list[tuple[str, Callable[[Sums], float], Callable[[float], str]]] = [
        ("Items", lambda sums: float(sums.items), lambda value: counted(round(value))),
        ("Bytes", lambda sums: float(sums.size), byte_size),
        ("Hours of media", lambda sums: sums.media, hours),
        ("Failures", lambda sums: float(sums.failures), lambda value: counted(round(value))),
    ]
    return [_chart(name, found, since, until, feeds, value, said) for name, value, said in kinds]


def _chart(
    name: str,
    found: Totals,
    since: dt.date,
    until: dt.date,
    feeds: Sequence[str],
    value: Callable[[Sums], float],
    said: Callable[[float], str],
) -> Chart:
    days = [since + dt.timedelta(days=number) for number in range((until - since).days + 1)]
    columns = [_column(found.by_day.get(day, {}), feeds, value) for day in days]
    peak = max((sum(column) for column in columns), default=0.0)
    step = _WIDTH / len(days)
    width = max(1.0, step - max(1.0, step * 0.25))
    bars = []
    for number, (day, column) in enumerate(zip(days, columns, strict=True)):
        top = _HEIGHT
        for colour, amount in enumerate(column):
            if amount <= 0 or not peak:
                continue
            height = max(1.5, amount / peak * _HEIGHT)
            top -= height
            label = f"{day.isoformat()}, {feeds[colour]}: {said(amount)}"
            bars.append(Bar(round(number * step, 1), round(top, 1), round(width, 1), round(height, 1), colour, label))
    return Chart(name, said(sum(map(sum, columns))), said(peak), bars, feeds)


def _column(day: Mapping[str, Sums], feeds: Sequence[str], value: Callable[[Sums], float]) -> list[float]:
    amounts = [0.0] * len(feeds)
    for feed, sums in day.items():
        amounts[feeds.index(feed) if feed in feeds else len(feeds) - 1] += value(sums)
    return amounts
