"""The ``session`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, INT_TEXT, STRING, EnumType, ObjectType, prop
from kaltura_sandbox.errors import KalturaError, ServerCrash
from kaltura_sandbox.sessions.ks import ADMIN, USER, WIDGET_USER, Session
from kaltura_sandbox.wire import php

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call

__all__ = ["SESSION_INFO", "SESSION_TYPE", "session", "session_info"]

SESSION_TYPE = EnumType("KalturaSessionType", [USER, ADMIN])
_DAY = 86400

SESSION_INFO = ObjectType(
    "KalturaSessionInfo",
    prop("ks"),
    prop("sessionType", INT_TEXT),
    prop("partnerId", INT_TEXT),
    prop("userId"),
    prop("expiry", INT_TEXT),
    prop("privileges"),
)

session = Service("session")


def session_info(found: Session, **extra: Any) -> dict[str, Any]:
    """Return a ``KalturaSessionInfo`` of a session."""
    return SESSION_INFO.dump(
        {
            "sessionType": found.type,
            "partnerId": found.partner_id,
            "userId": found.user_id or "",
            "expiry": found.expiry,
            "privileges": found.privileges,
            **extra,
        }
    )


@session.action(
    "start",
    param("secret", STRING),
    param("userId", STRING, ""),
    param("type", SESSION_TYPE, USER),
    param("partnerId", INT, 0),
    param("expiry", INT, _DAY),
    param("privileges", STRING, ""),
    level=Level.NONE,
)
def start(call: Call, secret: str, user_id: str, kind: int, partner_id: int, expiry: int, privileges: str) -> str:
    """Start a session with one of the account's secrets."""
    config = call.account.config
    accepted = {config.admin_secret} | ({config.user_secret} if kind == USER else set())
    if partner_id != config.partner_id or secret not in accepted:
        raise KalturaError("START_SESSION_ERROR", partner_id)
    sent = php.to_str(call.params.get("expiry", ""))
    if sent and not sent.lstrip("+-").isdigit():
        raise ServerCrash  # the real one adds text to a time and dies
    return call.account.sessions.start(user_id, kind, expiry, privileges)


@session.action("startWidgetSession", param("widgetId", STRING), param("expiry", INT, _DAY), level=Level.NONE)
def start_widget_session(call: Call, widget_id: str, expiry: int) -> dict[str, Any]:
    """Start the anonymous session of a widget; every account has the widget ``_<partner id>``."""
    partner = call.account.config.partner_id
    if widget_id != f"_{partner}":
        raise KalturaError("INVALID_WIDGET_ID", widget_id)
    text = call.account.sessions.start(WIDGET_USER, USER, expiry, "view:*,widget:1")
    return {"partnerId": partner, "ks": text, "userId": 0, "objectType": "KalturaStartWidgetSessionResponse"}


@session.action("get", param("session", STRING, ""), level=Level.ADMIN)
def get(call: Call, text: str) -> dict[str, Any]:
    """Return what a session is; the caller's own by default."""
    found = call.account.sessions.open(text) if text else call.session
    if found is None:
        raise KalturaError("MISSING_KS")
    return session_info(found)


@session.action("end", level=Level.NONE)
def end(call: Call) -> None:
    """Revoke the caller's session."""
    if call.session is not None:
        call.account.sessions.end(call.session)
