"""Whether the metadata of an item at its source has been applied to its entry: a digest that is a mark on the entry.

The digest has two parts. The first says which metadata file the item has, the second what the metadata is: a metadata
file that arrives later is always applied, while ``on_metadata_change`` decides about metadata that has changed.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.ingest.addresses import canonical_uri
from kaltura_provider.ingest.identity import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MetadataState", "OnMetadataChange", "has_file", "metadata_digest", "metadata_state"]

_NO_FILE = "0"
_LENGTH = 12


class OnMetadataChange(StrEnum):
    """What to do with an entry whose metadata has changed at the source since it was applied."""

    KEEP = "keep"
    UPDATE = "update"
    FAIL = "fail"


class MetadataState(StrEnum):
    """What to do with the metadata of an entry."""

    APPLIED = "applied"
    """Nothing: it was applied, or a change is to be ignored."""
    UNKNOWN = "unknown"
    """Nothing says which metadata the entry was given."""
    ARRIVED = "arrived"
    """The metadata file has arrived since: it is applied."""
    CHANGED = "changed"
    """It has changed since, and the change is to be applied or refused."""


def metadata_digest(metadata: Mapping[str, Any], file: Mapping[str, Any] | None) -> str:
    """Return the digest of the metadata of an item.

    :param metadata: what the feed says, without the contents of the file.
    :param file: ``uri``, ``size`` and ``etag`` of the metadata file, if there is one.
    """
    said = digest("metadata", json.dumps(metadata, sort_keys=True, default=str), *_contents(file))
    name = digest("metadata file", canonical_uri(file["uri"]))[:_LENGTH] if file else _NO_FILE
    return f"{name}-{said[:_LENGTH]}"


def _contents(file: Mapping[str, Any] | None) -> tuple[str, ...]:
    return (str(file["size"]), str(file["etag"])) if file else ()


def has_file(known: str) -> bool:
    """Return whether a digest is of metadata with a metadata file."""
    return not known.startswith(f"{_NO_FILE}-")


def metadata_state(applied: str | None, wanted: str, on_change: OnMetadataChange) -> MetadataState:
    """Compare the digest on an entry with that of the source.

    :param applied: the digest on the entry, if there is one.
    """
    if applied == wanted:
        return MetadataState.APPLIED
    if applied is None:
        return MetadataState.UNKNOWN
    if has_file(wanted) and wanted.partition("-")[0] != applied.partition("-")[0]:
        return MetadataState.ARRIVED
    return MetadataState.APPLIED if on_change is OnMetadataChange.KEEP else MetadataState.CHANGED
