"""Confirming an item after its bytes were sent: is it done, and if not, repair what stopped half way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.observer import Observer
from kaltura_provider.ingest.claim import Claim
from kaltura_provider.ingest.decision import Act, Ending, Wanted, decide
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState, SourceItem
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.mark_writes import MarkLostError, write_refusal
from kaltura_provider.ingest.removal import discard_entry
from kaltura_provider.ingest.settings import IngestSettings
from kaltura_provider.ingest.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_provider.api.client import KalturaClient

__all__ = ["confirm", "record_refusal"]

_UNDER_WAY = frozenset({ItemState.SEND, ItemState.SENT, ItemState.IMPORTING, ItemState.REPLACING})
_ENDS = {
    Act.DONE: ItemState.DONE,
    Act.SEND: ItemState.SEND,
    Act.IMPORTING: ItemState.IMPORTING,
    Act.REPLACING: ItemState.REPLACING,
    Act.SKIP: ItemState.SKIPPED,
    Act.FAIL: ItemState.FAILED,
}


def confirm(
    client: KalturaClient,
    ref: ItemRef,
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
) -> ItemRef:
    """Return the reference as the ledger has it now. Call this once the bytes were sent, and again at any time.

    * ``done``: the token took every byte, the entry has content, and its content mark says which.
    * ``send``: bytes are missing. Send them to ``token_id``, which may be new: an entry that lost its token gets
      another one and keeps its id, links and metadata.
    * ``importing``, ``replacing``: Kaltura is not finished. Ask again when the entry is ready.
    * ``skipped``, ``failed``: see ``note`` and ``error``.

    A reference without an entry is returned unchanged: :func:`prepare` makes its entry once the bytes are in.

    :raises KalturaError: Kaltura could not be asked. Nothing is lost: ask again.
    :raises MarkLostError: somebody else keeps rewriting the adminTags of the entry.
    """
    settings = settings or IngestSettings()
    if ref.state not in _UNDER_WAY or ref.entry_id is None:
        return ref
    ledger = Ledger(client, settings.clock)
    started = settings.clock.monotonic()
    while True:
        ending = _look(ledger, ref, settings)
        if ending.act in _ENDS:
            return _as_ref(ref, ending)
        if ending.act is not Act.SENT or settings.clock.monotonic() - started > settings.claim_timeout:
            return _repair(ledger, ref, settings, observer or Observer(), on_ref)
        settings.clock.sleep(min(settings.poll, settings.grace / 4))


def _look(ledger: Ledger, ref: ItemRef, settings: IngestSettings) -> Ending:
    """Decide with one request, and delete further empty entries of the item."""
    wanted = Wanted(ref.item_id, ref.content_id, ref.size)
    entry, token, others, now = ledger.snapshot(ref.entry_id or "", ref.token_id, ref.item_id)
    entries = {other.id: other for other in others}
    if entry is not None and entry.is_item(ref.item_id):
        entries[entry.id] = entry
    # A full token without an object was consumed by its entry. One that belongs to another entry was taken away.
    named = [token.on(ref.entry_id)] if token is not None else []
    ending = verify(ledger, wanted, decide(wanted, list(entries.values()), named, settings, now), settings, now)
    if ending.entry is not None and ending.entry.id == ref.entry_id:
        for other in entries.values():
            if other.empty and other.id != ref.entry_id:
                discard_entry(ledger, other.id, ref.item_id)
    return ending


def _as_ref(ref: ItemRef, ending: Ending) -> ItemRef:
    entry = ending.entry
    changed = ref.to(_ENDS[ending.act], note=ending.note or ref.note, error=ending.error)
    if entry is None:
        return changed
    return changed.to(changed.state, entry_id=entry.id, entry_status=entry.status)


def _repair(
    ledger: Ledger,
    ref: ItemRef,
    settings: IngestSettings,
    observer: Observer,
    on_ref: Callable[[ItemRef], None] | None,
) -> ItemRef:
    claim = Claim(
        SourceItem.of_ref(ref), ledger, settings, observer, known=ref.token_id if ref.own else None, on_ref=on_ref,
        may_create=False,
    )  # fmt: skip
    while True:
        repaired = claim.step()
        if repaired is not None:
            return repaired.to(repaired.state, made=ref.made)
        settings.clock.sleep(max(claim.not_before - settings.clock.monotonic(), 0.0))


def record_refusal(client: KalturaClient, ref: ItemRef, *, settings: IngestSettings | None = None) -> ItemRef:
    """Mark on the entry that Kaltura refused this file type, so that a re-run fails at once; return it as failed."""
    settings = settings or IngestSettings()
    ledger = Ledger(client, settings.clock)
    text = f"Kaltura refuses the type of {ref.uri}: the account does not allow it, or extension and content differ"
    error = ItemError("refused", text, code="UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD")
    note = None
    try:
        entry = ledger.entry(ref.entry_id) if ref.entry_id else None
        if entry is not None and not entry.deleted:
            write_refusal(ledger, entry, ref.item_id, ref.content_id)
    except (KalturaError, MarkLostError) as trouble:
        note = f"the refusal could not be marked on the entry: {trouble}"
    return ref.failed(error, note=note)
