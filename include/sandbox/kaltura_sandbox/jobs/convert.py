"""The conversion job: analyse the source, convert it with ffmpeg, take a thumbnail."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.types import CONVERTING, READY, new_asset
from kaltura_sandbox.entries import flow, store
from kaltura_sandbox.jobs.handlers import handler
from kaltura_sandbox.media import ffmpeg
from kaltura_sandbox.media.ffmpeg import ConversionError

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.assets.flavors import MediaInfo

__all__ = ["convert_entry", "convert_flavor"]

_NO_MEDIA = "source warnings: 1104,#Source file is not a media file.\n"


@handler("convert")
def convert_entry(account: Account, job: Record) -> None:
    """Convert the source of an entry into the flavors of its profile."""
    entry, source = account.tables.entries.get(job["entryId"]), flavors.source_of(account, job["entryId"])
    if entry is None or source is None or not source.get("_path") or entry["status"] == 3:
        return
    if account.config.conversion_delay:
        time.sleep(account.config.conversion_delay)
    if account.faults.take(["virus"]):
        store.change(account, entry["id"], status="virusScan.Infected")
        account.tables.assets.change(source["id"], status="virusScan.Infected")
        return
    info = ffmpeg.probe(Path(source["_path"]))
    if info is None:
        flow.conversion_failed(account, entry["id"], _NO_MEDIA)
        return
    renditions = flow.analysed(account, entry["id"], info)
    if account.faults.take(["conversion_failure"]):
        flow.conversion_failed(account, entry["id"], "conversion failed\n")
        return
    _convert(account, entry, Path(source["_path"]), info, renditions)


def _convert(account: Account, entry: Record, source: Path, info: MediaInfo, renditions: list[Record]) -> None:
    targets = {asset["flavorParamsId"]: account.files.temporary_path(".mp4") for asset in renditions}
    picture = account.files.temporary_path(".jpg")
    try:
        ffmpeg.convert(source, info, targets, picture)
        if picture.exists():
            _set_thumbnail(account, entry, picture, info)
        for asset in renditions:
            _finish(account, asset, info, targets[asset["flavorParamsId"]])
    except ConversionError as error:
        if account.jobs.stopping:
            raise
        flow.conversion_failed(account, entry["id"], f"{error}\n")
    finally:
        for path in (*targets.values(), picture):
            path.unlink(missing_ok=True)


def _finish(account: Account, asset: Record, info: MediaInfo, path: Path) -> None:
    made = ffmpeg.outcome(asset["flavorParamsId"], info, path)
    if made is None:
        flow.rendition_failed(account, asset["id"], "nothing was made\n")
        return
    flow.converted(account, asset["id"], path)
    flow.rendition_ready(account, asset["id"], made)


def _set_thumbnail(account: Account, entry: Record, picture: Path, info: MediaInfo) -> None:
    """Store the picture as the entry's default thumbnail, unless it has one already."""
    current = account.tables.entries.get(entry["id"])
    if current is None or current.get("_thumb_version"):
        picture.unlink()
        return
    asset = new_asset(
        account,
        entry,
        "thumb",
        version="2",
        tags="default_thumb",
        fileExt="jpg",
        description="",
        thumbParamsId=0,
        width=info.width,
        height=info.height,
        status=READY,
    )
    flavors.store_file(account, asset | {"_fresh": False, "version": None}, picture, "jpg", count_size=True)
    store.change(account, entry["id"], _thumb_version="100002", _thumb_asset=asset["id"])


@handler("convert_flavor")
def convert_flavor(account: Account, job: Record) -> None:
    """Convert, or convert again, one flavor of an entry that has its source."""
    entry, source = account.tables.entries.get(job["entryId"]), flavors.source_of(account, job["entryId"])
    if entry is None or source is None or not source.get("_path") or entry["status"] == 3:
        return
    number = job["flavorParamsId"]
    info = ffmpeg.probe(Path(source["_path"]))
    if info is None:
        return
    assets = {asset["flavorParamsId"]: asset for asset in flavors.flavors_of(account, entry["id"])}
    asset = assets.get(number) or flavors.new_rendition(account, entry, number)
    account.tables.assets.change(asset["id"], status=CONVERTING)
    _convert(account, entry, Path(source["_path"]), info, [{**asset, "flavorParamsId": number}])
