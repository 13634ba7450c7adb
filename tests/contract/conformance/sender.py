"""Sends a recorded request to the sandbox exactly as it was encoded, and reads the whole reply."""

from __future__ import annotations

import http.client
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Reply", "send"]

TIMEOUT = 120.0


@dataclass(frozen=True)
class Reply:
    """What came back: status, headers in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the JSON value of the body; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def send(
    base_url: str,
    request: Mapping[str, Any],
    fields: Mapping[str, str],
    files: Mapping[str, tuple[str, str, bytes]],
    gate: Callable[[], object] = bool,
) -> Reply:
    """Send one request.

    :param request: the recorded one: method, path, encoding, json.
    :param fields: the form fields, translated.
    :param files: field name to file name, content type and bytes.
    :param gate: called when the connection stands and before the first byte is sent.
    """
    path, body, content_type = request["path"], b"", ""
    if request["encoding"] == "json":
        raw = request.get("json")
        body = raw.encode() if isinstance(raw, str) else json.dumps(raw).encode()
        content_type = "application/json"
    elif request["method"] in ("GET", "HEAD") or request["encoding"] == "query":
        if fields:
            path += ("&" if "?" in path else "?") + urlencode(fields)
    elif files or request["encoding"] == "multipart/form-data":
        body, content_type = _multipart(fields, files)
    else:
        body, content_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"
    return _exchange(base_url, request["method"], path, body, content_type, gate)


def _exchange(
    base_url: str, method: str, path: str, body: bytes, content_type: str, gate: Callable[[], object]
) -> Reply:
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT)
    try:
        headers = {"Content-Type": content_type} if content_type else {}
        connection.connect()
        gate()
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())
    finally:
        connection.close()


def _multipart(fields: Mapping[str, str], files: Mapping[str, tuple[str, str, bytes]]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, (file_name, kind, data) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\nContent-Type: {kind}'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
