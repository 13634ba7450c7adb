"""The job that fetches the source of an entry by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.entries import content, flow
from kaltura_sandbox.fetching import FetchError, clean_url, download, extension_of, fetch
from kaltura_sandbox.job_queue import Retry
from kaltura_sandbox.jobs.handlers import handler
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["import_entry"]

_STUCK = 10 * 365 * 86400.0


@handler("import")
def import_entry(account: Account, job: Record) -> None:
    """Fetch the URL of an entry's source and go on as with an upload."""
    entry = account.tables.entries.get(job["entryId"])
    if entry is None or entry["status"] == 3:
        return
    if account.faults.take(["stuck_import"]):
        raise Retry(_STUCK)
    url = clean_url(job["url"])
    target = account.files.temporary / f"import-{job['id']}"
    try:
        if account.faults.take(["import_failure"]):
            raise FetchError("fault")
        headers = job.get("headers", [])
        if job.get("synchronous"):
            length = download(url, target, headers)
        else:
            length = fetch(url, target, headers, attempt=job["attempts"])
    except FetchError as error:
        _failed(account, job, error)
        return
    with account.database.transaction():
        current = account.tables.entries.get(job["entryId"])
        if current is None or current["status"] == 3:
            target.unlink(missing_ok=True)
            return
        file = File(target, extension_of(url) or "noex", length)
        content.give_file(account, current, file, count_size=False, source_type="5")


def _failed(account: Account, job: Record, error: FetchError) -> None:
    if error.partial:
        job["attempts"] = 0
    elif error.final or job.get("synchronous") or job["attempts"] >= account.config.import_attempts:
        flow.import_failed(account, job["entryId"], str(error))
        return
    raise Retry(account.config.import_retry_delay)
