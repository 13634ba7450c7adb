"""What a task keeps in Airflow's task state store: ids for its next try, and how far it is, for whoever looks."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kaltura_provider.upload import Progress

__all__ = ["PROGRESS_KEY", "ShownProgress", "TaskMemory"]

PROGRESS_KEY = "kaltura_progress"
"""Where the task state store has ``{"name", "bytes", "size", "percent", "rate", "seconds_left"}`` of an upload: bytes,
bytes a second, and seconds or nothing."""

_WRITE_EVERY = 5.0

log = logging.getLogger(__name__)


class TaskMemory:
    """A mapping of what a task works on to the id of what it made for that, kept over tries.

    A short cut, not the truth: without it the next try finds the same things in Kaltura, only more slowly, as it has
    to make sure that nobody else works with them.

    :param key: the name in the task state store.
    :param enabled: whether anything is kept at all.
    """

    def __init__(self, context: Context, key: str, *, enabled: bool) -> None:
        self._key = key
        self._store: Any = context.get("task_state_store") if enabled else None
        said = self._store.get(key) if self._store is not None else None
        self.ids: dict[str, str] = {str(k): str(v) for k, v in said.items()} if isinstance(said, dict) else {}

    def remember(self, what: str, made: str | None) -> None:
        """Keep an id, from this moment on."""
        if made is None or self.ids.get(what) == made:
            return
        self.ids[what] = made
        self._write()

    def forget(self, what: str) -> None:
        """Keep an id no longer."""
        if self.ids.pop(what, None) is not None:
            self._write()

    def _write(self) -> None:
        if self._store is not None:
            self._store.set(self._key, dict(self.ids))


class ShownProgress:
    """How far an upload is, written into the task state store at most every 5 seconds and at the end.

    For display only: no upload fails because it cannot be written.
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")
        self._last: Progress | None = None
        self._written_at = float("-inf")

    def take(self, progress: Progress) -> None:
        """Take note of where the upload stands."""
        self._last = progress
        if time.monotonic() - self._written_at >= _WRITE_EVERY:
            self.write()

    def write(self) -> None:
        """Write where the upload stood last, however short a time after the last writing."""
        if self._store is None or self._last is None:
            return
        self._written_at = time.monotonic()
        try:
            self._store.set(PROGRESS_KEY, _shown(self._last))
        except Exception as error:
            log.warning("The progress of this upload cannot be shown (%s); the upload goes on.", type(error).__name__)
            self._store = None


def _shown(progress: Progress) -> dict[str, Any]:
    return {
        "name": progress.name,
        "bytes": progress.sent,
        "size": progress.size,
        "percent": round(progress.percent, 1),
        "rate": round(progress.rate),
        "seconds_left": None if progress.remaining is None else round(progress.remaining),
    }
