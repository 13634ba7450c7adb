"""The serve actions of data and document entries: their file as it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.call import FileReply
from kaltura_sandbox.api.registry import Level, param
from kaltura_sandbox.api.types import BOOL, INT, STRING
from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.types import alive
from kaltura_sandbox.delivery.files import content_type
from kaltura_sandbox.entries import lookup
from kaltura_sandbox.entries.types import Kind
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.server.message import Response
from kaltura_sandbox.services.data import data
from kaltura_sandbox.services.document import document, documents

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call

__all__ = ["serve_data", "serve_document"]


@data.action(
    "serve",
    param("entryId", STRING),
    param("version", INT, -1),
    param("forceProxy", BOOL, False),
    level=Level.NONE,
    returns_file=True,
)
def serve_data(call: Call, entry_id: str, _version: int, _proxy: bool) -> FileReply:
    """Return the payload of a data entry."""
    entry = lookup.readable(call, entry_id, Kind.DATA)
    if entry.get("_path"):
        return _file(entry["_path"])
    return FileReply(Response(200, {"Content-Type": "text/plain"}, (entry.get("dataContent") or "").encode()))


_SERVE_DOCUMENT = (param("entryId", STRING), param("flavorAssetId", STRING, None), param("forceProxy", BOOL, False))


@documents.action("serve", *_SERVE_DOCUMENT, level=Level.NONE, returns_file=True)
@document.action("serve", *_SERVE_DOCUMENT, level=Level.NONE, returns_file=True)
def serve_document(call: Call, entry_id: str, asset_id: str | None, _proxy: bool) -> FileReply:
    """Return the file of a document, or of one of its flavors."""
    entry = lookup.readable(call, entry_id, Kind.DOCUMENT)
    asset = alive(call.account, asset_id, "flavor") if asset_id else flavors.source_of(call.account, entry["id"])
    if asset is None or asset["entryId"] != entry["id"]:
        raise KalturaError("FLAVOR_ASSET_ID_NOT_FOUND", asset_id or "")
    if not asset.get("_path"):
        raise KalturaError("FLAVOR_ASSET_IS_NOT_READY")
    return _file(asset["_path"])


def _file(path: str) -> FileReply:
    found = Path(path)
    if not found.is_file():
        raise KalturaError("FILE_DOESNT_EXIST")
    return FileReply(Response(200, {"Content-Type": content_type(found.suffix[1:])}, file=found))
