"""What every source is: a name, a size, a fingerprint and bytes by offset."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from kaltura_provider.upload.sources.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["WINDOW", "Source", "steady"]

WINDOW = 256 * 1024
"""Bytes of one window of a read, unless told otherwise."""

_ATTEMPTS = 4


@runtime_checkable
class Source(Protocol):
    """Something whose bytes can be read by offset, from several threads at once."""

    @property
    def name(self) -> str:
        """The file's name, without a path."""

    @property
    def uri(self) -> str:
        """Where it comes from, fit to be printed: no user, password or query values."""

    @property
    def size(self) -> int:
        """Its bytes, at least 1."""

    @property
    def validator(self) -> str:
        """What tells this content from another under the same address: ETag, version id; ``""`` if unknown."""

    @property
    def crc32c(self) -> int | None:
        """The CRC-32C of the whole content, if the store knows it."""

    @property
    def rewind(self) -> int | None:
        """How many bytes a read may go back behind the furthest one cheaply; ``None`` for any number."""

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield exactly ``length`` bytes from ``offset`` on, at most ``window`` at a time.

        Closing the iterator releases what it holds.

        :raises SourceError: the bytes cannot be had.
        """

    def close(self) -> None:
        """Release what the source holds; it cannot be read any more."""


def steady(
    read: Callable[[int, int], Generator[bytes, None, None]],
    offset: int,
    length: int,
    *,
    uri: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[bytes, None, None]:
    """Yield ``length`` bytes of ``read(offset, length)``, going on where it breaks off.

    :raises SourceUnavailable: it broke off four times in a row without giving a byte.
    """
    position, end, failures = offset, offset + length, 0
    while position < end:
        try:
            for window in read(position, end - position):
                position += len(window)
                failures = 0
                yield window
            if position < end:
                raise SourceUnavailable(uri, f"the answer ended {end - position} bytes early")
        except SourceUnavailable:
            failures += 1
            if failures >= _ATTEMPTS:
                raise
            sleep(0.25 * 2**failures)
