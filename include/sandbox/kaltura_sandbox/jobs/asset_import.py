"""The job that fetches the file of an asset by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.assets.types import DELETED, ERROR
from kaltura_sandbox.entries import flow
from kaltura_sandbox.fetching import FetchError, clean_url, extension_of, fetch
from kaltura_sandbox.job_queue import Retry
from kaltura_sandbox.jobs.handlers import handler
from kaltura_sandbox.uploads import attach
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["import_asset"]


@handler("asset_import")
def import_asset(account: Account, job: Record) -> None:
    """Fetch the file of a caption or a flavor; the asset is in ERROR once all attempts have failed."""
    asset = account.tables.assets.get(job["asset_id"])
    if asset is None or asset["status"] == DELETED:
        return
    url, target = clean_url(job["url"]), account.files.temporary / f"import-{job['id']}"
    try:
        length = fetch(url, target, job["headers"], attempt=job["attempts"])
    except FetchError as error:
        if not error.final and job["attempts"] < account.config.import_attempts:
            raise Retry(account.config.import_retry_delay) from error
        account.tables.assets.change(asset["id"], status=ERROR, description=str(error))
        if job["object_type"] == "flavorAsset":
            flow.settle(account, asset["entryId"])
        return
    attach.fill(account, job["object_type"], asset["id"], File(target, extension_of(url) or "noex", length))
