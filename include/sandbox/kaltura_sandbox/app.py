"""Composes the parts of the sandbox and routes requests to them."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import kaltura_sandbox.delivery.routes
import kaltura_sandbox.web.page  # noqa: F401 - both add their routes
from kaltura_sandbox import control, jobs, routing, services
from kaltura_sandbox.account import Account
from kaltura_sandbox.api import front
from kaltura_sandbox.api.parameters import addressed
from kaltura_sandbox.assets.params import default_profiles
from kaltura_sandbox.jobs.handlers import perform
from kaltura_sandbox.server.hosts import host_name, is_allowed
from kaltura_sandbox.server.message import Body, CloseConnection, Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_sandbox.config import Config
    from kaltura_sandbox.faults import Fault

__all__ = ["App"]

_BEFORE = ("latency", "reset_before", "reset_during", "html_error", "unavailable", "slow_body")
_AFTER = ("reply_lost", "slow_reply")
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def _provision(account: Account) -> None:
    """Add the conversion profiles that every account starts with."""
    if account.tables.profiles.count() == 0:
        for profile in default_profiles(account.config.partner_id, account.clock.now()):
            account.tables.profiles.put(profile)


class App:
    """An account behind HTTP: the API, the control API, delivery URLs and the page."""

    def __init__(self, config: Config) -> None:
        services.load()
        jobs.load()
        self.account = Account(config, _provision)
        self.account.jobs.perform = partial(perform, self.account)

    def start(self) -> None:
        """Start the job workers."""
        self.account.jobs.start()

    def close(self) -> None:
        """Stop the workers and close the state."""
        self.account.close()

    def handle(self, request: Request) -> Response:
        """Answer a request, or apply a fault to it. A foreign ``Host`` is refused first."""
        host = request.headers.get("host")
        if not is_allowed(host, self.account.config.allowed_hosts):
            return _refuse_host(host or "")
        service, action = addressed(request)
        if not request.path.startswith("/_sandbox"):
            for fault in self.account.faults.take(_BEFORE, service, action):
                if (response := self._strike(fault, request)) is not None:
                    return response
        response = self._route(request)
        self.account.journal.request(request.body.consumed)
        if not request.path.startswith("/_sandbox"):
            for fault in self.account.faults.take(_AFTER, service, action):
                if fault.kind == "reply_lost":
                    response.after = "reset"
                else:
                    response.pace = partial(_trickle, rate=fault.number("bytes_per_second", 100))
        return response

    def _route(self, request: Request) -> Response:
        if request.path.startswith(("/api_v3", "/api/")):
            return front.answer(self.account, request)
        if request.path.startswith("/_sandbox"):
            return control.answer(self.account, request)
        return routing.answer(self.account, request)

    def _strike(self, fault: Fault, request: Request) -> Response | None:
        """Apply one fault before the request is handled. A response ends the request."""
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
