"""Checksums of a source whose bytes were sent in pieces, perhaps by more than one process."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.upload.checksum import ChecksumCollector, combine, crc32c, to_base64
from kaltura_provider.upload.errors import ChecksumMismatch

if TYPE_CHECKING:
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["Digests", "compute", "read_digests"]


@dataclass(frozen=True, slots=True)
class Digests:
    """Checksums of a whole source: CRC-32C or ``None``, what there is to say about it, SHA-256 if asked for."""

    crc32c: int | None
    note: str | None
    sha256: str | None = None


def read_digests(source: Source, length: int, window: int) -> tuple[int, str]:
    """Read the first ``length`` bytes of a source and return their CRC-32C and SHA-256 (hex).

    :raises SourceError: the source cannot be read.
    """
    crc, sha = 0, hashlib.sha256()
    with closing(source.read(0, length, window)) as windows:
        for data in windows:
            crc = crc32c(data, crc)
            sha.update(data)
    return crc, sha.hexdigest()


def compute(source: Source, sent: ChecksumCollector, settings: UploadSettings, token_id: str) -> Digests:
    """Return the checksums of a source, all bytes of which have been sent.

    :param sent: the checksums of what this process sent.
    :raises ChecksumMismatch: the store recorded another CRC-32C, or two reads of the source differ.
    """
    own = sent.crc if sent.start == 0 and sent.end == source.size else None
    crc, sha = own, None
    if settings.sha256:
        crc, sha = read_digests(source, source.size, settings.window)
        if own is not None and own != crc:
            raise ChecksumMismatch(token_id, to_base64(crc), to_base64(own))
    elif own is None and settings.reread and sent.end == source.size:
        before, _ = read_digests(source, sent.start, settings.window)
        crc = combine(before, sent.crc, source.size - sent.start)
    if crc is None:
        return Digests(None, _unknown(sent), sha)
    if source.crc32c is None:
        return Digests(crc, "the store has no CRC-32C of the whole object to compare with", sha)
    if crc != source.crc32c:
        raise ChecksumMismatch(token_id, to_base64(source.crc32c), to_base64(crc))
    return Digests(crc, "equal to the store's checksum of the whole object", sha)


def _unknown(sent: ChecksumCollector) -> str:
    if sent.start:
        return f"unknown: the first {sent.start} bytes were sent earlier; with reread=True they are read once more"
    return "unknown: another process sent some of the bytes"
