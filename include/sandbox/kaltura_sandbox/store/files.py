"""Where bytes live: spooled request parts, uploads in progress and the content of entries and assets."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Files", "append_at", "digest"]

_WINDOW = 1 << 20


class Files:
    """The directories below the data directory; a file is moved into place, never copied, where that is possible."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.temporary, self.uploads, self.content = (root / name for name in ("tmp", "uploads", "content"))
        shutil.rmtree(self.temporary, ignore_errors=True)  # parts of requests that died with the last process
        for directory in (self.temporary, self.uploads, self.content):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._numbers = itertools.count()

    def temporary_path(self, suffix: str = "") -> Path:
        """Return a new name for a temporary file."""
        return self.temporary / f"{os.getpid()}-{next(self._numbers)}{suffix}"

    def upload_dir(self, token_id: str) -> Path:
        """Return the directory of a token: its file and the chunks parked beside it."""
        directory = self.uploads / _safe(token_id)
        directory.mkdir(exist_ok=True)
        return directory

    def keep(self, source: Path, object_id: str, version: str, extension: str) -> Path:
        """Move a file to its place as the content of an object and return that place."""
        directory = self.content / _safe(object_id)
        directory.mkdir(exist_ok=True)
        target = directory / f"{_safe(version)}.{_safe(extension) or 'noex'}"
        os.replace(source, target)
        return target


def _safe(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum() or letter in "_-")[:64]


def append_at(source: Path, target: Path, offset: int) -> None:
    """Write the bytes of ``source`` into ``target`` from ``offset`` on, inside the kernel where it can."""
    with source.open("rb", buffering=0) as reader, target.open("r+b", buffering=0) as writer:
        left, position = os.fstat(reader.fileno()).st_size, 0
        while left > 0:
            copied = _copy(reader.fileno(), writer.fileno(), position, offset + position, left)
            if copied == 0:
                break
            position += copied
            left -= copied


def _copy(reader: int, writer: int, start: int, to: int, count: int) -> int:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # not on every file system
            return os.copy_file_range(reader, writer, count, start, to)
    return os.pwrite(writer, os.pread(reader, min(count, _WINDOW), start), to)


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
