"""Verify the content of an entry: read it once more if the decision asks for that, then write the content mark.

An item is done when its entry carries the content mark. This module is the only one that writes that mark on an entry
that exists; ``entry_writes`` writes it on entries that are made from a full token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.ingest.decision import (
    Act,
    Ending,
    Wanted,
    decide_by_source,
    decide_replaced,
    decide_replacing,
)
from kaltura_provider.ingest.marks import content_mark

if TYPE_CHECKING:
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["verify"]


def verify(ledger: Ledger, wanted: Wanted, ending: Ending, settings: IngestSettings, now: float) -> Ending:
    """Return ``ending``, followed up: read the source flavor if it asks for that, and mark content that is verified.

    :param now: the server's time.
    """
    entry = ending.entry
    if entry is None:
        return ending
    if ending.act is Act.CHECK_SOURCE:
        ending = decide_by_source(wanted, entry, ledger.source_flavor(entry.id), settings)
    elif ending.act is Act.REPLACING and not entry.being_replaced:
        ending = decide_replaced(wanted, entry, ending.token, ledger.source_flavor(entry.id))
    elif ending.act is Act.REPLACING and entry.replacing_entry_id and ending.token is None:
        ending = decide_replacing(entry, ledger.entry(entry.replacing_entry_id), settings, now)
    if ending.act is Act.MARK:
        marked = ledger.write_marks(entry, wanted.item_id, content_mark(wanted.content_id))
        return Ending(Act.DONE, marked, ending.token, ending.note)
    return ending
