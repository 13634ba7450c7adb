"""Kaltura's enumerations: the numbers behind types and statuses, under Kaltura's names.

Plugins of a Kaltura server add string values to number fields, such as the status ``"virusScan.Infected"``. Read values
in answers with :func:`parse_enum`, never with ``int()``.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, TypeVar

__all__ = [
    "AppTokenHashType",
    "AttachmentFormat",
    "BatchJobStatus",
    "CaptionFormat",
    "DisplayInSearch",
    "DocumentType",
    "EntryStatus",
    "EntryType",
    "FlavorAssetStatus",
    "MediaType",
    "ModerationStatus",
    "PlaybackFormat",
    "ReplacementStatus",
    "SessionType",
    "SourceType",
    "ThumbAssetStatus",
    "ThumbCropType",
    "UploadTokenStatus",
    "named_status",
    "parse_enum",
    "parse_status",
]


class SessionType(IntEnum):
    """KalturaSessionType: what a session may see and do."""

    USER = 0
    ADMIN = 2


class UploadTokenStatus(IntEnum):
    """KalturaUploadTokenStatus. The server also uses ``ERROR``, which its public enumeration lacks."""

    PENDING = 0
    PARTIAL_UPLOAD = 1
    FULL_UPLOAD = 2
    CLOSED = 3
    TIMED_OUT = 4
    DELETED = 5
    ERROR = 6


class EntryStatus(IntEnum):
    """KalturaEntryStatus; plugins add strings such as ``virusScan.Infected``."""

    ERROR_IMPORTING = -2
    ERROR_CONVERTING = -1
    IMPORT = 0
    PRECONVERT = 1
    READY = 2
    DELETED = 3
    PENDING = 4
    MODERATE = 5
    BLOCKED = 6
    NO_CONTENT = 7


class EntryType(IntEnum):
    """KalturaEntryType; plugins add strings."""

    AUTOMATIC = -1
    MEDIA_CLIP = 1
    MIX = 2
    PLAYLIST = 5
    DATA = 6
    LIVE_STREAM = 7
    LIVE_CHANNEL = 8
    DOCUMENT = 10


class MediaType(IntEnum):
    """KalturaMediaType."""

    VIDEO = 1
    IMAGE = 2
    AUDIO = 5
    LIVE_STREAM_FLASH = 201
    LIVE_STREAM_WINDOWS_MEDIA = 202
    LIVE_STREAM_REAL_MEDIA = 203
    LIVE_STREAM_QUICKTIME = 204


class SourceType(StrEnum):
    """KalturaSourceType; the server sends and reads these numbers as strings."""

    FILE = "1"
    WEBCAM = "2"
    URL = "5"
    SEARCH_PROVIDER = "6"
    LIVE_STREAM = "32"
    RECORDED_LIVE = "34"
    CLIP = "35"
    KALTURA_RECORDED_LIVE = "36"


class ModerationStatus(IntEnum):
    """KalturaEntryModerationStatus."""

    PENDING_MODERATION = 1
    APPROVED = 2
    REJECTED = 3
    DELETED = 4
    FLAGGED_FOR_REVIEW = 5
    AUTO_APPROVED = 6


class ReplacementStatus(IntEnum):
    """KalturaEntryReplacementStatus: the progress of replacing the content of a READY entry."""

    NONE = 0
    APPROVED_BUT_NOT_READY = 1
    READY_BUT_NOT_APPROVED = 2
    NOT_READY_AND_NOT_APPROVED = 3
    FAILED = 4


class DisplayInSearch(IntEnum):
    """KalturaEntryDisplayInSearchType; ``SYSTEM`` marks temporary entries, ``RECYCLED`` the recycle bin."""

    RECYCLED = -2
    SYSTEM = -1
    NONE = 0
    PARTNER_ONLY = 1
    KALTURA_NETWORK = 2


class DocumentType(IntEnum):
    """KalturaDocumentType. The server sets it from the file's extension when content is attached."""

    DOCUMENT = 11
    SWF = 12
    PDF = 13


class FlavorAssetStatus(IntEnum):
    """KalturaFlavorAssetStatus."""

    ERROR = -1
    QUEUED = 0
    CONVERTING = 1
    READY = 2
    DELETED = 3
    NOT_APPLICABLE = 4
    TEMP = 5
    WAIT_FOR_CONVERT = 6
    IMPORTING = 7
    VALIDATING = 8
    EXPORTING = 9


class ThumbAssetStatus(IntEnum):
    """KalturaThumbAssetStatus; attachment and caption assets use the same numbers, without ``CAPTURING``."""

    ERROR = -1
    QUEUED = 0
    CAPTURING = 1
    READY = 2
    DELETED = 3
    IMPORTING = 7
    EXPORTING = 9


class ThumbCropType(IntEnum):
    """KalturaThumbCropType, and the ``type`` of a thumbnail URL."""

    RESIZE = 1
    RESIZE_WITH_PADDING = 2
    CROP = 3
    CROP_FROM_TOP = 4
    STRETCH = 5


class AttachmentFormat(IntEnum):
    """KalturaAttachmentType. The server does not detect it, so callers must give it."""

    TEXT = 1
    MEDIA = 2
    DOCUMENT = 3
    JSON = 4
    MARKDOWN = 5


class CaptionFormat(IntEnum):
    """KalturaCaptionType."""

    SRT = 1
    DFXP = 2
    WEBVTT = 3
    CAP = 4
    SCC = 5


class BatchJobStatus(IntEnum):
    """KalturaBatchJobStatus, the status of a bulk upload."""

    PENDING = 0
    QUEUED = 1
    PROCESSING = 2
    PROCESSED = 3
    MOVEFILE = 4
    FINISHED = 5
    FAILED = 6
    ABORTED = 7
    ALMOST_DONE = 8
    RETRY = 9
    FATAL = 10
    DONT_PROCESS = 11
    FINISHED_PARTIALLY = 12
    SUSPEND = 13
    SUSPEND_ALMOST_DONE = 14


class PlaybackFormat(StrEnum):
    """The ``format`` of a playManifest URL."""

    HLS = "applehttp"
    DASH = "mpegdash"
    URL = "url"
    DOWNLOAD = "download"
    HTTP = "http"
    HDS = "hds"
    RTMP = "rtmp"
    RTSP = "rtsp"
    SMOOTH_STREAMING = "sl"
    HD_NETWORK = "hdnetwork"
    HD_NETWORK_MANIFEST = "hdnetworkmanifest"


class AppTokenHashType(StrEnum):
    """KalturaAppTokenHashType. SHA1 is the server's default; Kaltura's guides create tokens with SHA256."""

    SHA256 = "SHA256"
    SHA1 = "SHA1"
    SHA512 = "SHA512"
    MD5 = "MD5"


IntEnumT = TypeVar("IntEnumT", bound=IntEnum)


def parse_enum(enumeration: type[IntEnumT], value: object) -> IntEnumT | int | str | None:
    """Return the member of ``enumeration`` for a value from an answer.

    Numbers may come as text (``"2"``). A number without a member is returned as ``int``, a plugin's string unchanged,
    and ``None`` (the field is absent) as ``None``.
    """
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(int(value)) if isinstance(value, bool) else str(value).strip()
    try:
        number = int(text)
    except ValueError:
        return text
    try:
        return enumeration(number)
    except ValueError:
        return number


def parse_status(enumeration: type[IntEnumT], value: object) -> IntEnumT | int | str:
    """Like :func:`parse_enum`, for a field that must be present.

    :raises ValueError: the value is missing.
    """
    parsed = parse_enum(enumeration, value)
    if parsed is None:
        raise ValueError(f"the answer has no {enumeration.__name__}")
    return parsed


def named_status(enumeration: type[IntEnum], value: object, field: str = "status") -> dict[str, Any]:
    """Return a status as operators and sensors show it: ``{"status": "ready", "status_number": 2}``.

    A number without a name is ``"unknown"``. A plugin's status is text and has no number. No status gives ``{}``.

    :param field: the name of the field, and with ``_number`` that of the number.
    """
    status = parse_enum(enumeration, value)
    if status is None:
        return {}
    if isinstance(status, str):
        return {field: status}
    name = status.name.lower() if isinstance(status, IntEnum) else "unknown"
    return {field: name, f"{field}_number": int(status)}
