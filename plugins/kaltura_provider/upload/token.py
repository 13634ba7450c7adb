"""The state of an upload token as the server reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import UploadTokenStatus, parse_status
from kaltura_provider.api.errors import KalturaAPIError, KalturaTransportError, TransportFault
from kaltura_provider.upload.errors import GoneReason, TokenGone

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["TokenState", "gone", "look"]

_GONE = {
    "UPLOAD_TOKEN_NOT_FOUND": GoneReason.DELETED,
    "UPLOAD_PASSED_MAX_RESUME_TIME_ALLOWED": GoneReason.EXPIRED,
    "MAX_ALLOWED_CHUNK_COUNT_EXCEEDED": GoneReason.CHUNKS,
    "UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD": GoneReason.REFUSED,
}


@dataclass(frozen=True, slots=True)
class TokenState:
    """A ``KalturaUploadToken``.

    ``front`` is ``uploadedFileSize``: the bytes the server has without a gap, counted from the first; ``None``
    before the first byte. ``updated_at`` is in the server's seconds since 1970. ``attached``: an entry or asset
    waits for it.
    """

    status: UploadTokenStatus | int | str
    front: int | None
    file_name: str = ""
    updated_at: int = 0
    attached: bool = False

    @classmethod
    def parse(cls, answer: Any) -> TokenState:
        """Read the server's answer; large numbers come as text.

        :raises KalturaTransportError: it is not a token.
        """
        if not isinstance(answer, Mapping):
            raise KalturaTransportError(
                f"the answer is {type(answer).__name__}, not an upload token",
                fault=TransportFault.NOT_JSON,
                service="uploadToken",
            )
        front = answer.get("uploadedFileSize")
        return cls(
            parse_status(UploadTokenStatus, answer.get("status")),
            None if front is None else _whole(front),
            str(answer.get("fileName") or ""),
            _whole(answer.get("updatedAt") or 0),
            bool(answer.get("attachedObjectId")),
        )

    @property
    def full(self) -> bool:
        """Whether the server considers the upload finished."""
        return self.status in (UploadTokenStatus.FULL_UPLOAD, UploadTokenStatus.CLOSED)


def _whole(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdigit() else int(float(text))


def gone(token_id: str, error: KalturaAPIError) -> TokenGone | None:
    """Return the error for a token that can no longer be filled, if ``error`` says so."""
    reason = _GONE.get(error.code)
    return TokenGone(token_id, reason) if reason else None


def look(client: KalturaClient, token_id: str) -> TokenState:
    """Ask the server for a token.

    :raises TokenGone: it does not exist, or takes no more bytes.
    :raises KalturaError: the server gave no answer, or refused.
    """
    try:
        state = TokenState.parse(client.call("uploadToken", "get", {"uploadTokenId": token_id}))
    except KalturaAPIError as error:
        raise gone(token_id, error) or error from None
    if state.status in (UploadTokenStatus.TIMED_OUT, UploadTokenStatus.DELETED):
        raise TokenGone(token_id, GoneReason.DELETED)
    if state.status == UploadTokenStatus.ERROR:
        raise TokenGone(token_id, GoneReason.CHUNKS)
    return state
