"""Base of the triggers. All triggers of a connection share one poll: each joins its roster and reads its stream."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from airflow.triggers.base import BaseEventTrigger, TaskSuccessEvent, TriggerEvent

from kaltura_provider.hooks.kaltura import KalturaHook
from kaltura_provider.hooks.metrics import wait_ended, wait_observed
from kaltura_provider.waiting.polling.failures import ErrorBudget, error_to_json
from kaltura_provider.waiting.polling.intervals import DEFAULT_INTERVALS, Intervals
from kaltura_provider.waiting.polling.roster import Roster
from kaltura_provider.waiting.polling.stream import poll
from kaltura_provider.waiting.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from kaltura_provider.waiting.conditions.verdict import Condition
    from kaltura_provider.waiting.polling.readers import Reader
    from kaltura_provider.waiting.polling.reading import Reading

__all__ = ["KalturaTrigger"]

_Key = tuple[str, str, str]
_rosters: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, Roster]] = WeakKeyDictionary()


class KalturaTrigger(BaseEventTrigger):
    """Wait for objects of one Kaltura account.

    In one triggerer process, all triggers for the same kind of object and the same connection share one poll, which
    reads up to 500 entries per call. Airflow stores the arguments in plain text, so they contain no secret.

    :param kaltura_conn_id: the Airflow connection.
    :param ids: the ids of the objects to wait for.
    :param condition: the arguments of the condition, such as ``{"moderation": "wait"}``.
    :param since: when the wait began, in UNIX seconds. Default: now.
    :param deadline: when the wait ends at the latest, in UNIX seconds. Default: never.
    :param intervals: pairs (from age, seconds between two checks).
    :param allow_failed: with ``end_from_trigger``, whether the task succeeds even if an object failed.
    :param stuck_after: seconds in one status after which an object counts as stuck. Default: depends on the status.
    :param fail_when_stuck: whether a stuck object fails. Otherwise it is only logged.
    :param end_from_trigger: whether the triggerer ends a successful task without a worker. A failure still goes to a
        worker, because only a worker can report the reason and prevent retries.
    :raises ValueError: ``ids`` is empty.

    Yields one event with the payload ``{"outcome": "done" | "timeout" | "error", "ready": {id: result},
    "failed": {id: reason}, "waiting": {id: reason}}``, plus ``explanation`` or ``error``.
    """

    # This trigger belongs to a task, unlike that of an asset watcher, so it can follow the queue of the task.
    supports_triggerer_queue = True

    kind: ClassVar[str]
    """What is waited for; part of the key of the shared poll, and a tag of metrics."""
    condition_type: ClassVar[type[Condition[Any]]]

    def __init__(
        self,
        *,
        kaltura_conn_id: str,
        ids: Sequence[str],
        condition: Mapping[str, Any] | None = None,
        since: float | None = None,
        deadline: float | None = None,
        intervals: Sequence[Sequence[float]] = DEFAULT_INTERVALS,
        allow_failed: bool = False,
        stuck_after: float | None = None,
        fail_when_stuck: bool = False,
        end_from_trigger: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own signature
        self.kaltura_conn_id = kaltura_conn_id
        self.ids = list(ids)
        if not self.ids:
            raise ValueError("ids is empty; give at least one id")
        self.condition = dict(condition or {})
        self.since = time.time() if since is None else since
        self.deadline = deadline
        self.intervals = [list(step) for step in intervals]
        self.allow_failed = allow_failed
        self.stuck_after = stuck_after
        self.fail_when_stuck = fail_when_stuck
        self.end_from_trigger = end_from_trigger

    @classmethod
    @abstractmethod
    def make_reader(cls) -> Reader:
        """Return the reader for objects of this kind."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments of this trigger."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "kaltura_conn_id": self.kaltura_conn_id,
            "ids": self.ids,
            "condition": self.condition,
            "since": self.since,
            "deadline": self.deadline,
            "intervals": self.intervals,
            "allow_failed": self.allow_failed,
            "stuck_after": self.stuck_after,
            "fail_when_stuck": self.fail_when_stuck,
            "end_from_trigger": self.end_from_trigger,
        }

    def shared_stream_key(self) -> _Key:
        """Return the key of the poll that this trigger shares with others."""
        return "kaltura", self.kind, self.kaltura_conn_id

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Reading]:
        """Poll for all triggers in the roster of this connection and kind."""
        conn_id = kwargs["kaltura_conn_id"]
        rosters = _rosters.setdefault(asyncio.get_running_loop(), {})
        key = ("kaltura", cls.kind, conn_id)
        roster = rosters.setdefault(key, Roster())
        try:
            async for reading in poll(roster, cls.make_reader(), KalturaHook(conn_id).aget_conn):
                yield reading
        finally:
            if not roster.members and rosters.get(key) is roster:
                del rosters[key]

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Reading]) -> AsyncIterator[TriggerEvent]:
        """Yield the event of this trigger, from the readings of the shared poll."""
        rosters = _rosters.setdefault(asyncio.get_running_loop(), {})
        roster = rosters.setdefault(self.shared_stream_key(), Roster())
        payload = await self._wait(roster, shared_stream)
        yield self._event(payload)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait with a separate poll, for ``dag.test()``, which does not support ending a task from a trigger."""
        roster = Roster()
        readings = poll(roster, self.make_reader(), KalturaHook(self.kaltura_conn_id).aget_conn)
        try:
            payload = await self._wait(roster, readings)
        finally:
            await readings.aclose()
        yield _event(payload)

    async def _wait(self, roster: Roster, readings: AsyncIterator[Reading]) -> dict[str, Any]:
        """Wait until every object is ready or failed, the deadline has passed, or Kaltura stays unreachable."""
        payload = await self._waited(roster, readings)
        wait_ended(self.kind, payload["outcome"], time.time() - self.since)
        return payload

    async def _waited(self, roster: Roster, readings: AsyncIterator[Reading]) -> dict[str, Any]:
        watch = Watch(
            self.ids,
            self.condition_type(**self.condition),
            stuck_after=self.stuck_after,
            fail_when_stuck=self.fail_when_stuck,
        )
        now = time.monotonic()
        member = roster.join(watch, Intervals(self.intervals), now - max(0.0, time.time() - self.since), now)
        remaining = None if self.deadline is None else max(0.0, self.deadline - time.time())
        try:
            async with asyncio.timeout(remaining):
                return await self._follow(watch, readings)
        except TimeoutError:
            return {"outcome": "timeout", "explanation": watch.explain(), **watch.report()}
        finally:
            roster.leave(member)

    async def _follow(self, watch: Watch, readings: AsyncIterator[Reading]) -> dict[str, Any]:
        budget = ErrorBudget()
        async for reading in readings:
            now = time.monotonic()
            for line in watch.observe(reading.snapshots, now):
                self.log.info("%s", line)
            wait_observed(self.kind, watch)
            if watch.finished:
                return {"outcome": "done", **watch.report()}
            error = reading.troubles(watch.pending)
            if error is None:
                if not watch.pending.keys().isdisjoint(reading.snapshots):
                    budget.success()
                continue
            if budget.count == 0:
                self.log.warning("Checking Kaltura failed, continuing: %s", error_to_json(error)["message"])
            if budget.failure(error, now):
                if refused := reading.refused_for_good(watch.pending):
                    watch.give_up(refused)
                    budget.success()
                    if watch.finished:
                        return {"outcome": "done", **watch.report()}
                    continue
                return {"outcome": "error", "error": error_to_json(error), **watch.report()}
        raise RuntimeError("the shared poll ended before all objects were ready or failed")

    def _event(self, payload: dict[str, Any]) -> TriggerEvent:
        succeeded = payload["outcome"] == "done" and (self.allow_failed or not payload["failed"])
        return TaskSuccessEvent() if self.end_from_trigger and succeeded else _event(payload)


def _event(payload: dict[str, Any]) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow's own signature
