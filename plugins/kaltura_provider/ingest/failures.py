"""Errors that stop one item, and how its reference describes them."""

from __future__ import annotations

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.ingest.item import ItemError
from kaltura_provider.ingest.mark_writes import MarkLostError
from kaltura_provider.upload.errors import UploadError
from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["ITEM_ERRORS", "describe"]

ITEM_ERRORS = (SourceError, UploadError, KalturaError, MarkLostError)
"""Errors that stop the upload or confirmation of one item. The other items of a batch continue."""


def describe(error: Exception) -> ItemError:
    """Describe the error that stopped an item."""
    if isinstance(error, SourceError | UploadError):
        return ItemError("source" if isinstance(error, SourceError) else "upload", str(error), not error.permanent)
    if isinstance(error, MarkLostError):
        return ItemError("mark_lost", str(error), retry_helps=True)
    return ItemError.of(error)
