"""The job that reads a source from its remote storage, for the conversion and the sandbox's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.entries import content, flow
from kaltura_sandbox.fetching import FetchError, download, extension_of
from kaltura_sandbox.jobs.handlers import handler
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["read_remote_source"]


@handler("remote_source")
def read_remote_source(account: Account, job: Record) -> None:
    """Read the file and convert it; one that cannot be read is a source that cannot be converted."""
    target = account.files.temporary / f"remote-{job['id']}"
    try:
        length = download(job["url"], target, [])
    except FetchError as error:
        flow.conversion_failed(account, job["entryId"], str(error))
        return
    with account.database.transaction():
        entry = account.tables.entries.get(job["entryId"])
        if entry is None or entry["status"] == 3:
            target.unlink(missing_ok=True)
            return
        file = File(target, extension_of(job["url"]) or "noex", length)
        content.give_file(account, entry, file, count_size=False, source_type="5")
