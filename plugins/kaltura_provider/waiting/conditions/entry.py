"""When an entry is ready, and when it never will be (see ``docs/waiting.md``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kaltura_provider.api.enums import (
    EntryStatus,
    FlavorAssetStatus,
    MediaType,
    ModerationStatus,
    ReplacementStatus,
)
from kaltura_provider.waiting.conditions.stuck import entry_hint, entry_patience
from kaltura_provider.waiting.conditions.verdict import Verdict
from kaltura_provider.waiting.snapshot import EntrySnapshot, label

__all__ = ["NOT_IMPORTED", "EntryReady", "failure_of", "gone", "explain_flavors"]

NOT_IMPORTED = f"({EntryStatus.ERROR_IMPORTING.name})"
"""Is part of the reason why a wait failed if Kaltura could not fetch the content."""

NO_PROFILE = -1
"""``conversionProfileId`` of an entry that is stored as it is and never converted."""

_MOVING = {
    EntryStatus.NO_CONTENT: "it has no content yet",
    EntryStatus.IMPORT: "its content is being imported or uploaded",
    EntryStatus.PRECONVERT: "it is being converted",
}


@dataclass(frozen=True, slots=True)
class EntryReady:
    """Ready once the entry can be played: status READY, with content, and not being replaced.

    :param moderation: how to treat an entry that is not approved: ``"ready"``, ``"wait"`` for the moderator (a
        rejection fails), or ``"fail"``.
    :param replacement: ``"wait"`` until new content has replaced the old, or ``"ignore"`` the replacement.
    :param grace: seconds that ERROR_IMPORTING must last, or that an entry must be missing, before the wait fails: a
        retried import returns to IMPORT, and a new entry may not have reached a replica yet.
    """

    moderation: Literal["ready", "wait", "fail"] = "ready"
    replacement: Literal["wait", "ignore"] = "wait"
    grace: float = 60.0

    def __post_init__(self) -> None:
        _check("moderation", self.moderation, ("ready", "wait", "fail"))
        _check("replacement", self.replacement, ("wait", "ignore"))
        if self.grace < 0:
            raise ValueError(f"grace {self.grace} is negative; give seconds, 0 or more")

    def evaluate(self, snapshot: EntrySnapshot, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""
        if problem := failure_of(snapshot, time_in_status, self.grace):
            return problem
        status = snapshot.status
        if status == EntryStatus.PENDING and snapshot.conversion_profile_id == NO_PROFILE:
            # Such an entry is complete: its content is stored, and nothing will convert it.
            return Verdict.ready(int(EntryStatus.PENDING))
        if status == EntryStatus.MODERATE:
            return self._unmoderated(snapshot)
        if status == EntryStatus.READY:
            return self._ready(snapshot)
        if isinstance(status, EntryStatus) and status in _MOVING:
            return Verdict.waiting(f"entry {snapshot.id} is {label(status)}: {_MOVING[status]}")
        return Verdict.waiting(f"entry {snapshot.id} is {snapshot.describe}")

    def needs_flavors(self, snapshot: EntrySnapshot) -> bool:
        """Whether the flavors are needed to judge this snapshot: to find content, or the reason of a failure."""
        if snapshot.status in (EntryStatus.ERROR_CONVERTING, EntryStatus.ERROR_IMPORTING):
            return True
        if snapshot.status != EntryStatus.READY:
            return False
        if snapshot.replacement == ReplacementStatus.FAILED:
            return self.replacement == "wait"
        return has_flavors(snapshot) and not snapshot.flavor_params_ids

    def hint(self, snapshot: EntrySnapshot) -> str:
        """Return the usual reason why an entry stays in this status, and what to do."""
        return entry_hint(snapshot)

    def patience(self, snapshot: EntrySnapshot) -> float:
        """Return the seconds after which an entry in this status counts as stuck."""
        return entry_patience(snapshot)

    def _ready(self, snapshot: EntrySnapshot) -> Verdict:
        if self.replacement == "wait" and (verdict := _replacement(snapshot)):
            return verdict
        if has_flavors(snapshot) and not snapshot.flavor_params_ids:
            if snapshot.flavors is None:
                return Verdict.waiting(f"entry {snapshot.id} is READY, but its flavors have not been read yet")
            if not any(flavor.original or flavor.usable for flavor in snapshot.flavors):
                return Verdict.waiting(f"entry {snapshot.id} is READY but holds no content")
        if snapshot.moderation in (ModerationStatus.PENDING_MODERATION, ModerationStatus.REJECTED):
            return self._unmoderated(snapshot)
        return Verdict.ready(int(EntryStatus.READY))

    def _unmoderated(self, snapshot: EntrySnapshot) -> Verdict:
        status = snapshot.status
        if self.moderation == "ready":
            return Verdict.ready(int(status) if isinstance(status, int) else status)
        if snapshot.moderation == ModerationStatus.REJECTED:
            return Verdict.failed(f"a moderator rejected entry {snapshot.id}")
        if self.moderation == "fail":
            return Verdict.failed(
                f"entry {snapshot.id} needs a moderator's approval (moderation='fail'); approve it, or wait for it "
                "with moderation='wait'"
            )
        return Verdict.waiting(f"entry {snapshot.id} waits for a moderator")


def has_flavors(snapshot: EntrySnapshot) -> bool:
    """Return whether entries of this kind have flavor assets: video and audio do, images and documents do not."""
    return snapshot.media_type in (MediaType.VIDEO, MediaType.AUDIO)


def gone(snapshot: EntrySnapshot, time_in_status: float, grace: float) -> Verdict | None:
    """Judge an entry that is deleted, recycled or missing; ``None`` if it exists."""
    if snapshot.status == EntryStatus.DELETED:
        return Verdict.failed(f"entry {snapshot.id} was deleted in Kaltura")
    if snapshot.recycled:
        return Verdict.failed(f"entry {snapshot.id} is in Kaltura's recycle bin; restore it there")
    if snapshot.status is not None:
        return None
    if time_in_status < grace:
        return Verdict.waiting(f"Kaltura does not show entry {snapshot.id}; checking again")
    return Verdict.failed(
        f"Kaltura has no entry {snapshot.id}: check the id, and that the connection's session may see it "
        "(an ADMIN session with the privilege disableentitlement sees every entry)"
    )


def failure_of(snapshot: EntrySnapshot, time_in_status: float, grace: float) -> Verdict | None:
    """Judge what fails every condition: gone, failed, infected or blocked; ``None`` if it is none of these."""
    if verdict := gone(snapshot, time_in_status, grace):
        return verdict
    status = snapshot.status
    if status == EntryStatus.ERROR_IMPORTING:
        if time_in_status < grace:
            return Verdict.waiting(f"entry {snapshot.id} is {label(status)}; the import may be retried")
        return Verdict.failed(
            f"Kaltura could not import the content of entry {snapshot.id} {NOT_IMPORTED}" + explain_flavors(snapshot)
        )
    if status == EntryStatus.ERROR_CONVERTING:
        return Verdict.failed(
            f"Kaltura could not convert entry {snapshot.id} (ERROR_CONVERTING)" + explain_flavors(snapshot)
        )
    if status == EntryStatus.BLOCKED:
        return Verdict.failed(f"entry {snapshot.id} is blocked in Kaltura (BLOCKED)")
    if isinstance(status, str) and status.startswith("virusScan."):
        found = "a virus in" if status == "virusScan.Infected" else "that it could not scan"
        return Verdict.failed(f"Kaltura's virus scan reports {found} entry {snapshot.id} ({status})")
    return None


def explain_flavors(snapshot: EntrySnapshot) -> str:
    """Return ``: `` and what Kaltura wrote about the flavors that failed, or nothing if it wrote nothing."""
    failing = [f for f in snapshot.flavors or () if f.status == FlavorAssetStatus.ERROR]
    return ": " + "; ".join(flavor.describe for flavor in failing) if failing else ""


def _replacement(snapshot: EntrySnapshot) -> Verdict | None:
    status = snapshot.replacement
    if status == ReplacementStatus.FAILED:
        return Verdict.failed(
            f"the replacement of entry {snapshot.id} failed in its temporary entry {snapshot.replacing_entry_id}"
            f"{explain_flavors(snapshot)}; the old content is kept; media.cancelReplace clears the state"
        )
    if status == ReplacementStatus.READY_BUT_NOT_APPROVED:
        return Verdict.waiting(f"the replacement of entry {snapshot.id} waits for approval")
    if status in (
        ReplacementStatus.APPROVED_BUT_NOT_READY,
        ReplacementStatus.NOT_READY_AND_NOT_APPROVED,
    ):
        return Verdict.waiting(f"the new content of entry {snapshot.id} is being converted")
    return None


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} {value!r} is unknown; use one of {', '.join(known)}")
