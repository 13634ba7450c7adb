"""Adding an entry without content, as its metadata describes it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import entry_id
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.entry.kind import Kind, kind_of
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_provider.services.entry.objects import described_entry, lost_properties
from kaltura_provider.services.entry.stored import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["empty_entry", "read_metadata", "warn_of_lost"]

log = logging.getLogger("kaltura_provider.ingest")

_NO_PROFILE = -1


def read_metadata(
    values: Mapping[str, Any] | None, file_name: str | None = None, *, default: Kind | None = None
) -> tuple[EntryMetadata, Kind]:
    """Return the metadata of an entry, and its kind: as given, by the file extension, or ``default``.

    :raises KalturaConfigurationError: a field is unknown or invalid, or the kind of the entry is not known.
    """
    try:
        said = EntryMetadata.from_dict(values or {})
        kind = default if default and not said.media_type else kind_of(file_name or said.name or "", said.media_type)
    except ValueError as error:
        raise KalturaConfigurationError("metadata", None, "is not valid", str(error)) from None
    for name in ("parent_entry_id", "template_entry_id"):
        if getattr(said, name) is not None:
            entry_id(getattr(said, name), f"metadata.{name}")
    return said, kind


def empty_entry(client: KalturaClient, said: EntryMetadata, kind: Kind, file_name: str = "") -> dict[str, Any]:
    """Make an entry without content. Not repeatable: a failed call may have made one.

    :raises KalturaConfigurationError: it could never get content.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    if kind.media_type is not None and said.conversion_profile_id == _NO_PROFILE:
        raise KalturaConfigurationError(
            "metadata.conversion_profile_id", _NO_PROFILE, "makes media READY at once, which then takes no content",
            "leave it out, or make the entry of a full token (KalturaAddFromUploadedFileOperator)",
        )  # fmt: skip
    entry = described_entry(said, kind, file_name or said.name or kind.value)
    params: dict[str, Any] = {"entry": entry}
    if kind.service == "baseEntry":
        params["type"] = kind.entry_type
    return warn_of_lost(said, entry, client.call(kind.service, "add", params))


def warn_of_lost(said: EntryMetadata, sent: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Return ``made``, after logging which texts were cut and which properties Kaltura dropped without an error."""
    for note in bounded(said)[1]:
        log.warning("entry %s: %s", made["id"], note)
    if lost := lost_properties(sent, made):
        log.warning("entry %s: Kaltura dropped %s; the session's role cannot set them", made["id"], ", ".join(lost))
    return dict(made)
