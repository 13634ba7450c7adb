"""``status`` and ``flavors``: entries of Kaltura and their renditions."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, UsageError, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Container, Iterable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.hooks.kaltura import KalturaHook

__all__ = ["flavors", "status"]

_FIELDS = "id,name,status,mediaType,duration,createdAt,updatedAt,tags"
_LOOK_EVERY = 5.0
# The other fields of a flavor would make a table too wide for a terminal.
_COLUMNS = (
    "entry_id", "asset_id", "status", "flavor_params_id", "is_original", "width", "height", "bitrate", "size_in_bytes",
    "file_ext", "tags",
)  # fmt: skip


def status(args: argparse.Namespace) -> ExitCode:
    """Show entries."""
    if not args.wait >= 0:
        raise UsageError(f"--wait {args.wait:g} is not a number of minutes; give 0 or more")
    hook, ids = _hook_and_ids(args)
    found = _settled(hook.get_conn(), ids, args.wait * 60)
    write_rows([_row(hook, entry_id, found.get(entry_id)) for entry_id in ids], args.output)
    late = _busy(found) if args.wait else []
    for entry_id in late:
        say(f"Kaltura has not finished entry {entry_id} within {args.wait:g} minutes")
    return ExitCode.PROBLEMS if _missing(ids, found) or _any_failed(found.values()) or late else ExitCode.DONE


def flavors(args: argparse.Namespace) -> ExitCode:
    """List the flavors of entries."""
    from kaltura_provider.services.entry.stored import stored_entries
    from kaltura_provider.services.flavor_asset import list_flavors, shown_flavor

    hook, ids = _hook_and_ids(args)
    client = hook.get_conn()
    found = list_flavors(client, ids)
    rows = [shown_flavor(flavor) for entry_id in ids for flavor in found.get(entry_id, [])]
    names = _COLUMNS if args.output == "table" else dict.fromkeys(name for row in rows for name in row)
    write_rows([{name: row.get(name) for name in names} for row in rows], args.output, nothing="No flavors.")
    # An entry without flavors exists, too.
    others = stored_entries(client, [entry_id for entry_id in ids if entry_id not in found], fields="id")
    return ExitCode.PROBLEMS if _missing(ids, others.keys() | found.keys()) else ExitCode.DONE


def _settled(client: KalturaClient, ids: Sequence[str], seconds: float) -> dict[str, dict[str, Any]]:
    """Return the entries that exist, when Kaltura has finished them all or these seconds have passed."""
    from kaltura_provider.services.entry.stored import stored_entries

    deadline = time.monotonic() + seconds
    while True:
        found = stored_entries(client, ids, fields=_FIELDS)
        waiting = _busy(found)
        left = deadline - time.monotonic()
        if not waiting or not left > 0:
            return found
        say(f"waiting for {', '.join(waiting[:5])}{' and others' if len(waiting) > 5 else ''}")
        time.sleep(min(_LOOK_EVERY, left))


def _busy(entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the entries that Kaltura is still importing or converting."""
    from kaltura_provider.api.enums import EntryStatus, parse_status

    busy = (EntryStatus.IMPORT, EntryStatus.PRECONVERT, EntryStatus.PENDING)
    return [key for key, entry in entries.items() if parse_status(EntryStatus, entry.get("status")) in busy]


def _hook_and_ids(args: argparse.Namespace) -> tuple[KalturaHook, list[str]]:
    from kaltura_provider.api.arguments import entry_id
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.hooks.kaltura import KalturaHook

    try:
        ids = [entry_id(one, "ENTRY") for one in dict.fromkeys(args.entries)]
    except KalturaConfigurationError as error:
        raise UsageError(str(error)) from None
    return KalturaHook(args.kaltura_conn_id), ids


def _row(hook: KalturaHook, entry_id: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    from kaltura_provider.api.enums import EntryStatus, MediaType, named_status, parse_enum

    said: dict[str, Any] = {"status": "not found" if entry is None else None, "status_number": None}
    entry = entry or {}
    said |= named_status(EntryStatus, entry.get("status"))
    media_type = parse_enum(MediaType, entry.get("mediaType"))
    ready = said["status_number"] == EntryStatus.READY
    return {
        "entry_id": entry_id,
        **said,
        "name": entry.get("name"),
        "media_type": media_type.name.lower() if isinstance(media_type, MediaType) else media_type,
        "seconds": entry.get("duration"),
        "created_at": _moment(entry.get("createdAt")),
        "updated_at": _moment(entry.get("updatedAt")),
        "playback_url": hook.account.playback_url(entry_id) if ready else None,
    }


def _moment(seconds: Any) -> str | None:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).isoformat() if seconds else None


def _missing(ids: Sequence[str], found: Container[str]) -> list[str]:
    """Return the entries that do not exist, and name them on standard error."""
    missing = [entry_id for entry_id in ids if entry_id not in found]
    for entry_id in missing:
        say(f"entry {entry_id} does not exist, or was deleted")
    return missing


def _any_failed(entries: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether Kaltura could not import or convert one of the entries."""
    from kaltura_provider.api.enums import EntryStatus, parse_status

    failed = (EntryStatus.ERROR_IMPORTING, EntryStatus.ERROR_CONVERTING)
    return any(parse_status(EntryStatus, entry.get("status")) in failed for entry in entries)
