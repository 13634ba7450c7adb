"""The uploader: uploads a source to a token until the server has every byte."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.redaction import printable
from kaltura_provider.api.values import whole_number
from kaltura_provider.upload import integrity
from kaltura_provider.upload.checksum import ChecksumCollector
from kaltura_provider.upload.errors import SizeMismatch
from kaltura_provider.upload.limits import check_size
from kaltura_provider.upload.result import UploadResult
from kaltura_provider.upload.sending import Sending
from kaltura_provider.upload.settings import SINGLE_SHOT, Patience, UploadSettings
from kaltura_provider.upload.silence import until_silent
from kaltura_provider.upload.token import look

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.sources.base import Source

__all__ = ["PATIENCE", "Uploader"]

PATIENCE = Patience()
"""The default settings and patience of an uploader."""

log = logging.getLogger("kaltura_provider.upload")


class Uploader:
    """Uploads sources to upload tokens.

    :param client: used from up to 8 threads.
    :param observer: its ``on_chunk`` gets a :class:`~.progress.Progress` at most every second; by
        default the client's observer.
    :param patience: how long to wait and how often to try; the default suits every server.
    """

    def __init__(
        self,
        client: KalturaClient,
        *,
        observer: Observer | None = None,
        settings: UploadSettings | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._observer = observer or getattr(client, "observer", None) or Observer()
        self.settings = settings or UploadSettings()
        self._patience = patience or PATIENCE
        self._cancelled = False
        self._running: set[threading.Event] = set()

    def cancel(self) -> None:
        """Cancel running and later uploads, which raise :class:`UploadCancelled`. Returns immediately."""
        self._cancelled = True
        for stop in tuple(self._running):
            stop.set()

    def send(
        self, source: Source, token_id: str, *, attached: bool, own: bool = False, state: UploadToken | None = None
    ) -> UploadResult:
        """Upload a source to a token, continuing where the server says the token stands.

        :param attached: the token is attached to an entry or asset. It is then always filled in chunks, since a
            failed single request would delete it.
        :param own: no other process can be sending to this token. Otherwise a token that gained bytes recently is
            watched first.
        :param state: the token as it must be at this moment, because the caller has just added it. It is then not read
            first, which saves a round trip.
        :raises SourceError: the source cannot be read.
        :raises UploadError: the token cannot be filled; the class says why.
        :raises KalturaError: the server could not be reached or refused, also when asked again.
        """
        check_size(source, self.settings)
        stop, halt = threading.Event(), threading.Event()
        self._running |= {stop, halt}
        if self._cancelled:
            stop.set()
        try:
            return self._send(source, token_id, stop, halt, attached=attached, own=own, known=state)
        finally:
            self._running -= {stop, halt}

    def _send(
        self,
        source: Source,
        token_id: str,
        stop: threading.Event,
        halt: threading.Event,
        *,
        attached: bool,
        own: bool,
        known: UploadToken | None,
    ) -> UploadResult:
        started = time.monotonic()
        state = known or self._enter(token_id, stop, own=own)
        if state.filled and state.uploaded == source.size:
            return self._nothing_to_do(source, token_id, state, stop, started)
        if state.filled or (state.uploaded or 0) > source.size:
            raise SizeMismatch(token_id, source.size, state.uploaded)
        if state.uploaded:
            log.info("token %s has %d of %d bytes; continuing from there", token_id, state.uploaded, source.size)
        transfer = Sending(
            self._client,
            source,
            token_id,
            state,
            self.settings,
            self._patience,
            self._observer,
            stop,
            halt,
            single=not (attached or state.attached) and source.size <= self._single_shot,
            own=own,
        )
        result = transfer.run(started)
        log.info(
            "%s: %d bytes in token %s after %.1f s (%.1f MB/s, %d chunks)",
            printable(source.name),
            result.size,
            token_id,
            result.seconds,
            result.rate / 1e6,
            result.chunks,
        )
        return result

    @property
    def _single_shot(self) -> int:
        return min(SINGLE_SHOT, self.settings.chunk_size or SINGLE_SHOT)

    def _enter(self, token_id: str, stop: threading.Event, *, own: bool) -> UploadToken:
        """Read the token's state; if another process may be filling it, wait until it is done or silent.

        :raises TokenBusy: it still gains bytes after ``busy_wait``.
        """
        state = look(self._client, token_id)
        # Clocks differ, so the server's timestamp alone counts as silence only after twice the time.
        stale = time.time() - state.updated_at >= 2 * self._patience.busy_after
        if own or stale or state.status != UploadTokenStatus.PARTIAL_UPLOAD:
            return state
        return until_silent(self._client, token_id, state, self._patience, stop)

    def _nothing_to_do(
        self, source: Source, token_id: str, state: UploadToken, stop: threading.Event, started: float
    ) -> UploadResult:
        digests = integrity.compute(source, ChecksumCollector(source.size), self.settings, token_id, stop)
        return UploadResult(
            token_id=token_id,
            size=source.size,
            crc32c=digests.base64,
            crc32c_note=digests.note,
            sha256=digests.sha256,
            bytes_sent=0,
            resumed_from=source.size,
            chunks=0,
            seconds=time.monotonic() - started,
            token_status=whole_number(state.status) or 0,
        )
