"""The ways in which a call to Kaltura can fail, as one tree.

KalturaError                      service, action, message, request_id
├── KalturaConfigurationError     field, value, fix: a setting is wrong; a retry does not help
├── KalturaTransportError         fault, ambiguous, status, retry_after: no readable answer
└── KalturaAPIError               code, details: the server answered with a KalturaAPIException
    ├── KalturaTransientError     the same call may succeed later
    ├── KalturaSessionError       the session has ended; a new one helps
    └── KalturaPermanentError     the same call never succeeds
        └── KalturaNotFoundError  the object does not exist, or no longer exists

They can be pickled, and never carry a session or another secret, whatever the server's answer contains.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from kaltura_provider.api.codes import RENEWABLE_SESSION_STATES, SERVER_TROUBLE_CODES, ErrorClass, classify
from kaltura_provider.api.redaction import HIDDEN, printable, redact
from kaltura_provider.api.signing import is_object_id, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "KalturaAPIError",
    "KalturaConfigurationError",
    "KalturaError",
    "KalturaNotFoundError",
    "KalturaPermanentError",
    "KalturaSessionError",
    "KalturaTransientError",
    "KalturaTransportError",
    "TransportFault",
    "api_error",
]


class TransportFault(StrEnum):
    """How an HTTP exchange failed."""

    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    CUT = "cut"
    STATUS = "status"
    REDIRECT = "redirect"
    NOT_JSON = "not json"


# With these faults the request did not reach the server.
_NEVER_SENT = frozenset({TransportFault.DNS, TransportFault.REFUSED, TransportFault.TLS, TransportFault.CONNECT})
_LONGEST_VALUE = 500
# A proxy or web server that answers with one of these did not pass the request on.
_NOT_PASSED_ON = frozenset({408, 425, 429, 503})


class KalturaError(Exception):
    """Base class of the errors of this package's Kaltura client.

    ``service`` and ``action`` are empty if no call was involved. ``request_id`` is the answer's
    ``X-Kaltura-Session`` header, which Kaltura's support asks for.
    """

    _fields: ClassVar[tuple[str, ...]] = ("message", "service", "action", "request_id")

    def __init__(self, message: str, *, service: str = "", action: str = "", request_id: str | None = None) -> None:
        self.message = printable(message)
        self.service = service
        self.action = action
        self.request_id = request_id
        super().__init__(self.message)

    @property
    def ambiguous(self) -> bool:
        """Whether the server may have carried out the call. If so, read its state before repeating the call."""
        return False

    def _text(self) -> str:
        return self.message

    def __str__(self) -> str:
        call = f"{self.service}.{self.action}: " if self.service else ""
        request = f" [request {self.request_id}]" if self.request_id else ""
        return f"{call}{self._text()}{request}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: getattr(self, name) for name in self._fields}
        return _rebuild, (type(self), state)

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        return cls(**state)


def _rebuild(cls: type[KalturaError], state: dict[str, Any]) -> KalturaError:
    return cls._from_state(state)


class KalturaConfigurationError(KalturaError):
    """A setting is missing or wrong.

    ``field`` names the setting, ``value`` is ``None`` if it is missing or a secret, ``fix`` is what to do.
    """

    _fields = ("field", "value", "problem", "fix")

    def __init__(self, field: str, value: object, problem: str, fix: str) -> None:
        self.field = field
        self.value = _shown(field, value)
        self.problem = problem
        self.fix = fix
        shown = "" if self.value is None else f" {self.value!r}"
        super().__init__(f"{field}{shown} {problem}: {fix}")


class KalturaUnknownConnectionError(KalturaConfigurationError):
    """An argument names a connection that does not exist.

    Airflow says the same when it could not look the connection up, such as while its database is down.
    """


def _shown(field: str, value: object) -> str | int | float | None:
    """Return what an error may show of a field's value: nothing if the field is meant for a secret."""
    if value is None or (is_secret_name(field.rpartition(" ")[2]) and field not in ("token", "auth")):
        return None
    return value if isinstance(value, (int, float)) else redact(str(value)[:_LONGEST_VALUE])


class KalturaTransportError(KalturaError):
    """There was no readable answer: no connection, a cut connection, a proxy's error page, or a broken reply.

    ``status`` is the HTTP status, if any, and ``retry_after`` the seconds of its ``Retry-After`` header.
    """

    _fields = ("message", "fault", "service", "action", "request_id", "status", "retry_after")

    def __init__(
        self,
        message: str,
        *,
        fault: TransportFault,
        service: str = "",
        action: str = "",
        request_id: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, service=service, action=action, request_id=request_id)
        self.fault = fault
        self.status = status
        self.retry_after = retry_after

    @property
    def ambiguous(self) -> bool:
        """Whether the request may have reached Kaltura, which may have carried it out."""
        if self.fault in _NEVER_SENT or self.fault is TransportFault.REDIRECT:
            return False
        if self.fault is TransportFault.STATUS and self.status is not None:
            return self.status >= 500 and self.status not in _NOT_PASSED_ON
        return True

    @property
    def retry_helps(self) -> bool:
        """Whether the same request may succeed later. With a bad certificate or a wrong path it does not."""
        if self.fault in (TransportFault.TLS, TransportFault.REDIRECT):
            return False
        if self.fault is TransportFault.STATUS and self.status is not None:
            return self.status >= 500 or self.status in _NOT_PASSED_ON
        return True


class KalturaAPIError(KalturaError):
    """The server answered with an error (``KalturaAPIException``); ``details`` are its arguments by name."""

    _fields = ("code", "message", "details", "service", "action", "request_id")

    def __init__(
        self,
        code: str,
        message: str = "",
        details: Mapping[str, str] | None = None,
        *,
        service: str = "",
        action: str = "",
        request_id: str | None = None,
    ) -> None:
        self.code = code
        message, self.details = _without_secrets(code, message, details or {})
        super().__init__(message, service=service, action=action, request_id=request_id)

    def _text(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.code}: {self.message}" + (f" ({shown})" if shown else "")


class KalturaTransientError(KalturaAPIError):
    """The server is busy or failing, or the object is not ready. The same call may succeed later."""

    @property
    def ambiguous(self) -> bool:
        """Whether the server failed in the middle of the call."""
        return self.code in SERVER_TROUBLE_CODES


class KalturaSessionError(KalturaAPIError):
    """The session has expired, was ended or is used up. The same call succeeds with a new session."""


class KalturaPermanentError(KalturaAPIError):
    """The server refused the call, and would refuse it again."""


class KalturaNotFoundError(KalturaPermanentError):
    """The object does not exist, or this session cannot see it."""


_CLASSES: dict[ErrorClass, type[KalturaAPIError]] = {
    ErrorClass.TRANSIENT: KalturaTransientError,
    ErrorClass.SESSION: KalturaSessionError,
    ErrorClass.PERMANENT: KalturaPermanentError,
    ErrorClass.NOT_FOUND: KalturaNotFoundError,
}


def api_error(
    code: str,
    message: str = "",
    details: Mapping[str, str] | None = None,
    *,
    service: str = "",
    action: str = "",
    request_id: str | None = None,
) -> KalturaAPIError:
    """Build an error of the class that belongs to ``code`` and, for ``INVALID_KS``, to ``details``."""
    cls = _CLASSES[classify(code, details or {})]
    return cls(code, message, details, service=service, action=action, request_id=request_id)


def _without_secrets(code: str, message: str, details: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Redact a server's error. ``INVALID_KS`` quotes whatever was sent as the session."""
    hidden: list[str] = []
    if code == "APP_TOKEN_ID_NOT_FOUND":
        # A user who confused the id of the app token with its value has sent the value, which is a secret.
        hidden += [value for value in details.values() if not is_object_id(value)]
    if code == "INVALID_KS":
        echoed = details.get("KSID", "")
        known = echoed in RENEWABLE_SESSION_STATES or echoed.startswith(("EXCEEDED_", "INVALID_"))
        if echoed and not known:
            hidden.append(echoed)
    clean = {name: HIDDEN if value in hidden else printable(redact(value, hidden)) for name, value in details.items()}
    return redact(message, hidden), clean
