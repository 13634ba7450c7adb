"""What the services of caption, thumbnail and attachment assets share: find, add, fill and delete an entry's assets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import ThumbAssetStatus, named_status, parse_enum, parse_status
from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError, KalturaNotFoundError
from kaltura_provider.api.values import snake_case
from kaltura_provider.services.paging import list_all
from kaltura_provider.services.upload_token import became_asset, check_usable, read_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["COMMON_FIELDS", "AssetKind", "delete_asset", "get_asset", "list_assets", "put_asset", "shown_asset"]


@dataclass(frozen=True, slots=True)
class AssetKind:
    """One kind of asset in Kaltura's API.

    ``key`` are the properties that identify an asset within its entry, ``fields`` those that are shown, ``changeable``
    those that may be updated. ``id_parameter`` is the parameter of ``get``, ``delete`` and ``setAsDefault`` that takes
    the id.
    """

    name: str
    service: str
    parameter: str
    key: tuple[str, ...]
    fields: tuple[str, ...]
    changeable: tuple[str, ...] = ()
    formats: type[IntEnum] | None = None
    id_parameter: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id_parameter", self.id_parameter or f"{self.parameter}Id")

    @property
    def object_type(self) -> str:
        """Kaltura's class for it."""
        return f"Kaltura{self.parameter[0].upper()}{self.parameter[1:]}"


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
    """Return one asset, with the properties that are shown.

    :raises KalturaNotFoundError: there is none. :raises KalturaError: Kaltura cannot be asked.
    """
    return _shown(kind, client.call(kind.service, "get", {kind.id_parameter: asset_id}))


def shown_asset(kind: AssetKind, asset: Mapping[str, Any]) -> dict[str, Any]:
    """Return an asset as operators show it.

    ``asset_id``, ``entry_id``, status and format (``srt``, ``document``) by name, other fields in snake case.
    """
    named = ("id", "entryId", "status", "format")
    others = {snake_case(name): value for name, value in asset.items() if name not in named}
    ids = {"asset_id": asset["id"], "entry_id": asset["entryId"]}
    form = parse_enum(kind.formats, asset.get("format")) if kind.formats else None
    if form is not None:
        others["format"] = form.name.lower() if isinstance(form, IntEnum) else form
    return {**ids, **named_status(ThumbAssetStatus, asset.get("status")), **others}


def put_asset(
    client: KalturaClient, kind: AssetKind, entry_id: str, wanted: Mapping[str, Any], resource: Mapping[str, Any]
) -> dict[str, Any]:
    """Add an asset with this content to an entry, and return it. An asset with the same key gets the new content.

    Calling this again with the same upload token changes nothing.

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
    # Setting the same content twice does no harm, but a token can be used only once.
    return _shown(kind, client.call(kind.service, "setContent", params, repeatable=not token_id))


def _is(kind: AssetKind, asset: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    deleted = parse_status(ThumbAssetStatus, asset["status"]) == ThumbAssetStatus.DELETED
    return not deleted and all(_text(asset, name) == _text(wanted, name) for name in kind.key)


def _text(values: Mapping[str, Any], name: str) -> str:
    """Return a value as text, because enumerations come back as numbers."""
    value = values.get(name)
    return "" if value is None else str(value)


def delete_asset(client: KalturaClient, kind: AssetKind, asset_id: str) -> bool:
    """Delete an asset; return whether it existed.

    :raises KalturaConfigurationError: it is the default one of its entry.
    """
    try:
        client.call(kind.service, "delete", {kind.id_parameter: asset_id}, repeatable=True)
    except KalturaNotFoundError:
        return False
    except KalturaAPIError as error:
        if not error.code.endswith("_ASSET_IS_DEFAULT"):
            raise
        raise KalturaConfigurationError(
            "asset_id", asset_id, f"is the default {kind.name} of its entry", "make another one the default first"
        ) from error
    return True
