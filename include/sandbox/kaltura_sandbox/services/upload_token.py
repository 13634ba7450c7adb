"""The ``uploadToken`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import BOOL, FILE, FLOAT, STRING, Upload
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads import attach, receive, tokens
from kaltura_sandbox.uploads.tokens import UPLOAD_TOKEN, UPLOAD_TOKEN_FILTER

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["upload_token"]

upload_token = Service("uploadToken")


@upload_token.action("add", param("uploadToken", UPLOAD_TOKEN, None))
def add(call: Call, value: ObjectValue | None) -> Record:
    """Make a token."""
    properties: dict[str, Any] = {}
    if value is not None:
        value.check_insert()
        properties = value.values
    if properties.get("autoFinalize") == 1 and not properties.get("fileSize"):
        raise KalturaError("UPLOAD_TOKEN_MISSING_FILE_SIZE")
    return UPLOAD_TOKEN.dump(tokens.new(call, properties))


@upload_token.action("get", param("uploadTokenId", STRING), level=Level.WIDGET)
def get(call: Call, token_id: str) -> Record:
    """One token."""
    return UPLOAD_TOKEN.dump(tokens.visible(call, token_id))


@upload_token.action(
    "upload",
    param("uploadTokenId", STRING),
    param("fileData", FILE),
    param("resume", BOOL, False),
    param("finalChunk", BOOL, True),
    param("resumeAt", FLOAT, -1.0),
)
def upload(call: Call, token_id: str, file: Any, resume: bool, final: bool, resume_at: float) -> Record:
    """Take a chunk; without ``finalChunk`` it is the last."""
    token = tokens.visible(call, token_id)
    tokens.check_accepts_bytes(call, token, final=resume and final)
    if not isinstance(file, Upload) or not file.name:
        if not resume and final and token["status"] == tokens.PENDING:
            _delete(call, token)
        raise KalturaError("UPLOAD_ERROR")
    piece = receive.Piece(file, resume, final, int(resume_at))
    return UPLOAD_TOKEN.dump(receive.receive(call.account, token, piece))


@upload_token.action("delete", param("uploadTokenId", STRING))
def delete(call: Call, token_id: str) -> None:
    """Delete a token in any state; an entry that waits for it has no content again."""
    _delete(call, tokens.visible(call, token_id))


def _delete(call: Call, token: Record) -> None:
    with call.account.locks.hold(token["id"]), call.account.database.transaction():
        current = call.tables.tokens.get(token["id"]) or token
        tokens.delete(call.account, current)
        if current["status"] in (tokens.PENDING, tokens.PARTIAL):
            attach.release(call.account, current)


@upload_token.action(
    "list", param("filter", UPLOAD_TOKEN_FILTER, None), param("pager", PAGER, None), level=Level.WIDGET
)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Tokens by id, user, status, name or size, straight from the database."""
    limit, offset = page(pager)
    where, params = _conditions(call, value)
    order = "id"
    if value and value.get("orderBy") in ("+createdAt", "-createdAt", "createdAt"):
        direction = "DESC" if value.get("orderBy").startswith("-") else "ASC"
        order = f"created {direction}, id {direction}"
    with call.account.database.transaction():
        total = call.tables.tokens.count(where, params)
        found = call.tables.tokens.find(where, params, order=order, limit=limit, offset=offset)
    shown = [UPLOAD_TOKEN.dump(token) for token in found]
    return list_reply("KalturaUploadTokenListResponse", total, shown)


def _conditions(call: Call, value: ObjectValue | None) -> tuple[str, list[Any]]:
    parts: list[tuple[str, list[Any]]] = [("status != ?", [tokens.DELETED])]
    if not call.is_admin:
        parts.append(("user = ?", [call.user_id]))
    for name, item in (value.values if value else {}).items():
        if item is None:
            continue
        if name in _EQUAL:
            parts.append((f"{_EQUAL[name]} = ?", [item]))
        elif name in _IN:
            values: list[Any] = split(item)
            if name == "statusIn":
                values = [int(text) for text in values if text.isdigit()]
            parts.append((f"{_IN[name]} IN ({', '.join('?' * len(values))})", values))
        elif name == "fileNameEqual":
            parts.append(("name = ?", [tokens.file_name_key(item)]))
        elif name in _RANGES:
            parts.append((f"{_RANGES[name]} ?", [item]))
    parts += _defaults(call, value)
    return " AND ".join(text for text, _ in parts), [item for _, values in parts for item in values]


_EQUAL = {"idEqual": "id", "userIdEqual": "user", "statusEqual": "status", "fileSizeEqual": "size"}
_IN = {"idIn": "id", "userIdIn": "user", "statusIn": "status"}
_RANGES = {"createdAtGreaterThanOrEqual": "created >=", "createdAtLessThanOrEqual": "created <="}


def _defaults(call: Call, value: ObjectValue | None) -> list[tuple[str, list[Any]]]:
    """Return what a search by file name adds: no CLOSED tokens, and no PARTIAL ones that can no longer be resumed."""
    if value is None or value.get("fileNameEqual") is None:
        return []
    if value.get("statusEqual") == tokens.PARTIAL:
        oldest = call.account.clock.now() - call.account.config.max_resume_time
        return [("updated >= ?", [oldest])]
    if value.get("statusEqual") is None and value.get("statusIn") is None:
        return [("status IN (0, 1, 2)", [])]
    return []
