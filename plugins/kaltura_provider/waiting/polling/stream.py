"""The loop that polls for all waits of a roster, and the calls of one round with either client."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.codes import NOT_DONE_CODES
from kaltura_provider.api.errors import KalturaAPIError, KalturaError, KalturaTransportError
from kaltura_provider.api.retry import NO_RETRY
from kaltura_provider.waiting.polling.failures import is_transient
from kaltura_provider.waiting.polling.reading import Reading, Suspects, read_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from kaltura_provider.api.async_client import AsyncKalturaClient
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.waiting.polling.readers import Calls, Reader
    from kaltura_provider.waiting.polling.roster import Member, Roster

__all__ = ["poll", "read_now"]

log = logging.getLogger(__name__)

_TOO_MANY_CALLS = frozenset({429, 503})


async def poll(
    roster: Roster,
    reader: Reader,
    connect: Callable[[], Awaitable[AsyncKalturaClient]],
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[Reading, None]:
    """Poll for all waits of ``roster`` until the caller closes the generator. Readings include errors.

    :param connect: returns a client. It is called again after a permanent error, so that a corrected connection takes
        effect.
    """
    client: AsyncKalturaClient | None = None
    suspects = Suspects()
    try:
        while True:
            await _until_due(roster, clock)
            round_ = roster.take(clock())
            wanted = roster.wanted(round_)
            try:
                client = client or await connect()
            except Exception as error:
                reading = Reading(unread=frozenset(wanted), error=error)
            else:
                reading = await _carry_out_async(client, read_all(reader, wanted, clock(), suspects))
            _record(roster, round_, reading, clock())
            if client and reading.error and not is_transient(reading.error):
                await client.aclose()
                client = None
            reader.keep(roster.wanted(roster.members))
            yield reading
    finally:
        if client:
            await client.aclose()


def read_now(
    client: KalturaClient, reader: Reader, wanted: Mapping[str, Any], now: float, suspects: Suspects
) -> Reading:
    """Read all of ``wanted`` once, with the synchronous client. The reading includes errors."""
    return _carry_out(client, read_all(reader, wanted, now, suspects))


async def _until_due(roster: Roster, clock: Callable[[], float]) -> None:
    while (wait := roster.next_round() - clock()) > 0:
        roster.joined.clear()
        try:
            async with asyncio.timeout(None if wait == float("inf") else wait):
                await roster.joined.wait()
        except TimeoutError:
            return


def _record(roster: Roster, round_: list[Member], reading: Reading, now: float) -> None:
    for one, trouble in list(reading.refused.items())[:3]:
        log.warning("Cannot read %s: %s", one, trouble)
    error = reading.error
    if error is None:
        roster.succeeded()
        return
    retry_after = error.retry_after if isinstance(error, KalturaTransportError) else None
    refused = (isinstance(error, KalturaAPIError) and error.code in NOT_DONE_CODES) or (
        isinstance(error, KalturaTransportError) and error.status in _TOO_MANY_CALLS
    )
    roster.failed(now, refused=refused, retry_after=retry_after)
    roster.again(member for member in round_ if not reading.unread.isdisjoint(member.watch.pending))
    if isinstance(error, KalturaError):
        log.warning("Cannot read %d objects: %s", len(reading.unread), error)
    else:
        log.warning("Cannot read %d objects", len(reading.unread), exc_info=error)


async def _carry_out_async(client: AsyncKalturaClient, plan: Calls[Reading]) -> Reading:
    """Make the calls without retries: the roster decides when to repeat them, for all waits at once."""
    try:
        step = next(plan)
        while True:
            try:
                if isinstance(step, list):
                    value = await client.multirequest(step, repeatable=True, retry=NO_RETRY)
                else:
                    value = await client.call(step.service, step.action, step.params, repeatable=True, retry=NO_RETRY)
            except Exception as error:
                step = plan.throw(error)
            else:
                step = plan.send(value)
    except StopIteration as stop:
        reading: Reading = stop.value
        return reading


def _carry_out(client: KalturaClient, plan: Calls[Reading]) -> Reading:
    try:
        step = next(plan)
        while True:
            try:
                if isinstance(step, list):
                    value = client.multirequest(step, repeatable=True)
                else:
                    value = client.call(step.service, step.action, step.params, repeatable=True)
            except Exception as error:
                step = plan.throw(error)
            else:
                step = plan.send(value)
    except StopIteration as stop:
        reading: Reading = stop.value
        return reading
