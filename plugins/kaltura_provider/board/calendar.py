"""The windows of a feed: one row of cells per week, each with what its runs did."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kaltura_provider.feeds.fields.years import YEARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.board.records import Run

__all__ = ["Window", "months", "weeks", "windows"]


@dataclass(frozen=True, slots=True)
class Window:
    """What a feed ingests for one interval of its schedule, and what its newest run did.

    :param begins: when the interval begins, in the feed's time zone.
    """

    begins: dt.datetime
    run: Run

    @property
    def day(self) -> dt.date:
        """The day on which the interval begins."""
        return self.begins.date()

    @property
    def state(self) -> str:
        """Return ``done``, ``failed``, ``running``, ``waiting`` or ``planned``."""
        run = self.run
        if run.plan is not None:
            return "planned"
        if run.state == "running":
            return "running"
        if run.state == "queued":
            return "waiting"
        return "failed" if run.failures or run.state == "failed" else "done"

    @property
    def ingested(self) -> int:
        """The number of items that this run brought in."""
        return self.run.new

    @property
    def there(self) -> int:
        """The number of items that were in Kaltura before the run."""
        return self.run.found

    @property
    def failed(self) -> int:
        """The number of items that are not in Kaltura."""
        return self.run.failed

    @property
    def found(self) -> int:
        """The number of items that the source lists."""
        return self.ingested + self.there + self.failed


def windows(runs: Iterable[Run], timezone: str) -> list[Window]:
    """Return the windows of one feed, the newest first. Of a window's runs, the newest that is not a dry run counts."""
    zone = ZoneInfo(timezone)
    found: dict[dt.datetime, Window] = {}
    for run in runs:
        begins = _begins(run, zone)
        if begins is None:
            continue
        known = found.get(begins)
        if known is None or (known.run.plan is not None and run.plan is None):
            found[begins] = Window(begins, run)
    return sorted(found.values(), key=lambda window: window.begins, reverse=True)


def _begins(run: Run, zone: ZoneInfo) -> dt.datetime | None:
    """Return when the interval of a run begins. In the trigger form, people can choose it, or several for a plan."""
    if run.chosen_until:
        return None
    if run.chosen_date:
        try:
            chosen = dt.datetime.fromisoformat(run.chosen_date)
            begins = chosen.astimezone(zone) if chosen.tzinfo else chosen.replace(tzinfo=zone)
        except (ValueError, OverflowError):
            return None
        # A run for another year fails.
        return begins if begins.year in YEARS else None
    return run.window[0].astimezone(zone) if run.window else None


def months(found: Sequence[Window]) -> list[dt.date]:
    """Return the first days of the months that have windows, the newest first."""
    return sorted({window.day.replace(day=1) for window in found}, reverse=True)


def weeks(found: Iterable[Window], month: dt.date) -> list[list[tuple[dt.date, list[Window]]]]:
    """Return the weeks of a month, Monday first. Each day has its windows; days of other months have none."""
    by_day: Mapping[dt.date, list[Window]] = defaultdict(list)
    for window in found:
        by_day[window.day].insert(0, window)
    day = month.replace(day=1)
    day -= dt.timedelta(days=day.weekday())
    rows = []
    while day <= month or day.month == month.month:
        week = [day + dt.timedelta(days=number) for number in range(7)]
        rows.append([(one, by_day[one] if one.month == month.month else []) for one in week])
        day += dt.timedelta(days=7)
    return rows
