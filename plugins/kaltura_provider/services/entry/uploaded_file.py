"""An entry made in one call from an uploaded file (``addFromUploadedFile``), or from text (``data.add``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.services.entry.adding import read_metadata, warn_of_lost
from kaltura_provider.services.entry.kind import Kind
from kaltura_provider.services.entry.objects import described_entry
from kaltura_provider.services.upload_token import CannotAttachError, read_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["add_from_uploaded_file", "add_text"]


def add_from_uploaded_file(
    client: KalturaClient, token_id: str, metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Make an entry from the file of a full upload token, and return it.

    Its kind is read from the metadata or from the file extension. The call uses up the token, so repeating it
    cannot make two entries.

    :raises CannotAttachError: the token is not full, or used up.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    token = read_token(client, token_id)
    if token.status != UploadTokenStatus.FULL_UPLOAD:
        hint = "wait for its upload first (KalturaUploadTokenSensor)"
        if token.used_up:
            hint = "its file is already the content of an entry; upload the file to a new token"
        raise CannotAttachError(f"upload token {token_id} is {str(token.status_name).upper()}: {hint}")
    said, kind = read_metadata(metadata, token.file_name)
    entry = described_entry(said, kind, token.file_name)
    if kind in (Kind.DATA, Kind.DOCUMENT):
        # The entry type counts only as a parameter of its own; a data entry is never converted.
        if kind is Kind.DATA:
            entry = {**entry, "conversionProfileId": -1}
        params = {"entry": entry, "type": kind.entry_type, "uploadTokenId": token_id}
        return warn_of_lost(said, entry, client.call("baseEntry", "addFromUploadedFile", params))
    params = {"mediaEntry": entry, "uploadTokenId": token_id}
    return warn_of_lost(said, entry, client.call("media", "addFromUploadedFile", params))


def add_text(client: KalturaClient, text: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make a data entry that holds a text, and is READY at once. Not repeatable: a failed call may have made one.

    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    said, kind = read_metadata({**(metadata or {}), "media_type": Kind.DATA.value})
    entry = {**described_entry(said, kind, said.name or "data"), "dataContent": text, "conversionProfileId": -1}
    return warn_of_lost(said, entry, client.call("data", "add", {"dataEntry": entry}))
