"""Thumbnails made by Kaltura of a moment of an entry's video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.entry_assets import THUMBNAIL, list_assets

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["generate_thumbnail"]

_CROP = 1


def generate_thumbnail(
    client: KalturaClient, entry_id: str, second: Any, *, width: int | None = None, height: int | None = None
) -> dict[str, Any]:
    """Make a thumbnail of a moment of an entry's video, once for each moment and size, and return it.

    :param second: whole seconds from the start, as Kaltura takes them.
    :param width: pixels, as ``height``; with one of them the proportions are kept.
    :raises KalturaConfigurationError: the moment is no number of seconds, or beyond the end of the video.
    :raises KalturaError: the entry has no video that is READY, or Kaltura cannot be asked.
    """
    try:
        offset = int(float(second))
    except (TypeError, ValueError, OverflowError):
        offset = -1
    if offset < 0 or float(second) != offset:
        raise KalturaConfigurationError("second", second, "is no moment", "give whole seconds from 0 on")
    mark = f"second={offset};{width or ''}x{height or ''}"
    for asset in list_assets(client, THUMBNAIL, [entry_id]):
        if asset.get("partnerData") == mark:
            return asset
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    duration = float(entry.get("duration") or 0)
    if duration and offset > duration:
        raise KalturaConfigurationError("second", offset, "is beyond the end", f"the video has {duration:g} seconds")
    params = {
        "objectType": "KalturaThumbParams", "videoOffset": offset, "width": width, "height": height, "cropType": _CROP
    }  # fmt: skip
    made = client.call("thumbAsset", "generate", {"entryId": entry_id, "thumbParams": params})
    said = {"objectType": "KalturaThumbAsset", "partnerData": mark}
    client.call("thumbAsset", "update", {"id": made["id"], "thumbAsset": said}, repeatable=True)
    return next(asset for asset in list_assets(client, THUMBNAIL, [entry_id]) if asset["id"] == made["id"])
