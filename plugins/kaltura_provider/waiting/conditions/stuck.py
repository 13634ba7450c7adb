"""How long an object may stay in one status before it counts as stuck, and the usual causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kaltura_provider.api.enums import EntryStatus, ModerationStatus, ReplacementStatus, SourceType

if TYPE_CHECKING:
    from kaltura_provider.waiting.snapshot import EntrySnapshot

__all__ = ["entry_hint", "entry_patience"]

HOUR: Final = 3600.0

_PATIENCE = {
    EntryStatus.NO_CONTENT: 0.5 * HOUR,
    EntryStatus.IMPORT: 1 * HOUR,
    EntryStatus.PRECONVERT: 6 * HOUR,
    EntryStatus.PENDING: 1 * HOUR,
    EntryStatus.MODERATE: 24 * HOUR,
    EntryStatus.READY: 6 * HOUR,
}

_IMPORT_FROM_URL = (
    "Kaltura fetches the content from a URL and tries 3 times, 5 minutes apart. Does the URL answer from the outside "
    "with the file itself, not with a sign-in page, a manifest or a redirect to one, and is it still valid?"
)
_IMPORT_UPLOAD = (
    "the entry waits for its upload token to be filled: look at the upload task. If the token was deleted or used for "
    "another entry, nothing will complete this one; clear the prepare and upload tasks to send the file again."
)
_HINTS = {
    EntryStatus.NO_CONTENT: (
        "nothing was attached to the entry: did its upload or attach task fail, or was its upload token deleted?"
    ),
    EntryStatus.PRECONVERT: (
        "the transcoding queue is long or a job hangs: look at the entry's flavors in the KMC; a very long or damaged "
        "file can take many hours."
    ),
    EntryStatus.PENDING: (
        "content is there but no conversion runs: the conversion profile may wait for flavors that have to be "
        "uploaded, or be the wrong one."
    ),
    EntryStatus.MODERATE: "a moderator has to approve the entry in the KMC.",
}


def entry_patience(snapshot: EntrySnapshot) -> float:
    """Return the seconds after which an entry in this status counts as stuck; an hour for unknown ones."""
    if isinstance(snapshot.status, EntryStatus):
        return _PATIENCE.get(snapshot.status, HOUR)
    return HOUR


def entry_hint(snapshot: EntrySnapshot) -> str:
    """Return the usual reason why an entry stays in this status, and what to do."""
    status = snapshot.status
    if status == EntryStatus.IMPORT:
        return _IMPORT_FROM_URL if snapshot.source_type == SourceType.URL else _IMPORT_UPLOAD
    if status == EntryStatus.READY:
        return _ready_hint(snapshot)
    if isinstance(status, EntryStatus) and status in _HINTS:
        return _HINTS[status]
    return f"status {snapshot.describe} is unknown to this version; look at the entry in the KMC."


def _ready_hint(snapshot: EntrySnapshot) -> str:
    if snapshot.replacement == ReplacementStatus.READY_BUT_NOT_APPROVED:
        return "approve or cancel the replacement in the KMC (media.approveReplace, media.cancelReplace)."
    if snapshot.replacement not in (None, ReplacementStatus.NONE):
        return "the replacement is still being converted: look at the flavors of its temporary entry in the KMC."
    if snapshot.moderation in (ModerationStatus.PENDING_MODERATION, ModerationStatus.FLAGGED_FOR_REVIEW):
        return "a moderator has to approve the entry in the KMC."
    return (
        "the entry is READY without content: an entry created with conversion profile -1 is READY before "
        "it has content; look at its flavors in the KMC."
    )
