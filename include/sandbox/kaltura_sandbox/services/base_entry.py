"""The ``baseEntry`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import ANY, INT, STRING, ArrayOf, ObjectType, prop
from kaltura_sandbox.entries import clone as cloning
from kaltura_sandbox.entries import content, ingest, lookup, replacement, store
from kaltura_sandbox.entries.query import ENTRY_FILTER
from kaltura_sandbox.entries.removal import remove_entry
from kaltura_sandbox.entries.resources import RESOURCE
from kaltura_sandbox.entries.types import BASE_ENTRY, ENTRY_TYPE, READY
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.store.query import Query
from kaltura_sandbox.store.search import reference_key

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["base_entry"]

base_entry = Service("baseEntry")

MODERATION_FLAG = ObjectType(
    "KalturaModerationFlag",
    prop("flaggedEntryId"),
    prop("flaggedUserId"),
    prop("flagType", ANY),
    prop("comments"),
    prop("moderationObjectType", ANY),
)


@base_entry.action("add", param("entry", BASE_ENTRY), param("type", ENTRY_TYPE, -1))
def add(call: Call, value: ObjectValue, kind: int) -> Record:
    """Make an entry without content."""
    return store.show(call, ingest.add_entry(call, value, kind))


@base_entry.action("addContent", param("entryId", STRING), param("resource", RESOURCE), owner="entryId")
def add_content(call: Call, entry_id: str, resource: ObjectValue) -> Record:
    """Give an entry its content."""
    entry = store.find(call, entry_id)
    return store.show(call, content.add_content(call, entry, resource))


@base_entry.action(
    "addFromUploadedFile",
    param("entry", BASE_ENTRY),
    param("uploadTokenId", STRING),
    param("type", ENTRY_TYPE, -1),
)
def add_from_uploaded_file(call: Call, value: ObjectValue, token_id: str, kind: int) -> Record:
    """Make an entry from a full token; the top-level ``type`` says what it becomes."""
    return store.show(call, ingest.add_from_token(call, value, token_id, kind))


@base_entry.action("get", param("entryId", STRING), param("version", INT, -1), level=Level.NONE)
def get(call: Call, entry_id: str, version: int) -> Record:
    """One entry of any type."""
    return store.show(call, lookup.readable(call, entry_id))


@base_entry.action("getByIds", param("entryIds", STRING), level=Level.WIDGET)
def get_by_ids(call: Call, entry_ids: str) -> list[Record]:
    """Entries by id, in any status but deleted; unknown ones are absent."""
    found = {}
    for entry_id in split(entry_ids):
        entry = call.tables.entries.get(entry_id)
        if entry is not None and entry["status"] != 3 and lookup.entitled(call, entry):
            found[entry["id"]] = entry
    return [store.show(call, entry) for entry in found.values()]


@base_entry.action("list", param("filter", ENTRY_FILTER, None), param("pager", PAGER, None), level=Level.WIDGET)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Entries of any type."""
    return lookup.list_entries(call, value, pager, "KalturaBaseEntryListResponse")


@base_entry.action("count", param("filter", ENTRY_FILTER, None), level=Level.WIDGET)
def count(call: Call, value: ObjectValue | None) -> int:
    """How many entries match."""
    return lookup.count_entries(call, value)


@base_entry.action("listByReferenceId", param("refId", STRING), param("pager", PAGER, None), level=Level.WIDGET)
def list_by_reference_id(call: Call, reference: str, pager: ObjectValue | None) -> Record:
    """Entries of a reference id in every status but deleted; recycled and system ones are hidden."""
    if not reference:
        raise KalturaError("MISSING_MANDATORY_PARAMETER", "refId")
    query = Query()
    query.add("reference = ?", reference_key(reference))
    query.add("status != '3' AND display NOT IN (-2, -1)")
    limit, offset = page(pager)
    total, found = (0, []) if lookup.entitlement_enforced(call) else call.account.search.search(query, limit, offset)
    return list_reply("KalturaBaseEntryListResponse", total, [store.show(call, entry) for entry in found])


@base_entry.action("update", param("entryId", STRING), param("baseEntry", BASE_ENTRY), owner="entryId")
def update(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Change the properties sent; the reply has the type that was sent."""
    entry = ingest.update_entry(call, store.find(call, entry_id), value)
    as_type = value.type if value.type is BASE_ENTRY else None
    return store.show(call, entry, as_type)


@base_entry.action(
    "updateContent",
    param("entryId", STRING),
    param("resource", RESOURCE),
    param("conversionProfileId", INT, None),
    param("advancedOptions", ANY, None),
    owner="entryId",
)
def update_content(call: Call, entry_id: str, resource: ObjectValue, profile: int | None, options: Any) -> Record:
    """Replace an entry's content."""
    entry = store.find(call, entry_id)
    return store.show(call, replacement.start(call, entry, resource, profile))


@base_entry.action("delete", param("entryId", STRING), owner="entryId")
def delete(call: Call, entry_id: str) -> None:
    """Delete an entry."""
    remove_entry(call.account, store.find(call, entry_id)["id"])


@base_entry.action("recycle", param("entryId", STRING), owner="entryId")
def recycle(call: Call, entry_id: str) -> None:
    """Put an entry into the recycle bin: it keeps its status and is hidden from lists."""
    entry = _with_bin(call, entry_id)
    if entry["status"] != READY or entry["displayInSearch"] == -2:
        raise KalturaError("INVALID_ENTRY_STATUS_FOR_RECYCLE", entry["status"])
    store.change(call.account, entry_id, displayInSearch=-2, _before_recycling=entry["displayInSearch"])


@base_entry.action("restoreRecycled", param("entryId", STRING), owner="entryId")
def restore_recycled(call: Call, entry_id: str) -> None:
    """Take an entry out of the recycle bin."""
    entry = _with_bin(call, entry_id)
    if entry["displayInSearch"] != -2:
        raise KalturaError("INVALID_ENTRY_STATUS_FOR_RESTORE", entry["status"])
    store.change(call.account, entry_id, displayInSearch=entry.get("_before_recycling", 1))


def _with_bin(call: Call, entry_id: str) -> Record:
    if not call.account.config.recycle_bin:
        raise KalturaError("FEATURE_RECYCLE_BIN_DISABLED")
    return store.find(call, entry_id)


@base_entry.action("clone", param("entryId", STRING), param("cloneOptions", ArrayOf(ANY), None), owner="entryId")
def clone(call: Call, entry_id: str, options: list[Any] | None) -> Record:
    """Copy an entry with its content."""
    return store.show(call, cloning.clone(call, store.find(call, entry_id)))


@base_entry.action("approve", param("entryId", STRING), level=Level.ADMIN)
def approve(call: Call, entry_id: str) -> None:
    """Approve an entry, whatever its status."""
    store.change(call.account, store.find(call, entry_id)["id"], moderationStatus=2)


@base_entry.action("reject", param("entryId", STRING), level=Level.ADMIN)
def reject(call: Call, entry_id: str) -> None:
    """Reject an entry, whatever its status."""
    store.change(call.account, store.find(call, entry_id)["id"], moderationStatus=3)


@base_entry.action("flag", param("moderationFlag", MODERATION_FLAG))
def flag(call: Call, value: ObjectValue) -> None:
    """Flag an entry for moderation; only playable ones can be."""
    value.require("flaggedEntryId")
    entry = store.find(call, value.get("flaggedEntryId"))
    if entry["status"] not in (2, 5, 6):
        raise KalturaError("ENTRY_CANNOT_BE_FLAGGED")
    number = call.account.database.next_number("flag")
    call.tables.moderation_flags.put({"id": number, "userId": call.user_id, **value.values})
    store.change(call.account, entry["id"], moderationStatus=5, moderationCount=entry["moderationCount"] + 1)


@base_entry.action("getRemotePaths", param("entryId", STRING), level=Level.ADMIN)
def get_remote_paths(call: Call, entry_id: str) -> Record:
    """Where remote storages hold the entry."""
    held = store.find(call, entry_id).get("_remote")
    paths = [{"objectType": "KalturaRemotePath", **held}] if held else []
    return list_reply("KalturaRemotePathListResponse", len(paths), paths)
