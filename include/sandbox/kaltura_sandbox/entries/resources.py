"""The resource types content can come in, and those of them that are a file at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.types import ANY, BOOL, FILE, INT, ArrayOf, ObjectType, Upload, prop
from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.types import alive
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue

__all__ = [
    "CONTAINER", "CONTAINERS", "REMOTE_RESOURCE", "RESOURCE", "STRING_RESOURCE", "TOKEN_RESOURCE", "URL_RESOURCE",
    "local_file",
]  # fmt: skip

RESOURCE = ObjectType("KalturaResource", abstract=True)
CONTENT_RESOURCE = ObjectType("KalturaContentResource", base=RESOURCE, abstract=True)
DATA_CENTER_RESOURCE = ObjectType("KalturaDataCenterContentResource", base=CONTENT_RESOURCE, abstract=True)

STRING_VALUE = ObjectType("KalturaStringValue", prop("value"), prop("description"))

TOKEN_RESOURCE = ObjectType("KalturaUploadedFileTokenResource", prop("token"), base=DATA_CENTER_RESOURCE)
URL_RESOURCE = ObjectType(
    "KalturaUrlResource",
    prop("url"),
    prop("forceAsyncDownload", BOOL),
    prop("urlHeaders", ArrayOf(STRING_VALUE)),
    prop("shouldRedirect", BOOL),
    base=CONTENT_RESOURCE,
)
REMOTE_RESOURCE = ObjectType("KalturaRemoteStorageResource", prop("storageProfileId", INT), base=URL_RESOURCE)
STRING_RESOURCE = ObjectType("KalturaStringResource", prop("content"), base=CONTENT_RESOURCE)
ENTRY_RESOURCE = ObjectType("KalturaEntryResource", prop("entryId"), prop("flavorParamsId", INT), base=CONTENT_RESOURCE)
ASSET_RESOURCE = ObjectType("KalturaAssetResource", prop("assetId"), base=CONTENT_RESOURCE)
FILE_RESOURCE = ObjectType("KalturaUploadedFileResource", prop("fileData", FILE), base=DATA_CENTER_RESOURCE)
CONTAINER = ObjectType(
    "KalturaAssetParamsResourceContainer", prop("resource", RESOURCE), prop("assetParamsId", INT), base=RESOURCE
)
CONTAINERS = ObjectType("KalturaAssetsParamsResourceContainers", prop("resources", ArrayOf(CONTAINER)), base=RESOURCE)
# Known by name, to distinguish them from a missing resource, but not accepted.
for _name in (
    "KalturaSshUrlResource",
    "KalturaRemoteStorageResources",
    "KalturaOperationResource",
    "KalturaServerFileResource",
    "KalturaFileSyncResource",
    "KalturaWebcamTokenResource",
):
    ObjectType(_name, prop("url"), prop("resource", ANY), prop("resources", ANY), base=CONTENT_RESOURCE)


def local_file(call: Call, resource: ObjectValue) -> File | None:
    """Return the file of a resource whose bytes the sandbox holds already; None for any other resource.

    :raises KalturaError: what the resource names does not exist or is not ready.
    """
    name = resource.type.name
    if name == FILE_RESOURCE.name:
        upload = resource.get("fileData")
        if not isinstance(upload, Upload):
            raise KalturaError("UPLOAD_ERROR")
        return File(Path(upload.path), Path(upload.name).suffix[1:].lower() or "noex", upload.size)
    if name == STRING_RESOURCE.name:
        path = call.account.files.temporary_path()
        path.write_text(resource.get("content", ""), encoding="utf-8")
        return File(path, "txt", path.stat().st_size)
    if name == ENTRY_RESOURCE.name:
        return _of_entry(call, resource.get("entryId", ""), resource.get("flavorParamsId", 0))
    if name == ASSET_RESOURCE.name:
        asset = alive(call.account, resource.get("assetId", ""), "flavor")
        if asset is None:
            raise KalturaError("FLAVOR_ASSET_ID_NOT_FOUND", resource.get("assetId", ""))
        return _copy(call, asset.get("_path"), asset.get("fileExt") or "noex")
    return None


def _of_entry(call: Call, entry_id: str, params_id: int) -> File:
    entry = call.tables.entries.get(entry_id)
    if entry is None or entry["status"] == 3:
        raise KalturaError("ENTRY_ID_NOT_FOUND", entry_id)
    if entry.get("_path"):
        return _copy(call, entry["_path"], Path(entry["_path"]).suffix[1:])
    for asset in flavors.flavors_of(call.account, entry_id):
        if asset["flavorParamsId"] == params_id:
            return _copy(call, asset.get("_path"), asset.get("fileExt") or "noex")
    raise KalturaError("ORIGINAL_FLAVOR_ASSET_IS_MISSING")


def _copy(call: Call, path: str | None, extension: str) -> File:
    if not path or not Path(path).exists():
        raise KalturaError("FILE_DOESNT_EXIST")
    target = call.account.files.temporary_path()
    shutil.copyfile(path, target)
    return File(target, extension, target.stat().st_size)
