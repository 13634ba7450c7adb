"""What the services of caption, thumbnail and attachment assets share: find, add, fill and delete an entry's assets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import ThumbAssetStatus, parse_enum, parse_status
from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError, KalturaNotFoundError
from kaltura_provider.services.paging import list_all
from kaltura_provider.services.upload_token import became_asset, check_usable, read_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["COMMON_FIELDS", "AssetKind", "delete_asset", "get_asset", "list_assets", "put_asset", "with_format_name"]


@dataclass(frozen=True, slots=True)
class AssetKind:
    """How one kind of asset is called in Kaltura's API, by what two of one entry are the same, and what may change."""

    name: str
    service: str
    parameter: str
    key: tuple[str, ...]
    fields: tuple[str, ...]
    changeable: tuple[str, ...] = ()
    formats: type[IntEnum] | None = None

    @property
    def id_parameter(self) -> str:
        """The parameter that ``get``, ``delete`` and ``setAsDefault`` take the id in."""
        return f"{self.parameter}Id"


COMMON_FIELDS = ("id", "entryId", "status", "fileExt", "sizeInBytes", "tags")
"""The properties that assets of every kind have."""


def list_assets(client: KalturaClient, kind: AssetKind, entry_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the assets of entries; ``sizeInBytes`` is a number."""
    conditions = {"entryIdIn": ",".join(entry_ids)}
    return [_shown(kind, asset) for asset in list_all(client, kind.service, conditions)]


def _shown(kind: AssetKind, asset: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: asset[name] for name in kind.fields if name in asset}
    if "sizeInBytes" in kept:
        kept["sizeInBytes"] = int(kept["sizeInBytes"])  # text on the wire
    return kept


def get_asset(client: KalturaClient, kind: AssetKind, asset_id: str) -> dict[str, Any]:
    """Return one asset, with what of it is of use.

    :raises KalturaNotFoundError: there is none. :raises KalturaError: Kaltura cannot be asked.
    """
    return _shown(kind, client.call(kind.service, "get", {kind.id_parameter: asset_id}))


def with_format_name(kind: AssetKind, asset: Mapping[str, Any]) -> dict[str, Any]:
    """Return an asset with its format by name (``srt``, ``document``), as arguments call it."""
    found = parse_enum(kind.formats, asset.get("format")) if kind.formats else None
    return {**asset, "format": found.name.lower()} if isinstance(found, IntEnum) else dict(asset)


def put_asset(
    client: KalturaClient, kind: AssetKind, entry_id: str, wanted: Mapping[str, Any], resource: Mapping[str, Any]
) -> dict[str, Any]:
    """Give an entry an asset with this content, and return it; one that is there for the same is filled anew.

    Repeated with the same upload token it changes nothing.

    :raises CannotAttachError: the token is used up, or belongs to something else.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    same = next((asset for asset in list_assets(client, kind, [entry_id]) if _is(kind, asset, wanted)), None)
    token_id = resource.get("token")
    if token_id:
        token = read_token(client, token_id)
        if same and became_asset(token, same["id"], same.get("sizeInBytes")):
            return same
        check_usable(token)
    if same:
        changed = {name: wanted[name] for name in kind.changeable if _text(wanted, name) != _text(same, name)}
        if changed:
            changes = {"objectType": wanted["objectType"], **changed}
            client.call(kind.service, "update", {"id": same["id"], kind.parameter: changes}, repeatable=True)
        asset_id = same["id"]
    else:
        asset_id = client.call(kind.service, "add", {"entryId": entry_id, kind.parameter: dict(wanted)})["id"]
    params = {"id": asset_id, "contentResource": dict(resource)}
    # The same content twice is the same content; a token is used up by the first time.
    return _shown(kind, client.call(kind.service, "setContent", params, repeatable=not token_id))


def _is(kind: AssetKind, asset: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    deleted = parse_status(ThumbAssetStatus, asset["status"]) == ThumbAssetStatus.DELETED
    return not deleted and all(_text(asset, name) == _text(wanted, name) for name in kind.key)


def _text(values: Mapping[str, Any], name: str) -> str:
    """Return a value as text: numbers of enumerations come back as such."""
    value = values.get(name)
    return "" if value is None else str(value)


def delete_asset(client: KalturaClient, kind: AssetKind, asset_id: str) -> bool:
    """Delete an asset; return whether it was there.

    :raises KalturaConfigurationError: it is its entry's default one.
    """
    try:
        client.call(kind.service, "delete", {kind.id_parameter: asset_id}, repeatable=True)
    except KalturaNotFoundError:
        return False
    except KalturaAPIError as error:
        if not error.code.endswith("_ASSET_IS_DEFAULT"):
            raise
        raise KalturaConfigurationError(
            "asset_id", asset_id, f"is its entry's default {kind.name}", "make another one the default first"
        ) from error
    return True
