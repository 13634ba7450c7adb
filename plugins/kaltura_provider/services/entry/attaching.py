"""Attach a token the plain way: to a new entry or a given one, with nothing looked up and nothing marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import EntryStatus, EntryType, UploadTokenStatus, parse_status
from kaltura_provider.services.entry.adding import empty_entry, read_metadata
from kaltura_provider.services.entry.objects import token_resource
from kaltura_provider.services.upload_token import CannotAttachError, became_entry, check_usable, read_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["add_entry", "attach_token"]


def add_entry(client: KalturaClient, token_id: str, metadata: Mapping[str, Any] | None) -> str:
    """Make an entry without content for the file of a token, and return its id.

    :raises KalturaConfigurationError: a field is impossible, or nothing tells what kind of entry it shall be.
    :raises CannotAttachError: the token is used up. :raises KalturaError: Kaltura refused or could not be asked.
    """
    token = read_token(client, token_id)
    check_usable(token)
    said, kind = read_metadata(metadata, token.file_name)
    return str(empty_entry(client, said, kind, token.file_name)["id"])


def attach_token(client: KalturaClient, token_id: str, entry_id: str) -> dict[str, Any]:
    """Make a token, full or still to be filled, the content of an entry, and return the entry.

    Repeated with the same token and entry it changes nothing.

    :raises CannotAttachError: the token is used up or belongs to something else, or the entry has other content.
    :raises KalturaError: Kaltura refused or could not be asked.
    """
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    token = read_token(client, token_id)
    if parse_status(EntryStatus, entry["status"]) != EntryStatus.NO_CONTENT:
        if became_entry(client, token, entry_id):
            return dict(entry)
        raise CannotAttachError(
            f"entry {entry_id} has other content already, or waits for it (status {entry['status']}); to replace it "
            "use KalturaUpdateContentOperator, to make a new entry leave entry_id out"
        )
    check_usable(token)
    if entry.get("type") == EntryType.DATA and token.status != UploadTokenStatus.FULL_UPLOAD:
        raise CannotAttachError(
            f"entry {entry_id} is a data entry, which takes full upload tokens only: fill {token_id} first"
        )
    service = "media" if entry.get("type") == EntryType.MEDIA_CLIP else "baseEntry"
    attached = client.call(service, "addContent", {"entryId": entry_id, "resource": token_resource(token_id)})
    return dict(attached)
