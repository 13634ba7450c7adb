"""Which sizes can be uploaded at all; asked before a token is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.upload.pace import SPARE
from kaltura_provider.upload.plan import least_chunk_size, most_bytes
from kaltura_provider.upload.sources.errors import SourceEmpty, SourceTooLarge

if TYPE_CHECKING:
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["check_size"]


def check_size(source: Source, settings: UploadSettings) -> None:
    """Check that a source can be uploaded.

    :raises SourceEmpty: it has no bytes.
    :raises SourceTooLarge: it is above ``max_size``, does not fit into 9,000 requests of the server's limit, or needs
        chunks so large that what is kept of a source that cannot be read twice does not hold them.
    """
    if source.size <= 0:
        raise SourceEmpty(source.uri)
    if settings.max_size is not None and source.size > settings.max_size:
        raise SourceTooLarge(source.uri, source.size, settings.max_size, "the limit that was set (max_size)")
    least = least_chunk_size(source.size)
    if least > settings.part_limit:
        limit = most_bytes(settings.part_limit)
        raise SourceTooLarge(source.uri, source.size, limit, "the most this server can take (9,000 x part_limit)")
    if source.rewind is not None and least * (1 + SPARE) > source.rewind:
        whose = (
            f"the most that {source.rewind} bytes of disk are enough for, which its server without ranges makes "
            "necessary (put it into S3 first, or let Kaltura import it: transfer: import)"
        )
        raise SourceTooLarge(source.uri, source.size, most_bytes(source.rewind // (1 + SPARE)), whose)
