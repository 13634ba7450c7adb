"""Copying an entry with its assets and their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.entries import content, store
from kaltura_sandbox.ids import new_object_id

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = ["clone"]


def clone(call: Call, entry: Record) -> Record:
    """Store a copy of an entry; files are copied too, so that neither depends on the other."""
    account, now = call.account, call.account.clock.now()
    with account.database.transaction():
        copied = {**entry, "id": new_object_id(), "createdAt": now, "updatedAt": now, "userId": call.user_id}
        copied["rootEntryId"] = entry["rootEntryId"]
        for name in ("replacingEntryId", "replacedEntryId", "categories", "categoriesIds"):
            copied.pop(name, None)
        copied |= {"replacementStatus": 0, "categories": "", "categoriesIds": ""}
        if entry.get("_path"):
            copied["_path"] = _copy_file(call, entry["_path"], copied["id"], str(entry.get("version")))
        for asset in account.tables.assets.find("entry = ? AND status != 3", (entry["id"],)):
            twin = {**asset, "id": new_object_id(), "entryId": copied["id"], "createdAt": now, "updatedAt": now}
            if asset.get("_path"):
                twin["_path"] = _copy_file(call, asset["_path"], twin["id"], str(asset["version"]))
            account.tables.assets.put(twin)
        return store.save(account, copied)


def _copy_file(call: Call, path: str, object_id: str, version: str) -> str:
    file = content.copy_of(call.account, Path(path), Path(path).suffix[1:])
    return str(call.account.files.keep(file.path, object_id, version, file.extension))
