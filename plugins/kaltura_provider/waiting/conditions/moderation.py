"""When a moderator has approved or rejected an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kaltura_provider.api.enums import ModerationStatus
from kaltura_provider.waiting.conditions.entry import failure_of
from kaltura_provider.waiting.conditions.stuck import HOUR
from kaltura_provider.waiting.conditions.verdict import Verdict
from kaltura_provider.waiting.snapshot import EntrySnapshot, label

__all__ = ["EntryModerated"]

_APPROVED = (ModerationStatus.APPROVED, ModerationStatus.AUTO_APPROVED)


@dataclass(frozen=True, slots=True)
class EntryModerated:
    """Ready once the entry is approved, by a moderator or by the account's rules; a rejection fails.

    :param flagged: how to treat an entry that is flagged for review: ``"wait"``, ``"ready"`` or ``"fail"``.
    :param grace: as in :class:`~kaltura_provider.waiting.conditions.entry.EntryReady`.
    """

    flagged: Literal["wait", "ready", "fail"] = "wait"
    grace: float = 60.0

    def __post_init__(self) -> None:
        if self.flagged not in ("wait", "ready", "fail"):
            raise ValueError(f"flagged {self.flagged!r} is unknown; use one of wait, ready, fail")

    def evaluate(self, snapshot: EntrySnapshot, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""
        if problem := failure_of(snapshot, time_in_status, self.grace):
            return problem
        status = snapshot.moderation
        if status in _APPROVED:
            return Verdict.ready(int(status))
        if status == ModerationStatus.REJECTED:
            return Verdict.failed(f"a moderator rejected entry {snapshot.id}")
        if status == ModerationStatus.DELETED:
            return Verdict.failed(f"a moderator deleted entry {snapshot.id}")
        if status == ModerationStatus.FLAGGED_FOR_REVIEW and self.flagged != "wait":
            if self.flagged == "ready":
                return Verdict.ready(int(status))
            return Verdict.failed(f"entry {snapshot.id} is flagged for review")
        return Verdict.waiting(f"entry {snapshot.id} waits for a moderator: it is {label(status)}")

    def needs_flavors(self, snapshot: EntrySnapshot) -> bool:
        """Return ``False``: flavors do not affect moderation."""
        return False

    def hint(self, snapshot: EntrySnapshot) -> str:
        """Return the usual reason why an entry is not moderated, and what to do."""
        return "a moderator has to approve or reject the entry in the KMC (Content, Moderation)."

    def patience(self, snapshot: EntrySnapshot) -> float:
        """Return the seconds after which an unmoderated entry counts as stuck."""
        return 24 * HOUR
