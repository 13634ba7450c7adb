"""``housekeeping``: what interrupted runs left in Kaltura."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, UsageError, say

if TYPE_CHECKING:
    import argparse

__all__ = ["housekeeping"]

_HOUR = 3600.0


def housekeeping(args: argparse.Namespace) -> ExitCode:
    """List what interrupted runs left behind, and delete it on request."""
    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.ingest.housekeeping import find_leftovers, remove_leftovers

    if not args.older_than >= 1:
        raise UsageError(
            f"--older-than {args.older_than:g} is too short: uploads under way could be found; give 1 or more"
        )
    older_than = args.older_than * _HOUR
    client = KalturaHook(args.kaltura_conn_id).get_conn()
    found = find_leftovers(client, older_than=older_than)
    if args.delete:
        found = remove_leftovers(client, found, older_than=older_than)
    rows = [
        {
            "kind": item.kind,
            "id": item.id,
            "name": item.name,
            "hours": round(item.age / _HOUR, 1),
            "reason": item.reason,
            "deleted": item.removed,
            "problem": item.problem,
        }
        for item in found
    ]
    write_rows(rows, args.output, nothing="Nothing was left behind.")
    removed = sum(item.removed for item in found)
    say(f"{len(found)} found, {removed} deleted" if args.delete else f"{len(found)} found; --delete deletes them")
    return ExitCode.PROBLEMS if args.delete and removed < len(found) else ExitCode.DONE
