"""Reading by offset from a stream that only runs forward, through a bounded window on disk."""

from __future__ import annotations

import os
import tempfile
import threading
from typing import TYPE_CHECKING

from kaltura_provider.upload.sources.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Spool"]


class Spool:
    """Keeps the last ``capacity`` bytes of a stream in an unlinked temporary file, used as a ring.

    Reads within these bytes cost nothing; reads ahead move the stream on; a read further back begins the stream
    again from its first byte, which is slow but right. Several threads may read at once.

    :param begin: makes a fresh iterator over the whole stream.
    """

    def __init__(self, begin: Callable[[], Generator[bytes, None, None]], capacity: int, uri: str) -> None:
        self._begin = begin
        self._capacity = capacity
        self._uri = uri
        self._lock = threading.Lock()
        self._ring = tempfile.TemporaryFile(prefix="kaltura-spool-")  # noqa: SIM115 - lives as long as the spool
        self._stream: Generator[bytes, None, None] | None = None
        self._position = 0
        self.restarts = 0

    def read(self, offset: int, length: int, window: int) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, at most ``window`` at a time.

        :raises SourceUnavailable: the stream broke off; the next read begins it again.
        """
        end = offset + length
        while offset < end:
            with self._lock:
                self._reach(offset)
                data = self._kept(offset, min(end, self._position, offset + window))
            offset += len(data)
            yield data

    def _reach(self, offset: int) -> None:
        """Run the stream on until the byte at ``offset`` is in the ring."""
        if self._stream is None or offset < self._position - self._capacity:
            self.restarts += self._stream is not None
            self._stop()
            self._stream, self._position = self._begin(), 0
        while self._position <= offset:
            try:
                data = next(self._stream, b"")
            except SourceUnavailable:
                self._stop()
                raise
            if not data:
                self._stop()
                raise SourceUnavailable(self._uri, f"the stream ended at byte {self._position}")
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        place = self._position % self._capacity
        fits = self._capacity - place
        os.pwrite(self._ring.fileno(), data[:fits], place)
        if len(data) > fits:
            os.pwrite(self._ring.fileno(), data[fits:], 0)
        self._position += len(data)

    def _kept(self, offset: int, end: int) -> bytes:
        place = offset % self._capacity
        return os.pread(self._ring.fileno(), min(end - offset, self._capacity - place), place)

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def close(self) -> None:
        """End the stream and release the disk space."""
        with self._lock:
            self._stop()
            self._ring.close()
