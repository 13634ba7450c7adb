"""The asynchronous client: what it shares with the synchronous one is tested there, here is its transport."""

import asyncio

import pytest

from kaltura_provider.api.async_client import AsyncKalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.errors import KalturaNotFoundError, KalturaTransportError, TransportFault
from kaltura_provider.api.multipart import FilePart, frame
from kaltura_provider.api.retry import NO_RETRY, RetrySettings
from kaltura_provider.api.steps import Send, Timeout
from kaltura_provider.api.wire import HttpRequest, Request
from tests.unit.api.conftest import ADMIN_SECRET, EXPIRED, Reply, exception, exception_value, ok


@pytest.fixture
async def client(server, recorder, credentials, sleeps):
    async def sleep(seconds):
        sleeps.append(seconds)

    async with AsyncKalturaClient(
        server.url,
        credentials,
        observer=recorder,
        retry=RetrySettings(attempts=4, rand=lambda: 1.0),
        timeout=Timeout(connect=2, read=2),
        sleep=sleep,
    ) as made:
        yield made


async def test_a_call_returns_the_value(client, server, recorder):
    server.reply(ok({"id": "0_a"}, X_Kaltura_Session="7, 8"))
    assert await client.call("media", "get", {"entryId": "0_a"}) == {"id": "0_a"}
    assert server.received[0].path == "/api_v3/service/media/action/get"
    assert recorder.calls[0].request_id == "7, 8"
    assert client.partner_id == 102
    assert ADMIN_SECRET not in repr(client)


@pytest.mark.parametrize(
    ("broken", "ambiguous", "fault"),
    [
        (Reply(cut="before"), True, TransportFault.CUT),
        (Reply(b'{"id": "0_a"}', cut="middle"), True, TransportFault.CUT),
        (Reply(b"<html>bad gateway</html>", 502), True, TransportFault.STATUS),
        (Reply(b"<html>busy</html>", 503), False, TransportFault.STATUS),
        (Reply(b"<html>maintenance</html>"), True, TransportFault.NOT_JSON),
        (Reply(delay=1.0), True, TransportFault.TIMEOUT),
    ],
    ids=["cut before", "cut within", "502", "503", "html", "slow"],
)
async def test_broken_answers(client, server, sleeps, broken, ambiguous, fault):
    server.reply(broken, broken, ok(1))
    assert await client.call("media", "get", timeout=0.3) == 1
    assert sleeps == [1.0, 2.0]
    server.reply(broken, ok(2))
    if not ambiguous:
        assert await client.call("media", "add", timeout=0.3) == 2
        return
    with pytest.raises(KalturaTransportError) as caught:
        await client.call("media", "add", timeout=0.3)
    assert (caught.value.fault, caught.value.ambiguous) == (fault, True)


async def test_a_session_that_ended_is_renewed(client, server):
    server.reply(exception("INVALID_KS", **EXPIRED), ok(1))
    assert await client.call("media", "add") == 1
    first, second = (sent.form["ks"] for sent in server.received)
    assert first != second == await client.ks()


async def test_one_of_many_tasks_opens_the_session(server, recorder):
    server.reply(Reply(b'"' + b"s" * 30 + b'"', delay=0.2), *[ok(1)] * 20)
    credentials = Credentials(102, "session_start", ADMIN_SECRET)
    async with AsyncKalturaClient(server.url, credentials, observer=recorder, pool_size=4) as client:
        assert await asyncio.gather(*[client.call("media", "get") for _ in range(20)]) == [1] * 20
    assert [call.action for call in recorder.calls].count("start") == 1
    assert server.connections <= 4


async def test_a_cancelled_opening_leaves_the_next_free(server):
    server.reply(Reply(b'"' + b"s" * 30 + b'"', delay=0.5), ok("t" * 30), ok(1))
    async with AsyncKalturaClient(server.url, Credentials(102, "session_start", ADMIN_SECRET)) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.call("media", "get"), 0.1)
        assert await client.call("media", "get") == 1
    assert server.received[-1].form["ks"] == "t" * 30


async def test_multirequest(client, server):
    server.reply(ok([{"id": "0_a"}, exception_value("ENTRY_ID_NOT_FOUND")]))
    found, missing = await client.multirequest([Request("media", "get"), Request("media", "get")])
    assert found == {"id": "0_a"}
    assert isinstance(missing, KalturaNotFoundError)
    assert await client.multirequest([]) == []


async def test_redirects_are_not_followed(client, server):
    server.reply(Reply(b"", 302, {"Location": "https://elsewhere.example/"}))
    with pytest.raises(KalturaTransportError, match=r"redirects to https://elsewhere\.example"):
        await client.call("media", "get")
    assert len(server.received) == 1


class TestUnreachable:
    async def _error(self, url, credentials):
        async with AsyncKalturaClient(url, credentials, retry=NO_RETRY) as client:
            with pytest.raises(KalturaTransportError) as caught:
                await client.call("media", "add")
        assert not caught.value.ambiguous
        return caught.value

    async def test_refused(self, server, credentials):
        server.close()
        assert (await self._error(server.url, credentials)).fault is TransportFault.REFUSED

    async def test_unknown_host(self, credentials):
        error = await self._error("http://no-such-host.invalid", credentials)
        assert error.fault is TransportFault.DNS

    async def test_no_tls(self, server, credentials):
        error = await self._error(server.url.replace("http:", "https:"), credentials)
        assert error.fault is TransportFault.TLS


async def test_the_loop_stays_free_during_a_slow_answer(client, server):
    server.reply(Reply(delay=0.5))
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await client.call("media", "get")
    ticking.cancel()
    assert ticks > 20


async def test_files_are_for_the_other_client(client):
    content_type, body = frame([], FilePart("a", 1, lambda: [b"x"]))
    step = Send(HttpRequest("http://x", {"Content-Type": content_type}, body), Timeout())
    with pytest.raises(TypeError, match="cannot send files"):
        await client._exchange(step)


async def test_certificates_named_in_the_environment_are_trusted(credentials, monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(FileNotFoundError):
        AsyncKalturaClient("https://k", credentials)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    client = AsyncKalturaClient("https://k", credentials)
    await client.aclose()


async def test_a_proxy_of_the_environment_is_used(server, credentials, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    server.reply(ok(1))
    async with AsyncKalturaClient("http://kaltura.invalid", credentials) as client:
        assert await client.call("system", "ping") == 1
    assert server.received[0].path == "http://kaltura.invalid/api_v3/service/system/action/ping"
