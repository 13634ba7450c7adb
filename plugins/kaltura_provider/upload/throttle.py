"""A limit on the bytes per second of one upload, shared by its connections."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Throttle"]


class Throttle:
    """Lets ``rate`` bytes per second pass, however many threads ask.

    :param rate: bytes per second, ``None`` for no limit.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0
        self._lock = threading.Lock()

    def take(self, length: int) -> None:
        """Wait until ``length`` bytes may pass. Unused time is not saved up."""
        if self._rate is None:
            return
        with self._lock:
            start = max(self._clock(), self._free_at)
            self._free_at = start + length / self._rate
        wait = start - self._clock()
        if wait > 0:
            self._sleep(wait)
