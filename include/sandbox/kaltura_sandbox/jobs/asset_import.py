"""The job that fetches the file of an asset by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.assets.types import DELETED, ERROR
from kaltura_sandbox.entries import flow
from kaltura_sandbox.fetching import FetchError, clean_url, extension_of, fetch
from kaltura_sandbox.jobs.queue import Retry, handler
from kaltura_sandbox.uploads import attach
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.app import App

__all__ = ["import_asset"]


@handler("asset_import")
def import_asset(app: App, job: Record) -> None:
    """Fetch the file of a caption or a flavor; the asset is in ERROR once all attempts have failed."""
    asset = app.tables.assets.get(job["asset_id"])
    if asset is None or asset["status"] == DELETED:
        return
    url, target = clean_url(job["url"]), app.files.temporary / f"import-{job['id']}"
    try:
        length = fetch(url, target, job["headers"], attempt=job["attempts"])
    except FetchError as error:
        if not error.final and job["attempts"] < app.config.import_attempts:
            raise Retry(app.config.import_retry_delay) from error
        app.tables.assets.change(asset["id"], status=ERROR, description=str(error))
        if job["object_type"] == "flavorAsset":
            flow.settle(app, asset["entryId"])
        return
    attach.fill(app, job["object_type"], asset["id"], File(target, extension_of(url) or "noex", length))
