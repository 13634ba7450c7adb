"""The answer to "is it there yet?": ready, waiting or failed, always with words a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from kaltura_provider.waiting.snapshot import EntrySnapshot

__all__ = ["Condition", "EntryCondition", "State", "Verdict"]

SnapshotT_contra = TypeVar("SnapshotT_contra", contravariant=True)


class State(StrEnum):
    """How a wait for one object stands."""

    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition says about one object.

    ``reason`` says what is still missing (waiting) or why it will never come (failed); ``result`` is a small
    JSON value that describes what is ready.
    """

    state: State
    reason: str = ""
    result: Any = None

    @classmethod
    def ready(cls, result: Any = None) -> Verdict:
        """Say that it is there."""
        return cls(State.READY, result=result)

    @classmethod
    def waiting(cls, reason: str) -> Verdict:
        """Say that ``reason`` is still in the way."""
        return cls(State.WAITING, reason)

    @classmethod
    def failed(cls, reason: str) -> Verdict:
        """Say that it never will be, because of ``reason``."""
        return cls(State.FAILED, reason)


class Condition(Protocol[SnapshotT_contra]):
    """What is waited for. A condition is a frozen dataclass whose fields are JSON values."""

    def evaluate(self, snapshot: SnapshotT_contra, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""

    def hint(self, snapshot: SnapshotT_contra) -> str:
        """Say what usually is the cause when an object stays as ``snapshot`` shows it, and what to do."""

    def patience(self, snapshot: SnapshotT_contra) -> float:
        """Return the seconds after which an object in this status counts as stuck."""


class EntryCondition(Condition["EntrySnapshot"], Protocol):
    """A condition on an entry; only this kind is asked whether it wants flavors."""

    def needs_flavors(self, snapshot: EntrySnapshot) -> bool:
        """Tell whether judging this snapshot takes the entry's flavors."""
