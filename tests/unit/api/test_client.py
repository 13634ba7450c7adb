"""The synchronous client against a server that breaks its answers in every way, over real sockets."""

import threading

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import (
    KalturaConfigurationError,
    KalturaNotFoundError,
    KalturaPermanentError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
    TransportFault,
)
from kaltura_provider.api.ks import parse_ks
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.retry import NO_RETRY, RetrySettings
from kaltura_provider.api.steps import Timeout
from kaltura_provider.api.wire import Request, first_error, result
from tests.unit.api.conftest import ADMIN_SECRET, EXPIRED, Reply, exception, exception_value, ok


def test_a_call_returns_the_value(client, server, recorder):
    server.reply(ok({"id": "0_a", "status": 2}, X_Kaltura_Session="7, 8"))
    assert client.call("media", "get", {"entryId": "0_a"}) == {"id": "0_a", "status": 2}
    sent = server.received[0]
    assert sent.path == "/api_v3/service/media/action/get"
    assert sent.form["entryId"] == "0_a"
    assert parse_ks(sent.form["ks"], ADMIN_SECRET).session_type is SessionType.ADMIN
    record = recorder.calls[0]
    assert (record.service, record.action, record.attempt, record.status, record.error, record.request_id) == (
        "media", "get", 1, 200, None, "7, 8",
    )  # fmt: skip
    assert 0 < record.seconds < 5


def test_connections_are_kept(client, server):
    for _ in range(5):
        client.call("system", "ping")
    assert server.connections == 1


def test_threads_share_the_client_and_its_session(server, credentials, recorder):
    server.reply(*[ok(n, X_Kaltura_Session=str(n)) for n in range(40)])
    answers: list[object] = []
    with KalturaClient(server.url, credentials, observer=recorder) as client:
        barrier = threading.Barrier(8, timeout=30)

        def work():
            barrier.wait()
            answers.extend(client.call("media", "get", {"entryId": "0_a"}) for _ in range(5))

        threads = [threading.Thread(target=work) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert sorted(answers) == list(range(40))
    assert len({sent.form["ks"] for sent in server.received}) == 1
    assert server.connections <= 8
    # The secret itself, and one session.
    assert len(recorder.secrets) == 2


@pytest.mark.parametrize(
    ("broken", "ambiguous", "fault"),
    [
        (Reply(cut="before"), True, TransportFault.CUT),
        (Reply(b'{"id": "0_a"}', cut="middle"), True, TransportFault.CUT),
        (Reply(b"<html>bad gateway</html>", 502), True, TransportFault.STATUS),
        (Reply(b"", 500), True, TransportFault.STATUS),
        (Reply(b"<html>busy</html>", 503), False, TransportFault.STATUS),
        (Reply(b"slow down", 429), False, TransportFault.STATUS),
        (Reply(b"<html>maintenance</html>"), True, TransportFault.NOT_JSON),
        (Reply(b'{"id": "0_'), True, TransportFault.NOT_JSON),
        (Reply(b""), True, TransportFault.NOT_JSON),
        (Reply(delay=1.0), True, TransportFault.TIMEOUT),
    ],
    ids=["cut before", "cut within", "502", "500", "503", "429", "html", "truncated", "empty", "slow"],
)
class TestBrokenAnswers:
    def test_a_reading_call_is_repeated(self, client, server, sleeps, recorder, broken, ambiguous, fault):
        server.reply(broken, broken, ok({"id": "0_a"}))
        assert client.call("media", "get", {"entryId": "0_a"}, timeout=0.3) == {"id": "0_a"}
        assert sleeps == [1.0, 2.0]
        assert [call.attempt for call in recorder.calls] == [1, 2, 3]
        assert [call.error is None for call in recorder.calls] == [False, False, True]

    def test_add_is_repeated_only_when_it_was_surely_not_done(self, client, server, sleeps, broken, ambiguous, fault):
        server.reply(broken, ok({"id": "0_a"}))
        if not ambiguous:
            assert client.call("media", "add", {"entry": {"name": "x"}}, timeout=0.3) == {"id": "0_a"}
            return
        with pytest.raises(KalturaTransportError) as caught:
            client.call("media", "add", {"entry": {"name": "x"}}, timeout=0.3)
        assert caught.value.ambiguous
        assert caught.value.fault is fault
        assert (caught.value.service, caught.value.action) == ("media", "add")
        assert len(server.received) == 1
        assert sleeps == []

    def test_the_caller_may_say_what_can_be_repeated(self, client, server, broken, ambiguous, fault):
        server.reply(broken, ok({"id": "0_a"}))
        assert client.call("media", "update", {"entryId": "0_a"}, repeatable=True, timeout=0.3) == {"id": "0_a"}

    def test_attempts_end(self, client, server, sleeps, broken, ambiguous, fault):
        server.reply(*[broken] * 4, ok("never"))
        with pytest.raises(KalturaTransportError) as caught:
            client.call("media", "get", timeout=0.3)
        assert caught.value.fault is fault
        assert len(server.received) == 4
        assert sleeps == [1.0, 2.0, 4.0]

    def test_a_file_is_never_sent_twice_by_itself(self, client, server, sleeps, broken, ambiguous, fault):
        server.reply(broken, ok({"id": "t"}))
        part = FilePart("a.mp4", 3, lambda: [b"abc"])
        with pytest.raises(KalturaTransportError) as caught:
            client.send_file("uploadToken", "upload", {"uploadTokenId": "t"}, part, timeout=0.3)
        assert (caught.value.fault, caught.value.ambiguous) == (fault, ambiguous)
        assert len(server.received) == 1


def test_retry_after_is_honoured(client, server, sleeps):
    server.reply(Reply(b"", 503, {"Retry-After": "9"}), ok(1))
    assert client.call("media", "add") == 1
    assert sleeps == [10.0]


def test_a_retry_after_beyond_the_budget_ends_it_at_once(client, server, sleeps):
    server.reply(Reply(b"", 503, {"Retry-After": "3600"}))
    with pytest.raises(KalturaTransportError) as caught:
        client.call("media", "get")
    assert (caught.value.retry_after, caught.value.status) == (3600, 503)
    assert sleeps == []


def test_the_budget_counts_real_time(server, credentials):
    ticks = iter([*range(0, 1000, 40)])
    client = KalturaClient(
        server.url,
        credentials,
        retry=RetrySettings(attempts=99, budget=100),
        clock=lambda: next(ticks),
        sleep=lambda _: None,
    )
    server.reply(*[Reply(b"", 502)] * 20)
    with client, pytest.raises(KalturaTransportError):
        client.call("media", "get")
    assert len(server.received) < 4


@pytest.mark.parametrize(("status", "location"), [(301, "https://new.example/api_v3/"), (307, "/elsewhere")])
def test_redirects_are_told_not_followed(client, server, status, location):
    server.reply(Reply(b"", status, {"Location": location}))
    with pytest.raises(KalturaTransportError, match="redirects") as caught:
        client.call("media", "get")
    assert caught.value.fault is TransportFault.REDIRECT
    assert len(server.received) == 1


def test_a_wrong_path_is_not_repeated(client, server):
    server.reply(Reply(b"<html>404</html>", 404))
    with pytest.raises(KalturaTransportError, match="HTTP 404 Not Found"):
        client.call("media", "get")
    assert len(server.received) == 1


class TestServerTrouble:
    @pytest.mark.parametrize("code", ["INTERNAL_SERVERL_ERROR", "INTERNAL_DATABASE_ERROR", "LOCK_TIMED_OUT"])
    def test_reading_is_repeated_adding_is_not(self, client, server, code):
        server.reply(exception(code), ok(1))
        assert client.call("media", "get") == 1
        server.reply(exception(code), ok(1))
        with pytest.raises(KalturaTransientError) as caught:
            client.call("media", "add")
        assert caught.value.ambiguous

    def test_a_rate_limit_is_waited_out_by_every_call(self, client, server, sleeps):
        blocked = exception("ACTION_BLOCKED", ACTION_NAME="add", SERVICE_NAME="media")
        server.reply(blocked, blocked, ok({"id": "0_a"}))
        assert client.call("media", "add") == {"id": "0_a"}
        assert sleeps == [1.0, 2.0]

    def test_what_is_not_ready_is_left_to_the_caller(self, client, server, sleeps):
        server.reply(exception("FLAVOR_ASSET_IS_NOT_READY"))
        with pytest.raises(KalturaTransientError):
            client.call("flavorAsset", "getUrl")
        assert sleeps == []

    def test_permanent_errors_are_raised_at_once(self, client, server, sleeps, recorder):
        server.reply(exception("ENTRY_ID_NOT_FOUND", ENTRY_ID="0_x"))
        with pytest.raises(KalturaNotFoundError):
            client.call("media", "get")
        assert sleeps == []
        assert recorder.calls[0].error == "ENTRY_ID_NOT_FOUND"


class TestSessions:
    @pytest.mark.parametrize("ksid", ["EXPIRED", "LOGOUT", "EXCEEDED_ACTIONS_LIMIT"])
    def test_a_session_that_ended_is_renewed_and_the_call_repeated(self, client, server, sleeps, recorder, ksid):
        server.reply(exception("INVALID_KS", f'Invalid KS "{ksid}"', **{**EXPIRED, "KSID": ksid}), ok({"id": "0_a"}))
        assert client.call("media", "add") == {"id": "0_a"}
        first, second = (sent.form["ks"] for sent in server.received)
        assert first != second
        assert client.ks() == second
        assert sleeps == []
        assert recorder.secrets[-2:] == [first, second]

    def test_only_once(self, client, server):
        server.reply(*[exception("INVALID_KS", **EXPIRED)] * 3)
        with pytest.raises(KalturaSessionError):
            client.call("media", "get")
        assert len(server.received) == 2

    @pytest.mark.parametrize("args", [{"KSID": "", "ERR_CODE": "-4"}, {"KSID": "INVALID_USER", "ERR_CODE": "-1"}])
    def test_other_refusals_are_final(self, client, server, args):
        server.reply(exception("INVALID_KS", **args))
        with pytest.raises(KalturaPermanentError):
            client.call("media", "get")
        assert len(server.received) == 1

    def test_a_file_is_read_again_for_a_new_session(self, client, server):
        reads: list[int] = []

        def body():
            reads.append(1)
            yield memoryview(b"abc")

        server.reply(exception("INVALID_KS", **EXPIRED), ok({"id": "t"}))
        part = FilePart("a.mp4", 3, body)
        assert client.send_file("uploadToken", "upload", {"uploadTokenId": "t"}, part) == {"id": "t"}
        assert len(reads) == 2
        assert all(b"abc\r\n--" in sent.body for sent in server.received)

    def test_it_is_renewed_ahead_of_its_end(self, server):
        now = [1_000_000.0]
        with KalturaClient(
            server.url, Credentials(102, "secret", ADMIN_SECRET, lifetime=3600), wall_clock=lambda: now[0]
        ) as client:
            first = client.ks()
            now[0] += 3299
            assert client.ks() == first
            now[0] += 2
            assert parse_ks(client.ks(), ADMIN_SECRET).expiry == now[0] + 3600

    def test_one_of_many_opens_it(self, server, recorder):
        server.reply(Reply(b'"' + b"s" * 30 + b'"', delay=0.2), *[ok(1)] * 8)
        credentials = Credentials(102, "session_start", ADMIN_SECRET)
        with KalturaClient(server.url, credentials, observer=recorder) as client:
            threads = [threading.Thread(target=client.call, args=("media", "get")) for _ in range(8)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        assert [call.action for call in recorder.calls].count("start") == 1
        assert {sent.form["ks"] for sent in server.received[1:]} == {"s" * 30}

    def test_a_given_session_is_used_as_it_is(self, server):
        with KalturaClient(server.url, Credentials(102, "ks", "given")) as client:
            server.reply(ok(1), exception("INVALID_KS", **EXPIRED))
            assert client.call("media", "get") == 1
            with pytest.raises(KalturaConfigurationError, match="a session that has ended: give a new session"):
                client.call("media", "get")
        assert server.received[0].form["ks"] == "given"

    def test_a_session_that_cannot_be_had_is_told(self, server):
        server.reply(exception("START_SESSION_ERROR", "Error while starting session for partner [102]", PID="102"))
        with (
            KalturaClient(server.url, Credentials(102, "session_start", "wrong")) as client,
            pytest.raises(KalturaPermanentError, match="START_SESSION_ERROR") as caught,
        ):
            client.call("media", "get")
        assert "wrong" not in str(caught.value)
        assert len(server.received) == 1


class TestMultirequest:
    CALLS = (Request("uploadToken", "add"), Request("media", "get", {"entryId": result(1, "id")}))

    def test_one_element_per_call(self, client, server, recorder):
        server.reply(ok([{"id": "t"}, exception_value("ENTRY_ID_NOT_FOUND")]))
        token, error = client.multirequest(self.CALLS)
        assert token == {"id": "t"}
        assert isinstance(error, KalturaNotFoundError)
        assert (recorder.calls[0].service, recorder.calls[0].action) == ("multirequest", "uploadToken.add,media.get")

    def test_nothing_is_no_request(self, client, server):
        assert client.multirequest([]) == []
        assert server.received == []

    def test_a_refused_session_is_renewed(self, client, server):
        refused = exception_value("INVALID_KS", **EXPIRED)
        # The second call fails on its empty reference before its session is looked at.
        server.reply(ok([refused, exception_value("MISSING_MANDATORY_PARAMETER")]), ok([{"id": "t"}, {"id": "0_a"}]))
        assert client.multirequest(self.CALLS) == [{"id": "t"}, {"id": "0_a"}]

    def test_a_session_that_ends_in_the_middle_is_not_renewed(self, client, server):
        server.reply(ok([{"id": "t"}, exception_value("INVALID_KS", **EXPIRED)]))
        results = client.multirequest(self.CALLS)
        assert isinstance(first_error(results), KalturaSessionError)
        assert len(server.received) == 1

    def test_a_session_refused_twice_is_the_result(self, client, server):
        refused = ok([exception_value("INVALID_KS", **EXPIRED)] * 2)
        server.reply(refused, refused)
        assert [type(element) for element in client.multirequest(self.CALLS)] == [KalturaSessionError] * 2

    def test_a_rate_limit_on_all_of_it_is_waited_out(self, client, server, sleeps):
        server.reply(ok([exception_value("ACTION_BLOCKED")] * 2), ok([1, 2]))
        assert client.multirequest(self.CALLS) == [1, 2]
        assert sleeps == [1.0]

    def test_a_rate_limit_on_a_part_of_it_is_a_result(self, client, server):
        server.reply(ok([1, exception_value("ACTION_BLOCKED")]))
        assert client.multirequest(self.CALLS)[0] == 1
        assert len(server.received) == 1

    def test_a_repeatable_one_is_repeated_for_trouble_in_a_part(self, client, server):
        server.reply(ok([1, exception_value("INTERNAL_SERVERL_ERROR")]), ok([1, 2]))
        assert client.multirequest(self.CALLS, repeatable=True) == [1, 2]

    def test_trouble_that_stays_is_a_result(self, client, server):
        server.reply(*[ok([1, exception_value("INTERNAL_SERVERL_ERROR")])] * 4)
        assert isinstance(client.multirequest(self.CALLS, repeatable=True)[1], KalturaTransientError)
        assert len(server.received) == 4

    def test_a_lost_answer_is_ambiguous(self, client, server):
        server.reply(Reply(cut="before"))
        with pytest.raises(KalturaTransportError) as caught:
            client.multirequest(self.CALLS)
        assert caught.value.ambiguous

    def test_permanent_errors_of_a_repeatable_one_are_results_at_once(self, client, server, sleeps):
        server.reply(ok([exception_value("ENTRY_ID_NOT_FOUND")] * 2))
        assert len(client.multirequest(self.CALLS, repeatable=True)) == 2
        assert sleeps == []


class TestFiles:
    def test_the_form_has_a_length_and_the_file_last(self, client, server):
        data = bytes(range(256)) * 4096
        part = FilePart(
            "clip.mp4", len(data), lambda: (memoryview(data)[i : i + 65536] for i in range(0, len(data), 65536))
        )
        server.reply(ok({"status": 2}))
        client.send_file("uploadToken", "upload", {"uploadTokenId": "t", "resume": False, "resumeAt": -1}, part)
        sent = server.received[0]
        assert int(sent.headers["content-length"]) == len(sent.body)
        assert "transfer-encoding" not in sent.headers
        head, _, rest = sent.body.partition(b'name="fileData"; filename="clip.mp4"')
        assert b'name="resume"\r\n\r\n0\r\n' in head
        assert b'name="ks"' in head
        assert data in rest

    def test_what_the_source_raises_comes_out_unchanged(self, client, server):
        class GoneError(OSError):
            pass

        def body():
            yield b"ab"
            raise GoneError("source")

        with pytest.raises(GoneError, match="source"):
            client.send_file("uploadToken", "upload", {}, FilePart("a", 5, body))
        server.reply(ok(1))
        assert client.call("media", "get") == 1

    def test_a_source_that_shrank_is_told(self, client):
        with pytest.raises(ValueError, match="ended 2 bytes early"):
            client.send_file("uploadToken", "upload", {}, FilePart("a", 5, lambda: [b"abc"]))

    def test_a_link_slower_than_the_connect_timeout_is_waited_for(self, server, credentials):
        # Python counts a socket's limit for a whole window of data; it must not be the one for connecting.
        server.read_delay = 0.6
        server.reply(ok(1))
        window = bytes(16 * 2**20)
        with KalturaClient(server.url, credentials, timeout=Timeout(connect=0.2, read=5)) as client:
            assert client.send_file("uploadToken", "upload", {}, FilePart("a", len(window), lambda: [window])) == 1


class TestUnreachable:
    def _fault(self, url, credentials, **more):
        with (
            KalturaClient(url, credentials, retry=NO_RETRY, **more) as client,
            pytest.raises(KalturaTransportError) as caught,
        ):
            client.call("media", "add")
        assert not caught.value.ambiguous
        assert ADMIN_SECRET not in str(caught.value)
        return caught.value

    def test_refused(self, server, credentials):
        url = server.url
        server.close()
        error = self._fault(url, credentials)
        assert error.fault is TransportFault.REFUSED
        assert url.removeprefix("http://") in str(error)

    def test_unknown_host(self, credentials):
        error = self._fault("http://no-such-host.invalid", credentials)
        assert error.fault is TransportFault.DNS
        assert "no-such-host.invalid is unknown" in str(error)

    def test_no_tls(self, server, credentials):
        error = self._fault(server.url.replace("http:", "https:"), credentials)
        assert error.fault is TransportFault.TLS
        assert not error.retry_helps

    def test_it_is_tried_again_even_for_add(self, server, credentials, sleeps):
        url = server.url
        server.close()
        with (
            KalturaClient(
                url, credentials, retry=RetrySettings(attempts=3, rand=lambda: 1.0), sleep=sleeps.append
            ) as client,
            pytest.raises(KalturaTransportError),
        ):
            client.call("media", "add")
        assert sleeps == [1.0, 2.0]


def test_neither_repr_nor_errors_show_secrets(client, server, recorder):
    ks = client.ks()
    server.reply(exception("INVALID_KS", f'Invalid KS "{ks}", Error "-1,INVALID_STR"', KSID=ks, ERR_CODE="-1"))
    with pytest.raises(KalturaPermanentError) as caught:
        client.call("media", "get")
    shown = f"{caught.value!r} {caught.value} {client!r} {client.credentials!r} {recorder.calls!r}"
    assert ks not in shown
    assert ADMIN_SECRET not in shown
    assert recorder.secrets == [ADMIN_SECRET, ks]


def test_an_observer_that_overrides_one_method_is_enough(server, credentials):
    class Secrets(Observer):
        def on_secret(self, value):
            seen.append(value)

    seen: list[str] = []
    server.reply(ok({"id": "0_a"}))
    with KalturaClient(server.url, credentials, observer=Secrets()) as client:
        assert client.call("media", "get", {"entryId": "0_a"}) == {"id": "0_a"}
        assert seen == [ADMIN_SECRET, client.ks()]


def test_no_observer_is_needed(server, credentials):
    server.reply(ok({"id": "0_a"}))
    with KalturaClient(server.url, credentials) as client:
        assert type(client.observer) is Observer
        assert client.call("media", "get", {"entryId": "0_a"}) == {"id": "0_a"}
    assert len(server.received) == 1


def test_the_address_is_normalised(credentials):
    with KalturaClient("www.kaltura.com/api_v3/", credentials) as client:
        assert client.service_url == "https://www.kaltura.com/api_v3"
        assert client.partner_id == 102


def test_a_proxy_of_the_environment_is_used(server, credentials, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    server.reply(ok(1))
    with KalturaClient("http://kaltura.invalid", credentials) as client:
        assert client.call("system", "ping") == 1
    assert server.received[0].path == "http://kaltura.invalid/api_v3/service/system/action/ping"


def test_a_long_multirequest_has_a_short_name(client, server, recorder):
    server.reply(ok([1] * 50))
    client.multirequest([Request("media", "get")] * 50)
    assert recorder.calls[0].action == "media.get"
