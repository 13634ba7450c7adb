"""Giving single flavors their files: one by ``flavorAsset.setContent``, several at once by ``addContent``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.params import FLAVOR_PARAMS
from kaltura_sandbox.assets.types import IMPORTING, READY, new_asset
from kaltura_sandbox.entries import flow, store
from kaltura_sandbox.entries.resources import TOKEN_RESOURCE, URL_RESOURCE, local_file
from kaltura_sandbox.entries.types import IMAGE, IMPORT, PRECONVERT
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads import attach
from kaltura_sandbox.uploads.attach import File, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["give_flavors", "new_flavor", "set_flavor_content"]

_NOTHING_KNOWN: dict[str, Any] = {"width": 0, "height": 0, "bitrate": 0, "frameRate": 0, "isDefault": False}
_SOURCE = 0


def give_flavors(call: Call, entry: Record, containers: Sequence[ObjectValue]) -> None:
    """Make files an entry's flavors, each of the flavor params its container names; 0 is the source.

    :raises KalturaError: ``RESOURCE_TYPE_NOT_SUPPORTED`` for images, ``FLAVOR_PARAMS_ID_NOT_FOUND``, before anything is
        changed; or what a resource raises.
    """
    if entry.get("mediaType") == IMAGE:
        raise KalturaError("RESOURCE_TYPE_NOT_SUPPORTED", "KalturaAssetsParamsResourceContainers")
    for container in containers:
        container.require("resource", "assetParamsId")
        if container.get("assetParamsId") not in (_SOURCE, *FLAVOR_PARAMS):
            raise KalturaError("FLAVOR_PARAMS_ID_NOT_FOUND", container.get("assetParamsId"))
    # Renditions first: the conversion that the source starts makes only those that are not there.
    for container in sorted(containers, key=lambda one: one.get("assetParamsId") == _SOURCE):
        set_flavor_content(
            call, _flavor_for(call, entry, container.get("assetParamsId")), container.get("resource"), entry
        )


def _flavor_for(call: Call, entry: Record, number: int) -> Record:
    if number == _SOURCE:
        return flavors.new_source(call.account, entry, waiting=False)
    for asset in flavors.flavors_of(call.account, entry["id"]):
        if asset["flavorParamsId"] == number:
            return asset
    return new_flavor(call.account, entry, number)


def new_flavor(account: Account, entry: Record, number: int, **properties: Any) -> Record:
    """Store a flavor asset without file."""
    params = FLAVOR_PARAMS.get(number, {"tags": "", "format": ""})
    asset = _NOTHING_KNOWN | {"tags": params["tags"], "containerFormat": "", "videoCodecId": ""} | properties
    return new_asset(
        account, entry, "flavor", **asset, flavorParamsId=number, isOriginal=number == _SOURCE, isWeb=number != _SOURCE
    )


def set_flavor_content(call: Call, asset: Record, resource: ObjectValue, entry: Record) -> None:
    """Give a flavor its file, or set it on its way; that of the source sets the entry on its way.

    :raises KalturaError: what the resource raises.
    """
    account = call.account
    if resource.type is URL_RESOURCE:
        headers = [item.get("value", "") for item in resource.get("urlHeaders", [])]
        _wait(account, asset)
        target = {"object_type": "flavorAsset", "asset_id": asset["id"]}
        job = {"url": resource.get("url", ""), "headers": headers}
        if asset["isOriginal"]:
            account.jobs.add("import", entry_id=entry["id"], **job)
        else:
            account.jobs.add("asset_import", entry_id=entry["id"], **target, **job)
    elif resource.type.is_a(TOKEN_RESOURCE):
        token_id = resource.get("token", "")
        with account.locks.hold(token_id), account.database.transaction():
            file = attach.claim(account, token_id, "flavorAsset", asset["id"])
            if file is None:
                _wait(account, asset)
            else:
                _take(account, asset, file)
    else:
        local = local_file(call, resource)
        if local is None:
            raise KalturaError("RESOURCE_TYPE_NOT_SUPPORTED", resource.type.name)
        _take(account, asset, local)


def _wait(account: Account, asset: Record) -> None:
    account.tables.assets.change(asset["id"], status=IMPORTING)
    entry = account.tables.entries.get(asset["entryId"])
    if asset["isOriginal"] or (entry is not None and entry["status"] not in (READY, PRECONVERT)):
        store.change(account, asset["entryId"], status=IMPORT)


def _take(account: Account, asset: Record, file: File) -> None:
    asset = {"description": "", **asset}
    if asset["isOriginal"]:
        flow.source_arrived(account, asset["entryId"], asset, file)
        return
    flavors.store_file(account, {**asset, "status": READY}, file.path, file.extension, count_size=True)
    source = flavors.source_of(account, asset["entryId"])
    if source is None or flavors.is_ready(source):
        flow.settle(account, asset["entryId"])


def _fill(account: Account, asset_id: str, file: File) -> bool:
    with account.database.transaction():
        asset = account.tables.assets.get(asset_id)
        entry = account.tables.entries.get(asset["entryId"]) if asset else None
        if asset is None or entry is None or entry["status"] == 3 or asset["status"] == 3:
            return False
        _take(account, asset, file)
        return True


def _forget(account: Account, asset_id: str, finished: bool) -> None:
    with account.database.transaction():
        asset = account.tables.assets.get(asset_id)
        if asset is not None:
            flow.source_lost(account, asset, finished=finished)


attach.register("flavorAsset", Target(_fill, _forget))
