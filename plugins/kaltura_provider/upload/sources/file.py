"""A local file as a source."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_provider.upload.sources.base import WINDOW
from kaltura_provider.upload.sources.errors import (
    SourceChanged,
    SourceEmpty,
    SourceForbidden,
    SourceNotFound,
    SourceRefused,
    SourceUnavailable,
)
from kaltura_provider.upload.sources.folders import READ_FLAGS, local_path

if TYPE_CHECKING:
    from collections.abc import Generator

    from kaltura_provider.upload.sources.folders import FolderPolicy

__all__ = ["FileSource", "open_file"]


class FileSource:
    """A local file. Its validator consists of size and modification time, which are the same on all workers.

    ``elder_validator`` is the validator of earlier versions of this package, which included the inode. After every
    read, the source checks whether the file was changed or replaced.
    """

    crc32c: int | None = None
    rewind: int | None = None

    def __init__(self, path: Path, descriptor: int) -> None:
        self._descriptor = descriptor
        self.name = path.name
        self.uri = path.absolute().as_uri()
        status = os.fstat(descriptor)
        self.size = status.st_size
        self.validator = f"{status.st_size}-{status.st_mtime_ns}"
        self.elder_validator = _state(status)

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on.

        :raises SourceChanged: the file has changed since it was opened.
        """
        end = offset + length
        while offset < end:
            try:
                data = os.pread(self._descriptor, min(window, end - offset), offset)
            except OSError as error:
                raise SourceUnavailable(self.uri, f"it cannot be read: {error.strerror}") from error
            if not data:
                break
            offset += len(data)
            yield data
        try:
            found = _state(os.fstat(self._descriptor))
        except OSError as error:
            raise SourceUnavailable(self.uri, f"it cannot be read: {error.strerror}") from error
        if found != self.elder_validator:
            raise SourceChanged(self.uri, self.elder_validator, found)
        if offset < end:
            raise SourceUnavailable(self.uri, f"it ended {end - offset} bytes early")

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _state(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_size}-{status.st_mtime_ns}"


def open_file(path: str | os.PathLike[str], policy: FolderPolicy | None = None) -> FileSource:
    """Open a local file.

    :param path: a path. With a policy it may be ``file:///path``.
    :param policy: which files may be read. Without a policy, all files may be read.
    :raises SourceNotFound: the file does not exist.
    :raises SourceForbidden: the worker has no permission to read it.
    :raises SourceRefused: the path is a directory, device or pipe, or the policy does not allow it.
    :raises SourceEmpty: the file is empty.
    """
    where = Path(path if policy is None else local_path(os.fspath(path)))
    uri = where.absolute().as_uri()
    try:
        descriptor = os.open(where, READ_FLAGS) if policy is None else policy.open(str(where))
    except FileNotFoundError:
        raise SourceNotFound(
            uri, "it does not exist on this worker; check the path, and that every worker mounts it"
        ) from None
    except PermissionError:
        raise SourceForbidden(
            uri, "the user of this worker has no permission to read it; change its permissions"
        ) from None
    except OSError as error:
        raise SourceUnavailable(uri, f"it cannot be opened: {error.strerror}") from error
    source = FileSource(where, descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        source.close()
        raise SourceRefused(uri, "it is not a regular file; give the path of a file")
    if source.size == 0:
        source.close()
        raise SourceEmpty(uri)
    return source
