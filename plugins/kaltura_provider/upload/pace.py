"""How many chunks to send at the same time and how large, chosen from what the link and the source need."""

from __future__ import annotations

from collections import deque
from statistics import median

from kaltura_provider.upload.plan import least_chunk_size
from kaltura_provider.upload.settings import MAX_PARALLELISM, MIB, PART_LIMIT, UploadSettings

__all__ = ["FLOOR", "LARGE_SOURCE", "SPARE", "Pace"]

LARGE_SOURCE = 100_000_000
"""Bytes above which Kaltura advises chunks of 10 to 50 MB, below which smaller ones."""

FLOOR = 5 * MIB
"""Failures and HTTP 413 make no smaller chunks than this."""

SPARE = 2
"""Chunks, besides those in flight, between the first byte that may be sent again and the last one read."""

_SMALLEST, _LARGEST = 10_000_000, 50_000_000
_FIRST_CHUNK = 10 * MIB
_FIRST_PARALLELISM = 4
# A path that takes this long for a few bytes needs many connections to be full; finding that out costs more than
# having them. On a short one two keep the wire busy, and more requests or connections mostly cost processor time.
_LONG_PATH = 0.04
_SHORT_PATH = 0.01
_OVERHEAD = 0.05
# The part that has to be seen of what one more connection could bring at best.
_GAIN = 0.33
_REST = 6


class Pace:
    """Chooses ``parallelism`` and ``chunk_size`` and learns from every chunk.

    *Chunk size*: starts at 10 MiB, or at 50 MB on a short path. The fixed cost of a chunk is what the opener took, or
    the shortest wait seen before a chunk's first byte and after its last. While that is more than 5 % of a chunk's
    time, chunks double, up to 50 MB. HTTP 413 and failures halve them, down to 5 MiB; a size that was refused is not
    tried again.

    *Parallelism*: starts at 4, at 2 if the opener shows a short path, at the maximum if it shows a long one. One
    more connection is tried for a round of chunks, and kept if the rate rose by a third of what it could at best.
    Failures halve it, once for all chunks in flight together.

    :param settings: fixed values are kept as they are.
    :param size: bytes of the source.
    :param rewind: how far back the source can be read, ``None`` for any distance. All chunks in flight fit into it.
    """

    def __init__(self, settings: UploadSettings, size: int = 1, *, rewind: int | None = None) -> None:
        minimum = least_chunk_size(size)
        self._fixed_parallelism = settings.parallelism is not None
        self._fixed_chunk = settings.chunk_size is not None
        self._max_parallelism = settings.parallelism or MAX_PARALLELISM
        self._ceiling = min(settings.chunk_size or _LARGEST, PART_LIMIT)
        if rewind is not None:
            self._max_parallelism = max(1, min(self._max_parallelism, rewind // minimum - SPARE))
            self._ceiling = min(self._ceiling, rewind // (self._max_parallelism + SPARE))
        self.parallelism = min(settings.parallelism or _FIRST_PARALLELISM, self._max_parallelism)
        self.chunk_size = min(settings.chunk_size or _FIRST_CHUNK, self._ceiling)
        self.floor = self.chunk_size if self._fixed_chunk else min(FLOOR, self._ceiling)
        smallest = _SMALLEST if size > LARGE_SOURCE else FLOOR
        self.smallest = max(self.floor, min(smallest, self._ceiling))
        self._fixed_cost = float("inf")
        self._shares: deque[float] = deque(maxlen=16)
        self._round_bytes = self._round_chunks = self._rest = 0
        self._round_start: float | None = None
        self._trial: tuple[int, float] | None = None
        self._reduced_at = float("-inf")

    def opened(self, seconds: float) -> None:
        """Learn from the opener: it is so small that its time is the fixed cost of a request."""
        self._fixed_cost = seconds
        if self._fixed_parallelism:
            return
        if seconds >= _LONG_PATH:
            self.parallelism = self._max_parallelism
        elif seconds < _SHORT_PATH:
            self.parallelism, self._rest = min(2, self._max_parallelism), _REST
            self.chunk_size = self._ceiling

    def arrived(self, length: int, seconds: float, waited: float, now: float) -> None:
        """Learn from a chunk of ``length`` bytes that took ``seconds``, ``waited`` of them without a byte moving."""
        self._fixed_cost = min(self._fixed_cost, waited)
        if length >= self.chunk_size // 2:
            self._grow(seconds)
        self._round_bytes += length
        self._round_chunks += 1
        if self._round_start is None:
            self._begin_round(now)
        elif self._round_chunks >= 2 * self.parallelism and now > self._round_start:
            self._end_round(now)

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
            self.parallelism = max(1, self.parallelism // 2)
            self._trial, self._rest = None, _REST
            self._begin_round(now)

    def _grow(self, seconds: float) -> None:
        self._shares.append(self._fixed_cost / max(seconds, 1e-6))
        if self._fixed_chunk or len(self._shares) < self.parallelism or self.chunk_size >= self._ceiling:
            return
        if median(self._shares) > _OVERHEAD:
            self.chunk_size = min(self.chunk_size * 2, self._ceiling)
            self._shares.clear()
            self._give_up_trial()  # what larger chunks gain is not the gain of another connection

    @property
    def _settled(self) -> bool:
        return self._fixed_chunk or self.chunk_size >= self._ceiling or len(self._shares) >= self.parallelism

    def _give_up_trial(self) -> None:
        if self._trial is not None:
            self.parallelism, self._trial = self._trial[0], None
        self._round_start = None

    def _begin_round(self, now: float) -> None:
        self._round_start, self._round_bytes, self._round_chunks = now, 0, 0

    def _end_round(self, now: float) -> None:
        rate = self._round_bytes / (now - (self._round_start or 0.0))
        self._begin_round(now)
        if self._fixed_parallelism:
            return
        if self._trial is not None:
            before, old_rate = self._trial
            self._trial = None
            if rate < old_rate * (1 + _GAIN / before):
                self.parallelism, self._rest = before, _REST
                return
        if self._rest:
            self._rest -= 1
        elif self.parallelism < self._max_parallelism and self._settled:
            self._trial = (self.parallelism, rate)
            self.parallelism += 1
