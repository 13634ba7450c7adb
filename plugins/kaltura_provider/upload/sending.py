"""Runs one upload: threads send the chunks that the plan hands out, and one thread handles every outcome."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaAPIError, KalturaTransportError
from kaltura_provider.api.values import whole_number
from kaltura_provider.upload import integrity
from kaltura_provider.upload.checksum import ChecksumCollector
from kaltura_provider.upload.chunk_plan import Chunk, ChunkPlan, Phase, opener_length
from kaltura_provider.upload.errors import ChunkRefused, FinalRefused, SizeMismatch, UploadCancelled
from kaltura_provider.upload.finisher import Finisher
from kaltura_provider.upload.pace import Pace
from kaltura_provider.upload.progress import Progress, ProgressReporter
from kaltura_provider.upload.restarts import CANNOT_RESUME, Restarts
from kaltura_provider.upload.result import UploadResult
from kaltura_provider.upload.retrying import is_too_large, is_transient, pause_after
from kaltura_provider.upload.sender import ChunkSender, Outcome, part_name
from kaltura_provider.upload.token import look

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.observer import Observer
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.settings import Patience, UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["Sending"]

log = logging.getLogger("kaltura_provider.upload")

_TICK = 1.0
_FAREWELL = 2.0
# Each refusal halves the chunks, and all in flight may be refused at once: at most about forty.
_MAX_REFUSALS = 64


class Sending:
    """Sends one source to one token, once.

    :param state: the token as the server last reported it.
    :param stop: when set, the transfer breaks off.
    :param halt: makes chunks in flight break off; set when the transfer ends, and together with ``stop``.
    :param single: whether everything may go in one request.
    :param own: no other process can be sending to this token.
    """

    def __init__(
        self,
        client: KalturaClient,
        source: Source,
        token_id: str,
        state: UploadToken,
        settings: UploadSettings,
        patience: Patience,
        observer: Observer,
        stop: threading.Event,
        halt: threading.Event,
        *,
        single: bool,
        own: bool,
    ) -> None:
        self._client = client
        self._source = source
        self._token_id = token_id
        self._settings = settings
        self._patience = patience
        self._stop = stop
        self._end = halt
        self._resumed_from = state.uploaded or 0
        self._pace = Pace(settings, source.size, rewind=source.rewind)
        self._plan = ChunkPlan(
            source.size,
            front=state.uploaded,
            single=single,
            smallest=self._pace.smallest,
            opener=opener_length(source.size, settings.chunk_size),
        )
        name = part_name(state.file_name, source.name)
        self._sender = ChunkSender(client, source, token_id, name, settings, patience, halt)
        self._finisher = Finisher(client, self._sender, token_id, patience, stop)
        self._restarts = Restarts(client, token_id, patience, stop, own=own)
        self._reporter = ProgressReporter(observer.on_chunk)
        self._sums = ChecksumCollector(self._resumed_from)
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._flying: dict[int, Outcome] = {}
        self._delayed: list[tuple[float, Outcome]] = []
        self._failures: dict[int, int] = {}
        self._moved_at = self._began = time.monotonic()
        self._restarting = False
        self._finals = self._refusals = 0
        self._final: UploadToken | None = None
        self._digests: integrity.Digests | None = None

    def run(self, started: float) -> UploadResult:
        """Run the transfer.

        :param started: when the upload began, by the monotonic clock.
        :raises: as :meth:`Uploader.send`.
        """
        try:
            while self._final is None:
                self._step()
        except BaseException:
            self._halt()
            raise
        self._halt()
        final = self._confirm(self._final)
        self._report(force=True)
        digests = self._digests or self._compute()
        return UploadResult(
            token_id=self._token_id,
            size=self._source.size,
            crc32c=digests.base64,
            crc32c_note=digests.note,
            sha256=digests.sha256,
            bytes_sent=self._sender.bytes_sent,
            resumed_from=self._resumed_from,
            chunks=self._plan.accepted,
            seconds=time.monotonic() - started,
            token_status=whole_number(final.status) or 0,
        )

    def _step(self) -> None:
        if self._stop.is_set():
            raise UploadCancelled("the upload was cancelled", self._token_id)
        if self._restarting and not self._flying:
            self._begin_again(self._restarts.state())
        if self._final is None:
            self._hand_out()
        if self._final is None and (self._flying or self._delayed):
            self._wait()
        self._report()

    def _hand_out(self) -> None:
        while not self._restarting:
            chunk = self._plan.next(self._pace.parallelism, self._pace.chunk_size, self._pace.tail)
            if chunk is None:
                return
            if chunk.final:
                self._finish(chunk)
                return
            outcome = self._sender.begin(chunk)
            self._flying[chunk.offset] = outcome
            threading.Thread(
                target=lambda sending=outcome: self._outcomes.put(self._sender.run(sending)),
                name=f"kaltura-upload-{chunk.offset}",
                daemon=True,
            ).start()

    def _wait(self) -> None:
        now = time.monotonic()
        due = min((when for when, _ in self._delayed), default=now + _TICK)
        try:
            outcome = self._outcomes.get(timeout=min(_TICK, max(0.001, due - now)))
        except queue.Empty:
            pass
        else:
            del self._flying[outcome.chunk.offset]
            self._take(outcome)
        now = time.monotonic()
        for when, delayed in self._delayed:
            if when <= now:
                self._plan.lose(delayed.chunk, delayed.state.uploaded if delayed.state else None)
        self._delayed = [(when, delayed) for when, delayed in self._delayed if when > now]

    def _take(self, outcome: Outcome) -> None:
        if outcome.state is not None:
            self._check_front(outcome.state)
            if outcome.state.filled:
                self._final = outcome.state  # another process has finished the token
                return
        if outcome.error is not None:
            self._failed(outcome, outcome.error)
            return
        opening = self._plan.phase is Phase.OPENING
        self._plan.acknowledge(outcome.chunk, outcome.state.uploaded if outcome.state else None)
        self._count(outcome)
        if opening:
            self._pace.opened(outcome.seconds)
        else:
            self._pace.arrived(outcome.chunk.length, outcome.seconds, outcome.waited)

    def _count(self, outcome: Outcome) -> None:
        self._failures.pop(outcome.chunk.offset, None)
        self._moved_at = outcome.ended
        if outcome.complete:
            self._sums.add(outcome.chunk.offset, outcome.chunk.length, outcome.crc)

    def _failed(self, outcome: Outcome, error: BaseException) -> None:
        code = _code(error)
        if code == "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD":
            state = look(self._client, self._token_id)
            self._check_front(state)
            if not state.filled:
                raise error
            self._final = state
        elif code == CANNOT_RESUME:
            self._restarting = True
        elif is_too_large(error):
            self._cut_smaller(outcome, error)
        elif is_transient(error, renewable=self._client.credentials.renewable):
            self._retry_later(outcome, error)
        else:
            raise error

    def _cut_smaller(self, outcome: Outcome, error: BaseException) -> None:
        length, minimum = outcome.chunk.length, self._plan.min_chunk
        self._refusals += 1
        if length <= max(self._pace.floor, minimum) or self._refusals > _MAX_REFUSALS:
            raise ChunkRefused(self._token_id, length, minimum) from error
        self._pace.failed(outcome.started, outcome.ended, too_large=length)
        self._plan.lose(outcome.chunk)

    def _retry_later(self, outcome: Outcome, error: BaseException) -> None:
        offset, state = outcome.chunk.offset, outcome.state
        if state is not None and state.uploaded is not None and state.uploaded >= outcome.chunk.end:
            # The answer was lost, but not the bytes.
            self._plan.acknowledge(outcome.chunk, state.uploaded)
            self._count(outcome)
            return
        self._pace.failed(outcome.started, outcome.ended)
        self._failures[offset] = attempt = self._failures.get(offset, 0) + 1
        delay = pause_after(error, attempt, self._patience.retry, outcome.ended - self._moved_at)
        log.warning("chunk at byte %d failed (attempt %d), retrying in %.1f s: %s", offset, attempt, delay, error)
        self._delayed.append((time.monotonic() + delay, outcome))

    def _finish(self, chunk: Chunk) -> None:
        self._finals += 1
        if self._finals > self._patience.final_attempts:
            raise FinalRefused("the server does not join the chunks, which were sent repeatedly", self._token_id)
        if not chunk.length or self._settings.sha256:
            self._digests = self._compute()
        try:
            outcome = self._finisher.finish(chunk)
        except KalturaTransportError as error:
            if not (chunk.length and is_too_large(error)):
                raise
            self._go_on_in_chunks(chunk)
            return
        state = outcome.state
        if state is None or state.filled:
            self._plan.acknowledge(chunk)
            self._count(outcome)
            self._final = state
        elif outcome.error is not None and _code(outcome.error) == CANNOT_RESUME:
            self._restarting = True
        else:
            log.warning("the server lacks bytes from byte %s on; sending them again", state.uploaded)
            self._begin_again(state)

    def _go_on_in_chunks(self, single: Chunk) -> None:
        """Start again in chunks, after the server or a proxy refused one large request (HTTP 413)."""
        log.info("a request of %d bytes is too large for the server or a proxy; sending chunks instead", single.length)
        now = time.monotonic()
        self._pace.failed(now, now, too_large=single.length)
        self._plan.single, self._finals = False, 0
        self._begin_again(look(self._client, self._token_id))

    def _compute(self) -> integrity.Digests:
        return integrity.compute(self._source, self._sums, self._settings, self._token_id, self._stop)

    def _begin_again(self, state: UploadToken) -> None:
        self._check_front(state)
        self._restarting = False
        self._delayed.clear()
        if state.filled:
            self._final = state
            return
        self._plan.restart(state.uploaded)
        self._sums.rewind(state.uploaded or 0)

    def _check_front(self, state: UploadToken) -> None:
        if state.uploaded is not None and state.uploaded > self._source.size:
            raise SizeMismatch(self._token_id, self._source.size, state.uploaded)

    def _confirm(self, state: UploadToken) -> UploadToken:
        """Check that the token holds as many bytes as the source; the server does not compare them."""
        if state.uploaded != self._source.size:
            state = look(self._client, self._token_id)
        if state.uploaded != self._source.size or not state.filled:
            raise SizeMismatch(self._token_id, self._source.size, state.uploaded)
        return state

    def _report(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and not self._reporter.due(now):
            return
        received = self._source.size if force else self._plan.received
        sent = min(self._source.size, received + sum(outcome.read for outcome in self._flying.values()))
        progress = Progress(
            token_id=self._token_id,
            name=self._source.name,
            size=self._source.size,
            sent=sent,
            acknowledged=received,
            seconds=now - self._began,
            rate=self._reporter.rate(now, sent),
            parallelism=self._pace.parallelism,
            chunk_size=self._pace.chunk_size,
        )
        self._reporter.report(now, progress)

    def _halt(self) -> None:
        """Make chunks in flight break off, and give their threads a moment to do so."""
        self._end.set()
        deadline = time.monotonic() + _FAREWELL
        while self._flying and (left := deadline - time.monotonic()) > 0:
            try:
                self._flying.pop(self._outcomes.get(timeout=left).chunk.offset, None)
            except queue.Empty:
                return


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, KalturaAPIError) else ""
