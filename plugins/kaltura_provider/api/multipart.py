"""A multipart form with one file, whose length is known before the first byte is sent."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["Body", "FilePart", "StreamedBody", "frame"]

Body: TypeAlias = Iterable[bytes | memoryview]


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file part of a call.

    ``body`` returns a new iterable of exactly ``length`` bytes each time it is called, which allows sending the part
    again. ``file_name`` must not be empty: the server takes a part without a file name for a text field. The server
    stores the extension of ``file_name``.
    """

    file_name: str
    length: int
    body: Callable[[], Body]
    field: str = "fileData"
    content_type: str = "application/octet-stream"

    def __post_init__(self) -> None:
        if not self.file_name:
            raise KalturaConfigurationError("file name", None, "is empty", "give the file part a name")
        if self.length < 0:
            raise KalturaConfigurationError("length", self.length, "is negative", "give the size of the part in bytes")


class StreamedBody:
    """A request body of known length that is produced while it is sent.

    Each iteration starts from the beginning. The body never has more or fewer bytes than announced: if the source
    shrinks or grows, the request breaks off and the server does not store a wrong part. ``error`` keeps what the
    source raised, which the transport could mistake for a failure of the connection.
    """

    def __init__(self, head: bytes, file: FilePart, tail: bytes) -> None:
        self._head, self._file, self._tail = head, file, tail
        self.error: Exception | None = None

    def __len__(self) -> int:
        return len(self._head) + self._file.length + len(self._tail)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        self.error = None
        yield self._head
        yield from self._watched()
        yield self._tail

    def _watched(self) -> Iterator[bytes | memoryview]:
        try:
            yield from self._counted()
        except Exception as error:
            self.error = error
            raise

    def _counted(self) -> Iterator[bytes | memoryview]:
        left = self._file.length
        for window in self._file.body():
            left -= window.nbytes if isinstance(window, memoryview) else len(window)
            if left < 0:
                raise ValueError(f"the source of {self._file.file_name!r} gave more than {self._file.length} bytes")
            yield window
        if left:
            raise ValueError(f"the source of {self._file.file_name!r} ended {left} bytes early")


def frame(fields: Sequence[tuple[str, str]], file: FilePart, boundary: str | None = None) -> tuple[str, StreamedBody]:
    """Return the ``Content-Type`` and the body of a form with ``fields`` first and ``file`` last.

    The file comes last, so the server knows the whole call before the bytes arrive.
    """
    mark = boundary or f"kaltura-{secrets.token_hex(16)}"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="{_quoted(file.field)}"; '
        f'filename="{_quoted(file.file_name)}"\r\nContent-Type: {file.content_type}\r\n\r\n'
    )
    body = StreamedBody("".join(parts).encode(), file, f"\r\n--{mark}--\r\n".encode())
    return f"multipart/form-data; boundary={mark}", body


def _quoted(text: str) -> str:
    # Escape as browsers do. A line break would otherwise begin a new header.
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
