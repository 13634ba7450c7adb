"""Which bytes to send next: a state machine that opens no socket and reads no byte.

The order is what the server documents for parallel uploads: a small opener alone, then chunks in parallel, then an
empty final chunk alone. A small source has only an opener and the final chunk. The opener creates the file on the
server (``resume=false``). On a token that already has bytes, it makes the server count chunks that it had put aside.
Its answer comes before any other chunk is sent.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "MAX_CHUNKS",
    "OPENER_LENGTH",
    "Chunk",
    "ChunkPlan",
    "Phase",
    "max_bytes",
    "min_chunk_size",
    "opener_length",
]

MAX_CHUNKS = 9000
"""Chunks a token may take: the server refuses too many (``MAX_ALLOWED_CHUNK_COUNT_EXCEEDED``)."""

OPENER_LENGTH = 8 * 1024
"""Bytes of the opener: few enough to leave with the first packets of a connection."""

_SMALL = 1024 * 1024

# Chunks kept in reserve: the opener, the final one, and lost ones, which may be sent again in pieces.
_RESERVE = 32


def min_chunk_size(size: int, max_chunks: int = MAX_CHUNKS) -> int:
    """Return the smallest chunk with which ``size`` bytes fit into ``max_chunks`` chunks."""
    return -(-size // (max_chunks - _RESERVE))


def opener_length(size: int, chunk_size: int | None) -> int:
    """Return how many bytes the opener has: all of a source of up to 1 MiB, since another request costs more time.

    :param chunk_size: the largest chunk that the author wants, if they set it.
    """
    return size if size <= min(_SMALL, chunk_size or _SMALL) else OPENER_LENGTH


def max_bytes(chunk_size: int, max_chunks: int = MAX_CHUNKS) -> int:
    """Return how many bytes fit into ``max_chunks`` chunks of at most ``chunk_size``."""
    return chunk_size * (max_chunks - _RESERVE)


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """One ``uploadToken.upload`` call: bytes ``offset`` to ``offset + length`` of the source.

    ``resume`` and ``final`` become the parameters ``resume`` and ``finalChunk``.
    """

    offset: int
    length: int
    resume: bool = True
    final: bool = False

    @property
    def end(self) -> int:
        """The offset of the first byte after the chunk."""
        return self.offset + self.length


class Phase(StrEnum):
    """Where an upload stands."""

    OPENING = "opening"
    SENDING = "sending"
    CLOSING = "closing"
    DONE = "done"


class ChunkPlan:
    """Hands out the chunks of one upload and tracks what the server has.

    With chunks of at most ``c`` bytes and ``p`` in flight, an upload that dies and is resumed from what the server
    reports sends at most ``2 * p * c`` bytes twice: ``p * c`` that are in flight, and as many that the server has put
    aside behind a late chunk. No chunk is handed out that would break this.

    ``min_chunk`` is the smallest length of chunks (except the opener and the last ones) with which their number
    stays within the limit. No chunk is longer than that or the chunk size asked for, whichever is larger, unless more
    chunks are lost than are kept in reserve.

    :param size: bytes of the source, at least 1.
    :param front: ``uploadedFileSize`` of the token, ``None`` if it has no bytes yet.
    :param single: send everything as one chunk that is both first and final.
    :param smallest: the first chunks grow from this to the chunk size, so that they do not finish together.
    """

    def __init__(
        self,
        size: int,
        *,
        front: int | None = None,
        single: bool = False,
        smallest: int = 5 * 1024 * 1024,
        opener: int = OPENER_LENGTH,
        max_chunks: int = MAX_CHUNKS,
    ) -> None:
        if size < 1:
            raise ValueError(f"size is {size}: there is nothing to send")
        self.size = size
        self.single = single
        self.accepted = 0
        self.min_chunk = min_chunk_size(size, max_chunks)
        self._smallest = smallest
        self._opener = opener
        self._max_chunks = max_chunks
        self._flying: dict[int, Chunk] = {}
        self._parked: dict[int, int] = {}
        self._uncounted: list[tuple[int, int]] = []
        self._lost: list[tuple[int, int]] = []
        self.restart(front)

    def restart(self, front: int | None) -> None:
        """Start again from the bytes that the server has. Chunks in flight are forgotten.

        :param front: ``uploadedFileSize``, or ``None`` if the token has no bytes.
        """
        self._flying.clear()
        self._parked.clear()
        self._uncounted.clear()
        self._lost.clear()
        self._resume = bool(front)
        self.front = min(front or 0, self.size)
        self._frontier = self._reported = self.front
        self._largest = self._handed = self._used = 0
        self.phase = Phase.CLOSING if self.front == self.size else Phase.OPENING

    @property
    def done(self) -> bool:
        """Whether the final chunk has been acknowledged."""
        return self.phase is Phase.DONE

    @property
    def received(self) -> int:
        """Bytes the server has: the contiguous front and what it keeps beyond."""
        return self.front + sum(end - offset for offset, end in self._parked.items())

    def next(self, parallelism: int, chunk_size: int, tail: int | None = None) -> Chunk | None:
        """Return the next chunk to send, or ``None`` if an answer has to come first or all is done.

        :param parallelism: chunks that may be in flight now.
        :param chunk_size: bytes of a chunk; more where there would be too many chunks, less near the end.
        :param tail: the size to which chunks near the end shrink, so that all connections finish together. Default:
            ``smallest``.
        """
        if self.phase is Phase.SENDING and self.front == self.size:
            self.phase = Phase.CLOSING
        if self.phase is Phase.DONE or (self._flying and self.phase is not Phase.SENDING):
            return None
        if self.phase is Phase.SENDING:
            chunk = self._next_middle(parallelism, chunk_size, tail or self._smallest)
        elif self.phase is Phase.OPENING:
            chunk = self._first()
        else:
            chunk = Chunk(self.size, 0, final=True) if not self._flying else None
        if chunk is not None:
            self._flying[chunk.offset] = chunk
        return chunk

    def _first(self) -> Chunk:
        if self.single and not self._resume:
            return Chunk(0, self.size, resume=False, final=True)
        return Chunk(self.front, min(self._opener, self.size - self.front), resume=self._resume)

    def _next_middle(self, parallelism: int, chunk_size: int, tail: int) -> Chunk | None:
        if len(self._flying) >= parallelism:
            return None
        if self._uncounted and self._uncounted[0][0] < self._reported and self._reported not in self._flying:
            return Chunk(self._reported, self._uncounted[0][1] - self._reported)
        if self._lost:
            offset, end = self._lost.pop(0)
            length = min(self._length(parallelism, chunk_size, tail, end - offset), end - offset)
            if offset + length < end:
                insort(self._lost, (offset + length, end))
            return Chunk(offset, length)
        if self._frontier >= self.size:
            return None
        chunk = Chunk(self._frontier, min(self._length(parallelism, chunk_size, tail, 0), self.size - self._frontier))
        self._largest = max(self._largest, chunk_size, chunk.length)
        late = self._flying.get(self.front)
        if self._flying and chunk.end - self.front > parallelism * self._largest + (late.length if late else 0):
            return None
        self._frontier = chunk.end
        return chunk

    def _length(self, parallelism: int, chunk_size: int, tail: int, taken: int) -> int:
        remaining = self.size - self._frontier + taken + sum(end - offset for offset, end in self._lost)
        # A share of all that is left, not of this chunk: otherwise a lost chunk could be cut into itself and a rest.
        places = self._max_chunks - 1 - self._used - len(self._flying) - len(self._lost)
        floor = max(self.min_chunk, -(-remaining // max(places, 1)))
        balanced = max(tail, -(-remaining // parallelism))
        return max(floor, self._staggered(parallelism, min(chunk_size, balanced)))

    def _staggered(self, parallelism: int, length: int) -> int:
        """Give the first chunks different lengths.

        Chunks that start and end together leave the line idle whenever they all wait for their answers.
        """
        turn, self._handed = self._handed, self._handed + 1
        if turn >= parallelism or length <= self._smallest:
            return length
        return self._smallest + (length - self._smallest) * (turn + 1) // parallelism

    def acknowledge(self, chunk: Chunk, front: int | None = None) -> None:
        """Record that the server has a chunk. Acknowledging it again changes nothing.

        :param front: ``uploadedFileSize`` of the answer. It may lag behind, or be ahead of what this plan knows when
            an earlier process had sent more.
        """
        if self._flying.get(chunk.offset) == chunk:
            del self._flying[chunk.offset]
            self.accepted += 1
            self._used += 1
            if chunk.final:
                self.phase, self.front = Phase.DONE, self.size
                return
            if self.phase is Phase.OPENING:
                self.phase = Phase.SENDING
            if chunk.end > self.front:
                self._parked[chunk.offset] = chunk.end
                insort(self._uncounted, (chunk.offset, chunk.end))
            self._frontier = max(self._frontier, chunk.end)
        self._advance(front or 0)

    def _advance(self, reported: int) -> None:
        if self.phase not in (Phase.SENDING, Phase.CLOSING):
            return
        self.front = max(self.front, min(reported, self.size))
        self._note(min(reported, self.size))
        for offset in sorted(self._parked):
            if offset > self.front:
                break
            self.front = max(self.front, self._parked.pop(offset))
        self._frontier = max(self._frontier, self.front)
        self._lost = [(max(offset, self.front), end) for offset, end in self._lost if end > self.front]

    def _note(self, reported: int) -> None:
        """Track what the server has but does not count yet.

        It counts a chunk that it had put aside when the bytes before it end exactly where the chunk starts. A chunk of
        an earlier process, cut differently, may make them end inside it. What is missing up to the chunk's end is then
        sent once more. Otherwise nothing from there on would be counted before the final chunk, and another crash
        would lose all of it.
        """
        self._reported = max(self._reported, reported)
        while self._uncounted and self._uncounted[0][1] <= self._reported:
            del self._uncounted[0]

    def lose(self, chunk: Chunk, front: int | None = None) -> None:
        """Record that a chunk may not have arrived, so that its bytes are handed out again.

        :param front: what the server said when asked afterwards. A chunk it covers counts as received, and an opener
            is followed by one that resumes.
        """
        if self._flying.get(chunk.offset) != chunk:
            return
        if not chunk.final and front is not None and front >= chunk.end:
            self.acknowledge(chunk, front)
            return
        del self._flying[chunk.offset]
        if self.phase is Phase.SENDING:
            if chunk.end > self.front:
                insort(self._lost, (max(chunk.offset, self.front), chunk.end))
        elif front and not chunk.final:
            self.restart(front)
