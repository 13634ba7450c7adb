"""Checks the bytes of a source against a checksum that its publisher gives, such as ``media:hash`` of an RSS feed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kaltura_provider.upload.sources.errors import SourceMismatch

if TYPE_CHECKING:
    from kaltura_provider.upload.sources.base import Source

__all__ = ["check_digest", "checksum_of"]

_DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}


def checksum_of(algorithm: str, value: str) -> str:
    """Return a checksum as ``algorithm:hexadecimal``.

    :param algorithm: ``md5``, ``sha-1`` or ``sha-256``, with or without hyphen, in any case.
    :raises ValueError: the algorithm is unknown, or the value is not one of its checksums.
    """
    name, digits = algorithm.strip().lower().replace("-", ""), value.strip().lower()
    if name not in _DIGITS:
        raise ValueError(f"checksum algorithm {algorithm!r} is unknown; use one of {', '.join(_DIGITS)}")
    if len(digits) != _DIGITS[name] or set(digits) - set("0123456789abcdef"):
        raise ValueError(f"checksum {value!r} is not {_DIGITS[name]} hexadecimal digits, as {name} has")
    return f"{name}:{digits}"


def check_digest(source: Source, checksum: str) -> None:
    """Read a whole source and compare its digest.

    The source is read once more for its upload. It is pinned to the same content meanwhile.

    :param checksum: as :func:`checksum_of` returns it. Without one, nothing is read.
    :raises SourceMismatch: the bytes are not the expected ones.
    :raises SourceError: the source cannot be read.
    """
    if not checksum:
        return
    algorithm, _, expected = checksum.partition(":")
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for window in source.read(0, source.size):
        digest.update(window)
    if digest.hexdigest() != expected:
        raise SourceMismatch(source.uri, checksum, f"{algorithm}:{digest.hexdigest()}")
