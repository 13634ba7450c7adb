"""Predicts from one search in Kaltura what an ingest would do with each item. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.api.threads import in_threads
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.recognition import with_known_content
from kaltura_provider.ingest.settings import IngestSettings, Redo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.marks import EntryView

__all__ = ["Forecast", "Outlook", "forecast"]

_ITEMS_A_SEARCH = 50
_SEARCHES_AT_ONCE = 4


class Outlook(StrEnum):
    """The prediction for an item."""

    NEW = "new"
    """It has no entry."""
    THERE = "there"
    """Its entry is READY and holds exactly these bytes, which have been verified."""
    CHANGED = "changed"
    """Its entry holds other content."""
    DELETED = "deleted"
    """Its entry was deleted in Kaltura."""
    UNDER_WAY = "under way"
    """It has an entry, and only the task can find out what is missing."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The prediction for ``item`` and the entry behind it. ``item`` has the identity that Kaltura knows it by."""

    item: SourceItem
    outlook: Outlook
    entry: EntryView | None = None


def forecast(
    client: KalturaClient, items: Sequence[SourceItem], *, settings: IngestSettings | None = None
) -> list[Forecast]:
    """Return a forecast for each item, in order, with one request per 50 items.

    The search index can lag and other runs can be active, so only ``prepare`` decides. An item that is ``THERE`` does
    not need ``prepare``, which would find the same.

    :raises KalturaConfigurationError: the session cannot see all entries.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    settings = settings or IngestSettings()
    if not items:
        return []
    ledger = Ledger(client, settings.clock)
    ledger.check_session()
    known = [[item, *filter(None, [item.elder()])] for item in items]
    ids = list(dict.fromkeys(one.item_id for spellings in known for one in spellings))
    parts = [ids[start : start + _ITEMS_A_SEARCH] for start in range(0, len(ids), _ITEMS_A_SEARCH)]
    looked: dict[str, list[EntryView]] = {}
    for found in in_threads(ledger.entries_of, parts, workers=_SEARCHES_AT_ONCE):
        looked |= found
    return [_of_item(spellings, looked, settings) for spellings in known]


def _of_item(spellings: Sequence[SourceItem], looked: dict[str, list[EntryView]], settings: IngestSettings) -> Forecast:
    item = next((one for one in reversed(spellings) if looked[one.item_id]), spellings[0])
    entries = looked[item.item_id]
    item = with_known_content(item, entries)
    present = [entry for entry in entries if not entry.deleted]
    if not present:
        deleted = next((entry for entry in entries if entry.is_item(item.item_id)), None)
        if deleted is not None and Redo.DELETED not in settings.redo:
            return Forecast(item, Outlook.DELETED, deleted)
        return Forecast(item, Outlook.NEW)
    return Forecast(item, _of_entry(item, present[0]) if len(present) == 1 else Outlook.UNDER_WAY, present[0])


def _of_entry(item: SourceItem, entry: EntryView) -> Outlook:
    if not entry.live or entry.content_id is None or entry.pending or entry.being_replaced:
        return Outlook.UNDER_WAY
    if entry.content_id != item.content_id:
        return Outlook.UNDER_WAY if entry.importing or entry.refused(item.content_id) else Outlook.CHANGED
    return Outlook.THERE if entry.status == EntryStatus.READY else Outlook.UNDER_WAY
