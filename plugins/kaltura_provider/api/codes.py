"""Which Kaltura error code means what for the caller: repeat, renew the session, wait, or give up.

Kaltura answers errors with HTTP 200 and a code; the code is all there is to decide on. Codes that are not
listed are permanent unless their name says otherwise (``*_NOT_FOUND``, ``*_NOT_READY``).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AMBIGUOUS_CODES",
    "NOT_DONE_CODES",
    "NOT_READY_CODES",
    "RENEWABLE_SESSION_STATES",
    "RESTART_UPLOAD_CODES",
    "SERVER_TROUBLE_CODES",
    "UPLOAD_TRANSIENT_CODES",
    "ErrorClass",
    "classify",
]


class ErrorClass(StrEnum):
    """What a caller can do about an API error."""

    TRANSIENT = "transient"
    SESSION = "session"
    NOT_FOUND = "not found"
    PERMANENT = "permanent"


NOT_DONE_CODES = frozenset({"ACTION_BLOCKED"})
"""The server refused before it did anything (its rate limit): any call may be repeated."""

SERVER_TROUBLE_CODES = frozenset(
    {
        "INTERNAL_SERVERL_ERROR",  # Kaltura's own spelling
        "INTERNAL_SERVER_ERROR",
        "SERVERL_ERROR",
        "INTERNAL_DATABASE_ERROR",
        "LOCK_TIMED_OUT",
        "SEARCH_ENGINE_QUERY_FAILED",
        "DRUID_QUERY_TIMED_OUT",
        "FILE_PENDING",
        "MULTI_ATTEMPTS_TO_UPDATE_METADATA",
        "FAILED_INIT_REDIS_INSTANCE",
    }
)
"""The server is in trouble. The work may have been done: only calls that change nothing are repeated."""

UPLOAD_TRANSIENT_CODES = frozenset(
    {
        "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE",
        "UPLOAD_ERROR",
        "UPLOAD_PARTIAL_ERROR",
        "UPLOAD_TOKEN_CANNOT_RESUME",
    }
)
"""A later, different upload request helps (send what is missing, send again, start over)."""

NOT_READY_CODES = frozenset(
    {
        "FLAVOR_ASSET_IS_NOT_READY",
        "THUMB_ASSET_IS_NOT_READY",
        "ATTACHMENT_ASSET_IS_NOT_READY",
        "CAPTION_ASSET_IS_NOT_READY",
        "ENTRY_NOT_READY",
        "INVALID_ENTRY_STATUS",
        "ENTRY_REPLACEMENT_ALREADY_EXISTS",
    }
)
"""The object is still being worked on: the same call succeeds later, in seconds to hours."""

RESTART_UPLOAD_CODES = frozenset(
    {
        "UPLOAD_TOKEN_NOT_FOUND",
        "UPLOAD_PASSED_MAX_RESUME_TIME_ALLOWED",
        "MAX_ALLOWED_CHUNK_COUNT_EXCEEDED",
        "UPLOADED_FILE_NOT_FOUND_BY_TOKEN",
    }
)
"""The upload token is of no use any more; a new token is."""

AMBIGUOUS_CODES = frozenset(
    {
        "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD",
        "UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY",
        "ENTRY_ALREADY_WITH_CONTENT",
        "CATEGORY_ENTRY_ALREADY_EXISTS",
        "FLAVOR_ASSET_ALREADY_EXISTS",
        "THUMB_ASSET_ALREADY_EXISTS",
        "CAPTION_ASSET_ALREADY_EXISTS",
    }
)
"""Perhaps an earlier attempt of the same call succeeded: read the state before deciding."""

RENEWABLE_SESSION_STATES = frozenset({"EXPIRED", "LOGOUT", "EXCEEDED_ACTIONS_LIMIT"})
"""Values of the ``KSID`` argument of ``INVALID_KS`` that a new session cures."""

_TRANSIENT = NOT_DONE_CODES | SERVER_TROUBLE_CODES | UPLOAD_TRANSIENT_CODES | NOT_READY_CODES
_NOT_FOUND_NAME = re.compile(r"_NOT_FOUND(_|$)")
_NOT_READY_NAME = re.compile(r"_(IS_)?NOT_READY$")


def classify(code: str, details: Mapping[str, str]) -> ErrorClass:
    """Return the class of the error ``code`` with its arguments ``details``.

    ``INVALID_KS`` is decided by its arguments: only an expired, ended or used up session can be renewed; the
    same code with ``ERR_CODE`` -4 means "not the owner" and never goes away.
    """
    if code == "INVALID_KS":
        renewable = details.get("KSID", "") in RENEWABLE_SESSION_STATES and details.get("ERR_CODE") != "-4"
        return ErrorClass.SESSION if renewable else ErrorClass.PERMANENT
    if code == "MISSING_KS":
        return ErrorClass.SESSION
    if code in _TRANSIENT or _NOT_READY_NAME.search(code):
        return ErrorClass.TRANSIENT
    if _NOT_FOUND_NAME.search(code):
        return ErrorClass.NOT_FOUND
    return ErrorClass.PERMANENT
