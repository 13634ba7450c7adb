"""The usual way to wait, for comparison: every trigger polls for its own entry, with its own calls."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from kaltura_provider.api.async_client import AsyncKalturaClient
from kaltura_provider.hooks.kaltura import KalturaHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["PollAloneTrigger"]

_clients: dict[str, AsyncKalturaClient] = {}


class PollAloneTrigger(BaseTrigger):
    """Ask ``baseEntry.get`` for one entry, at the same intervals by age as the shared poll."""

    def __init__(self, *, kaltura_conn_id: str, entry_id: str, intervals: list[list[float]], since: float) -> None:
        super().__init__()
        self.kaltura_conn_id = kaltura_conn_id
        self.entry_id = entry_id
        self.intervals = intervals
        self.since = since

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "waiting_alone.PollAloneTrigger", {
            "kaltura_conn_id": self.kaltura_conn_id,
            "entry_id": self.entry_id,
            "intervals": self.intervals,
            "since": self.since,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        client = await _client(self.kaltura_conn_id)
        while (await client.call("baseEntry", "get", {"entryId": self.entry_id}))["status"] != 2:
            age = time.time() - self.since
            await asyncio.sleep(next(wait for start, wait in reversed(self.intervals) if start <= age))
        yield TriggerEvent({"outcome": "done", "ready": {self.entry_id: 2}, "failed": {}, "waiting": {}})


async def _client(conn_id: str) -> AsyncKalturaClient:
    """One client for all, which is kinder than usual: a thousand clients of their own stall the triggerer."""
    if conn_id not in _clients:
        _clients[conn_id] = await KalturaHook(conn_id).aget_conn()
    return _clients[conn_id]
