"""Starting the replacement of an entry's content: a temporary entry takes the new content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.entries import content, replacing, store
from kaltura_sandbox.entries.replacing import APPROVED_BUT_NOT_READY, NOT_READY_AND_NOT_APPROVED
from kaltura_sandbox.entries.types import IMAGE, NO_CONTENT
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["start"]


def start(call: Call, entry: Record, resource: ObjectValue, profile: int | None) -> Record:
    """``updateContent``: like addContent where there is nothing to replace.

    :raises KalturaError: ``FEATURE_FORBIDDEN``, ``ENTRY_REPLACEMENT_ALREADY_EXISTS`` (which ends the replacement
        in progress, as on the real server), or what the resource raises.
    """
    if entry["status"] == NO_CONTENT or entry.get("mediaType") == IMAGE:
        content.give(call, entry, resource)
        return call.tables.entries.get(entry["id"]) or entry
    if not call.account.config.replacement:
        raise KalturaError("FEATURE_FORBIDDEN", "FEATURE_ENTRY_REPLACEMENT")
    if entry.get("replacingEntryId"):
        replacing.cancel(call.account, entry)
        raise KalturaError("ENTRY_REPLACEMENT_ALREADY_EXISTS")
    temporary = _temporary(call.account, entry, profile)
    approval = call.account.config.replacement_approval
    store.change(
        call.account,
        entry["id"],
        replacingEntryId=temporary["id"],
        replacementStatus=NOT_READY_AND_NOT_APPROVED if approval else APPROVED_BUT_NOT_READY,
    )
    try:
        content.give(call, temporary, resource)
    except KalturaError:
        replacing.cancel(call.account, call.tables.entries.get(entry["id"]) or entry)
        raise
    return call.tables.entries.get(entry["id"]) or entry


def _temporary(account: Account, entry: Record, profile: int | None) -> Record:
    temporary = store.new_entry(account, entry["partnerId"], entry["userId"], entry["type"])
    temporary |= {"displayInSearch": -1, "replacedEntryId": entry["id"], "adminTags": ""}
    if entry.get("mediaType") is not None:
        temporary["mediaType"] = entry["mediaType"]
    number = profile or entry.get("conversionProfileId")
    if number:
        temporary |= {"conversionProfileId": number, "conversionQuality": number}
    return store.save(account, temporary)
