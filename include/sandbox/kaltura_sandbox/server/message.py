"""Requests with a body that is read as a stream, and responses."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["Body", "BodyTruncated", "CloseConnection", "Request", "Response", "json_response"]


class BodyTruncated(Exception):
    """The client went away in the middle of its request."""


class CloseConnection(Exception):
    """Answer by cutting the connection (a TCP reset) instead of replying."""


class Body(Protocol):
    """A request body."""

    def readinto(self, window: memoryview) -> int:
        """Fill the window as far as one read goes; 0 at the end of the body."""
        ...

    @property
    def consumed(self) -> int:
        """Bytes read so far."""
        ...


@dataclass(slots=True)
class Request:
    """One HTTP request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body
    client: str
    base_url: str
    arrived: float = field(default_factory=time.monotonic)

    def read(self, limit: int = 64 << 20) -> bytes:
        """Return the whole body; meant for bodies that are not files.

        :raises ValueError: it is longer than ``limit``.
        """
        window = memoryview(bytearray(1 << 16))
        parts, size = [], 0
        while count := self.body.readinto(window):
            size += count
            if size > limit:
                raise ValueError(f"request body is longer than {limit} bytes")
            parts.append(bytes(window[:count]))
        return b"".join(parts)


@dataclass(slots=True)
class Response:
    """One HTTP response: bytes, or a file (``span`` = first byte, length) that the kernel sends."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None
    span: tuple[int, int] | None = None
    pace: Callable[[bytes], Iterable[bytes]] | None = None
    after: str = ""


def json_response(value: Any, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
