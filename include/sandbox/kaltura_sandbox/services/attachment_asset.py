"""attachment_attachmentAsset: files that belong to an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import PAGER
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, STRING
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.resources import RESOURCE
from kaltura_sandbox.sidecars.attachments import ATTACHMENT, ATTACHMENT_FILTER, shelf

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call, FileReply
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["service"]

service = Service("attachment_attachmentAsset")


@service.action("add", param("entryId", STRING), param("attachmentAsset", ATTACHMENT), owner="entryId")
def add(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Make an attachment without file."""
    return shelf.show(shelf.add(call, store.find(call, entry_id), value), fresh=True)


@service.action("setContent", param("id", STRING), param("contentResource", RESOURCE))
def set_content(call: Call, asset_id: str, resource: ObjectValue) -> Record:
    """Give an attachment its file."""
    return shelf.show(shelf.set_content(call, shelf.find(call, asset_id), resource))


@service.action("get", param("attachmentAssetId", STRING))
def get(call: Call, asset_id: str) -> Record:
    """One attachment."""
    return shelf.show(shelf.find(call, asset_id))


@service.action("list", param("filter", ATTACHMENT_FILTER, None), param("pager", PAGER, None))
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the attachments of entries."""
    return shelf.list(call, wanted, pager)


@service.action("update", param("id", STRING), param("attachmentAsset", ATTACHMENT))
def update(call: Call, asset_id: str, value: ObjectValue) -> Record:
    """Change an attachment's properties."""
    return shelf.update(call, asset_id, value)


@service.action("delete", param("attachmentAssetId", STRING))
def delete(call: Call, asset_id: str) -> None:
    """Delete an attachment."""
    shelf.delete(call, asset_id)


@service.action("getUrl", param("id", STRING), param("storageId", INT, None))
def get_url(call: Call, asset_id: str, _storage: int | None) -> str:
    """Return the URL of an attachment's file."""
    return shelf.url(call, asset_id)


@service.action("serve", param("attachmentAssetId", STRING), level=Level.NONE, returns_file=True)
def serve(call: Call, asset_id: str) -> FileReply:
    """Return an attachment's file."""
    return shelf.serve(call, asset_id)
