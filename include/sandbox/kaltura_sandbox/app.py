"""The sandbox's parts put together, and the way of a request through them."""

from __future__ import annotations

import shutil
import time
from functools import partial
from typing import TYPE_CHECKING

from kaltura_sandbox import control, jobs, services, web
from kaltura_sandbox.api import front
from kaltura_sandbox.api.parameters import addressed
from kaltura_sandbox.assets.params import default_profiles
from kaltura_sandbox.clock import Clock
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.replacement import Replacements
from kaltura_sandbox.entries.search import SearchIndex
from kaltura_sandbox.entries.types import DELETED
from kaltura_sandbox.faults import Fault, Faults
from kaltura_sandbox.jobs.queue import JobQueue
from kaltura_sandbox.journal import Journal
from kaltura_sandbox.server.hosts import host_name, is_allowed
from kaltura_sandbox.server.message import Body, CloseConnection, Request, Response, json_response
from kaltura_sandbox.sessions.keeper import SessionKeeper
from kaltura_sandbox.store.database import Database
from kaltura_sandbox.store.files import Files
from kaltura_sandbox.store.tables import Tables
from kaltura_sandbox.uploads.receive import Locks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_sandbox.config import Config

__all__ = ["App"]

_BEFORE = ("latency", "reset_before", "reset_during", "html_error", "unavailable", "slow_body")
_AFTER = ("reply_lost", "slow_reply")
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class App:
    """Everything one sandbox consists of; an action reaches it as ``call.app``."""

    def __init__(self, config: Config) -> None:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config = config
        self.files = Files(config.data_dir)
        self.database = Database(config.data_dir / "sandbox.sqlite3")
        self.clock = Clock(float(self.database.meta("clock_offset", "0")))
        self.tables = Tables(self.database)
        self.locks = Locks()
        # token id -> when (monotonic) its file was complete, and when it became an entry's content
        self.completed: dict[str, float] = {}
        self.consumed: dict[str, float] = {}
        self.faults = Faults()
        self.journal = Journal()
        self.sessions = SessionKeeper(config, self.clock, self.tables)
        self.search = SearchIndex(self.database, self.tables, self.clock, self.faults, config.index_lag)
        self.replacements = Replacements(self)
        self.jobs = JobQueue(self)
        self._provision()
        services.load()
        jobs.load()
        web.load()

    def _provision(self) -> None:
        """Give a new account its conversion profiles."""
        if self.tables.profiles.count() == 0:
            for profile in default_profiles(self.config.partner_id, self.clock.now()):
                self.tables.profiles.put(profile)

    def start(self) -> None:
        """Start the job workers."""
        self.jobs.start()

    def close(self) -> None:
        """Stop the workers and close the state."""
        self.jobs.stop()
        self.database.close()

    def reset(self) -> None:
        """Forget all records, files, faults and counters, and what tests set; sessions stay good."""
        self.database.execute("DELETE FROM jobs")
        self.jobs.drain()
        with self.database.transaction():
            for table in vars(self.tables).values():
                if hasattr(table, "name"):
                    self.database.execute(f"DELETE FROM {table.name}")  # noqa: S608 - our own table names
            self.search.rebuild()
            self._provision()
        self.completed.clear()
        self.consumed.clear()
        self.faults.remove()
        self.journal.clear()
        self.clock.reset()
        self.database.set_meta("clock_offset", "0")
        self.search.lag = self.config.index_lag
        for directory in (self.files.uploads, self.files.content):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(exist_ok=True)
        for rendered in ("streams", "thumbnails"):
            shutil.rmtree(self.files.root / rendered, ignore_errors=True)

    def remove_entry(self, entry_id: str) -> None:
        """Delete an entry: its jobs are aborted, its assets deleted with it."""
        with self.database.transaction():
            self.jobs.abort(entry_id)
            now = self.clock.now()
            for asset in self.tables.assets.find("entry = ? AND status != 3", (entry_id,)):
                self.tables.assets.change(asset["id"], status=3, deletedAt=now)
            store.change(self, entry_id, status=DELETED, moderationStatus=4)

    def handle(self, request: Request) -> Response:
        """Answer a request, or let a fault have it; a foreign ``Host`` is refused first."""
        host = request.headers.get("host")
        if not is_allowed(host, self.config.allowed_hosts):
            return _refuse_host(host or "")
        service, action = addressed(request)
        if not request.path.startswith("/_sandbox"):
            for fault in self.faults.take(_BEFORE, service, action):
                if (response := self._strike(fault, request)) is not None:
                    return response
        response = self._route(request)
        self.journal.request(request.body.consumed)
        if not request.path.startswith("/_sandbox"):
            for fault in self.faults.take(_AFTER, service, action):
                if fault.kind == "reply_lost":
                    response.after = "reset"
                else:
                    response.pace = partial(_trickle, rate=fault.number("bytes_per_second", 100))
        return response

    def _route(self, request: Request) -> Response:
        if request.path.startswith(("/api_v3", "/api/")):
            return front.answer(self, request)
        if request.path.startswith("/_sandbox"):
            return control.answer(self, request)
        return web.answer(self, request)

    def _strike(self, fault: Fault, request: Request) -> Response | None:
        """Let one fault strike before the work; a response ends the request."""
        if fault.kind == "latency":
            time.sleep(fault.number("seconds", 1))
        elif fault.kind == "slow_body":
            request.body = _Watched(request.body, rate=fault.number("bytes_per_second", 1 << 20))
        elif fault.kind == "reset_before":
            raise CloseConnection
        elif fault.kind == "reset_during":
            request.body = _Watched(request.body, cut=int(fault.number("bytes", 0)))
        elif fault.kind == "html_error":
            status = int(fault.number("status", 502))
            return Response(status, {"Content-Type": "text/html"}, _BAD_GATEWAY)
        else:
            seconds = str(int(fault.number("retry_after", 1)))
            headers = {"Content-Type": "text/html", "Retry-After": seconds}
            return Response(503, headers, b"<html><body>Service Unavailable</body></html>")
        return None


def _refuse_host(header: str) -> Response:
    name = host_name(header)
    advice = f"; to allow it, start the sandbox with --allow-remote {name}" if name else ""
    return json_response({"error": f"the Host header {header!r} is not one this sandbox answers{advice}"}, 421)


class _Watched:
    """A body that is read slowly, or breaks off."""

    def __init__(self, body: Body, *, rate: float = 0, cut: int | None = None) -> None:
        self._body, self._rate, self._cut = body, rate, cut
        self._started = time.monotonic()

    @property
    def consumed(self) -> int:
        """Bytes read so far."""
        return self._body.consumed

    def readinto(self, window: memoryview) -> int:
        """Read, then wait until the rate is kept; cut the connection where that was asked for."""
        if self._cut is not None and self._body.consumed >= self._cut:
            raise CloseConnection
        if self._rate:
            window = window[: max(int(self._rate / 20), 1)]
        count = self._body.readinto(window)
        if self._rate:
            time.sleep(max(self._started + self._body.consumed / self._rate - time.monotonic(), 0))
        return count


def _trickle(body: bytes, rate: float) -> Iterable[bytes]:
    step = max(int(rate / 20), 1)
    for at in range(0, len(body), step):
        time.sleep(step / rate)
        yield body[at : at + step]
