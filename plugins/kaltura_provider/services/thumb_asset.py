"""Thumbnail assets (service ``thumbAsset``): the object to add, and thumbnails that Kaltura makes from the video."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.redaction import redact
from kaltura_provider.api.signing import unsigned_query
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.entry_assets import COMMON_FIELDS, AssetKind, list_assets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["THUMBNAIL", "generate_thumbnail", "origin_mark", "thumbnail_object"]

THUMBNAIL = AssetKind(
    "thumbnail",
    "thumbAsset",
    "thumbAsset",
    key=("partnerData",),
    fields=(*COMMON_FIELDS, "width", "height", "partnerData"),
)

_CROP = 1


def thumbnail_object(mark: str, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Return a thumbnail asset to add; ``mark`` identifies its origin, so it is not added twice."""
    return {"objectType": "KalturaThumbAsset", "tags": ",".join(tags) or None, "partnerData": mark}


def origin_mark(origin: str) -> str:
    """Return the mark of a picture: its address, or its upload token.

    The query of a URL counts, except the fields that only sign it.
    """
    if not origin.startswith(("http://", "https://")):
        return redact(origin)
    address, _, query = origin.partition("?")
    kept = sorted(pair for pair in unsigned_query(query).split("&") if pair)
    return redact(address) + (f"?{sha256('&'.join(kept).encode()).hexdigest()[:16]}" if kept else "")


def generate_thumbnail(
    client: KalturaClient, entry_id: str, second: Any, *, width: int | None = None, height: int | None = None
) -> dict[str, Any]:
    """Let Kaltura make a thumbnail from an entry's video, once for each second and size, and return it.

    :param second: whole seconds from the start of the video.
    :param width: pixels. :param height: pixels. If only one of them is given, the proportions are kept.
    :raises KalturaConfigurationError: ``second`` is not a whole number, or beyond the end of the video.
    :raises KalturaError: the entry has no READY video, or Kaltura does not answer.
    """
    try:
        offset = int(float(second))
    except (TypeError, ValueError, OverflowError):
        offset = -1
    if offset < 0 or float(second) != offset:
        raise KalturaConfigurationError("second", second, "is not a time", "give whole seconds, 0 or more")
    mark = f"second={offset};{width or ''}x{height or ''}"
    for asset in list_assets(client, THUMBNAIL, [entry_id]):
        if asset.get("partnerData") == mark:
            return asset
    duration = Entry.of(client.call("baseEntry", "get", {"entryId": entry_id})).duration
    if duration and offset > duration:
        raise KalturaConfigurationError("second", offset, "is beyond the end", f"the video has {duration:g} seconds")
    params = {
        "objectType": "KalturaThumbParams", "videoOffset": offset, "width": width, "height": height, "cropType": _CROP
    }  # fmt: skip
    made = client.call("thumbAsset", "generate", {"entryId": entry_id, "thumbParams": params})
    marked = {"objectType": "KalturaThumbAsset", "partnerData": mark}
    client.call("thumbAsset", "update", {"id": made["id"], "thumbAsset": marked}, repeatable=True)
    return next(asset for asset in list_assets(client, THUMBNAIL, [entry_id]) if asset["id"] == made["id"])
