"""The protocol for one item: look, decide, claim, look again, act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
)
from kaltura_provider.ingest.bulk import BulkImport
from kaltura_provider.ingest.claim import Backoff, Claim
from kaltura_provider.ingest.decision import NEEDS_CLAIM, STATES, Act, Ending, Wanted, clear_first, decide
from kaltura_provider.ingest.entry_writes import Attached, give_content
from kaltura_provider.ingest.identity import token_file_name
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState
from kaltura_provider.ingest.marks import MarkLostError
from kaltura_provider.ingest.recognition import adopt
from kaltura_provider.ingest.removal import (
    clear_empty,
    clear_extras,
    clear_full_tokens,
    discard_entry,
    without_released,
)
from kaltura_provider.ingest.settings import Transfer
from kaltura_provider.ingest.verification import verify
from kaltura_provider.services.entry.content import finish_replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.api.observer import Observer
    from kaltura_provider.ingest.bulk import BulkQueue
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger, TokenView
    from kaltura_provider.ingest.marks import EntryView
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["ItemWork", "taken_away"]

_TAKEN_AWAY = frozenset({"UPLOAD_TOKEN_NOT_FOUND", "ENTRY_ID_NOT_FOUND", "ENTRY_ALREADY_WITH_CONTENT"})


def taken_away(error: Exception) -> bool:
    """Whether another process took the claim or the entry away in the meantime, so that another look helps."""
    return isinstance(error, KalturaAPIError) and error.code in _TAKEN_AWAY


class ItemWork:
    """The work on one item, in steps that never sleep, so that many items can wait at the same time.

    :param known: the token of an earlier attempt of this very task, which may be fenced or continued at once.
    :param on_ref: called with the reference as soon as an id exists.
    :param may_create: whether an entry may be made; otherwise an existing one is only repaired.
    :param queue: makes new entries by bulk uploads.
    :param looked: the item's entries, if a thorough search was just made. The first step then needs no search.
    """

    def __init__(
        self,
        item: SourceItem,
        ledger: Ledger,
        settings: IngestSettings,
        observer: Observer,
        *,
        known: str | None = None,
        on_ref: Callable[[ItemRef], None] | None = None,
        may_create: bool = True,
        looked: Sequence[EntryView] | None = None,
        queue: BulkQueue | None = None,
    ) -> None:
        self._item, self._ledger, self._settings, self._observer = item, ledger, settings, observer
        self._wanted = Wanted(item.item_id, item.content_id, item.size)
        self._importing = settings.transfer is not Transfer.UPLOAD and item.import_url is not None
        self._on_ref = on_ref or (lambda ref: None)
        self._may_create = may_create
        self._first = looked
        self._emptied: str | None = None
        # Entries that lost their mark count only under a claim.
        self._looked = None if looked is None else [entry for entry in looked if entry.marked(item.item_id)]
        self._backoff = Backoff(settings)
        self._claim = Claim(
            item, ledger, settings, self._backoff, known=known, importing=self._importing, on_token=self._took
        )  # fmt: skip
        self._bulk = BulkImport(queue, item) if queue is not None else None
        self._made: ItemRef | None = None
        self._shown_by = 0.0

    @property
    def not_before(self) -> float:
        """When the next step is due (monotonic)."""
        return self._backoff.not_before

    def step(self) -> ItemRef | None:
        """Do what can be done now; return the reference once the item needs no more steps, otherwise ``None``.

        After ``None`` the next step is due at ``not_before`` (monotonic). An error that stops only this item is
        returned in the reference.

        :raises KalturaConfigurationError: the session cannot do this for any item.
        """
        try:
            if self._made is not None:
                return self._until_shown(self._made)
            if self._bulk is not None and self._bulk.queued:
                return self._from_bulk_upload(self._bulk)
            done = self._look_and_act()
            self._backoff.worked()
            return done or self._out_of_time()
        except (KalturaTransportError, KalturaTransientError, KalturaSessionError) as error:
            return None if self._backoff.bear(error) else self._fail(ItemError.of(error))
        except KalturaConfigurationError:
            self._claim.let_go()
            raise
        except (KalturaError, MarkLostError, ValueError) as error:
            self._claim.let_go()
            if taken_away(error) and not self._backoff.over:
                self._backoff.step_aside()
                return None
            return self._fail(ItemError.of(error))

    def _out_of_time(self) -> ItemRef | None:
        if self._made is not None or not self._backoff.over:
            return None
        text = f"another process has held the claim on {self._item.uri}, or its upload, for too long; try again later"
        return self._fail(ItemError("busy", text, retry_helps=True))

    # Look and decide

    def _look_and_act(self) -> ItemRef | None:
        looked, self._looked = self._looked, None
        tokens, now = self._claim.tokens()
        attached = [token.on(self._ledger.entry_of(token)) for token in tokens if token.attached]
        if looked is None or attached:
            # A search made before the tokens were read may show an entry without its token.
            looked = self._search()
        kept = without_released(self._ledger, self._item.item_id, looked)
        entries = self._ledger.with_owners(self._item.item_id, kept, attached)
        ending = self._decide(entries, attached, now)
        clear_extras(self._ledger, self._wanted, entries, attached)
        if ending.act not in NEEDS_CLAIM:
            return self._end(ending)
        if ending.act is Act.CREATE and not self._may_create:
            text = f"the entry of {self._item.uri} is gone; prepare the item again"
            return self._fail(ItemError("entry_gone", text, retry_helps=True))
        file = None if self._item.attaches_first or self._importing else self._claim.file_token()
        if file is not None and not file.filled:
            # Nothing is claimed while the bytes are being uploaded: the entry is made once they are all there.
            own = self._claim.is_own(file.id)
            return self._ref(ItemState.SEND, ending, token_id=file.id, attached=False, own=own)
        return self._claim_and_act(ending, file) if self._claim.is_free(tokens, now) else None

    def _decide(self, entries: Sequence[EntryView], tokens: Sequence[TokenView], now: float) -> Ending:
        ending = decide(self._wanted, entries, tokens, self._settings, now)
        ending = clear_first(verify(self._ledger, self._wanted, ending, self._settings, now), tokens)
        if ending.act is Act.SEND and ending.token is not None:
            if self._claim.another_is_about_to_send(ending.token, now):
                return Ending(Act.WAIT, ending.entry)
            if self._claim.may_be_begun_late(ending.token):
                return Ending(Act.DROP_TOKEN, ending.entry, ending.token)
        return ending

    def _search(self, *, thorough: bool = False) -> list[EntryView]:
        found = self._ledger.entries_of_item(self._item.item_id, thorough=thorough)
        if self._emptied is not None and all(entry.id != self._emptied for entry in found):
            # Only the token that was deleted led to it as long as searches do not show it.
            emptied = self._ledger.entry(self._emptied)
            found += [emptied] if emptied is not None else []
        return without_released(self._ledger, self._item.item_id, found)

    def _search_thoroughly(self) -> list[EntryView]:
        """Search, and read once more what the first, thorough search showed and this one does not.

        Entries that only a thorough search shows do not appear within seconds. Only bulk uploads make some.
        """
        if self._first is None or self._bulk is not None:
            return self._search(thorough=True)
        found = self._search()
        missing = {entry.id for entry in self._first} - {entry.id for entry in found}
        read = [self._ledger.entry(entry_id) for entry_id in sorted(missing)]
        kept = [entry for entry in read if entry is not None]
        return found + without_released(self._ledger, self._item.item_id, kept)

    # Claim, and look again

    def _claim_and_act(self, ending: Ending, file: TokenView | None) -> ItemRef | None:
        carries_content = self._token_becomes_content(ending, file)
        now = self._claim.take(carries_content=carries_content)
        if now is None:
            return None
        looked = self._search_thoroughly()
        if self._bulk is not None and self._bulk.follows(looked, self._claim.since):
            return None
        ending = self._decide(looked, (), now)
        if ending.act is Act.CREATE and adopt(self._ledger, self._item, self._settings):
            ending = Ending(Act.WAIT)
        in_time = self._claim.in_time
        if in_time and ending.act is Act.CREATE and self._bulk is not None and self._bulk.offers(self._claim.since):
            return None
        needs_claim = ending.act in NEEDS_CLAIM
        if needs_claim and in_time and carries_content == self._token_becomes_content(ending, file):
            return self._act(ending, file)
        self._claim.let_go()
        # After a time, other processes may already treat the claim as abandoned.
        return self._end(ending) if in_time and not needs_claim else None

    def _token_becomes_content(self, ending: Ending, file: TokenView | None) -> bool:
        """Whether the token of the claim becomes the content: Kaltura cannot fetch what replaces the old content."""
        return file is None and (not self._importing or ending.act is Act.REPLACE)

    def _took(self, token_id: str) -> None:
        self._observer.on_id("token", token_id)
        self._on_ref(ItemRef.of(self._item, ItemState.SEND, token_id=token_id))

    # Act

    def _act(self, ending: Ending, file: TokenView | None) -> ItemRef | None:
        """Make or change the entry, holding the claim."""
        done = give_content(
            self._ledger, self._item, ending, claim=self._claim, file=file, importing=self._importing,
            run=self._settings.run,
        )  # fmt: skip
        if done.gave_way:
            self._claim.let_go()
            self._backoff.step_aside()
            return None
        if done.error is not None:
            return self._refused(done, done.error, ending)
        self._observer.on_id("entry", done.entry.id)
        state = self._state_after(ending, done.entry, file)
        attached = file is None and state is ItemState.SEND
        token_id = self._claim.token_id if attached else file.id if file else None
        note = f"Kaltura dropped {', '.join(done.lost)}: the session's role cannot set them" if done.lost else None
        claimed_at = self._claim.since if attached else None
        ref = self._ref_of(done.entry, state, token_id=token_id, note=note, claimed_at=claimed_at)
        self._on_ref(ref)
        if not attached:
            return self._hold_until_shown(ref)
        self._claim.hand_over()
        return ref

    def _state_after(self, ending: Ending, entry: EntryView, file: TokenView | None) -> ItemState:
        """Return the state of the item once its entry was made or changed."""
        if file is None:
            return ItemState.IMPORTING if self._importing and ending.act is not Act.REPLACE else ItemState.SEND
        if ending.act is Act.CREATE:
            return ItemState.DONE
        return ItemState.REPLACING if entry.being_replaced else ItemState.SENT

    def _refused(self, done: Attached, error: KalturaAPIError, ending: Ending) -> ItemRef | None:
        """Handle a refusal to give the entry content: start over if that can help."""
        self._claim.let_go()
        if taken_away(error):
            self._backoff.step_aside()
            return None
        if isinstance(error, KalturaSessionError):
            raise error
        if isinstance(error, KalturaTransientError) and ending.act is not Act.REPLACE:
            raise error
        if ending.act is Act.CREATE:
            discard_entry(self._ledger, done.entry.id, self._item.item_id, stuck_too=True)
        return self._ref(ItemState.FAILED, ending, error=ItemError.of(error))

    def _hold_until_shown(self, ref: ItemRef) -> ItemRef | None:
        self._shown_by = self._settings.clock.monotonic() + self._settings.grace
        self._made = ref
        return self._until_shown(ref)

    def _until_shown(self, ref: ItemRef) -> ItemRef | None:
        """Hold the claim until searches show the entry: without a token, nobody else could find it."""
        entries = self._search()
        shown = any(entry.id == ref.entry_id for entry in entries)
        if not shown and self._settings.clock.monotonic() < self._shown_by:
            self._backoff.wait(self._settings.poll / 4)
            return None
        clear_full_tokens(self._ledger, [self._item])
        self._claim.let_go()
        clear_empty(self._ledger, self._item.item_id, (entry for entry in entries if entry.id != ref.entry_id))
        return ref

    # Take over what a bulk upload made

    def _from_bulk_upload(self, bulk: BulkImport) -> ItemRef | None:
        row = bulk.row
        if row.waiting and not self._backoff.over:
            self._backoff.wait(self._settings.poll)
            return None
        bulk.end(row)
        entry = self._ledger.entry(row.entry_id) if row.entry_id else None
        if entry is not None and not entry.deleted:
            entry = bulk.mark(self._ledger, entry, row.content_id, self._settings.run)
            self._observer.on_id("entry", entry.id)
            if row.content_id == self._item.content_id:
                ref = self._ref_of(entry, ItemState.IMPORTING)
                self._on_ref(ref)
                return self._hold_until_shown(ref)
            # Another version of the source; it is known now.
            self._claim.let_go()
            self._backoff.wait(self._settings.poll)
            return None
        self._claim.let_go()
        if row.error is not None:
            return self._fail(ItemError("bulk", f"{self._item.uri}: {row.error}", retry_helps=True))
        if row.waiting:
            text = f"Kaltura has not read the bulk upload with {self._item.uri} yet; try again later"
            return self._fail(ItemError("busy", text, retry_helps=True))
        self._backoff.step_aside()
        return None

    # End, or clear the way for the next step

    def _end(self, ending: Ending) -> ItemRef | None:
        match ending.act:
            case Act.DROP_TOKEN if ending.token is not None:
                self._ledger.delete_token(ending.token.id)
                self._emptied = ending.entry.id if ending.entry is not None else None
            case Act.DROP_ENTRY if ending.entry is not None:
                if ending.token is not None:
                    self._ledger.delete_token(ending.token.id)
                if not discard_entry(self._ledger, ending.entry.id, self._item.item_id, stuck_too=True):
                    self._backoff.wait(self._settings.poll)  # it has just changed
            case Act.DROP_REPLACEMENT if ending.entry is not None:
                finish_replacement(self._ledger.client, ending.entry.id, approve=False)
            case Act.ASK_OTHER if ending.entry is not None:
                self._ask_other(ending.entry)
            case Act.WAIT:
                self._backoff.wait(self._settings.poll)
            case _:
                if ending.act in (Act.DONE, Act.SKIP):
                    clear_full_tokens(self._ledger, [self._item])
                return self._ref(STATES[ending.act], ending)
        return None

    def _ask_other(self, entry: EntryView) -> None:
        """Wait while other content of this item is being uploaded to the entry; fence it if it does not move."""
        other = entry.pending or entry.importing or ""
        tokens, now = self._ledger.tokens(token_file_name(self._item.item_id, other, self._item.name))
        idle = min((now - token.updated_at for token in tokens), default=now - entry.updated_at)
        if idle < self._settings.grace or entry.importing:
            self._backoff.wait(self._settings.poll)
            return
        for token in tokens:
            self._ledger.delete_token(token.id)
        if not tokens:
            discard_entry(self._ledger, entry.id, self._item.item_id, stuck_too=True)

    def _ref(self, state: ItemState, ending: Ending, **values: object) -> ItemRef:
        """Return the item's reference with what ``ending`` says."""
        given: dict[str, object] = {"note": ending.note, "error": ending.error}
        if ending.token is not None:
            given |= {"token_id": ending.token.id, "own": self._claim.is_own(ending.token.id)}
        return self._ref_of(ending.entry, state, **(given | values))

    def _ref_of(self, entry: EntryView | None, state: ItemState, **values: object) -> ItemRef:
        if entry is not None:
            made = entry.made_by(self._settings.run)
            values |= {"entry_id": entry.id, "entry_status": entry.status, "made": made}
            values |= {"metadata_digest": entry.metadata}
        return ItemRef.of(self._item, state, **values)

    def _fail(self, error: ItemError) -> ItemRef:
        return ItemRef.of(self._item, ItemState.FAILED, error=error)
