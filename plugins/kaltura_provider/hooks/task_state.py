"""What a task keeps in Airflow's task state store: ids for its next attempt, and its progress."""

from __future__ import annotations

import json
import logging
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from kaltura_provider.hooks.airflow_lock import AIRFLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from kaltura_provider.upload.progress import Progress

__all__ = ["PROGRESS_KEY", "ShownProgress", "TaskMemory", "request_key"]

PROGRESS_KEY = "kaltura_progress"
"""The key of the progress of a task's uploads: a list of ``{"name", "bytes", "size", "percent", "rate",
"seconds_left"}``. ``rate`` is in bytes per second; ``seconds_left`` may be ``None``."""

_WRITE_EVERY = 5.0
_MAX_SHOWN = 20

T = TypeVar("T")

log = logging.getLogger(__name__)


def request_key(*asked: Any) -> str:
    """Return 32 hex digits that identify a request. Other arguments give another key.

    The key does not reveal the arguments: anybody who may see the task can read the state store.

    :param asked: JSON values. The order of a mapping's fields does not matter.
    """
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _id_of(made: Any) -> str:
    return str(made["id"])


class TaskMemory:
    """Remembers, for the next attempt of a task, the id of what was created for a request.

    This only saves time. Without it, the next attempt finds the same objects in Kaltura more slowly, because it must
    check that nobody else is using them. The store survives clearing the task, so keys stand for the whole request
    (:func:`request_key`), and an object may no longer exist. If the store fails, it is not used again.

    :param key: the name in the task state store.
    :param enabled: whether to remember anything.
    """

    def __init__(self, context: Context, key: str, *, enabled: bool) -> None:
        self._key = key
        self._store: Any = context.get("task_state_store") if enabled else None
        said = self._read()
        self.ids: dict[str, str] = {str(k): str(v) for k, v in said.items()} if isinstance(said, dict) else {}
        self._changes = self._written = 0

    def remember(self, what: str, made: str | None) -> None:
        """Remember an id."""
        if made is None or self.ids.get(what) == made:
            return
        self.ids[what] = made
        self._write()

    def forget(self, what: str) -> None:
        """Forget an id."""
        if self.ids.pop(what, None) is not None:
            self._write()

    def find_or_make(
        self, what: str, find: Callable[[str], T], make: Callable[[], T], id_of: Callable[[T], str] = _id_of
    ) -> T:
        """Return what an earlier attempt created for the same request, or create it if it does not exist.

        :param find: returns the object with an id.
        :param make: creates an object and returns it.
        :param id_of: returns the id of an object.
        :raises KalturaError: an error of ``find`` or ``make``, except that the remembered object does not exist.
        """
        from kaltura_provider.api.errors import KalturaNotFoundError

        if (made := self.ids.get(what)) is not None:
            try:
                return find(made)
            except KalturaNotFoundError as error:
                log.warning("What an earlier attempt created no longer exists (%s). Creating it again.", error)
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
        self._changes += 1
        mine = self._changes
        try:
            with AIRFLOW:
                # While a thread waited, another one may have written what this one remembers.
                if self._written < mine:
                    changes = self._changes
                    self._store.set(self._key, dict(self.ids))
                    self._written = changes
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        log.warning(
            "The task state store cannot be used (%s). The task continues, but another attempt may take longer.",
            type(error).__name__,
        )
        self._store = None


class ShownProgress:
    """Writes the progress of a task's uploads to the task state store, at most every 5 seconds and at the end.

    It is only for display: an upload does not fail if it cannot be written. Safe to use from several threads.
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")
        self._uploads: dict[str, Progress] = {}
        self._written_at = float("-inf")

    def take(self, progress: Progress) -> None:
        """Record the progress of one upload."""
        self._uploads[progress.token_id] = progress
        if time.monotonic() - self._written_at >= _WRITE_EVERY:
            self.write()

    def write(self) -> None:
        """Write the last progress of each upload, even if less than 5 seconds have passed."""
        uploads = list(self._uploads.values())
        if self._store is None or not uploads:
            return
        self._written_at = time.monotonic()
        try:
            with AIRFLOW:
                self._store.set(PROGRESS_KEY, [_shown(upload) for upload in uploads[-_MAX_SHOWN:]])
        except Exception as error:
            log.warning("The progress of this upload cannot be shown (%s). The upload continues.", type(error).__name__)
            self._store = None
        # A finished upload has been shown as such. The last one stays.
        for upload in uploads:
            if upload.sent >= upload.size and len(self._uploads) > 1:
                self._uploads.pop(upload.token_id, None)


def _shown(progress: Progress) -> dict[str, Any]:
    return {
        "name": progress.name,
        "bytes": progress.sent,
        "size": progress.size,
        "percent": round(progress.percent, 1),
        "rate": round(progress.rate),
        "seconds_left": None if progress.remaining is None else round(progress.remaining),
    }
