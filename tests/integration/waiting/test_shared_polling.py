"""Many waits in Airflow's own trigger runner against the sandbox: the calls are counted on the server."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest

from kaltura_provider.triggers.bulk_job import KalturaBulkJobTrigger
from kaltura_provider.triggers.entry import (
    KalturaEntryReadyTrigger,
    KalturaFlavorReadyTrigger,
    KalturaModerationTrigger,
)
from kaltura_provider.triggers.upload_token import KalturaUploadTokenTrigger

FAST = ((0.0, 0.4),)


def ready(*ids: str, connection: str = "kaltura_waiting", **arguments: Any) -> KalturaEntryReadyTrigger:
    return KalturaEntryReadyTrigger(kaltura_conn_id=connection, ids=ids, **{"intervals": FAST, **arguments})


async def test_many_waits_make_few_calls(sandbox: Any, entries: Any, triggerer: Any) -> None:
    ids = [entries.make(1) for _ in range(120)]
    started = await triggerer.start(*(ready(one) for one in ids))
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 4)
    assert len(triggerer.streams) == 1
    assert not triggerer.events
    for one in ids:
        entries.move(one, 2)
    payloads = await triggerer.wait_for(*started)
    assert [payload["ready"] for payload in payloads] == [{one: 2} for one in ids]
    calls = entries.calls()
    assert calls.total() < 20, calls
    assert set(calls) == {"baseentry.getbyids"}
    await triggerer.until(lambda: not triggerer.streams)


async def test_five_hundred_share_a_call_and_the_next_one_takes_another(
    sandbox: Any, entries: Any, triggerer: Any
) -> None:
    known = entries.make(1)
    ids = [known, *(f"0_none{n:04}" for n in range(500))]
    await triggerer.start(ready(*ids, intervals=((0.0, 30.0),)))
    await triggerer.until(lambda: entries.calls()["baseentry.list"] >= 500)
    assert entries.calls()["baseentry.getbyids"] == 2


async def test_entries_flavors_and_moderation_share_one_poll(sandbox: Any, entries: Any, triggerer: Any) -> None:
    one = entries.make(1, moderationStatus=1)
    arguments: dict[str, Any] = {"kaltura_conn_id": "kaltura_waiting", "ids": [one], "intervals": FAST}
    started = await triggerer.start(
        ready(one), KalturaFlavorReadyTrigger(**arguments), KalturaModerationTrigger(**arguments)
    )
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 3)
    assert len(triggerer.streams) == 1
    entries.move(one, 2, moderationStatus=2)
    payloads = await triggerer.wait_for(started[0], started[2])
    assert [payload["ready"] for payload in payloads] == [{one: 2}, {one: 2}]
    # A READY entry without any flavor that is there has not the flavors waited for.
    await triggerer.until(lambda: started[1] in triggerer.events)
    assert "no flavor that is ready" in triggerer.events[started[1]].payload["failed"][one]


async def test_one_failure_fails_its_own_wait_only(sandbox: Any, entries: Any, triggerer: Any) -> None:
    good, bad, deleted = (entries.make(1) for _ in range(3))
    started = await triggerer.start(ready(good), ready(bad), ready(deleted))
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 1)
    entries.move(bad, -1)
    entries.client.call("baseEntry", "delete", {"entryId": deleted})
    payloads = await triggerer.wait_for(*started[1:])
    assert "ERROR_CONVERTING" in payloads[0]["failed"][bad]
    assert "deleted" in payloads[1]["failed"][deleted]
    assert started[0] not in triggerer.events
    entries.move(good, 2)
    assert (await triggerer.wait_for(started[0]))[0]["ready"] == {good: 2}


async def test_late_joiners_and_leavers(sandbox: Any, entries: Any, triggerer: Any) -> None:
    first, late = entries.make(1), entries.make(2)
    started = await triggerer.start(ready(first))
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 2)
    joined = await triggerer.start(ready(late))
    await triggerer.wait_for(*joined, seconds=5)
    assert len(triggerer.streams) == 1
    began = time.monotonic()
    await triggerer.cancel(started[0])
    await triggerer.until(lambda: not triggerer.streams)
    assert time.monotonic() - began < 2
    quiet = entries.calls().total()
    await asyncio.sleep(0.5)  # longer than the interval between two polls
    assert entries.calls().total() == quiet
    again = await triggerer.start(ready(late))
    assert (await triggerer.wait_for(*again))[0]["outcome"] == "done"


async def test_nobody_asks_any_more_for_what_a_leaver_waited_for(sandbox: Any, entries: Any, triggerer: Any) -> None:
    stays = await triggerer.start(ready(entries.make(1)))
    # An entry that is not shown is asked for by its id in every round: calls that only this wait causes.
    leaves = await triggerer.start(ready("0_nowhere1", condition={"grace": 600}))
    await triggerer.until(lambda: entries.calls()["baseentry.list"] >= 2)
    await triggerer.cancel(leaves[0])
    before = entries.calls()
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= before["baseentry.getbyids"] + 3)
    assert entries.calls()["baseentry.list"] <= before["baseentry.list"] + 1
    assert stays[0] not in triggerer.events


async def test_a_triggerer_restart_takes_the_waits_up_again(
    sandbox: Any, entries: Any, triggerer: Any, second_triggerer: Any
) -> None:
    ids = [entries.make(1) for _ in range(5)]
    triggers = [ready(one) for one in ids]
    await triggerer.start(*triggers)
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 1)
    await triggerer.stop()
    for one in ids:
        entries.move(one, 2)
    started = await second_triggerer.start(*triggers)
    payloads = await second_triggerer.wait_for(*started)
    assert [payload["ready"] for payload in payloads] == [{one: 2} for one in ids]
    assert not triggerer.events


async def test_two_triggerers_and_two_connections_do_not_mix(
    sandbox: Any, second_sandbox: Any, entries: Any, entries_of: Any, triggerer: Any, second_triggerer: Any
) -> None:
    others = entries_of(second_sandbox)
    here, there, elsewhere = entries.make(1), others.make(1), entries.make(2)
    started = await triggerer.start(ready(here), ready(there, connection="kaltura_other"))
    apart = await second_triggerer.start(ready(elsewhere))
    await second_triggerer.wait_for(*apart)
    assert triggerer.streams == {
        ("kaltura", "entry", "kaltura_waiting"),
        ("kaltura", "entry", "kaltura_other"),
    }
    others.move(there, 2)
    await triggerer.wait_for(started[1])
    assert started[0] not in triggerer.events
    entries.move(here, 2)
    await triggerer.wait_for(started[0])


@pytest.fixture
def short_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failed polls pause the others for a moment only."""
    monkeypatch.setattr("kaltura_provider.waiting.polling.intervals.FIRST_HOLD", 0.5)


@pytest.mark.usefixtures("short_holds")
async def test_trouble_is_sat_out_and_reaches_nobody(sandbox: Any, entries: Any, triggerer: Any) -> None:
    one = entries.make(1)
    started = await triggerer.start(ready(one))
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 1)
    for kind in ("unavailable", "reset_before"):
        sandbox.control.fault(kind, service="baseEntry", action="getByIds")
    sandbox.control.expire_sessions()
    entries.move(one, 2)
    payloads = await triggerer.wait_for(*started, seconds=40)
    assert payloads[0]["ready"] == {one: 2}


async def test_blocked_calls_slow_everybody_down(sandbox: Any, entries: Any, triggerer: Any) -> None:
    ids = [entries.make(1) for _ in range(3)]
    sandbox.control.fault("action_blocked", service="baseEntry", action="getByIds", times=None)
    await triggerer.start(*(ready(one) for one in ids))
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 1)
    await asyncio.sleep(1.3)
    assert entries.calls()["baseentry.getbyids"] == 1  # at its pace there would have been four
    assert not triggerer.events


@pytest.mark.usefixtures("short_holds")
async def test_a_lasting_error_ends_the_waits_with_its_reason(
    sandbox: Any, entries: Any, triggerer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaltura_provider.waiting.polling.failures.REFUSALS", 2)
    sandbox.control.fault("error", code="SERVICE_FORBIDDEN", service="baseEntry", action="getByIds", times=None)
    one = entries.make(1)
    started = await triggerer.start(ready(one))
    payload = (await triggerer.wait_for(*started))[0]
    assert payload["outcome"] == "error"
    assert payload["error"]["code"] == "SERVICE_FORBIDDEN"
    assert payload["error"]["permanent"] is True


async def test_a_missing_connection_is_said_so(triggerer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaltura_provider.waiting.polling.failures.REFUSALS", 1)
    started = await triggerer.start(ready("0_a", connection="kaltura_nowhere"))
    payload = (await triggerer.wait_for(*started))[0]
    assert "kaltura_nowhere" in payload["error"]["message"]
    assert payload["error"]["permanent"] is True


async def test_the_deadline_is_absolute_and_says_what_was_missing(sandbox: Any, entries: Any, triggerer: Any) -> None:
    done, stuck = entries.make(2), entries.make(0)
    began = time.time()
    started = await triggerer.start(ready(done, stuck, since=began - 100, deadline=began + 2))
    payload = (await triggerer.wait_for(*started))[0]
    assert time.time() - began < 4
    assert payload["outcome"] == "timeout"
    assert payload["ready"] == {done: 2}
    assert "IMPORT (0)" in payload["explanation"]
    assert "Hint" in payload["explanation"]


async def test_the_triggerer_ends_the_task_when_asked(sandbox: Any, entries: Any, triggerer: Any) -> None:
    good, bad = entries.make(2), entries.make(-1)
    started = await triggerer.start(
        ready(good, end_from_trigger=True),
        ready(bad, end_from_trigger=True, allow_failed=True),
        ready(bad, end_from_trigger=True),
    )
    await triggerer.wait_for(*started)
    ended = [getattr(triggerer.events[one], "task_instance_state", None) for one in started]
    # A failure goes back to a worker, which says why and that no retry helps.
    assert ended == ["success", "success", None]
    assert "ERROR_CONVERTING" in triggerer.events[started[2]].payload["failed"][bad]


async def test_a_slow_server_never_blocks_the_loop(
    sandbox: Any, entries: Any, triggerer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [entries.make(1) for _ in range(100)]
    warm_up = await triggerer.start(ready(entries.make(2)))
    await triggerer.wait_for(*warm_up)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    # Half of what the server takes to answer: a blocking call is seen, a busy machine is not.
    loop.slow_callback_duration = 2.0
    longest = 0.0

    async def heartbeat() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    beating = asyncio.create_task(heartbeat())
    sandbox.control.fault("latency", seconds=4, times=None)
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        started = await triggerer.start(*(ready(one) for one in ids))
        await asyncio.to_thread(lambda: [entries.move(one, 2) for one in ids])
        await triggerer.wait_for(*started)
    loop.set_debug(False)
    beating.cancel()
    assert not [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert longest < 2.2


async def test_tokens_and_bulk_jobs_have_polls_of_their_own(sandbox: Any, entries: Any, triggerer: Any) -> None:
    token = entries.client.call("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4", "fileSize": 4}})
    job = entries.client.send_file("media", "bulkUploadAdd", {}, csv_part())
    arguments: dict[str, Any] = {"kaltura_conn_id": "kaltura_waiting", "intervals": FAST}
    started = await triggerer.start(
        KalturaUploadTokenTrigger(ids=[token["id"]], **arguments),
        KalturaUploadTokenTrigger(ids=["0_" + "f" * 32], condition={"grace": 0.5}, **arguments),
        KalturaBulkJobTrigger(ids=[str(job["id"])], **arguments),
        KalturaBulkJobTrigger(ids=["999999"], condition={"grace": 0.5}, **arguments),
    )
    payloads = await triggerer.wait_for(started[1], started[3])
    assert "does not exist" in payloads[0]["failed"]["0_" + "f" * 32]
    assert "does not exist" in payloads[1]["failed"]["999999"]
    assert {key[1] for key in triggerer.streams} == {"upload_token", "bulk_job"}
    entries.control.set_token(token["id"], status=2)
    assert (await triggerer.wait_for(started[0]))[0]["ready"] == {token["id"]: 2}
    assert started[2] not in triggerer.events


def csv_part() -> Any:
    from kaltura_provider.api.multipart import FilePart

    data = b"*title,url,contentType\nfirst,http://127.0.0.1:9/a.mp4,video\n"
    return FilePart(file_name="rows.csv", length=len(data), body=lambda: [data], content_type="text/csv")
