"""Attach an upload token to a new or an existing entry, without the protocol of ``ingest``: no search and no marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import EntryStatus, UploadTokenStatus
from kaltura_provider.services.entry.adding import empty_entry, read_metadata
from kaltura_provider.services.entry.objects import token_resource
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.upload_token import CannotAttachError, became_entry, check_usable, read_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["add_entry", "attach_token"]


def add_entry(client: KalturaClient, token_id: str, metadata: Mapping[str, Any] | None) -> str:
    """Make an entry without content for the file of a token, and return its id.

    :raises KalturaConfigurationError: a field is invalid, or neither the metadata nor the file name gives the kind.
    :raises CannotAttachError: the token is used up. :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    token = read_token(client, token_id)
    check_usable(token)
    said, kind = read_metadata(metadata, token.file_name)
    return str(empty_entry(client, said, kind, token.file_name)["id"])


def attach_token(client: KalturaClient, token_id: str, entry_id: str) -> dict[str, Any]:
    """Make a token the content of an entry, and return the entry. The token may be full or still empty.

    Calling this again with the same token and entry changes nothing.

    :raises CannotAttachError: the token is used up or belongs to something else, or the entry has other content.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    found = client.call("baseEntry", "get", {"entryId": entry_id})
    entry = Entry.of(found)
    token = read_token(client, token_id)
    if entry.status != EntryStatus.NO_CONTENT:
        if became_entry(client, token, entry_id):
            return dict(found)
        raise CannotAttachError(
            f"entry {entry_id} already has other content, or waits for it (status {found['status']}). Replace it with "
            "KalturaUpdateContentOperator, or leave out entry_id to make a new entry"
        )
    check_usable(token)
    if entry.is_data and token.status != UploadTokenStatus.FULL_UPLOAD:
        raise CannotAttachError(
            f"entry {entry_id} is a data entry, which only takes full upload tokens: fill {token_id} first"
        )
    attached = client.call(entry.service, "addContent", {"entryId": entry_id, "resource": token_resource(token_id)})
    return dict(attached)
