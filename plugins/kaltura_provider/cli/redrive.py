"""``redrive``: items that a feed has set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.cli.feeds_folder import feed_named
from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, say

if TYPE_CHECKING:
    import argparse

__all__ = ["redrive"]


def redrive(args: argparse.Namespace) -> ExitCode:
    """Bring back items of a feed that failed too often."""
    from kaltura_provider.feeds.tasks.set_aside import redrive as bring_back

    found = bring_back(feed_named(args), args.key)
    write_rows([{"uri": uri} for uri in found], args.output, nothing="There is nothing to bring back.")
    say(f"{len(found)} brought back; the next run tries them again")
    return ExitCode.PROBLEMS if args.key and not found else ExitCode.DONE
