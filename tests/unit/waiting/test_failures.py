"""Which failed looks end a wait, and that errors survive the way from the triggerer to the task."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from kaltura_provider.api.errors import (
    KalturaConfigurationError,
    KalturaError,
    KalturaPermanentError,
    KalturaTransientError,
    KalturaTransportError,
    TransportFault,
    api_error,
)
from kaltura_provider.sensors.polling import PokeState
from kaltura_provider.triggers.entry import KalturaEntryReadyTrigger
from kaltura_provider.waiting.conditions.flavors import EntryReadyWithFlavors
from kaltura_provider.waiting.polling.entries import EntryReader
from kaltura_provider.waiting.polling.failures import ErrorBudget, error_from_json, error_to_json, is_transient
from kaltura_provider.waiting.polling.reading import Reading
from kaltura_provider.waiting.snapshot import EntrySnapshot
from kaltura_provider.waiting.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BUSY = api_error("ACTION_BLOCKED", "busy")
DOWN = KalturaTransportError("no answer", fault=TransportFault.TIMEOUT, service="baseEntry", action="getByIds")
FORBIDDEN = api_error("SERVICE_FORBIDDEN", "no", service="baseEntry", action="getByIds", request_id="1, 2")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BUSY, True),
        (DOWN, True),
        (api_error("INVALID_KS", "", {"KSID": "EXPIRED"}), True),
        (KalturaTransportError("x", fault=TransportFault.STATUS, status=503), True),
        (KalturaTransportError("x", fault=TransportFault.STATUS, status=404), False),
        (FORBIDDEN, False),
        (KalturaConfigurationError("host", "x", "is bad", "fix it"), False),
        (ConnectionResetError(), True),
        (TypeError("bug"), False),
    ],
)
def test_what_may_pass(error: Exception, expected: bool) -> None:
    assert is_transient(error) is expected


def test_trouble_is_sat_out_for_the_budget_and_success_starts_it_anew() -> None:
    budget = ErrorBudget(seconds=100)
    assert not budget.failure(DOWN, 0)
    assert not budget.failure(DOWN, 99)
    budget.success()
    assert not budget.failure(DOWN, 150)
    assert budget.failure(DOWN, 250)


def test_a_refusal_ends_the_wait_at_the_third_time() -> None:
    budget = ErrorBudget()
    assert [budget.failure(FORBIDDEN, now) for now in (0, 5, 10)] == [False, False, True]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(BUSY, KalturaTransientError), (FORBIDDEN, KalturaPermanentError), (DOWN, KalturaTransportError)],
)
def test_errors_keep_their_class_on_the_way_to_the_task(error: KalturaError, kind: type[KalturaError]) -> None:
    restored = error_from_json(json.loads(json.dumps(error_to_json(error))))
    assert type(restored) is kind
    assert str(restored) == str(error)


def test_foreign_errors_keep_their_words_without_secrets() -> None:
    restored = error_from_json(error_to_json(TypeError("cannot read ks=djJ8MTAyfHNlY3JldHNlY3JldHNlY3JldA==")))
    assert "TypeError: cannot read" in str(restored)
    assert "djJ8" not in str(restored)


def snapshot(entry_id: str, status: int) -> EntrySnapshot:
    return EntrySnapshot.of({"id": entry_id, "status": status})


async def test_an_object_that_kaltura_refuses_keeps_no_other_of_its_batch_from_being_ready() -> None:
    async def readings() -> AsyncIterator[Reading]:
        for status in (1, 1, 1, 2):
            yield Reading({"0_good": snapshot("0_good", status)}, refused={"0_bad": FORBIDDEN})
        pytest.fail("the wait did not end")

    trigger = KalturaEntryReadyTrigger(kaltura_conn_id="x", ids=["0_good", "0_bad"])
    payload = await trigger._follow(Watch(trigger.ids, EntryReadyWithFlavors()), readings())
    assert (payload["outcome"], payload["ready"], payload["waiting"]) == ("done", {"0_good": 2}, {})
    assert payload["failed"] == {"0_bad": f"0_bad cannot be read: {FORBIDDEN}"}


def test_a_check_on_a_worker_treats_it_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    status = [1, 1, 1, 2]
    state = PokeState(
        connect=lambda: None,  # type: ignore[arg-type,return-value]
        watch=Watch(["0_good", "0_bad"], EntryReadyWithFlavors()),
        reader=EntryReader(),
        timeout=100,
        began=time.time(),
        try_number=1,
        kind="entry",
    )

    def read(*_: object) -> Reading:
        return Reading({"0_good": snapshot("0_good", status.pop(0))}, refused={"0_bad": FORBIDDEN})

    monkeypatch.setattr("kaltura_provider.sensors.polling.read_now", read)
    assert [state.check() for _ in range(3)] == [None] * 3
    payload = state.check()
    assert payload is not None
    assert (payload["outcome"], payload["ready"]) == ("done", {"0_good": 2})
    assert list(payload["failed"]) == ["0_bad"]


@pytest.mark.parametrize(
    "reading",
    [
        Reading({"0_good": snapshot("0_good", 1)}, refused={"0_bad": BUSY}),
        Reading({"0_good": snapshot("0_good", 1)}, refused={"0_bad": FORBIDDEN}, unread=frozenset({"0_new"})),
        Reading(refused={"0_bad": FORBIDDEN}),
    ],
    ids=["passing", "unread", "all"],
)
def test_what_may_be_the_fault_of_the_connection_fails_no_object(reading: Reading) -> None:
    assert reading.refused_for_good(["0_good", "0_bad", "0_new"]) == {}
