"""The asset types that flavors, thumbnails, captions and attachments build on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.types import (
    BOOL,
    FLOAT,
    INT,
    STRING,
    TIME,
    Access,
    EnumType,
    ObjectType,
    Scalar,
    prop,
)  # fmt: skip
from kaltura_sandbox.ids import new_object_id
from kaltura_sandbox.wire import php

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = [
    "ASSET", "ASSET_FILTER", "CONVERTING", "DELETED", "ERROR", "FLAVOR_ASSET", "FLAVOR_ASSET_FILTER", "IMPORTING",
    "NOT_APPLICABLE", "QUEUED", "READY", "WAIT_FOR_CONVERT", "alive", "new_asset", "next_version",
]  # fmt: skip

ERROR, QUEUED, CONVERTING, READY, DELETED, NOT_APPLICABLE, TEMP, WAIT_FOR_CONVERT, IMPORTING = range(-1, 8)

_RO, _INSERT = Access.READ_ONLY, Access.INSERT_ONLY
_STATUS = EnumType("KalturaFlavorAssetStatus", [*range(-1, 10), "virusScan.Infected", "virusScan.ScanFailure"])

# A number that reads as text once there is a file, and as a plain 0 before.
_FILE_SIZE = Scalar(php.to_int, lambda value: php.to_str(value) if value else 0)

ASSET = ObjectType(
    "KalturaAsset",
    prop("id", STRING, _RO),
    prop("entryId", STRING, _RO),
    prop("partnerId", INT, _RO),
    prop("version", STRING, _RO),
    prop("size", INT, _RO),
    prop("tags"),
    prop("fileExt", STRING, _INSERT),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("deletedAt", TIME, _RO),
    prop("description", STRING, _RO),
    prop("partnerData"),
    prop("partnerDescription"),
    prop("actualSourceAssetParamsIds"),
    prop("sizeInBytes", _FILE_SIZE, _RO),
)

FLAVOR_ASSET = ObjectType(
    "KalturaFlavorAsset",
    prop("flavorParamsId", INT, _INSERT),
    prop("width", INT, _RO),
    prop("height", INT, _RO),
    prop("bitrate", INT, _RO),
    prop("frameRate", FLOAT, _RO),
    prop("isOriginal", BOOL, _RO),
    prop("isWeb", BOOL, _RO),
    prop("containerFormat", STRING, _RO),
    prop("videoCodecId", STRING, _RO),
    prop("status", _STATUS, _RO),
    prop("language"),
    prop("label"),
    prop("isDefault", BOOL, _RO),
    base=ASSET,
)

ASSET_FILTER = ObjectType(
    "KalturaAssetFilter",
    prop("idEqual"),
    prop("idIn"),
    prop("entryIdEqual"),
    prop("entryIdIn"),
    prop("sizeGreaterThanOrEqual", INT),
    prop("sizeLessThanOrEqual", INT),
    prop("tagsLike"),
    prop("createdAtGreaterThanOrEqual", TIME),
    prop("createdAtLessThanOrEqual", TIME),
    prop("updatedAtGreaterThanOrEqual", TIME),
    prop("updatedAtLessThanOrEqual", TIME),
    prop("statusEqual", INT),
    prop("statusIn"),
    prop("statusNotIn"),
    prop("orderBy"),
)
FLAVOR_ASSET_FILTER = ObjectType(
    "KalturaFlavorAssetFilter",
    prop("flavorParamsIdEqual", INT),
    prop("flavorParamsIdIn"),
    base=ASSET_FILTER,
)


def new_asset(account: Account, entry: Record, kind: str, **properties: Any) -> Record:
    """Store a new asset; ``kind`` is flavor, thumb, caption or attachment."""
    now = account.clock.now()
    return account.tables.assets.put(
        {
            "id": new_object_id(),
            "_kind": kind,
            "entryId": entry["id"],
            "partnerId": entry["partnerId"],
            "size": 0,
            "tags": "",
            "createdAt": now,
            "updatedAt": now,
            "sizeInBytes": 0,
            "status": QUEUED,
        }
        | properties
    )


def next_version(version: str | None) -> str:
    """Return the version of an asset after the next change of its file: 2, 12, 22 and so on."""
    return str(int(version or 0) // 10 * 10 + 12) if version and version != "0" else "2"


def alive(account: Account, asset_id: str, kind: str) -> Record | None:
    """Return an asset of this kind that is not deleted, of an entry that is not deleted."""
    asset = account.tables.assets.get(asset_id)
    if asset is None or asset["_kind"] != kind or asset["status"] == DELETED:
        return None
    entry = account.tables.entries.get(asset["entryId"])
    return asset if entry is not None and entry["status"] != 3 else None
