"""How entries and flavors move on: content arrives, is analysed, is converted, is ready or has failed.

The job workers call these functions with the results of ffmpeg. The control API calls them in place of the workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets import types as asset_types
from kaltura_sandbox.assets.params import AUDIO_PARAMS, DEFAULT_PROFILE, rendition_ids
from kaltura_sandbox.entries import replacing, store
from kaltura_sandbox.entries.types import (
    DELETED,
    ERROR_CONVERTING,
    ERROR_IMPORTING,
    IMPORT,
    NO_CONTENT,
    PRECONVERT,
    READY,
    Kind,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.assets.flavors import MediaInfo
    from kaltura_sandbox.uploads.attach import File

__all__ = [
    "analysed", "conversion_failed", "converted", "import_failed", "rendition_failed", "rendition_ready",
    "settle", "source_arrived", "source_lost", "source_waits",
]  # fmt: skip

_UNUSABLE = "source warnings: 1103,#Source file is unusable.\n"
_PENDING = (asset_types.QUEUED, asset_types.CONVERTING, asset_types.WAIT_FOR_CONVERT, asset_types.IMPORTING)


def _profile_of(entry: Record) -> Record:
    """Return the properties that say which profile converts an entry; the default one unless another was asked for."""
    number = entry.get("conversionProfileId") or DEFAULT_PROFILE
    return {"conversionProfileId": number, "conversionQuality": number}


def source_waits(account: Account, entry: Record) -> Record:
    """Make the source flavor of an entry whose upload is not complete; the entry goes to IMPORT."""
    asset = flavors.new_source(account, entry, waiting=True)
    store.change(account, entry["id"], status=IMPORT, sourceType="1")
    return asset


def source_arrived(account: Account, entry_id: str, asset: Record, file: File, *, count_size: bool = True) -> None:
    """Content is complete: the entry goes to PRECONVERT and its conversion is queued.

    An empty file ends in ERROR_CONVERTING, profile -1 in PENDING, a document in READY.
    """
    entry = account.tables.entries.get(entry_id)
    if entry is None:
        return
    asset["status"] = asset_types.QUEUED
    asset = flavors.store_file(account, asset, file.path, file.extension, count_size=count_size)
    if entry["type"] == Kind.DOCUMENT:
        account.tables.assets.change(asset["id"], status=asset_types.READY)
        kind = {"pdf": 13, "swf": 12}.get(file.extension, 11)
        store.change(account, entry_id, status=READY, documentType=kind, assetParamsIds="0")
    elif file.size == 0:
        account.tables.assets.change(asset["id"], status=asset_types.ERROR, description=_UNUSABLE)
        store.change(account, entry_id, status=ERROR_CONVERTING, **_profile_of(entry))
    elif entry.get("conversionProfileId") == -1:
        store.change(account, entry_id, status=4)
    else:
        store.change(account, entry_id, status=PRECONVERT, **_profile_of(entry))
        account.jobs.add("convert", entry_id=entry_id)


def source_lost(account: Account, asset: Record, *, finished: bool = False) -> None:
    """Remove the waiting source, because its token is gone. The entry has no content again.

    With ``finished`` even an entry that went on already falls back, which the loser of two final chunks can cause.
    """
    entry = account.tables.entries.get(asset["entryId"])
    if not finished and asset["status"] != asset_types.IMPORTING:
        return
    account.tables.assets.change(asset["id"], status=asset_types.DELETED, deletedAt=account.clock.now())
    if entry is not None and (entry["status"] == IMPORT or (finished and entry["status"] != DELETED)):
        account.jobs.abort(entry["id"])
        store.change(account, entry["id"], status=NO_CONTENT)


def analysed(account: Account, entry_id: str, info: MediaInfo | None) -> list[Record]:
    """Note that the source was analysed (None: without a result): its flavor is ready, and its renditions are made.

    :returns: the renditions to convert.
    """
    entry, source = account.tables.entries.get(entry_id), flavors.source_of(account, entry_id)
    if entry is None or source is None or entry["status"] == DELETED:
        return []
    profile = account.tables.profiles.get(entry.get("conversionProfileId", DEFAULT_PROFILE))
    wanted = rendition_ids(profile)
    if info is not None and info.width == 0 and wanted:
        wanted = [AUDIO_PARAMS]
    changes: Record = {"status": asset_types.READY, "updatedAt": account.clock.now()}
    if info is not None:
        changes |= info.properties() | {"size": source["sizeInBytes"] // 1024}
        if wanted:
            changes |= {"tags": "source,web", "isWeb": True}
        store.change(account, entry_id, **_media_properties(info))
    account.tables.assets.change(source["id"], **changes)
    store.change(account, entry_id, flavorParamsIds="0")
    planned = flavors.plan(wanted, info, account.config.max_flavors)
    # A conversion that a killed process left half done finds its renditions again.
    before = {asset["flavorParamsId"]: asset for asset in flavors.flavors_of(account, entry_id)}
    made = [
        before.get(number) or flavors.new_rendition(account, entry, number, applicable=applicable, warning=warning)
        for number, (applicable, warning) in planned.items()
    ]
    settle(account, entry_id)
    return [asset for asset in made if asset["status"] == asset_types.CONVERTING]


def _media_properties(info: MediaInfo) -> Record:
    properties: Record = {"duration": (info.duration + 500) // 1000, "msDuration": info.duration}
    if info.width:
        properties |= {"width": info.width, "height": info.height}
    return properties


def converted(account: Account, asset_id: str, path: Path) -> None:
    """Store the file of a rendition before it is analyzed: it is still CONVERTING, with its version and size known."""
    asset = account.tables.assets.get(asset_id)
    if asset is None or asset["status"] == asset_types.DELETED:
        return
    asset["description"] = asset.get("description", "") + "\n"
    flavors.store_file(account, asset, path, asset["fileExt"], count_size=False)


def rendition_ready(account: Account, asset_id: str, info: MediaInfo) -> None:
    """Make a rendition READY; the first one makes its entry READY."""
    with account.database.transaction():
        asset = account.tables.assets.get(asset_id)
        if asset is None or asset["status"] == asset_types.DELETED:
            return
        account.tables.assets.put(
            {
                **asset,
                **info.properties(),
                "status": asset_types.READY,
                "size": asset["sizeInBytes"] // 1024,
                "updatedAt": account.clock.now(),
            }
        )
        entry = account.tables.entries.get(asset["entryId"])
        if entry is None or entry["status"] == DELETED:
            return
        ready = sorted(
            flavor["flavorParamsId"] for flavor in flavors.flavors_of(account, entry["id"]) if flavors.is_ready(flavor)
        )
        changes: Record = {"flavorParamsIds": ",".join(map(str, ready))}
        if entry["status"] in (IMPORT, PRECONVERT, 4):
            changes["status"] = READY
        store.change(account, entry["id"], **changes)
    replacing.entry_moved(account, asset["entryId"])


def rendition_failed(account: Account, asset_id: str, reason: str = "") -> None:
    """Fail a rendition. If none is left, the entry fails too."""
    asset = account.tables.assets.change(asset_id, status=asset_types.ERROR, updatedAt=account.clock.now())
    if asset is None:
        return
    if reason:
        account.tables.assets.change(asset_id, description=asset.get("description", "") + reason)
    settle(account, asset["entryId"])


def settle(account: Account, entry_id: str) -> None:
    """READY when nothing is left to do and something is ready besides failed renditions; ERROR when all failed."""
    with account.database.transaction():
        entry = account.tables.entries.get(entry_id)
        if entry is None or entry["status"] in (READY, DELETED):
            return
        states = [flavor["status"] for flavor in flavors.flavors_of(account, entry_id) if not flavor["isOriginal"]]
        if any(state in _PENDING for state in states):
            return
        made = [state for state in states if state != asset_types.NOT_APPLICABLE]
        failed = bool(made) and all(state == asset_types.ERROR for state in made)
        store.change(account, entry_id, status=ERROR_CONVERTING if failed else READY)
    replacing.entry_moved(account, entry_id)


def conversion_failed(account: Account, entry_id: str, reason: str) -> None:
    """Fail every rendition and the entry, because the source is not media or the conversion failed."""
    with account.database.transaction():
        entry = account.tables.entries.get(entry_id)
        if entry is None or entry["status"] == DELETED:
            return
        for flavor in flavors.flavors_of(account, entry_id):
            if not flavor["isOriginal"] and flavor["status"] in _PENDING:
                account.tables.assets.change(flavor["id"], status=asset_types.ERROR, updatedAt=account.clock.now())
            elif flavor["isOriginal"]:
                # A source that was never analysed is useless; one that was stays READY.
                status = asset_types.ERROR if flavor["status"] in _PENDING else flavor["status"]
                changes = {"status": status, "description": reason, "updatedAt": account.clock.now()}
                account.tables.assets.change(flavor["id"], **changes)
        if entry["status"] != READY:
            store.change(account, entry_id, status=ERROR_CONVERTING)
    replacing.entry_moved(account, entry_id)


def import_failed(account: Account, entry_id: str, reason: str) -> None:
    """Fail an import: the entry is in ERROR_IMPORTING, and its source flavor, if any, has the reason."""
    source = flavors.source_of(account, entry_id)
    if source is not None:
        account.tables.assets.change(source["id"], status=asset_types.ERROR, description=reason)
    entry = account.tables.entries.get(entry_id)
    if entry is not None and entry["status"] == IMPORT:
        store.change(account, entry_id, status=ERROR_IMPORTING)
    replacing.entry_moved(account, entry_id)
