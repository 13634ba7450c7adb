"""Faults on demand, each in one line."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from kaltura_sandbox import Sandbox
from kaltura_sandbox.faults import KINDS, Faults
from tests.until import until

CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_a_lost_reply_did_the_work(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("reply_lost", service="media", action="add")
    with pytest.raises(CUT):
        api.media(name="lost")
    assert [entry["name"] for entry in sandbox.control.entries()] == ["lost"]
    api.media(name="second")
    assert len(sandbox.control.entries()) == 2


def test_a_reset_before_the_body_did_nothing(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("reset_before", service="media", action="add", times=1)
    with pytest.raises(CUT):
        api.media(name="never")
    assert sandbox.control.entries() == []


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        ({"kind": "html_error"}, 502, None),
        ({"kind": "html_error", "status": 504}, 504, None),
        ({"kind": "unavailable", "retry_after": 3}, 503, "3"),
    ],
)
def test_what_a_proxy_answers(
    api: Any, sandbox: Sandbox, fault: dict[str, Any], status: int, header: str | None
) -> None:
    sandbox.control.request("POST", "faults", fault)
    reply = api._session.post(f"{sandbox.service_url}/service/system/action/ping", data={"format": 1})
    assert (reply.status_code, reply.headers.get("Retry-After")) == (status, header)
    assert reply.headers["Content-Type"] == "text/html"
    assert api("system", "ping") is True


def test_rate_limit_and_other_api_errors(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("action_blocked", service="media", action="list", times=2)
    assert api("system", "ping") is True
    blocked = api("media", "list")
    assert blocked["args"] == {"ACTION_NAME": "list", "SERVICE_NAME": "media"}
    assert api.code(api("media", "list")) == "ACTION_BLOCKED"
    assert api("media", "list")["totalCount"] == 0
    sandbox.control.fault("error", code="INTERNAL_SERVERL_ERROR", action="count")
    assert api.code(api("media", "count")) == "INTERNAL_SERVERL_ERROR"
    assert api("media", "count") == 0


def test_a_session_expires_in_the_middle(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    sandbox.control.fault("expire_ks", service="uploadToken", action="upload", after=1)
    assert api.upload(token, b"a" * 10, resume=0, finalChunk=0)["status"] == 1
    reply = api.upload(token, b"a" * 10, resume=1, finalChunk=0, resumeAt=10)
    assert reply["args"]["KSID"] == "EXPIRED"
    api.ks = sandbox.ks()
    assert api.upload(token, b"a" * 10, resume=1, finalChunk=0, resumeAt=10)["uploadedFileSize"] == "20"


def test_latency_and_bandwidth(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("latency", seconds=0.2)
    started = time.monotonic()
    api("system", "ping")
    assert time.monotonic() - started >= 0.2
    sandbox.control.fault("slow_body", service="uploadToken", action="upload", bytes_per_second=1_000_000)
    token, started = api.token(), time.monotonic()
    assert api.upload(token, bytes(400_000), resume=0, finalChunk=0)["status"] == 1
    assert 0.35 <= time.monotonic() - started < 3


def test_a_slow_reply_arrives_whole(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("slow_reply", service="media", action="add", bytes_per_second=10_000)
    started = time.monotonic()
    assert api("media", "add", entry={"mediaType": 1})["status"] == 7
    assert time.monotonic() - started > 0.1


def test_a_final_chunk_can_be_kept_waiting(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("final_delay", seconds=0.3)
    started = time.monotonic()
    assert api.upload(api.token(), b"x")["status"] == 2
    assert time.monotonic() - started >= 0.3


def test_faults_inside_a_multirequest_hit_their_part(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("action_blocked", service="media", action="count")
    part = {"service": "media", "action": "count"}
    first, second = api.multi(part, part)
    assert (first["code"], second) == ("ACTION_BLOCKED", 0)


def test_a_fault_can_be_meant_for_one_element_of_a_multirequest(api: Any, sandbox: Sandbox) -> None:
    ping = {"service": "system", "action": "ping"}
    sandbox.control.fault("error", code="ENTRY_ID_NOT_FOUND", element=2)
    sandbox.control.fault("error", code="INTERNAL_SERVERL_ERROR", element="*", after=2)
    assert api("system", "ping") is True
    results = api.multi(ping, ping, ping)
    assert [item if item is True else item["code"] for item in results] == [
        True,
        "ENTRY_ID_NOT_FOUND",
        "INTERNAL_SERVERL_ERROR",
    ]


def test_an_error_after_the_work(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("error_after", service="media", action="add", code="INTERNAL_SERVERL_ERROR")
    refused = api("media", "add", entry={"objectType": "KalturaMediaEntry", "mediaType": 1})
    assert api.code(refused) == "INTERNAL_SERVERL_ERROR"
    assert len(sandbox.control.entries()) == 1


def test_chance_is_repeatable_by_its_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("latency", probability=0.3, times=None)
        return [bool(faults.take(["latency"])) for _ in range(200)]

    assert strikes(7) == strikes(7) != strikes(8)
    assert 30 < sum(strikes(7)) < 90


def test_unknown_faults_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="unknown fault 'nonsense'"):
        sandbox.control.fault("nonsense")


def test_faults_are_listed_and_removed(api: Any, sandbox: Sandbox) -> None:
    number = sandbox.control.fault("latency", seconds=9, action="nothing")
    shown = sandbox.control.request("GET", "faults")
    assert [(fault["id"], fault["kind"]) for fault in shown] == [(number, "latency")]
    sandbox.control.clear_faults()
    assert sandbox.control.request("GET", "faults") == []
    assert set(sandbox.control.request("GET", "")["faults"]) == set(KINDS)


def test_the_control_api_counts_calls(api: Any, sandbox: Sandbox) -> None:
    api("system", "ping")
    api("media", "get", entryId="0_nosuch")
    state = sandbox.control.state()
    assert state["calls"] == {"system.ping": 1, "media.get": 1}
    assert state["errors"] == {"ENTRY_ID_NOT_FOUND": 1}
    assert [call["call"] for call in sandbox.control.log()] == ["system.ping", "media.get"]


def test_control_requests_that_make_no_sense(sandbox: Sandbox) -> None:
    for method, path, body in (("GET", "nothing", None), ("POST", "lag", {}), ("GET", "entries/0_nosuch", None)):
        with pytest.raises(RuntimeError, match=r"/_sandbox/"):
            sandbox.control.request(method, path, body)


def test_a_multirequest_runs_on_after_the_client_hung_up(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("delay", service="media", action="addContent", seconds=0.5)
    token = api.token()
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token}
    parts = {
        "1": {"service": "media", "action": "add", "entry": {"mediaType": 1, "name": "half"}},
        "2": {"service": "media", "action": "addContent", "entryId": "{1:result:id}", "resource": resource},
    }
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{sandbox.service_url}/service/multirequest", json={"ks": api.ks, "format": 1, **parts}, timeout=0.25
        )
    (entry,) = sandbox.control.entries()
    assert entry["status"] == 7
    assert "attachedObjectId" not in api("uploadToken", "get", uploadTokenId=token)
    assert api.wait(entry["id"], 0) == 0
    assert "attachedObjectId" in api("uploadToken", "get", uploadTokenId=token)


@pytest.mark.parametrize(("settings", "seen"), [({}, 1), ({"done": True}, 2)])
def test_what_get_says_while_a_final_chunk_is_running(
    api: Any, sandbox: Sandbox, settings: dict[str, Any], seen: int
) -> None:
    token = api.token()
    api.upload(token, b"a" * 10, resume=0, finalChunk=0)
    sandbox.control.fault("final_delay", seconds=0.5, **settings)
    with pytest.raises(requests.ReadTimeout):
        api.upload(token, b"b" * 10, resume=1, finalChunk=1, resumeAt=10, timeout=0.2)
    assert api.token_status(token) == seen
    until(lambda: api.token_status(token) == 2, "the token is full")


def test_other_origins_do_not_control_the_sandbox(api: Any, sandbox: Sandbox) -> None:
    reply = api._session.post(f"{sandbox.url}/_sandbox/reset", headers={"Origin": "http://evil.example"})
    assert reply.status_code == 403


@pytest.mark.parametrize(
    "code", ["MAX_FILE_SIZE_EXCEEDED", "UPLOAD_PARTIAL_ERROR", "LOCK_TIMED_OUT", "CAPTION_ASSET_IS_NOT_READY"]
)
def test_every_code_of_kaltura_can_be_answered(api: Any, sandbox: Sandbox, code: str) -> None:
    sandbox.control.fault("error", action="count", code=code)
    assert api.code(api("media", "count")) == code


def test_a_code_that_kaltura_does_not_have_is_refused(sandbox: Sandbox) -> None:
    for kind in ("error", "error_after"):
        with pytest.raises(RuntimeError, match=r"unknown error code 'INTERNAL_SERVER_EROR'.*INTERNAL_SERVER_ERROR"):
            sandbox.control.fault(kind, code="INTERNAL_SERVER_EROR")
    assert sandbox.account.faults.show() == []


def test_a_misspelt_setting_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="unknown setting 'tims'"):
        sandbox.control.fault("latency", tims=3)
    assert sandbox.account.faults.show() == []
