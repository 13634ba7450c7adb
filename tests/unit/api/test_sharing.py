"""Threads share requests: each sees only its own answers, and no request holds two steps of the same thread."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaError,
    KalturaPermanentError,
    KalturaTransportError,
    TransportFault,
    api_error,
)
from kaltura_provider.api.sharing import AT_ONCE, GROUPS, SharedCalls, alone
from kaltura_provider.api.wire import Request

CUT = KalturaTransportError("cut", fault=TransportFault.CUT)
NO_CONNECTION = KalturaTransportError("refused", fault=TransportFault.CONNECT)


class Kaltura:
    """Answers every call with its action and number; answers may be replaced."""

    def __init__(self) -> None:
        self.requests: list[list[Request]] = []
        self.alone: list[Request] = []
        self.shared: dict[tuple[str, Any], Any] = {}
        self.single: dict[tuple[str, Any], Any] = {}
        self.whole: list[BaseException] = []

    def call(
        self, service: str, action: str, params: Mapping[str, Any] | None = None, *, repeatable: bool | None = None
    ) -> Any:
        request = Request(service, action, params or {})
        self.alone.append(request)
        answer = self._answer(request, self.single)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def multirequest(self, requests: Sequence[Request], *, repeatable: bool = False) -> list[Any]:
        self.requests.append(list(requests))
        if self.whole:
            raise self.whole.pop(0)
        return [self._answer(request, self.shared) for request in requests]

    def _answer(self, request: Request, special: dict[tuple[str, Any], Any]) -> Any:
        number = request.params.get("n")
        return special.get((request.action, number), f"{request.action} {number}")

    @property
    def actions(self) -> list[str]:
        return ["+".join(sorted({request.action for request in each})) for each in self.requests]


@pytest.fixture
def kaltura() -> Kaltura:
    return Kaltura()


@pytest.fixture
def calls(kaltura: Kaltura) -> Iterator[SharedCalls]:
    before = threading.active_count()
    yield SharedCalls(kaltura)
    deadline = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "threads are left"
        time.sleep(0.01)


def attempt(calls: SharedCalls, action: str, n: int) -> Any:
    try:
        return calls.call("media", action, {"n": n})
    except KalturaError as error:
        return error


def test_each_thread_gets_its_own_answers_to_one_step_after_the_other(kaltura: Kaltura, calls: SharedCalls) -> None:
    def work(n: int) -> list[Any]:
        return [calls.call("media", action, {"n": n}) for action in ("add", "addContent", "list")]

    assert calls.run(work, range(5)) == [[f"add {n}", f"addContent {n}", f"list {n}"] for n in range(5)]
    assert kaltura.actions == ["add", "addContent", "list"]
    assert all(sorted(request.params["n"] for request in each) == list(range(5)) for each in kaltura.requests)
    assert kaltura.alone == []


def test_no_request_holds_two_steps_of_one_thread(kaltura: Kaltura, calls: SharedCalls) -> None:
    def work(n: int) -> None:
        for step in range(1 + n % 4):
            calls.call("media", "add" if step % 2 else "get", {"n": n, "step": step})

    calls.run(work, range(12))
    for each in kaltura.requests:
        numbers = [request.params["n"] for request in each]
        assert len(numbers) == len(set(numbers))


def test_several_reads_stay_together_and_equal_ones_are_made_once(kaltura: Kaltura, calls: SharedCalls) -> None:
    def work(n: int) -> list[Any]:
        return calls.multirequest([Request("media", "get", {"n": n}), Request("system", "getTime")], repeatable=True)

    assert calls.run(work, range(3)) == [[f"get {n}", "getTime None"] for n in range(3)]
    assert [len(each) for each in kaltura.requests] == [4]


def test_equal_changes_are_all_made(kaltura: Kaltura, calls: SharedCalls) -> None:
    calls.run(lambda _: calls.call("uploadToken", "add", {}), range(3))
    assert [len(each) for each in kaltura.requests] == [3]


def test_an_error_reaches_only_its_own_thread(kaltura: Kaltura, calls: SharedCalls) -> None:
    kaltura.shared["add", 1] = gone = api_error("ENTRY_ID_NOT_FOUND")
    found = calls.run(lambda n: attempt(calls, "add", n), range(3))
    assert found == ["add 0", gone, "add 2"]
    assert kaltura.alone == []


@pytest.mark.parametrize(
    ("code", "action"),
    [("ACTION_BLOCKED", "add"), ("INTERNAL_SERVERL_ERROR", "get"), ("INTERNAL_DATABASE_ERROR", "get")],
)
def test_a_call_that_is_safe_to_repeat_is_made_again_alone(
    kaltura: Kaltura, calls: SharedCalls, code: str, action: str
) -> None:
    kaltura.shared[action, 1] = api_error(code)
    assert calls.run(lambda n: calls.call("media", action, {"n": n}), range(3)) == [f"{action} {n}" for n in range(3)]
    assert [request.params["n"] for request in kaltura.alone] == [1]


def test_a_refused_session_is_renewed_by_the_call_alone(kaltura: Kaltura, calls: SharedCalls) -> None:
    kaltura.shared["add", 1] = api_error("INVALID_KS", details={"KSID": "EXPIRED", "ERR_CODE": "-8"})
    found = calls.run(lambda n: attempt(calls, "add", n), range(2))
    assert found == ["add 0", "add 1"]
    assert [request.params["n"] for request in kaltura.alone] == [1]


def test_a_change_that_may_have_been_made_is_not_repeated(kaltura: Kaltura, calls: SharedCalls) -> None:
    kaltura.shared["add", 1] = trouble = api_error("INTERNAL_SERVERL_ERROR")
    found = calls.run(lambda n: attempt(calls, "add", n), range(3))
    assert found == ["add 0", trouble, "add 2"]
    assert kaltura.alone == []


def test_reads_of_a_lost_request_are_made_alone(kaltura: Kaltura, calls: SharedCalls) -> None:
    kaltura.whole = [CUT]
    assert calls.run(lambda n: calls.call("media", "get", {"n": n}), range(3)) == ["get 0", "get 1", "get 2"]
    assert len(kaltura.requests) == 1
    assert sorted(request.params["n"] for request in kaltura.alone) == [0, 1, 2]


def test_changes_of_a_lost_request_are_ambiguous_for_each_and_alone_from_then_on(
    kaltura: Kaltura, calls: SharedCalls
) -> None:
    kaltura.whole = [CUT]

    def work(n: int) -> list[Any]:
        return [attempt(calls, action, n) for action in ("add", "get", "addContent")]

    assert calls.run(work, range(3)) == [[CUT, f"get {n}", f"addContent {n}"] for n in range(3)]
    assert kaltura.actions == ["add", "get"]
    assert {request.action for request in kaltura.alone} == {"addContent"}


def test_a_request_that_was_never_sent_fails_for_all(kaltura: Kaltura, calls: SharedCalls) -> None:
    kaltura.whole = [NO_CONNECTION]
    assert calls.run(lambda n: attempt(calls, "get", n), range(3)) == [NO_CONNECTION] * 3
    assert calls.run(lambda n: calls.call("media", "add", {"n": n}), range(2)) == ["add 0", "add 1"]
    assert kaltura.alone == []


def test_requests_are_of_limited_size(kaltura: Kaltura, calls: SharedCalls) -> None:
    calls.run(lambda n: calls.call("media", "add", {"n": n}), range((GROUPS + 1) * AT_ONCE))
    assert [len(each) for each in kaltura.requests] == [AT_ONCE] * (GROUPS + 1)
    kaltura.requests.clear()

    def read(n: int) -> None:
        calls.multirequest([Request("media", "get", {"n": (n, number)}) for number in range(10)], repeatable=True)

    calls.run(read, range(AT_ONCE))
    assert [len(each) for each in kaltura.requests] == [120, 120, 10]


@pytest.mark.parametrize("text", ["{1:result:id}", "a {2:result} b", "{:result:id}", "{1:RESULT:id}"])
def test_text_that_a_multirequest_would_replace_is_sent_alone(kaltura: Kaltura, calls: SharedCalls, text: str) -> None:
    names = ["a", text, "c"]
    calls.run(lambda n: calls.call("media", "add", {"n": n, "entry": {"name": names[n]}}), range(3))
    assert [request.params["entry"]["name"] for request in kaltura.alone] == [text]
    assert [len(each) for each in kaltura.requests] == [2]


def test_threads_that_end_or_work_alone_do_not_hold_up_the_others(kaltura: Kaltura, calls: SharedCalls) -> None:
    others_ended = threading.Barrier(3)
    kaltura.shared["get", 0] = api_error("INTERNAL_SERVERL_ERROR")
    slow = kaltura.call

    def call(service: str, action: str, params: Any = None, *, repeatable: bool | None = None) -> Any:
        others_ended.wait(10)
        return slow(service, action, params, repeatable=repeatable)

    kaltura.call = call  # type: ignore[method-assign]

    def work(n: int) -> Any:
        if n == 3:
            return "ended at once"
        found = [calls.call("media", "get", {"n": n})]
        if n:
            found += [calls.call("media", action, {"n": n}) for action in ("add", "list")]
            others_ended.wait(10)
        return found

    found = calls.run(work, range(4))
    assert found[0] == ["get 0"]
    assert found[1:] == [["get 1", "add 1", "list 1"], ["get 2", "add 2", "list 2"], "ended at once"]


def test_what_must_not_wait_for_others_is_called_alone(kaltura: Kaltura, calls: SharedCalls) -> None:
    def work(n: int) -> list[str]:
        with alone(calls):
            first = calls.call("media", "addFromUploadedFile", {"n": n})
        return [first, calls.call("media", "list", {"n": n})]

    assert calls.run(work, range(3)) == [[f"addFromUploadedFile {n}", f"list {n}"] for n in range(3)]
    assert {request.action for request in kaltura.alone} >= {"addFromUploadedFile"}
    assert all(request.action == "list" for each in kaltura.requests for request in each)
    with alone(kaltura):
        assert kaltura.call("media", "get", {"n": 1}) == "get 1"


def test_the_first_error_of_the_work_is_raised_when_all_has_ended(kaltura: Kaltura, calls: SharedCalls) -> None:
    ended = []

    def work(n: int) -> None:
        calls.call("media", "add", {"n": n})
        if n == 1:
            raise ValueError("one")
        calls.call("media", "addContent", {"n": n})
        ended.append(n)

    with pytest.raises(ValueError, match="one"):
        calls.run(work, range(3))
    assert sorted(ended) == [0, 2]


class Died(BaseException):
    pass


def test_what_ends_the_process_reaches_every_thread(kaltura: Kaltura, calls: SharedCalls) -> None:
    kaltura.whole = [Died()]
    with pytest.raises(Died):
        calls.run(lambda n: calls.call("media", "add", {"n": n}), range(3))


def test_an_interrupted_run_lets_its_threads_go(kaltura: Kaltura, calls: SharedCalls) -> None:
    busy, ended = threading.Event(), []

    def work(n: int) -> None:
        try:
            if n == 0:
                assert busy.wait(10)
            calls.call("media", "add", {"n": n})
        except RuntimeError as error:
            ended.append(str(error))

    def interrupt(*_: object) -> None:
        raise TimeoutError("interrupted")

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(TimeoutError, match="interrupted"):
            calls.run(work, range(3))
    finally:
        signal.signal(signal.SIGUSR1, before)
        busy.set()
    deadline = time.monotonic() + 5
    while len(ended) < 3:
        assert time.monotonic() < deadline, ended
        time.sleep(0.01)
    assert kaltura.requests == []


def test_outside_of_a_run_calls_go_straight_on(kaltura: Kaltura, calls: SharedCalls) -> None:
    assert calls.call("media", "get", {"n": 1}) == "get 1"
    assert calls.run(lambda n: calls.call("media", "get", {"n": n}), [2]) == ["get 2"]
    assert calls.run(lambda n: n, []) == []
    kaltura.single["get", 3] = KalturaPermanentError("X")
    with pytest.raises(KalturaAPIError):
        calls.call("media", "get", {"n": 3})
    assert kaltura.requests == []
