"""The trigger that waits for bulk upload jobs."""

from __future__ import annotations

from kaltura_provider.triggers.base import KalturaTrigger
from kaltura_provider.waiting.conditions.bulk_job import BulkJobDone
from kaltura_provider.waiting.polling.readers import JobReader

__all__ = ["KalturaBulkJobTrigger"]


class KalturaBulkJobTrigger(KalturaTrigger):
    """Wait until jobs have ended; see :class:`~kaltura_provider.waiting.conditions.bulk_job.BulkJobDone`."""

    kind = "bulk_job"
    condition_type = BulkJobDone

    @classmethod
    def make_reader(cls) -> JobReader:
        """Return the reader for bulk upload jobs."""
        return JobReader()
