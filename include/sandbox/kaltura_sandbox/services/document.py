"""The ``document_documents`` service and its old, narrower name ``document``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import PAGER
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import FILE, INT, STRING, ObjectValue, Upload
from kaltura_sandbox.entries import content, ingest, lookup, replacement, replacing, store
from kaltura_sandbox.entries.query import DOCUMENT_FILTER
from kaltura_sandbox.entries.removal import remove_entry
from kaltura_sandbox.entries.resources import RESOURCE, URL_RESOURCE
from kaltura_sandbox.entries.types import DOCUMENT_ENTRY, Kind
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.ids import new_secret

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = ["document", "documents"]

documents = Service("document_documents")
document = Service("document")


@documents.action("addFromUploadedFile", param("documentEntry", DOCUMENT_ENTRY), param("uploadTokenId", STRING))
def add_from_uploaded_file(call: Call, value: ObjectValue, token_id: str) -> Record:
    """Make a document from a full token."""
    return store.show(call, ingest.add_from_token(call, value, token_id, Kind.DOCUMENT))


@documents.action("addFromUrl", param("documentEntry", DOCUMENT_ENTRY), param("url", STRING))
def add_from_url(call: Call, value: ObjectValue, url: str) -> Record:
    """Make a document and fetch its content from a URL."""
    entry = ingest.add_entry(call, value, Kind.DOCUMENT)
    content.start_import(call.account, entry, ObjectValue(URL_RESOURCE, {"url": url}))
    return store.show(call, call.tables.entries.get(entry["id"]) or entry)


@documents.action("addContent", param("entryId", STRING), param("resource", RESOURCE), owner="entryId")
def add_content(call: Call, entry_id: str, resource: ObjectValue) -> Record:
    """Give a document its content."""
    entry = store.find(call, entry_id, Kind.DOCUMENT)
    return store.show(call, content.add_content(call, entry, resource))


@documents.action(
    "updateContent",
    param("entryId", STRING),
    param("resource", RESOURCE),
    param("conversionProfileId", INT, None),
    owner="entryId",
)
def update_content(call: Call, entry_id: str, resource: ObjectValue, profile: int | None) -> Record:
    """Replace a document's content."""
    entry = store.find(call, entry_id, Kind.DOCUMENT)
    return store.show(call, replacement.start(call, entry, resource, profile))


@documents.action("approveReplace", param("entryId", STRING), owner="entryId")
def approve_replace(call: Call, entry_id: str) -> Record:
    """Approve a replacement in progress."""
    return store.show(call, replacing.approve(call.account, store.find(call, entry_id, Kind.DOCUMENT)))


@documents.action("cancelReplace", param("entryId", STRING), owner="entryId")
def cancel_replace(call: Call, entry_id: str) -> Record:
    """Cancel a replacement in progress."""
    return store.show(call, replacing.cancel(call.account, store.find(call, entry_id, Kind.DOCUMENT)))


@documents.action("get", param("entryId", STRING), param("version", INT, -1), level=Level.NONE)
def get(call: Call, entry_id: str, version: int) -> Record:
    """One document."""
    return store.show(call, lookup.readable(call, entry_id, Kind.DOCUMENT))


@documents.action("update", param("entryId", STRING), param("documentEntry", DOCUMENT_ENTRY), owner="entryId")
def update(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Change the properties sent."""
    entry = store.find(call, entry_id, Kind.DOCUMENT)
    return store.show(call, ingest.update_entry(call, entry, value))


@documents.action("delete", param("entryId", STRING), owner="entryId")
def delete(call: Call, entry_id: str) -> None:
    """Delete a document."""
    remove_entry(call.account, store.find(call, entry_id, Kind.DOCUMENT)["id"])


@documents.action("list", param("filter", DOCUMENT_FILTER, None), param("pager", PAGER, None), level=Level.WIDGET)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Documents."""
    return lookup.list_entries(call, value, pager, "KalturaDocumentListResponse", Kind.DOCUMENT)


@documents.action("upload", param("fileData", FILE))
def upload(call: Call, file: Any) -> str:
    """Upload the old way, without a token; the reply names the temporary file."""
    if not isinstance(file, Upload) or not file.name:
        raise KalturaError("UPLOAD_ERROR")
    return f"{call.partner_id}{new_secret()}_{file.name}"


for _name in ("addFromUploadedFile", "get", "update", "delete", "list", "upload"):
    document.alias(_name, documents.actions[_name.lower()])


@document.action("addContent", param("entryId", STRING), param("resource", RESOURCE))
def add_content_forbidden(call: Call, entry_id: str, resource: ObjectValue) -> Record:
    """Refused: the permissions of the old service do not cover it."""
    raise KalturaError("SERVICE_FORBIDDEN", "document->addContent")
