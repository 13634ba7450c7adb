"""The listener: one thread per connection, keep-alive, bodies streamed, resets on demand."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from kaltura_sandbox.server.message import BodyTruncated, CloseConnection, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HttpServer"]

log = logging.getLogger(__name__)

Handler = Callable[[Request], Response]

_HEAD_LIMIT = 1 << 16
_IDLE = 300.0
_FAREWELL = 1.0
_DRAIN_LIMIT = 4 << 30


class _BadRequest(Exception):
    """The received bytes are not an HTTP request that this server understands."""


class _Reader:
    """Buffered reading from a socket: heads by delimiter, bodies straight into the caller's window."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._rest = b""

    def head(self) -> bytes:
        """Return the bytes up to the blank line; empty when the peer closed instead of asking again."""
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _HEAD_LIMIT:
                raise _BadRequest("head too long")
            more = self._socket.recv(1 << 16)
            if not more:
                return b""
            data += more
        self._rest = data[end + 4 :]
        return data[:end]

    def line(self) -> bytes:
        """Return the bytes up to the next line end."""
        while (end := self._rest.find(b"\r\n")) < 0:
            more = self._socket.recv(1 << 12)
            if not more:
                raise BodyTruncated
            self._rest += more
        line, self._rest = self._rest[:end], self._rest[end + 2 :]
        return line

    def readinto(self, window: memoryview) -> int:
        """Read once into the window."""
        if self._rest:
            count = min(len(window), len(self._rest))
            window[:count] = self._rest[:count]
            self._rest = self._rest[count:]
            return count
        return self._socket.recv_into(window)


class _SizedBody:
    """A body of known length."""

    def __init__(self, reader: _Reader, length: int) -> None:
        self._reader, self._left, self.consumed = reader, length, 0

    def readinto(self, window: memoryview) -> int:
        """Fill the window from what is left of the body."""
        if self._left == 0:
            return 0
        count = self._reader.readinto(window[: self._left])
        if count == 0:
            raise BodyTruncated
        self._left -= count
        self.consumed += count
        return count


class _ChunkedBody:
    """A body in chunked transfer encoding."""

    def __init__(self, reader: _Reader) -> None:
        self._reader, self._left, self._ended, self.consumed = reader, 0, False, 0

    def readinto(self, window: memoryview) -> int:
        """Fill the window from the current chunk."""
        if self._left == 0 and not self._ended:
            self._next_chunk()
        if self._ended:
            return 0
        count = self._reader.readinto(window[: self._left])
        if count == 0:
            raise BodyTruncated
        self._left -= count
        self.consumed += count
        if self._left == 0:
            self._reader.line()
        return count

    def _next_chunk(self) -> None:
        try:
            self._left = int(self._reader.line().split(b";")[0], 16)
        except ValueError as error:
            raise _BadRequest("bad chunk size") from error
        if self._left == 0:
            while self._reader.line():
                pass
            self._ended = True


class HttpServer:
    """Serves ``handler`` on a host and port (0 = any free one) until it is closed.

    :raises OSError: the port is taken.
    """

    def __init__(self, host: str, port: int, handler: Handler) -> None:
        self._handler = handler
        self._listener = socket.create_server((host, port), backlog=512, reuse_port=False)
        self.host, self.port = self._listener.getsockname()[:2]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="sandbox-http", daemon=True)

    def start(self) -> None:
        """Begin to accept connections, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening, cut every open connection, and let requests that are under way end for up to a second."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(5)
        deadline = time.monotonic() + _FAREWELL
        while self._open and time.monotonic() < deadline:
            time.sleep(0.005)

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection, address[0]), daemon=True).start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_IDLE)
            reader = _Reader(connection)
            while self._exchange(connection, reader, client):
                pass
        except CloseConnection:
            _reset(connection)
        except BodyTruncated:
            # The client may still listen: it ended its request, not the connection.
            with contextlib.suppress(OSError):
                _send(connection, Response(400, body=b"the request body ended early"), "GET", close=True)
        except OSError:
            pass
        except Exception:
            log.exception("connection failed")
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _exchange(self, connection: socket.socket, reader: _Reader, client: str) -> bool:
        """Serve one request; False ends the connection."""
        try:
            head = reader.head()
            if not head:
                return False
            method, target, version, headers = _parse_head(head)
            body = _body(reader, headers)
        except _BadRequest as error:
            _send(connection, Response(400, body=str(error).encode()), "GET", close=True)
            return False
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = target.partition("?")
        path = re.sub("/{2,}", "/", path)  # web servers take repeated slashes for one
        base_url = f"http://{headers.get('host') or f'{self.host}:{self.port}'}"
        response = self._handler(Request(method, path, query, headers, body, client, base_url))
        keep = _keeps_alive(version, headers) and _drain(body)
        if response.after == "reset":
            raise CloseConnection
        _send(connection, response, method, close=not keep)
        return keep


def _parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").lstrip("\r\n").split("\r\n")
    try:
        method, target, version = first.split(" ")
    except ValueError as error:
        raise _BadRequest("bad request line") from error
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _BadRequest("bad header line")
        headers[name.strip().lower()] = value.strip()
    if target.startswith("http://"):
        # An absolute target names the host; it overrules the header.
        headers["host"], _, rest = target[7:].partition("/")
        target = f"/{rest}"
    return method.upper(), target, version, headers


def _body(reader: _Reader, headers: Mapping[str, str]) -> _SizedBody | _ChunkedBody:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _ChunkedBody(reader)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise _BadRequest("bad Content-Length")
    return _SizedBody(reader, int(length))


def _keeps_alive(version: str, headers: Mapping[str, str]) -> bool:
    wish = headers.get("connection", "").lower()
    return "close" not in wish and (version != "HTTP/1.0" or "keep-alive" in wish)


def _drain(body: _SizedBody | _ChunkedBody) -> bool:
    """Read the rest of a request that the handler did not read; return False if that is too much."""
    window = memoryview(bytearray(1 << 16))
    drained = 0
    while count := body.readinto(window):
        drained += count
        if drained > _DRAIN_LIMIT:
            return False
    return True


def _reset(connection: socket.socket) -> None:
    """Make the coming close a TCP reset."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _send(connection: socket.socket, response: Response, method: str, *, close: bool) -> None:
    first, length = response.span or (0, 0)
    if response.file is None:
        length = len(response.body)
    elif response.span is None:
        length = response.file.stat().st_size
    reason = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {reason}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {_one_line(value)}" for name, value in response.headers.items()]
    if response.status != HTTPStatus.NOT_MODIFIED:
        lines.append(f"Content-Length: {length}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    head = "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n"
    if method == "HEAD" or response.status == HTTPStatus.NOT_MODIFIED:
        connection.sendall(head)
    elif response.pace is not None:
        connection.sendall(head)
        for part in response.pace(response.body):
            connection.sendall(part)
    elif response.file is None:
        connection.sendall(head + response.body)
    else:
        connection.sendall(head)
        with response.file.open("rb") as stream:
            _send_file(connection, stream.fileno(), first, length)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def _send_file(connection: socket.socket, source: int, first: int, length: int) -> None:
    connection.setblocking(True)  # os.sendfile on a socket with a timeout would need its own polling
    end = first + length
    while first < end:
        sent = os.sendfile(connection.fileno(), source, first, end - first)
        if sent == 0:
            raise BodyTruncated
        first += sent
    connection.settimeout(_IDLE)
