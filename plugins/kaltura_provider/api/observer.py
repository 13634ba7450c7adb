"""The one seam through which the lower layers tell what happens: logs, masking, statistics, ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CallRecord", "Observer"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished HTTP exchange with Kaltura.

    ``attempt`` counts from 1, ``seconds`` is the time until the answer was read, ``error`` is the error's
    code or fault in a few characters (``None`` for success) and ``request_id`` the server's
    ``X-Kaltura-Session``.
    """

    service: str
    action: str
    attempt: int
    seconds: float
    status: int | None = None
    error: str | None = None
    request_id: str | None = None


class Observer:
    """Told of what happens; does nothing with it. Subclass and override what you need.

    Methods may be called from several threads at once, must return quickly and must not raise.
    """

    def on_secret(self, value: str) -> None:
        """Take note of a secret the moment it exists, so that logs can mask it."""

    def on_call(self, call: CallRecord) -> None:
        """Take note of one HTTP exchange with Kaltura, successful or not."""

    def on_chunk(self, progress: Any) -> None:
        """Take note of the progress of an upload (the upload layer says what ``progress`` is)."""

    def on_id(self, kind: str, value: str) -> None:
        """Take note of an object the moment its id is known; ``kind`` is ``"entry"`` or ``"token"``."""
