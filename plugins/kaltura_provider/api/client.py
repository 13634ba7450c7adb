"""The synchronous client: one pool of connections, safe to use from many threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from requests import RequestException
from urllib3.exceptions import HTTPError

from kaltura_provider.api.course import CallCourse
from kaltura_provider.api.http_pool import failed_while_connecting, http_session
from kaltura_provider.api.multipart import FilePart, StreamedBody
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.api.service_url import normalize_service_url
from kaltura_provider.api.session import SessionKeeper
from kaltura_provider.api.steps import NeedSession, Send, Sleep, Steps, Timeout
from kaltura_provider.api.transport_faults import transport_error
from kaltura_provider.api.wire import HttpReply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.credentials import Credentials

__all__ = ["KalturaClient"]

T = TypeVar("T")


class KalturaClient:
    """A Kaltura account on one server.

    :param service_url: the address of the server, with or without scheme and ``/api_v3``.
    :param observer: is notified of calls, secrets and ids; see :class:`Observer`.
    :param timeout: seconds to wait for a connection and for data; a call can set its own.
    :param pool_size: number of connections to keep open; set it to the number of threads that make calls.
    :param verify: whether to check certificates, or the path of a file with certificates to trust.
    :raises KalturaConfigurationError: the service URL is not valid.
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
        sleep: Callable[[float], None] = time.sleep,
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
        self._opening = threading.Lock()
        self._http = http_session(pool_size)
        self._verify = verify

    @property
    def partner_id(self) -> int:
        """The number of the Kaltura account."""
        return self.credentials.partner_id

    def call(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        repeatable: bool | None = None,
        timeout: Timeout | float | None = None,
        retry: RetrySettings | None = None,
        anonymous: bool = False,
    ) -> Any:
        """Call an action and return its JSON value.

        A call that only reads is repeated after any transient failure. Any other call is repeated only if the
        server certainly did not carry it out (no connection, HTTP 429 or 503, ``ACTION_BLOCKED``). A session
        that has ended is renewed once.

        :param repeatable: whether the call is safe to repeat after any transient failure; ``None`` decides by
            the action's name.
        :param timeout: time limits of this call; a number is the seconds to wait for data.
        :param retry: the retry settings of this call.
        :param anonymous: send no session. A few actions need none.
        :raises KalturaAPIError: the server answered with an error; its class shows whether a retry can help.
        :raises KalturaTransportError: there was no readable answer; ``ambiguous`` says whether the server may have
            carried out the call.
        """
        plan = self._planner.call(
            service, action, params, repeatable=repeatable, timeout=timeout, retry=retry, anonymous=anonymous
        )
        return self._drive(plan)

    def send_file(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any],
        file: FilePart,
        *,
        timeout: Timeout | float | None = None,
    ) -> Any:
        """Call an action with a file, which is streamed as a multipart form of known length.

        The client repeats the call only if the server refused the session; it then reads the file again. Errors
        raised by the file's source are passed on unchanged.

        :raises KalturaError: as :meth:`call`.
        """
        return self._drive(self._planner.send_file(service, action, params, file, timeout=timeout))

    def read_file(
        self, service: str, action: str, params: Mapping[str, Any], *, timeout: Timeout | float | None = None
    ) -> bytes:
        """Call an action that serves a small file, such as a log or captions, and return its bytes.

        The call is repeated after any transient failure.

        :raises KalturaError: as :meth:`call`.
        """
        return self._drive(self._planner.read_file(service, action, params, timeout=timeout))

    def multirequest(
        self,
        requests: Sequence[Request],
        *,
        repeatable: bool = False,
        timeout: Timeout | float | None = None,
        retry: RetrySettings | None = None,
    ) -> list[Any]:
        """Make several calls in one HTTP request and return one element per call, in order.

        An element is the call's value or the :class:`KalturaAPIError` it ended with. The server runs every call,
        even if earlier ones failed. It does not roll anything back, and does not stop when the connection is cut.

        :raises KalturaError: as :meth:`call`, for the request as a whole.
        """
        if not requests:
            return []
        plan = self._planner.multirequest(requests, repeatable=repeatable, timeout=timeout, retry=retry)
        return self._drive(plan)

    def ks(self) -> str:
        """Return a valid session (KS). It is a secret."""
        return self._session(None)

    @property
    def app_token_hash_type(self) -> str | None:
        """The hash type of the app token that opened the session."""
        return self._sessions.app_token_hash_type

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.service_url!r}, partner {self.partner_id})"

    def _drive(self, plan: Steps[T]) -> T:
        outcome: Any = None
        failure: Exception | None = None
        try:
            while True:
                step = plan.throw(failure) if failure else plan.send(outcome)
                outcome, failure = None, None
                if isinstance(step, Sleep):
                    self._sleep(step.seconds)
                elif isinstance(step, NeedSession):
                    outcome = self._session(step.refused)
                else:
                    try:
                        outcome = self._exchange(step)
                    except Exception as error:
                        failure = error
        except StopIteration as stop:
            value: T = stop.value
            return value

    def _session(self, refused: str | None) -> str:
        ks = self._sessions.current(refused)
        if ks is not None:
            return ks
        with self._opening:
            # A thread that waited for the lock finds the session that the first one opened.
            return self._sessions.current(refused) or self._drive(self._planner.open_session())

    def _exchange(self, step: Send) -> HttpReply:
        request = step.request
        try:
            response = self._http.post(
                request.url,
                data=cast("Any", request.body),  # the stubs do not know bodies with a length
                headers=dict(request.headers),
                timeout=(step.timeout.connect, step.timeout.read),
                allow_redirects=False,
                # requests prefers REQUESTS_CA_BUNDLE over the setting of a session.
                verify=self._verify,
            )
        except (RequestException, HTTPError) as error:
            if isinstance(request.body, StreamedBody) and request.body.error is not None:
                raise request.body.error from None
            raise transport_error(error, self._host, connecting=failed_while_connecting(error)) from None
        return HttpReply(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.content,
        )
