"""Named locks."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Locks"]


class Locks:
    """One lock per key, made when first asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of a key."""
        with self._guard:
            lock = self._locks[key]
        with lock:
            yield
