"""A scripted Kaltura server on a real socket: each request gets the next reply of a list, however broken."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.observer import CallRecord, Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.api.steps import Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN_SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Reply:
    """What to answer: ``cut`` closes the connection ``"before"`` any answer or in the ``"middle"`` of it."""

    body: bytes = b"null"
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut: str | None = None
    delay: float = 0.0


def ok(value: Any, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), headers={"Content-Type": "application/json", **named})


def exception(code: str, message: str = "", **details: str) -> Reply:
    return ok(exception_value(code, message, **details))


def exception_value(code: str, message: str = "", **details: str) -> dict[str, Any]:
    # Without arguments the server sends an empty array.
    args: Any = details or []
    return {"code": code, "message": message, "objectType": "KalturaAPIException", "args": args}


EXPIRED = {"KSID": "EXPIRED", "ERR_CODE": "-1", "ERR_DESC": "INVALID_STR"}


class ScriptedServer:
    def __init__(self) -> None:
        self.script: deque[Reply] = deque()
        self.received: list[Received] = []
        self.connections = 0
        self.read_delay = 0.0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def reply(self, *replies: Reply) -> None:
        self.script.extend(replies)

    def close(self) -> None:
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            # Clients have closed their connections by now; one that has not is a leak.
            thread.join(5)
            assert not thread.is_alive(), "a client left a connection open"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while self._answer(connection, stream):
                    pass
        except (OSError, ValueError):
            pass

    def _answer(self, connection: socket.socket, stream: Any) -> bool:
        if stream.peek(1)[:1] == b"\x16":
            # The first byte of TLS, which a plain server answers like any nonsense.
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        line = stream.readline()
        if not line:
            return False
        headers: dict[str, str] = {}
        while (header := stream.readline().strip()) != b"":
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        time.sleep(self.read_delay)
        length = int(headers.get("content-length", 0))
        body = stream.read(length)
        if len(body) < length:
            return False
        with self._lock:
            self.received.append(Received(line.split()[1].decode(), headers, body))
            reply = self.script.popleft() if self.script else Reply()
        time.sleep(reply.delay)
        if reply.cut == "before":
            return False
        head = f"HTTP/1.1 {reply.status} Reason\r\nContent-Length: {len(reply.body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items()) + "\r\n"
        if reply.cut == "middle":
            connection.sendall(head.encode() + reply.body[: len(reply.body) // 2])
            return False
        connection.sendall(head.encode() + reply.body)
        return True


class Recorder(Observer):
    def __init__(self) -> None:
        self.calls: list[CallRecord] = []
        self.secrets: list[str] = []

    def on_call(self, call: CallRecord) -> None:
        self.calls.append(call)

    def on_secret(self, value: str) -> None:
        self.secrets.append(value)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def sleeps() -> list[float]:
    return []


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(102, "secret", ADMIN_SECRET)


@pytest.fixture
def client(
    server: ScriptedServer, recorder: Recorder, sleeps: list[float], credentials: Credentials
) -> Iterator[KalturaClient]:
    """Make a client that does not really sleep; ``sleeps`` has what it wanted to."""
    with KalturaClient(
        server.url,
        credentials,
        observer=recorder,
        retry=RetrySettings(attempts=4, rand=lambda: 1.0),
        timeout=Timeout(connect=2.0, read=2.0),
        sleep=sleeps.append,
    ) as made:
        yield made
