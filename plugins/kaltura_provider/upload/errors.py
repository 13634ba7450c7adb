"""What can go wrong with an upload, as one tree; errors of sources are in :mod:`~.sources.errors`.

UploadError                 permanent, token_id
├── TokenGone               reason: the token cannot be filled any more; a new one can
├── TokenBusy               another process is sending to the token right now
├── SizeMismatch            the token holds another number of bytes than the source
├── ChecksumMismatch        what was read is not what the store says it holds
├── ChunkRefused            length: a proxy takes no request of even the smallest chunk's size (HTTP 413)
├── FinalRefused            the server has every byte and still does not finish the token
└── UploadCancelled         the uploader was told to stop

Errors of the server and of the connection (:class:`~.KalturaError`) come out as they are once
the attempts are used up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

__all__ = [
    "ChecksumMismatch",
    "ChunkRefused",
    "FinalRefused",
    "GoneReason",
    "SizeMismatch",
    "TokenBusy",
    "TokenGone",
    "UploadCancelled",
    "UploadError",
]


class UploadError(Exception):
    """Base of the errors of uploads.

    ``permanent`` says that sending the same source again will not help; ``token_id`` is the upload token.
    """

    permanent: ClassVar[bool] = False

    def __init__(self, message: str, token_id: str) -> None:
        super().__init__(message)
        self.message = message
        self.token_id = token_id

    def __str__(self) -> str:
        return f"upload token {self.token_id}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.token_id)


class GoneReason(StrEnum):
    """Why a token cannot be filled any more."""

    DELETED = "deleted"
    REFUSED = "refused"
    EXPIRED = "expired"
    CHUNKS = "too many chunks"
    FAILED = "failed"
    LOST = "lost"


_EXPLAINED = {
    GoneReason.DELETED: "it does not exist (any more): it was deleted, or belongs to another user. Make a new token",
    GoneReason.REFUSED: (
        "the server deleted it when the last byte arrived. It does so when the account does not allow this type of "
        "file (KMC: Settings, Account Settings), also if the file's extension and its content do not match"
    ),
    GoneReason.EXPIRED: "it was begun more than 7 days ago and takes no more bytes. Make a new token",
    GoneReason.CHUNKS: "the server has put too many chunks aside for it. Make a new token",
    GoneReason.FAILED: "the server could not store the file and deleted it. Make a new token",
    GoneReason.LOST: (
        "the server has lost its file and says so again and again (UPLOAD_TOKEN_CANNOT_RESUME). Delete it and make a "
        "new token"
    ),
}


class TokenGone(UploadError):
    """The token cannot be filled any more; ``reason`` says why. Only a refused type of file is permanent."""

    def __init__(self, token_id: str, reason: GoneReason) -> None:
        super().__init__(_EXPLAINED[reason], token_id)
        self.reason = reason

    @property
    def permanent(self) -> bool:  # type: ignore[override]
        """Whether a new token would end the same way."""
        return self.reason is GoneReason.REFUSED

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.reason)


class TokenBusy(UploadError):
    """Another process is sending to the token; two at once can undo each other's work."""


class SizeMismatch(UploadError):
    """The token holds another number of bytes than the source has; ``expected`` and ``found`` are bytes."""

    def __init__(self, token_id: str, expected: int, found: int | None) -> None:
        held = "no bytes" if found is None else f"{found} bytes"
        super().__init__(f"it holds {held}, the source has {expected}. Delete it and send again", token_id)
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.expected, self.found)


class ChecksumMismatch(UploadError):
    """The bytes that were read have another CRC-32C than the store recorded for the object.

    ``expected`` and ``found`` are base64, as S3 prints them. Raised before this process finishes the token.
    """

    def __init__(self, token_id: str, expected: str, found: str) -> None:
        super().__init__(
            f"the source's CRC-32C is {expected}, the bytes read have {found}: they were damaged on the way. "
            "Delete the token and send again",
            token_id,
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.expected, self.found)


class ChunkRefused(UploadError):
    """The server, or a proxy before it, takes no request of this many bytes (``length``), and smaller are not tried.

    ``least`` is how large chunks have to be so that their number will do.
    """

    permanent = True

    def __init__(self, token_id: str, length: int, least: int = 1) -> None:
        below = (
            f"; a source of this size takes chunks of at least {least} bytes, since a token takes at most 9,000"
            if length <= least
            else ", or set chunk_size below it"
        )
        super().__init__(
            f"the server, or a proxy before it, refuses a request of {length} bytes (HTTP 413). Raise its limit "
            f"(nginx: client_max_body_size){below}",
            token_id,
        )
        self.length = length
        self.least = least

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.length, self.least)


class FinalRefused(UploadError):
    """The server did not finish the token although it was sent everything, more than once."""


class UploadCancelled(UploadError):
    """The uploader was told to stop; the token keeps what it has and can be taken up again."""
