"""Which failures of a chunk pass by themselves."""

from __future__ import annotations

from kaltura_provider.api.errors import KalturaSessionError, KalturaTransientError, KalturaTransportError
from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["TOO_LARGE", "passing", "too_large"]

TOO_LARGE = 413
"""HTTP status of a server or proxy that takes no request of this size."""


def passing(error: BaseException, *, renewable: bool) -> bool:
    """Whether the same request may succeed later.

    :param renewable: whether the client can open another session. It did so once already; sessions that end in a
        row are tried like any other trouble that passes.
    """
    if isinstance(error, KalturaSessionError):
        return renewable
    if isinstance(error, KalturaTransportError):
        return error.retry_helps
    if isinstance(error, SourceError):
        return not error.permanent
    return isinstance(error, KalturaTransientError)


def too_large(error: BaseException) -> bool:
    """Whether the request was refused for its size."""
    return isinstance(error, KalturaTransportError) and error.status == TOO_LARGE
