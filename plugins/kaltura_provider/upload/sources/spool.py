"""Read by offset from a stream that only runs forward, through a bounded window on disk."""

from __future__ import annotations

import errno
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

    Reads within these bytes cost nothing, and reads ahead advance the stream. A read further back starts the stream
    again from its first byte, which is slow but correct. Several threads may read at once.

    :param begin: returns a new iterator over the whole stream.
    """

    def __init__(self, begin: Callable[[], Generator[bytes, None, None]], capacity: int, uri: str) -> None:
        self._begin = begin
        self._capacity = capacity
        self._uri = uri
        self._lock = threading.Lock()
        try:
            self._ring = tempfile.TemporaryFile(prefix="kaltura-spool-")  # noqa: SIM115 - lives as long as the spool
        except OSError as error:
            raise self._disk_trouble(error) from None
        self._stream: Generator[bytes, None, None] | None = None
        self._position = 0

    def read(self, offset: int, length: int, window: int) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, at most ``window`` at a time.

        :raises SourceUnavailable: the stream broke off; the next read starts it again.
        """
        end = offset + length
        while offset < end:
            with self._lock:
                self._reach(offset)
                data = self._kept(offset, min(end, self._position, offset + window))
            offset += len(data)
            yield data

    def _reach(self, offset: int) -> None:
        """Advance the stream until the byte at ``offset`` is in the ring."""
        if self._stream is None or offset < self._position - self._capacity:
            self._stop()
            self._stream, self._position = self._begin(), 0
        try:
            while self._position <= offset:
                data = next(self._stream, b"")
                if not data:
                    raise SourceUnavailable(self._uri, f"the stream ended at byte {self._position}")
                self._keep(data)
        except SourceUnavailable:
            self._stop()
            raise

    def _keep(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            place = self._position % self._capacity
            try:
                # A nearly full disk takes less than it is given before it refuses.
                written = os.pwrite(self._ring.fileno(), left[: self._capacity - place], place)
            except OSError as error:
                raise self._disk_trouble(error) from None
            if not written:
                raise self._disk_trouble(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            left = left[written:]
            self._position += written

    def _kept(self, offset: int, end: int) -> bytes:
        place = offset % self._capacity
        try:
            data = os.pread(self._ring.fileno(), min(end - offset, self._capacity - place), place)
        except OSError as error:
            raise self._disk_trouble(error) from None
        if not data:
            raise self._disk_trouble(OSError(errno.EIO, "data written to it has disappeared"))
        return data

    def _disk_trouble(self, error: OSError) -> SourceUnavailable:
        folder = tempfile.tempdir or "the folder for temporary files"  # unset if none can be found
        return SourceUnavailable(
            self._uri,
            f"its server has no ranges, so it needs {self._capacity} bytes of this worker's disk ({folder}), which "
            f"failed: {error.strerror}. Free space there, or set TMPDIR to another disk",
        )

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def close(self) -> None:
        """End the stream and release the disk space."""
        with self._lock:
            self._stop()
            self._ring.close()
