"""Check that a source can be uploaded, before a token is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.upload.chunk_plan import max_bytes, min_chunk_size
from kaltura_provider.upload.pace import SPARE
from kaltura_provider.upload.settings import PART_LIMIT
from kaltura_provider.upload.sources.errors import SourceEmpty, SourceTooLarge

if TYPE_CHECKING:
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["check_size"]


def check_size(source: Source, settings: UploadSettings) -> None:
    """Check that a source can be uploaded.

    :raises SourceEmpty: the source is empty.
    :raises SourceTooLarge: the source is larger than ``max_size``, does not fit into 9,000 requests of the server's
        limit, or cannot be read by ranges and needs chunks larger than the disk space for it.
    """
    if source.size <= 0:
        raise SourceEmpty(source.uri)
    if settings.max_size is not None and source.size > settings.max_size:
        raise SourceTooLarge(source.uri, source.size, settings.max_size, "the limit set by max_size")
    minimum = min_chunk_size(source.size)
    if minimum > PART_LIMIT:
        limit = max_bytes(PART_LIMIT)
        raise SourceTooLarge(source.uri, source.size, limit, "the maximum of a Kaltura server (9,000 chunks)")
    if source.rewind is not None and minimum * (1 + SPARE) > source.rewind:
        whose = (
            f"the maximum for a server without ranges, whose files go through {source.rewind} bytes of disk (put it "
            "into S3 first, or let Kaltura import it: transfer: import)"
        )
        raise SourceTooLarge(source.uri, source.size, max_bytes(source.rewind // (1 + SPARE)), whose)
