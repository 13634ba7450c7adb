"""Gives entries the metadata that has arrived or changed at the source since they were made.

A mark on the entry holds the digest of the metadata that was applied. The digest has two parts, and three if the item
has a metadata file. The first says which metadata file that is, the second what the metadata is, and the third what the
file holds: a metadata file that arrives later is always applied, while ``on_metadata_change`` decides about metadata
that has changed.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.ingest.item import ItemError, ItemRef
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["MetadataSender", "MetadataState", "OnMetadataChange", "metadata_digest", "metadata_state", "was_given"]

# Of an entry that is there, these stay as they are.
_FIXED = ("media_type", "conversion_profile_id", "template_entry_id", "parent_entry_id")
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
    from kaltura_provider.ingest.identity import canonical_uri, digest

    said = digest("metadata", json.dumps(metadata, sort_keys=True, default=str), *_contents(file))
    name = digest("metadata file", canonical_uri(file["uri"]))[:_LENGTH] if file else _NO_FILE
    contents = f"-{digest('metadata contents', *_contents(file))[:_LENGTH]}" if file else ""
    return f"{name}-{said[:_LENGTH]}{contents}"


def _contents(file: Mapping[str, Any] | None) -> tuple[str, ...]:
    return (str(file["size"]), str(file["etag"])) if file else ()


def _has_file(known: str) -> bool:
    """Return whether a digest is of metadata with a metadata file."""
    return not known.startswith(f"{_NO_FILE}-")


def metadata_state(applied: str | None, wanted: str, on_change: OnMetadataChange) -> MetadataState:
    """Compare the digest on an entry with that of the source.

    :param applied: the digest on the entry, if there is one.
    """
    if applied is None:
        return MetadataState.UNKNOWN
    # The digests that older versions wrote have two parts.
    if applied.split("-")[:2] == wanted.split("-")[:2]:
        return MetadataState.APPLIED
    # A file that is gone may have been moved or deleted after it was used, before its media file.
    if _has_file(applied) and not _has_file(wanted):
        return MetadataState.APPLIED
    if _has_file(wanted) and wanted.partition("-")[0] != applied.partition("-")[0]:
        return MetadataState.ARRIVED
    return MetadataState.APPLIED if on_change is OnMetadataChange.KEEP else MetadataState.CHANGED


def was_given(applied: str | None, wanted: str) -> bool:
    """Return whether an entry was given what the metadata file of its item holds.

    :param applied: the digest on the entry, if there is one. :param wanted: the digest of the source.
    """
    theirs, ours = (applied or "").split("-"), wanted.split("-")
    if len(theirs) < len(ours):  # an older version wrote it
        return theirs == ours[:2]
    return (theirs[0], theirs[-1]) == (ours[0], ours[-1])


class MetadataSender:
    """Applies the metadata of items to their entries. The items of a batch share requests."""

    def __init__(self, hook: KalturaHook, on_change: OnMetadataChange, settings: IngestSettings) -> None:
        from kaltura_provider.api.sharing import SharedCalls

        self._calls = SharedCalls(hook.get_conn())
        self._on_change = on_change
        self._settings = settings

    def apply_all(self, refs: Sequence[ItemRef], requests: Sequence[Mapping[str, Any]]) -> list[ItemRef]:
        """Do for each item of a batch what :meth:`apply` does."""
        return self._calls.run(self.apply, refs, requests)

    def apply(self, ref: ItemRef, request: Mapping[str, Any]) -> ItemRef:
        """Update the entry if that is due, and note on it which metadata it was given.

        A field that the source no longer gives stays as it is.

        :param request: ``metadata``, and ``metadata_digest``; without it, nothing is done.
        :return: the reference; failed if Kaltura refuses, or if a change is to fail.
        """
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.ingest.item import ItemError, ItemState
        from kaltura_provider.ingest.marks import MarkLostError

        wanted = request.get("metadata_digest")
        if not wanted or ref.entry_id is None or ref.state is ItemState.FAILED:
            return ref
        try:
            error = self._applied(ref, ref.entry_id, str(wanted), request.get("metadata") or {})
        except (KalturaError, MarkLostError) as trouble:
            error = ItemError.of(trouble)
        return ref.failed(error) if error else ref

    def _applied(self, ref: ItemRef, entry_id: str, wanted: str, metadata: Mapping[str, Any]) -> ItemError | None:
        from kaltura_provider.ingest.item import ItemError
        from kaltura_provider.ingest.ledger import Ledger
        from kaltura_provider.ingest.marks import metadata_mark
        from kaltura_provider.services.entry.changes import update_entry

        if metadata_state(ref.metadata_digest, wanted, self._on_change) is MetadataState.APPLIED:
            return None
        ledger = Ledger(self._calls, self._settings.clock)
        entry = ledger.entry(entry_id)
        if entry is None:
            return None
        state = metadata_state(entry.metadata, wanted, self._on_change)
        if state is MetadataState.APPLIED:
            return None
        if state is MetadataState.CHANGED and self._on_change is OnMetadataChange.FAIL:
            text = f"the metadata of {ref.uri} has changed since entry {entry_id} got it (on_metadata_change: fail)"
            return ItemError("metadata_changed", text)
        # An entry that this run made has its metadata from the start.
        has_it = ref.made or (self._on_change is OnMetadataChange.FAIL and not _has_file(wanted))
        up_to_date = state is MetadataState.UNKNOWN and has_it
        changes = {name: value for name, value in metadata.items() if name not in _FIXED}
        if changes and not up_to_date:
            update_entry(self._calls, entry_id, changes)
        ledger.add_marks(entry_id, metadata_mark(wanted))
        return None
