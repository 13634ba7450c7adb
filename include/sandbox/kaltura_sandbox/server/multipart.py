"""multipart/form-data read as a stream: fields into memory, file parts straight to disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_sandbox.server.message import BodyTruncated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaltura_sandbox.server.message import Body

__all__ = ["Part", "boundary_of", "read_parts"]

_WINDOW = 1 << 20
_FIELD_LIMIT = 32 << 20
_PARAMETER = re.compile(r';\s*([\w*-]+)="((?:[^"\\]|\\.)*)"|;\s*([\w*-]+)=([^;\s]*)')


@dataclass(frozen=True, slots=True)
class Part:
    """One part; a part with a ``filename`` has its bytes in ``path``, any other in ``value``.

    ``whole`` is false for the part in which the body ends without a closing boundary.
    """

    name: str
    filename: str | None
    content_type: str
    value: bytes = b""
    path: Path | None = None
    size: int = 0
    whole: bool = True


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary named by a Content-Type header."""
    found = re.search(r'boundary=(?:"([^"]+)"|([^;,\s]+))', content_type, re.IGNORECASE)
    return (found.group(1) or found.group(2)).encode("latin-1") if found else None


class _Scanner:
    """A window over the body that can copy up to a delimiter."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._buffer = bytearray(_WINDOW)
        self._view = memoryview(self._buffer)
        self._buffer[:2] = b"\r\n"  # so that the first boundary looks like the others
        self._start, self._end = 0, 2

    def _fill(self) -> bool:
        rest = self._end - self._start
        if self._start:
            self._view[:rest] = bytes(self._view[self._start : self._end])
            self._start, self._end = 0, rest
        count = self._body.readinto(self._view[self._end :])
        self._end += count
        return count > 0

    def copy_until(self, delimiter: bytes, sink: Callable[[memoryview], object]) -> bool:
        """Hand everything before the delimiter to ``sink`` and step behind the delimiter; False if it never comes."""
        keep = len(delimiter) - 1
        while True:
            found = self._buffer.find(delimiter, self._start, self._end)
            if found >= 0:
                sink(self._view[self._start : found])
                self._start = found + len(delimiter)
                return True
            if self._end - self._start > keep:
                sink(self._view[self._start : self._end - keep])
                self._start = self._end - keep
            if not self._fill():
                sink(self._view[self._start : self._end])
                self._start = self._end
                return False

    def text_until(self, delimiter: bytes, limit: int) -> tuple[bytes, bool]:
        """Return the bytes before the delimiter, and whether it came."""
        parts: list[bytes] = []

        def collect(window: memoryview) -> None:
            parts.append(bytes(window))
            if sum(map(len, parts)) > limit:
                raise BodyTruncated

        whole = self.copy_until(delimiter, collect)
        return b"".join(parts), whole

    def take(self, count: int) -> bytes:
        """Return the next bytes, fewer where the body ends."""
        while self._end - self._start < count and self._fill():
            pass
        first, self._start = self._start, min(self._start + count, self._end)
        return bytes(self._view[first : self._start])


def read_parts(body: Body, boundary: bytes, new_file: Callable[[], Path]) -> list[Part]:
    """Read all parts; file parts go to paths from ``new_file``.

    A body that ends without its closing boundary yields what has come, as PHP takes it: its last part is not ``whole``,
    or is left out when not even its headers are there.

    :raises BodyTruncated: the connection ends before the body does.
    """
    scanner, delimiter = _Scanner(body), b"\r\n--" + boundary
    parts: list[Part] = []
    scanner.copy_until(delimiter, lambda _: None)
    try:
        while scanner.take(2) == b"\r\n":
            # A part without headers starts with its blank line; the line end just taken belongs to it.
            head, whole = scanner.text_until(b"\r\n\r\n", 1 << 16)
            if not whole:
                break
            parts.append(_read_part(scanner, delimiter, _headers(head), new_file))
    except BodyTruncated:
        for part in parts:
            if part.path:
                part.path.unlink(missing_ok=True)
        raise
    return parts


def _headers(text: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.decode("utf-8", "replace").replace("\ufffd", "?").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _read_part(scanner: _Scanner, delimiter: bytes, headers: dict[str, str], new_file: Callable[[], Path]) -> Part:
    found = _PARAMETER.findall(headers.get("content-disposition", ""))
    parameters = {(a or c).lower(): re.sub(r'\\(["\\])', r"\1", b) if a else d for a, b, c, d in found}
    name, filename = parameters.get("name", ""), parameters.get("filename")
    content_type = headers.get("content-type", "application/octet-stream")
    if filename is None:
        value, whole = scanner.text_until(delimiter, _FIELD_LIMIT)
        return Part(name, None, content_type, value, whole=whole)
    path, size = new_file(), 0
    try:
        with path.open("wb", buffering=0) as stream:

            def store(window: memoryview) -> None:
                nonlocal size
                size += len(window)
                while window:
                    window = window[stream.write(window) :]

            whole = scanner.copy_until(delimiter, store)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    # A browser may send a whole path; PHP keeps the last segment.
    return Part(name, re.split(r"[/\\]", filename)[-1], content_type, path=path, size=size, whole=whole)
