"""The listener: HTTP as clients really speak it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from kaltura_sandbox import Sandbox

PING = "/api_v3/service/system/action/ping?format=1"


@pytest.fixture
def connection(sandbox: Sandbox) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", sandbox.config.port, timeout=5)
    yield opened
    opened.close()


def talk(sandbox: Sandbox, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", sandbox.config.port), timeout=5) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        parts = []
        while part := peer.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_one_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    for _ in range(3):
        connection.request("GET", PING)
        reply = connection.getresponse()
        assert (reply.read(), reply.getheader("Connection")) == (b"true", "keep-alive")


def test_headers_of_every_reply(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", PING)
    reply = connection.getresponse()
    reply.read()
    number, _, when = (reply.getheader("X-Kaltura-Session") or "").partition(", ")
    assert number.isdigit()
    assert when.isdigit()
    assert reply.getheader("X-Me")
    assert reply.getheader("Access-Control-Allow-Origin") == "*"


def test_head_and_options(connection: http.client.HTTPConnection) -> None:
    for method in ("HEAD", "OPTIONS"):
        connection.request(method, PING)
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (200, b"")


def test_chunked_bodies(connection: http.client.HTTPConnection) -> None:
    parts = (part for part in (b'{"format":', b"1}"))
    connection.request(
        "POST", "/api_v3/service/system/action/ping", parts, {"Content-Type": "application/json"}, encode_chunked=True
    )
    assert connection.getresponse().read() == b"true"
    connection.request("GET", PING)
    assert connection.getresponse().read() == b"true"


def test_expect_continue(sandbox: Sandbox) -> None:
    head = b"POST /api_v3/service/system/action/ping HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Expect: 100-continue\r\nConnection: close\r\n"
    body = b"format=1"
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\n"
    reply = talk(sandbox, head + body)
    assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert reply.endswith(b"true")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 70000,
    ],
)
def test_what_is_no_request_is_refused_and_others_are_served(sandbox: Sandbox, data: bytes) -> None:
    assert talk(sandbox, data)[:12] in (b"HTTP/1.1 400", b"")
    assert talk(sandbox, b"GET " + PING.encode() + b" HTTP/1.0\r\n\r\n").endswith(b"true")


def test_a_json_body_needs_exactly_its_content_type(api: Any, sandbox: Sandbox) -> None:
    url, body = f"{sandbox.service_url}/service/system/action/ping", b'{"format": 1}'
    plain = api._session.post(url, data=body, headers={"Content-Type": "application/json"})
    assert plain.json() is True
    suffixed = api._session.post(url, data=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert suffixed.text.startswith("<?xml")


def test_multipart_with_a_json_part_replaces_the_fields(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    encoded = json.dumps({"ks": api.ks, "format": 1, "uploadTokenId": token})
    fields = {"json": encoded, "uploadTokenId": "0_other"}
    url = f"{sandbox.service_url}/service/uploadToken/action/upload"
    reply = api._session.post(url, data=fields, files={"fileData": ("a.mp4", b"abc")})
    assert (reply.json()["id"], reply.json()["status"]) == (token, 2)


def test_file_names_cannot_break_out_of_a_header(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    assert api.upload(token, b"abc", name='we"ird\\name.mp4')["fileName"].endswith(".mp4")
    assert all(path.is_relative_to(sandbox.account.files.root) for path in sandbox.account.files.uploads.rglob("*"))


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/_sandboxx", "/nothing"])
def test_unknown_paths(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    reply = connection.getresponse()
    assert reply.status == 404
    assert b"root:" not in reply.read()


def test_many_connections_at_once(sandbox: Sandbox) -> None:
    opened = [http.client.HTTPConnection("127.0.0.1", sandbox.config.port, timeout=10) for _ in range(100)]
    for each in opened:
        each.request("GET", PING)
    assert [each.getresponse().read() for each in opened] == [b"true"] * 100
    for each in opened:
        each.close()
