"""Caption assets: text with times, in one language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.types import (
    BOOL,
    FLOAT,
    INT,
    STRING,
    Access,
    EnumType,
    ObjectType,
    StringEnumType,
    prop,
)  # fmt: skip
from kaltura_sandbox.assets.types import ASSET, ASSET_FILTER
from kaltura_sandbox.errors import declare
from kaltura_sandbox.sidecars.content import AssetKind, AssetShelf
from kaltura_sandbox.sidecars.languages import LANGUAGES

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["CAPTION", "CAPTION_FILTER", "EXTENSIONS", "make_default", "shelf"]

declare("CAPTION_ASSET_ID_NOT_FOUND", 'Caption asset id "@ID@" not found')
declare("CAPTION_ASSET_IS_NOT_READY", "The caption asset is not ready")
declare("CAPTION_ASSET_IS_DEFAULT", "The caption asset is the default one and cannot be deleted")
declare("CAPTION_ASSET_ALREADY_EXISTS", 'Caption asset id "@ASSET_ID@" already use caption params id "@PARAMS_ID@"')

_INSERT = Access.INSERT_ONLY

CAPTION = ObjectType(
    "KalturaCaptionAsset",
    prop("captionParamsId", INT, _INSERT),
    prop("language", StringEnumType("KalturaLanguage", LANGUAGES)),
    prop("languageCode", STRING, Access.READ_ONLY),
    prop("isDefault", BOOL),
    prop("label"),
    prop("format", StringEnumType("KalturaCaptionType", range(1, 6)), _INSERT),
    prop("source", EnumType("KalturaCaptionSource", range(10))),
    prop("status", EnumType("KalturaCaptionAssetStatus", [-1, 0, 2, 3, 7, 9]), Access.READ_ONLY),
    prop("parentId", STRING, _INSERT),
    prop("accuracy", FLOAT),
    prop("displayOnPlayer", BOOL),
    prop("associatedTranscriptIds"),
    prop("usage", EnumType("KalturaCaptionAssetUsage", range(3))),
    base=ASSET,
)
CAPTION_FILTER = ObjectType(
    "KalturaCaptionAssetFilter",
    prop("captionParamsIdEqual", INT),
    prop("captionParamsIdIn"),
    prop("formatEqual"),
    prop("formatIn"),
    prop("languageEqual"),
    prop("languageIn"),
    prop("labelEqual"),
    prop("labelIn"),
    prop("usageEqual", INT),
    base=ASSET_FILTER,
)

# What plain text becomes, by the caption's format.
EXTENSIONS = {"1": "srt", "2": "dfxp", "3": "vtt", "4": "cap", "5": "scc"}

shelf = AssetShelf(
    AssetKind(
        name="caption",
        type=CAPTION,
        token_type="CaptionAsset",  # noqa: S106 - the name of a kind of object
        not_found="CAPTION_ASSET_ID_NOT_FOUND",
        not_ready="CAPTION_ASSET_IS_NOT_READY",
        list_type="KalturaCaptionAssetListResponse",
        service="caption_captionAsset",
        id_name="captionAssetId",
    )
)


def make_default(account: Account, asset: Record) -> None:
    """Make a caption the default one of its entry."""
    with account.database.transaction():
        for other in account.tables.assets.find("entry = ? AND kind = 'caption' AND status != 3", (asset["entryId"],)):
            if other["id"] == asset["id"] or other.get("isDefault"):
                account.tables.assets.change(other["id"], isDefault=other["id"] == asset["id"])
