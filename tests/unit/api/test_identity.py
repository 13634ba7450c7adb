"""What a connection test says, from the answers a real server gave."""

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.identity import whoami
from tests.unit.api.conftest import ADMIN_SECRET, EXPIRED, Reply, exception, ok

VERSION = ok("Venus-22.19.0")
SESSION = {
    "sessionType": "2",
    "partnerId": "102",
    "userId": "airflow",
    "expiry": "1795539388",
    "privileges": "disableentitlement,sessionkey:abc",
    "objectType": "KalturaSessionInfo",
}
BAD_KS = exception("INVALID_KS", 'Invalid KS "xyz"', KSID="xyz", ERR_CODE="-1", ERR_DESC="INVALID_STR")
WRONG = exception("START_SESSION_ERROR", "Error while starting session for partner [102]", PID="102")
BLOCKED = exception("SERVICE_FORBIDDEN_CONTENT_BLOCKED", "The access to this service is forbidden")


def test_who_we_are(client, server):
    server.reply(VERSION, ok(SESSION))
    identity = whoami(client)
    assert identity.ok
    assert identity.message == (
        f"Connected to {client.service_url} (Venus-22.19.0) as user 'airflow' of partner 102: "
        "ADMIN session until 2026-11-24 16:56 UTC"
    )
    assert (identity.partner_id, identity.user_id, identity.session_type, identity.expires_at) == (
        102, "airflow", SessionType.ADMIN, 1795539388,
    )  # fmt: skip
    assert [sent.path.partition("/service/")[2] for sent in server.received] == [
        "system/action/getVersion", "session/action/get",
    ]  # fmt: skip
    assert ["ks" in sent.form for sent in server.received] == [False, True]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sessionType": "0"}, "needs an ADMIN session"),
        ({"privileges": "list:*"}, "Without the privilege disableentitlement"),
    ],
)
def test_a_session_with_limits_is_told(client, server, more, words):
    server.reply(VERSION, ok({**SESSION, **more}))
    identity = whoami(client)
    assert identity.ok
    assert words in identity.message


def test_a_session_that_may_not_read_itself_is_good(client, server):
    server.reply(VERSION, exception("SERVICE_FORBIDDEN", SERVICE="session->get"))
    identity = whoami(client)
    assert identity.ok
    assert "the session is valid, but cannot read its own details" in identity.message


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([VERSION, BAD_KS, WRONG, WRONG], "The secret does not belong to partner 102: copy the admin secret"),
        ([VERSION, BAD_KS, WRONG, ok("ks")], "The secret is the user secret of partner 102"),
        ([VERSION, BAD_KS, BLOCKED], "Partner 102 is unknown or blocked"),
        ([VERSION, BAD_KS, ok("ks")], "INVALID_KS"),
        ([VERSION, BAD_KS, Reply(cut="before")], "INVALID_KS"),
        ([VERSION, ok({**SESSION, "partnerId": "103"})], r"partner id 102 differs from the session's partner id 103"),
        ([VERSION, ok({"id": 1})], "answers, but not as a Kaltura server does"),
        ([Reply(b"<html>hi</html>")], "is not the service URL of a Kaltura server: the answer is a web page"),
        ([Reply(b"<html>no</html>", 404)], "is not the service URL of a Kaltura server: HTTP 404 Not Found"),
        ([Reply(b"", 302, {"Location": "https://k.example/x"})], "redirects to https://k.example/x"),
        ([Reply(b"", 502)], "cannot be reached: HTTP 502 Bad Gateway"),
        ([Reply(cut="before")], "cannot be reached: the connection"),
    ],
)
def test_what_is_wrong_is_one_line(client, server, sleeps, answers, words):
    server.reply(*answers)
    identity = whoami(client)
    assert not identity.ok
    assert words in identity.message
    assert "\n" not in identity.message
    assert ADMIN_SECRET not in identity.message
    assert sleeps == []
    assert len(server.received) == len(answers)


@pytest.mark.parametrize(
    ("credentials", "answers", "words"),
    [
        (Credentials(102, "session_start", "x"), [VERSION, WRONG], "The secret does not belong to partner 102"),
        (Credentials(102, "session_start", "x"), [VERSION, BLOCKED], "Partner 102 is unknown or blocked"),
        (
            Credentials(102, "ks", "given"),
            [VERSION, BAD_KS],
            "The session (KS) of the connection is not valid for partner 102",
        ),
        (Credentials(102, "ks", "given"), [VERSION, exception("INVALID_KS", **EXPIRED)], "a session that has ended"),
        (
            Credentials(102, "app_token", "x", app_token_id="1_t"),
            [VERSION, exception("INVALID_WIDGET_ID", WIDGET_ID="_102")],
            "Partner 102 is unknown",
        ),
        (
            Credentials(102, "app_token", "x", app_token_id="1_t"),
            [VERSION, ok({"ks": "w"}), exception("APP_TOKEN_ID_NOT_FOUND", ID="1_t")],
            "Partner 102 has no app token 1_t",
        ),
        (
            Credentials(102, "app_token", "x", app_token_id="1_t"),
            [VERSION, ok({"ks": "w"}), *[exception("INVALID_APP_TOKEN_HASH")] * 4],
            "The secret is not the value of app token 1_t",
        ),
    ],
)
def test_other_ways_to_authenticate(server, credentials, answers, words):
    server.reply(*answers)
    with KalturaClient(server.url, credentials) as client:
        identity = whoami(client)
    assert not identity.ok
    assert words in identity.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://no-such-host.invalid", "the host name no-such-host.invalid is unknown (DNS)"),
        ("http://127.0.0.1:1", "127.0.0.1:1 refused the connection"),
    ],
)
def test_unreachable_hosts(credentials, url, words):
    with KalturaClient(url, credentials) as client:
        identity = whoami(client)
    assert not identity.ok
    assert identity.message.startswith(f"{url}/api_v3 cannot be reached: {words}")


def test_plain_http_on_a_secure_port(server, credentials):
    with KalturaClient(server.url.replace("http:", "https:"), credentials) as client:
        identity = whoami(client)
    assert "cannot connect securely to 127.0.0.1" in identity.message


def test_the_secret_is_tried_without_the_session_that_was_refused(client, server):
    server.reply(VERSION, BAD_KS, WRONG, WRONG)
    whoami(client)
    assert ["ks" in sent.form for sent in server.received] == [False, True, False, False]
    assert [sent.form.get("type") for sent in server.received] == [None, None, "2", "0"]
