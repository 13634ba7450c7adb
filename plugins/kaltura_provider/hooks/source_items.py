"""Turns the ``source`` argument of a task into requests, and a request with its opened source into a source item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import presentable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.ingest.item import ItemRef, SourceItem
    from kaltura_provider.upload.sources.base import Source

__all__ = ["OpenedItem", "failed_source", "requested_item", "requested_items"]


_FIELDS = (
    "uri",
    "metadata",
    "identity",
    "version_id",
    "checksum",
    "sidecars",
    "metadata_digest",
    "metadata_file",
    "etag",
    "contents",
    "error",
)


@dataclass
class OpenedItem:
    """A request with its opened source and its source item, or with the ``error`` that stopped it."""

    request: dict[str, Any]
    source: Source | None = None
    item: SourceItem | None = None
    error: Exception | None = None

    def close(self) -> None:
        """Close the source, if it was opened."""
        if self.source is not None:
            self.source.close()


def requested_items(given: Sequence[Any]) -> list[dict[str, Any]]:
    """Return one mapping per request, with secrets in addresses encrypted.

    :raises SourceRefused: an address holds a secret, and Airflow has no Fernet key.
    """
    from kaltura_provider.hooks.sealing import seal_address

    items = [_request_of(item) for item in given]
    return [{**item, "uri": seal_address(str(item["uri"]))} for item in items]


def _request_of(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        return {"uri": item}
    # An item reference carries its request only where a later task needs it.
    return (item.get("request") or {"uri": item.get("uri")}) if "state" in item else item


def requested_item(request: dict[str, Any], source: Source) -> SourceItem:
    """Return the source item for a request and its source.

    A request has ``uri``, ``metadata``, ``identity``, ``version_id`` and, for a task that uploads, ``checksum`` and
    ``sidecars``.

    :raises ValueError: a field is unknown or has an invalid value; the message names the field.
    """
    from kaltura_provider.hooks.sealing import opened_address
    from kaltura_provider.hooks.sidecars import checked_sidecars
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.services.entry.content_kind import HEAD_LENGTH, kind_of_content
    from kaltura_provider.services.entry.kind import Kind, extension_of
    from kaltura_provider.services.entry.metadata import EntryMetadata

    if unknown := sorted(set(request) - set(_FIELDS)):
        raise ValueError(f"unknown field {', '.join(unknown)}: a source item has {', '.join(_FIELDS)}")
    checked_sidecars(request.get("sidecars"))
    metadata = EntryMetadata.from_dict(request.get("metadata") or {})
    if not metadata.media_type and not extension_of(source.name):
        # Neither the author nor the file name gives the type, so the first bytes decide.
        head = b"".join(source.read(0, min(source.size, HEAD_LENGTH)))
        kind = kind_of_content(head)
        # Plain text is not enough: a stray text file must not become a data entry.
        if kind not in (None, Kind.DATA):
            metadata = replace(metadata, media_type=kind.value)
    uri = str(request["uri"])
    return SourceItem(
        uri=uri,
        address=opened_address(uri),
        size=source.size,
        validator=source.validator,
        elder_validator=getattr(source, "elder_validator", ""),
        name=source.name,
        metadata=metadata,
        metadata_digest=str(request.get("metadata_digest") or ""),
        identity=request.get("identity"),
    )


def failed_source(uri: str, error: Exception) -> ItemRef:
    """Return the reference of a source that could not be opened."""
    from kaltura_provider.hooks.border import retry_helps
    from kaltura_provider.hooks.sources import shown_address
    from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState
    from kaltura_provider.upload.sources.errors import SourceError

    kind = ItemError.of(error).kind if isinstance(error, SourceError) else "source"
    return ItemRef(
        uri=uri,
        name=shown_address(uri).partition("?")[0].rsplit("/", 1)[-1],
        size=0,
        item_id="",
        content_id="",
        state=ItemState.FAILED,
        error=ItemError(kind, presentable(str(error), uri), retry_helps(error)),
    )
