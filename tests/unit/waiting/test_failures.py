"""Which failed looks end a wait, and that errors survive the way from the triggerer to the task."""

from __future__ import annotations

import json

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
from kaltura_provider.waiting.polling.failures import ErrorBudget, error_from_json, error_to_json, is_transient

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
