"""Test a connection: say in one line who the client is to its server, or what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.credentials import AuthMethod
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaError,
    KalturaTransportError,
    TransportFault,
)
from kaltura_provider.api.retry import NO_RETRY
from kaltura_provider.api.signing import is_object_id
from kaltura_provider.api.steps import Timeout

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["Identity", "whoami"]

# A person is waiting for the answer in front of a form.
_LIMITS = Timeout(connect=5.0, read=15.0)


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome of :func:`whoami`. ``message`` is one line for people.

    ``error`` is what went wrong, or ``None``. ``expires_at`` is in UNIX seconds.
    """

    message: str
    error: KalturaError | None = None
    partner_id: int | None = None
    user_id: str | None = None
    session_type: SessionType | None = None
    expires_at: int | None = None
    privileges: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the client can work."""
        return self.error is None


def whoami(client: KalturaClient) -> Identity:
    """Ask the server who the client is, in one to four calls. A ``KalturaError`` is reported, not raised."""
    try:
        version = _ask(client, "system", "getVersion", anonymous=True)
        session = _ask(client, "session", "get")
    except KalturaAPIError as error:
        if error.code == "SERVICE_FORBIDDEN" and error.service == "session" and error.action == "get":
            # The server checks the rights of valid sessions only.
            return _unread(client)
        return Identity(_session_words(client, error), error)
    except KalturaTransportError as error:
        return Identity(_transport_words(client, error), error)
    except KalturaError as error:
        return Identity(error.message, error)
    return _described(client, session, version)


def _ask(
    client: KalturaClient, service: str, action: str, params: dict[str, Any] | None = None, *, anonymous: bool = False
) -> Any:
    return client.call(service, action, params, timeout=_LIMITS, retry=NO_RETRY, anonymous=anonymous)


def _described(client: KalturaClient, session: Any, version: Any) -> Identity:
    if not isinstance(session, dict) or session.get("objectType") != "KalturaSessionInfo":
        error = KalturaTransportError("session.get did not answer with a session", fault=TransportFault.NOT_JSON)
        return Identity(f"{client.service_url} answers, but not as a Kaltura server does", error)
    # Numbers come as text here.
    partner_id, expires_at = int(session.get("partnerId", 0)), int(session.get("expiry", 0))
    if partner_id != client.partner_id:
        wrong = KalturaConfigurationError(
            "partner id",
            client.partner_id,
            f"differs from the session's partner id {partner_id}",
            "use the partner id and the secret of the same account",
        )
        return Identity(wrong.message, wrong)
    session_type = SessionType.ADMIN if int(session.get("sessionType", 0)) == SessionType.ADMIN else SessionType.USER
    user_id, privileges = str(session.get("userId", "")), str(session.get("privileges", ""))
    end = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    server = f" ({version})" if isinstance(version, str) else ""
    message = (
        f"Connected to {client.service_url}{server} as user {user_id!r} of partner {partner_id}: "
        f"{session_type.name} session until {end}{_limits(session_type, privileges)}"
        f"{_hash_type(client)}"
    )
    return Identity(
        message,
        partner_id=partner_id,
        user_id=user_id,
        session_type=session_type,
        expires_at=expires_at,
        privileges=privileges,
    )


def _hash_type(client: KalturaClient) -> str:
    found = client.app_token_hash_type
    if found is None or client.credentials.app_token_hash_type:
        return ""
    return f". The app token's hash type is {found}. Set app_token_hash_type to it; otherwise each task has to try them"


def _limits(session_type: SessionType, privileges: str) -> str:
    if session_type is not SessionType.ADMIN:
        return ". Ingesting each source item exactly once needs an ADMIN session"
    if "disableentitlement" not in privileges and privileges != "*":
        return ". Without the privilege disableentitlement the session cannot see all entries"
    return ""


def _unread(client: KalturaClient) -> Identity:
    own = client.credentials
    message = (
        f"Connected to {client.service_url} as user {own.user_id!r} of partner {own.partner_id}: "
        f"the session is valid, but cannot read its own details{_limits(own.session_type, own.privileges or '*')}"
    )
    return Identity(message, partner_id=own.partner_id, user_id=own.user_id, session_type=own.session_type)


def _session_words(client: KalturaClient, error: KalturaAPIError) -> str:
    """Say why the client could not get a session, or why the server does not accept it."""
    partner = f"partner {client.partner_id}"
    if error.code == "INVALID_KS" and client.credentials.auth is AuthMethod.KS:
        return f"The session (KS) of the connection is not valid for {partner} at {client.service_url}: {error}"
    return _start_words(client, error, partner) or str(error)


def _start_words(client: KalturaClient, error: KalturaAPIError, partner: str) -> str | None:
    words = {
        "START_SESSION_ERROR": f"The secret does not belong to {partner}: copy it from the KMC's integration settings",
        "SERVICE_FORBIDDEN_CONTENT_BLOCKED": f"{partner.capitalize()} is unknown or blocked at {client.service_url}",
        "INVALID_WIDGET_ID": f"{partner.capitalize()} is unknown at {client.service_url}",
        "APP_TOKEN_ID_NOT_FOUND": f"{partner.capitalize()} has no app token {_app_token(client)}",
        "APP_TOKEN_NOT_ACTIVE": f"The app token {_app_token(client)} is not active",
        "APP_TOKEN_EXPIRED": f"The app token {_app_token(client)} has expired",
        "INVALID_APP_TOKEN_HASH": f"The secret is not the value of app token {_app_token(client)}",
    }
    return words.get(error.code)


def _app_token(client: KalturaClient) -> str:
    given = client.credentials.app_token_id or ""
    return (
        given
        if is_object_id(given)
        else "of that id (an id looks like 0_ab12cd34; the text given may be the token's value)"
    )


def _transport_words(client: KalturaClient, error: KalturaTransportError) -> str:
    url = client.service_url
    if error.fault in (TransportFault.NOT_JSON, TransportFault.REDIRECT):
        return f"{url} is not the service URL of a Kaltura server: {error.message}"
    if error.fault is TransportFault.STATUS and error.status is not None and error.status < 500:
        return f"{url} is not the service URL of a Kaltura server: {error.message}; check the host and its path"
    return f"{url} cannot be reached: {error.message}"
