"""Errors of an upload, as one tree. Errors of sources are in :mod:`~.sources.errors`.

UploadError                 permanent, token_id
├── TokenGone               reason: the token can no longer be filled; a new one can
├── TokenBusy               another process is sending to the token right now
├── SizeMismatch            the token holds another number of bytes than the source
├── ChecksumMismatch        the bytes read differ from the checksum of the store
├── ChunkRefused            length: a proxy refuses even requests of the smallest chunk's size (HTTP 413)
├── FinalRefused            the server has every byte but does not finish the token
└── UploadCancelled         the upload was cancelled

Errors of the server and of the connection (:class:`~kaltura_provider.api.KalturaError`) are raised
unchanged when the attempts are used up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from kaltura_provider.api.redaction import printable

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
    """Base of the upload errors.

    ``permanent`` means that sending the same source again will not help; ``token_id`` is the upload token.
    """

    permanent: ClassVar[bool] = False

    def __init__(self, message: str, token_id: str) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.token_id = token_id

    def __str__(self) -> str:
        return f"upload token {self.token_id}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.token_id)


class GoneReason(StrEnum):
    """Why a token can no longer be filled."""

    DELETED = "deleted"
    REFUSED = "refused"
    EXPIRED = "expired"
    CHUNKS = "too many chunks"
    FAILED = "failed"
    LOST = "lost"


_EXPLAINED = {
    GoneReason.DELETED: "it does not exist: it was deleted, or belongs to another user. Create a new token",
    GoneReason.REFUSED: (
        "the server deleted it when the last byte arrived, because the account does not allow this type of file or the "
        "file's extension does not match its content. Allow the type in the KMC (Settings, Account Settings), or "
        "rename the file"
    ),
    GoneReason.EXPIRED: "its upload began more than 7 days ago, so it takes no more bytes. Create a new token",
    GoneReason.CHUNKS: "the server holds too many separate chunks of it. Create a new token",
    GoneReason.FAILED: (
        "it was deleted before it was full, or because the server could not store the file. Create a new token"
    ),
    GoneReason.LOST: (
        "the server has lost its file repeatedly (UPLOAD_TOKEN_CANNOT_RESUME). Delete it and make a new token"
    ),
}


class TokenGone(UploadError):
    """The token can no longer be filled; ``reason`` says why. Only a refused type of file is permanent."""

    def __init__(self, token_id: str, reason: GoneReason) -> None:
        super().__init__(_EXPLAINED[reason], token_id)
        self.reason = reason

    @property
    def permanent(self) -> bool:  # type: ignore[override]  # a plain attribute of the base
        """Whether a new token would end the same way."""
        return self.reason is GoneReason.REFUSED

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.reason)


class TokenBusy(UploadError):
    """Another process is sending to the token. Two at once can undo each other's work."""


class SizeMismatch(UploadError):
    """The token holds more or fewer bytes than the source; ``expected`` and ``found`` are bytes."""

    def __init__(self, token_id: str, expected: int, found: int | None) -> None:
        held = "no bytes" if found is None else f"{found} bytes"
        super().__init__(
            f"it holds {held}, but the source has {expected}. Delete it and send the source again", token_id
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.expected, self.found)


class ChecksumMismatch(UploadError):
    """The bytes read have another CRC-32C than the store recorded for the object.

    ``expected`` and ``found`` are base64, as S3 prints them. It is raised before the token is finished.
    """

    def __init__(self, token_id: str, expected: str, found: str) -> None:
        super().__init__(
            f"the source's CRC-32C is {expected}, but the bytes read have {found}: they were damaged on the way. "
            "Delete the token and send the source again",
            token_id,
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.expected, self.found)


class ChunkRefused(UploadError):
    """The server, or a proxy before it, refuses requests of ``length`` bytes, and smaller ones are not tried.

    ``minimum`` is how large chunks must be, since a token takes at most 9,000.
    """

    permanent = True

    def __init__(self, token_id: str, length: int, minimum: int = 1) -> None:
        below = (
            f"; a source of this size needs chunks of at least {minimum} bytes, since a token takes at most 9,000"
            if length <= minimum
            else ", or set chunk_size below it"
        )
        super().__init__(
            f"the server, or a proxy before it, refuses a request of {length} bytes (HTTP 413). Raise its limit "
            f"(nginx: client_max_body_size){below}",
            token_id,
        )
        self.length = length
        self.minimum = minimum

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.token_id, self.length, self.minimum)


class FinalRefused(UploadError):
    """The server did not finish the token although it was repeatedly sent everything."""


class UploadCancelled(UploadError):
    """The upload was cancelled. The token keeps what it has, and the upload can be resumed."""
