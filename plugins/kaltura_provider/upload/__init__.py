"""Bytes from a source into an upload token: at line rate, in flat memory, resumable at the byte.

Names are loaded when they are first used, so that a DAG file can have settings and errors without paying for
HTTP libraries. Which address a source's bytes come from is the caller's business: S3 clients and headers are
handed in.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaltura_provider.upload.checksum import combine, crc32c, from_base64, to_base64
    from kaltura_provider.upload.errors import (
        ChecksumMismatch,
        ChunkRefused,
        FinalRefused,
        GoneReason,
        SizeMismatch,
        TokenBusy,
        TokenGone,
        UploadCancelled,
        UploadError,
    )
    from kaltura_provider.upload.limits import check_size
    from kaltura_provider.upload.progress import Progress
    from kaltura_provider.upload.result import UploadResult
    from kaltura_provider.upload.settings import UploadSettings, memory_bound
    from kaltura_provider.upload.sources.address import printable_url
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.sources.errors import (
        SourceArchived,
        SourceChanged,
        SourceEmpty,
        SourceError,
        SourceForbidden,
        SourceNotFound,
        SourceNotMedia,
        SourceRefused,
        SourceTooLarge,
        SourceUnavailable,
        SourceUnsized,
    )
    from kaltura_provider.upload.sources.file import FileSource, open_file
    from kaltura_provider.upload.sources.http import HttpSource, SpooledHttpSource, open_http
    from kaltura_provider.upload.sources.policy import UrlPolicy
    from kaltura_provider.upload.sources.s3 import S3Source, open_s3, s3_client_options
    from kaltura_provider.upload.token import TokenState, look
    from kaltura_provider.upload.uploader import Uploader

_HOMES = {
    "checksum": ("combine", "crc32c", "from_base64", "to_base64"),
    "errors": (
        "ChecksumMismatch",
        "ChunkRefused",
        "FinalRefused",
        "GoneReason",
        "SizeMismatch",
        "TokenBusy",
        "TokenGone",
        "UploadCancelled",
        "UploadError",
    ),
    "limits": ("check_size",),
    "progress": ("Progress",),
    "result": ("UploadResult",),
    "settings": ("UploadSettings", "memory_bound"),
    "sources.address": ("printable_url",),
    "sources.base": ("Source",),
    "sources.errors": (
        "SourceArchived",
        "SourceChanged",
        "SourceEmpty",
        "SourceError",
        "SourceForbidden",
        "SourceNotFound",
        "SourceNotMedia",
        "SourceRefused",
        "SourceTooLarge",
        "SourceUnavailable",
        "SourceUnsized",
    ),
    "sources.file": ("FileSource", "open_file"),
    "sources.http": ("HttpSource", "SpooledHttpSource", "open_http"),
    "sources.policy": ("UrlPolicy",),
    "sources.s3": ("S3Source", "open_s3", "s3_client_options"),
    "token": ("TokenState", "look"),
    "uploader": ("Uploader",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ChecksumMismatch",
    "ChunkRefused",
    "FileSource",
    "FinalRefused",
    "GoneReason",
    "HttpSource",
    "Progress",
    "S3Source",
    "SizeMismatch",
    "Source",
    "SourceArchived",
    "SourceChanged",
    "SourceEmpty",
    "SourceError",
    "SourceForbidden",
    "SourceNotFound",
    "SourceNotMedia",
    "SourceRefused",
    "SourceTooLarge",
    "SourceUnavailable",
    "SourceUnsized",
    "SpooledHttpSource",
    "TokenBusy",
    "TokenGone",
    "TokenState",
    "UploadCancelled",
    "UploadError",
    "UploadResult",
    "UploadSettings",
    "Uploader",
    "UrlPolicy",
    "check_size",
    "combine",
    "crc32c",
    "from_base64",
    "look",
    "memory_bound",
    "open_file",
    "open_http",
    "open_s3",
    "printable_url",
    "s3_client_options",
    "to_base64",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
