"""Replacing the content of an entry: a temporary entry takes the new content and is swapped in when it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.errors import KalturaError
from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets import types as asset_types
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.types import DELETED, ERROR_CONVERTING, ERROR_IMPORTING, IMAGE, NO_CONTENT, READY

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record
    from kaltura_sandbox.app import App

__all__ = ["Replacements"]

NONE, APPROVED_BUT_NOT_READY, READY_BUT_NOT_APPROVED, NOT_READY_AND_NOT_APPROVED, FAILED = range(5)

_COPIED = ("width", "height", "duration", "msDuration", "flavorParamsIds")


class Replacements:
    """Starts, approves, cancels and completes replacements."""

    def __init__(self, app: App) -> None:
        self._app = app

    def start(self, call: Call, entry: Record, resource: ObjectValue, profile: int | None) -> Record:
        """``updateContent``: like addContent where there is nothing to replace.

        :raises KalturaError: ``FEATURE_FORBIDDEN``, ``ENTRY_REPLACEMENT_ALREADY_EXISTS`` (which ends the replacement
            in progress, as on the real server), or what the resource raises.
        """
        from kaltura_sandbox.entries import content

        if entry["status"] == NO_CONTENT or entry.get("mediaType") == IMAGE:
            content.give(call, entry, resource)
            return call.tables.entries.get(entry["id"]) or entry
        if not self._app.config.replacement:
            raise KalturaError("FEATURE_FORBIDDEN", "FEATURE_ENTRY_REPLACEMENT")
        if entry.get("replacingEntryId"):
            self.cancel(entry)
            raise KalturaError("ENTRY_REPLACEMENT_ALREADY_EXISTS")
        temporary = self._temporary(entry, profile)
        approval = self._app.config.replacement_approval
        store.change(
            self._app,
            entry["id"],
            replacingEntryId=temporary["id"],
            replacementStatus=NOT_READY_AND_NOT_APPROVED if approval else APPROVED_BUT_NOT_READY,
        )
        try:
            content.give(call, temporary, resource)
        except KalturaError:
            self.cancel(call.tables.entries.get(entry["id"]) or entry)
            raise
        return call.tables.entries.get(entry["id"]) or entry

    def _temporary(self, entry: Record, profile: int | None) -> Record:
        temporary = store.new_entry(self._app, entry["partnerId"], entry["userId"], entry["type"])
        temporary |= {"displayInSearch": -1, "replacedEntryId": entry["id"], "adminTags": ""}
        if entry.get("mediaType") is not None:
            temporary["mediaType"] = entry["mediaType"]
        number = profile or entry.get("conversionProfileId")
        if number:
            temporary |= {"conversionProfileId": number, "conversionQuality": number}
        return store.save(self._app, temporary)

    def approve(self, entry: Record) -> Record:
        """``approveReplace``: now if the new content is ready, else as soon as it is."""
        status = entry.get("replacementStatus", NONE)
        if not entry.get("replacingEntryId") or status == FAILED:
            raise KalturaError("ENTRY_ID_NOT_REPLACED", entry["id"])
        if status == READY_BUT_NOT_APPROVED:
            self._swap(entry, self._app.tables.entries.get(entry["replacingEntryId"]))
        elif status == NOT_READY_AND_NOT_APPROVED:
            store.change(self._app, entry["id"], replacementStatus=APPROVED_BUT_NOT_READY)
        return self._app.tables.entries.get(entry["id"]) or entry

    def cancel(self, entry: Record) -> Record:
        """``cancelReplace``: the temporary entry goes, the entry stays as it is."""
        if entry.get("replacingEntryId"):
            self._app.remove_entry(entry["replacingEntryId"])
        return store.change(self._app, entry["id"], replacingEntryId=None, replacementStatus=NONE) or entry

    def entry_moved(self, entry_id: str) -> None:
        """Note that an entry changed its status: if it replaces another, that one follows."""
        temporary = self._app.tables.entries.get(entry_id)
        if temporary is None or not temporary.get("replacedEntryId") or temporary["status"] == DELETED:
            return
        entry = self._app.tables.entries.get(temporary["replacedEntryId"])
        if entry is None or entry.get("replacingEntryId") != entry_id:
            return
        if temporary["status"] in (ERROR_CONVERTING, ERROR_IMPORTING):
            store.change(self._app, entry["id"], replacementStatus=FAILED)
        elif temporary["status"] == READY and not self._converting(entry_id):
            if entry["replacementStatus"] == APPROVED_BUT_NOT_READY:
                self._swap(entry, temporary)
            elif entry["replacementStatus"] == NOT_READY_AND_NOT_APPROVED:
                store.change(self._app, entry["id"], replacementStatus=READY_BUT_NOT_APPROVED)

    def _converting(self, entry_id: str) -> bool:
        return any(asset["status"] == asset_types.CONVERTING for asset in flavors.flavors_of(self._app, entry_id))

    def _swap(self, entry: Record, temporary: Record | None) -> None:
        """Give the entry the temporary one's flavors; flavors of the same params keep their ids."""
        if temporary is None:
            return
        app = self._app
        with app.database.transaction():
            old = {asset["flavorParamsId"]: asset for asset in flavors.flavors_of(app, entry["id"])}
            for asset in flavors.flavors_of(app, temporary["id"]):
                before = old.pop(asset["flavorParamsId"], None)
                kept = {"id": before["id"], "createdAt": before["createdAt"]} if before else {}
                if before:
                    kept["version"] = asset_types.next_version(before.get("version"))
                    app.tables.assets.delete(asset["id"])
                app.tables.assets.put({**asset, **kept, "entryId": entry["id"]})
            for asset in old.values():
                app.tables.assets.change(asset["id"], status=asset_types.DELETED, deletedAt=app.clock.now())
            store.change(app, temporary["id"], status=DELETED)
            store.change(
                app,
                entry["id"],
                status=READY,
                replacingEntryId=None,
                replacementStatus=NONE,
                **{name: temporary[name] for name in _COPIED if name in temporary},
            )
