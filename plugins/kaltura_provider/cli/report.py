"""``report``: what runs of a feed have brought in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.cli.dates import check_windows, date_range
from kaltura_provider.cli.feeds_folder import feed_named
from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, say

if TYPE_CHECKING:
    import argparse

__all__ = ["report"]


def report(args: argparse.Namespace) -> ExitCode:
    """Report what the runs of a feed in a range of dates have brought in."""
    from kaltura_provider.api.redaction import printable
    from kaltura_provider.feeds.report import feed_report

    first, last = date_range(args)
    feed = feed_named(args)
    made = feed_report(feed, first, last)
    check_windows(feed, len(made.windows), first, last)
    write_rows(made.rows(), args.output)
    if made.source == "plan":
        say("The feed has no receipts, so this compares the source with Kaltura: 'ingested' is not known.")
    for window in made.windows:
        for item in window.failed:
            say(printable(f"{window.window}: {item.uri}: {item.step}: {item.reason}"))
        if window.problem:
            say(printable(f"{window.window}: {window.problem}"))
    unknown = any(window.problem for window in made.windows)
    return ExitCode.PROBLEMS if made.total.failed or unknown else ExitCode.DONE
