"""What to do about one item, given what the ledger shows. The decision is pure: nothing here makes a call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus, FlavorAssetStatus, ReplacementStatus, UploadTokenStatus
from kaltura_provider.ingest.item import ItemError, ItemState
from kaltura_provider.ingest.settings import IfExists, Redo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.ingest.ledger import TokenView
    from kaltura_provider.ingest.marks import EntryView
    from kaltura_provider.ingest.settings import IngestSettings
    from kaltura_provider.services.flavor_asset import FlavorAsset

__all__ = [
    "CHANGED_NOTE",
    "NEEDS_CLAIM",
    "STATES",
    "Act",
    "Ending",
    "Wanted",
    "chosen_entry",
    "clear_first",
    "decide",
    "decide_by_source",
    "decide_replaced",
    "decide_replacing",
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the decision is about: the item, the content its entry must hold, and the size of that content."""

    item_id: str
    content_id: str
    size: int


class Act(StrEnum):
    """What to do next. The first group needs no claim, the second does, the third clears the way for another look."""

    DONE = "done"
    MARK = "mark"  # the bytes are verified: write the content mark
    CHECK_SOURCE = "check source"  # no token shows what it holds: compare the source flavor
    SEND = "send"
    SENT = "sent"
    IMPORTING = "importing"
    REPLACING = "replacing"
    SKIP = "skip"
    FAIL = "fail"

    CREATE = "create"
    REUSE = "reuse"  # there is an empty entry
    REPLACE = "replace"

    WAIT = "wait"  # another process is working on it
    ASK_OTHER = "ask other"  # other content of this item is on its way into the entry
    DROP_TOKEN = "drop token"  # noqa: S105 it is useless; without it its entry is empty again
    DROP_ENTRY = "drop entry"  # it would wait forever and takes no content
    DROP_REPLACEMENT = "drop replacement"  # it waits for content whose token is gone


CHANGED_NOTE = "changed at source; the entry keeps its content"
NEEDS_CLAIM = frozenset({Act.CREATE, Act.REUSE, Act.REPLACE})
STATES = {
    Act.DONE: ItemState.DONE,
    Act.SEND: ItemState.SEND,
    Act.SENT: ItemState.SENT,
    Act.IMPORTING: ItemState.IMPORTING,
    Act.REPLACING: ItemState.REPLACING,
    Act.SKIP: ItemState.SKIPPED,
    Act.FAIL: ItemState.FAILED,
}
"""The state of an item's reference after the acts that need no further step."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A decision: what to do, and the entry and token to do it with."""

    act: Act
    entry: EntryView | None = None
    token: TokenView | None = None
    note: str | None = None
    error: ItemError | None = None


def clear_first(ending: Ending, tokens: Sequence[TokenView]) -> Ending:
    """Return ``ending``, or the decision to drop a token that is in the way of the claim that ``ending`` needs.

    Such a token has the name of this content and is attached, but not to an entry that waits for it.
    """
    if ending.act in NEEDS_CLAIM and tokens:
        return Ending(Act.DROP_TOKEN, ending.entry, tokens[0])
    return ending


def chosen_entry(wanted: Wanted, entries: Sequence[EntryView], tokens: Sequence[TokenView] = ()) -> EntryView | None:
    """Choose one of several entries of an item; ``None`` if all are deleted.

    An entry with this content comes first, then one with any content, then a waiting one, then an empty one. Among
    equals the oldest wins, so that every process chooses the same entry.
    """
    named = {token.entry_id for token in tokens}

    def rank(entry: EntryView) -> tuple[int, int, bool, str]:
        if entry.live:
            order = 0 if entry.content_id == wanted.content_id else 1 if entry.content_id else 2
        else:
            order = 3 if entry.waiting else 4
        return order, entry.created_at, entry.id not in named, entry.id

    return min((entry for entry in entries if not entry.deleted), key=rank, default=None)


def decide(
    wanted: Wanted,
    entries: Sequence[EntryView],
    tokens: Sequence[TokenView],
    settings: IngestSettings,
    now: float,
) -> Ending:
    """Decide about one item.

    :param entries: its entries as the database has them. :param tokens: the attached tokens of this content's name,
        with their entries resolved. :param now: the server's time.
    """
    entry = chosen_entry(wanted, entries, tokens)
    if entry is None:
        return _no_entry(wanted, entries, settings)
    mine = [token for token in tokens if token.entry_id == entry.id]
    if entry.refused(wanted.content_id) and Redo.REFUSED not in settings.redo:
        return Ending(Act.FAIL, entry, error=_refused(entry))
    if entry.empty:
        other = (entry.pending or entry.importing or wanted.content_id) != wanted.content_id
        if other and now - entry.updated_at < settings.grace:
            # A process with another version has just made it, and is about to use or to delete it.
            return Ending(Act.WAIT, entry)
        return Ending(Act.REUSE, entry)
    if entry.waiting:
        return _waiting(wanted, entry, mine, settings, now)
    if entry.content_id == wanted.content_id:
        return Ending(Act.DONE, entry)
    if entry.pending == wanted.content_id and entry.content_id:
        # Once the contents are swapped, the token names a flavor that no longer exists.
        lost = [token for token in tokens if token.entry_id is None]
        return _replacement(entry, mine or lost, settings, now)
    whole = [token for token in mine if token.filled and token.uploaded == wanted.size]
    if whole and entry.content_id is None and not entry.being_replaced:
        # The entry's own token proves more than a pending mark, which a worker on another version may have written.
        return Ending(Act.MARK, entry, whole[0])
    held = entry.content_id or entry.pending or entry.importing
    if held and held != wanted.content_id:
        return _changed(entry, settings)
    return _unverified(wanted, entry, mine, settings)


def _no_entry(wanted: Wanted, entries: Sequence[EntryView], settings: IngestSettings) -> Ending:
    deleted = [entry for entry in entries if entry.is_item(wanted.item_id)]
    if deleted and Redo.DELETED not in settings.redo:
        last = max(deleted, key=lambda entry: entry.updated_at)
        return Ending(Act.SKIP, last, note="deleted in Kaltura; use redo: deleted to ingest it again")
    return Ending(Act.CREATE)


def _refused(entry: EntryView) -> ItemError:
    text = f"Kaltura refused the type of this file before (entry {entry.id}); use redo: refused to try again"
    return ItemError("refused", text)


def _waiting(
    wanted: Wanted, entry: EntryView, mine: Sequence[TokenView], settings: IngestSettings, now: float
) -> Ending:
    """Decide about an entry that waits for a token or an import."""
    settled = now - entry.updated_at >= settings.grace
    if mine:
        return _waiting_for(entry, mine[0], settings, now)
    if entry.importing == wanted.content_id:
        return Ending(Act.IMPORTING, entry)
    if entry.importing or (entry.pending and entry.pending != wanted.content_id):
        return Ending(Act.ASK_OTHER, entry)
    if settled and entry.pending and not entry.adopted:
        return Ending(Act.DROP_ENTRY, entry, note="its upload token was lost: it would have waited forever")
    if settled:
        text = (
            f"entry {entry.id} waits for an upload that left no mark; let it finish, or delete the entry in Kaltura"
        )  # fmt: skip
        return Ending(Act.FAIL, entry, error=ItemError("waiting", text, retry_helps=True))
    return Ending(Act.WAIT, entry)


def _waiting_for(entry: EntryView, token: TokenView, settings: IngestSettings, now: float) -> Ending:
    age = now - token.updated_at
    if token.status == UploadTokenStatus.PARTIAL_UPLOAD and age > settings.max_resume_age:
        return Ending(Act.DROP_TOKEN, entry, token, note="its upload was interrupted for too long to be resumed")
    if token.open:
        return Ending(Act.SEND, entry, token)
    if age < settings.grace:
        return Ending(Act.SENT, entry, token)
    if token.status == UploadTokenStatus.CLOSED and not entry.adopted:
        return Ending(Act.DROP_ENTRY, entry, token, note="its token was used elsewhere: it would wait forever")
    return Ending(Act.DROP_TOKEN, entry, token, note="Kaltura did not take over its bytes")


def _replacement(entry: EntryView, mine: Sequence[TokenView], settings: IngestSettings, now: float) -> Ending:
    """Decide about an entry whose content is to be replaced by this one."""
    token = mine[0] if mine else None
    if token is not None and token.open and entry.being_replaced:
        if token.status == UploadTokenStatus.PARTIAL_UPLOAD and now - token.updated_at > settings.max_resume_age:
            return Ending(Act.DROP_TOKEN, entry, token)
        return Ending(Act.SEND, entry, token)
    if entry.replacement == ReplacementStatus.FAILED:
        text = f"Kaltura could not convert the new content of entry {entry.id}; cancel the replacement in Kaltura"
        return Ending(Act.FAIL, entry, error=ItemError("replacement_failed", text))
    if entry.being_replaced or (token is not None and token.filled):
        return Ending(Act.REPLACING, entry, token)
    if token is not None:
        return Ending(Act.DROP_TOKEN, entry, token, note="its replacement was cancelled")
    return _changed(entry, settings)


def _changed(entry: EntryView, settings: IngestSettings) -> Ending:
    """Decide about an entry that holds other content of this item."""
    if settings.if_exists is IfExists.SKIP:
        return Ending(Act.SKIP, entry, note=CHANGED_NOTE)
    if settings.if_exists is IfExists.FAIL:
        text = f"entry {entry.id} holds other content of this item; use if_exists: replace to replace it"
        return Ending(Act.FAIL, entry, error=ItemError("changed", text))
    if entry.being_replaced:
        text = f"entry {entry.id} is already being replaced; wait for that, or approve or cancel it in Kaltura"
        return Ending(Act.FAIL, entry, error=ItemError("replacement", text, retry_helps=True))
    return Ending(Act.REPLACE, entry)


def _unverified(wanted: Wanted, entry: EntryView, mine: Sequence[TokenView], settings: IngestSettings) -> Ending:
    """Decide about an entry with content that was never verified."""
    if entry.importing and entry.status == EntryStatus.ERROR_IMPORTING:
        if Redo.FAILED in settings.redo and not entry.adopted:
            return Ending(Act.DROP_ENTRY, entry, note="its import failed")
        text = f"Kaltura could not fetch the file (entry {entry.id}); correct the URL and use redo: failed"
        return Ending(Act.FAIL, entry, error=ItemError("import_failed", text))
    filled = [token for token in mine if token.filled]
    if not filled:
        return Ending(Act.CHECK_SOURCE, entry)
    return _short(wanted, entry, filled[0].uploaded, settings, filled[0])


def _short(
    wanted: Wanted, entry: EntryView, held: int | None, settings: IngestSettings, token: TokenView | None = None
) -> Ending:
    """Decide about an entry that holds another number of bytes than the source."""
    if settings.if_exists is IfExists.REPLACE:
        if entry.being_replaced:
            return Ending(Act.REPLACING, entry, token)
        return Ending(Act.REPLACE, entry)
    text = f"entry {entry.id} holds {held} bytes, the source has {wanted.size}; use if_exists: replace to send it again"
    # Without a token of its own, the bytes may be of another version whose worker has not marked them yet.
    return Ending(Act.FAIL, entry, error=ItemError("size_mismatch", text, retry_helps=token is None))


def decide_by_source(wanted: Wanted, entry: EntryView, source: FlavorAsset | None, settings: IngestSettings) -> Ending:
    """Decide by its source flavor about an entry with content that has no token.

    Content that was verified once, or that this package did not send, is never sent again because of its size: people
    remove and edit sources inside Kaltura.
    """
    if source is not None and source.size == wanted.size:
        return Ending(Act.MARK, entry)
    fetching = source is not None and (source.status == FlavorAssetStatus.IMPORTING or not source.size)
    if fetching and entry.importing == wanted.content_id:
        return Ending(Act.IMPORTING, entry)
    never_verified = wanted.content_id in (entry.pending, entry.importing) and not entry.adopted
    if never_verified and source is not None and source.size:
        return _short(wanted, entry, source.size, settings)
    if source is None:
        return Ending(Act.DONE, entry, note="it has no source flavor in Kaltura, or it was removed there")
    return Ending(
        Act.DONE, entry, note=f"its source in Kaltura has {source.size} bytes, not {wanted.size}; the entry is kept"
    )


def decide_replacing(entry: EntryView, temporary: EntryView | None, settings: IngestSettings, now: float) -> Ending:
    """Decide about a replacement that has no token.

    :param temporary: the entry that holds the new content until the contents are swapped.
    """
    if temporary is not None and (temporary.live or temporary.waiting):
        return Ending(Act.REPLACING, entry)
    if temporary is not None and now - temporary.updated_at < settings.grace:
        return Ending(Act.WAIT, entry)
    return Ending(Act.DROP_REPLACEMENT, entry, note="the upload of its new content was abandoned")


def decide_replaced(wanted: Wanted, entry: EntryView, token: TokenView | None, source: FlavorAsset | None) -> Ending:
    """Decide whether a replacement that has ended was completed or cancelled."""
    since = token.created_at if token else 0
    if source is not None and source.size == wanted.size and source.updated_at >= since:
        return Ending(Act.MARK, entry, token)
    if token is not None:
        return Ending(Act.DROP_TOKEN, entry, token, note="its replacement was cancelled in Kaltura")
    return Ending(Act.SKIP, entry, note="its replacement was cancelled in Kaltura")
