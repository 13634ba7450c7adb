"""``plan``: what runs of a feed would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.cli.dates import check_windows, date_range, parse_date
from kaltura_provider.cli.feeds_folder import feed_named
from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, UsageError, say

if TYPE_CHECKING:
    import argparse
    import datetime as dt

    from kaltura_provider.feeds.planning.window_plans import FeedPlan

__all__ = ["plan"]


def plan(args: argparse.Namespace) -> ExitCode:
    """Show the plan of each run of a feed in a range of dates."""
    from kaltura_provider.api.redaction import printable
    from kaltura_provider.feeds.feed_plan import last_start, plan_feed
    from kaltura_provider.feeds.sources.sqs import Sqs

    first, last = _planned_range(args)
    feed = feed_named(args)
    if first is None:
        first = last = last_start(feed)
    made = plan_feed(feed, first, last)
    check_windows(feed, len(made.windows), first, last)
    rows = made.summary_rows() if args.by_window else made.rows()
    if args.output == "table" and len(made.windows) == 1 and not args.by_window:
        rows = [{name: value for name, value in row.items() if name != "window"} for row in rows]
    write_rows(rows, args.output, nothing="The source holds nothing for these dates.")
    if isinstance(feed.source, Sqs):
        say(f"A feed of type {feed.source.type} takes what arrives, so dates do not say what a run brings in.")
    for text in made.warnings:
        say(printable(text))
    for window, problem in made.problems.items():
        say(printable(f"{window}: {problem}"))
    say(_summed_up(made))
    return ExitCode.PROBLEMS if made.problems else ExitCode.DONE


def _planned_range(args: argparse.Namespace) -> tuple[dt.date | None, dt.date | None]:
    if args.date is not None:
        if args.first is not None or args.last is not None:
            raise UsageError("--date does not go with --from and --to; give either")
        return parse_date(args.date, "--date"), None
    return date_range(args) if args.first is not None or args.last is not None else (None, None)


def _summed_up(made: FeedPlan) -> str:
    counts = ", ".join(f"{count:,} {decision}" for decision, count in made.counts.items()) or "no items"
    unknown = f" and {_counted(made.unknown_sizes, 'item')} of unknown size" if made.unknown_sizes else ""
    bring = f"{_counted(made.to_bring, 'item')}, {_counted(made.bytes, 'byte')}{unknown}"
    return f"{_counted(len(made.windows), 'window')}: {counts}. To bring in: {bring}. Nothing was moved."


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
