"""How far an upload is, for the log and for progress displays."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.redaction import printable
from kaltura_provider.upload.settings import MIB

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Milestones", "Progress", "ProgressReporter"]

log = logging.getLogger("kaltura_provider.upload")

_LOG_EVERY = 10.0
_LOG_STEP = 5
_TELL_EVERY = 1.0
_RATE_OVER = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is.

    ``sent`` counts the source's bytes handed to the network or already on the server, ``acknowledged`` those the server
    has confirmed. ``rate`` is the recent bytes per second; ``remaining`` is seconds, ``None`` if unknown.
    """

    token_id: str
    name: str
    size: int
    sent: int
    acknowledged: int
    seconds: float
    rate: float
    parallelism: int
    chunk_size: int

    @property
    def percent(self) -> float:
        """Percent of the source's bytes sent."""
        return 100.0 * self.sent / self.size

    @property
    def remaining(self) -> float | None:
        """Seconds until the last byte is sent, at the current rate."""
        return (self.size - self.sent) / self.rate if self.rate > 0 else None

    def __str__(self) -> str:
        left = "unknown" if self.remaining is None else f"{self.remaining:.0f} s"
        return (
            f"{self.name}: {self.sent} of {self.size} bytes ({self.percent:.0f} %), {self.rate / 1e6:.1f} MB/s, "
            f"{left} left, {self.parallelism} x {self.chunk_size / MIB:.1f} MiB in flight"
        )


class Milestones:
    """Tells when to log: every 10 seconds and at each 5 %."""

    def __init__(self) -> None:
        self._reached_at: float | None = None
        self._step = 0

    def reached(self, now: float, percent: float) -> bool:
        """Whether to log now; never at the first call, which only records the start."""
        step = int(percent) // _LOG_STEP
        if self._reached_at is None:
            self._step, self._reached_at = step, now
        if step <= self._step and now - self._reached_at < _LOG_EVERY:
            return False
        self._step, self._reached_at = max(step, self._step), now
        return True


class ProgressReporter:
    """Reports to an observer at most every second, and to the log every 10 seconds and at each 5 %.

    :param report: called with a :class:`Progress`.
    """

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._told_at = float("-inf")
        self._milestones = Milestones()
        self._marks: deque[tuple[float, int]] = deque()

    def rate(self, now: float, sent: int) -> float:
        """Record the bytes sent so far and return the rate of the last 10 seconds."""
        self._marks.append((now, sent))
        while len(self._marks) > 2 and now - self._marks[0][0] > _RATE_OVER:
            self._marks.popleft()
        then, before = self._marks[0]
        return max(0, sent - before) / (now - then) if now > then else 0.0

    def due(self, now: float) -> bool:
        """Whether a second has passed since the last report."""
        return now - self._told_at >= _TELL_EVERY

    def report(self, now: float, progress: Progress) -> None:
        """Report a progress."""
        self._told_at = now
        self._report(progress)
        if self._milestones.reached(now, progress.percent):
            log.info("%s", printable(str(progress)))
