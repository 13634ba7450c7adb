"""Check from a worker, one check at a time, and keep the state between two checks in different processes."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.hooks.metrics import wait_ended, wait_observed
from kaltura_provider.waiting.polling.failures import ErrorBudget, error_to_json
from kaltura_provider.waiting.polling.reading import Reading, Suspects
from kaltura_provider.waiting.polling.stream import read_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.waiting.polling.readers import Reader
    from kaltura_provider.waiting.watch import Watch

__all__ = ["PokeState"]

log = logging.getLogger(__name__)

_KEY: Final = "kaltura_wait"
_HEAD_START: Final = 0.1
"""Seconds by which a wait ends before Airflow's own check of the timeout, which cannot say what is missing."""


@dataclass(slots=True)
class PokeState:
    """A wait on a worker.

    :param connect: returns a client.
    :param watch: the objects to wait for and their condition.
    :param reader: reads the objects.
    :param timeout: seconds from ``began`` to the end of the wait.
    :param began: when the wait began, in UNIX seconds.
    :param try_number: the try of the task. The store outlives a try, and a new try is a new wait.
    :param kind: what is waited for, in metrics.
    :param store: the task state store, which keeps the state between checks in mode ``reschedule``, else ``None``.
    """

    connect: Callable[[], KalturaClient]
    watch: Watch
    reader: Reader
    timeout: float
    began: float
    try_number: int
    kind: str
    store: Any = None
    budget: ErrorBudget = field(default_factory=ErrorBudget, init=False)
    suspects: Suspects = field(default_factory=Suspects, init=False)

    def __post_init__(self) -> None:
        self._recall()

    def check(self) -> dict[str, Any] | None:
        """Check once. Return the payload of a trigger's event if the wait has ended, else ``None``.

        Errors of Kaltura do not raise. If they end the wait, the payload has them.
        """
        now = time.time()
        wanted = {object_id: [self.watch.condition] for object_id in self.watch.pending}
        reading = self._read(wanted, now)
        error = reading.troubles(wanted)
        for line in self.watch.observe(reading.snapshots, now):
            log.info("%s", line)
        wait_observed(self.kind, self.watch)
        if self.watch.finished:
            return self._ended("done")
        if error is None:
            self.budget.success()
        else:
            log.warning("Checking Kaltura failed: %s", error)
            if self.budget.failure(error, now):
                refused = reading.refused_for_good(wanted)
                if not refused:
                    return self._ended("error", error=error_to_json(error))
                self.watch.give_up(refused)
                self.budget.success()
                if self.watch.finished:
                    return self._ended("done")
        if time.time() - self.began >= self.timeout - _HEAD_START:
            return self._ended("timeout", explanation=self.watch.explain())
        self._remember()
        return None

    def _read(self, wanted: dict[str, Any], now: float) -> Reading:
        """Return what was read, and the errors of objects that could not be read."""
        try:
            reading = read_now(self.connect(), self.reader, wanted, now, self.suspects)
        except KalturaError as error:
            return Reading(unread=frozenset(wanted), error=error)
        if reading.error is not None and not isinstance(reading.error, KalturaError):
            raise reading.error
        return reading

    def _ended(self, outcome: str, **more: Any) -> dict[str, Any]:
        wait_ended(self.kind, outcome, time.time() - self.began)
        if self.store is not None:
            with contextlib.suppress(Exception):
                self.store.delete(_KEY)
        return {"outcome": outcome, **self.watch.report(), **more}

    def _recall(self) -> None:
        stored = None
        if self.store is not None:
            try:
                stored = self.store.get(_KEY)
            except Exception as error:
                log.warning("Cannot read the state of earlier checks, starting over: %s", error)
        if not isinstance(stored, dict) or stored.get("try_number") != self.try_number:
            return
        self.budget.since, self.budget.count = stored["budget"]
        for settled, values in ((self.watch.ready, stored["ready"]), (self.watch.failed, stored["failed"])):
            for object_id, value in values.items():
                if object_id in self.watch.pending:
                    del self.watch.pending[object_id]
                    settled[object_id] = value
        self.watch.recall(stored["memory"])

    def _remember(self) -> None:
        if self.store is None:
            return
        state = {
            "try_number": self.try_number,
            "budget": [self.budget.since, self.budget.count],
            "ready": self.watch.ready,
            "failed": self.watch.failed,
            "memory": self.watch.remember(),
        }
        try:
            self.store.set(_KEY, state)
        except Exception as error:
            # The wait continues. Without stored state, each grace period starts over, so nothing fails too early.
            log.warning("Cannot store the state of this check: %s", error)
