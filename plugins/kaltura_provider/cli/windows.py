"""``plan`` and ``report``: what runs of a feed would do, and what they have brought in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from kaltura_provider.cli.feeds_folder import feed_named
from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, UsageError, say

if TYPE_CHECKING:
    import argparse

    from kaltura_provider.feeds.feed_plan import FeedPlan
    from kaltura_provider.feeds.schema import Feed

__all__ = ["plan", "report"]


def plan(args: argparse.Namespace) -> ExitCode:
    """Show the plan of each run of a feed in a range of dates."""
    from kaltura_provider.feeds.feed_plan import plan_feed

    first, last = _planned_range(args)
    feed = feed_named(args)
    if first is None:
        first = last = _last_ended(feed)
    made = plan_feed(feed, first, last)
    _check_any(feed, len(made.windows), first, last)
    rows = made.summary_rows() if args.by_window else made.rows()
    if args.output == "table" and len(made.windows) == 1 and not args.by_window:
        rows = [{name: value for name, value in row.items() if name != "window"} for row in rows]
    write_rows(rows, args.output, nothing="The source holds nothing for these dates.")
    if hasattr(feed.source, "watcher"):
        say(f"A feed of type {feed.source.type} takes what arrives, so dates do not say what a run brings in.")
    for window, problem in made.problems.items():
        say(f"{window}: {problem}")
    say(_summed_up(made))
    return ExitCode.PROBLEMS if made.problems else ExitCode.DONE


def report(args: argparse.Namespace) -> ExitCode:
    """Report what the runs of a feed in a range of dates have brought in."""
    from kaltura_provider.feeds.report import feed_report

    first, last = _range(args)
    feed = feed_named(args)
    made = feed_report(feed, first, last)
    _check_any(feed, len(made.windows), first, last)
    write_rows(made.rows(), args.output)
    if made.source == "plan":
        say("The feed has no receipts, so this compares the source with Kaltura: 'ingested' is not known.")
    for window in made.windows:
        for item in window.failed:
            say(f"{window.window}: {item.uri}: {item.step}: {item.reason}")
    return ExitCode.PROBLEMS if made.total.failed else ExitCode.DONE


def _planned_range(args: argparse.Namespace) -> tuple[dt.date | None, dt.date | None]:
    if args.date is not None:
        if args.first is not None or args.last is not None:
            raise UsageError("--date does not go with --from and --to; give either")
        return _date(args.date, "--date"), None
    return _range(args) if args.first is not None or args.last is not None else (None, None)


def _range(args: argparse.Namespace) -> tuple[dt.date, dt.date | None]:
    if args.first is None:
        raise UsageError("--from is missing; give the first day, such as --from 2024-03-01")
    return _date(args.first, "--from"), None if args.last is None else _date(args.last, "--to")


def _date(text: str, option: str) -> dt.date:
    """Return a day, or the moment that a text with a time names."""
    try:
        return dt.date.fromisoformat(text) if len(text) <= len("2024-03-01") else dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a date; write it like 2024-03-01 or 2024-03-01T06:00") from None


def _last_ended(feed: Feed) -> dt.date:
    """Return the beginning of the last interval that has ended; for a feed without a schedule, today."""
    import pendulum

    now = pendulum.now(feed.timezone)
    if feed.schedule is None:
        return now.date()
    from airflow.timetables.interval import CronDataIntervalTimetable

    timetable = CronDataIntervalTimetable(feed.schedule, pendulum.timezone(feed.timezone))
    return timetable.infer_manual_data_interval(run_after=now).start


def _check_any(feed: Feed, windows: int, first: dt.date, last: dt.date | None) -> None:
    if not windows:
        dates = f"on {first}" if last is None else f"from {first} to {last}"
        schedule = f"its schedule is {feed.schedule!r}" if feed.schedule else "it has no schedule"
        raise UsageError(f"no interval of feed {feed.name!r} begins {dates}; {schedule} in {feed.timezone}")


def _summed_up(made: FeedPlan) -> str:
    counts = ", ".join(f"{count:,} {decision}" for decision, count in made.counts.items()) or "no items"
    unknown = f" and {made.unknown_sizes:,} items of unknown size" if made.unknown_sizes else ""
    many = f"{len(made.windows):,} window{'s' * (len(made.windows) != 1)}"
    return f"{many}: {counts}. To bring in: {made.to_bring:,} items, {made.bytes:,} bytes{unknown}. Nothing was moved."
