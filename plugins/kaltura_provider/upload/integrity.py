"""Checksums of a source whose bytes were sent in pieces, possibly by more than one process."""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.redaction import printable
from kaltura_provider.upload.checksum import ChecksumCollector, crc32c, to_base64
from kaltura_provider.upload.errors import ChecksumMismatch, UploadCancelled
from kaltura_provider.upload.progress import Milestones
from kaltura_provider.upload.settings import WINDOW

if TYPE_CHECKING:
    import threading

    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["Digests", "compute"]

log = logging.getLogger("kaltura_provider.upload")


@dataclass(frozen=True, slots=True)
class Digests:
    """Checksums of a whole source: CRC-32C or ``None``, a note about it, SHA-256 if asked for."""

    crc32c: int | None
    note: str | None
    sha256: str | None = None

    @property
    def base64(self) -> str | None:
        """The CRC-32C as S3 prints it."""
        return None if self.crc32c is None else to_base64(self.crc32c)


def compute(
    source: Source, sent: ChecksumCollector, settings: UploadSettings, token_id: str, stop: threading.Event
) -> Digests:
    """Return the checksums of a source whose bytes are all on the server.

    :param sent: the checksums of the bytes that this process sent.
    :param stop: when set, reading breaks off.
    :raises ChecksumMismatch: the store recorded another CRC-32C, or two reads of the source differed.
    :raises UploadCancelled: ``stop`` was set.
    """
    own = sent.crc if sent.start == 0 and sent.end == source.size else None
    crc, sha = own, None
    if settings.sha256 or (own is None and settings.reread):
        crc, digest = _read(source, token_id, stop)
        sha = digest if settings.sha256 else None
    if crc is None:
        return Digests(None, _unknown(sent), sha)
    if own is not None and own != crc:
        raise ChecksumMismatch(token_id, to_base64(crc), to_base64(own))
    if source.crc32c is None:
        return Digests(crc, _not_compared(source), sha)
    if crc != source.crc32c:
        raise ChecksumMismatch(token_id, to_base64(source.crc32c), to_base64(crc))
    return Digests(crc, "equal to the store's checksum of the whole object", sha)


def _read(source: Source, token_id: str, stop: threading.Event) -> tuple[int, str]:
    """Read a whole source and return its CRC-32C and SHA-256 (hex)."""
    crc, sha, done, milestones = 0, hashlib.sha256(), 0, Milestones()
    with closing(source.read(0, source.size, WINDOW)) as windows:
        for data in windows:
            if stop.is_set():
                raise UploadCancelled("the upload was cancelled", token_id)
            crc = crc32c(data, crc)
            sha.update(data)
            done += len(data)
            percent = 100 * done / source.size
            if milestones.reached(time.monotonic(), percent):
                log.info(
                    "%s: %d of %d bytes (%.0f %%) read for the checksums",
                    printable(source.name),
                    done,
                    source.size,
                    percent,
                )
    return crc, sha.hexdigest()


def _unknown(sent: ChecksumCollector) -> str:
    whose = (
        f"the first {sent.start} bytes were sent earlier" if sent.start else "another process sent some of the bytes"
    )
    return f"unknown: {whose}. Set reread=True to read the source once more for it"


def _not_compared(source: Source) -> str:
    others = getattr(source, "checksums", "")  # only stores that keep checksums have this
    has = f"; it has {others}, which is not compared" if others else ""
    return f"the store has no CRC-32C of the whole object to compare with{has}"
