"""How each way to authenticate gets its session, told from the calls it makes."""

import hashlib
from dataclasses import replace

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaPermanentError, KalturaTransportError
from kaltura_provider.api.ks import mint_ks, parse_ks
from kaltura_provider.api.retry import RetrySettings
from tests.unit.api.conftest import ADMIN_SECRET, EXPIRED, Reply, exception, ok

WIDGET = ok({"partnerId": 102, "ks": "widget-session", "userId": 0, "objectType": "KalturaStartWidgetSessionResponse"})
TOKEN = Credentials(102, "app_token", "token-value", app_token_id="1_tok", user_id="u", lifetime=600)


def _hash(name):
    return hashlib.new(name, b"widget-sessiontoken-value").hexdigest()


def _opened(server, credentials, **more):
    with KalturaClient(server.url, credentials, sleep=lambda _: None, **more) as client:
        return client.ks()


def _session_info(ks, expiry):
    return ok({"ks": ks, "sessionType": 2, "partnerId": 102, "expiry": expiry, "objectType": "KalturaSessionInfo"})


def test_a_secret_needs_no_call(server, credentials):
    info = parse_ks(_opened(server, credentials), ADMIN_SECRET)
    assert (info.partner_id, info.user_id, info.session_type) == (102, "airflow", SessionType.ADMIN)
    assert info.privileges == credentials.effective_privileges(server.url + "/api_v3")
    assert server.received == []


def test_session_start_is_asked_with_everything(server):
    server.reply(ok("the-session"))
    credentials = Credentials(102, "session_start", ADMIN_SECRET, user_id="u", lifetime=900, privileges="list:*")
    assert _opened(server, credentials) == "the-session"
    sent = server.received[0]
    assert sent.path == "/api_v3/service/session/action/start"
    assert sent.form == {
        "secret": ADMIN_SECRET, "userId": "u", "type": "2", "partnerId": "102", "expiry": "900", "privileges": "list:*",
        "format": "1", "clientTag": "airflow-provider-kaltura",
    }  # fmt: skip


def test_a_user_session_is_asked_for_since_a_user_secret_makes_none(server):
    server.reply(ok("the-session"))
    assert _opened(server, Credentials(102, "secret", "user-secret", session_type=SessionType.USER)) == "the-session"
    assert server.received[0].form["type"] == "0"


def test_opening_a_session_is_repeated_like_reading(server):
    server.reply(Reply(cut="before"), Reply(b"", 502), ok("the-session"))
    assert _opened(server, Credentials(102, "session_start", ADMIN_SECRET)) == "the-session"


def test_a_session_the_server_cut_short_is_renewed_in_time(server):
    now = [1_000_000.0]
    short = [
        mint_ks(ADMIN_SECRET, partner_id=102, user_id="u", session_type=SessionType.ADMIN, expiry=1_000_000 + 1000 * n)
        for n in (1, 2)
    ]
    server.reply(ok(short[0]), ok(short[1]))
    credentials = Credentials(102, "session_start", ADMIN_SECRET, lifetime=86_400)
    with KalturaClient(server.url, credentials, wall_clock=lambda: now[0]) as client:
        assert client.ks() == short[0]
        now[0] += 899
        assert client.ks() == short[0]
        now[0] += 2
        assert client.ks() == short[1]


@pytest.mark.parametrize("answer", [ok(None), ok(""), ok({"ks": "x"})])
def test_no_session_in_the_answer_is_told(server, answer):
    server.reply(answer)
    with pytest.raises(KalturaTransportError, match="does not contain a session"):
        _opened(server, Credentials(102, "session_start", ADMIN_SECRET), retry=RetrySettings(attempts=1))


class TestAppToken:
    def test_a_widget_session_proves_the_token(self, server, recorder):
        server.reply(WIDGET, _session_info("app-session", 2_000_000_000))
        assert _opened(server, TOKEN, observer=recorder) == "app-session"
        widget, start = server.received
        assert widget.path.endswith("/service/session/action/startWidgetSession")
        assert widget.form["widgetId"] == "_102"
        assert "ks" not in widget.form
        assert start.path.endswith("/service/appToken/action/startSession")
        assert start.form["id"] == "1_tok"
        assert start.form["ks"] == "widget-session"
        assert start.form["tokenHash"] == _hash("sha256")
        assert (start.form["userId"], start.form["type"], start.form["expiry"]) == ("u", "2", "600")
        assert b"token-value" not in widget.body + start.body
        assert recorder.secrets == ["token-value", "widget-session", "app-session"]

    def test_the_tokens_hash_is_found_and_kept(self, server):
        wrong = exception("INVALID_APP_TOKEN_HASH")
        server.reply(WIDGET, wrong, wrong, _session_info("one", 2_000_000_000))
        server.reply(exception("INVALID_KS", **EXPIRED), WIDGET, _session_info("two", 2_000_000_000), ok(1))
        with KalturaClient(server.url, TOKEN) as client:
            assert client.call("media", "get") == 1
            assert client.ks() == "two"
            assert client.app_token_hash_type == "SHA512"
        hashes = [sent.form["tokenHash"] for sent in server.received if "tokenHash" in sent.form]
        sha512 = _hash("sha512")
        assert hashes[-2:] == [sha512, sha512]

    @pytest.mark.parametrize("given", ["SHA1", "sha-1"])
    def test_a_given_hash_type_is_the_only_one_tried(self, server, given):
        server.reply(WIDGET, _session_info("one", 2_000_000_000))
        assert _opened(server, replace(TOKEN, app_token_hash_type=given)) == "one"
        assert [sent.form.get("tokenHash") for sent in server.received] == [None, _hash("sha1")]
        server.reply(WIDGET, exception("INVALID_APP_TOKEN_HASH"))
        with pytest.raises(KalturaPermanentError, match="INVALID_APP_TOKEN_HASH"):
            _opened(server, replace(TOKEN, app_token_hash_type="MD5"))
        assert len(server.received) == 4

    def test_a_wrong_value_is_told_after_every_hash(self, server):
        server.reply(WIDGET, *[exception("INVALID_APP_TOKEN_HASH")] * 4)
        with pytest.raises(KalturaPermanentError, match="INVALID_APP_TOKEN_HASH"):
            _opened(server, TOKEN)
        assert len(server.received) == 5

    def test_other_errors_are_told_at_once(self, server):
        server.reply(WIDGET, exception("APP_TOKEN_EXPIRED", ID="1_tok"))
        with pytest.raises(KalturaPermanentError, match="APP_TOKEN_EXPIRED"):
            _opened(server, TOKEN)

    def test_it_ends_when_the_server_says(self, server):
        now = [1_000_000.0]
        server.reply(WIDGET, _session_info("one", 1_000_100), WIDGET, _session_info("two", 2_000_000))
        with KalturaClient(server.url, TOKEN, wall_clock=lambda: now[0]) as client:
            assert client.ks() == "one"
            now[0] += 91
            assert client.ks() == "two"
