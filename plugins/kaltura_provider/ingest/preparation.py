"""Prepare a list of items: each gets its one entry, and a token if Kaltura does not have its bytes yet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.rounds import in_rounds
from kaltura_provider.api.sharing import SharedCalls
from kaltura_provider.ingest.bulk import BulkQueue
from kaltura_provider.ingest.entry_writes import entry_object
from kaltura_provider.ingest.item import ItemRef, ItemState
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.protocol import ItemWork
from kaltura_provider.ingest.recognition import recognised, with_known_content
from kaltura_provider.ingest.removal import clear_full_tokens
from kaltura_provider.ingest.settings import IngestSettings, Transfer
from kaltura_provider.services.entry.stored import bounded, differences, stored_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.marks import EntryView

__all__ = ["prepare"]

log = logging.getLogger("kaltura_provider.ingest")

_LEFT = (ItemState.SKIPPED, ItemState.FAILED)


def prepare(
    client: KalturaClient,
    items: Sequence[SourceItem],
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    known: Mapping[str, str] | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
) -> list[ItemRef]:
    """Return one reference per item, in the same order. An item that is listed twice is processed once.

    An item that fails is returned in state ``failed`` and does not stop the others. Items that are complete in Kaltura
    need no further calls. Up to 25 of the others are processed at once, and share requests.

    :param known: the tokens that an earlier attempt of this task created, by item id.
    :param on_ref: called with the reference as soon as a token or entry id exists, so that the next
        attempt can use it. It is called from several threads if there are several items.
    :raises KalturaConfigurationError: the session cannot do this for any item.
    :raises KalturaError: Kaltura refused or did not answer.
    """
    settings = (settings or IngestSettings()).of_one_run()
    calls = SharedCalls(client)
    ledger = Ledger(calls, settings.clock)
    ledger.check_session()
    items = recognised(ledger, items)
    distinct = {item.item_id: item for item in items}
    looked = ledger.entries_of(list(distinct)) if distinct else {}
    distinct = {key: with_known_content(item, looked[key]) for key, item in distinct.items()}
    before = {key: _surely_in(item, looked[key], settings) for key, item in distinct.items()}
    done = {key: ref for key, ref in before.items() if ref is not None}
    clear_full_tokens(ledger, [distinct[key] for key in done])
    others = [key for key in distinct if key not in done]
    seen = ledger.entries_of(others, thorough=True) if others else {}
    queue = BulkQueue(client, settings) if settings.transfer is Transfer.BULK else None
    works = [
        ItemWork(
            item, ledger, settings, observer or Observer(), known=(known or {}).get(key), on_ref=on_ref,
            looked=seen[key], queue=queue,
        )
        for key, item in ((key, distinct[key]) for key in others)
    ]  # fmt: skip
    worked = {
        ref.item_id: ref for ref in in_rounds(calls, settings.clock, works, between=queue.work if queue else None)
    }
    new = [(distinct[key], ref) for key, ref in worked.items() if ref.made and ref.state not in _LEFT]
    if new:
        worked |= {ref.item_id: ref for ref in _with_notes(client, new)}
    done |= worked
    return [done[item.item_id] for item in items]


def _surely_in(item: SourceItem, entries: Sequence[EntryView], settings: IngestSettings) -> ItemRef | None:
    """Return the reference of an item that has exactly one entry, which holds its verified content."""
    present = [entry for entry in entries if not entry.deleted]
    if len(present) != 1:
        return None
    entry = present[0]
    if not entry.live or entry.content_id != item.content_id or entry.pending or entry.status == EntryStatus.IMPORT:
        return None
    return ItemRef.of(
        item, ItemState.DONE, entry_id=entry.id, entry_status=entry.status, made=entry.made_by(settings.run),
        metadata_digest=entry.metadata,
    )  # fmt: skip


def _with_notes(client: KalturaClient, made: Sequence[tuple[SourceItem, ItemRef]]) -> list[ItemRef]:
    """Read new entries back, and note on their references which texts Kaltura stored differently.

    This takes one call for all entries. A difference is never a failure. If the call fails, there are no notes.
    """
    try:
        stored = stored_entries(client, [ref.entry_id for _, ref in made if ref.entry_id])
    except KalturaError as error:
        log.warning("cannot compare %d new entries with what Kaltura stored: %s", len(made), error)
        stored = {}
    return [_noted(ref, _notes(item, stored.get(ref.entry_id or ""))) for item, ref in made]


def _notes(item: SourceItem, stored: dict[str, object] | None) -> list[str]:
    notes = bounded(item.metadata)[1]
    if stored is not None:
        notes += differences(entry_object(item, ()), stored).values()
    return notes


def _noted(ref: ItemRef, notes: list[str]) -> ItemRef:
    if not notes:
        return ref
    return ref.to(ref.state, note="; ".join(([ref.note] if ref.note else []) + notes))
