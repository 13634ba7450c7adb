"""Deleting entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.types import DELETED

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account

__all__ = ["remove_entry"]


def remove_entry(account: Account, entry_id: str) -> None:
    """Delete an entry: its jobs are aborted, its assets deleted with it."""
    with account.database.transaction():
        account.jobs.abort(entry_id)
        now = account.clock.now()
        for asset in account.tables.assets.find("entry = ? AND status != 3", (entry_id,)):
            account.tables.assets.change(asset["id"], status=3, deletedAt=now)
        store.change(account, entry_id, status=DELETED, moderationStatus=4)
