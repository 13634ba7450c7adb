"""Which local files may be read or written: those below folders that the deployment names."""

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

# Passing through a folder needs no right to list it, where the system can tell the two apart.
_THROUGH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Opening a pipe would otherwise wait for a writer.
READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def is_local(address: str) -> bool:
    """Whether an address means a local file: an absolute path, or ``file:``."""
    return address.startswith("/") or address[:5].lower() == "file:"


def local_path(address: str) -> str:
    """Return the absolute path that ``file:///path`` or a path itself means.

    :raises SourceRefused: it names a host, climbs with ``..``, is relative, or is no file's address at all.
    """
    path = address
    if not address.startswith("/"):
        parts = urlsplit(address)
        if parts.netloc:
            raise SourceRefused(address, f"it names the host {parts.netloc!r}; a local file is file:///path")
        if "?" in address or "#" in address:
            raise SourceRefused(address, "it has a query or fragment; write ? as %3F and # as %23 in file:///path")
        path = os.fsdecode(unquote_to_bytes(parts.path))
    if not path.startswith("/"):
        raise SourceRefused(address, "it is no absolute path; write file:///path")
    if "\0" in path or not _is_writable_as_bytes(path):
        raise SourceRefused(address, "there is a character in it that no file name can hold")
    if ".." in path.split("/"):
        raise SourceRefused(address, "there is .. in it; write the path without")
    return path


@dataclass(frozen=True, slots=True)
class FolderPolicy:
    """Which local files may be used: those below ``folders``, wherever symbolic links lead; without any, none.

    A worker can read much that is nobody's media: its keys, its configuration. Without this, whoever names a source
    reads them into a media library.

    :param folders: absolute paths.
    :param allowed_by: where the deployment names its folders, for the error that asks for it.
    """

    folders: tuple[str, ...] = ()
    allowed_by: str = ""

    @classmethod
    def allowing(cls, folders: Iterable[str], by: str = "") -> FolderPolicy:
        """Return a policy that allows the named folders; ``by`` is where they are named.

        A name that is no absolute path allows nothing.
        """
        named = (folder.strip() for folder in folders)
        return cls(tuple(folder for folder in named if folder.startswith("/")), allowed_by=by)

    def resolve(self, address: str) -> Path:
        """Return the real path of a file, which need not exist, symbolic links followed.

        :raises SourceRefused: it is not below an allowed folder, or no local file's address.
        """
        return Path(*self._resolved(address))

    def open(self, address: str) -> int:
        """Open a file for reading and return its descriptor; whatever becomes of the path meanwhile, it is allowed.

        :raises SourceRefused: as of :meth:`resolve`. :raises OSError: it cannot be opened.
        """
        folder, below = self._resolved(address)
        *through, last = PurePosixPath(below).parts or (".",)
        # From the allowed folder on, each step is opened from the one before and no link is followed: what was
        # resolved has none, so one that is met has been put there since.
        step = os.open(folder, _THROUGH & ~os.O_NOFOLLOW)
        try:
            for name in through:
                step, parent = os.open(name, _THROUGH, dir_fd=step), step
                os.close(parent)
            return os.open(last, READ_FLAGS | os.O_NOFOLLOW, dir_fd=step)
        finally:
            os.close(step)

    def _resolved(self, address: str) -> tuple[str, str]:
        """Return the real path of the allowed folder that a file is in, and the file's path below it."""
        real = os.path.realpath(local_path(address))
        for folder in map(os.path.realpath, self.folders):
            if os.path.commonpath([folder, real]) == folder:
                return folder, os.path.relpath(real, folder)
        raise SourceRefused(address, self._explain())

    def _explain(self) -> str:
        place = self.allowed_by or "its own setting"
        if not self.folders:
            return (
                "local files are not allowed here. If that is wanted, the deployment has to allow a folder by its "
                f"absolute path, such as /srv/media ({place})"
            )
        return f"it is not below, or a link leads out of, the allowed folders {', '.join(self.folders)} ({place})"


def _is_writable_as_bytes(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True
