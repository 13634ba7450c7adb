"""Thumbnail params, as ``thumbAsset.generate`` takes them, and the picture they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.types import INT, STRING, EnumType, ObjectType, prop
from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.types import alive
from kaltura_sandbox.entries.types import ERROR_CONVERTING, PRECONVERT, READY, VIDEO
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.media.ffmpeg import ConversionError
from kaltura_sandbox.sidecars.pictures import RESIZE, Picture, render
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["THUMB_PARAMS", "capture"]

_CONTAINERS = ["jpg", "png", "bmp", "gif"]

_ASSET_PARAMS = ObjectType("KalturaAssetParams", prop("name"), prop("systemName"), prop("description"), prop("tags"))

THUMB_PARAMS = ObjectType(
    "KalturaThumbParams",
    prop("cropType", EnumType("KalturaThumbCropType", range(1, 7))),
    prop("quality", INT),
    prop("cropX", INT),
    prop("cropY", INT),
    prop("cropWidth", INT),
    prop("cropHeight", INT),
    prop("videoOffset", INT),
    prop("videoOffsetInPercentage", INT),
    prop("width", INT),
    prop("height", INT),
    prop("scaleWidth", INT),
    prop("scaleHeight", INT),
    prop("backgroundColor", STRING),
    prop("sourceParamsId", INT),
    prop("format", STRING),
    prop("density", INT),
    prop("stripProfiles", STRING),
    prop("interval", INT),
    base=_ASSET_PARAMS,
)


def capture(call: Call, entry: Record, params: ObjectValue, source_id: str | None) -> File:
    """Render the picture that thumbnail params ask for.

    :raises KalturaError: not a video, not converted far enough, or no usable flavor.
    """
    if entry.get("mediaType") != VIDEO:
        raise KalturaError("ENTRY_MEDIA_TYPE_NOT_SUPPORTED", entry.get("mediaType"))
    if entry["status"] not in (ERROR_CONVERTING, PRECONVERT, READY):
        raise KalturaError("INVALID_ENTRY_STATUS")
    source = _source(call, entry, source_id)
    length = entry.get("msDuration", 0) / 1000
    percent = params.get("videoOffsetInPercentage")
    extension = str(params.get("format", "jpg"))
    picture = Picture(
        second=length * percent / 100 if percent else params.get("videoOffset", 0),
        length=length,
        width=params.get("width", 0),
        height=params.get("height", 0),
        kind=params.get("cropType", RESIZE),
        quality=params.get("quality", 75),
        background=f"{str(params.get('backgroundColor', 'FFFFFF')).removeprefix('0x'):0>6}",
        region=(
            params.get("cropX", 0), params.get("cropY", 0), params.get("cropWidth", 0), params.get("cropHeight", 0)
        ),
        extension=extension if extension in _CONTAINERS else "jpg",
    )  # fmt: skip
    target = call.account.files.temporary_path(f".{picture.extension}")
    try:
        render(source, picture, target, is_video=True)
    except ConversionError as error:
        raise KalturaError("THUMB_ASSET_IS_NOT_READY") from error
    return File(target, picture.extension, target.stat().st_size)


def _source(call: Call, entry: Record, source_id: str | None) -> Path:
    """Return the file to take the picture from: the flavor asked for, else the source, else any that is there."""
    asset = alive(call.account, source_id, "flavor") if source_id else flavors.source_of(call.account, entry["id"])
    if source_id and asset is None:
        raise KalturaError("FLAVOR_ASSET_ID_NOT_FOUND", source_id)
    for flavor in [asset, *flavors.flavors_of(call.account, entry["id"])]:
        if flavor is not None and flavors.is_ready(flavor) and Path(flavor.get("_path", "")).is_file():
            return Path(flavor["_path"])
    raise KalturaError("THUMB_ASSET_IS_NOT_READY")
