"""Flavor params, which say what a rendition of an entry is: an entry has at most one flavor asset for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.entry_assets import COMMON_FIELDS, AssetKind

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["RENDITION", "SOURCE_PARAMS", "find_flavor_params"]

_SHOWN = 10

SOURCE_PARAMS = 0
"""The flavor params of the source of every entry."""

RENDITION = AssetKind(
    "flavor",
    "flavorAsset",
    "flavorAsset",
    key=("flavorParamsId",),
    fields=(*COMMON_FIELDS, "flavorParamsId"),
    id_parameter="id",
)


def find_flavor_params(client: KalturaClient, entry_id: str, flavor: Any) -> int:
    """Return the id of the flavor params of a rendition, from its system name, name or id.

    :param entry_id: an entry of the account. Kaltura lists the flavor params that this entry can have.
    :param flavor: upper and lower case are the same.
    :raises KalturaConfigurationError: the account has no such flavor, or several of this name, or it is the source.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    listed = client.call("flavorAsset", "getFlavorAssetsWithParams", {"entryId": entry_id})
    known = [one["flavorParams"] for one in listed if one.get("flavorParams")]
    wanted = str(flavor).strip().casefold()
    for name in ("systemName", "name", "id"):
        found = {int(one["id"]) for one in known if str(one.get(name, "")).casefold() == wanted}
        if SOURCE_PARAMS in found:
            raise KalturaConfigurationError("flavor", flavor, "is the source of the entry", "give another flavor")
        if len(found) > 1:
            ids = ", ".join(map(str, sorted(found)))
            raise KalturaConfigurationError("flavor", flavor, "is the name of several flavors", f"give an id: {ids}")
        if found:
            return found.pop()
    names = [str(one.get("systemName") or one.get("name")) for one in known if int(one["id"]) != SOURCE_PARAMS]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    advice = f"give one of {shown}" if names else "add it in Kaltura"
    raise KalturaConfigurationError("flavor", flavor, "is not a flavor of this account", advice)
