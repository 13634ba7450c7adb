"""The job that fetches the file of an asset by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.assets import captions
from kaltura_sandbox.assets.content import fetch_file
from kaltura_sandbox.assets.types import ERROR, alive
from kaltura_sandbox.jobs.fetch import FetchError
from kaltura_sandbox.jobs.queue import Retry, handler

if TYPE_CHECKING:
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.app import App

__all__ = ["import_caption"]


@handler("asset_import")
def import_caption(app: App, job: Record) -> None:
    """Fetch the text of a caption; it is in ERROR once all attempts have failed."""
    asset = alive(app, job["asset_id"], "caption")
    if asset is None:
        return
    try:
        file = fetch_file(app, job["url"], job["headers"])
    except FetchError as error:
        if job["attempts"] < app.config.import_attempts:
            raise Retry(app.config.import_retry_delay) from error
        app.tables.assets.change(asset["id"], status=ERROR, description=str(error))
        return
    captions.shelf.fill(app, asset, file)
