"""The interface of a source: a name, a size, a validator, and bytes that are read by offset."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from kaltura_provider.upload.sources.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["WINDOW", "Source", "exactly", "steady"]

WINDOW = 256 * 1024
"""Default number of bytes of one window of a read."""

_ATTEMPTS = 4


@runtime_checkable
class Source(Protocol):
    """Something whose bytes can be read by offset, from several threads at once."""

    @property
    def name(self) -> str:
        """The file's name, without a path."""

    @property
    def uri(self) -> str:
        """The address of the source for logs: without user, password and query values."""

    @property
    def size(self) -> int:
        """The size in bytes, at least 1."""

    @property
    def validator(self) -> str:
        """What distinguishes this content from others at the same address: ETag or version id; ``""`` if unknown."""

    @property
    def crc32c(self) -> int | None:
        """The CRC-32C of the whole content, if the store knows it."""

    @property
    def rewind(self) -> int | None:
        """How many bytes before the furthest read a new read can start cheaply; ``None`` for any number."""

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield exactly ``length`` bytes from ``offset`` on, at most ``window`` at a time.

        Closing the iterator releases what it holds.

        :raises SourceError: the bytes cannot be read.
        """

    def close(self) -> None:
        """Release the resources of the source. It cannot be read afterwards."""


def steady(
    read: Callable[[int, int], Generator[bytes, None, None]],
    offset: int,
    length: int,
    *,
    uri: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[bytes, None, None]:
    """Yield ``length`` bytes of ``read(offset, length)``, continuing where it breaks off or ends early.

    :raises SourceUnavailable: four attempts in a row returned no bytes.
    """
    position, end, failures = offset, offset + length, 0
    while position < end:
        began = position
        try:
            for window in read(position, end - position):
                position += len(window)
                failures = 0
                yield window
            if position == began:
                raise SourceUnavailable(uri, "the answer was empty")
        except SourceUnavailable:
            failures += 1
            if failures >= _ATTEMPTS:
                raise
            sleep(0.25 * 2**failures)


def exactly(stream: Generator[bytes, None, None], length: int, uri: str) -> Generator[bytes, None, None]:
    """Yield the first ``length`` bytes of a stream, then close it.

    :raises SourceUnavailable: the stream ended early.
    """
    left = length
    with closing(stream):
        for window in stream:
            yield window[:left]
            left -= len(window)
            if left <= 0:
                return
    raise SourceUnavailable(uri, f"the answer ended {left} bytes early")
