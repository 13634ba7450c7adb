"""The job queue: stored with the rest of the state, worked off by a few threads, resumed after a restart."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_sandbox.clock import Clock
    from kaltura_sandbox.config import Config
    from kaltura_sandbox.store.database import Database, Record
    from kaltura_sandbox.store.tables import Tables

__all__ = ["ABORTED", "FAILED", "FINISHED", "PENDING", "PROCESSING", "RETRY", "JobQueue", "Retry"]

PENDING, QUEUED, PROCESSING = 0, 1, 2
FINISHED, FAILED, ABORTED, RETRY = 5, 6, 7, 9

log = logging.getLogger(__name__)

_POLL = 0.5


class Retry(Exception):
    """Raised by a handler to be called again after some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


def _nobody(job: Record) -> None:
    raise RuntimeError(f"nobody does jobs of kind {job['kind']!r}")


class JobQueue:
    """Adds, runs and aborts jobs; ``perform`` does one job once and may raise :class:`Retry`."""

    def __init__(self, config: Config, database: Database, tables: Tables, clock: Clock) -> None:
        self._config, self._database, self._tables, self._clock = config, database, tables, clock
        self.perform: Callable[[Record], None] = _nobody
        self._wake = threading.Condition()
        self._stopping = False
        self._running: set[int] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Resume what the last process left and start the workers."""
        for job in self._tables.jobs.find("status = ?", (PROCESSING,)):
            self._tables.jobs.change(job["id"], status=PENDING)
        if not self._config.run_jobs:
            return
        for number in range(self._config.job_workers):
            thread = threading.Thread(target=self._work, name=f"sandbox-job-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout: float = 5) -> None:
        """Stop the workers; a job that is running is resumed by the next process."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    def add(self, kind: str, *, entry_id: str = "", delay: float = 0, **details: Any) -> Record:
        """Queue a job; ``details`` are its handler's."""
        delay = max(delay, self._config.pickup_delay)
        job = self._tables.jobs.put(self._new(kind, entry_id, delay, details))
        with self._wake:
            self._wake.notify()
        return job

    def run_now(self, kind: str, *, entry_id: str = "", **details: Any) -> None:
        """Do a job within the calling request; it gets one attempt."""
        job = self._new(kind, entry_id, 0, details | {"synchronous": True})
        self.perform(job)

    def _new(self, kind: str, entry_id: str, delay: float, details: Record) -> Record:
        return {
            "id": self._database.next_number("job"),
            "kind": kind,
            "entryId": entry_id,
            "status": PENDING,
            "attempts": 0,
            "due": self._clock.time() + delay,
            **details,
        }

    def abort(self, entry_id: str) -> None:
        """Abort what is queued for an entry."""
        for job in self._tables.jobs.find("entry = ? AND status IN (0, 1, 9)", (entry_id,)):
            self._tables.jobs.change(job["id"], status=ABORTED)

    def drain(self, timeout: float = 10) -> None:
        """Wait until no worker is in the middle of a job."""
        deadline = time.monotonic() + timeout
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)

    def wake(self) -> None:
        """Look at the clock again: it was moved."""
        with self._wake:
            self._wake.notify_all()

    @property
    def stopping(self) -> bool:
        """Whether the workers are being stopped."""
        return self._stopping

    def _next(self) -> Record | None:
        with self._database.transaction():
            job = self._tables.jobs.first("status IN (0, 1, 9) AND due <= ?", (self._clock.time(),), order="due, id")
            return self._tables.jobs.put({**job, "status": PROCESSING}) if job else None

    def _work(self) -> None:
        while not self._stopping:
            job = self._next()
            if job is not None:
                self.execute(job)
                continue
            with self._wake:
                if not self._stopping:
                    self._wake.wait(_POLL)

    def execute(self, job: Record) -> None:
        """Run one job to its end or its next attempt."""
        job["attempts"] += 1
        self._running.add(job["id"])
        try:
            self.perform(job)
        except Retry as retry:
            changes = {"status": RETRY, "due": self._clock.time() + retry.seconds}
            self._tables.jobs.change(job["id"], attempts=job["attempts"], **changes)
        except Exception:
            if self._stopping:
                return  # its ffmpeg was stopped with the sandbox; the next process starts it over
            log.exception("job %s failed", job["id"])
            self._tables.jobs.change(job["id"], status=FAILED, attempts=job["attempts"])
        else:
            if not self._stopping:
                self._tables.jobs.change(job["id"], status=FINISHED, attempts=job["attempts"])
        finally:
            self._running.discard(job["id"])
