"""The one loop that reads for everybody on a roster, and the clients' side of carrying out a reader's plan."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kaltura_provider.api import NO_RETRY, NOT_DONE_CODES, KalturaAPIError, KalturaError, KalturaTransportError
from kaltura_provider.triggers.polling.failures import is_transient
from kaltura_provider.triggers.polling.readers import batches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from kaltura_provider.api import AsyncKalturaClient, KalturaClient
    from kaltura_provider.triggers.evaluate import Snapshot
    from kaltura_provider.triggers.polling.readers import Plan, Reader
    from kaltura_provider.triggers.polling.roster import Member, Roster

__all__ = ["Tick", "poll", "read_now"]

log = logging.getLogger(__name__)

_TOO_MANY_CALLS = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Tick:
    """The outcome of one round: what was read, and what could not be read because of ``error``."""

    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    error: Exception | None = None


async def poll(
    roster: Roster,
    reader: Reader,
    connect: Callable[[], Awaitable[AsyncKalturaClient]],
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[Tick, None]:
    """Read for everybody on ``roster``, round after round, for ever; errors are part of what it yields.

    :param connect: makes a client; called again after an error that no retry helps against, so that a corrected
        connection is taken up.
    """
    client: AsyncKalturaClient | None = None
    try:
        while True:
            await _until_due(roster, clock)
            round_ = roster.take(clock())
            try:
                client = client or await connect()
            except Exception as error:
                tick = Tick({}, frozenset(roster.wanted(round_)), error)
            else:
                tick = await _round(client, roster, round_, reader, clock)
            _take_note(roster, round_, tick, clock())
            if client and tick.error and not is_transient(tick.error):
                await client.aclose()
                client = None
            reader.keep(roster.wanted(roster.members))
            yield tick
    finally:
        if client:
            await client.aclose()


def read_now(client: KalturaClient, reader: Reader, wanted: Mapping[str, Any], now: float) -> dict[str, Snapshot]:
    """Read all of ``wanted`` once, with the synchronous client.

    :raises KalturaError: reading failed.
    """
    snapshots: dict[str, Snapshot] = {}
    for part in batches(wanted, reader.batch):
        snapshots |= _carry_out(client, reader.read(part, now))
    return snapshots


async def _until_due(roster: Roster, clock: Callable[[], float]) -> None:
    while (wait := roster.next_round() - clock()) > 0:
        roster.joined.clear()
        try:
            async with asyncio.timeout(None if wait == float("inf") else wait):
                await roster.joined.wait()
        except TimeoutError:
            return


async def _round(
    client: AsyncKalturaClient,
    roster: Roster,
    round_: list[Member],
    reader: Reader,
    clock: Callable[[], float],
) -> Tick:
    wanted = roster.wanted(round_)
    snapshots: dict[str, Snapshot] = {}
    try:
        for part in batches(wanted, reader.batch):
            snapshots |= await _carry_out_async(client, reader.read(part, clock()))
    except Exception as error:
        return Tick(snapshots, frozenset(wanted.keys() - snapshots.keys()), error)
    return Tick(snapshots)


def _take_note(roster: Roster, round_: list[Member], tick: Tick, now: float) -> None:
    error = tick.error
    if error is None:
        roster.succeeded()
        return
    retry_after = error.retry_after if isinstance(error, KalturaTransportError) else None
    refused = (isinstance(error, KalturaAPIError) and error.code in NOT_DONE_CODES) or (
        isinstance(error, KalturaTransportError) and error.status in _TOO_MANY_CALLS
    )
    roster.failed(now, refused=refused, retry_after=retry_after)
    roster.again(member for member in round_ if not tick.unread.isdisjoint(member.watch.pending))
    if isinstance(error, KalturaError):
        log.warning("Looking at %d objects failed: %s", len(tick.unread), error)
    else:
        log.warning("Looking at %d objects failed", len(tick.unread), exc_info=error)


async def _carry_out_async(client: AsyncKalturaClient, plan: Plan[dict[str, Snapshot]]) -> dict[str, Snapshot]:
    """Carry out a plan. Nothing is repeated here: the roster decides when, for all waits at once."""
    value: Any = None
    try:
        while True:
            step = plan.send(value)
            if isinstance(step, list):
                value = await client.multirequest(step, repeatable=True, retry=NO_RETRY)
            else:
                value = await client.call(step.service, step.action, step.params, repeatable=True, retry=NO_RETRY)
    except StopIteration as stop:
        result: dict[str, Snapshot] = stop.value
        return result


def _carry_out(client: KalturaClient, plan: Plan[dict[str, Snapshot]]) -> dict[str, Snapshot]:
    value: Any = None
    try:
        while True:
            step = plan.send(value)
            if isinstance(step, list):
                value = client.multirequest(step, repeatable=True)
            else:
                value = client.call(step.service, step.action, step.params, repeatable=True)
    except StopIteration as stop:
        result: dict[str, Snapshot] = stop.value
        return result
