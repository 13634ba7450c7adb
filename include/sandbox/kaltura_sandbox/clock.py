"""The sandbox's own time: the computer's, plus an offset that tests may move (the 7-day rule, expiring sessions)."""

from __future__ import annotations

import threading
import time

__all__ = ["Clock"]


class Clock:
    """Unix time with an adjustable offset; safe to share between threads."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = offset
        self._lock = threading.Lock()

    @property
    def offset(self) -> float:
        """Seconds this clock is ahead of the computer's."""
        return self._offset

    def now(self) -> int:
        """Whole unix seconds, as Kaltura stores them."""
        return int(self.time())

    def time(self) -> float:
        """Unix time with fractions."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock; negative seconds move it back."""
        with self._lock:
            self._offset += seconds

    def reset(self) -> None:
        """Return to the computer's time."""
        with self._lock:
            self._offset = 0.0
