"""Turn errors of the lower layers into Airflow's. Their type decides whether Airflow retries the task."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowRescheduleException,
    AirflowSkipException,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from airflow.sdk import Context

__all__ = ["FAILURE_KEY", "KalturaRetryPolicy", "airflow_errors", "is_foreseen", "retry_helps"]

FAILURE_KEY = "kaltura_failure"
"""The XCom key under which a failed task stores why it failed: ``{"map_index", "reason", "retry_helps"}``."""

_NO_FAILURE = (AirflowSkipException, AirflowRescheduleException)

log = logging.getLogger(__name__)


def retry_helps(error: BaseException) -> bool:
    """Return whether the same work may succeed later without any change.

    Errors of this package know the answer. Of all others, errors in what the author wrote are permanent:
    ``ValueError``, ``TypeError``, errors of Jinja, and a connection that does not exist.
    """
    if (said := _said(error)) is not None:
        return said
    return isinstance(error, OSError) or not isinstance(error, _author_errors())


def _said(error: BaseException) -> bool | None:
    """Return whether an error of this package says that a retry helps; ``None`` for other errors."""
    from kaltura_provider.api.errors import (
        KalturaConfigurationError,
        KalturaError,
        KalturaPermanentError,
        KalturaUnknownConnectionError,
    )

    if isinstance(error, KalturaUnknownConnectionError):
        return True  # Airflow says so too while it cannot look the connection up
    if isinstance(error, KalturaConfigurationError | KalturaPermanentError):
        return False
    if hasattr(error, "retry_helps") or hasattr(error, "permanent"):
        return bool(getattr(error, "retry_helps", True)) and not getattr(error, "permanent", False)
    return True if isinstance(error, KalturaError) else None


def _author_errors() -> tuple[type[BaseException], ...]:
    from jinja2 import TemplateError

    return (ValueError, TypeError, TemplateError, AirflowNotFoundException)


def is_foreseen(error: BaseException) -> bool:
    """Return whether the message of an error is enough, without a traceback."""
    from jinja2 import TemplateError

    return _said(error) is not None or isinstance(error, AirflowException | TemplateError)


def airflow_errors(context: Context | None = None) -> AbstractContextManager[None]:
    """Fail a task at once if a retry cannot help. Let Airflow retry after any other error.

    Airflow logs a traceback with every failure. For errors of this package it only shows the frames above this one;
    the rest is logged at debug level.

    :param context: the context of the task; the reason is stored in the XCom :data:`FAILURE_KEY` for the summary.
    :raises AirflowFailException: instead of an error for which :func:`retry_helps` returns ``False``.
    """
    return _Border(context)


class _Border(contextlib.AbstractContextManager[None]):
    # This is not a generator: contextlib would restore the whole traceback of an error that passes through it.

    def __init__(self, context: Context | None) -> None:
        self._context = context

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, _NO_FAILURE):
            return
        _leave_reason(self._context, error)
        foreseen = is_foreseen(error)
        if foreseen:
            log.debug("The task failed here", exc_info=error)
            error.__traceback__ = None
        if not isinstance(error, AirflowFailException) and not retry_helps(error):
            raise AirflowFailException(_words(error)) from (None if foreseen else error)
        if foreseen:
            raise error from None


def _leave_reason(context: Context | None, error: Exception) -> None:
    from kaltura_provider.api.redaction import LONGEST

    if context is None:
        return
    ti: Any = context["ti"]
    helps = not isinstance(error, AirflowFailException) and retry_helps(error)
    reason = _words(error)
    if len(reason) > LONGEST:
        reason = f"{reason[:LONGEST]}... (the log has all of it)"
    failure = {"map_index": getattr(ti, "map_index", -1), "reason": reason, "retry_helps": helps}
    # A failure to store the reason must not hide the error itself.
    with contextlib.suppress(Exception):
        ti.xcom_push(key=FAILURE_KEY, value=failure)


def _words(error: Exception) -> str:
    """Return an error as text without secrets. The class is named if the message alone is not enough."""
    from kaltura_provider.api.redaction import redact

    text = redact(str(error))
    return text if text and is_foreseen(error) else f"{type(error).__name__}: {text}".rstrip(": ")


class KalturaRetryPolicy(RetryPolicy):
    """A retry policy for your own tasks that call the hook: ``@task(retries=5, retry_policy=KalturaRetryPolicy())``.

    If a retry cannot help, the task fails at once. After any other error it is retried according to its settings. The
    operators of this package do not need this policy.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide by the type of the error."""
        return RetryDecision.default() if retry_helps(exception) else RetryDecision.fail(str(exception))

    def serialize(self) -> dict[str, object]:
        """Return the serialized form of this policy, which has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, object]) -> KalturaRetryPolicy:
        """Build the policy from its serialized form."""
        return cls()
