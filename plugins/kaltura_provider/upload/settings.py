"""How an upload goes about its work; the defaults fit almost everybody."""

from __future__ import annotations

from dataclasses import dataclass, field

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.retry import RetryPolicy

__all__ = ["KIB", "MIB", "UploadSettings", "memory_bound"]

KIB = 1024
MIB = 1024 * KIB


def memory_bound(parallelism: int, window: int = 256 * KIB) -> int:
    """Return the bytes of memory an upload takes at most: ``parallelism * 4 * window + 8 MiB``.

    A chunk is never held: each connection has a window being read, one being sent and what the libraries on both
    sides of it buffer; 8 MiB is for threads and connections. The size of chunks and of the source do not matter.
    """
    return parallelism * 4 * window + 8 * MIB


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How an upload goes about its work. Sizes are bytes, times seconds.

    Speed:

    - ``parallelism``: chunks in flight; ``None`` finds 1 to ``max_parallelism`` from what the link gives.
    - ``chunk_size``: bytes of a chunk; ``None`` finds 5 to 64 MiB. Either way larger where a source would need
      more than 9,000 chunks.
    - ``bandwidth``: bytes a second this upload may take, ``None`` for no limit.
    - ``window``: bytes read and sent at a time; see :func:`memory_bound`.
    - ``single_shot``: sources of at most this many bytes (and of ``part_limit``) go in one request, if their token is
      not attached.

    Care:

    - ``max_size``: larger sources are refused, ``None`` for no limit but the server's.
    - ``part_limit``: the server's limit on one request (PHP's ``upload_max_filesize``, 2,000 MB unless told).
    - ``reread``: after a resume by another process, read the source once more to know the checksum.
    - ``sha256``: also compute the SHA-256, by one sequential read of its own.

    Patience:

    - ``retry``: attempts per chunk and the pauses between them.
    - ``chunk_timeout``, ``final_timeout``: without a sign of life from the server; it may check a final chunk
      for 45 s. ``final_poll``: how long the token is watched before an unanswered final chunk is repeated.
    - ``busy_after``: a token that gained bytes within this time is being filled by somebody else.
      ``busy_wait``: how long such a token is watched before giving up. ``poll``: between two looks.
    """

    parallelism: int | None = None
    max_parallelism: int = 8
    chunk_size: int | None = None
    bandwidth: float | None = None
    window: int = 256 * KIB
    single_shot: int = 10 * MIB
    max_size: int | None = None
    part_limit: int = 2000 * MIB
    reread: bool = False
    sha256: bool = False
    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=8, cap=30.0, budget=600.0))
    connect_timeout: float = 60.0
    chunk_timeout: float = 120.0
    final_timeout: float = 120.0
    final_poll: float = 60.0
    final_attempts: int = 4
    busy_after: float = 120.0
    busy_wait: float = 600.0
    poll: float = 5.0

    def __post_init__(self) -> None:
        _within("parallelism", self.parallelism, 1, 8)
        _within("max_parallelism", self.max_parallelism, 1, 8)
        _within("window", self.window, 4 * KIB, 16 * MIB)
        _within("chunk_size", self.chunk_size, 64 * KIB, self.part_limit)
        _within("bandwidth", self.bandwidth, 1, None)
        _within("max_size", self.max_size, 1, None)
        _within("single_shot", self.single_shot, 0, None)


def _within(name: str, value: float | None, least: float, most: float | None) -> None:
    if value is None or (value >= least and (most is None or value <= most)):
        return
    bounds = f"at least {least:g}" if most is None else f"{least:g} to {most:g}"
    raise KalturaConfigurationError(name, value, "is out of bounds", f"give {bounds}, or leave it out")
