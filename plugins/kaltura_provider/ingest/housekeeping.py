"""Housekeeping: find what interrupted runs left behind, by marks and token names, and delete it on request."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.api.errors import KalturaError
from kaltura_provider.ingest.identity import parse_token_name
from kaltura_provider.ingest.ledger import Ledger, TokenView
from kaltura_provider.ingest.marks import MADE_MARK, EntryView, item_mark, released_mark
from kaltura_provider.ingest.removal import discard_entry
from kaltura_provider.ingest.settings import Clock
from kaltura_provider.services.entry.listing import walk
from kaltura_provider.services.paging import list_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["Leftover", "find_leftovers", "remove_leftovers"]

DAY = 86400.0
_OPEN = "0,1,2"
_EMPTY = "0,7"
_IN_USE = "it is in use again"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A token or entry of this package that no process seems to need.

    ``kind`` is ``token`` or ``entry``; ``age`` is the time since the last change in seconds. :func:`remove_leftovers`
    sets ``removed``, and ``problem`` if it did not remove it.
    """

    kind: str
    id: str
    item_id: str
    age: float
    reason: str
    name: str = ""
    removed: bool = False
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def find_leftovers(client: KalturaClient, *, older_than: float = DAY, clock: Clock | None = None) -> list[Leftover]:
    """Return tokens and entries of this package that have not changed for ``older_than`` seconds. Changes nothing.

    These are tokens with a name of ours whose file was not taken over, and entries that this package made and that have
    no content. Never included are entries that wait for an import, adopted entries, everything that this package did
    not make, and empty entries that carry a refusal: without them the refused file would be sent again.

    :raises KalturaError: Kaltura could not be asked.
    """
    ledger = Ledger(client, clock or Clock())
    now = float(client.call("system", "getTime"))
    tokens = [token for token in _tokens(client) if _abandoned(token, now, older_than)]
    found = [_token_leftover(token, now) for token in tokens]
    busy = _busy_entries(client, ledger, now, older_than)
    for entry in _entries(client):
        item_id = _item_of(entry)
        if item_id is None or not _of_no_use(entry) or entry.id in busy or now - entry.updated_at < older_than:
            continue
        reason = "empty" if entry.empty else "waits for an upload that was abandoned"
        found.append(Leftover("entry", entry.id, item_id, now - entry.updated_at, reason, entry.name))
    return found


def remove_leftovers(
    client: KalturaClient, leftovers: Sequence[Leftover], *, older_than: float = DAY, clock: Clock | None = None
) -> list[Leftover]:
    """Delete ``leftovers``, each only if another look still finds it unused; return the result of each.

    Tokens are deleted first, which empties the entries that wait for them.

    :raises KalturaError: Kaltura refused or did not answer. An error of one leftover is its ``problem``.
    """
    ledger = Ledger(client, clock or Clock())
    now = float(client.call("system", "getTime"))
    done: dict[str, Leftover] = {}
    busy: set[str] | None = None
    for item in sorted(leftovers, key=lambda item: item.kind != "token"):
        try:
            if item.kind == "token":
                problem = _remove_token(ledger, item, now, older_than)
            else:
                busy = _busy_entries(client, ledger, now, older_than) if busy is None else busy
                problem = _IN_USE if item.id in busy else _remove_entry(ledger, item, now, older_than)
        except KalturaError as error:
            problem = str(error)
        removed = {"removed": problem is None, "problem": problem}
        done[item.id] = Leftover(**(asdict(item) | removed))
    return [done[item.id] for item in leftovers]


def _remove_token(ledger: Ledger, item: Leftover, now: float, older_than: float) -> str | None:
    """Delete a token, or return why not."""
    token = ledger.token(item.id)
    if token is None:
        return None
    if parse_token_name(token.file_name) is None or not _abandoned(token, now, older_than):
        return _IN_USE
    ledger.delete_token(token.id)
    return None


def _remove_entry(ledger: Ledger, item: Leftover, now: float, older_than: float) -> str | None:
    """Delete an entry, or return why not."""
    entry = ledger.entry(item.id)
    if entry is None or entry.deleted:
        return None
    moved = entry.waiting and now - entry.updated_at < older_than
    if moved or _item_of(entry) != item.item_id or not _of_no_use(entry):
        return _IN_USE
    return None if discard_entry(ledger, entry.id, item.item_id, stuck_too=True) else _IN_USE


def _abandoned(token: TokenView, now: float, older_than: float) -> bool:
    taken_over = token.status == UploadTokenStatus.CLOSED
    return not taken_over and now - token.updated_at >= older_than


def _of_no_use(entry: EntryView) -> bool:
    waits_in_vain = entry.waiting and entry.importing is None
    return (entry.empty or waits_in_vain) and MADE_MARK in entry.admin_tags and not (entry.adopted or entry.refusals)


def _item_of(entry: EntryView) -> str | None:
    for prefix in (item_mark(""), released_mark("")):
        for tag in entry.admin_tags:
            if tag.startswith(prefix):
                return tag.removeprefix(prefix)
    return None


def _token_leftover(token: TokenView, now: float) -> Leftover:
    name = parse_token_name(token.file_name)
    item_id = name.item_id if name else ""
    reason = "an abandoned upload" if token.attached else "an abandoned claim"
    return Leftover("token", token.id, item_id, now - token.updated_at, reason, token.file_name)


def _tokens(client: KalturaClient) -> Iterator[TokenView]:
    """Yield the open tokens with a name of ours."""
    for values in list_all(client, "uploadToken", {"statusIn": _OPEN}):
        token = TokenView.of(values)
        if parse_token_name(token.file_name) is not None:
            yield token


def _entries(client: KalturaClient) -> Iterator[EntryView]:
    """Yield the entries that this package made and that are empty or waiting."""
    conditions = {
        "adminTagsMultiLikeOr": MADE_MARK,
        "statusIn": _EMPTY,
        "moderationStatusIn": "1,2,3,4,5,6",
    }
    media = {"objectType": "KalturaMediaEntryFilter", **conditions}
    others = {"objectType": "KalturaBaseEntryFilter", **conditions, "typeIn": "6,10"}
    for service, entry_filter in (("media", media), ("baseEntry", others)):
        for values in walk(client, entry_filter, service=service):
            yield EntryView.of(values)


def _busy_entries(client: KalturaClient, ledger: Ledger, now: float, older_than: float) -> set[str]:
    """Return the ids of entries that wait for a token that changed recently."""
    fresh = [token for token in _tokens(client) if token.attached and now - token.updated_at < older_than]
    return {entry_id for token in fresh if (entry_id := ledger.entry_of(token))}
