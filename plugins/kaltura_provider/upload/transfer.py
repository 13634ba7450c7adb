"""One upload under way: threads send what the plan hands out, and one thread decides about every outcome."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from kaltura_provider.api import KalturaAPIError
from kaltura_provider.upload import integrity
from kaltura_provider.upload.checksum import ChecksumCollector, to_base64
from kaltura_provider.upload.errors import ChunkRefused, FinalRefused, SizeMismatch, UploadCancelled
from kaltura_provider.upload.finisher import Finisher
from kaltura_provider.upload.pace import Pace
from kaltura_provider.upload.plan import Chunk, Phase, UploadPlan
from kaltura_provider.upload.progress import Progress, ProgressReporter
from kaltura_provider.upload.result import UploadResult
from kaltura_provider.upload.retrying import passing, too_large
from kaltura_provider.upload.sender import ChunkSender, Outcome, part_name
from kaltura_provider.upload.token import TokenState, look

if TYPE_CHECKING:
    from kaltura_provider.api import KalturaClient, Observer
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["Transfer"]

log = logging.getLogger("kaltura_provider.upload")

_TICK = 1.0
_FAREWELL = 2.0


class Transfer:
    """Brings one source into one token, once.

    :param state: the token as the server told it last.
    :param single: whether everything may go in one request.
    :param stop: when set, the transfer breaks off.
    """

    def __init__(
        self,
        client: KalturaClient,
        source: Source,
        token_id: str,
        state: TokenState,
        settings: UploadSettings,
        observer: Observer,
        stop: threading.Event,
        *,
        single: bool,
    ) -> None:
        self._client = client
        self._source = source
        self._token_id = token_id
        self._settings = settings
        self._stop = stop
        self._resumed_from = state.front or 0
        # A source that runs only forward keeps a stretch behind it; all chunks in flight have to fit in.
        most = source.rewind // (settings.max_parallelism + 2) if source.rewind else None
        self._pace = Pace(settings, most)
        self._plan = UploadPlan(source.size, front=state.front, single=single, smallest=self._pace.smallest)
        name = part_name(state.file_name, source.name)
        self._sender = ChunkSender(client, source, token_id, name, settings, stop)
        self._finisher = Finisher(client, self._sender, token_id, settings, stop)
        self._reporter = ProgressReporter(observer.on_chunk)
        self._sums = ChecksumCollector(self._resumed_from)
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._flying: dict[int, Outcome] = {}
        self._delayed: list[tuple[float, Outcome]] = []
        self._failures: dict[int, int] = {}
        self._moved_at = self._began = time.monotonic()
        self._restarting = False
        self._finals = 0
        self._final: TokenState | None = None
        self._digests: integrity.Digests | None = None

    def run(self, started: float) -> UploadResult:
        """Do it.

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
            crc32c=None if digests.crc32c is None else to_base64(digests.crc32c),
            crc32c_note=digests.note,
            sha256=digests.sha256,
            bytes_sent=self._sender.bytes_sent,
            resumed_from=self._resumed_from,
            chunks=self._plan.accepted,
            seconds=time.monotonic() - started,
            token_status=int(final.status),
        )

    def _step(self) -> None:
        if self._stop.is_set():
            raise UploadCancelled("it was told to stop", self._token_id)
        if self._restarting and not self._flying:
            self._restart(look(self._client, self._token_id))
        self._hand_out()
        if self._final is None and (self._flying or self._delayed):
            self._wait()
        self._report()

    def _hand_out(self) -> None:
        while not self._restarting:
            chunk = self._plan.next(self._pace.parallelism, self._pace.chunk_size)
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
                self._plan.lose(delayed.chunk, delayed.state.front if delayed.state else None)
        self._delayed = [(when, delayed) for when, delayed in self._delayed if when > now]

    def _take(self, outcome: Outcome) -> None:
        if outcome.state is not None:
            self._check_front(outcome.state)
            if outcome.state.full:
                self._final = outcome.state  # somebody else has finished the token
                return
        if outcome.error is not None:
            self._failed(outcome, outcome.error)
            return
        opening = self._plan.phase is Phase.OPENING
        self._plan.acknowledge(outcome.chunk, outcome.state.front if outcome.state else None)
        self._count(outcome)
        if opening:
            self._pace.opened(outcome.seconds)
        else:
            self._pace.arrived(outcome.chunk.length, outcome.seconds, outcome.waited, outcome.ended)

    def _count(self, outcome: Outcome) -> None:
        self._failures.pop(outcome.chunk.offset, None)
        self._moved_at = outcome.ended
        if outcome.complete:
            self._sums.add(outcome.chunk.offset, outcome.chunk.length, outcome.crc)

    def _failed(self, outcome: Outcome, error: Exception) -> None:
        code = error.code if isinstance(error, KalturaAPIError) else ""
        if code == "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD":
            state = look(self._client, self._token_id)
            self._check_front(state)
            if not state.full:
                raise error
            self._final = state
        elif code == "UPLOAD_TOKEN_CANNOT_RESUME":
            self._restarting = True
        elif too_large(error):
            if outcome.chunk.length <= self._pace.smallest:
                raise ChunkRefused(self._token_id, outcome.chunk.length) from error
            self._pace.failed(outcome.started, outcome.ended, too_large=outcome.chunk.length)
            self._plan.lose(outcome.chunk)
        elif passing(error, renewable=self._client.credentials.renewable):
            self._retry_later(outcome, error)
        else:
            raise error

    def _retry_later(self, outcome: Outcome, error: Exception) -> None:
        offset, state = outcome.chunk.offset, outcome.state
        if state is not None and state.front is not None and state.front >= outcome.chunk.end:
            # The answer was lost, the bytes were not.
            self._plan.acknowledge(outcome.chunk, state.front)
            self._count(outcome)
            return
        self._pace.failed(outcome.started, outcome.ended)
        self._failures[offset] = attempt = self._failures.get(offset, 0) + 1
        delay = self._settings.retry.delay(attempt, getattr(error, "retry_after", None), outcome.ended - self._moved_at)
        if delay is None:
            raise error
        log.warning("chunk at %d failed (attempt %d), again in %.1f s: %s", offset, attempt, delay, error)
        self._delayed.append((time.monotonic() + delay, outcome))

    def _finish(self, chunk: Chunk) -> None:
        self._finals += 1
        if self._finals > self._settings.final_attempts:
            raise FinalRefused("the server does not put the chunks together, sent repeatedly", self._token_id)
        if not chunk.length or self._settings.sha256:
            self._digests = self._compute()
        outcome = self._finisher.finish(chunk)
        state = outcome.state
        if state is None or state.full:
            self._plan.acknowledge(chunk)
            self._count(outcome)
            self._final = state
        else:
            self._check_front(state)
            log.warning("the server lacks bytes from %s on; sending them again", state.front)
            self._restart(state)

    def _compute(self) -> integrity.Digests:
        return integrity.compute(self._source, self._sums, self._settings, self._token_id)

    def _restart(self, state: TokenState) -> None:
        self._restarting = False
        self._delayed.clear()
        self._plan.restart(state.front)
        self._sums.rewind(state.front or 0)

    def _check_front(self, state: TokenState) -> None:
        if state.front is not None and state.front > self._source.size:
            raise SizeMismatch(self._token_id, self._source.size, state.front)

    def _confirm(self, state: TokenState) -> TokenState:
        """Make sure that the token holds as many bytes as the source; the server does not compare them itself."""
        if state.front != self._source.size:
            state = look(self._client, self._token_id)
        if state.front != self._source.size or not state.full:
            raise SizeMismatch(self._token_id, self._source.size, state.front)
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
        """Let chunks under way break off, and give their threads a moment to do so."""
        self._stop.set()
        deadline = time.monotonic() + _FAREWELL
        while self._flying and (left := deadline - time.monotonic()) > 0:
            try:
                self._flying.pop(self._outcomes.get(timeout=left).chunk.offset, None)
            except queue.Empty:
                return
