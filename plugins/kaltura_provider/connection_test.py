"""Make the *Test* button in Airflow's UI work for Kaltura connections without a port."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

__all__ = ["UnsetPort"]

_PATH = "/api/v2/connections/test"
_LONGEST = 1 << 20


class UnsetPort:
    """ASGI middleware that removes port 0 from requests to test a Kaltura connection.

    For a connection without a port, the UI of Airflow 3.3 sends port 0. Airflow then assumes another server than that
    of the stored connection, does not use the stored password, and answers "Bad Request". No server can listen on
    port 0, so this change cannot send a password elsewhere.
    """

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, without the port if it is 0."""
        if scope["type"] == "http" and scope["method"] == "POST" and str(scope["path"]).endswith(_PATH):
            scope, receive = await _without_port_0(scope, receive)
        await self._app(scope, receive, send)


async def _without_port_0(scope: Message, receive: Receive) -> tuple[Message, Receive]:
    read: list[Message] = []
    body = b""
    while len(body) <= _LONGEST:
        message = await receive()
        read.append(message)
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    changed = _changed(body)
    if changed is not None:
        read = [{"type": "http.request", "body": changed, "more_body": False}]
        kept = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        scope = {**scope, "headers": [*kept, (b"content-length", str(len(changed)).encode())]}

    async def replay() -> Message:
        return read.pop(0) if read else await receive()

    return scope, replay


def _changed(body: bytes) -> bytes | None:
    """Return the body without the port; ``None`` if the body stays unchanged."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("conn_type") != "kaltura" or said.get("port") != 0:
        return None
    return json.dumps({**said, "port": None}).encode()
