"""Flavor assets: the source and the renditions, and how each changes its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.assets import types as asset_types
from kaltura_sandbox.assets.params import FLAVOR_PARAMS
from kaltura_sandbox.assets.types import CONVERTING, IMPORTING, NOT_APPLICABLE, QUEUED, new_asset, next_version

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = [
    "MediaInfo", "flavors_of", "is_ready", "new_rendition", "new_source", "plan", "source_of", "store_file",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What analysis found in a file; bit rate in kbit/s, duration in milliseconds."""

    duration: int = 0
    width: int = 0
    height: int = 0
    bitrate: int = 0
    frame_rate: float = 0
    container: str = "isom"
    video_codec: str = "avc1"
    has_audio: bool = False
    audio_codec: str = ""

    def properties(self) -> Record:
        """Return the properties a flavor asset gets from it."""
        return {
            "width": self.width,
            "height": self.height,
            "bitrate": self.bitrate,
            "frameRate": self.frame_rate,
            "containerFormat": self.container,
            "videoCodecId": self.video_codec,
        }


# How far above its source's bit rate a rendition may go.
_HEADROOM = 1.123
_FORCED = "container warnings: 2114#Force Commandline.\n"
_TOO_FAST = (
    "video warnings: 2107,{0},{1}#The target flavor bitrate ({0}) does not comply with the requested bitrate ({1}).; "
    "2106,#Redundant bitrate.\n"
)
_SAME_AUDIO = "audio warnings: 2106,#Redundant bitrate.\n"

_NOTHING_KNOWN: dict[str, Any] = {"width": 0, "height": 0, "bitrate": 0, "frameRate": 0, "isDefault": False}


def flavors_of(account: Account, entry_id: str) -> list[Record]:
    """All flavor assets of an entry that are not deleted."""
    return account.tables.assets.find("entry = ? AND kind = 'flavor' AND status != 3", (entry_id,))


def source_of(account: Account, entry_id: str) -> Record | None:
    """Return the source flavor of an entry."""
    return account.tables.assets.first("entry = ? AND kind = 'flavor' AND params = 0 AND status != 3", (entry_id,))


def new_source(account: Account, entry: Record, *, waiting: bool) -> Record:
    """Create an entry's source flavor, or reuse the existing one. ``waiting`` means that its upload is not complete."""
    status = IMPORTING if waiting else QUEUED
    found = source_of(account, entry["id"])
    if found is not None:
        return account.tables.assets.put({**found, "status": status})
    return new_asset(
        account,
        entry,
        "flavor",
        **_NOTHING_KNOWN,
        version="2",
        tags="source",
        description="",
        flavorParamsId=0,
        isOriginal=True,
        isWeb=False,
        status=status,
        _fresh=True,
    )


def store_file(account: Account, asset: Record, path: Path, extension: str, *, count_size: bool) -> Record:
    """Make a file the content of an asset.

    ``size`` stays 0 until analysis for files that did not come through ``addContent``; until then it counts bytes.
    """
    length = path.stat().st_size
    fresh = asset.pop("_fresh", False) and asset["status"] == QUEUED
    version = asset["version"] if fresh else next_version(asset.get("version"))
    kept = account.files.keep(path, asset["id"], version, extension)
    return account.tables.assets.put(
        {
            **asset,
            "version": version,
            "fileExt": extension,
            "size": length if count_size else 0,
            "sizeInBytes": length,
            "updatedAt": account.clock.now(),
            "_path": str(kept),
        }
    )


def new_rendition(
    account: Account, entry: Record, params_id: int, *, applicable: bool = True, warning: str = ""
) -> Record:
    """Make the flavor asset of one flavor params; one that is not applicable stays without file."""
    params = FLAVOR_PARAMS[params_id]
    return new_asset(
        account,
        entry,
        "flavor",
        **_NOTHING_KNOWN,
        version="0",
        tags=params["tags"],
        fileExt=params["format"],
        description=warning,
        flavorParamsId=params_id,
        isOriginal=False,
        isWeb=True,
        status=CONVERTING if applicable else NOT_APPLICABLE,
    )


def plan(params_ids: list[int], info: MediaInfo | None, maximum: int) -> dict[int, tuple[bool, str]]:
    """Decide which flavor params are converted, and the warnings of each asset.

    A flavor is skipped if a smaller one already reaches the source's bit rate. ``maximum`` limits how many are made.
    """
    planned: dict[int, tuple[bool, str]] = {}
    audio: set[int] = set()
    reached = 0
    for number in params_ids:
        params = FLAVOR_PARAMS[number]
        warning = "" if info else _FORCED
        made = not reached and sum(made for made, _ in planned.values()) < maximum
        if not made:
            limit = reached or int((info.bitrate if info else 0) * _HEADROOM)
            warning += _TOO_FAST.format(limit, params["videoBitrate"])
        if params["audioBitrate"] in audio:
            warning += _SAME_AUDIO
        audio.add(params["audioBitrate"])
        planned[number] = (made, warning)
        if info and info.bitrate and not reached and params["videoBitrate"] >= info.bitrate:
            reached = int(info.bitrate * _HEADROOM)
    return planned


def is_ready(asset: Record) -> bool:
    """Whether a flavor can be served."""
    return bool(asset["status"] == asset_types.READY)
