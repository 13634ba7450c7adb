"""The upload token's record: its type, how it is made, who sees it and when it refuses bytes."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import BASE_FILTER
from kaltura_sandbox.api.types import (
    DOUBLE_TEXT,
    INT,
    NULLABLE_BOOL,
    STRING,
    TIME,
    Access,
    EnumType,
    ObjectType,
    Record,
    Scalar,
    prop,
)  # fmt: skip
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.ids import new_token_id

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.call import Call

__all__ = [
    "CLOSED", "DELETED", "FULL", "PARTIAL", "PENDING", "UPLOAD_TOKEN", "UPLOAD_TOKEN_FILTER",
    "check_accepts_bytes", "delete", "file_name_key", "new", "stored_file_name", "visible",
]  # fmt: skip

PENDING, PARTIAL, FULL, CLOSED, TIMED_OUT, DELETED, ERROR = range(7)
STATUS = EnumType("KalturaUploadTokenStatus", range(6))

_RO, _INSERT = Access.READ_ONLY, Access.INSERT_ONLY
_SHOWN_BOOL = Scalar(lambda raw: NULLABLE_BOOL.load(raw, "", 0), lambda value: value == 1)

UPLOAD_TOKEN = ObjectType(
    "KalturaUploadToken",
    prop("id", STRING, _RO),
    prop("partnerId", INT, _RO),
    prop("userId", STRING, _RO),
    prop("status", STATUS, _RO),
    prop("fileName", STRING, _INSERT),
    prop("fileSize", DOUBLE_TEXT, _INSERT),
    prop("uploadedFileSize", DOUBLE_TEXT, _RO),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("uploadUrl", STRING, _RO),
    prop("autoFinalize", _SHOWN_BOOL, _INSERT),
    prop("minimumChunkSize", DOUBLE_TEXT, _RO),
    prop("attachedObjectType", STRING, _RO),
    prop("attachedObjectId", STRING, _RO),
)

UPLOAD_TOKEN_FILTER = ObjectType(
    "KalturaUploadTokenFilter",
    prop("idEqual"),
    prop("idIn"),
    prop("userIdEqual"),
    prop("userIdIn"),
    prop("statusEqual", STATUS),
    prop("statusIn"),
    prop("fileNameEqual"),
    prop("fileSizeEqual", DOUBLE_TEXT),
    prop("createdAtGreaterThanOrEqual", TIME),
    prop("createdAtLessThanOrEqual", TIME),
    base=BASE_FILTER,
)

_NAME_LENGTH = 256


def stored_file_name(name: str) -> str:
    """Return a file name as the database keeps it: cut at 256 characters and where the basic plane is left."""
    for at, letter in enumerate(name):
        if ord(letter) > 0xFFFF:
            name = name[:at]
            break
    return name[:_NAME_LENGTH]


def file_name_key(name: str) -> str:
    """Return a file name as the database compares it, without case, accents and trailing spaces."""
    decomposed = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold().rstrip(" ")


def new(call: Call, properties: Record) -> Record:
    """Make a token from the properties sent."""
    name = properties.get("fileName")
    token: dict[str, Any] = {
        "id": new_token_id(),
        "partnerId": call.partner_id,
        "userId": call.user_id,
        "status": PENDING,
        "fileSize": properties.get("fileSize"),
        "createdAt": call.account.clock.now(),
        "updatedAt": call.account.clock.now(),
        "autoFinalize": properties.get("autoFinalize") or 0,
    }
    set_file_name(token, name)
    return call.tables.tokens.put(token)


def set_file_name(token: Record, name: str | None) -> None:
    """Give a token its file name."""
    if name:
        token["fileName"] = stored_file_name(name)
        token["_name_key"] = file_name_key(token["fileName"])


def visible(call: Call, token_id: str) -> Record:
    """Return a token the session may see: its own, or any for an ADMIN session.

    :raises KalturaError: ``UPLOAD_TOKEN_NOT_FOUND``.
    """
    token = call.tables.tokens.get(token_id)
    if token is None or token["status"] == DELETED or not (call.is_admin or token["userId"] == call.user_id):
        raise KalturaError("UPLOAD_TOKEN_NOT_FOUND")
    return token


def check_accepts_bytes(call: Call, token: Record, *, final: bool) -> None:
    """Refuse bytes for tokens that are full, used up or too old to resume.

    A final chunk that was on its way before another one completed the file is taken: the real server checks the
    status of both before either is done.
    """
    status, account = token["status"], call.account
    if status == ERROR:
        raise KalturaError("MAX_ALLOWED_CHUNK_COUNT_EXCEEDED")
    if final and status in (FULL, CLOSED) and call.arrived < account.completed.get(token["id"], 0):
        return
    if status not in (PENDING, PARTIAL):
        raise KalturaError("UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD")
    limit = account.config.max_resume_time
    if status == PARTIAL and token["updatedAt"] < account.clock.now() - limit:
        raise KalturaError("UPLOAD_PASSED_MAX_RESUME_TIME_ALLOWED", limit)


def delete(account: Account, token: Record) -> None:
    """Mark a token as deleted. Its bytes stay on disk, but cannot be reached."""
    account.tables.tokens.change(token["id"], status=DELETED, updatedAt=account.clock.now())
