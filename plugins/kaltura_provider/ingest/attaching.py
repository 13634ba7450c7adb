"""Attach a token the plain way: to a new entry or a given one, with nothing looked up and nothing marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import EntryStatus, EntryType, UploadTokenStatus, parse_status
from kaltura_provider.ingest.kinds import kind_of
from kaltura_provider.ingest.objects import described_entry, token_resource

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.metadata import EntryMetadata

__all__ = ["CannotAttachError", "add_entry", "attach_token"]

_USABLE = (UploadTokenStatus.PENDING, UploadTokenStatus.PARTIAL_UPLOAD, UploadTokenStatus.FULL_UPLOAD)


class CannotAttachError(Exception):
    """The token or the entry is in no state to be attached; the message says which and what to do."""

    permanent = True


def add_entry(client: KalturaClient, token_id: str, metadata: EntryMetadata) -> str:
    """Make an entry without content for the file of a token, and return its id.

    :raises ValueError: nothing tells what kind of entry it shall be.
    :raises CannotAttachError: the token is used up. :raises KalturaError: Kaltura refused or could not be asked.
    """
    file_name = _usable(client, token_id).get("fileName") or ""
    kind = kind_of(file_name, metadata.media_type)
    params: dict[str, Any] = {"entry": described_entry(metadata, kind, file_name)}
    if kind.service == "baseEntry":
        params["type"] = kind.entry_type
    return str(client.call(kind.service, "add", params)["id"])


def attach_token(client: KalturaClient, token_id: str, entry_id: str) -> dict[str, Any]:
    """Make a token, full or still to be filled, the content of an entry, and return the entry.

    Repeated with the same token and entry it changes nothing.

    :raises CannotAttachError: the token is used up or belongs to something else, or the entry has other content.
    :raises KalturaError: Kaltura refused or could not be asked.
    """
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    token = client.call("uploadToken", "get", {"uploadTokenId": token_id})
    if parse_status(EntryStatus, entry["status"]) != EntryStatus.NO_CONTENT:
        # What an earlier try attached has left its trace in the token: it names its object, or is used up.
        if token.get("attachedObjectId") or token["status"] == UploadTokenStatus.CLOSED:
            return dict(entry)
        raise CannotAttachError(
            f"entry {entry_id} has content already; to replace it call media.updateContent, or leave entry_id out"
        )
    _usable(client, token_id, token)
    service = "media" if entry.get("type") == EntryType.MEDIA_CLIP else "baseEntry"
    attached = client.call(service, "addContent", {"entryId": entry_id, "resource": token_resource(token_id)})
    return dict(attached)


def _usable(client: KalturaClient, token_id: str, token: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a token that can be attached; Kaltura itself takes any, and lets the entry wait for ever."""
    token = token or client.call("uploadToken", "get", {"uploadTokenId": token_id})
    status = parse_status(UploadTokenStatus, token["status"])
    if status not in _USABLE:
        raise CannotAttachError(
            f"upload token {token_id} is used up (status {getattr(status, 'name', status)}): its file is some entry's "
            "content; upload the file to a new token"
        )
    if owner := token.get("attachedObjectId"):
        raise CannotAttachError(
            f"upload token {token_id} belongs to {token.get('attachedObjectType', 'object')} {owner} already; "
            "attaching it elsewhere would leave that one without content for ever. Use a new token"
        )
    return dict(token)
