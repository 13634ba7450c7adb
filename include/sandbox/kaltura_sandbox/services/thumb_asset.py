"""thumbAsset: pictures of an entry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import PAGER, split
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import FILE, INT, STRING, Upload
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.resources import RESOURCE
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.sidecars.thumb_params import THUMB_PARAMS, capture
from kaltura_sandbox.sidecars.thumbs import DEFAULT_TAG, THUMB, THUMB_FILTER, make_default, shelf, thumbs_of
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call, FileReply
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["service"]

service = Service("thumbAsset")


@service.action("add", param("entryId", STRING), param("thumbAsset", THUMB), owner="entryId")
def add(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Make a thumbnail without picture."""
    return shelf.show(_new(call, entry_id, value), fresh=True)


@service.action("setContent", param("id", STRING), param("contentResource", RESOURCE))
def set_content(call: Call, asset_id: str, resource: ObjectValue) -> Record:
    """Give a thumbnail its picture."""
    return shelf.show(shelf.set_content(call, shelf.find(call, asset_id), resource))


@service.action("addFromImage", param("entryId", STRING), param("fileData", FILE), owner="entryId")
def add_from_image(call: Call, entry_id: str, data: Upload) -> Record:
    """Make a thumbnail of a picture sent along."""
    asset = _new(call, entry_id)
    if not isinstance(data, Upload):
        raise KalturaError("UPLOAD_ERROR")
    file = File(Path(data.path), Path(data.name).suffix[1:].lower() or "jpg", data.size)
    return shelf.show(shelf.fill(call.account, asset, file), fresh=True)


@service.action("addFromUrl", param("entryId", STRING), param("url", STRING), owner="entryId")
def add_from_url(call: Call, entry_id: str, url: str) -> Record:
    """Make a thumbnail of a picture fetched during the call."""
    return shelf.show(shelf.fill_from_url(call, _new(call, entry_id), url, []), fresh=True)


@service.action(
    "generate",
    param("entryId", STRING),
    param("thumbParams", THUMB_PARAMS),
    param("sourceAssetId", STRING, None),
    owner="entryId",
)
def generate(call: Call, entry_id: str, params: ObjectValue, source_id: str | None) -> Record:
    """Make a thumbnail of a moment of a video."""
    entry = store.find(call, entry_id)
    file = capture(call, entry, params, source_id)
    return shelf.show(shelf.fill(call.account, _new(call, entry_id), file))


@service.action("setAsDefault", param("thumbAssetId", STRING))
def set_as_default(call: Call, asset_id: str) -> None:
    """Make a thumbnail its entry's default."""
    make_default(call.account, shelf.find(call, asset_id))


@service.action("get", param("thumbAssetId", STRING))
def get(call: Call, asset_id: str) -> Record:
    """One thumbnail."""
    return shelf.show(shelf.find(call, asset_id))


@service.action("getByEntryId", param("entryId", STRING))
def get_by_entry_id(call: Call, entry_id: str) -> list[Record]:
    """Return the thumbnails of an entry."""
    return [shelf.show(asset) for asset in thumbs_of(call.account, store.find(call, entry_id)["id"])]


@service.action("list", param("filter", THUMB_FILTER, None), param("pager", PAGER, None))
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the thumbnails of entries."""
    return shelf.list(call, wanted, pager)


@service.action("update", param("id", STRING), param("thumbAsset", THUMB))
def update(call: Call, asset_id: str, value: ObjectValue) -> Record:
    """Change a thumbnail's properties."""
    return shelf.update(call, asset_id, value)


@service.action("delete", param("thumbAssetId", STRING))
def delete(call: Call, asset_id: str) -> None:
    """Delete a thumbnail; not the default one."""
    if DEFAULT_TAG in split(shelf.find(call, asset_id)["tags"]):
        raise KalturaError("THUMB_ASSET_IS_DEFAULT", asset_id)
    shelf.delete(call, asset_id)


@service.action("getUrl", param("id", STRING), param("storageId", INT, None), param("thumbParams", THUMB_PARAMS, None))
def get_url(call: Call, asset_id: str, _storage: int | None, _params: ObjectValue | None) -> str:
    """Return the URL of a thumbnail's picture."""
    return shelf.url(call, asset_id)


@service.action("serve", param("thumbAssetId", STRING), level=Level.NONE, returns_file=True)
def serve(call: Call, asset_id: str) -> FileReply:
    """Return a thumbnail's picture."""
    return shelf.serve(call, asset_id)


def _new(call: Call, entry_id: str, value: ObjectValue | None = None) -> Record:
    entry = store.find(call, entry_id)
    return shelf.add(call, entry, value, fileExt="jpg", width=0, height=0)
