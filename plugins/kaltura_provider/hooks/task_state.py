"""What a task keeps in Airflow's task state store: ids for its next try, and how far it is, for whoever looks."""

from __future__ import annotations

import json
import logging
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from kaltura_provider.upload.progress import Progress

__all__ = ["PROGRESS_KEY", "ShownProgress", "TaskMemory", "request_key"]

PROGRESS_KEY = "kaltura_progress"
"""Where the task state store has ``{"name", "bytes", "size", "percent", "rate", "seconds_left"}`` of an upload: bytes,
bytes a second, and seconds or nothing."""

_WRITE_EVERY = 5.0

T = TypeVar("T")

log = logging.getLogger(__name__)


def request_key(*asked: Any) -> str:
    """Return 32 hex digits that stand for everything a task was asked: other arguments make another key.

    The key shows nothing of the arguments, since anybody who may see the task can read the state store.

    :param asked: JSON values; the order of a mapping's fields does not count.
    """
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _id_of(made: Any) -> str:
    return str(made["id"])


class TaskMemory:
    """A mapping of what a task was asked for to the id of what it made for that, kept over tries.

    A short cut, not the truth. Without it the next try finds the same things in Kaltura, only more slowly, as it has
    to make sure that nobody else works with them. The store outlives a clear of the task, so keys stand for the whole
    request (:func:`request_key`), and what a key leads to may be gone. A store that fails is not used any more.

    :param key: the name in the task state store.
    :param enabled: whether anything is kept at all.
    """

    def __init__(self, context: Context, key: str, *, enabled: bool) -> None:
        self._key = key
        self._store: Any = context.get("task_state_store") if enabled else None
        said = self._read()
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

    def find_or_make(
        self, what: str, find: Callable[[str], T], make: Callable[[], T], id_of: Callable[[T], str] = _id_of
    ) -> T:
        """Return what an earlier try made for the same request; make it where there is none, or none any more.

        :param find: returns the object of an id. :param make: returns a new object. :param id_of: returns its id.
        :raises KalturaError: from ``find`` or ``make``, but not that the remembered object does not exist.
        """
        from kaltura_provider.api.errors import KalturaNotFoundError

        if (made := self.ids.get(what)) is not None:
            try:
                return find(made)
            except KalturaNotFoundError as error:
                log.warning("What an earlier try made is gone (%s). Making it anew.", error)
                self.forget(what)
        new = make()
        self.remember(what, id_of(new))
        return new

    def _read(self) -> Any:
        if self._store is None:
            return None
        try:
            return self._store.get(self._key)
        except Exception as error:
            self._give_up(error)
            return None

    def _write(self) -> None:
        if self._store is None:
            return
        try:
            self._store.set(self._key, dict(self.ids))
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        log.warning(
            "The task state store cannot be used (%s). The task goes on; a next try may take longer.",
            type(error).__name__,
        )
        self._store = None


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
