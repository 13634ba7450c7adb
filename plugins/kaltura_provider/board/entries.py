"""The entries that runs wait for, as Kaltura shows them: one call per connection and interval, whoever looks."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.retry import NO_RETRY
from kaltura_provider.board.records import INTERVAL
from kaltura_provider.hooks.kaltura import KalturaHook
from kaltura_provider.services.paging import PAGE_SIZE
from kaltura_provider.waiting.snapshot import ENTRY_FIELDS, EntrySnapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ENTRIES", "Entries", "Seen"]

_FIELDS: Final = f"{ENTRY_FIELDS},name"
_PATIENCE: Final = 4.0
"""Seconds to wait for Kaltura: a page must not hang because Kaltura does."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one connection shows: entries by id, and the problem if Kaltura could not be asked."""

    entries: Mapping[str, EntrySnapshot] = field(default_factory=dict)
    problem: str = ""


class Entries:
    """Reads entries, and remembers them for a few seconds. Safe to use from several threads."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self.interval = interval
        self._hooks: dict[str, tuple[float, KalturaHook]] = {}
        self._seen: dict[str, tuple[float, frozenset[str], Seen]] = {}
        self._lock = threading.Lock()

    def look(self, conn_id: str, entry_ids: Iterable[str]) -> Seen:
        """Return the entries with these ids, at most 500 of them.

        :param conn_id: the Kaltura connection. If it cannot be used, the result says why.
        """
        wanted = frozenset(sorted(set(entry_ids))[:PAGE_SIZE])
        if not wanted:
            return Seen()
        with self._lock:
            at, ids, seen = self._seen.get(conn_id, (0.0, frozenset(), Seen()))
            if wanted <= ids and time.monotonic() < at + self.interval:
                return seen
            try:
                found = Seen(self._read(conn_id, wanted))
            except (KalturaError, ValueError, LookupError) as error:
                found = Seen(seen.entries, str(error))
            except Exception as error:
                # A connection may be broken in ways that depend on Airflow's secrets backend.
                found = Seen(seen.entries, f"The connection {conn_id} cannot be used: {type(error).__name__}")
            self._seen[conn_id] = (time.monotonic(), wanted, found)
            return found

    def forget(self) -> None:
        """Ask Kaltura again with the next request."""
        with self._lock:
            self._seen.clear()

    def _read(self, conn_id: str, wanted: frozenset[str]) -> dict[str, EntrySnapshot]:
        # Unlike a list, getByIds shows entries of every status.
        params = {"entryIds": ",".join(sorted(wanted)), "responseProfile": {"type": 1, "fields": _FIELDS}}
        client = self._hook(conn_id).get_conn()
        found: list[Any] = client.call("baseEntry", "getByIds", params, timeout=_PATIENCE, retry=NO_RETRY)
        return {entry["id"]: EntrySnapshot.of(entry) for entry in found}

    def _hook(self, conn_id: str) -> KalturaHook:
        """Return the hook of a connection; a new one every minute, because connections change."""
        made, hook = self._hooks.get(conn_id, (0.0, None))
        if hook is None or time.monotonic() > made + 60:
            hook = KalturaHook(conn_id)
            self._hooks[conn_id] = (time.monotonic(), hook)
        return hook


ENTRIES: Final = Entries()
"""The entries that this process has read."""
