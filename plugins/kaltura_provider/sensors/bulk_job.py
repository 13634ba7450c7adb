"""A sensor that waits for bulk upload jobs to finish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import BatchJobStatus, named_status
from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.sensors.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.triggers.bulk_job import KalturaBulkJobTrigger

__all__ = ["KalturaBulkJobSensor"]


@renamed_arguments({"bulk_upload": "bulk_upload_id"})
class KalturaBulkJobSensor(KalturaSensor):
    """Wait until bulk upload jobs have finished: all rows are read, their entries imported and converted.

    :param bulk_upload_id: bulk upload jobs: an id, the result of an operator that has one, or a list of either.
    :param allow_partial: whether to accept a job of which some rows failed (FINISHED_PARTIALLY).
    :param grace: seconds that "no such job" must last to count as a failure.
    :return: for an id, ``{"bulk_upload_id", "status", "status_number", "entries", "objects"}``; for a list of ids,
        ``{"ready": [these], "failed": {id: reason}}``; for the result of another operator, that result with these
        fields; for a list of these, a list.
    :raises AirflowFailException: a job failed. The message is the reason Kaltura gives.
    :raises AirflowSensorTimeout: the time is up.
    """

    template_fields: Sequence[str] = ("bulk_upload_id", *KalturaSensor.template_fields)

    def __init__(self, *, bulk_upload_id: Any, allow_partial: bool = False, grace: float = 30.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bulk_upload_id = bulk_upload_id
        self.allow_partial = allow_partial
        self.grace = grace

    def subject(self) -> Targets:
        """Return the jobs."""
        return Targets(self.bulk_upload_id, name="bulk_upload_id", key="bulk_upload_id")

    def trigger_type(self) -> type[KalturaBulkJobTrigger]:
        """Return the trigger that waits for jobs."""
        from kaltura_provider.triggers.bulk_job import KalturaBulkJobTrigger

        return KalturaBulkJobTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``BulkJobDone``."""
        return {"allow_partial": self.allow_partial, "grace": self.grace}

    def update(self, reference: dict[str, Any], result: Any) -> dict[str, Any]:
        """Return the mapping with how the job ended."""
        return {**reference, **_shown(result)}

    def describe(self, object_id: str, result: Any) -> Any:
        """Return the job's id and how it ended."""
        return {"bulk_upload_id": object_id, **_shown(result)}


def _shown(result: Mapping[str, Any]) -> dict[str, Any]:
    return {**result, **named_status(BatchJobStatus, result["status"])}
