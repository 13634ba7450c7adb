"""The ``appToken`` service: sessions from a token instead of the account's secret."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, STRING, TIME, Access, EnumType, ObjectType, StringEnumType, prop
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.ids import new_object_id, new_secret
from kaltura_sandbox.services.session import SESSION_TYPE, session_info

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["app_token"]

DISABLED, ACTIVE, DELETED = 1, 2, 3
_HASHES = {"SHA1": "sha1", "MD5": "md5", "SHA256": "sha256", "SHA512": "sha512"}
_RO = Access.READ_ONLY
# Privileges only the server itself hands out.
_RESERVED = frozenset({"sessionid", "apptoken", "actionslimit", "iprestrict", "urirestrict", "setrole", "widget"})

APP_TOKEN = ObjectType(
    "KalturaAppToken",
    prop("id", STRING, _RO),
    prop("token", STRING, _RO),
    prop("partnerId", INT, _RO),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("status", EnumType("KalturaAppTokenStatus", [1, 2, 3]), _RO),
    prop("expiry", TIME),
    prop("sessionType", SESSION_TYPE),
    prop("sessionUserId"),
    prop("sessionDuration", INT),
    prop("sessionPrivileges"),
    prop("hashType", StringEnumType("KalturaAppTokenHashType", _HASHES)),
    prop("description"),
)
APP_TOKEN_FILTER = ObjectType(
    "KalturaAppTokenFilter",
    prop("idEqual"),
    prop("idIn"),
    prop("statusEqual", INT),
    prop("statusIn"),
    prop("sessionUserIdEqual"),
    prop("createdAtGreaterThanOrEqual", TIME),
    prop("createdAtLessThanOrEqual", TIME),
    base=BASE_FILTER,
)

app_token = Service("appToken")


def _find(call: Call, token_id: str) -> Record:
    token = call.tables.app_tokens.get(token_id)
    if token is None or token["status"] == DELETED:
        raise KalturaError("APP_TOKEN_ID_NOT_FOUND", token_id)
    return token


@app_token.action("add", param("appToken", APP_TOKEN), level=Level.ADMIN)
def add(call: Call, value: ObjectValue) -> Record:
    """Make a token; its secret is 32 hex digits whatever the hash."""
    value.check_insert()
    now = call.account.clock.now()
    record = {
        "id": new_object_id(),
        "token": new_secret(),
        "partnerId": call.partner_id,
        "createdAt": now,
        "updatedAt": now,
        "status": ACTIVE,
        "sessionType": 0,
        "sessionDuration": 86400,
        "hashType": "SHA1",
    }
    return APP_TOKEN.dump(call.tables.app_tokens.put(record | value.values))


@app_token.action("get", param("id", STRING), level=Level.ADMIN)
def get(call: Call, token_id: str) -> Record:
    """One token."""
    return APP_TOKEN.dump(_find(call, token_id))


@app_token.action("update", param("id", STRING), param("appToken", APP_TOKEN), level=Level.ADMIN)
def update(call: Call, token_id: str, value: ObjectValue) -> Record:
    """Change a token."""
    token = _find(call, token_id)
    value.check_update(token)
    record = token | value.values | {"updatedAt": call.account.clock.now()}
    return APP_TOKEN.dump(call.tables.app_tokens.put(record))


@app_token.action("delete", param("id", STRING), level=Level.ADMIN)
def delete(call: Call, token_id: str) -> None:
    """Delete a token, and with it every session it gave."""
    _find(call, token_id)
    call.tables.app_tokens.change(token_id, status=DELETED)
    call.tables.revoked.put({"id": f"id:{token_id}", "reason": "LOGOUT"})


@app_token.action("list", param("filter", APP_TOKEN_FILTER, None), param("pager", PAGER, None), level=Level.ADMIN)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Tokens by id, status or user."""
    limit, offset = page(pager)
    found = [token for token in call.tables.app_tokens.find("status != 3") if _matches(token, value)]
    if value and value.get("orderBy", "").lstrip("+-") in ("createdAt", "updatedAt"):
        key = value.get("orderBy").lstrip("+-")
        found.sort(key=lambda token: token[key], reverse=value.get("orderBy").startswith("-"))
    shown = [APP_TOKEN.dump(token) for token in found[offset : offset + limit]]
    return list_reply("KalturaAppTokenListResponse", len(found), shown)


def _matches(token: Record, value: ObjectValue | None) -> bool:
    if value is None:
        return True
    checks = [
        value.get("idEqual") in (None, token["id"]),
        value.get("idIn") is None or token["id"] in split(value.get("idIn")),
        value.get("statusEqual") in (None, token["status"]),
        value.get("statusIn") is None or str(token["status"]) in split(value.get("statusIn")),
        value.get("sessionUserIdEqual") in (None, token.get("sessionUserId")),
        token["createdAt"] >= value.get("createdAtGreaterThanOrEqual", 0),
        token["createdAt"] <= value.get("createdAtLessThanOrEqual", 1 << 40),
    ]
    return all(checks)


@app_token.action(
    "startSession",
    param("id", STRING),
    param("tokenHash", STRING),
    param("userId", STRING, None),
    param("type", SESSION_TYPE, None),
    param("expiry", INT, None),
    param("sessionPrivileges", STRING, None),
    level=Level.WIDGET,
)
def start_session(
    call: Call,
    token_id: str,
    token_hash: str,
    user_id: str | None,
    kind: int | None,
    expiry: int | None,
    privileges: str | None,
) -> dict[str, Any]:
    """Start a session; the hash is over the caller's KS and the token, and the token's own settings win."""
    token, now = _find(call, token_id), call.account.clock.now()
    if token["status"] != ACTIVE:
        raise KalturaError("APP_TOKEN_NOT_ACTIVE", token_id)
    text = call.session.text if call.session else ""
    expected = hashlib.new(_HASHES[token["hashType"]], (text + token["token"]).encode()).hexdigest()
    if token_hash != expected:
        raise KalturaError("INVALID_APP_TOKEN_HASH")
    lifetime = min(token.get("sessionDuration") or 86400, expiry or 86400)
    if token.get("expiry"):
        if token["expiry"] <= now:
            raise KalturaError("APP_TOKEN_EXPIRED", token_id)
        lifetime = min(lifetime, token["expiry"] - now)
    own = token.get("sessionPrivileges") or ""
    asked = [item for item in (privileges or "").split(",") if item.partition(":")[0] not in _RESERVED]
    granted = [item for item in (*own.split(","), *asked, f"sessionid:{token_id}", f"apptoken:{token_id}") if item]
    text = call.account.sessions.start(
        token.get("sessionUserId") or user_id or "",
        int(kind or 0 if token.get("sessionType") is None else token["sessionType"]),
        lifetime,
        ",".join(granted),
    )
    # Here the numbers are numbers, unlike in session.get.
    info = session_info(call.account.sessions.open(text), ks=text)
    return info | {name: int(info[name]) for name in ("sessionType", "partnerId", "expiry")}
