"""CRC-32C of a whole source, combined from the checksums of chunks that were sent in any order."""

from __future__ import annotations

import base64
from functools import lru_cache

import google_crc32c

__all__ = ["ChecksumCollector", "combine", "crc32c", "from_base64", "to_base64"]

# The CRC-32C (Castagnoli) polynomial, bit-reversed, as RFC 3720 uses it.
_POLYNOMIAL = 0x82F63B78
_ONE = 0x80000000


def crc32c(data: bytes, crc: int = 0) -> int:
    """Return the CRC-32C of ``data``, or of what ``crc`` stands for followed by ``data``."""
    value: int = google_crc32c.extend(crc, data)
    return value


def _multiply(left: int, right: int) -> int:
    """Multiply two polynomials over GF(2), bit-reversed, modulo the CRC's polynomial."""
    product = 0
    while right:
        if right & _ONE:
            product ^= left
        right = (right << 1) & 0xFFFFFFFF
        left = (left >> 1) ^ (_POLYNOMIAL if left & 1 else 0)
    return product


@lru_cache(maxsize=256)
def _shift(length: int) -> int:
    """Return x to the power ``8 * length``: what ``length`` further bytes multiply a CRC by."""
    power, result = _ONE >> 8, _ONE
    while length:
        if length & 1:
            result = _multiply(result, power)
        power = _multiply(power, power)
        length >>= 1
    return result


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32C of two pieces in a row, from theirs and the second one's ``length`` in bytes.

    The mathematics is that of zlib's ``crc32_combine``.
    """
    return _multiply(first, _shift(length)) ^ second


def to_base64(crc: int) -> str:
    """Format a CRC-32C as S3 does (``ChecksumCRC32C``): base64 of its four bytes, highest first."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def from_base64(text: str) -> int:
    """Parse what :func:`to_base64` returns.

    :raises ValueError: it is not base64 of four bytes.
    """
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 4:
        raise ValueError(f"{text!r} is not base64 of four bytes")
    return int.from_bytes(raw, "big")


class ChecksumCollector:
    """Takes the checksums of pieces in any order and keeps the checksum of everything from ``start`` on.

    A piece may come twice; only pieces that join end to end count.

    :param start: the offset of the first byte that is counted.
    """

    def __init__(self, start: int = 0) -> None:
        self.start = self.end = start
        self.crc = 0
        self._waiting: dict[int, tuple[int, int]] = {}
        self._joints: dict[int, int] = {start: 0}

    def add(self, offset: int, length: int, crc: int) -> None:
        """Add the checksum of ``length`` bytes at ``offset``."""
        if offset >= self.end and length:
            self._waiting[offset] = (length, crc)
        while self.end in self._waiting:
            length, crc = self._waiting.pop(self.end)
            self.crc = combine(self.crc, crc, length)
            self.end += length
            self._joints[self.end] = self.crc

    def rewind(self, offset: int) -> None:
        """Forget all pieces from ``offset`` on; they will come again, possibly cut differently.

        If no piece ended there, the pieces before it are forgotten too.
        """
        self._waiting.clear()
        if offset > self.end:
            return
        if offset not in self._joints:
            self.start, self._joints = offset, {offset: 0}
        self.end, self.crc = offset, self._joints[offset]
        self._joints = {end: crc for end, crc in self._joints.items() if end <= offset}
