"""Foreign ``Host`` headers are refused, so that no web page reaches the sandbox by rebinding its name."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from kaltura_sandbox import Sandbox
from kaltura_sandbox.cli import main

PLACES = ["/api_v3/service/system/action/ping?format=1", "/_sandbox/state", "/", "/p/102/thumbnail/entry_id/0_x"]


def ask(sandbox: Sandbox, path: str, *, method: str = "GET", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(sandbox.config.host, sandbox.config.port, timeout=10)
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, json.loads(body) if reply.headers["Content-Type"] == "application/json" else body


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"],
)
def test_a_foreign_host_is_refused_everywhere(sandbox: Sandbox, host: str, path: str) -> None:
    status, body = ask(sandbox, path, Host=host.format(port=sandbox.config.port))
    assert status == 421
    assert "--allow-remote" in body["error"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8765", "127.0.0.1:80"])
def test_this_machine_is_answered_on_any_port(sandbox: Sandbox, host: str) -> None:
    assert ask(sandbox, PLACES[0], Host=host) == (200, True)


def test_a_rebound_page_cannot_use_the_control_api(sandbox: Sandbox) -> None:
    """Host and Origin agree here: comparing the two alone lets the page in."""
    status, _ = ask(sandbox, "/_sandbox/reset", method="POST", Host="evil.example:80", Origin="http://evil.example:80")
    assert status == 421


def test_the_control_api_refuses_other_origins(sandbox: Sandbox) -> None:
    for origin in ("http://evil.example", "null", "http://localhost:1"):
        assert ask(sandbox, "/_sandbox/reset", method="POST", Origin=origin)[0] == 403


def test_an_absolute_target_overrules_the_header(sandbox: Sandbox) -> None:
    assert ask(sandbox, f"http://evil.example{PLACES[0]}")[0] == 421
    assert ask(sandbox, f"http://localhost{PLACES[0]}", Host="evil.example") == (200, True)


def test_hosts_can_be_allowed_by_name() -> None:
    with Sandbox(allowed_hosts=frozenset({"sandbox"})) as sandbox:
        assert ask(sandbox, PLACES[0], Host="Sandbox:8765") == (200, True)
        assert ask(sandbox, PLACES[0], Host="other")[0] == 421


def test_the_command_line_takes_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--allow-remote", "http://sandbox", "--data-dir", str(tmp_path)]) == 1
    assert "is not a host name" in capsys.readouterr().err
