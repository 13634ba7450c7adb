"""What was asked of the sandbox: counters per action and the latest requests, for tests to read."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

__all__ = ["Journal"]

_KEPT = 5000


class Journal:
    """A log of the latest calls and counters of all; secrets never enter it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._bytes = 0
        self._requests = 0
        self._log: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def call(self, service: str, action: str, error: str | None, seconds: float, at: float, client_tag: str) -> None:
        """Note one action."""
        name = f"{service}.{action}"
        with self._lock:
            self._calls[name] += 1
            if error:
                self._errors[error] += 1
            self._log.append(
                {"at": at, "call": name, "error": error, "seconds": round(seconds, 6), "clientTag": client_tag}
            )

    def request(self, received: int) -> None:
        """Note one HTTP request and the bytes of its body."""
        with self._lock:
            self._requests += 1
            self._bytes += received

    def counters(self) -> dict[str, Any]:
        """All counters."""
        with self._lock:
            return {
                "requests": self._requests,
                "bytes_received": self._bytes,
                "calls": dict(self._calls),
                "errors": dict(self._errors),
            }

    def latest(self, count: int) -> list[dict[str, Any]]:
        """Return the latest calls, oldest first."""
        with self._lock:
            return list(self._log)[-count:]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._calls.clear()
            self._errors.clear()
            self._log.clear()
            self._bytes = self._requests = 0
