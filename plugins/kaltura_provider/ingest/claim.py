"""The protocol for one item: look, decide, claim, look again, act, look once more.

The claim is an upload token named after the content. A process that finds no other token of that name after adding its
own holds the claim. Deleting a token is the fence: every late request that uses it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
)
from kaltura_provider.api.sharing import alone
from kaltura_provider.ingest.backoff import Backoff
from kaltura_provider.ingest.decision import NEEDS_CLAIM, STATES, Act, Ending, Wanted, chosen_entry, clear_first, decide
from kaltura_provider.ingest.entry_writes import (
    Attached,
    add_content,
    create_entry,
    create_from_file,
    fetch_content,
    import_entry,
    replace_content,
)
from kaltura_provider.ingest.identity import token_file_name
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState
from kaltura_provider.ingest.mark_writes import MarkLostError, write_marks
from kaltura_provider.ingest.marks import import_mark, item_mark, run_mark
from kaltura_provider.ingest.recognition import adopt
from kaltura_provider.ingest.removal import clear_full_tokens, discard_entry
from kaltura_provider.ingest.settings import Transfer
from kaltura_provider.ingest.verification import verify
from kaltura_provider.services.entry.content import finish_replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.api.observer import Observer
    from kaltura_provider.ingest.bulk import BulkQueue
    from kaltura_provider.ingest.entry_view import EntryView, TokenView
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["Claim"]

_FENCED = frozenset({"UPLOAD_TOKEN_NOT_FOUND", "ENTRY_ID_NOT_FOUND", "ENTRY_ALREADY_WITH_CONTENT"})


class Claim:
    """The work on one item, in steps that never sleep, so that many items can wait at the same time.

    :param known: the token of an earlier attempt of this very task, which may be fenced or continued at once.
    :param on_ref: called with the reference as soon as an id exists.
    :param may_create: whether an entry may be made; otherwise an existing one is only repaired.
    :param queue: makes new entries by bulk uploads.
    :param looked: the item's entries, if a search was just made. The first step then needs no search.
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
        self.item = item
        self._looked = looked
        self._may_create = may_create
        self._ledger, self._settings, self._observer = ledger, settings, observer
        self._wanted = Wanted(item.item_id, item.content_id, item.size)
        self._own = {known} if known else set()
        # May be fenced at once: no request with it can still be running, or if one is, it fails then. A fetch and an
        # entry made of a full token do not fail: what an earlier attempt began is seen only after a time.
        self._fenceable = set(self._own) if item.attaches_first and not self._importing else set()
        self._queue = queue
        self._queued = self._unlisted = False
        # Tokens of this process: nobody else is about to send to them.
        self._taken = set(self._own)
        self._on_ref = on_ref
        self._clock = settings.clock
        self._backoff = Backoff(settings)
        self._mine: str | None = None
        self._made: ItemRef | None = None
        self._shown_by = self._claimed = 0.0

    def step(self) -> ItemRef | None:
        """Do what can be done now; return the reference once the item needs no more steps, otherwise ``None``.

        After ``None`` the next step is due at ``not_before`` (monotonic). An error that stops only this item is
        returned in the reference.

        :raises KalturaConfigurationError: the session cannot do this for any item.
        """
        looked, self._looked = self._looked, None
        try:
            if self._made is not None:
                return self._until_shown(self._made)
            if self._queue is not None and self._queued:
                return self._from_queue(self._queue)
            done = self._step(looked)
            self._backoff.worked()
            return done or self._out_of_time()
        except (KalturaTransportError, KalturaTransientError, KalturaSessionError) as error:
            return None if self._backoff.bear(error) else self._fail(ItemError.of(error))
        except KalturaConfigurationError:
            self._let_go()
            raise
        except MarkLostError as error:
            self._let_go()
            return self._fail(ItemError("mark_lost", str(error), retry_helps=True))
        except (KalturaError, ValueError) as error:
            self._let_go()
            return self._fail(ItemError.of(error))

    @property
    def not_before(self) -> float:
        """When the next step is due (monotonic)."""
        return self._backoff.not_before

    def _out_of_time(self) -> ItemRef | None:
        if self._made is not None or not self._backoff.over:
            return None
        text = f"another process has held the claim on {self.item.uri}, or its upload, for too long; try again later"
        return self._fail(ItemError("busy", text, retry_helps=True))

    def _step(self, looked: Sequence[EntryView] | None) -> ItemRef | None:
        tokens, now = self._ledger.tokens(self.item.token_name)
        attached = [token.on(self._ledger.entry_of(token)) for token in tokens if token.attached]
        entries = self._entries(attached, looked)
        ending = self._decide(entries, attached, now)
        self._clear_extras(entries, attached)
        if ending.act not in NEEDS_CLAIM:
            return self._end(ending, now)
        if ending.act is Act.CREATE and not self._may_create:
            text = f"the entry of {self.item.uri} is gone; prepare the item again"
            return self._fail(ItemError("entry_gone", text, retry_helps=True))
        file = None if self.item.attaches_first or self._importing else self._file_token()
        if file is not None and not file.filled:
            # Nothing is claimed while the bytes are being uploaded: the entry is made once they are all there.
            return self._ref(ItemState.SEND, ending, token_id=file.id, attached=False, own=file.id in self._own)
        if self._rivals(tokens, now):
            return None
        return self._claim_and_act(ending, file)

    def _decide(self, entries: Sequence[EntryView], tokens: Sequence[TokenView], now: float) -> Ending:
        ending = decide(self._wanted, entries, tokens, self._settings, now)
        return clear_first(verify(self._ledger, self._wanted, ending, self._settings, now), tokens)

    def _entries(self, attached: Sequence[TokenView], looked: Sequence[EntryView] | None) -> list[EntryView]:
        """Return the item's entries: those found by mark, and those that its tokens belong to."""
        if looked is None or attached:
            # A search made before the tokens were read may show an entry without its token.
            looked = self._search()
        found = {entry.id: entry for entry in self._without_released(looked)}
        for token in attached:
            if token.entry_id and token.entry_id not in found:
                entry = self._ledger.entry(token.entry_id)
                foreign = entry is None or any(
                    tag.startswith(item_mark("")) and not entry.is_item(self.item.item_id) for tag in entry.admin_tags
                )
                if entry is not None and not foreign:
                    found[entry.id] = entry
        return list(found.values())

    def _search(self, *, thorough: bool = False) -> list[EntryView]:
        return self._ledger.entries_of([self.item.item_id], thorough=thorough)[self.item.item_id]

    def _without_released(self, entries: Sequence[EntryView]) -> list[EntryView]:
        """Return the item's entries. Those that an interrupted process was about to delete are deleted."""
        for entry in entries:
            if entry.released(self.item.item_id):
                discard_entry(self._ledger, entry.id, self.item.item_id, stuck_too=True)
        return [entry for entry in entries if not entry.released(self.item.item_id)]

    @property
    def _importing(self) -> bool:
        return self._settings.transfer is not Transfer.UPLOAD and self.item.import_url is not None

    def _file_token(self) -> TokenView:
        """Return the token that carries the bytes of an entry that is made after the upload."""
        name = self.item.file_token_name
        tokens, _ = self._ledger.tokens(name)
        usable = [token for token in tokens if token.open or (token.filled and not token.spent)]
        full = [token for token in usable if token.filled and token.uploaded == self.item.size]
        if full or usable:
            return (full or usable)[0]
        token = self._ledger.add_token(name, self.item.size)
        self._took(token.id)
        return token

    def _rivals(self, tokens: Sequence[TokenView], now: float) -> bool:
        """Delete claims of others that may be fenced; return whether the claim is not free yet."""
        rivals = [token for token in tokens if not token.attached and not token.spent]
        for token in rivals:
            if token.id in self._fenceable or now - token.created_at >= self._settings.grace:
                self._ledger.delete_token(token.id)
            else:
                self._backoff.wait(self._settings.poll)
        return bool(rivals)

    def _took(self, token_id: str) -> None:
        self._taken.add(token_id)
        self._observer.on_id("token", token_id)
        if self._on_ref is not None:
            self._on_ref(ItemRef.of(self.item, ItemState.SEND, token_id=token_id))

    def _claim_and_act(self, ending: Ending, file: TokenView | None) -> ItemRef | None:
        self._claimed = self._clock.monotonic()
        mine = self._ledger.add_token(self.item.token_name, self.item.size)
        self._mine = mine.id
        self._took(mine.id)
        tokens, now = self._ledger.tokens(self.item.token_name)
        if any(token.id != mine.id and not token.spent for token in tokens):
            self._let_go()
            self._backoff.step_aside()
            return None
        looked = self._without_released(self._search(thorough=True))
        if self._from_bulk_upload(looked):
            return None
        ending = self._decide(looked, (), now)
        if ending.act is Act.CREATE and adopt(self._ledger, self.item, self._settings):
            ending = Ending(Act.WAIT)
        slow = not self._in_time()
        if ending.act is Act.CREATE and not slow and self._queue is not None and self._queue.takes(self.item):
            self._queue.offer(self.item, self._claimed)
            self._queued = True
            return None
        if ending.act in NEEDS_CLAIM and not slow:
            return self._act(ending, mine.id, file)
        self._let_go()
        if slow:
            return None  # other processes may already treat the claim as abandoned
        return self._end(ending, now)

    def _in_time(self) -> bool:
        """Whether the claim is so young that others do not take it for abandoned while the next calls are made."""
        return self._clock.monotonic() - self._claimed <= self._settings.grace / 2

    def _from_bulk_upload(self, entries: Sequence[EntryView]) -> bool:
        """Return whether the item has an entry without marks, and bulk uploads will be asked about it."""
        if self._queue is None or self._unlisted:
            return False
        if all(entry.deleted or entry.is_item(self.item.item_id) for entry in entries):
            return False
        self._queue.offer(self.item, self._claimed, follow=True)
        self._queued = True
        return True

    def _from_queue(self, queue: BulkQueue) -> ItemRef | None:
        """Take over the entry that a bulk upload made."""
        row = queue.state(self.item.item_id)
        if row.waiting and not self._backoff.over:
            self._backoff.wait(self._settings.poll)
            return None
        queue.withdraw(self.item.item_id)
        self._queued = False
        self._unlisted = row.again
        entry = self._ledger.entry(row.entry_id) if row.entry_id else None
        if entry is not None and not entry.deleted:
            return self._took_over(entry, row.content_id)
        self._let_go()
        if row.error is not None:
            return self._fail(ItemError("bulk", f"{self.item.uri}: {row.error}", retry_helps=True))
        if row.waiting:
            text = f"Kaltura has not read the bulk upload with {self.item.uri} yet; try again later"
            return self._fail(ItemError("busy", text, retry_helps=True))
        self._backoff.step_aside()
        return None

    def _took_over(self, entry: EntryView, content_id: str) -> ItemRef | None:
        """Mark an entry that a bulk upload made, and hold the claim until searches show it."""
        if not entry.is_item(self.item.item_id):
            run = [run_mark(self._settings.run)] if self._settings.run else []
            own = self.item.metadata.reference_id
            beside = {"referenceId": own} if own else None
            entry = write_marks(
                self._ledger, entry, self.item.item_id, import_mark(content_id), *run, beside=beside
            )  # fmt: skip
        self._observer.on_id("entry", entry.id)
        if content_id != self.item.content_id:
            self._let_go()
            self._backoff.wait(self._settings.poll)
            return None  # another version of the source; it is known now
        ref = ItemRef.of(
            self.item, ItemState.IMPORTING, entry_id=entry.id, entry_status=entry.status,
            made=entry.made_by(self._settings.run),
        )  # fmt: skip
        if self._on_ref is not None:
            self._on_ref(ref)
        self._shown_by = self._clock.monotonic() + self._settings.grace
        self._made = ref
        return self._until_shown(ref)

    def _act(self, ending: Ending, mine: str, file: TokenView | None) -> ItemRef | None:
        """Make or change the entry, holding the claim."""
        done = self._perform(ending, mine, file)
        if done.gave_way:
            self._let_go()
            self._backoff.step_aside()
            return None
        if done.error is not None:
            return self._refused(done, done.error, ending)
        self._observer.on_id("entry", done.entry.id)
        state = self._state_after(ending, done.entry, file)
        attached = file is None and state is ItemState.SEND
        token_id = mine if attached else file.id if file else None
        note = f"Kaltura dropped {', '.join(done.lost)}: the session's role cannot set them" if done.lost else None
        ref = ItemRef.of(
            self.item, state, entry_id=done.entry.id, token_id=token_id, entry_status=done.entry.status,
            made=done.entry.made_by(self._settings.run), note=note,
        )  # fmt: skip
        if self._on_ref is not None:
            self._on_ref(ref)
        if not attached:
            self._shown_by = self._clock.monotonic() + self._settings.grace
            self._made = ref
            return self._until_shown(ref)
        self._mine = None
        return ref if self._alone(done.entry, ref, new=ending.act is Act.CREATE) else None

    def _state_after(self, ending: Ending, entry: EntryView, file: TokenView | None) -> ItemState:
        """Return the state of the item once its entry was made or changed."""
        if file is None:
            return ItemState.IMPORTING if self._importing and ending.act is not Act.REPLACE else ItemState.SEND
        if ending.act is Act.CREATE:
            return ItemState.DONE
        return ItemState.REPLACING if entry.being_replaced else ItemState.SENT

    def _until_shown(self, ref: ItemRef) -> ItemRef | None:
        """Hold the claim until searches show the entry: without a token, nobody else could find it."""
        entries = self._without_released(self._search())
        shown = any(entry.id == ref.entry_id for entry in entries)
        if not shown and self._clock.monotonic() < self._shown_by:
            self._backoff.wait(self._settings.poll / 4)
            return None
        clear_full_tokens(self._ledger, [self.item])
        self._let_go()
        for entry in entries:
            if entry.empty and entry.id != ref.entry_id:
                discard_entry(self._ledger, entry.id, self.item.item_id)
        return ref

    def _perform(self, ending: Ending, mine: str, file: TokenView | None) -> Attached:
        ledger, client, run = self._ledger, self._ledger.client, self._settings.run
        if ending.entry is not None and ending.act is Act.REUSE and self._importing:
            return fetch_content(ledger, self.item, ending.entry, run)
        if ending.entry is not None and ending.act is Act.REUSE:
            return add_content(ledger, self.item, ending.entry, file.id if file else mine, run)
        if ending.entry is not None:
            return replace_content(ledger, self.item, ending.entry, file.id if file else mine)
        if self._importing:
            return import_entry(ledger, self.item, mine, run, self._in_time)
        if file is not None:
            # Nothing fences this call, and it may take long. Others before it in a shared request would delay it.
            with alone(client):
                return create_from_file(client, self.item, file.id, run)
        return create_entry(client, self.item, mine, run)

    def _refused(self, done: Attached, error: KalturaAPIError, ending: Ending) -> ItemRef | None:
        """Handle a refusal to give the entry content: start over if that can help."""
        self._let_go()
        if error.code in _FENCED:
            self._backoff.step_aside()
            return None
        if isinstance(error, KalturaSessionError):
            raise error
        if isinstance(error, KalturaTransientError) and ending.act is not Act.REPLACE:
            raise error
        if ending.act is Act.CREATE:
            discard_entry(self._ledger, done.entry.id, self.item.item_id, stuck_too=True)
        return self._ref(ItemState.FAILED, ending, error=ItemError.of(error))

    def _alone(self, entry: EntryView, ref: ItemRef, *, new: bool) -> bool:
        """Look once more: delete empty entries of this item, and give way to one that is older than ours."""
        others = self._without_released(self._search())
        elder = False
        for other in others:
            if other.id == entry.id or other.deleted:
                continue
            if other.empty:
                discard_entry(self._ledger, other.id, self.item.item_id)
            elif new and other.created_at <= entry.created_at:
                elder = True
        if elder and ref.state is ItemState.SEND and ref.token_id:
            # Other content of this item was prepared at the same moment: its entry stays, ours is deleted.
            self._ledger.delete_token(ref.token_id)
            discard_entry(self._ledger, entry.id, self.item.item_id)
            self._backoff.step_aside()
            return False
        return True

    def _clear_extras(self, entries: Sequence[EntryView], attached: Sequence[TokenView]) -> None:
        """Delete further entries of this item that hold nothing, and the tokens they wait for."""
        chosen = chosen_entry(self._wanted, entries, attached)
        for entry in entries:
            if chosen is None or entry.id == chosen.id or entry.deleted or entry.live:
                continue
            for token in attached:
                if token.entry_id == entry.id:
                    self._ledger.delete_token(token.id)
            discard_entry(self._ledger, entry.id, self.item.item_id)

    def _end(self, ending: Ending, now: float) -> ItemRef | None:
        """Finish, or clear the way for the next step."""
        match ending.act:
            case Act.DROP_TOKEN if ending.token is not None:
                self._ledger.delete_token(ending.token.id)
            case Act.DROP_ENTRY if ending.entry is not None:
                if ending.token is not None:
                    self._ledger.delete_token(ending.token.id)
                if not discard_entry(self._ledger, ending.entry.id, self.item.item_id, stuck_too=True):
                    self._backoff.wait(self._settings.poll)  # it has just changed
            case Act.DROP_REPLACEMENT if ending.entry is not None:
                finish_replacement(self._ledger.client, ending.entry.id, approve=False)
            case Act.ASK_OTHER if ending.entry is not None:
                self._ask_other(ending.entry)
            case Act.WAIT:
                self._backoff.wait(self._settings.poll)
            case Act.SEND if ending.token is not None and self._about_to_send(ending.token, now):
                self._backoff.wait(self._settings.poll)
            case _:
                if ending.act in (Act.DONE, Act.SKIP):
                    clear_full_tokens(self._ledger, [self.item])
                return self._ref(STATES[ending.act], ending)
        return None

    def _about_to_send(self, token: TokenView, now: float) -> bool:
        """Return whether another process has just attached this token and is about to send to it.

        Two processes that begin to fill one token at the same time can undo each other's work.
        """
        young = now - token.updated_at < self._settings.grace
        return token.status == UploadTokenStatus.PENDING and young and token.id not in self._taken

    def _ask_other(self, entry: EntryView) -> None:
        """Wait while other content of this item is being uploaded to the entry; fence it if it does not move."""
        other = entry.pending or entry.importing or ""
        tokens, now = self._ledger.tokens(token_file_name(self.item.item_id, other, self.item.name))
        idle = min((now - token.updated_at for token in tokens), default=now - entry.updated_at)
        if idle < self._settings.grace or entry.importing:
            self._backoff.wait(self._settings.poll)
            return
        for token in tokens:
            self._ledger.delete_token(token.id)
        if not tokens:
            discard_entry(self._ledger, entry.id, self.item.item_id, stuck_too=True)

    def _ref(self, state: ItemState, ending: Ending, **values: object) -> ItemRef:
        given: dict[str, object] = {"note": ending.note, "error": ending.error}
        if ending.entry is not None:
            given |= {"entry_id": ending.entry.id, "entry_status": ending.entry.status}
            given["made"] = ending.entry.made_by(self._settings.run)
        if ending.token is not None:
            given |= {"token_id": ending.token.id, "own": ending.token.id in self._own}
        return ItemRef.of(self.item, state, **(given | values))

    def _fail(self, error: ItemError) -> ItemRef:
        return ItemRef.of(self.item, ItemState.FAILED, error=error)

    def _let_go(self) -> None:
        """Delete the claim. If that fails, the claim grows old and the next process fences it."""
        token_id, self._mine = self._mine, None
        if token_id is not None:
            try:
                self._ledger.delete_token(token_id)
            except (KalturaAPIError, KalturaTransportError):
                self._fenceable.add(token_id)  # it held nothing that is under way
