"""An upload token while it is being filled: read it, and detect when it takes no more bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.api.errors import KalturaAPIError, KalturaTransportError, TransportFault
from kaltura_provider.services.upload_token import UploadToken
from kaltura_provider.upload.errors import GoneReason, TokenGone

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["gone", "look", "read_answer"]

_GONE = {
    "UPLOAD_TOKEN_NOT_FOUND": GoneReason.DELETED,
    "UPLOAD_PASSED_MAX_RESUME_TIME_ALLOWED": GoneReason.EXPIRED,
    "MAX_ALLOWED_CHUNK_COUNT_EXCEEDED": GoneReason.CHUNKS,
    "UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD": GoneReason.REFUSED,
}


def read_answer(answer: Any) -> UploadToken:
    """Read the server's answer to an upload.

    :raises KalturaTransportError: it is not an upload token.
    """
    if not isinstance(answer, Mapping):
        raise KalturaTransportError(
            f"the answer is {type(answer).__name__}, not an upload token",
            fault=TransportFault.NOT_JSON,
            service="uploadToken",
        )
    return UploadToken.of(answer)


def gone(token_id: str, error: KalturaAPIError) -> TokenGone | None:
    """Return the error for a token that can no longer be filled, if ``error`` means that."""
    reason = _GONE.get(error.code)
    return TokenGone(token_id, reason) if reason else None


def look(client: KalturaClient, token_id: str) -> UploadToken:
    """Ask the server for a token.

    :raises TokenGone: it does not exist, or takes no more bytes.
    :raises KalturaError: the server gave no answer, or refused.
    """
    try:
        state = read_answer(client.call("uploadToken", "get", {"uploadTokenId": token_id}))
    except KalturaAPIError as error:
        raise gone(token_id, error) or error from None
    if state.status in (UploadTokenStatus.TIMED_OUT, UploadTokenStatus.DELETED):
        raise TokenGone(token_id, GoneReason.DELETED)
    if state.status == UploadTokenStatus.ERROR:
        raise TokenGone(token_id, GoneReason.CHUNKS)
    return state
