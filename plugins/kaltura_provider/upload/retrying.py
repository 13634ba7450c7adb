"""Which failures are worth another attempt, and how long to wait before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaSessionError, KalturaTransientError, KalturaTransportError
from kaltura_provider.upload.sources.errors import SourceError

if TYPE_CHECKING:
    from kaltura_provider.api.retry import RetrySettings

__all__ = ["TOO_LARGE", "is_too_large", "is_transient", "pause_after"]

TOO_LARGE = 413
"""HTTP status of a server or proxy that refuses a request for its size."""


def is_transient(error: BaseException, *, renewable: bool) -> bool:
    """Whether the same request may succeed later.

    :param renewable: whether the client can open another session. It has already done so once; sessions that end in a
        row are retried like any other transient error.
    """
    if isinstance(error, KalturaSessionError):
        return renewable
    if isinstance(error, KalturaTransportError):
        return error.retry_helps
    if isinstance(error, SourceError):
        return not error.permanent
    return isinstance(error, KalturaTransientError)


def is_too_large(error: BaseException) -> bool:
    """Whether the request was refused for its size."""
    return isinstance(error, KalturaTransportError) and error.status == TOO_LARGE


def pause_after(error: BaseException, attempt: int, retry: RetrySettings, elapsed: float = 0.0) -> float:
    """Return the seconds to wait before the next attempt, at least what the server's ``Retry-After`` asks for.

    :param attempt: how many attempts have failed, this one included.
    :param elapsed: seconds since the first attempt, or since the last progress.
    :raises: ``error``, if the attempts are used up or the server asks for a longer wait than the budget allows.
    """
    delay = retry.delay(attempt, getattr(error, "retry_after", None), elapsed)
    if delay is None:
        raise error
    return delay
