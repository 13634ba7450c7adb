"""Where errors of the lower layers become Airflow's: their type decides whether the task is tried again."""

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

__all__ = ["FAILURE_KEY", "KalturaRetryPolicy", "airflow_errors", "retry_helps"]

FAILURE_KEY = "kaltura_failure"
"""XCom under which a task that failed as a whole says why: ``{"map_index", "reason", "retry_helps"}``."""

_NO_FAILURE = (AirflowSkipException, AirflowRescheduleException)

log = logging.getLogger(__name__)


def retry_helps(error: BaseException) -> bool:
    """Return whether the same work may succeed later, with nobody changing anything.

    Errors of this package say so themselves. Of other errors, those fail again that come from what the author wrote:
    ``ValueError``, ``TypeError``, errors of Jinja and a connection that does not exist.
    """
    if (said := _said(error)) is not None:
        return said
    return isinstance(error, OSError) or not isinstance(error, _author_errors())


def _said(error: BaseException) -> bool | None:
    """Return what an error of this package says of a retry; nothing for other errors."""
    from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError, KalturaPermanentError

    if isinstance(error, KalturaConfigurationError | KalturaPermanentError):
        return False
    if hasattr(error, "retry_helps") or hasattr(error, "permanent"):
        return bool(getattr(error, "retry_helps", True)) and not getattr(error, "permanent", False)
    return True if isinstance(error, KalturaError) else None


def _author_errors() -> tuple[type[BaseException], ...]:
    from jinja2 import TemplateError

    return (ValueError, TypeError, TemplateError, AirflowNotFoundException)


def _is_foreseen(error: BaseException) -> bool:
    """Tell whether an error's words say all there is to say, so that no traceback is needed."""
    from jinja2 import TemplateError

    return _said(error) is not None or isinstance(error, AirflowException | TemplateError)


def airflow_errors(context: Context | None = None) -> AbstractContextManager[None]:
    """Fail a task at once where no retry can help; let every other error through, to be retried.

    Airflow logs a traceback with every failure. An error of this package keeps only the frames above this one; where
    it was raised is logged at debug level.

    :param context: the task's; the reason is left for the summary, in the XCom :data:`FAILURE_KEY`.
    :raises AirflowFailException: in place of an error that :func:`retry_helps` says no to.
    """
    return _Border(context)


class _Border(contextlib.AbstractContextManager[None]):
    # A generator would not do: contextlib gives an error that passes through its whole traceback back.

    def __init__(self, context: Context | None) -> None:
        self._context = context

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, _NO_FAILURE):
            return
        _leave_reason(self._context, error)
        foreseen = _is_foreseen(error)
        if foreseen:
            log.debug("The task failed here", exc_info=error)
            error.__traceback__ = None
        if not isinstance(error, AirflowFailException) and not retry_helps(error):
            raise AirflowFailException(_words(error)) from (None if foreseen else error)
        if foreseen:
            raise error from None


def _leave_reason(context: Context | None, error: Exception) -> None:
    if context is None:
        return
    ti: Any = context["ti"]
    helps = not isinstance(error, AirflowFailException) and retry_helps(error)
    failure = {"map_index": getattr(ti, "map_index", -1), "reason": _words(error), "retry_helps": helps}
    # Whatever keeps this from being told must not hide the error itself.
    with contextlib.suppress(Exception):
        ti.xcom_push(key=FAILURE_KEY, value=failure)


def _words(error: Exception) -> str:
    """Return an error as one text without secrets; the class is named where the words alone say too little."""
    from kaltura_provider.api.redaction import redact

    text = redact(str(error))
    return text if text and _is_foreseen(error) else f"{type(error).__name__}: {text}".rstrip(": ")


class KalturaRetryPolicy(RetryPolicy):
    """For tasks of your own that call the hook: ``@task(retries=5, retry_policy=KalturaRetryPolicy())``.

    An error that no retry can help fails the task at once; every other one is retried as the task says. The operators
    of this package do so by themselves.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide by the type of the error."""
        return RetryDecision.default() if retry_helps(exception) else RetryDecision.fail(str(exception))

    def serialize(self) -> dict[str, object]:
        """Return what a DAG's serialized form holds of this policy: nothing but its class."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, object]) -> KalturaRetryPolicy:
        """Build the policy again."""
        return cls()
