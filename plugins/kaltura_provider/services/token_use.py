"""Whether an upload token can become some object's content, or has become it: Kaltura itself takes any token.

One that is used up makes an entry or asset wait for ever; one that waits for its bytes elsewhere is taken from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import UploadTokenStatus, parse_status
from kaltura_provider.api.errors import KalturaNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["CannotAttachError", "became_asset", "became_entry", "check_usable", "read_token"]

_USABLE = (UploadTokenStatus.PENDING, UploadTokenStatus.PARTIAL_UPLOAD, UploadTokenStatus.FULL_UPLOAD)


class CannotAttachError(Exception):
    """The token or the entry is in no state to be attached; the message says which and what to do."""

    permanent = True


def read_token(client: KalturaClient, token_id: str) -> dict[str, Any]:
    """Return a token as Kaltura has it now.

    :raises KalturaError: there is no such token, or Kaltura cannot be asked.
    """
    return dict(client.call("uploadToken", "get", {"uploadTokenId": token_id}))


def check_usable(token: Mapping[str, Any]) -> None:
    """Check that a token can be attached.

    :raises CannotAttachError: it is used up, or belongs to something else.
    """
    status = parse_status(UploadTokenStatus, token["status"])
    if status not in _USABLE:
        raise CannotAttachError(
            f"upload token {token['id']} is used up (status {getattr(status, 'name', status)}): its file is some "
            "entry's content; upload the file to a new token"
        )
    if owner := token.get("attachedObjectId"):
        raise CannotAttachError(
            f"upload token {token['id']} belongs to {token.get('attachedObjectType', 'object')} {owner} already; "
            "attaching it elsewhere would leave that one without content for ever. Use a new token"
        )


def became_entry(client: KalturaClient, token: Mapping[str, Any], entry_id: str) -> bool:
    """Tell whether a token has become an entry's content, or will when it is full, as an earlier try may have caused.

    A token that was full when it was attached names no object: then the sizes tell.
    """
    owner = token.get("attachedObjectId")
    if owner == entry_id:
        return True
    if owner and token.get("attachedObjectType") == "flavorAsset":
        try:
            return bool(client.call("flavorAsset", "get", {"id": owner})["entryId"] == entry_id)
        except KalturaNotFoundError:
            return False
    if owner or not _used_up(token):
        return False
    params = {"filter": {"entryIdEqual": entry_id}}
    flavors = client.call("flavorAsset", "list", params)["objects"]
    return any(flavor.get("isOriginal") and _size_of(token) == _size_of(flavor) for flavor in flavors)


def became_asset(token: Mapping[str, Any], asset: Mapping[str, Any]) -> bool:
    """Tell the same of a caption, thumbnail or attachment."""
    owner = token.get("attachedObjectId")
    return owner == asset["id"] if owner else _used_up(token) and _size_of(token) == _size_of(asset)


def _used_up(token: Mapping[str, Any]) -> bool:
    return parse_status(UploadTokenStatus, token["status"]) == UploadTokenStatus.CLOSED


def _size_of(thing: Mapping[str, Any]) -> int | None:
    size = thing.get("uploadedFileSize", thing.get("sizeInBytes"))
    return None if size is None else int(float(size))
