"""Sessions: who is let in, with what, and how each refusal reads."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from kaltura_sandbox import Sandbox


def test_start_with_each_secret(api: Any, sandbox: Sandbox) -> None:
    api.ks = ""
    start = {"partnerId": sandbox.partner_id, "userId": "u"}
    assert isinstance(api("session", "start", secret=sandbox.admin_secret, type=2, **start), str)
    assert isinstance(api("session", "start", secret=sandbox.user_secret, type=0, **start), str)
    assert api.code(api("session", "start", secret=sandbox.user_secret, type=2, **start)) == "START_SESSION_ERROR"
    unknown = api("session", "start", secret=sandbox.admin_secret, partnerId=999999)
    assert api.code(unknown) == "SERVICE_FORBIDDEN_CONTENT_BLOCKED"
    assert api.code(api("session", "start", secret=sandbox.admin_secret)) == "START_SESSION_ERROR"


def test_expiry_is_cut_to_a_day(api: Any, sandbox: Sandbox) -> None:
    text = api("session", "start", secret=sandbox.admin_secret, type=2, partnerId=102, expiry=10**7)
    info = api("session", "get", session=text)
    assert int(info["expiry"]) - sandbox.account.clock.now() <= 86400
    assert info["sessionType"] == "2"


def test_expired_ended_and_broken_sessions(api: Any, sandbox: Sandbox) -> None:
    for text, reason in (("garbage", "garbage"), (sandbox.ks()[:-8] + "AAAAAAA=", None)):
        api.ks = text
        reply = api("media", "get", entryId="0_aaaaaaaa")
        assert reply["args"] == {"KSID": reason or text, "ERR_CODE": "-1", "ERR_DESC": "INVALID_STR"}
    api.ks = sandbox.ks()
    assert api("session", "end") is None
    assert api("media", "list")["args"]["KSID"] == "LOGOUT"
    api.ks = sandbox.ks()
    sandbox.control.advance_clock(86401)
    assert api("media", "list")["args"]["KSID"] == "EXPIRED"


def test_ending_one_of_a_session_family_ends_all(api: Any, sandbox: Sandbox) -> None:
    api.ks = sandbox.ks("a", privileges="disableentitlement,sessionid:family")
    other = sandbox.ks("b", privileges="sessionid:family")
    api("session", "end")
    api.ks = other
    assert api("media", "list")["args"]["KSID"] == "LOGOUT"


def test_limits_of_use_and_place(api: Any, sandbox: Sandbox) -> None:
    api.ks = sandbox.ks(privileges="actionslimit:2")
    assert [api("media", "count"), api("media", "count")] == [0, 0]
    assert api("media", "count")["args"]["KSID"] == "EXCEEDED_ACTIONS_LIMIT"
    api.ks = sandbox.ks(privileges="urirestrict:/api_v3/service/uploadToken/*")
    assert api("uploadToken", "list")["totalCount"] == 0
    assert api("media", "count")["args"]["KSID"] == "EXCEEDED_RESTRICTED_URI"
    api.ks = sandbox.ks(privileges="iprestrict:192.0.2.1")
    assert api("media", "count")["args"]["KSID"] == "EXCEEDED_RESTRICTED_IP"


def test_all_sessions_expire_on_demand_and_new_ones_work(api: Any, sandbox: Sandbox) -> None:
    assert api("media", "count") == 0
    assert sandbox.control.expire_sessions() >= 1
    assert api("media", "count")["args"]["KSID"] == "EXPIRED"
    api.ks = sandbox.ks()
    assert api("media", "count") == 0


def test_parameters_are_checked_before_the_session(api: Any, sandbox: Sandbox) -> None:
    api.ks = sandbox.ks()
    sandbox.account.clock.advance(90000)
    assert api.code(api("media", "get")) == "MISSING_MANDATORY_PARAMETER"
    assert api.code(api("media", "get", entryId="0_a")) == "INVALID_KS"


@pytest.mark.parametrize(
    ("service", "action", "partner", "expected"),
    [
        ("media", "list", None, "SERVICE_FORBIDDEN"),
        ("session", "get", None, "SERVICE_FORBIDDEN"),
        ("media", "list", 102, "SERVICE_FORBIDDEN"),
        ("uploadToken", "add", None, "SERVICE_FORBIDDEN"),
        ("uploadToken", "add", "abc", "SERVICE_FORBIDDEN"),
        ("flavorAsset", "get", 102, "SERVICE_FORBIDDEN"),
    ],
)
def test_without_a_session(api: Any, service: str, action: str, partner: Any, expected: str) -> None:
    api.ks = ""
    params = {"partnerId": partner} if partner else {}
    assert api.code(api(service, action, id="0_x", **params)) == expected


def test_a_partner_other_than_the_sessions_is_forbidden(api: Any) -> None:
    reply = api("media", "get", entryId="0_abcdefgh", partnerId=99)
    assert reply["args"] == {"SERVICE": "media->get"}
    assert api.headers["X-Kaltura"] == "error-SERVICE_FORBIDDEN"


def test_a_widget_session_reads_and_does_not_write(api: Any) -> None:
    api.ks = ""
    widget = api("session", "startWidgetSession", widgetId="_102")
    assert widget["userId"] == 0
    api.ks = widget["ks"]
    assert api("media", "list")["totalCount"] == 0
    assert api.code(api("uploadToken", "add")) == "SERVICE_FORBIDDEN"
    assert api.code(api("session", "startWidgetSession", widgetId="_7")) == "INVALID_WIDGET_ID"


def test_users_may_not_do_what_admins_may(user: Any) -> None:
    assert user.code(user("conversionProfile", "list")) == "SERVICE_FORBIDDEN"
    assert user.code(user("session", "get")) == "SERVICE_FORBIDDEN"
    assert user.code(user("media", "approve", entryId="0_x")) == "SERVICE_FORBIDDEN"


@pytest.mark.parametrize("algorithm", ["SHA1", "MD5", "SHA256", "SHA512"])
def test_app_tokens_open_sessions(api: Any, sandbox: Sandbox, algorithm: str) -> None:
    wish = {"hashType": algorithm, "sessionType": 2, "sessionUserId": "robot", "sessionPrivileges": "list:*"}
    token = api("appToken", "add", appToken=wish)
    assert len(token["token"]) == 32
    api.ks = ""
    api.ks = api("session", "startWidgetSession", widgetId="_102")["ks"]
    wrong = api("appToken", "startSession", id=token["id"], tokenHash="0" * 40)
    assert api.code(wrong) == "INVALID_APP_TOKEN_HASH"
    digest = hashlib.new(algorithm.lower(), (api.ks + token["token"]).encode()).hexdigest()
    session = api("appToken", "startSession", id=token["id"], tokenHash=digest, userId="ignored", type=0)
    assert (session["userId"], session["sessionType"]) == ("robot", 2)
    assert session["privileges"] == f"list:*,sessionid:{token['id']},apptoken:{token['id']}"
    assert session["expiry"] > sandbox.account.clock.now()
    api.ks = session["ks"]
    assert api("appToken", "delete", id=token["id"]) is None
    assert api("media", "list")["args"]["KSID"] == "LOGOUT"


def test_app_token_refusals(api: Any, sandbox: Sandbox) -> None:
    token = api("appToken", "add", appToken={"expiry": sandbox.account.clock.now() + 50})
    assert api("appToken", "list", filter={"idEqual": token["id"]})["totalCount"] == 1
    sandbox.account.clock.advance(60)
    digest = hashlib.sha1((api.ks + token["token"]).encode(), usedforsecurity=False).hexdigest()
    reply = api("appToken", "startSession", id=token["id"], tokenHash=digest)
    assert api.code(reply) == "APP_TOKEN_EXPIRED"
    assert api.code(api("appToken", "get", id="0_nosuch")) == "APP_TOKEN_ID_NOT_FOUND"


def test_no_secret_in_the_journal(api: Any, sandbox: Sandbox) -> None:
    api("session", "start", secret=sandbox.admin_secret, type=2, partnerId=102)
    text = str(sandbox.control.log()) + str(sandbox.control.state())
    assert sandbox.admin_secret not in text
    assert api.ks not in text
