"""Thumbnail assets: pictures of an entry, one of them its default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import split
from kaltura_sandbox.api.types import INT, Access, EnumType, ObjectType, prop
from kaltura_sandbox.assets.types import ASSET, ASSET_FILTER
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.picture import picture_size
from kaltura_sandbox.entries.types import NO_CONTENT
from kaltura_sandbox.errors import declare
from kaltura_sandbox.sidecars.content import AssetKind, AssetShelf

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["DEFAULT_TAG", "THUMB", "THUMB_FILTER", "make_default", "shelf", "thumbs_of"]

declare("THUMB_ASSET_ID_NOT_FOUND", 'The Thumbnail asset id "@ID@" not found')
declare("THUMB_ASSET_IS_NOT_READY", "The thumbnail asset is not ready")
declare("THUMB_ASSET_DOWNLOAD_FAILED", 'Failed to download the thumbnail from "@URL_PATH@"')
declare("THUMB_ASSET_IS_DEFAULT", 'The thumbnail asset "@ASSET@" is the default one and cannot be deleted')
declare("THUMB_ASSET_ALREADY_EXISTS", 'Thumbnail asset id "@ASSET_ID@" already use thumbnail params id "@PARAMS_ID@"')

DEFAULT_TAG = "default_thumb"

THUMB = ObjectType(
    "KalturaThumbAsset",
    prop("thumbParamsId", INT, Access.INSERT_ONLY),
    prop("width", INT, Access.READ_ONLY),
    prop("height", INT, Access.READ_ONLY),
    prop("status", EnumType("KalturaThumbAssetStatus", [-1, 0, 1, 2, 3, 7, 9]), Access.READ_ONLY),
    base=ASSET,
)
THUMB_FILTER = ObjectType(
    "KalturaThumbAssetFilter", prop("thumbParamsIdEqual", INT), prop("thumbParamsIdIn"), base=ASSET_FILTER
)


def thumbs_of(account: Account, entry_id: str) -> list[Record]:
    """Return the thumbnails of an entry that are not deleted, oldest first."""
    return account.tables.assets.find(
        "entry = ? AND kind = 'thumb' AND status != 3", (entry_id,), order="json_extract(data, '$.createdAt'), id"
    )


def make_default(account: Account, asset: Record) -> Record:
    """Make a thumbnail the one its entry is shown with; the entry's ``thumbnailUrl`` gets a new version."""
    with account.database.transaction():
        for other in thumbs_of(account, asset["entryId"]):
            tags = [tag for tag in split(other["tags"]) if tag != DEFAULT_TAG]
            if other["id"] == asset["id"]:
                tags.append(DEFAULT_TAG)
            if tags != split(other["tags"]):
                account.tables.assets.change(other["id"], tags=",".join(tags))
        entry = account.tables.entries.get(asset["entryId"])
        if entry is not None:
            store.change(account, entry["id"], _thumb_version=store.next_content_version(entry.get("_thumb_version")))
        return account.tables.assets.get(asset["id"]) or asset


def _arrived(account: Account, asset: Record) -> Record:
    """Return the size of a new picture; the first one of an entry without content becomes its default."""
    found = picture_size(Path(asset["_path"]))
    size = {"width": found[0], "height": found[1]} if found else {}
    entry = account.tables.entries.get(asset["entryId"]) or {}
    first = entry.get("status") == NO_CONTENT and not _has_default(account, asset["entryId"])
    if first or DEFAULT_TAG in split(asset["tags"]):
        account.tables.assets.put({**asset, **size})
        return {**size, "tags": make_default(account, asset)["tags"]}
    return size


def _has_default(account: Account, entry_id: str) -> bool:
    return any(DEFAULT_TAG in split(thumb["tags"]) for thumb in thumbs_of(account, entry_id))


shelf = AssetShelf(
    AssetKind(
        name="thumb",
        type=THUMB,
        token_type="thumbAsset",  # noqa: S106 - the name of a kind of object
        not_found="THUMB_ASSET_ID_NOT_FOUND",
        not_ready="THUMB_ASSET_IS_NOT_READY",
        download_failed="THUMB_ASSET_DOWNLOAD_FAILED",
        list_type="KalturaThumbAssetListResponse",
        service="thumbAsset",
        id_name="thumbAssetId",
    ),
    _arrived,
)
