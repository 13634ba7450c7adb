"""What a run says it wrote is compared with what Kaltura stored; a difference is a note, never a failure."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.ingest.entry_writes import entry_object
from kaltura_provider.services.entry.stored import bounded, differences, stored_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.model import ItemRef, SourceItem

__all__ = ["with_notes"]

log = logging.getLogger("kaltura_provider.ingest")


def with_notes(client: KalturaClient, made: Sequence[tuple[SourceItem, ItemRef]]) -> list[ItemRef]:
    """Return the references of entries just made, with notes on what of their texts is not stored as it was said.

    Costs one call for all of them. Where Kaltura cannot be asked, nothing is said.
    """
    try:
        stored = stored_entries(client, [ref.entry_id for _, ref in made if ref.entry_id])
    except KalturaError as error:
        log.warning("what was stored of %d entries could not be read: %s", len(made), error)
        stored = {}
    return [_noted(ref, _notes(asset, stored.get(ref.entry_id or ""))) for asset, ref in made]


def _notes(asset: SourceItem, stored: dict[str, object] | None) -> list[str]:
    notes = bounded(asset.metadata)[1]
    if stored is not None:
        notes += differences(entry_object(asset, ()), stored).values()
    return notes


def _noted(ref: ItemRef, notes: list[str]) -> ItemRef:
    if not notes:
        return ref
    return ref.to(ref.state, note="; ".join(([ref.note] if ref.note else []) + notes))
