"""Confirming an item after its bytes were sent: is it done, and if not, repair what stopped half way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.rounds import in_rounds
from kaltura_provider.api.sharing import SharedCalls
from kaltura_provider.ingest.decision import STATES, Act, Ending, Wanted, decide
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState, SourceItem
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.marks import MarkLostError, content_mark, refused_mark
from kaltura_provider.ingest.protocol import ItemWork, taken_away
from kaltura_provider.ingest.removal import clear_empty
from kaltura_provider.ingest.settings import IngestSettings
from kaltura_provider.ingest.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.api.caller import Caller

__all__ = ["confirm_all", "record_refusal"]

_UNDER_WAY = frozenset({ItemState.SEND, ItemState.SENT, ItemState.IMPORTING, ItemState.REPLACING})


def confirm_all(
    client: Caller,
    refs: Sequence[ItemRef],
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
) -> list[ItemRef]:
    """Return the references as the ledger has them now. Call this once the bytes were sent, and again at any time.

    * ``done``: the token took every byte, the entry has content, and its content mark names it.
    * ``send``: bytes are missing. Send them to ``token_id``, which may be new: an entry that lost its token gets
      another one and keeps its id, links and metadata.
    * ``importing``, ``replacing``: Kaltura is not finished. Ask again when the entry is ready.
    * ``skipped``, ``failed``: see ``note`` and ``error``.

    A reference without an entry is returned unchanged: :func:`prepare` makes its entry once the bytes are in. The
    references share requests, and an error stops only its own item.

    :param on_ref: called with a reference as soon as it has a new token, from several threads.
    :return: the references in order. One whose item could not be confirmed is ``failed`` and says whether a retry
        helps.
    """
    settings = settings or IngestSettings()
    calls = SharedCalls(client)
    ledger = Ledger(calls, settings.clock)
    works = [_Confirmation(ref, ledger, settings, observer or Observer(), on_ref) for ref in refs]
    return in_rounds(calls, settings.clock, works)


class _Confirmation:
    """The work on one reference, in steps that do not sleep."""

    def __init__(
        self,
        ref: ItemRef,
        ledger: Ledger,
        settings: IngestSettings,
        observer: Observer,
        on_ref: Callable[[ItemRef], None] | None,
    ) -> None:
        self._ref, self._ledger, self._settings = ref, ledger, settings
        self._observer, self._on_ref = observer, on_ref
        self._deadline = settings.clock.monotonic() + settings.claim_timeout
        self._repair: ItemWork | None = None
        self._not_before = 0.0

    @property
    def not_before(self) -> float:
        """When the next step is due (monotonic)."""
        return self._repair.not_before if self._repair is not None else self._not_before

    def step(self) -> ItemRef | None:
        """Take a step; return the reference once no more steps are needed, otherwise ``None``."""
        try:
            return self._step()
        except (KalturaError, MarkLostError) as error:
            now = self._settings.clock.monotonic()
            if taken_away(error) and now <= self._deadline:
                self._not_before = now + self._settings.poll
                return None
            return self._ref.failed(ItemError.of(error))

    def _step(self) -> ItemRef | None:
        if self._ref.state not in _UNDER_WAY or self._ref.entry_id is None:
            return self._ref
        if self._repair is None:
            ending = _look(self._ledger, self._ref, self._settings)
            if ending.act is not Act.SENT and ending.act in STATES:
                return _as_ref(self._ref, ending)
            now = self._settings.clock.monotonic()
            if ending.act is Act.SENT and now <= self._deadline:
                self._not_before = now + min(self._settings.poll, self._settings.grace / 4)
                return None
            self._repair = self._repair_work()
        repaired = self._repair.step()
        return None if repaired is None else repaired.to(repaired.state, made=self._ref.made)

    def _repair_work(self) -> ItemWork:
        ref = self._ref
        return ItemWork(
            SourceItem.of_ref(ref), self._ledger, self._settings, self._observer,
            known=ref.token_id if ref.own else None, on_ref=self._on_ref, may_create=False,
        )  # fmt: skip


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
        clear_empty(ledger, ref.item_id, (other for other in entries.values() if other.id != ref.entry_id))
    return ending


def _as_ref(ref: ItemRef, ending: Ending) -> ItemRef:
    entry = ending.entry
    changed = ref.to(STATES[ending.act], note=ending.note or ref.note, error=ending.error)
    if entry is None:
        return changed
    return changed.to(changed.state, entry_id=entry.id, entry_status=entry.status, metadata_digest=entry.metadata)


def record_refusal(client: Caller, ref: ItemRef, *, settings: IngestSettings | None = None) -> ItemRef:
    """Mark on the entry that Kaltura refused this file type, so that a re-run fails at once; return it as failed."""
    settings = settings or IngestSettings()
    ledger = Ledger(client, settings.clock)
    text = f"Kaltura refuses the type of {ref.uri}: the account does not allow it, or extension and content differ"
    error = ItemError("refused", text, code="UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD")
    note = None
    try:
        entry = ledger.entry(ref.entry_id) if ref.entry_id else None
        if entry is not None and not entry.deleted:
            # The mark of what the entry holds stays.
            held = [content_mark(entry.content_id)] if entry.content_id else []
            ledger.write_marks(entry, ref.item_id, *held, refused_mark(ref.content_id))
    except (KalturaError, MarkLostError) as trouble:
        note = f"the refusal could not be marked on the entry: {trouble}"
    return ref.failed(error, note=note)
