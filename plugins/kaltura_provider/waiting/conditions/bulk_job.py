"""When a bulk upload job has finished, and whether it succeeded."""

from __future__ import annotations

from dataclasses import dataclass

from kaltura_provider.api.enums import BatchJobStatus
from kaltura_provider.waiting.conditions.verdict import Verdict
from kaltura_provider.waiting.snapshot import JobSnapshot, label

__all__ = ["BulkJobDone"]

_BROKEN = (BatchJobStatus.FAILED, BatchJobStatus.ABORTED, BatchJobStatus.FATAL)


@dataclass(frozen=True, slots=True)
class BulkJobDone:
    """Ready once the job has finished every row.

    :param allow_partial: whether FINISHED_PARTIALLY (some rows failed) is ready too.
    :param grace: seconds that a job must be missing before it counts as nonexistent.
    """

    allow_partial: bool = False
    grace: float = 30.0

    def evaluate(self, snapshot: JobSnapshot, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""
        status = snapshot.status
        if status is None:
            if time_in_status < self.grace:
                return Verdict.waiting(f"Kaltura shows no bulk upload {snapshot.id}; checking again")
            return Verdict.failed(f"bulk upload {snapshot.id} does not exist")
        partly = status == BatchJobStatus.FINISHED_PARTIALLY
        if status == BatchJobStatus.FINISHED or (partly and self.allow_partial):
            return Verdict.ready({"status": int(status), "entries": snapshot.entries, "objects": snapshot.objects})
        said = f": {snapshot.error}" if snapshot.error else ""
        if partly:
            return Verdict.failed(
                f"some rows of bulk upload {snapshot.id} failed{said}; allow_partial=True accepts that"
            )
        if status in _BROKEN:
            return Verdict.failed(f"bulk upload {snapshot.id} ended as {label(status)}{said}")
        return Verdict.waiting(f"bulk upload {snapshot.id} is {label(status)}")

    def hint(self, snapshot: JobSnapshot) -> str:
        """Return the usual reason why a job does not end, and what to do."""
        if snapshot.status == BatchJobStatus.ALMOST_DONE:
            return "every row has been read; the job ends when its last entry is imported and converted."
        return "Kaltura's bulk upload queue is long or the job hangs: look at the bulk upload log in the KMC."

    def patience(self, snapshot: JobSnapshot) -> float:
        """Return the seconds without progress after which a job counts as stuck."""
        return 6 * 3600.0
