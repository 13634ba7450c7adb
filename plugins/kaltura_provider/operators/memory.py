"""What a task remembers for its next try: ids of what it made in Kaltura, in Airflow's task state store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["TaskMemory"]


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
        if self._store is not None:
            self._store.set(self._key, dict(self.ids))
