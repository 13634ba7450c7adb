"""The windows of a schedule: the intervals for which a feed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum

from kaltura_provider.feeds.planning.interval import (
    Interval,
    following_day,
    interval_after,
    intervals_around,
    local,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DateRangeError", "cron", "windows_between"]


class DateRangeError(ValueError):
    """A range of dates makes no sense, or is too long."""


def windows_between(
    schedule: str | None, timezone: str, begins: pendulum.DateTime, ends: pendulum.DateTime, *, maximum: int
) -> list[Interval]:
    """Return the windows that start between two moments, both included.

    :param schedule: a cron expression. Without one, there is one window a day.
    :raises DateRangeError: there are more than ``maximum`` windows.
    """
    found: list[Interval] = []
    for interval in _intervals(schedule, timezone, begins, ends):
        found.append(interval)
        if len(found) > maximum:
            what = f"the range of dates from {begins} to {ends} has more than {maximum:,} windows"
            raise DateRangeError(f"{what}; give a shorter one")
    return found


def cron(schedule: str, timezone: str) -> Any:
    """Return Airflow's timetable of a cron expression."""
    from airflow.timetables.interval import CronDataIntervalTimetable

    return CronDataIntervalTimetable(schedule, pendulum.timezone(timezone))


def _intervals(
    schedule: str | None, timezone: str, begins: pendulum.DateTime, ends: pendulum.DateTime
) -> Iterator[Interval]:
    last = ends.in_timezone("UTC")
    if schedule is None:
        day = begins
        while day.in_timezone("UTC") <= last:
            yield Interval(day, following_day(day))
            day = following_day(day)
        return
    timetable = cron(schedule, timezone)
    found, following = intervals_around(timetable, begins)
    interval = found if local(found.start, "UTC") == begins.in_timezone("UTC") else following
    while local(interval.start, "UTC") <= last:
        yield Interval(local(interval.start, timezone), local(interval.end, timezone))
        interval = interval_after(timetable, interval)
