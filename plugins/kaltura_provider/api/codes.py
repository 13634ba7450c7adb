"""What a Kaltura error code means for the caller: repeat, renew the session, wait, or give up.

Kaltura reports errors with HTTP status 200 and a code, so the code decides. Codes that are not listed are permanent,
unless their name says otherwise (``*_NOT_FOUND``, ``*_NOT_READY``).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NOT_DONE_CODES",
    "NOT_READY_CODES",
    "RENEWABLE_SESSION_STATES",
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
"""The server refused before it did anything, because of its rate limit. Any call may be repeated."""

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
"""The server failed and may have carried out the call. Only calls that read are repeated."""

UPLOAD_TRANSIENT_CODES = frozenset(
    {
        "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE",
        "UPLOAD_ERROR",
        "UPLOAD_PARTIAL_ERROR",
        "UPLOAD_TOKEN_CANNOT_RESUME",
    }
)
"""A different upload request helps: send what is missing, send it again, or start over."""

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
"""The server is still processing the object. The same call succeeds later, after seconds to hours."""

RENEWABLE_SESSION_STATES = frozenset({"EXPIRED", "LOGOUT", "EXCEEDED_ACTIONS_LIMIT"})
"""Values of the ``KSID`` argument of ``INVALID_KS`` for which a new session helps."""

_TRANSIENT = NOT_DONE_CODES | SERVER_TROUBLE_CODES | UPLOAD_TRANSIENT_CODES | NOT_READY_CODES
_NOT_FOUND_NAME = re.compile(r"_NOT_FOUND(_|$)")
_NOT_READY_NAME = re.compile(r"_(IS_)?NOT_READY$")


def classify(code: str, details: Mapping[str, str]) -> ErrorClass:
    """Return the class of an error.

    For ``INVALID_KS`` the arguments in ``details`` decide: a new session helps if the old one has expired, was ended
    or is used up. The same code with ``ERR_CODE`` -4 means "not the owner" and is permanent.
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
