"""The Kaltura API v3: calls, sessions, errors, enumerations and delivery URLs. Knows no Airflow and no files.

Names are loaded when they are first used, so that a DAG file can have enumerations, errors and URLs without
paying for HTTP libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaltura_provider.api.async_client import AsyncKalturaClient
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.codes import (
        AMBIGUOUS_CODES,
        NOT_DONE_CODES,
        NOT_READY_CODES,
        RESTART_UPLOAD_CODES,
        SERVER_TROUBLE_CODES,
        UPLOAD_TRANSIENT_CODES,
    )
    from kaltura_provider.api.credentials import AuthMethod, Credentials
    from kaltura_provider.api.delivery import (
        THUMBNAIL_FORMATS,
        download_url,
        play_manifest_url,
        raw_url,
        serve_flavor_url,
        source_download_url,
        thumbnail_url,
    )
    from kaltura_provider.api.enums import (
        AppTokenHashType,
        AttachmentFormat,
        BatchJobStatus,
        BulkUploadObjectType,
        CaptionFormat,
        DisplayInSearch,
        DocumentType,
        EntryStatus,
        EntryType,
        FlavorAssetStatus,
        FlavorReadyBehavior,
        MediaType,
        ModerationStatus,
        PlaybackFormat,
        ReplacementStatus,
        SessionType,
        SourceType,
        ThumbAssetStatus,
        ThumbCropType,
        UploadTokenStatus,
        parse_enum,
        parse_status,
    )
    from kaltura_provider.api.errors import (
        KalturaAPIError,
        KalturaConfigurationError,
        KalturaError,
        KalturaNotFoundError,
        KalturaPermanentError,
        KalturaSessionError,
        KalturaTransientError,
        KalturaTransportError,
        TransportFault,
        api_error,
    )
    from kaltura_provider.api.identity import Identity, whoami
    from kaltura_provider.api.ks import KalturaSessionInfo, mint_ks, parse_ks
    from kaltura_provider.api.multipart import FilePart
    from kaltura_provider.api.observer import CallRecord, Observer
    from kaltura_provider.api.params import NULL
    from kaltura_provider.api.redaction import redact
    from kaltura_provider.api.retry import NO_RETRY, RetryPolicy
    from kaltura_provider.api.service_url import normalize_host, normalize_service_url
    from kaltura_provider.api.steps import Timeout
    from kaltura_provider.api.wire import Request, first_error, is_repeatable, result

__all__ = [
    # clients
    "AsyncKalturaClient",
    "KalturaClient",
    "AuthMethod",
    "Credentials",
    "FilePart",
    "NULL",
    "Request",
    "Timeout",
    "first_error",
    "is_repeatable",
    "normalize_host",
    "normalize_service_url",
    "result",
    # sessions
    "KalturaSessionInfo",
    "mint_ks",
    "parse_ks",
    "Identity",
    "whoami",
    # what happens
    "CallRecord",
    "NO_RETRY",
    "Observer",
    "RetryPolicy",
    "redact",
    # errors
    "KalturaAPIError",
    "KalturaConfigurationError",
    "KalturaError",
    "KalturaNotFoundError",
    "KalturaPermanentError",
    "KalturaSessionError",
    "KalturaTransientError",
    "KalturaTransportError",
    "TransportFault",
    "api_error",
    "AMBIGUOUS_CODES",
    "NOT_DONE_CODES",
    "NOT_READY_CODES",
    "RESTART_UPLOAD_CODES",
    "SERVER_TROUBLE_CODES",
    "UPLOAD_TRANSIENT_CODES",
    # delivery URLs
    "THUMBNAIL_FORMATS",
    "download_url",
    "play_manifest_url",
    "raw_url",
    "serve_flavor_url",
    "source_download_url",
    "thumbnail_url",
    # enumerations
    "AppTokenHashType",
    "AttachmentFormat",
    "BatchJobStatus",
    "BulkUploadObjectType",
    "CaptionFormat",
    "DisplayInSearch",
    "DocumentType",
    "EntryStatus",
    "EntryType",
    "FlavorAssetStatus",
    "FlavorReadyBehavior",
    "MediaType",
    "ModerationStatus",
    "PlaybackFormat",
    "ReplacementStatus",
    "SessionType",
    "SourceType",
    "ThumbAssetStatus",
    "ThumbCropType",
    "UploadTokenStatus",
    "parse_enum",
    "parse_status",
]

# The light modules come first: looking a name up stops where it is found.
_MODULES = (
    "errors",
    "codes",
    "enums",
    "observer",
    "params",
    "redaction",
    "retry",
    "service_url",
    "delivery",
    "credentials",
    "multipart",
    "wire",
    "steps",
    "ks",
    "client",
    "async_client",
    "identity",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module_name in _MODULES:
            module = import_module(f"{__name__}.{module_name}")
            if name in module.__all__:
                globals()[name] = value = getattr(module, name)
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
