"""Plans the runs of a feed beforehand, for a range of dates: what a backfill would bring in. Writes nothing."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

import pendulum

from kaltura_provider.feeds.planning.interval import last_moment_of
from kaltura_provider.feeds.planning.window_plans import plan_windows
from kaltura_provider.feeds.planning.windows import DateRangeError, cron, windows_between

if TYPE_CHECKING:
    from kaltura_provider.feeds.planning.interval import Interval
    from kaltura_provider.feeds.planning.window_plans import FeedPlan
    from kaltura_provider.feeds.schema import Feed

__all__ = ["last_start", "plan_feed", "windows_of"]

_MOST_WINDOWS = 5000


def plan_feed(feed: Feed, first: dt.date, last: dt.date | None = None) -> FeedPlan:
    """Plan the run of each window of a feed, as a backfill of these dates would.

    It reads the source and Kaltura through the feed's connections, and does not need a task. A source of type
    ``s3_new`` is planned as in a backfill: each window holds what was modified in it.

    :param first: windows that start on this day or at this moment or later. Without a time zone, the feed's is used.
    :param last: windows that start no later than this moment, or during this day. By default, ``first``.
    :raises DateRangeError: ``last`` is before ``first``, or the range has more than 5,000 windows.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    from kaltura_provider.feeds.dag import feed_dag

    return plan_windows(feed_dag(feed), feed.name, windows_of(feed, first, last))


def windows_of(feed: Feed, first: dt.date, last: dt.date | None = None) -> list[Interval]:
    """Return the windows of a feed that start in a range of dates, in the feed's time zone.

    A feed without a schedule has one window a day.

    :param first: a day or moment. :param last: a day (including all of it) or moment; by default, ``first``.
    :raises DateRangeError: ``last`` is before ``first``, or the range has more than 5,000 windows.
    """
    begins = _moment(first, feed.timezone)
    ends = _moment(first if last is None else last, feed.timezone)
    if not isinstance(last if last is not None else first, dt.datetime):
        ends = last_moment_of(ends)
    if ends < begins:
        raise DateRangeError(f"the range of dates ends at {ends} before it begins at {begins}; swap the dates")
    return windows_between(feed.schedule, feed.timezone, begins, ends, maximum=_MOST_WINDOWS)


def last_start(feed: Feed) -> dt.date:
    """Return when the last interval that has ended began; for a feed without a schedule, today."""
    now = pendulum.now(feed.timezone)
    if feed.schedule is None:
        return now.date()
    return cast("dt.datetime", cron(feed.schedule, feed.timezone).infer_manual_data_interval(run_after=now).start)


def _moment(value: dt.date, timezone: str) -> pendulum.DateTime:
    zone = pendulum.timezone(timezone)
    if not isinstance(value, dt.datetime):
        return pendulum.datetime(value.year, value.month, value.day, tz=zone)
    return pendulum.instance(value, tz=zone).in_timezone(zone) if value.tzinfo else pendulum.instance(value, tz=zone)
