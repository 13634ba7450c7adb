"""Which sizes can be uploaded at all; asked before a token is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.upload.plan import MAX_CHUNKS, least_chunk_size
from kaltura_provider.upload.sources.errors import SourceEmpty, SourceTooLarge

if TYPE_CHECKING:
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["check_size"]


def check_size(source: Source, settings: UploadSettings) -> None:
    """Check that a source can be uploaded.

    :raises SourceEmpty: it has no bytes.
    :raises SourceTooLarge: it is above ``max_size``, or does not fit into 9,000 requests of the server's limit.
    """
    if source.size <= 0:
        raise SourceEmpty(source.uri)
    if settings.max_size is not None and source.size > settings.max_size:
        raise SourceTooLarge(source.uri, source.size, settings.max_size, "the limit that was set (max_size)")
    if least_chunk_size(source.size) > settings.part_limit:
        limit = MAX_CHUNKS * settings.part_limit
        raise SourceTooLarge(source.uri, source.size, limit, "the most this server can take (9,000 x part_limit)")
