"""Which failed polls a wait survives, and how the triggerer passes an error to the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
    TransportFault,
    api_error,
)
from kaltura_provider.api.redaction import redact

__all__ = ["ErrorBudget", "error_from_json", "error_to_json", "is_transient"]

BUDGET: Final = 600.0
"""Seconds of consecutive failed polls that a wait survives."""
REFUSALS: Final = 3
"""Consecutive failed polls with a permanent error that end a wait. Somebody may be correcting the connection."""


def is_transient(error: BaseException) -> bool:
    """Return whether the same poll may succeed later."""
    if isinstance(error, KalturaTransportError):
        return error.retry_helps
    if isinstance(error, KalturaError):
        return isinstance(error, KalturaTransientError | KalturaSessionError)
    return isinstance(error, OSError | TimeoutError)


@dataclass(slots=True)
class ErrorBudget:
    """Counts the failed polls of one wait. Times are in seconds of one clock."""

    seconds: float = BUDGET
    since: float | None = None
    count: int = 0

    def success(self) -> None:
        """Record a successful poll."""
        self.since, self.count = None, 0

    def failure(self, error: BaseException, now: float) -> bool:
        """Record a failed poll; return whether the wait must end now."""
        self.since = now if self.since is None else self.since
        self.count += 1
        if is_transient(error):
            return now - self.since >= self.seconds
        return self.count >= REFUSALS


def error_to_json(error: BaseException) -> dict[str, Any]:
    """Return an error as a small JSON value without secrets."""
    if isinstance(error, KalturaAPIError):
        kind: dict[str, Any] = {"code": error.code, "details": error.details}
    elif isinstance(error, KalturaTransportError):
        kind = {"fault": error.fault.value, "status": error.status}
    else:
        kind = {"type": type(error).__name__}
    if not isinstance(error, KalturaError):
        return {**kind, "message": redact(str(error)), "permanent": not is_transient(error)}
    return {
        **kind,
        "message": error.message,
        "service": error.service,
        "action": error.action,
        "request_id": error.request_id,
        "permanent": not is_transient(error),
    }


def error_from_json(stored: dict[str, Any]) -> KalturaError:
    """Return the error that :func:`error_to_json` described, with its class if that is one of ``api.errors``."""
    call = {"service": stored.get("service", ""), "action": stored.get("action", "")}
    request_id = stored.get("request_id")
    message = stored.get("message", "")
    if "code" in stored:
        return api_error(stored["code"], message, stored.get("details"), **call, request_id=request_id)
    if "fault" in stored:
        fault = TransportFault(stored["fault"])
        status = stored.get("status")
        return KalturaTransportError(message, fault=fault, **call, request_id=request_id, status=status)
    return KalturaError(f"{stored.get('type', 'error')}: {message}", **call, request_id=request_id)
