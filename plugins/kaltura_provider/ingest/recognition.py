"""Recognize an existing entry that was made under an older identity, or by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.ingest.marks import ADOPTED_MARK, item_mark
from kaltura_provider.ingest.settings import AdoptBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.marks import EntryView
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["adopt", "recognised", "with_known_content"]


def recognised(ledger: Ledger, items: Sequence[SourceItem]) -> list[SourceItem]:
    """Return ``items``; those that Kaltura knows by the item id of formula ``kai1`` keep that id.

    All further work on such an item uses that id, so that it has one entry in whatever state it was left. Most
    addresses have the same id under both formulas, and need no call.

    :raises KalturaError: Kaltura refused or did not answer.
    """
    elders: dict[str, list[SourceItem]] = {}
    for item in items:
        if elder := item.elder():
            elders.setdefault(item.item_id, []).append(elder)
    if not elders:
        return list(items)
    every = list(dict.fromkeys(elder.item_id for spellings in elders.values() for elder in spellings))
    entries = ledger.entries_of(every, thorough=True)
    known = {
        name: elder
        for name, spellings in elders.items()
        for elder in spellings
        if entries[elder.item_id] or _begun(ledger, elder)
    }
    return [known.get(item.item_id, item) for item in items]


def _begun(ledger: Ledger, item: SourceItem) -> bool:
    """Whether the item has a token, whose entry searches may not show yet."""
    return bool(ledger.tokens_of([item.token_name, item.file_token_name, item.claim_name])[0])


def with_known_content(item: SourceItem, entries: Iterable[EntryView]) -> SourceItem:
    """Return ``item``, with the content id of its elder validator if one of its entries has that."""
    elder = item.elder_content()
    if elder is None:
        return item
    for entry in entries:
        if elder.content_id in (entry.content_id, entry.pending, entry.importing) or entry.refused(elder.content_id):
            return elder
    return item


def adopt(ledger: Ledger, item: SourceItem, settings: IngestSettings) -> bool:
    """Take over the entry that has the item's reference id or name, as ``adopt_by`` says; return whether there is one.

    :raises ValueError: several entries match, so a person must choose; or the item has no reference id.
    """
    if settings.adopt_by is None:
        return False
    value = item.metadata.reference_id
    if settings.adopt_by is AdoptBy.NAME:
        value = item.metadata.name or item.name
    if not value:
        raise ValueError("adopt_by: reference needs a reference_id in the metadata")
    found = [
        entry
        for entry in ledger.entries_like(settings.adopt_by, value)
        if not entry.deleted and not entry.has_item_mark
    ]
    if len(found) > 1:
        ids = ", ".join(entry.id for entry in found[:5])
        raise ValueError(
            f"{len(found)} entries have the {settings.adopt_by} {value!r} ({ids}): add the adminTag "
            f"{item_mark(item.item_id)} to one of them by hand, or leave out adopt_by"
        )
    if not found:
        return False
    ledger.write_marks(found[0], item.item_id, ADOPTED_MARK)
    return True
