"""Attachment assets: any file that belongs to an entry."""

from __future__ import annotations

from kaltura_sandbox.api.types import Access, EnumType, ObjectType, StringEnumType, prop
from kaltura_sandbox.assets.types import ASSET, ASSET_FILTER
from kaltura_sandbox.errors import declare
from kaltura_sandbox.sidecars.content import AssetKind, AssetShelf

__all__ = ["ATTACHMENT", "ATTACHMENT_FILTER", "shelf"]

declare("ATTACHMENT_ASSET_ID_NOT_FOUND", 'Attachment asset id "@ASSET_ID@" not found')
declare("ATTACHMENT_ASSET_IS_NOT_READY", 'Attachment asset id "@ASSET_ID@" is not ready')
declare("ATTACHMENT_ASSET_DOWNLOAD_FAILED", 'Failed to download the attachment from "@URL@"')

STATUS = EnumType("KalturaAttachmentAssetStatus", [-1, 0, 2, 3, 7, 9])

ATTACHMENT = ObjectType(
    "KalturaAttachmentAsset",
    prop("filename"),
    prop("title"),
    prop("format", StringEnumType("KalturaAttachmentType", range(1, 6))),
    prop("status", STATUS, Access.READ_ONLY),
    base=ASSET,
)

ATTACHMENT_FILTER = ObjectType(
    "KalturaAttachmentAssetFilter",
    prop("formatEqual"),
    prop("formatIn"),
    base=ASSET_FILTER,
)

shelf = AssetShelf(
    AssetKind(
        name="attachment",
        type=ATTACHMENT,
        token_type="AttachmentAsset",  # noqa: S106 - the name of a kind of object
        not_found="ATTACHMENT_ASSET_ID_NOT_FOUND",
        not_ready="ATTACHMENT_ASSET_IS_NOT_READY",
        download_failed="ATTACHMENT_ASSET_DOWNLOAD_FAILED",
        list_type="KalturaAttachmentAssetListResponse",
        service="attachment_attachmentAsset",
        id_name="attachmentAssetId",
    )
)
