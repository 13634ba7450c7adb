"""Decide which local files may be read or written: those in folders that the deployment allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from kaltura_provider.upload.sources.errors import SourceRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["READ_FLAGS", "FolderPolicy", "is_local", "local_path"]

# On systems that distinguish the two, traversing a folder does not need permission to list it.
_THROUGH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Otherwise opening a pipe would wait for a writer.
READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def is_local(address: str) -> bool:
    """Return whether an address is a local file: an absolute path, or ``file:``."""
    return address.startswith("/") or address[:5].lower() == "file:"


def local_path(address: str) -> str:
    """Return the absolute path of ``file:///path`` or of a path.

    :raises SourceRefused: the address has a host or ``..``, is relative, or is not the address of a file.
    """
    path = address
    if not address.startswith("/"):
        parts = urlsplit(address)
        if parts.netloc:
            raise SourceRefused(address, f"it has the host {parts.netloc!r}; write local files as file:///path")
        if "?" in address or "#" in address:
            raise SourceRefused(address, "it has a query or fragment; write ? as %3F and # as %23 in file:///path")
        path = os.fsdecode(unquote_to_bytes(parts.path))
    if not path.startswith("/"):
        raise SourceRefused(address, "it is not an absolute path; write file:///path")
    if "\0" in path or not _is_writable_as_bytes(path):
        raise SourceRefused(address, "it contains a character that file names cannot have; remove it")
    if ".." in path.split("/"):
        raise SourceRefused(address, "it contains '..'; write the path without it")
    return path


@dataclass(frozen=True, slots=True)
class FolderPolicy:
    """Which local files may be used: those in ``folders``, after following symbolic links.

    Workers can read files that are not media, such as keys and configuration. Without this policy, anybody who may name
    a source could bring them into the media library.

    :param folders: absolute paths. Without folders, no local file may be used.
    :param allowed_by: where the deployment lists its folders, for error messages.
    """

    folders: tuple[str, ...] = ()
    allowed_by: str = ""

    @classmethod
    def allowing(cls, folders: Iterable[str], by: str = "") -> FolderPolicy:
        """Return a policy that allows these folders; ``by`` is where the deployment lists them.

        Names that are not absolute paths are ignored.
        """
        named = (folder.strip() for folder in folders)
        return cls(tuple(folder for folder in named if folder.startswith("/")), allowed_by=by)

    def resolve(self, address: str) -> Path:
        """Return the real path of a file, after following symbolic links. The file need not exist.

        :raises SourceRefused: the file is not in an allowed folder, or the address is not that of a local file.
        """
        return Path(*self._resolved(address))

    def open(self, address: str) -> int:
        """Open a file for reading and return its descriptor. The file is allowed even if the path changes meanwhile.

        :raises SourceRefused: as :meth:`resolve`.
        :raises OSError: the file cannot be opened.
        """
        folder, below = self._resolved(address)
        *through, last = PurePosixPath(below).parts or (".",)
        # From the allowed folder on, open each part of the path from the one before, without following links. The
        # resolved path has no links, so a link must have been added since.
        step = os.open(folder, _THROUGH & ~os.O_NOFOLLOW)
        try:
            for name in through:
                step, parent = os.open(name, _THROUGH, dir_fd=step), step
                os.close(parent)
            return os.open(last, READ_FLAGS | os.O_NOFOLLOW, dir_fd=step)
        finally:
            os.close(step)

    def _resolved(self, address: str) -> tuple[str, str]:
        """Return the real path of the allowed folder of a file, and the path of the file below it."""
        real = os.path.realpath(local_path(address))
        for folder in map(os.path.realpath, self.folders):
            if os.path.commonpath([folder, real]) == folder:
                return folder, os.path.relpath(real, folder)
        raise SourceRefused(address, self._explain())

    def _explain(self) -> str:
        place = self.allowed_by or "its own setting"
        if not self.folders:
            return (
                "this deployment does not allow local files; to allow them, add the absolute path of a folder, such as "
                f"/srv/media, to its allowed folders ({place})"
            )
        return f"it is not in the allowed folders {', '.join(self.folders)}, or is a link to a file outside ({place})"


def _is_writable_as_bytes(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True
