"""The verdict of a condition: ready, waiting or failed, with a reason that a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from kaltura_provider.waiting.snapshot import EntrySnapshot

__all__ = ["Condition", "EntryCondition", "State", "Verdict"]

SnapshotT_contra = TypeVar("SnapshotT_contra", contravariant=True)


class State(StrEnum):
    """The state of the wait for one object."""

    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition says about one object.

    ``reason`` says what is missing (waiting) or why it will never be ready (failed). ``result`` is a small JSON value
    that describes the ready object.
    """

    state: State
    reason: str = ""
    result: Any = None

    @classmethod
    def ready(cls, result: Any = None) -> Verdict:
        """Return the verdict that the object is ready."""
        return cls(State.READY, result=result)

    @classmethod
    def waiting(cls, reason: str) -> Verdict:
        """Return the verdict that the object is not ready because of ``reason``."""
        return cls(State.WAITING, reason)

    @classmethod
    def failed(cls, reason: str) -> Verdict:
        """Return the verdict that the object will never be ready, because of ``reason``."""
        return cls(State.FAILED, reason)


class Condition(Protocol[SnapshotT_contra]):
    """What to wait for. A condition is a frozen dataclass whose fields are JSON values."""

    def evaluate(self, snapshot: SnapshotT_contra, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""

    def hint(self, snapshot: SnapshotT_contra) -> str:
        """Return the usual reason why an object stays as ``snapshot`` shows it, and what to do."""

    def patience(self, snapshot: SnapshotT_contra) -> float:
        """Return the seconds after which an object in this status counts as stuck."""


class EntryCondition(Condition["EntrySnapshot"], Protocol):
    """A condition for entries, which may need the flavors too."""

    def needs_flavors(self, snapshot: EntrySnapshot) -> bool:
        """Return whether the flavors are needed to judge this snapshot."""
