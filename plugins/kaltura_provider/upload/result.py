"""The result of an upload."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["UploadResult"]


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The result of an upload that is complete on the server.

    :param crc32c: CRC-32C of the source's bytes, base64 as S3 prints it; ``None`` if unknown.
    :param crc32c_note: what it was compared with, or why it is unknown.
    :param sha256: SHA-256 in hex, if it was asked for.
    :param bytes_sent: bytes of the source sent by this process, including repeated ones.
    :param resumed_from: bytes the token had when this process began.
    :param chunks: chunks the server accepted from this process.
    :param token_status: ``FULL_UPLOAD`` or ``CLOSED``, as a number.
    """

    token_id: str
    size: int
    crc32c: str | None
    crc32c_note: str | None
    sha256: str | None
    bytes_sent: int
    resumed_from: int
    chunks: int
    seconds: float
    token_status: int

    @property
    def rate(self) -> float:
        """Bytes per second."""
        return self.bytes_sent / self.seconds if self.seconds > 0 else 0.0
