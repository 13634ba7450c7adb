"""The decisions that need one more look at the entry's source, and writing down what that shows."""

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
from kaltura_provider.ingest.identity import content_mark
from kaltura_provider.ingest.marks import write_marks

if TYPE_CHECKING:
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["settle"]


def settle(ledger: Ledger, subject: Wanted, ending: Ending, settings: IngestSettings, now: float) -> Ending:
    """Follow a decision that asks for another look, and write the content mark once the bytes are verified.

    :param now: the server's time.
    """
    entry = ending.entry
    if entry is None:
        return ending
    if ending.act is Act.CHECK_SOURCE:
        ending = decide_by_source(subject, entry, ledger.source_flavor(entry.id), settings)
    elif ending.act is Act.REPLACING and not entry.being_replaced:
        ending = decide_replaced(subject, entry, ending.token, ledger.source_flavor(entry.id))
    elif ending.act is Act.REPLACING and entry.replacing_entry_id and ending.token is None:
        ending = decide_replacing(entry, ledger.entry(entry.replacing_entry_id), settings, now)
    if ending.act is Act.MARK:
        marked = write_marks(ledger, entry, subject.asset, content_mark(subject.content))
        return Ending(Act.DONE, marked, ending.token, ending.note)
    return ending
