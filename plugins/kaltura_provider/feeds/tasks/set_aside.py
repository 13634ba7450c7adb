"""Items of a feed that keep failing: after several failed runs they are set aside until somebody redrives them.

Only failures count that are about the item and that no retry can help. The counts are one record in Airflow's state
store of the feed's asset. Two runs that end in the same moment can lose a count; the next run counts again.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.fields.addresses import comparable_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.feeds.schema import Feed
    from kaltura_provider.feeds.sources import Found, FoundItem
    from kaltura_provider.feeds.state.watermark import StateStore

__all__ = ["FailureCounts", "redrive", "set_aside"]

_KEY = "item_failures"
# Airflow advises against values of more than 64 KiB.
_MAX_ITEMS = 150
_MAX_TEXT = 160


class FailureCounts:
    """How often the items of a feed have failed in a row."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the records by a digest of the item's address.

        Each has ``uri``, ``count``, ``reason``, ``at``, and ``run`` and ``contents`` of the last failure.
        """
        return dict(self._store.get(_KEY) or {})

    def count(
        self, failed: Iterable[Mapping[str, Any]], ingested: Iterable[str], now: dt.datetime, run: str = ""
    ) -> None:
        """Count the failures of a run once, however often this is called for it, and forget items that were ingested.

        :param failed: items with ``uri`` and ``reason``, and ``contents`` of
            :class:`~kaltura_provider.feeds.sources.found.FoundItem`.
        :param ingested: addresses.
        :param run: what tells the run from others.
        """
        before = self.read()
        records = dict(before)
        for uri in ingested:
            records.pop(_digest(uri), None)
        for item in failed:
            key = _digest(item["uri"])
            last = records.pop(key, {})
            again = bool(run) and last.get("run") == run
            count = int(last.get("count", 0)) + (0 if again else 1)
            reason = printable(str(item["reason"]), _MAX_TEXT)
            records[key] = {
                "uri": _shown(item["uri"]), "count": count, "reason": reason, "at": now.isoformat(timespec="seconds"),
                "run": run, "contents": item.get("contents") or "",
            }  # fmt: skip
        if records != before:
            self._store.set(_KEY, dict(list(records.items())[-_MAX_ITEMS:]))


def set_aside(found: Found, records: Mapping[str, Mapping[str, Any]], max_failures: int) -> None:
    """Let items wait that have failed too often. An item is tried again once one of its files has changed.

    :param max_failures: after how many failures; 0 sets nothing aside.
    """
    from kaltura_provider.hooks.sealing import seal_address

    for number, item in enumerate(found.items):
        record = records.get(_digest(item.uri))
        if not record or not max_failures or record["count"] < max_failures or _has_changed(item, record):
            continue
        text = f"set aside (failures: {record['count']}), the last time because: {record['reason']}"
        found.items[number] = replace(item, waiting=f"is {text}; bring it back with: kaltura redrive", error="")
        found.set_aside.append({"uri": seal_address(item.uri), "reason": text})


def _has_changed(item: FoundItem, record: Mapping[str, Any]) -> bool:
    """Tell whether an item has other files than when it failed; by their dates if the source lists no ETags."""
    if record.get("contents") and item.contents:
        return bool(record["contents"] != item.contents)
    newest = item.newest or item.last_modified
    # Both are whole seconds.
    return newest is not None and newest >= dt.datetime.fromisoformat(record["at"])


def redrive(feed: Feed, key: str | None = None) -> list[str]:
    """Bring back the items of a feed that were set aside or have failed: the next run tries them again.

    Needs Airflow's database, so it runs where Airflow's command line does.

    :param key: the address of one item, or the end of it; all items without it.
    :return: the addresses of the items.
    """
    from airflow.models.asset import AssetModel
    from airflow.state import AssetScope, get_state_backend
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id).where(AssetModel.uri == feed.asset_uri))
    if asset_id is None:
        return []
    scope, backend = AssetScope(asset_id), get_state_backend()
    records: dict[str, dict[str, Any]] = json.loads(backend.get(scope, _KEY) or "{}")
    chosen = {name: record for name, record in records.items() if key is None or record["uri"].endswith(key)}
    if chosen:
        kept = {name: record for name, record in records.items() if name not in chosen}
        backend.set(scope, _KEY, json.dumps(kept))
    return [str(record["uri"]) for record in chosen.values()]


def _digest(uri: str) -> str:
    return blake2b(comparable_address(uri).encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _shown(uri: str) -> str:
    from kaltura_provider.upload.sources.address import shown_address

    return printable(shown_address(uri))
