"""The ``flavorAsset`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import PAGER, list_reply, page
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import ANY, BOOL, INT, STRING
from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.params import FLAVOR_PARAMS, shown_params
from kaltura_sandbox.assets.query import list_assets
from kaltura_sandbox.assets.types import (
    DELETED,
    FLAVOR_ASSET,
    FLAVOR_ASSET_FILTER,
    alive,
)  # fmt: skip
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.flavor_content import new_flavor, set_flavor_content
from kaltura_sandbox.entries.resources import RESOURCE
from kaltura_sandbox.entries.types import Kind
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["flavor_asset"]

flavor_asset = Service("flavorAsset")


def _find(call: Call, asset_id: str) -> Record:
    asset = alive(call.account, asset_id, "flavor")
    if asset is None:
        raise KalturaError("FLAVOR_ASSET_ID_NOT_FOUND", asset_id)
    return asset


@flavor_asset.action("get", param("id", STRING), level=Level.ADMIN)
def get(call: Call, asset_id: str) -> Record:
    """One flavor asset."""
    return FLAVOR_ASSET.dump(_find(call, asset_id))


@flavor_asset.action(
    "list", param("filter", FLAVOR_ASSET_FILTER, None), param("pager", PAGER, None), level=Level.WIDGET
)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the flavor assets of one or more entries."""
    limit, offset = page(pager)
    found = list_assets(call, "flavor", value)
    shown = [FLAVOR_ASSET.dump(asset) for asset in found[offset : offset + limit]]
    return list_reply("KalturaFlavorAssetListResponse", len(found), shown)


@flavor_asset.action("getByEntryId", param("entryId", STRING), level=Level.WIDGET)
def get_by_entry_id(call: Call, entry_id: str) -> list[Record]:
    """Return the flavor assets of an entry."""
    store.find(call, entry_id)
    return [FLAVOR_ASSET.dump(asset) for asset in flavors.flavors_of(call.account, entry_id)]


@flavor_asset.action("getWebPlayableByEntryId", param("entryId", STRING), level=Level.WIDGET)
def get_web_playable(call: Call, entry_id: str) -> list[Record]:
    """Return the flavor assets of an entry that a browser can play."""
    store.find(call, entry_id)
    found = flavors.flavors_of(call.account, entry_id)
    return [FLAVOR_ASSET.dump(asset) for asset in found if asset["isWeb"] and flavors.is_ready(asset)]


@flavor_asset.action("getFlavorAssetsWithParams", param("entryId", STRING), level=Level.ADMIN)
def get_with_params(call: Call, entry_id: str) -> list[Record]:
    """Every flavor params of the account, each with the entry's asset where there is one."""
    entry = store.find(call, entry_id)
    assets = {asset["flavorParamsId"]: asset for asset in flavors.flavors_of(call.account, entry_id)}
    rows = []
    for number in FLAVOR_PARAMS:
        row: dict[str, Any] = {}
        if number in assets:
            row["flavorAsset"] = FLAVOR_ASSET.dump(assets[number])
        row["flavorParams"] = shown_params(number, entry["createdAt"])
        rows.append(row | {"entryId": entry_id, "objectType": "KalturaFlavorAssetWithParams"})
    return rows


@flavor_asset.action(
    "getUrl",
    param("id", STRING),
    param("storageId", INT, None),
    param("forceProxy", BOOL, False),
    param("options", ANY, None),
    level=Level.WIDGET,
)
def get_url(call: Call, asset_id: str, storage_id: int | None, proxy: bool, options: Any) -> str:
    """Where a READY flavor can be had."""
    asset = _find(call, asset_id)
    if not flavors.is_ready(asset):
        raise KalturaError("FLAVOR_ASSET_IS_NOT_READY")
    entry = store.find(call, asset["entryId"])
    base = f"{call.base_url}/p/{entry['partnerId']}/sp/{entry['partnerId']}00"
    if entry["type"] != Kind.MEDIA:
        return f"{base}/download/entry_id/{entry['id']}/flavor/{asset_id}"
    name = options.get("fileName") if isinstance(options, dict) else None
    suffix = f"/fileName/{name}" if name else f"/name/a.{asset.get('fileExt') or 'mp4'}"
    return f"{base}/serveFlavor/entryId/{entry['id']}/v/{asset['version']}/flavorId/{asset_id}{suffix}"


@flavor_asset.action("getDownloadUrl", param("id", STRING), param("useCdn", BOOL, False))
def get_download_url(call: Call, asset_id: str, use_cdn: bool) -> str:
    """Return a download link of a READY flavor."""
    asset = _find(call, asset_id)
    if not flavors.is_ready(asset):
        raise KalturaError("FLAVOR_ASSET_IS_NOT_READY")
    partner = asset["partnerId"]
    return f"{call.base_url}/p/{partner}/sp/{partner}00/download/entry_id/{asset['entryId']}/flavor/{asset_id}"


@flavor_asset.action("add", param("entryId", STRING), param("flavorAsset", FLAVOR_ASSET), owner="entryId")
def add(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Make a flavor asset without file."""
    entry = store.find(call, entry_id)
    value.check_insert()
    number = value.get("flavorParamsId", 0)
    for asset in flavors.flavors_of(call.account, entry_id):
        if asset["flavorParamsId"] == number:
            raise KalturaError("FLAVOR_ASSET_ALREADY_EXISTS", asset["id"], number)
    sent = {name: item for name, item in value.values.items() if name not in ("flavorParamsId", "tags")}
    return FLAVOR_ASSET.dump(new_flavor(call.account, entry, number, **sent))


@flavor_asset.action("update", param("id", STRING), param("flavorAsset", FLAVOR_ASSET), level=Level.ADMIN)
def update(call: Call, asset_id: str, value: ObjectValue) -> Record:
    """Change a flavor asset."""
    asset = _find(call, asset_id)
    value.check_update(asset)
    changed = call.tables.assets.change(asset_id, **value.values, updatedAt=call.account.clock.now())
    return FLAVOR_ASSET.dump(changed or asset)


@flavor_asset.action("setContent", param("id", STRING), param("contentResource", RESOURCE))
def set_content(call: Call, asset_id: str, resource: ObjectValue) -> Record:
    """Give a flavor asset its file; that of the source sets the entry on its way."""
    asset = _find(call, asset_id)
    set_flavor_content(call, asset, resource, store.find(call, asset["entryId"]))
    return FLAVOR_ASSET.dump(call.tables.assets.get(asset_id) or asset)


@flavor_asset.action("delete", param("id", STRING), level=Level.ADMIN)
def delete(call: Call, asset_id: str) -> None:
    """Delete a flavor asset; its entry lives on."""
    _find(call, asset_id)
    call.tables.assets.change(asset_id, status=DELETED, deletedAt=call.account.clock.now())


@flavor_asset.action(
    "convert", param("entryId", STRING), param("flavorParamsId", INT), param("priority", INT, 0), level=Level.ADMIN
)
def convert(call: Call, entry_id: str, number: int, priority: int) -> None:
    """Convert one more flavor."""
    entry = store.find(call, entry_id)
    if entry["status"] not in (-1, 1, 2):
        raise KalturaError("INVALID_ENTRY_STATUS")
    if number not in FLAVOR_PARAMS:
        raise KalturaError("FLAVOR_PARAMS_ID_NOT_FOUND", number)
    if flavors.source_of(call.account, entry_id) is None:
        raise KalturaError("ORIGINAL_FLAVOR_ASSET_IS_MISSING")
    call.account.jobs.add("convert_flavor", entry_id=entry_id, flavorParamsId=number)


@flavor_asset.action("reconvert", param("id", STRING), level=Level.ADMIN)
def reconvert(call: Call, asset_id: str) -> None:
    """Convert a flavor again."""
    asset = _find(call, asset_id)
    if asset["isOriginal"]:
        raise KalturaError("FLAVOR_ASSET_RECONVERT_ORIGINAL")
    call.account.jobs.add("convert_flavor", entry_id=asset["entryId"], flavorParamsId=asset["flavorParamsId"])
