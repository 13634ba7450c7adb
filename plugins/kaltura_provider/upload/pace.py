"""How many chunks to send at the same time and how large, chosen from what the link and the source need."""

from __future__ import annotations

from collections import deque
from statistics import median

from kaltura_provider.upload.chunk_plan import min_chunk_size
from kaltura_provider.upload.settings import MAX_PARALLELISM, MIB, PART_LIMIT, UploadSettings

__all__ = ["FLOOR", "LARGE_SOURCE", "SPARE", "Pace"]

LARGE_SOURCE = 100_000_000
"""Bytes above which Kaltura advises chunks of 10 to 50 MB, and below which smaller ones."""

FLOOR = 5 * MIB
"""Failures and HTTP 413 make no smaller chunks than this."""

SPARE = 2
"""Chunks, besides those in flight, between the first byte that may be sent again and the last one read."""

_SMALLEST, _LARGEST = 10_000_000, 50_000_000
# Starting with chunks of 10 MB costs 5 % of the line at 100 ms, since they then begin and end together.
_FIRST_OF_LARGE, _FIRST = 16_000_000, 10 * MIB
# On a path this short two connections keep the wire busy; more of them, or more requests, only cost processor time.
_SHORT_PATH, _SHORT_PARALLELISM = 0.01, 2
_OVERHEAD = 0.05


class Pace:
    """Chooses ``parallelism`` and ``chunk_size`` and learns from every chunk.

    *Chunk size*, for sources above 100 MB: starts at 16 MB, or at 50 MB on a short path. The fixed cost of a chunk is
    what the opener took, or the shortest wait seen before a chunk's first byte and after its last. While that is more
    than 5 % of a chunk's time, chunks double, up to 50 MB. HTTP 413 and failures halve them, down to 5 MiB; a size
    that was refused is not tried again. Smaller sources start at 10 MiB and use chunks from 5 MiB on. ``tail`` is what
    chunks shrink to near the end: on a long path 5 MiB for every source, since connections that finish far apart leave
    the line idle.

    *Parallelism*: 8, or 2 if the opener shows a short path. Failures halve it, once for all chunks in flight together;
    two rounds of chunks that arrive win one connection back.

    :param settings: fixed values are kept as they are.
    :param size: bytes of the source.
    :param rewind: how far back the source can be read, ``None`` for any distance. All chunks in flight fit into it.
    """

    def __init__(self, settings: UploadSettings, size: int = 1, *, rewind: int | None = None) -> None:
        minimum, large = min_chunk_size(size), size > LARGE_SOURCE
        self._fixed_parallelism = settings.parallelism is not None
        self._fixed_chunk = settings.chunk_size is not None
        self._maximum = settings.parallelism or MAX_PARALLELISM
        self._ceiling = min(settings.chunk_size or _LARGEST, PART_LIMIT)
        if rewind is not None:
            self._maximum = max(1, min(self._maximum, rewind // minimum - SPARE))
            self._ceiling = min(self._ceiling, rewind // (self._maximum + SPARE))
        self.parallelism = self._target = self._maximum
        self.chunk_size = min(settings.chunk_size or (_FIRST_OF_LARGE if large else _FIRST), self._ceiling)
        self.floor = self.chunk_size if self._fixed_chunk else min(FLOOR, self._ceiling)
        self.smallest = max(self.floor, min(_SMALLEST if large else FLOOR, self._ceiling))
        self.tail = self.floor
        self._fixed_cost = float("inf")
        self._shares: deque[float] = deque(maxlen=16)
        self._arrived = 0
        self._reduced_at = float("-inf")

    def opened(self, seconds: float) -> None:
        """Learn from the opener: it is so small that its time is the fixed cost of a request."""
        self._fixed_cost = seconds
        self._target, self.tail = self._maximum, self.floor
        if seconds < _SHORT_PATH:
            self.chunk_size, self.tail = self._ceiling, self.smallest
            if not self._fixed_parallelism:
                self._target = min(_SHORT_PARALLELISM, self._maximum)
        self.parallelism = self._target

    def arrived(self, length: int, seconds: float, waited: float) -> None:
        """Learn from a chunk of ``length`` bytes that took ``seconds``, ``waited`` of them without a byte moving."""
        self._fixed_cost = min(self._fixed_cost, waited)
        if length >= self.chunk_size // 2:
            self._grow(seconds)
        self._arrived += 1
        if self.parallelism < self._target and self._arrived >= 2 * self.parallelism:
            self.parallelism, self._arrived = self.parallelism + 1, 0

    def failed(self, started: float, now: float, *, too_large: int | None = None) -> None:
        """Learn from a chunk that was ``started`` at a time and failed ``now``.

        :param too_large: the chunk's size, if the server or a proxy refused it for that (HTTP 413).
        """
        if too_large is not None and not self._fixed_chunk:
            self._ceiling = max(self.floor, min(self._ceiling, too_large // 2))
        if started < self._reduced_at:
            # It was in flight with those that have counted already; only a size that was refused is news.
            self.chunk_size = min(self.chunk_size, self._ceiling)
            return
        self._reduced_at = now
        self._shares.clear()
        if not self._fixed_chunk:
            self.chunk_size = max(self.floor, min(self.chunk_size // 2, self._ceiling))
        if too_large is None and not self._fixed_parallelism:
            self.parallelism, self._arrived = max(1, self.parallelism // 2), 0

    def _grow(self, seconds: float) -> None:
        self._shares.append(self._fixed_cost / max(seconds, 1e-6))
        if self._fixed_chunk or len(self._shares) < self.parallelism or self.chunk_size >= self._ceiling:
            return
        if median(self._shares) > _OVERHEAD:
            self.chunk_size = min(self.chunk_size * 2, self._ceiling)
            self._shares.clear()
