"""Wait for bulk upload jobs to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.sensors.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.triggers.bulk_job import KalturaBulkJobTrigger

__all__ = ["KalturaBulkJobSensor"]


class KalturaBulkJobSensor(KalturaSensor):
    """Wait until bulk upload jobs have finished: every row read, and its entries out of import and conversion.

    :param bulk_upload: a bulk upload's id, a mapping with ``bulk_upload_id``, or a list of either.
    :param allow_partial: whether a job of which some rows failed (FINISHED_PARTIALLY) is fine.
    :param grace: seconds that "no such job" must last before it is believed.
    :return: for an id ``{"id", "status", "entries", "objects"}``; for a list of ids
        ``{"ready": [such], "failed": {id: reason}}``; for mappings, the mappings with these under ``bulk_upload``.
    :raises AirflowFailException: the job failed; the message is the reason Kaltura gives.
    :raises AirflowSensorTimeout: the time is up.
    """

    template_fields: Sequence[str] = ("bulk_upload", *KalturaSensor.template_fields)

    def __init__(self, *, bulk_upload: Any, allow_partial: bool = False, grace: float = 30.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bulk_upload = bulk_upload
        self.allow_partial = allow_partial
        self.grace = grace

    def subject(self) -> Targets:
        """Return the jobs."""
        return Targets(self.bulk_upload, name="bulk_upload", key="bulk_upload_id")

    def trigger_type(self) -> type[KalturaBulkJobTrigger]:
        """Return the trigger that waits for jobs."""
        from kaltura_provider.triggers.bulk_job import KalturaBulkJobTrigger

        return KalturaBulkJobTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``BulkJobDone``."""
        return {"allow_partial": self.allow_partial, "grace": self.grace}

    def update(self, reference: dict[str, Any], result: Any) -> dict[str, Any]:
        """Return the mapping with how the job ended."""
        return {**reference, "bulk_upload": result}

    def describe(self, object_id: str, result: Any) -> Any:
        """Return the job's id and how it ended."""
        return {"id": object_id, **result}
