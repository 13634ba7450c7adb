"""The ``media`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import PAGER
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import ANY, FILE, INT, STRING, ObjectValue, Upload
from kaltura_sandbox.entries import content, ingest, lookup, replacement, replacing, store
from kaltura_sandbox.entries.query import MEDIA_FILTER
from kaltura_sandbox.entries.removal import remove_entry
from kaltura_sandbox.entries.resources import RESOURCE, URL_RESOURCE
from kaltura_sandbox.entries.types import MEDIA_ENTRY, Kind
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.ids import new_secret
from kaltura_sandbox.services.base_entry import base_entry

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = ["media"]

media = Service("media")

_PLAYABLE = (Kind.MEDIA, Kind.LIVE, Kind.LIVE_CHANNEL)


@media.action("add", param("entry", MEDIA_ENTRY))
def add(call: Call, value: ObjectValue) -> Record:
    """Make a media entry without content."""
    return store.show(call, ingest.add_entry(call, value))


@media.action("addContent", param("entryId", STRING), param("resource", RESOURCE, None), owner="entryId")
def add_content(call: Call, entry_id: str, resource: ObjectValue | None) -> Record:
    """Give a media entry its content; without resource nothing happens."""
    entry = store.find(call, entry_id, Kind.MEDIA)
    if resource is None:
        return store.show(call, entry)
    return store.show(call, content.add_content(call, entry, resource))


@media.action(
    "updateContent",
    param("entryId", STRING),
    param("resource", RESOURCE),
    param("conversionProfileId", INT, None),
    param("advancedOptions", ANY, None),
    owner="entryId",
)
def update_content(call: Call, entry_id: str, resource: ObjectValue, profile: int | None, options: Any) -> Record:
    """Replace a media entry's content."""
    entry = store.find(call, entry_id, Kind.MEDIA)
    return store.show(call, replacement.start(call, entry, resource, profile))


@media.action("approveReplace", param("entryId", STRING), owner="entryId")
def approve_replace(call: Call, entry_id: str) -> Record:
    """Approve a replacement in progress."""
    entry = store.find(call, entry_id, Kind.MEDIA)
    return store.show(call, replacing.approve(call.account, entry))


@media.action("cancelReplace", param("entryId", STRING), owner="entryId")
def cancel_replace(call: Call, entry_id: str) -> Record:
    """Cancel a replacement in progress."""
    entry = store.find(call, entry_id, Kind.MEDIA)
    return store.show(call, replacing.cancel(call.account, entry))


@media.action("addFromUploadedFile", param("mediaEntry", MEDIA_ENTRY), param("uploadTokenId", STRING))
def add_from_uploaded_file(call: Call, value: ObjectValue, token_id: str) -> Record:
    """Make a media entry from a full token."""
    return store.show(call, ingest.add_from_token(call, value, token_id))


@media.action("addFromUrl", param("mediaEntry", MEDIA_ENTRY), param("url", STRING))
def add_from_url(call: Call, value: ObjectValue, url: str) -> Record:
    """Make a media entry and fetch its content from a URL."""
    entry = ingest.add_entry(call, value)
    content.start_import(call.account, entry, ObjectValue(URL_RESOURCE, {"url": url}))
    return store.show(call, call.tables.entries.get(entry["id"]) or entry)


@media.action("upload", param("fileData", FILE))
def upload(call: Call, file: Any) -> str:
    """Upload the old way, without a token; the reply names the temporary file."""
    if not isinstance(file, Upload) or not file.name:
        raise KalturaError("UPLOAD_ERROR")
    return f"{call.partner_id}{new_secret()}_{file.name}"


@media.action("get", param("entryId", STRING), param("version", INT, -1), level=Level.NONE)
def get(call: Call, entry_id: str, version: int) -> Record:
    """One media entry."""
    return store.show(call, lookup.readable(call, entry_id, *_PLAYABLE))


@media.action("list", param("filter", MEDIA_FILTER, None), param("pager", PAGER, None), level=Level.WIDGET)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Media entries, live ones too."""
    return lookup.list_entries(call, value, pager, "KalturaMediaListResponse", *_PLAYABLE)


@media.action("count", param("filter", MEDIA_FILTER, None), level=Level.WIDGET)
def count(call: Call, value: ObjectValue | None) -> int:
    """How many media entries match, live ones left out."""
    return lookup.count_entries(call, value, Kind.MEDIA)


@media.action("update", param("entryId", STRING), param("mediaEntry", MEDIA_ENTRY), owner="entryId")
def update(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Change the properties sent."""
    entry = store.find(call, entry_id, *_PLAYABLE)
    return store.show(call, ingest.update_entry(call, entry, value))


@media.action("delete", param("entryId", STRING), owner="entryId")
def delete(call: Call, entry_id: str) -> None:
    """Delete a media entry."""
    remove_entry(call.account, store.find(call, entry_id, *_PLAYABLE)["id"])


for _name in ("approve", "reject", "flag"):
    media.alias(_name, base_entry.actions[_name])
