"""Where errors of the lower layers become Airflow's: their type decides whether the task is tried again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

__all__ = ["KalturaRetryPolicy", "airflow_errors", "retry_helps"]


def retry_helps(error: BaseException) -> bool:
    """Return whether the same work may succeed later, with nobody changing anything."""
    from kaltura_provider.api.errors import KalturaConfigurationError, KalturaPermanentError

    if isinstance(error, (KalturaConfigurationError, KalturaPermanentError)):
        return False
    # Transport, source, upload and ingest errors say it themselves.
    return bool(getattr(error, "retry_helps", True)) and not getattr(error, "permanent", False)


@contextlib.contextmanager
def airflow_errors() -> Iterator[None]:
    """Fail a task at once where no retry can help; let every other error through, to be retried.

    :raises AirflowFailException: in place of an error that :func:`retry_helps` says no to.
    """
    try:
        yield
    except AirflowFailException:
        raise
    except Exception as error:
        if retry_helps(error):
            raise
        raise AirflowFailException(str(error)) from error


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
