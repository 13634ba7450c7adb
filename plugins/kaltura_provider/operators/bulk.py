"""Submits bulk uploads, reports their results row by row, and aborts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list
from kaltura_provider.hooks.output import check_output, write_rows
from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.hooks.sources import PRESIGNED_SECONDS, presigned_seconds
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.services.bulk_upload.jobs import BulkFormat
    from kaltura_provider.services.bulk_upload.rows import BulkRow

__all__ = ["KalturaAbortBulkUploadOperator", "KalturaBulkResultsOperator", "KalturaBulkUploadOperator"]


class KalturaBulkUploadOperator(KalturaOperator):
    """Submit bulk upload jobs of CSV or XML rows, whose files Kaltura fetches itself (``media.bulkUploadAdd``).

    Wait with ``KalturaBulkJobSensor(bulk_upload_id=...output, allow_partial=True)``, then get the result of each row
    with ``KalturaBulkResultsOperator``. To get one entry per source item, however often the DAG runs, use
    ``KalturaAddFromUrlOperator``.

    :param rows: URLs (``https://...``, or ``s3://bucket/key``, for which Kaltura gets a presigned URL), or mappings
        with ``url`` and optionally ``name``, ``description``, ``tags``, ``categories``,
        ``media_type`` (``video``, ``audio``, ``image``; default: by the extension), ``reference_id``, ``user_id``,
        ``conversion_profile_id``, ``access_control_id``, ``start_date``, ``end_date``, ``thumbnail_url``,
        ``partner_data``, ``template_entry_id``.
        A row with ``action`` ``update`` (or 2, as in Kaltura's guide, also under ``*action``) changes the entry that
        ``entry_id`` or else ``reference_id`` names, and replaces its content if it has a ``url``; one with ``delete``
        (3) deletes it.
    :param file_format: ``csv`` or ``xml``; by default ``xml`` where a row updates or deletes, else ``csv``, whose such
        rows Kaltura passes over without a word.
    :param conversion_profile_id: the conversion profile of rows that name none.
    :param rows_per_job: rows of one job at most (1 to 5,000). A Kaltura server as shipped fails rows beyond 1,000.
    :param aws_conn_id: the Airflow connection for S3.
    :param presigned_seconds: how long the URL of an S3 object is valid (60 to 604,800).
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: a list with one ``{"bulk_upload_id", "first_row" (from 1), "count"}`` per job.
    :raises AirflowFailException: a row is not allowed (the message names it; nothing is sent), or Kaltura refuses.
    """

    template_fields: Sequence[str] = (
        "rows",
        "file_format",
        "conversion_profile_id",
        "rows_per_job",
        "aws_conn_id",
        "presigned_seconds",
        *KalturaOperator.template_fields,
    )

    def __init__(
        self,
        *,
        rows: Sequence[Mapping[str, Any] | str],
        file_format: str | None = None,
        conversion_profile_id: int | str | None = None,
        rows_per_job: int | str = 1000,
        aws_conn_id: str = "aws_default",
        presigned_seconds: int | str = PRESIGNED_SECONDS,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        self.file_format = file_format
        self.conversion_profile_id = conversion_profile_id
        self.rows_per_job = rows_per_job
        self.aws_conn_id = aws_conn_id
        self.presigned_seconds = presigned_seconds
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> list[dict[str, Any]]:
        """Return the jobs."""
        from kaltura_provider.api.arguments import number
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.bulk_upload.jobs import MOST_ROWS, BulkFormat, split_rows
        from kaltura_provider.services.bulk_upload.rows import BulkAction, csv_file, read_rows, xml_file

        if self.file_format not in (None, "", *BulkFormat):
            raise KalturaConfigurationError("file_format", self.file_format, "is unknown", "use csv or xml")
        size = number(self.rows_per_job, "rows_per_job", minimum=1, maximum=MOST_ROWS)
        given = self.conversion_profile_id
        profile = None if given in (None, "") else number(given, "conversion_profile_id", minimum=-1)
        rows = read_rows(self.rows, self._presigned())
        plain = all(row.action is BulkAction.ADD for row in rows)
        kind = BulkFormat(self.file_format or (BulkFormat.CSV if plain else BulkFormat.XML))
        # Rows that cannot be written fail before any job is made.
        (csv_file if kind is BulkFormat.CSV else xml_file)(rows)
        memory = TaskMemory(context, "kaltura_bulk", enabled=self.durable)
        jobs: list[dict[str, Any]] = []
        for index, group in enumerate(split_rows(rows, size)):
            job = self._job(context, memory, index, group, kind, profile)
            self.log.info("Bulk upload %s: rows %d to %d", job, index * size + 1, index * size + len(group))
            jobs.append({"bulk_upload_id": job, "first_row": index * size + 1, "count": len(group)})
        return jobs

    def _job(
        self,
        context: Context,
        memory: TaskMemory,
        index: int,
        rows: Sequence[BulkRow],
        kind: BulkFormat,
        profile: int | None,
    ) -> str:
        """Return the job that an earlier try submitted for these rows, or a new one."""
        from kaltura_provider.services.bulk_upload.jobs import submit_bulk

        ti: Any = context["ti"]
        asked = [self.kaltura_conn_id, index, kind.value, profile, [row.given for row in rows]]
        purpose = [getattr(ti, "dag_id", ""), getattr(ti, "run_id", ""), ti.map_index, self.task_id, *asked[1:4]]
        job = memory.find_or_make(
            request_key(*asked),
            lambda made: self.hook.call("bulkUpload_bulk", "get", id=made),
            lambda: {
                "id": submit_bulk(
                    self.hook.get_conn(),
                    rows,
                    format=kind,
                    conversion_profile_id=profile,
                    purpose="/".join(map(str, purpose)),
                    look_first=ti.try_number > 1,
                )
            },
        )
        return str(job["id"])

    def _presigned(self) -> Callable[[str], str]:
        """Return a function that turns an S3 address into a URL that Kaltura can fetch."""
        from kaltura_provider.hooks.sources import import_address

        seconds = presigned_seconds(self.presigned_seconds)
        return lambda uri: import_address(uri, aws_conn_id=self.aws_conn_id, seconds=seconds)[0]


@renamed_arguments({"bulk_upload": "bulk_upload_id"})
class KalturaBulkResultsOperator(KalturaOperator):
    """Report the result of each row of bulk uploads, from their logs (``bulkUpload_bulk.serveLog``).

    :param bulk_upload_id: bulk upload jobs: an id, the result of an operator that has one, or a list of either.
    :param rows: the submitted rows. Failed ones are returned under ``failed_rows``, for another try.
    :param output_uri: where to write the rows instead of XCom: a file or S3 object (``.jsonl``, ``.json``, ``.csv``).
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: ``{"ok", "failed", "in_progress"}`` (numbers of rows), ``failed_rows``, ``entry_ids`` (up to 1,000 of those
        that are ok), and ``results`` (a list of ``row`` from 1, ``url``, ``result``, ``entry_id``, ``status``,
        ``status_number``, ``error``) or ``output_uri``.
    :raises AirflowFailException: an argument is not allowed, or a whole job failed. While a job has no results, the
        task is retried.
    """

    template_fields: Sequence[str] = (
        "bulk_upload_id",
        "rows",
        "output_uri",
        "aws_conn_id",
        *KalturaOperator.template_fields,
    )

    def __init__(
        self,
        *,
        bulk_upload_id: Any,
        rows: Sequence[Mapping[str, Any] | str] | None = None,
        output_uri: str | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bulk_upload_id = bulk_upload_id
        self.rows = rows
        self.output_uri = output_uri
        self.aws_conn_id = aws_conn_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the counts, the failed rows, and the results or where they were written."""
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.upload.sources.address import shown_address

        check_output(self.output_uri)
        jobs = _jobs(self.bulk_upload_id)
        results = self._results(jobs)
        counts = {name: sum(row["result"] == name for row in results) for name in ("ok", "failed", "in_progress")}
        failed = [self.rows[row["row"] - 1] for row in results if row["result"] == "failed"] if self.rows else []
        for row in results:
            if row["result"] == "failed":
                self.log.warning("Row %d, %s: %s", row["row"], shown_address(row.get("url", "")),
                                 printable(str(row.get("error"))))  # fmt: skip
        entries = [row["entry_id"] for row in results if row["result"] == "ok" and "entry_id" in row]
        report = {**counts, "failed_rows": failed, "entry_ids": entries[:1000]}
        if self.output_uri:
            write_rows(results, self.output_uri, aws_conn_id=self.aws_conn_id)
            return {**report, "output_uri": self.output_uri}
        if len(results) > 1000:
            from kaltura_provider.api.errors import KalturaConfigurationError

            raise KalturaConfigurationError("results", len(results), "are too many for XCom", "give output_uri")
        return {**report, "results": results}

    def _results(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        from kaltura_provider.services.bulk_upload.jobs import bulk_results

        results = []
        for job in jobs:
            first = int(job.get("first_row", 1))
            count = int(job.get("count", len(self.rows or ())))
            rows = list(self.rows or ())[first - 1 : first - 1 + count]
            found = bulk_results(self.hook.get_conn(), job["bulk_upload_id"], rows)
            results += [{**row, "row": row["row"] + first - 1} for row in found]
        return results


@renamed_arguments({"bulk_upload": "bulk_upload_id"})
class KalturaAbortBulkUploadOperator(KalturaOperator):
    """Abort bulk uploads (``bulkUpload_bulk.abort``); entries they already created stay.

    :param bulk_upload_id: bulk upload jobs: an id, the result of an operator that has one, or a list of either.
    :return: a list with one ``{"bulk_upload_id", "status", "status_number"}`` per job. Finished jobs keep their status.
    :raises AirflowFailException: a job does not exist.
    """

    template_fields: Sequence[str] = ("bulk_upload_id", *KalturaOperator.template_fields)

    def __init__(self, *, bulk_upload_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bulk_upload_id = bulk_upload_id

    def run_in_kaltura(self, context: Context) -> list[dict[str, Any]]:
        """Return the jobs."""
        from kaltura_provider.services.bulk_upload.jobs import abort_bulk

        return [abort_bulk(self.hook.get_conn(), job["bulk_upload_id"]) for job in _jobs(self.bulk_upload_id)]


def _jobs(given: Any) -> list[dict[str, Any]]:
    """Return the jobs, with their ids as numbers, checked."""
    from kaltura_provider.api.arguments import number
    from kaltura_provider.api.errors import KalturaConfigurationError

    jobs = []
    for item in as_list(given)[0]:
        job = item if isinstance(item, dict) else {"bulk_upload_id": item}
        given = job.get("bulk_upload_id", job.get("id"))
        jobs.append({**job, "bulk_upload_id": number(given, "bulk_upload_id", minimum=1)})
    if not jobs:
        raise KalturaConfigurationError("bulk_upload_id", None, "is empty", "give at least one job")
    return jobs
