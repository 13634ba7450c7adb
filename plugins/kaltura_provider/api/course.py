"""The course of a call, for both clients: session, request, reply, and what to do after a failure. No I/O."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.codes import NOT_DONE_CODES, SERVER_TROUBLE_CODES
from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
)
from kaltura_provider.api.observer import CallRecord, Observer
from kaltura_provider.api.retry import NO_RETRY, RetrySettings
from kaltura_provider.api.steps import NeedSession, Send, Sleep, Steps, Timeout
from kaltura_provider.api.wire import (
    HttpReply,
    HttpRequest,
    Request,
    call_names,
    call_request,
    check_redirect,
    is_repeatable,
    multi_request,
    read_file_reply,
    read_multi_reply,
    read_reply,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.multipart import FilePart
    from kaltura_provider.api.session import SessionKeeper

__all__ = ["CallCourse", "merge_timeout"]


def merge_timeout(timeout: Timeout | float | None, default: Timeout) -> Timeout:
    """Return the time limits of one call. A plain number sets the seconds to wait for data."""
    if timeout is None:
        return default
    return timeout if isinstance(timeout, Timeout) else default._replace(read=float(timeout))


def _no_trouble(value: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Course:
    """One call: how to build its request from a session, how to read its reply, and whether it may be repeated.

    ``trouble`` finds an error inside a value, which is then handled like a raised one.
    """

    service: str
    action: str
    build: Callable[[str | None], HttpRequest]
    read: Callable[[HttpReply], Any]
    repeatable: bool
    retry: RetrySettings
    timeout: Timeout
    own_session: bool = True
    ks: str | None = None
    trouble: Callable[[Any], KalturaError | None] = _no_trouble

    def may_repeat(self, error: KalturaError) -> bool:
        """Return whether sending the same request again after ``error`` is safe and can help."""
        if isinstance(error, KalturaTransportError):
            return error.retry_helps and (self.repeatable or not error.ambiguous)
        if isinstance(error, KalturaTransientError):
            return error.code in NOT_DONE_CODES or (self.repeatable and error.code in SERVER_TROUBLE_CODES)
        return False


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of one attempt: a value, an error, or a value that contains an error."""

    value: Any = None
    error: KalturaError | None = None
    readable: bool = True


class CallCourse:
    """Plans the calls of one client."""

    def __init__(
        self,
        service_url: str,
        sessions: SessionKeeper,
        observer: Observer,
        retry: RetrySettings,
        timeout: Timeout,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service_url = service_url
        self._sessions = sessions
        self._observer = observer
        self._retry = retry
        self._timeout = timeout
        self._clock = clock

    def open_session(self) -> Steps[str]:
        """Open a session and keep it."""
        return self._sessions.open(self._session_call)

    def call(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any] | None,
        *,
        repeatable: bool | None,
        timeout: Timeout | float | None,
        retry: RetrySettings | None,
        anonymous: bool,
    ) -> Steps[Any]:
        """One call."""
        return self._one_call(
            service,
            action,
            params or {},
            repeatable=is_repeatable(service, action) if repeatable is None else repeatable,
            retry=retry,
            timeout=timeout,
            own_session=not anonymous,
        )

    def send_file(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any],
        file: FilePart,
        *,
        timeout: Timeout | float | None,
    ) -> Steps[Any]:
        """One call with a file. It is repeated only with a new session, after the server refused the old one."""
        return self._one_call(service, action, params, file=file, repeatable=False, retry=NO_RETRY, timeout=timeout)

    def read_file(
        self, service: str, action: str, params: Mapping[str, Any], *, timeout: Timeout | float | None
    ) -> Steps[bytes]:
        """One call that answers with a file, which is read into memory."""
        return self._one_call(service, action, params, read=read_file_reply, repeatable=True, timeout=timeout)

    def multirequest(
        self,
        requests: Sequence[Request],
        *,
        repeatable: bool,
        timeout: Timeout | float | None,
        retry: RetrySettings | None,
    ) -> Steps[list[Any]]:
        """Several calls in one HTTP request. Errors of single calls are elements of the list."""
        course = _Course(
            "multirequest",
            call_names(requests),
            build=lambda ks: multi_request(self._service_url, requests, ks=ks),
            read=partial(read_multi_reply, requests=requests),
            repeatable=repeatable,
            retry=retry or self._retry,
            timeout=merge_timeout(timeout, self._timeout),
        )
        return self._run(_with_trouble(course))

    def _session_call(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any],
        ks: str | None,
        *,
        retry: RetrySettings | None = None,
    ) -> Steps[Any]:
        return self._one_call(service, action, params, repeatable=True, retry=retry, own_session=False, ks=ks)

    def _one_call(
        self,
        service: str,
        action: str,
        params: Mapping[str, Any],
        *,
        repeatable: bool,
        file: FilePart | None = None,
        read: Callable[..., Any] = read_reply,
        retry: RetrySettings | None = None,
        timeout: Timeout | float | None = None,
        own_session: bool = True,
        ks: str | None = None,
    ) -> Steps[Any]:
        course = _Course(
            service,
            action,
            build=lambda ks: call_request(self._service_url, service, action, params, ks=ks, file=file),
            read=partial(read, service=service, action=action),
            repeatable=repeatable,
            retry=retry or self._retry,
            timeout=merge_timeout(timeout, self._timeout),
            own_session=own_session,
            ks=ks,
        )
        return self._run(course)

    def _run(self, course: _Course) -> Steps[Any]:
        began = self._clock()
        attempt, refused, renewed = 0, None, False
        while True:
            attempt += 1
            ks = course.ks if not course.own_session else (yield NeedSession(refused))
            outcome = yield from self._attempt(course, attempt, ks)
            error = outcome.error
            if error is None:
                return outcome.value
            if isinstance(error, KalturaSessionError) and course.own_session and not renewed:
                # The server checks the session before it does anything, so no call is carried out twice.
                refused, renewed = ks, True
                attempt -= 1
                continue
            delay = self._delay(course, error, attempt, self._clock() - began)
            if delay is not None:
                yield Sleep(delay)
            elif outcome.readable:
                return outcome.value
            else:
                raise (yield from self._explained(course, error))

    def _explained(self, course: _Course, error: KalturaError) -> Steps[KalturaError]:
        """Return an error that explains a wrong secret, which the server's own error does not."""
        if course.own_session and isinstance(error, KalturaAPIError):
            once = partial(self._session_call, retry=NO_RETRY)
            return (yield from self._sessions.explain(once, error)) or error
        return error

    def _delay(self, course: _Course, error: KalturaError, attempt: int, elapsed: float) -> float | None:
        if not course.may_repeat(error):
            return None
        return course.retry.delay(attempt, getattr(error, "retry_after", None), elapsed)

    def _attempt(self, course: _Course, attempt: int, ks: str | None) -> Steps[_Outcome]:
        request = course.build(ks)
        began = self._clock()
        reply: HttpReply | None = None
        try:
            reply = yield Send(request, course.timeout)
            check_redirect(request, reply)
            value = course.read(reply)
            outcome = _Outcome(value, course.trouble(value))
        except KalturaError as error:
            error.service, error.action = error.service or course.service, error.action or course.action
            outcome = _Outcome(error=error, readable=False)
        self._observer.on_call(
            CallRecord(
                course.service,
                course.action,
                attempt,
                self._clock() - began,
                status=reply.status if reply else getattr(outcome.error, "status", None),
                error=_short(outcome.error),
                request_id=reply.request_id if reply else None,
            )
        )
        return outcome


def _with_trouble(course: _Course) -> _Course:
    """Decide by its elements whether a multirequest is repeated."""

    def trouble(results: list[Any]) -> KalturaError | None:
        errors = [element for element in results if isinstance(element, KalturaAPIError)]
        if course.repeatable:
            return next((error for error in errors if course.may_repeat(error)), _refusal(results, errors))
        return _refusal(results, errors)

    return _Course(
        course.service, course.action, course.build, course.read, course.repeatable, course.retry, course.timeout,
        trouble=trouble,
    )  # fmt: skip


def _refusal(results: Sequence[Any], errors: Sequence[KalturaAPIError]) -> KalturaAPIError | None:
    # If the first request was refused before it ran, later ones can fail for other reasons, since their references
    # are empty. If all failed, none of them changed anything.
    if not results or len(errors) < len(results):
        return None
    first = errors[0]
    if isinstance(first, KalturaSessionError):
        return first
    return first if all(error.code in NOT_DONE_CODES for error in errors) else None


def _short(error: KalturaError | None) -> str | None:
    if isinstance(error, KalturaAPIError):
        return error.code
    if isinstance(error, KalturaTransportError):
        return f"{error.fault} {error.status}" if error.fault == "status" else str(error.fault)
    return type(error).__name__ if error else None
