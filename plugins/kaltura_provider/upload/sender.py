"""Sends one chunk: its bytes go from the source straight to the socket, window by window."""

from __future__ import annotations

import logging
import re
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaAPIError, KalturaError
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.api.steps import Timeout
from kaltura_provider.upload.checksum import crc32c, to_base64
from kaltura_provider.upload.errors import ChecksumMismatch, TokenGone, UploadCancelled
from kaltura_provider.upload.settings import WINDOW
from kaltura_provider.upload.throttle import Throttle
from kaltura_provider.upload.token import gone, look, read_answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.chunk_plan import Chunk
    from kaltura_provider.upload.settings import Patience, UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["ChunkSender", "Outcome", "part_name"]

log = logging.getLogger("kaltura_provider.upload")

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}\Z")


def part_name(token_file_name: str, source_name: str) -> str:
    """Return the name of the file part. The server stores the extension of the first part's name, so it matters."""
    for name in (token_file_name, source_name):
        match = _EXTENSION.search(name)
        if match:
            return f"content{match[0].lower()}"
    return "content"


@dataclass(slots=True)
class Outcome:
    """One attempt to send one chunk. Times are of the sender's clock.

    ``error`` is what went wrong; ``state`` is the token as answered or, after an ambiguous failure, as looked up.
    """

    chunk: Chunk
    started: float
    read: int = 0
    crc: int = 0
    first_byte_at: float = 0.0
    last_byte_at: float = 0.0
    ended: float = 0.0
    state: UploadToken | None = None
    error: BaseException | None = None

    @property
    def complete(self) -> bool:
        """Whether all bytes were read and handed to the connection, so ``crc`` is the chunk's."""
        return self.read == self.chunk.length

    @property
    def seconds(self) -> float:
        """Seconds from beginning to end."""
        return self.ended - self.started

    @property
    def waited(self) -> float:
        """Seconds in which no byte moved: before the source gave its first one, and from the last one to the answer."""
        return self.first_byte_at - self.started + self.ended - self.last_byte_at


class ChunkSender:
    """Sends chunks of one source to one token; safe to use from several threads.

    :param stop: when set, chunks in flight break off with :class:`UploadCancelled`.
    """

    def __init__(
        self,
        client: KalturaClient,
        source: Source,
        token_id: str,
        file_name: str,
        settings: UploadSettings,
        patience: Patience,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._source = source
        self._token_id = token_id
        self._file_name = file_name
        self._patience = patience
        self._stop = stop
        self._throttle = Throttle(settings.bandwidth, sleep=stop.wait)
        self._lock = threading.Lock()
        self.bytes_sent = 0
        self.clock = time.monotonic

    def begin(self, chunk: Chunk) -> Outcome:
        """Make the record of an attempt, which shows its progress while it lasts."""
        now = self.clock()
        return Outcome(chunk, started=now, first_byte_at=now, last_byte_at=now)

    def run(self, outcome: Outcome) -> Outcome:
        """Send a chunk and record the outcome; never raises.

        After a failure that may have left the chunk on the server, ask the server what it has.
        """
        try:
            outcome.state = self.send(outcome)
        except BaseException as error:  # the transfer waits for the outcome, whatever ended this thread
            outcome.error = error
            if isinstance(error, KalturaError) and error.ambiguous and not self._stop.is_set():
                self._ask(outcome)
        outcome.ended = self.clock()
        return outcome

    def _ask(self, outcome: Outcome) -> None:
        try:
            outcome.state = look(self._client, self._token_id)
        except TokenGone as error:
            outcome.error = error
        except BaseException as error:  # the first error is the one to report
            log.info("token %s could not be asked what it has: %s", self._token_id, error)

    def send(self, outcome: Outcome) -> UploadToken:
        """Send a chunk.

        :raises KalturaError: no answer, or a refusal.
        :raises TokenGone: the token can no longer be filled.
        :raises SourceError: the source could not be read.
        """
        chunk, patience = outcome.chunk, self._patience
        silence = patience.final_timeout if chunk.final else patience.chunk_timeout
        params = {
            "uploadTokenId": self._token_id,
            "resume": chunk.resume,
            "finalChunk": chunk.final,
            "resumeAt": chunk.offset,
        }
        part = FilePart(self._file_name, chunk.length, lambda: self._windows(outcome))
        try:
            # The limit for connecting also applies to handing one window over to a slow link.
            answer = self._client.send_file(
                "uploadToken", "upload", params, part, timeout=Timeout(patience.connect_timeout, silence)
            )
        except KalturaAPIError as error:
            raise gone(self._token_id, error) or error from None
        finally:
            with self._lock:
                self.bytes_sent += outcome.read
        return read_answer(answer)

    def _windows(self, outcome: Outcome) -> Generator[bytes, None, None]:
        outcome.read = outcome.crc = 0
        if outcome.chunk.length == 0:
            return
        with closing(self._source.read(outcome.chunk.offset, outcome.chunk.length, WINDOW)) as windows:
            for data in windows:
                if not outcome.read:
                    outcome.first_byte_at = self.clock()
                if self._stop.is_set():
                    raise UploadCancelled("the upload was cancelled", self._token_id)
                self._throttle.take(len(data))
                outcome.crc = crc32c(data, outcome.crc)
                if outcome.read + len(data) == self._source.size:
                    self._check_single(outcome.crc)
                yield data
                outcome.read += len(data)
        outcome.last_byte_at = self.clock()

    def _check_single(self, crc: int) -> None:
        """Hold back the last window of a damaged source that goes in one request, so that the server stores nothing."""
        expected = self._source.crc32c
        if expected is not None and crc != expected:
            raise ChecksumMismatch(self._token_id, to_base64(expected), to_base64(crc))
