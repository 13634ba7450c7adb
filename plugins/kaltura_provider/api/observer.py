"""How the lower layers report what happens: for logs, masking, statistics and ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CallRecord", "Observer"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished HTTP exchange with Kaltura.

    ``attempt`` counts from 1. ``seconds`` is the time until the answer was read. ``error`` is the code or fault of the
    error, ``None`` for success. ``request_id`` is the server's ``X-Kaltura-Session``.
    """

    service: str
    action: str
    attempt: int
    seconds: float
    status: int | None = None
    error: str | None = None
    request_id: str | None = None


class Observer:
    """Is notified of events, and ignores them. Subclass it and override the methods you need.

    Methods are called from several threads. They must return quickly and must not raise.
    """

    def on_secret(self, value: str) -> None:
        """Receive a secret as soon as it exists, to mask it in logs."""

    def on_call(self, call: CallRecord) -> None:
        """Receive one HTTP exchange with Kaltura, successful or not."""

    def on_chunk(self, progress: Any) -> None:
        """Receive the progress of an upload; the upload layer defines ``progress``."""

    def on_id(self, kind: str, value: str) -> None:
        """Receive the id of an object as soon as it is known; ``kind`` is ``"entry"`` or ``"token"``."""
