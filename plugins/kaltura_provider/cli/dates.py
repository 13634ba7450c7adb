"""The options ``--date``, ``--from`` and ``--to``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from kaltura_provider.cli.running import UsageError
from kaltura_provider.feeds.fields.years import YEARS, YEARS_TEXT

if TYPE_CHECKING:
    import argparse

    from kaltura_provider.feeds.schema import Feed

__all__ = ["check_windows", "date_range", "parse_date"]


def date_range(args: argparse.Namespace) -> tuple[dt.date, dt.date | None]:
    """Return the values of ``--from`` and ``--to``.

    :raises UsageError: ``--from`` is missing, or a value is not a date.
    """
    if args.first is None:
        raise UsageError("--from is missing; give the first day, such as --from 2024-03-01")
    return parse_date(args.first, "--from"), None if args.last is None else parse_date(args.last, "--to")


def parse_date(text: str, option: str) -> dt.date:
    """Return the day that an option names, or the moment if its value has a time.

    :raises UsageError: the value is not a date.
    """
    try:
        day = dt.date.fromisoformat(text) if len(text) <= len("2024-03-01") else dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a date; write it like 2024-03-01 or 2024-03-01T06:00") from None
    if day.year not in YEARS:
        raise UsageError(f"{option} {text!r} is not {YEARS_TEXT}")
    return day


def check_windows(feed: Feed, windows: int, first: dt.date, last: dt.date | None) -> None:
    """Check that a range of dates has windows.

    :param windows: their number.
    :raises UsageError: there are none.
    """
    if not windows:
        dates = f"on {first}" if last is None else f"from {first} to {last}"
        schedule = f"its schedule is {feed.schedule!r}" if feed.schedule else "it has no schedule"
        raise UsageError(f"no interval of feed {feed.name!r} begins {dates}; {schedule} in {feed.timezone}")
