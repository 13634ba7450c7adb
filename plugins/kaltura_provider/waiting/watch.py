"""One wait: which objects are missing, ready, failed or stuck. Pure: no network and no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kaltura_provider.waiting.conditions.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.waiting.conditions.verdict import Condition
    from kaltura_provider.waiting.snapshot import Snapshot

__all__ = ["Memory", "Watch"]


@dataclass(slots=True)
class Memory:
    """What is known of one object between two polls: its phase, since when, and whether it was reported as stuck."""

    phase: str
    since: float
    warned: bool = False

    @property
    def status(self) -> str:
        """The status within the phase, as Kaltura's number."""
        return self.phase.partition("/")[0]


@dataclass(slots=True)
class Watch:
    """A wait for some objects with one condition.

    :param ids: the ids to wait for, in the order of the author.
    :param condition: decides when an object is ready.
    :param stuck_after: seconds in one status after which an object counts as stuck; ``None`` lets the condition decide.
    :param fail_when_stuck: whether a stuck object fails; otherwise it is only reported, once per status.

    Times are in seconds of one clock, which every call must use.
    """

    ids: Iterable[str]
    condition: Condition[Any]
    stuck_after: float | None = None
    fail_when_stuck: bool = False
    pending: dict[str, str] = field(default_factory=dict, init=False)
    """Objects that are not ready yet: id to reason, in order."""
    ready: dict[str, Any] = field(default_factory=dict, init=False)
    """Objects that are ready: id to the condition's result."""
    failed: dict[str, str] = field(default_factory=dict, init=False)
    """Objects that failed: id to reason."""
    memory: dict[str, Memory] = field(default_factory=dict, init=False)
    _hints: dict[str, str] = field(default_factory=dict, init=False)
    _left: list[tuple[str, float]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.pending = {one: f"{one} has not been read yet" for one in self.ids}

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.pending

    def observe(self, snapshots: Mapping[str, Snapshot], now: float) -> list[str]:
        """Judge the objects that were read at ``now``. Return log lines about changes and objects that seem stuck."""
        news: list[str] = []
        for object_id in [one for one in self.pending if one in snapshots]:
            snapshot = snapshots[object_id]
            known = self.memory.get(object_id)
            changed = known is None or known.phase != snapshot.phase
            if known is not None and changed:
                self._left.append((known.status, now - known.since))
            if known is None or changed:
                known = self.memory[object_id] = Memory(snapshot.phase, now)
            news += self._judge(snapshot, known, now, changed)
        return news

    def give_up(self, reasons: Mapping[str, str]) -> None:
        """Let objects fail that cannot be read."""
        for object_id, reason in reasons.items():
            if self.pending.pop(object_id, None) is not None:
                self.failed[object_id] = reason

    def take_left(self) -> list[tuple[str, float]]:
        """Return the statuses that objects have left since the last call, each with the seconds spent in it."""
        left, self._left = self._left, []
        return left

    def explain(self) -> str:
        """Describe which objects are missing, why, and the usual cause."""
        lines = [
            f"{reason}. Hint: {self._hints[object_id]}" if object_id in self._hints else reason
            for object_id, reason in list(self.pending.items())[:10]
        ]
        more = len(self.pending) - len(lines)
        return "; ".join(lines) + (f"; and {more} more" if more > 0 else "")

    def report(self) -> dict[str, Any]:
        """Return the state of the wait as a JSON value."""
        return {"ready": self.ready, "failed": self.failed, "waiting": self.pending}

    def remember(self) -> dict[str, list[Any]]:
        """Return the memory as a JSON value, for a wait that another process continues."""
        return {key: [m.phase, m.since, m.warned] for key, m in self.memory.items() if key in self.pending}

    def recall(self, stored: Mapping[str, Any] | None) -> None:
        """Restore the memory that :meth:`remember` returned."""
        for key, (phase, since, warned) in (stored or {}).items():
            if key in self.pending:
                self.memory[key] = Memory(phase, since, warned)

    def _judge(self, snapshot: Snapshot, known: Memory, now: float, changed: bool) -> list[str]:
        object_id = snapshot.id
        age = now - known.since
        verdict = self.condition.evaluate(snapshot, age)
        if verdict.state is State.READY:
            del self.pending[object_id]
            self.ready[object_id] = verdict.result
            return [f"{object_id} is ready"]
        if verdict.state is State.FAILED:
            return self._fail(object_id, verdict.reason)
        self.pending[object_id] = verdict.reason
        hint = self._hints[object_id] = self.condition.hint(snapshot)
        limit = self.condition.patience(snapshot) if self.stuck_after is None else self.stuck_after
        if age < limit or known.warned:
            return [f"waiting: {verdict.reason}"] if changed else []
        known.warned = True
        stuck = f"{verdict.reason}, for {age:.0f} s, so it seems stuck. Hint: {hint}"
        return self._fail(object_id, stuck) if self.fail_when_stuck else [stuck]

    def _fail(self, object_id: str, reason: str) -> list[str]:
        del self.pending[object_id]
        self.failed[object_id] = reason
        return [f"failed: {reason}"]
