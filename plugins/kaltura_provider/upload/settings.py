"""How an upload works: the few settings a user may need, and the constants behind the rest."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.retry import RetrySettings

__all__ = [
    "KIB",
    "MAX_PARALLELISM",
    "MIB",
    "PART_LIMIT",
    "SINGLE_SHOT",
    "Patience",
    "UploadSettings",
    "memory_bound",
    "upload_settings",
]

KIB = 1024
MIB = 1024 * KIB

WINDOW = 256 * KIB
"""Bytes read and sent at a time. Larger windows were no faster and take more memory."""

MAX_PARALLELISM = 8
"""Connections of one upload at most: enough to fill a line of 400 Mbit/s at 100 ms, and few to the server."""

SINGLE_SHOT = 10 * MIB
"""Sources up to this size go in one request. Losing one costs little, and Kaltura advises chunks above it."""

PART_LIMIT = 2000 * MIB
"""Largest request a Kaltura server takes by default (PHP's ``upload_max_filesize``)."""


def memory_bound(parallelism: int) -> int:
    """Return how many bytes of memory an upload takes at most: ``parallelism * 4 * 256 KiB + 8 MiB``.

    No chunk is held in memory. Each connection has one window being read, one being sent, and what the libraries on
    both sides buffer; 8 MiB are for threads and connections. The sizes of chunks and source do not matter.
    """
    return parallelism * 4 * WINDOW + 8 * MIB


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """What a user may set for an upload; ``None`` leaves the choice to the uploader. Sizes are bytes.

    :param parallelism: chunks sent at the same time, 1 to 8.
    :param chunk_size: bytes of a chunk, also for sources that would otherwise go in one request. Chunks are larger
        where a source would need more than 9,000 of them.
    :param bandwidth: bytes per second this upload may use.
    :param max_size: refuse sources with more bytes.
    :param reread: after another process sent part of the source, read all of it once more to know its CRC-32C.
    :param sha256: also compute the SHA-256, which reads the source once more.
    """

    parallelism: int | None = None
    chunk_size: int | None = None
    bandwidth: float | None = None
    max_size: int | None = None
    reread: bool = False
    sha256: bool = False

    def __post_init__(self) -> None:
        _check("parallelism", self.parallelism, 1, MAX_PARALLELISM)
        _check("chunk_size", self.chunk_size, 64 * KIB, PART_LIMIT)
        _check("bandwidth", self.bandwidth, 1, None)
        _check("max_size", self.max_size, 1, None)


def _check(name: str, value: float | None, minimum: float, maximum: float | None) -> None:
    if value is None or (value >= minimum and (maximum is None or value <= maximum)):
        return
    bounds = f"at least {minimum:g}" if maximum is None else f"{minimum:g} to {maximum:g}"
    raise KalturaConfigurationError(name, value, "is out of bounds", f"give {bounds}, or leave it out")


def upload_settings(given: Mapping[str, Any] | None) -> UploadSettings:
    """Return the settings in a mapping, such as an operator's ``upload`` argument; text from templates is parsed.

    :raises KalturaConfigurationError: a setting does not exist, or its value is not allowed.
    """
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise KalturaConfigurationError(
            "upload", given, "is not a mapping", 'give settings, such as {"max_size": 10**9}'
        )
    known = sorted(item.name for item in fields(UploadSettings))
    if unknown := sorted(str(name) for name in set(given) - set(known)):
        raise KalturaConfigurationError("upload", ", ".join(unknown), "is not a setting", f"use {', '.join(known)}")
    read = {name: _setting(name, value) for name, value in given.items()}
    return UploadSettings(**{name: value for name, value in read.items() if value is not None})


def _setting(name: str, value: Any) -> Any:
    if isinstance(value, str):
        with suppress(ValueError, SyntaxError):
            value = literal_eval(value.strip() or "None")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or isinstance(value, int | float):
        return value
    wanted = "give a number (sizes in bytes, bandwidth in bytes per second), or True or False"
    raise KalturaConfigurationError(f"upload: {name}", value, "has the wrong type", wanted)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an upload waits, and how often it tries. Times are seconds.

    The defaults follow from what servers do; only tests, which cannot wait, need others.

    :param retry: attempts for a chunk and the pauses between them.
    :param connect_timeout: to connect, and to hand one window over to a slow link.
    :param chunk_timeout: silence after a chunk. :param final_timeout: silence after the final one, which the server
        may work on for 45 s.
    :param final_poll: how long the token is watched after the final chunk went unanswered, until it is sent again:
        longer than the server's 45 s.
    :param single_poll: the same for a source sent in one request. The server has nothing to wait for there.
    :param final_attempts: requests to finish a token.
    :param busy_after: a token that gained bytes within this time is being filled by another process: longer than any
        pause between two chunks of an upload that works.
    :param busy_wait: how long such a token is watched. :param poll: the pause between two looks.
    """

    retry: RetrySettings = field(default_factory=lambda: RetrySettings(attempts=8, cap=30.0, budget=600.0))
    connect_timeout: float = 60.0
    chunk_timeout: float = 120.0
    final_timeout: float = 120.0
    final_poll: float = 60.0
    single_poll: float = 3.0
    final_attempts: int = 4
    busy_after: float = 120.0
    busy_wait: float = 600.0
    poll: float = 5.0
