"""The ``data`` service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import PAGER
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, STRING
from kaltura_sandbox.entries import content, ingest, lookup, store
from kaltura_sandbox.entries.query import DATA_FILTER
from kaltura_sandbox.entries.removal import remove_entry
from kaltura_sandbox.entries.resources import RESOURCE
from kaltura_sandbox.entries.types import DATA_ENTRY, READY, Kind
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads.sniff import mime_type

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["data"]

data = Service("data")


def _shown(call: Call, entry: Record) -> Record:
    if entry.get("retrieveDataContentByGet") in (0, False):
        entry = {**entry, "dataContent": ""}
    return store.show(call, entry)


def _store_text(call: Call, entry: Record, text: str) -> Record:
    """Keep the payload as the entry's file too, which ``raw`` serves."""
    version = store.next_content_version(entry.get("version"))
    path = call.account.files.temporary_path()
    path.write_text(text, encoding="utf-8")
    kept = call.account.files.keep(path, entry["id"], version, "txt")
    changed = store.change(call.account, entry["id"], status=READY, dataContent=text, version=version, _path=str(kept))
    return changed or entry


@data.action("add", param("dataEntry", DATA_ENTRY))
def add(call: Call, value: ObjectValue) -> Record:
    """Make a data entry; it is READY at once."""
    entry = ingest.add_entry(call, value, Kind.DATA)
    entry = store.save(call.account, {"retrieveDataContentByGet": 1, **entry, "status": READY})
    text = value.get("dataContent")
    return store.show(call, entry if text is None else _store_text(call, entry, text))


@data.action("get", param("entryId", STRING), param("version", INT, -1), level=Level.NONE)
def get(call: Call, entry_id: str, version: int) -> Record:
    """One data entry with its payload."""
    return _shown(call, lookup.readable(call, entry_id, Kind.DATA))


@data.action("update", param("entryId", STRING), param("documentEntry", DATA_ENTRY), owner="entryId")
def update(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Change the properties sent."""
    entry = ingest.update_entry(call, store.find(call, entry_id, Kind.DATA), value)
    text = value.get("dataContent")
    return _shown(call, entry if text is None else _store_text(call, entry, text))


@data.action("delete", param("entryId", STRING), owner="entryId")
def delete(call: Call, entry_id: str) -> None:
    """Delete a data entry."""
    remove_entry(call.account, store.find(call, entry_id, Kind.DATA)["id"])


@data.action("list", param("filter", DATA_FILTER, None), param("pager", PAGER, None), level=Level.WIDGET)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return data entries."""
    return lookup.list_entries(call, value, pager, "KalturaDataListResponse", Kind.DATA)


@data.action("addContent", param("entryId", STRING), param("resource", RESOURCE), owner="entryId")
def add_content(call: Call, entry_id: str, resource: ObjectValue) -> Record:
    """Make a text file the payload of a data entry."""
    entry = store.find(call, entry_id)
    if entry["type"] != Kind.DATA:
        raise KalturaError("INVALID_ENTRY_TYPE", entry["name"], entry["type"], Kind.DATA)
    content.give(call, entry, resource)
    entry = call.tables.entries.get(entry_id) or entry
    path = Path(entry.get("_path") or "/nonexistent")
    if path.exists():
        head = path.read_bytes()
        kind = mime_type(head[:4096])
        if not kind.startswith("text/") and kind not in ("application/xml", "application/json"):
            raise KalturaError("FILE_TYPE_NOT_SUPPORTED", kind)
        text = head.decode("utf-8", "ignore")
        entry = store.change(call.account, entry_id, dataContent=text, status=READY) or entry
    return store.show(call, entry)
