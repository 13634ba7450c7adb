"""Poke, reschedule and deferrable come to the same outcome, whatever state Kaltura is in."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from kaltura_provider.api.errors import KalturaTransientError
from kaltura_provider.sensors.entry import (
    KalturaEntryReadySensor,
    KalturaFlavorReadySensor,
    KalturaModerationSensor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = ("poke", "reschedule", "deferrable")


class TaskInstance:
    """The little a sensor uses of its task instance."""

    def __init__(self) -> None:
        self.try_number = 1
        self.pushed: dict[str, Any] = {}
        self.first_look: datetime | None = None

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = json.loads(json.dumps(value))

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        return self.first_look


class Store(dict[str, Any]):
    """A task state store: keeps JSON, across tries."""

    def set(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Run:
    """One task instance, run in one of the modes to its end."""

    def __init__(self, triggerer: Any, mode: str) -> None:
        self.triggerer = triggerer
        self.mode = mode
        self.ti = TaskInstance()
        self.store = Store()
        self.looks = 0
        self.deferred: TaskDeferred | None = None

    @property
    def context(self) -> Any:
        return {"ti": self.ti, "task_state_store": self.store}

    async def run(self, make: Callable[..., Any], **arguments: Any) -> Any:
        """Return the sensor's result, or raise what it raises."""
        options = {"kaltura_conn_id": "kaltura_waiting", "poke_interval": 0.2, **arguments}
        if self.mode == "deferrable":
            return await self._defer(lambda: make(task_id="wait", deferrable=True, **options))
        if self.mode == "poke":
            sensor = make(task_id="wait", deferrable=False, **options)
            return await asyncio.to_thread(sensor.execute, self.context)
        while True:
            sensor = make(task_id="wait", deferrable=False, mode="reschedule", **options)
            self.looks += 1
            try:
                return await asyncio.to_thread(sensor.execute, self.context)
            except AirflowRescheduleException as again:
                self.ti.first_look = self.ti.first_look or datetime.now(tz=UTC)
                await asyncio.sleep(max(0.0, again.reschedule_date.timestamp() - time.time()))

    async def _defer(self, make: Callable[[], Any]) -> Any:
        try:
            return make().execute(self.context)
        except TaskDeferred as deferred:
            self.deferred = deferred
        started = await self.triggerer.start(self.deferred.trigger)
        payload = json.loads(json.dumps((await self.triggerer.wait_for(*started))[0]))
        return make().resume_execution(self.deferred.method_name, {"event": payload}, self.context)


@pytest.fixture(params=MODES)
def run(request: pytest.FixtureRequest, triggerer: Any) -> Run:
    return Run(triggerer, request.param)


CASES: list[tuple[dict[str, Any], Any]] = [
    ({"status": 2}, "ready"),
    ({"status": 5}, "ready"),
    ({"status": 4, "conversionProfileId": -1}, "ready"),
    ({"status": -1}, AirflowFailException),
    ({"status": -2}, AirflowFailException),
    ({"status": 3}, AirflowFailException),
    ({"status": 6}, AirflowFailException),
    ({"status": 2, "displayInSearch": -2}, AirflowFailException),
    ({"status": "virusScan.Infected"}, AirflowFailException),
    ({"status": 2, "replacementStatus": 4, "replacingEntryId": "0_new"}, AirflowFailException),
    ({"status": 0}, AirflowSensorTimeout),
    ({"status": 1}, AirflowSensorTimeout),
    ({"status": 4, "conversionProfileId": 5}, AirflowSensorTimeout),
    ({"status": 7}, AirflowSensorTimeout),
    ({"status": 2, "replacementStatus": 1}, AirflowSensorTimeout),
    ({"status": 2, "replacementStatus": 2}, AirflowSensorTimeout),
    ({"status": 2, "replacementStatus": 3}, AirflowSensorTimeout),
]


@pytest.mark.parametrize(("fields", "expected"), CASES, ids=lambda value: str(value)[:60])
async def test_every_mode_comes_to_the_same_outcome(
    run: Run, sandbox: Any, entries: Any, fields: dict[str, Any], expected: Any
) -> None:
    entry_id = entries.make(**fields)
    waiting = expected is AirflowSensorTimeout
    arguments = {"entry_id": entry_id, "grace": 0.3, "timeout": 1.5 if waiting else 15}
    if expected == "ready":
        assert await run.run(KalturaEntryReadySensor, **arguments) == entry_id
        return
    with pytest.raises(expected, match=entry_id):
        await run.run(KalturaEntryReadySensor, **arguments)


async def test_waiting_through_a_bounce(run: Run, sandbox: Any, entries: Any) -> None:
    entry_id = entries.make(-2)
    waiting = asyncio.create_task(run.run(KalturaEntryReadySensor, entry_id=entry_id, grace=2, timeout=20))
    await asyncio.sleep(0.9)
    entries.move(entry_id, 0)
    await asyncio.sleep(0.4)
    entries.move(entry_id, -2)
    # Longer than the grace since it was first seen, shorter since it came back.
    await asyncio.sleep(0.9)
    assert not waiting.done()
    entries.move(entry_id, 2)
    assert await waiting == entry_id


async def test_soft_fail_skips_in_every_mode(run: Run, sandbox: Any, entries: Any) -> None:
    failed, slow = entries.make(-1), entries.make(1)
    with pytest.raises(AirflowSkipException):
        await run.run(KalturaEntryReadySensor, entry_id=failed, soft_fail=True)
    with pytest.raises(AirflowSkipException):
        await run.run(KalturaEntryReadySensor, entry_id=slow, timeout=1.2, soft_fail=True)


async def test_a_batch_waits_for_all_and_leaves_its_result_when_one_fails(run: Run, sandbox: Any, entries: Any) -> None:
    good, bad = entries.make(2), entries.make(-1)
    refs = [
        {"entry_id": good, "state": "sent", "uri": "s3://a"},
        {"entry_id": bad, "state": "sent", "uri": "s3://b"},
        {"state": "failed", "uri": "s3://c"},
    ]
    with pytest.raises(AirflowFailException, match="ERROR_CONVERTING"):
        await run.run(KalturaEntryReadySensor, entry_id=refs)
    left = run.ti.pushed["return_value"]
    assert left[0] == {**refs[0], "status": "ready", "status_number": 2}
    assert left[1]["state"] == "failed"
    assert "ERROR_CONVERTING" in left[1]["error"]["message"]
    assert left[2] == refs[2]
    assert await Run(run.triggerer, run.mode).run(KalturaEntryReadySensor, entry_id=refs, allow_failed=True) == left


async def test_ids_come_back_ready_and_failed(run: Run, sandbox: Any, entries: Any) -> None:
    good, bad = entries.make(2), entries.make(-1)
    result = await run.run(KalturaEntryReadySensor, entry_id=[good, bad], allow_failed=True)
    assert result["ready"] == [good]
    assert list(result["failed"]) == [bad]


async def test_a_timeout_says_how_much_of_the_upload_has_arrived(run: Run, sandbox: Any, entries: Any) -> None:
    entry_id = entries.make(0)
    token = entries.client.call("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4", "fileSize": 4000}})
    entries.control.set_token(token["id"], status=1, uploadedFileSize=1000)
    ref = {"entry_id": entry_id, "token_id": token["id"], "state": "sent"}
    with pytest.raises(AirflowSensorTimeout, match="1000 of 4000 bytes"):
        await run.run(KalturaEntryReadySensor, entry_id=ref, timeout=2)
    assert "IMPORT" in run.ti.pushed["return_value"]["note"]


async def test_flavors_and_moderation(run: Run, sandbox: Any, entries: Any) -> None:
    entry_id = entries.make(2, moderationStatus=3)
    with pytest.raises(AirflowFailException, match="rejected"):
        await run.run(KalturaModerationSensor, entry_id=entry_id)
    with pytest.raises(AirflowFailException, match="flavor params 3"):
        await run.run(KalturaFlavorReadySensor, entry_id=entry_id, flavor_params_ids=[3])


async def test_a_refused_look_fails_without_retry_and_trouble_with(
    run: Run, sandbox: Any, entries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaltura_provider.waiting.polling.failures.REFUSALS", 1)
    entry_id = entries.make(2)
    sandbox.control.fault("error", code="SERVICE_FORBIDDEN", service="baseEntry", action="getByIds", times=None)
    with pytest.raises(AirflowFailException, match="SERVICE_FORBIDDEN"):
        await run.run(KalturaEntryReadySensor, entry_id=entry_id)
    sandbox.control.clear_faults()
    monkeypatch.setattr("kaltura_provider.waiting.polling.failures.ErrorBudget.failure", lambda *_: True)
    monkeypatch.setattr("kaltura_provider.api.retry.RetrySettings.delay", lambda *_, **__: None)
    sandbox.control.fault("action_blocked", service="baseEntry", action="getByIds", times=None)
    with pytest.raises(KalturaTransientError, match="ACTION_BLOCKED"):
        await run.run(KalturaEntryReadySensor, entry_id=entry_id, soft_fail=True)


async def test_what_is_known_to_be_ready_needs_no_look(sandbox: Any, entries: Any, triggerer: Any) -> None:
    ref = {"entry_id": entries.make(2), "state": "done", "status": "ready", "status_number": 2}
    run = Run(triggerer, "deferrable")
    assert await run.run(KalturaEntryReadySensor, entry_id=ref) == ref
    assert await run.run(KalturaEntryReadySensor, entry_id=[]) == {"ready": [], "failed": {}}
    assert run.deferred is None
    assert not entries.calls()


async def test_the_scheduler_bounds_the_deferral_and_nothing_secret_is_stored(
    sandbox: Any, entries: Any, triggerer: Any
) -> None:
    run = Run(triggerer, "deferrable")
    await run.run(KalturaEntryReadySensor, entry_id=entries.make(2), timeout=600)
    assert run.deferred is not None
    assert 600 <= run.deferred.timeout.total_seconds() <= 660
    _, kwargs = run.deferred.trigger.serialize()
    assert sandbox.admin_secret not in json.dumps(kwargs)
    assert kwargs["deadline"] - kwargs["since"] == pytest.approx(600)
    assert run.deferred.trigger.supports_triggerer_queue is True


async def test_a_new_try_forgets_what_an_earlier_one_saw(sandbox: Any, entries: Any, triggerer: Any) -> None:
    entry_id = entries.make(-2)
    run = Run(triggerer, "reschedule")
    with pytest.raises(AirflowSensorTimeout):
        await run.run(KalturaEntryReadySensor, entry_id=entry_id, grace=60, timeout=1.2)
    run.store.set("kaltura_wait", {"try_number": 1, "nonsense": True})
    run.ti.try_number, run.ti.first_look, looked = 2, None, run.looks
    with pytest.raises(AirflowSensorTimeout):
        await run.run(KalturaEntryReadySensor, entry_id=entry_id, grace=60, timeout=3)
    assert run.looks >= looked + 2
    assert not run.store


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"poke_interval": 5, "intervals": [(0, 5)]}, "poke_interval"),
        ({"end_from_trigger": True, "deferrable": False}, "deferrable"),
        ({"poke_interval": 0}, "interval"),
        ({"intervals": [(5, 5)]}, "age 0"),
        ({"moderation": "maybe"}, "maybe"),
        ({"end_from_trigger": True, "outlets": ["asset"]}, "outlets"),
    ],
)
def test_arguments_that_exclude_each_other(arguments: dict[str, Any], word: str) -> None:
    from airflow.sdk import Asset

    if "outlets" in arguments:
        arguments = {**arguments, "outlets": [Asset("kaltura_test")]}
    with pytest.raises(ValueError, match=word):
        KalturaEntryReadySensor(task_id="wait", entry_id="0_a", **arguments)


def test_arguments_that_cannot_be_read_fail_at_once() -> None:
    with pytest.raises(AirflowFailException, match="many"):
        KalturaFlavorReadySensor(task_id="wait", entry_id="0_a", minimum="many").execute({"ti": TaskInstance()})  # type: ignore[arg-type]
    with pytest.raises(AirflowFailException, match="entry"):
        KalturaEntryReadySensor(task_id="wait", entry_id="two words").execute({"ti": TaskInstance()})  # type: ignore[arg-type]
