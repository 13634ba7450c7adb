"""The asynchronous client, for triggers. It makes the same calls as the synchronous one, except file uploads."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from kaltura_provider.api.course import CallCourse
from kaltura_provider.api.multipart import StreamedBody
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.api.service_url import normalize_service_url
from kaltura_provider.api.session import SessionKeeper
from kaltura_provider.api.steps import NeedSession, Send, Sleep, Steps, Timeout
from kaltura_provider.api.transport_faults import transport_error
from kaltura_provider.api.wire import HttpReply, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from kaltura_provider.api.credentials import Credentials

__all__ = ["AsyncKalturaClient"]

T = TypeVar("T")

_CONNECTING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class AsyncKalturaClient:
    """A Kaltura account on one server, for one event loop.

    Takes the parameters and raises the errors of :class:`KalturaClient`. Many asyncio tasks can use one client at the
    same time; they share its connections and its session.
    """

    def __init__(
        self,
        service_url: str,
        credentials: Credentials,
        *,
        observer: Observer | None = None,
        retry: RetrySettings | None = None,
        timeout: Timeout | None = None,
        pool_size: int = 16,
        verify: bool | str = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.service_url = normalize_service_url(service_url)
        self.credentials = credentials
        self.observer = observer or Observer()
        self._sleep = sleep
        self._host = urlsplit(self.service_url).netloc
        self._sessions = SessionKeeper(self.service_url, credentials, self.observer, wall_clock)
        self._planner = CallCourse(
            self.service_url,
            self._sessions,
            self.observer,
            retry or RetrySettings(),
            timeout or Timeout(),
            clock,
        )
        self._opening = asyncio.Lock()
        self._http = httpx.AsyncClient(
            verify=_trust(verify),
            limits=httpx.Limits(max_connections=pool_size, max_keepalive_connections=pool_size),
            follow_redirects=False,
        )

    @property
    def partner_id(self) -> int:
        """The number of the Kaltura account."""
        return self.credentials.partner_id

    async def call(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        repeatable: bool | None = None,
        timeout: Timeout | float | None = None,  # noqa: ASYNC109 - limits of the HTTP exchange, not of the task
        retry: RetrySettings | None = None,
        anonymous: bool = False,
    ) -> Any:
        """Call an action and return its JSON value; see :meth:`KalturaClient.call`."""
        plan = self._planner.call(
            service, action, params, repeatable=repeatable, timeout=timeout, retry=retry, anonymous=anonymous
        )
        return await self._drive(plan)

    async def multirequest(
        self,
        requests: Sequence[Request],
        *,
        repeatable: bool = False,
        timeout: Timeout | float | None = None,  # noqa: ASYNC109 - limits of the HTTP exchange, not of the task
        retry: RetrySettings | None = None,
    ) -> list[Any]:
        """Make several calls in one HTTP request; see :meth:`KalturaClient.multirequest`."""
        if not requests:
            return []
        plan = self._planner.multirequest(requests, repeatable=repeatable, timeout=timeout, retry=retry)
        return await self._drive(plan)

    async def ks(self) -> str:
        """Return a valid session (KS). It is a secret."""
        return await self._session(None)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.service_url!r}, partner {self.partner_id})"

    async def _drive(self, plan: Steps[T]) -> T:
        outcome: Any = None
        failure: Exception | None = None
        try:
            while True:
                step = plan.throw(failure) if failure else plan.send(outcome)
                outcome, failure = None, None
                if isinstance(step, Sleep):
                    await self._sleep(step.seconds)
                elif isinstance(step, NeedSession):
                    outcome = await self._session(step.refused)
                else:
                    try:
                        outcome = await self._exchange(step)
                    except Exception as error:
                        failure = error
        except StopIteration as stop:
            value: T = stop.value
            return value

    async def _session(self, refused: str | None) -> str:
        ks = self._sessions.current(refused)
        if ks is not None:
            return ks
        async with self._opening:
            # A task that waited for the lock finds the session that the first one opened.
            ks = self._sessions.current(refused)
            return ks if ks is not None else await self._drive(self._planner.open_session())

    async def _exchange(self, step: Send) -> HttpReply:
        request = step.request
        if isinstance(request.body, StreamedBody):
            raise TypeError("the asynchronous client cannot send files; use KalturaClient.send_file()")
        limits = httpx.Timeout(step.timeout.read, connect=step.timeout.connect)
        try:
            response = await self._http.post(
                request.url, content=request.body, headers=dict(request.headers), timeout=limits
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise transport_error(error, self._host, connecting=isinstance(error, _CONNECTING)) from None
        return HttpReply(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.content,
        )


def _trust(verify: bool | str) -> ssl.SSLContext | bool:
    """Return the certificates httpx trusts; respects the environment variables that ``requests`` reads."""
    if verify is True:
        named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
        verify = named or True
    if isinstance(verify, bool):
        return verify
    if os.path.isdir(verify):
        return ssl.create_default_context(capath=verify)
    return ssl.create_default_context(cafile=verify)
