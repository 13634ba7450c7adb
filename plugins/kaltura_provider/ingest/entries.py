"""Entries made by themselves: what an author says of one becomes an entry without content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import entry_id
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.ingest.kinds import Kind, kind_of
from kaltura_provider.ingest.metadata import EntryMetadata
from kaltura_provider.ingest.objects import described_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["empty_entry", "read_metadata"]


def read_metadata(
    values: Mapping[str, Any] | None, file_name: str | None = None, *, default: Kind | None = None
) -> tuple[EntryMetadata, Kind]:
    """Return what an author says of an entry, and its kind: as said, by the file's extension, or the default.

    :raises KalturaConfigurationError: a field is unknown or impossible, or nothing tells the kind.
    """
    try:
        said = EntryMetadata.from_dict(values or {})
        kind = default if default and not said.media_type else kind_of(file_name or said.name or "", said.media_type)
    except ValueError as error:
        raise KalturaConfigurationError("metadata", None, "cannot be", str(error)) from None
    for name in ("parent_entry_id", "template_entry_id"):
        if getattr(said, name) is not None:
            entry_id(getattr(said, name), f"metadata.{name}")
    return said, kind


def empty_entry(client: KalturaClient, said: EntryMetadata, kind: Kind, file_name: str = "") -> dict[str, Any]:
    """Make an entry without content. Not repeatable: after trouble on the way there may be one.

    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    params: dict[str, Any] = {"entry": described_entry(said, kind, file_name or said.name or kind.value)}
    if kind.service == "baseEntry":
        params["type"] = kind.entry_type
    return dict(client.call(kind.service, "add", params))
