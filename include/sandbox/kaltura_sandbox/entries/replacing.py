"""A replacement on its way: approved, cancelled, and swapped in when the temporary entry is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets import types as asset_types
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.removal import remove_entry
from kaltura_sandbox.entries.types import DELETED, ERROR_CONVERTING, ERROR_IMPORTING, READY
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["approve", "cancel", "entry_moved"]

NONE, APPROVED_BUT_NOT_READY, READY_BUT_NOT_APPROVED, NOT_READY_AND_NOT_APPROVED, FAILED = range(5)

_COPIED = ("width", "height", "duration", "msDuration", "flavorParamsIds")


def approve(account: Account, entry: Record) -> Record:
    """``approveReplace``: now if the new content is ready, else as soon as it is."""
    status = entry.get("replacementStatus", NONE)
    if not entry.get("replacingEntryId") or status == FAILED:
        raise KalturaError("ENTRY_ID_NOT_REPLACED", entry["id"])
    if status == READY_BUT_NOT_APPROVED:
        _swap(account, entry, account.tables.entries.get(entry["replacingEntryId"]))
    elif status == NOT_READY_AND_NOT_APPROVED:
        store.change(account, entry["id"], replacementStatus=APPROVED_BUT_NOT_READY)
    return account.tables.entries.get(entry["id"]) or entry


def cancel(account: Account, entry: Record) -> Record:
    """``cancelReplace``: the temporary entry goes, the entry stays as it is."""
    if entry.get("replacingEntryId"):
        remove_entry(account, entry["replacingEntryId"])
    return store.change(account, entry["id"], replacingEntryId=None, replacementStatus=NONE) or entry


def entry_moved(account: Account, entry_id: str) -> None:
    """Note that an entry changed its status: if it replaces another, that one follows."""
    temporary = account.tables.entries.get(entry_id)
    if temporary is None or not temporary.get("replacedEntryId") or temporary["status"] == DELETED:
        return
    entry = account.tables.entries.get(temporary["replacedEntryId"])
    if entry is None or entry.get("replacingEntryId") != entry_id:
        return
    if temporary["status"] in (ERROR_CONVERTING, ERROR_IMPORTING):
        store.change(account, entry["id"], replacementStatus=FAILED)
    elif temporary["status"] == READY and not _converting(account, entry_id):
        if entry["replacementStatus"] == APPROVED_BUT_NOT_READY:
            _swap(account, entry, temporary)
        elif entry["replacementStatus"] == NOT_READY_AND_NOT_APPROVED:
            store.change(account, entry["id"], replacementStatus=READY_BUT_NOT_APPROVED)


def _converting(account: Account, entry_id: str) -> bool:
    return any(asset["status"] == asset_types.CONVERTING for asset in flavors.flavors_of(account, entry_id))


def _swap(account: Account, entry: Record, temporary: Record | None) -> None:
    """Give the entry the temporary one's flavors; flavors of the same params keep their ids."""
    if temporary is None:
        return
    with account.database.transaction():
        old = {asset["flavorParamsId"]: asset for asset in flavors.flavors_of(account, entry["id"])}
        for asset in flavors.flavors_of(account, temporary["id"]):
            before = old.pop(asset["flavorParamsId"], None)
            kept = {"id": before["id"], "createdAt": before["createdAt"]} if before else {}
            if before:
                kept["version"] = asset_types.next_version(before.get("version"))
                account.tables.assets.delete(asset["id"])
            account.tables.assets.put({**asset, **kept, "entryId": entry["id"]})
        for asset in old.values():
            account.tables.assets.change(asset["id"], status=asset_types.DELETED, deletedAt=account.clock.now())
        store.change(account, temporary["id"], status=DELETED)
        store.change(
            account,
            entry["id"],
            status=READY,
            replacingEntryId=None,
            replacementStatus=NONE,
            **{name: temporary[name] for name in _COPIED if name in temporary},
        )
