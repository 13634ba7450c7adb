"""Listing assets: by entry, straight from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import split
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["list_assets"]


def list_assets(call: Call, kind: str, value: ObjectValue | None) -> list[Record]:
    """Return the assets of a kind that a filter asks for; unknown entries have none.

    :raises KalturaError: ``PROPERTY_VALIDATION_CANNOT_BE_NULL`` when no entry is named.
    """
    entry_ids = split(value.get("entryIdIn", "")) if value else []
    if value and value.get("entryIdEqual"):
        entry_ids = [value.get("entryIdEqual")]
    if value is None or not entry_ids:
        name = value.type.name if value else "KalturaAssetFilter"
        raise KalturaError("PROPERTY_VALIDATION_CANNOT_BE_NULL", f"{name}::entryIdEqual/{name}::entryIdIn")
    places = ", ".join("?" * len(entry_ids))
    found = call.tables.assets.find(
        f"entry IN ({places}) AND kind = ? AND status != 3", (*entry_ids, kind), order="entry, id"
    )
    found = [asset for asset in found if _matches(asset, value)]
    order = value.get("orderBy", "")
    if order.lstrip("+-") in ("size", "createdAt", "updatedAt"):
        found.sort(key=lambda asset: asset[order.lstrip("+-")], reverse=order.startswith("-"))
    return found


def _matches(asset: Record, value: ObjectValue) -> bool:
    sent = value.get
    status = str(asset["status"])
    checks = [
        sent("idEqual") in (None, asset["id"]),
        sent("idIn") is None or asset["id"] in split(sent("idIn", "")),
        sent("statusEqual") in (None, asset["status"]),
        sent("statusIn") is None or status in split(sent("statusIn", "")),
        sent("statusNotIn") is None or status not in split(sent("statusNotIn", "")),
        sent("flavorParamsIdEqual") in (None, asset.get("flavorParamsId")),
        sent("flavorParamsIdIn") is None or str(asset.get("flavorParamsId")) in split(sent("flavorParamsIdIn", "")),
        sent("tagsLike") is None or sent("tagsLike", "") in (asset.get("tags") or ""),
    ]
    return all(checks)
