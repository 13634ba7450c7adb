"""Who may delete an entry, and which tokens are deleted after the content is complete.

Every delete of an entry goes through :func:`discard_entry`. It deletes only entries that this package made for the item
and that hold no content. Entries with content, adopted entries and entries without our marks are never deleted. (The
one exception is in ``entry_writes``: an entry whose marks the server dropped on creation is deleted at once, because
it could not be found again.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.api.errors import KalturaNotFoundError
from kaltura_provider.ingest.decision import chosen_entry
from kaltura_provider.ingest.marks import released_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.ingest.decision import Wanted
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger, TokenView
    from kaltura_provider.ingest.marks import EntryView

__all__ = ["clear_empty", "clear_extras", "clear_full_tokens", "discard_entry", "without_released"]


def discard_entry(ledger: Ledger, entry_id: str, item_id: str, *, stuck_too: bool = False) -> bool:
    """Delete an entry of ours without content, after reading it once more. Return whether it is gone.

    The item mark is replaced by the released mark first, so the entry does not look like one that a person deleted.
    If the delete is lost after that, the next run of the item finds the released mark and deletes the entry.

    :param stuck_too: also delete an entry that waits for content that can never come, or whose import failed.
    """
    entry = ledger.entry(entry_id)
    if entry is None or entry.deleted:
        return True
    stuck = entry.waiting or entry.status == EntryStatus.ERROR_IMPORTING
    hopeless = entry.empty or (stuck_too and stuck and entry.content_id is None)
    ours = entry.is_item(item_id) or released_mark(item_id) in entry.admin_tags
    if not hopeless or entry.adopted or not ours:
        return False
    try:
        if entry.is_item(item_id):
            ledger.write_tags(entry_id, entry.released_tags(item_id))
        ledger.client.call("baseEntry", "delete", {"entryId": entry_id}, repeatable=True)
    except KalturaNotFoundError:
        return True
    return True


def without_released(ledger: Ledger, item_id: str, entries: Iterable[EntryView]) -> list[EntryView]:
    """Return the entries of an item. Those that an interrupted process was about to delete are deleted."""
    kept = []
    for entry in entries:
        if entry.released(item_id):
            discard_entry(ledger, entry.id, item_id, stuck_too=True)
        else:
            kept.append(entry)
    return kept


def clear_empty(ledger: Ledger, item_id: str, entries: Iterable[EntryView]) -> None:
    """Delete those of an item's entries that hold nothing."""
    for entry in entries:
        if entry.empty:
            discard_entry(ledger, entry.id, item_id)


def clear_extras(ledger: Ledger, wanted: Wanted, entries: Sequence[EntryView], attached: Sequence[TokenView]) -> None:
    """Delete entries of an item beside the chosen one that hold no content, and the tokens that they wait for."""
    chosen = chosen_entry(wanted, entries, attached)
    for entry in entries:
        if chosen is None or entry.id == chosen.id or entry.deleted or entry.live:
            continue
        for token in attached:
            if token.entry_id == entry.id:
                ledger.delete_token(token.id)
        discard_entry(ledger, entry.id, wanted.item_id)


def clear_full_tokens(ledger: Ledger, items: Iterable[SourceItem]) -> None:
    """Delete full tokens that interrupted runs left, of items whose content is complete.

    They exist only for items whose bytes are uploaded before the entry is made; elsewhere a full token belongs to its
    entry. Tokens that are not full are left to housekeeping, because another process may still be filling them.
    """
    names = [item.file_token_name for item in items if not item.attaches_first]
    if not names:
        return
    tokens, _ = ledger.tokens_of(names)
    for token in tokens:
        if token.unused:
            ledger.delete_token(token.id)
