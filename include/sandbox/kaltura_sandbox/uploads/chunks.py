"""How the chunks of an upload become one file: written in place, parked, appended, verified.

A token's directory holds ``data`` (the contiguous file) and ``chunk.<offset>`` (parked chunks).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kaltura_sandbox.store.files import append_at

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ChunkStore"]

# Parked chunks appended at the start of one call.
_APPENDED_PER_CALL = 10


class ChunkStore:
    """The files of one token; the caller holds the token's lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.data = directory / "data"

    @property
    def exists(self) -> bool:
        """Whether a first chunk has made the file."""
        return self.data.exists()

    @property
    def size(self) -> int:
        """The length of the contiguous file."""
        return self.data.stat().st_size if self.data.exists() else 0

    def parked(self) -> list[tuple[int, Path]]:
        """Parked chunks by offset."""
        found = ((int(path.name[6:]), path) for path in self._directory.glob("chunk.*"))
        return sorted(found, key=lambda item: item[0])

    def begin(self, part: Path) -> int:
        """Make a part the whole file, in place of anything sent before."""
        os.replace(part, self.data)
        return self.size

    def append(self, part: Path) -> int:
        """Append a part."""
        append_at(part, self.data, self.size)
        return self.size

    def place(self, part: Path, offset: int, length: int) -> int:
        """Take a non-final chunk: written where it lengthens the file without a gap, else parked."""
        if length == 0 and offset > 0:
            return self.size
        self._append_contiguous()
        if offset <= self.size < offset + length:
            append_at(part, self.data, offset)
        else:
            self.park(part, offset)
        return self.size

    def _append_contiguous(self) -> None:
        for _ in range(_APPENDED_PER_CALL):
            chunk = self._directory / f"chunk.{self.size}"
            if not chunk.exists() or chunk.stat().st_size == 0:
                return
            append_at(chunk, self.data, self.size)
            chunk.unlink()

    def park(self, part: Path, offset: int) -> None:
        """Keep a chunk under its offset; an earlier one there is replaced."""
        os.replace(part, self._directory / f"chunk.{offset}")

    def settle(self) -> bool:
        """One round of putting parked chunks in their place.

        A chunk parked at offset 0 is always written back over the head and asks for one more round.

        :returns: whether another round is due whatever the size.
        """
        again = False
        for offset, chunk in self.parked():
            size, length = self.size, chunk.stat().st_size
            if offset <= size < offset + length:
                append_at(chunk, self.data, offset)
            elif offset == 0 and length:
                append_at(chunk, self.data, 0)
                again = True
            else:
                continue
            chunk.unlink()
        return again
