"""The trigger that waits for bulk upload jobs to end."""

from __future__ import annotations

from kaltura_provider.triggers.base import KalturaTrigger
from kaltura_provider.triggers.evaluate import BulkJobDone
from kaltura_provider.triggers.polling.readers import JobReader

__all__ = ["KalturaBulkJobTrigger"]


class KalturaBulkJobTrigger(KalturaTrigger):
    """Wait until jobs have ended; the condition is :class:`~kaltura_provider.triggers.evaluate.BulkJobDone`."""

    kind = "bulk_job"
    condition_type = BulkJobDone

    @classmethod
    def make_reader(cls) -> JobReader:
        """Return what reads bulk upload jobs."""
        return JobReader()
