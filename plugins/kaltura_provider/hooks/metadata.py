"""Gives entries the metadata that has arrived or changed at the source since they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.ingest.item import ItemError, ItemRef
    from kaltura_provider.ingest.metadata_state import OnMetadataChange
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["MetadataSender"]

# Of an entry that is there, these stay as they are.
_FIXED = ("media_type", "conversion_profile_id", "template_entry_id", "parent_entry_id")


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
        from kaltura_provider.ingest.failures import describe
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.mark_writes import MarkLostError

        wanted = request.get("metadata_digest")
        if not wanted or ref.entry_id is None or ref.state is ItemState.FAILED:
            return ref
        try:
            error = self._applied(ref, ref.entry_id, str(wanted), request.get("metadata") or {})
        except (KalturaError, MarkLostError) as trouble:
            error = describe(trouble)
        return ref.failed(error) if error else ref

    def _applied(self, ref: ItemRef, entry_id: str, wanted: str, metadata: Mapping[str, Any]) -> ItemError | None:
        from kaltura_provider.ingest.item import ItemError
        from kaltura_provider.ingest.ledger import Ledger
        from kaltura_provider.ingest.mark_writes import add_marks
        from kaltura_provider.ingest.marks import metadata_mark
        from kaltura_provider.ingest.metadata_state import MetadataState, OnMetadataChange, has_file, metadata_state
        from kaltura_provider.services.entry.changes import update_entry

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
        has_it = ref.made or (self._on_change is OnMetadataChange.FAIL and not has_file(wanted))
        up_to_date = state is MetadataState.UNKNOWN and has_it
        changes = {name: value for name, value in metadata.items() if name not in _FIXED}
        if changes and not up_to_date:
            update_entry(self._calls, entry_id, changes)
        add_marks(ledger, entry_id, metadata_mark(wanted))
        return None
