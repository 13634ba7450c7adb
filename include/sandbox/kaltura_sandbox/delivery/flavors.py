"""Which flavors of an entry a delivery URL means: by id, by flavor params, by tags, by bit rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import split
from kaltura_sandbox.assets import flavors
from kaltura_sandbox.delivery.errors import DeliveryError

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.delivery.paths import DeliveryPath

__all__ = ["TAGS", "best", "choose", "playable"]

# Tags to try per format, the first that some flavor has.
TAGS = {
    "applehttp": ("applembr", "ipadnew", "iphonenew", "ipad", "iphone"),
    "mpegdash": ("dash", "ipadnew", "iphonenew", "ipad", "iphone"),
    "": ("mbr", "web"),
}


def playable(account: Account, entry_id: str) -> list[Record]:
    """Return the flavors of an entry that are ready and there, lowest bit rate first."""
    found = [
        flavor
        for flavor in flavors.flavors_of(account, entry_id)
        if flavors.is_ready(flavor) and Path(flavor.get("_path", "")).is_file()
    ]
    return sorted(found, key=lambda flavor: (flavor.get("bitrate", 0), flavor["id"]))


def choose(account: Account, entry: Record, path: DeliveryPath, kind: str) -> list[Record]:
    """Return the flavors a manifest offers.

    :raises DeliveryError: 19 or 49 for a bad bit rate, 6 when no flavor is left.
    """
    found = _within(playable(account, entry["id"]), path)
    for names, key in ((("flavorIds", "flavorId"), "id"), (("flavorParamIds", "flavorParamId"), "flavorParamsId")):
        wanted = split(",".join(path.params[name] for name in names if name in path.params))
        if wanted:
            found = [flavor for flavor in found if str(flavor[key]) in wanted]
            break
    else:
        found = _tagged(found, split(path.params.get("tags", "")) or TAGS.get(kind, TAGS[""]))
    if not found:
        raise DeliveryError(6)
    return found


def best(found: list[Record], path: DeliveryPath) -> Record:
    """Return the one flavor of a progressive URL: nearest to ``preferredBitrate``, else the highest bit rate."""
    preferred = path.number("preferredBitrate")
    if preferred > 0:
        return min(found, key=lambda flavor: abs(flavor.get("bitrate", 0) - preferred))
    return found[-1]


def _within(found: list[Record], path: DeliveryPath) -> list[Record]:
    for name, number in (("maxBitrate", 19), ("minBitrate", 49)):
        if name in path.params:
            limit = path.number(name)
            if limit <= 0:
                raise DeliveryError(number)
            high = name == "maxBitrate"
            found = [flavor for flavor in found if (flavor.get("bitrate", 0) <= limit) is high]
    return found


def _tagged(found: list[Record], tags: list[str] | tuple[str, ...]) -> list[Record]:
    for tag in tags:
        if matching := [flavor for flavor in found if tag in split(flavor["tags"])]:
            return matching
    return []
