"""Sending one chunk: its bytes from the source straight to the socket, window by window."""

from __future__ import annotations

import logging
import re
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaAPIError, KalturaError
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.api.steps import Timeout
from kaltura_provider.upload.checksum import crc32c, to_base64
from kaltura_provider.upload.errors import ChecksumMismatch, TokenGone, UploadCancelled
from kaltura_provider.upload.throttle import Throttle
from kaltura_provider.upload.token import TokenState, gone, look

if TYPE_CHECKING:
    from collections.abc import Generator

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.upload.plan import Chunk
    from kaltura_provider.upload.settings import UploadSettings
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
    """One sending of one chunk. Times are of the sender's clock.

    ``error`` is what went wrong; ``state`` the token in the answer or, after an ambiguous failure, as asked for.
    """

    chunk: Chunk
    started: float
    read: int = 0
    crc: int = 0
    first_byte_at: float = 0.0
    last_byte_at: float = 0.0
    ended: float = 0.0
    state: TokenState | None = None
    error: BaseException | None = None
    attempt: int = field(default=1)

    @property
    def complete(self) -> bool:
        """Whether all bytes were read, so that ``crc`` is the chunk's."""
        return self.read == self.chunk.length

    @property
    def seconds(self) -> float:
        """From the first to the last moment."""
        return self.ended - self.started

    @property
    def waited(self) -> float:
        """Without a byte moving: until the source gave its first one, and from the last one to the answer."""
        return self.first_byte_at - self.started + self.ended - self.last_byte_at


class ChunkSender:
    """Sends chunks of one source to one token; safe to use from several threads.

    :param stop: when set, chunks under way break off with :class:`UploadCancelled`.
    """

    def __init__(
        self,
        client: KalturaClient,
        source: Source,
        token_id: str,
        file_name: str,
        settings: UploadSettings,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._source = source
        self._token_id = token_id
        self._file_name = file_name
        self._settings = settings
        self._stop = stop
        self._throttle = Throttle(settings.bandwidth, sleep=stop.wait)
        self._lock = threading.Lock()
        self.bytes_sent = 0
        self.clock = time.monotonic

    def begin(self, chunk: Chunk) -> Outcome:
        """Make the record of a sending, which shows its progress while it lasts."""
        now = self.clock()
        return Outcome(chunk, started=now, first_byte_at=now, last_byte_at=now)

    def run(self, outcome: Outcome) -> Outcome:
        """Send a chunk and fill in what came of it; never raises.

        A failure after which the server may have the chunk all the same is followed by the question what it has.
        """
        try:
            outcome.state = self.send(outcome)
        except BaseException as error:  # whatever ends this thread, somebody waits for the outcome
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
        except BaseException as error:  # the first error tells the story
            log.info("token %s could not be asked what it has: %s", self._token_id, error)

    def send(self, outcome: Outcome) -> TokenState:
        """Send a chunk.

        :raises KalturaError: no answer, or a refusal.
        :raises TokenGone: the token takes no more bytes.
        :raises SourceError: the source could not be read.
        """
        chunk, settings = outcome.chunk, self._settings
        silence = settings.final_timeout if chunk.final else settings.chunk_timeout
        params = {
            "uploadTokenId": self._token_id,
            "resume": chunk.resume,
            "finalChunk": chunk.final,
            "resumeAt": chunk.offset,
        }
        part = FilePart(self._file_name, chunk.length, lambda: self._windows(outcome))
        try:
            # The time limit for connecting also holds for handing a window over to a slow link.
            answer = self._client.send_file(
                "uploadToken", "upload", params, part, timeout=Timeout(settings.connect_timeout, silence)
            )
        except KalturaAPIError as error:
            raise gone(self._token_id, error) or error from None
        finally:
            with self._lock:
                self.bytes_sent += outcome.read
        return TokenState.parse(answer)

    def _windows(self, outcome: Outcome) -> Generator[bytes, None, None]:
        outcome.read = outcome.crc = 0
        if outcome.chunk.length == 0:
            return
        with closing(self._source.read(outcome.chunk.offset, outcome.chunk.length, self._settings.window)) as windows:
            for data in windows:
                if not outcome.read:
                    outcome.first_byte_at = self.clock()
                if self._stop.is_set():
                    raise UploadCancelled("it was told to stop", self._token_id)
                self._throttle.take(len(data))
                outcome.crc = crc32c(data, outcome.crc)
                if outcome.read + len(data) == self._source.size:
                    self._check_single(outcome.crc)
                yield data
                outcome.read += len(data)
        outcome.last_byte_at = self.clock()

    def _check_single(self, crc: int) -> None:
        """Keep back the last window of a damaged source that goes in one request: the server then stores nothing."""
        expected = self._source.crc32c
        if expected is not None and crc != expected:
            raise ChecksumMismatch(self._token_id, to_base64(expected), to_base64(crc))
