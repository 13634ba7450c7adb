"""Bulk upload jobs: send rows as a job, read the result of each row, and abort a job."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import BatchJobStatus, named_status, parse_status
from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.services.bulk_upload.log import read_log, results_by_row
from kaltura_provider.services.bulk_upload.rows import csv_file, xml_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.services.bulk_upload.rows import BulkRow

__all__ = [
    "MOST_ROWS",
    "OF_THE_LAST_DAY",
    "UNFINISHED",
    "BulkFormat",
    "BulkLogNotReadyError",
    "abort_bulk",
    "bulk_results",
    "has_ended",
    "latest_jobs",
    "read_job_log",
    "read_sent_file",
    "send_job_file",
    "split_rows",
    "submit_bulk",
]

MOST_ROWS = 5_000
"""Maximum rows per job. By default a Kaltura server accepts 1,000 (``maxRecords``) and fails the rest."""

OF_THE_LAST_DAY = {"uploadedOnGreaterThanOrEqual": -86_400}
"""The condition of jobs of the last 24 hours."""

_ENDED = (
    BatchJobStatus.FINISHED,
    BatchJobStatus.FAILED,
    BatchJobStatus.ABORTED,
    BatchJobStatus.FATAL,
    BatchJobStatus.FINISHED_PARTIALLY,
)

UNFINISHED = {"statusIn": ",".join(str(int(status)) for status in BatchJobStatus if status not in _ENDED)}
"""The condition of jobs that have not ended."""

_SERVICE = "bulkUpload_bulk"
_ACCOUNT_DEFAULT = -1


class BulkFormat(StrEnum):
    """The format of the file."""

    CSV = "csv"
    XML = "xml"

    @property
    def job_data(self) -> str:
        """The class for this format. Without it, Kaltura reads XML as CSV."""
        return f"KalturaBulkUpload{self.value.capitalize()}JobData"


class BulkLogNotReadyError(KalturaError):
    """The job has no results yet."""


def split_rows(rows: Sequence[BulkRow], size: int) -> list[Sequence[BulkRow]]:
    """Return the rows in groups of at most ``size``."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def submit_bulk(
    client: KalturaClient,
    rows: Sequence[BulkRow],
    *,
    format: BulkFormat = BulkFormat.CSV,
    conversion_profile_id: int | None = None,
    purpose: str = "",
    look_first: bool = False,
) -> str:
    """Send rows as a bulk upload job and return its id.

    :param conversion_profile_id: of rows that name none; by default the account's.
    :param purpose: what the rows are sent for; a comment in the file keeps a hash of it and of the rows as they were
        given, by which ``look_first`` finds the job that an earlier try has made.
    :raises KalturaError: Kaltura refuses, or (``ambiguous``) may have taken the file.
    """
    content = csv_file(rows) if format is BulkFormat.CSV else xml_file(rows)
    given = json.dumps([purpose, [row.given for row in rows]], sort_keys=True, default=str)
    mark = f"airflow-{hashlib.sha256(given.encode()).hexdigest()[:24]}"
    if look_first and (made := _find_job(client, mark)):
        return made
    head, line_end, rest = content.partition(b"\n")
    comment = f"# {mark}" if format is BulkFormat.CSV else f"<!-- {mark} -->"
    file = head + line_end + comment.encode() + b"\n" + rest
    # An XML job without a profile fails as a whole: "Conversion profile not defined".
    profile = _ACCOUNT_DEFAULT if conversion_profile_id is None else conversion_profile_id
    return send_job_file(client, file, f"{mark}.{format.value}", format=format, conversion_profile_id=profile)


def send_job_file(
    client: KalturaClient,
    content: bytes,
    name: str,
    *,
    format: BulkFormat = BulkFormat.CSV,
    conversion_profile_id: int = _ACCOUNT_DEFAULT,
    timeout: float | None = None,
) -> str:
    """Send a file of rows as a bulk upload job and return its id.

    :raises KalturaError: Kaltura refuses, or (``ambiguous``) may have taken the file.
    """
    part = FilePart(name, len(content), lambda: [content], content_type=f"text/{format.value}")
    params = {
        "bulkUploadData": {"objectType": format.job_data, "fileName": name},
        "bulkUploadEntryData": {
            "objectType": "KalturaBulkUploadEntryData", "conversionProfileId": conversion_profile_id
        },
    }  # fmt: skip
    return str(client.send_file("media", "bulkUploadAdd", params, part, timeout=timeout)["id"])


def latest_jobs(client: KalturaClient, conditions: Mapping[str, Any], *, maximum: int) -> list[dict[str, Any]]:
    """Return the latest jobs that meet the conditions of a ``KalturaBulkUploadFilter``, newest first."""
    params = {"bulkUploadFilter": {**conditions, "orderBy": "-createdAt"}, "pager": {"pageSize": maximum}}
    return [dict(job) for job in client.call(_SERVICE, "list", params)["objects"]]


def has_ended(status: Any) -> bool:
    """Return whether a job with this status has ended."""
    return parse_status(BatchJobStatus, status) in _ENDED


def read_sent_file(client: KalturaClient, job_id: str) -> bytes:
    """Return the file of a job. Kaltura does not return its name."""
    return client.read_file(_SERVICE, "serve", {"id": job_id})


def read_job_log(client: KalturaClient, job_id: str) -> bytes:
    """Return the log of a job, for :func:`read_log`."""
    return client.read_file(_SERVICE, "serveLog", {"id": job_id})


def _find_job(client: KalturaClient, mark: str) -> str | None:
    """Return the job whose file has this mark, if it is among the latest 50 of the last day."""
    for job in latest_jobs(client, OF_THE_LAST_DAY, maximum=50):
        if mark.encode() in read_sent_file(client, str(job["id"])):
            return str(job["id"])
    return None


def abort_bulk(client: KalturaClient, bulk_id: int) -> dict[str, Any]:
    """Abort a job. Entries that it made stay; a job that has ended stays as it is."""
    job = client.call(_SERVICE, "abort", {"id": bulk_id}, repeatable=True)
    return {"bulk_upload_id": str(bulk_id), **named_status(BatchJobStatus, job["status"])}


def bulk_results(
    client: KalturaClient, bulk_id: int, rows: Sequence[Mapping[str, Any] | str] = ()
) -> list[dict[str, Any]]:
    """Return the result of each row, as :func:`results_by_row`.

    :param rows: the rows of the job, in their order; a row without a line in the log has failed.
    :raises BulkLogNotReadyError: the job has not read its file yet.
    :raises KalturaConfigurationError: the job as a whole failed; says why.
    """
    job = client.call(_SERVICE, "get", {"id": bulk_id})
    lines = read_log(read_job_log(client, str(bulk_id)))
    if lines is None:
        if job.get("error"):
            raise KalturaConfigurationError("bulk_upload_id", bulk_id, "failed as a whole", str(job["error"]))
        if parse_status(BatchJobStatus, job["status"]) != BatchJobStatus.ABORTED:
            raise BulkLogNotReadyError(f"bulk upload {bulk_id} has no results yet: wait with KalturaBulkJobSensor")
    return results_by_row(lines or (), rows)
