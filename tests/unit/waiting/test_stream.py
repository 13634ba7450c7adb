"""The shared loop itself: rounds, partial failures, new clients, and an end without leftovers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from kaltura_provider.api.errors import api_error
from kaltura_provider.waiting.conditions.upload_token import TokenFull
from kaltura_provider.waiting.polling.intervals import Intervals
from kaltura_provider.waiting.polling.readers import Calls, TokenReader
from kaltura_provider.waiting.polling.reading import Reading
from kaltura_provider.waiting.polling.roster import Member, Roster
from kaltura_provider.waiting.polling.stream import poll
from kaltura_provider.waiting.snapshot import TokenSnapshot
from kaltura_provider.waiting.watch import Watch


class Client:
    """Answers ``uploadToken.list`` and ``get``; fails where told to."""

    def __init__(self, fail: Callable[[int], Exception | None] = lambda _: None) -> None:
        self.fail = fail
        self.lists = 0
        self.closed = False

    async def call(self, service: str, action: str, params: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        assert options["retry"].attempts == 1, "the roster repeats, not the client"
        self.lists += 1
        if error := self.fail(self.lists):
            raise error
        return {"objects": [{"id": one, "status": 0} for one in params["filter"]["idIn"].split(",")]}

    async def aclose(self) -> None:
        self.closed = True


class SmallReader(TokenReader):
    batch = 2


def wait(roster: Roster, *ids: str, interval: float = 0.02) -> Member:
    now = asyncio.get_running_loop().time()
    return roster.join(Watch(ids, TokenFull()), Intervals.fixed(interval), now, now)


async def ticks(roster: Roster, clients: list[Client], number: int, reader: Any = None) -> list[Reading]:
    made = iter(clients)

    async def connect() -> Any:
        return next(made)

    found = []
    async with asyncio.timeout(10), aclosing(poll(roster, reader or TokenReader(), connect)) as stream:
        async for tick in stream:
            found.append(tick)
            if len(found) == number:
                break
    return found


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaltura_provider.waiting.polling.roster.backoff", lambda *_: 0.05)


async def test_rounds_follow_each_other_and_the_client_is_closed() -> None:
    roster, client = Roster(), Client()
    wait(roster, "a", "b")
    found = await ticks(roster, [client], 3)
    assert all(set(tick.snapshots) == {"a", "b"} and tick.error is None for tick in found)
    assert client.lists == 3
    assert client.closed


async def test_what_was_read_before_a_failure_counts_and_the_rest_is_said() -> None:
    busy = api_error("ACTION_BLOCKED", "busy")
    roster, client = Roster(), Client(lambda number: busy if number == 2 else None)
    wait(roster, "a", "b", "c", "d", "e")
    first, second = await ticks(roster, [client], 2, SmallReader())
    assert set(first.snapshots) == {"a", "b"}
    assert first.unread == {"c", "d", "e"}
    assert first.error is busy
    assert set(second.snapshots) == {"a", "b", "c", "d", "e"}


@pytest.mark.parametrize("code", ["INTERNAL_SERVERL_ERROR", "SERVICE_FORBIDDEN"])
async def test_one_id_that_breaks_a_call_for_many_keeps_only_itself_from_being_read(code: str) -> None:
    class Picky(Client):
        async def call(self, service: str, action: str, params: Any, **options: Any) -> Any:
            self.lists += 1
            if "bad" in (asked := params["filter"]["idIn"].split(",")):
                raise api_error(code)
            return {"objects": [{"id": one, "status": 0} for one in asked]}

    ids = [f"t{number}" for number in range(499)]
    roster, client = Roster(), Picky()
    wait(roster, *ids, "bad")
    first, second = await ticks(roster, [client], 2)
    for reading in (first, second):
        assert set(reading.snapshots) == set(ids)
        assert set(reading.refused) == {"bad"}
        assert reading.error is None
        assert reading.troubles(ids) is None
        assert reading.troubles(["bad"]) is not None
    # It is searched for once, and then read apart from the others.
    assert client.lists <= 24


async def test_a_server_in_trouble_is_not_asked_for_every_id() -> None:
    roster, client = Roster(), Client(lambda _: api_error("INTERNAL_SERVERL_ERROR"))
    wait(roster, *(f"t{number}" for number in range(500)))
    (only,) = await ticks(roster, [client], 1)
    assert len(only.unread) == 500
    assert not only.refused
    assert client.lists <= 7


async def test_a_refusal_gets_a_new_client_and_trouble_does_not() -> None:
    errors: dict[int, Exception] = {1: api_error("INTERNAL_DATABASE_ERROR"), 2: api_error("SERVICE_FORBIDDEN")}
    first, second = Client(errors.get), Client()
    roster = Roster()
    wait(roster, "a")
    found = await ticks(roster, [first, second], 3)
    assert [bool(tick.error) for tick in found] == [True, True, False]
    assert (first.lists, first.closed, second.lists) == (2, True, 1)


async def test_a_connection_that_cannot_be_made_is_an_error_of_the_round() -> None:
    roster = Roster()
    wait(roster, "a")
    attempts = 0

    async def connect() -> Any:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ValueError("no such connection")
        return Client()

    async with asyncio.timeout(10), aclosing(poll(roster, TokenReader(), connect)) as stream:
        first = await anext(stream)
        second = await anext(stream)
    assert isinstance(first.error, ValueError)
    assert first.unread == {"a"}
    assert set(second.snapshots) == {"a"}


async def test_an_answer_that_makes_no_sense_does_not_end_the_stream() -> None:
    class Nonsense(TokenReader):
        rounds = 0

        def read(self, wanted: Any, now: float) -> Calls[Any]:
            Nonsense.rounds += 1
            if Nonsense.rounds == 1:
                raise KeyError("objects")
            return super().read(wanted, now)

    roster = Roster()
    wait(roster, "a")
    first, second = await ticks(roster, [Client(), Client()], 2, Nonsense())
    assert isinstance(first.error, KeyError)
    assert second.error is None


async def test_an_empty_roster_asks_nothing_until_somebody_joins() -> None:
    roster, client = Roster(), Client()

    async def connect() -> Any:
        return client

    async def collect() -> AsyncIterator[Reading]:
        async with aclosing(poll(roster, TokenReader(), connect)) as stream:
            async for tick in stream:
                yield tick

    async with aclosing(collect()) as stream:
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.2)
        assert client.lists == 0
        wait(roster, "late")
        tick = await asyncio.wait_for(first, 5)
    assert tick.snapshots == {"late": TokenSnapshot.of({"id": "late", "status": 0})}
