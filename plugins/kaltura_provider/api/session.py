"""The session of a client: opened by one of four methods, renewed before it ends or when the server refuses it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.enums import AppTokenHashType, SessionType
from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaError,
    KalturaSessionError,
    KalturaTransportError,
    TransportFault,
)
from kaltura_provider.api.ks import mint_ks, parse_ks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kaltura_provider.api.observer import Observer
    from kaltura_provider.api.steps import Steps

__all__ = ["SessionCall", "SessionKeeper"]

_MARGIN = 300.0
_MARGIN_SHARE = 0.1
_FOREVER = float("inf")


class SessionCall(Protocol):
    """Plans a call with exactly the given session, or without one."""

    def __call__(self, service: str, action: str, params: Mapping[str, Any], ks: str | None) -> Steps[Any]:
        """Return the plan of the call."""


@dataclass(frozen=True, slots=True)
class _Held:
    ks: str
    renew_at: float


class SessionKeeper:
    """Holds one session and knows when and how to get the next.

    A session is renewed 5 minutes before its end; a short one when a tenth of its lifetime is left. This class has no
    lock: the clients ensure that only one of many waiting callers opens a session.
    """

    def __init__(
        self,
        service_url: str,
        credentials: Credentials,
        observer: Observer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._observer = observer
        self._clock = clock
        self._privileges = credentials.effective_privileges(service_url)
        self._held: _Held | None = None
        self._wrong_secret: KalturaConfigurationError | None = None
        # Only administrators can read the hash algorithm of an app token. If it is not given, try which one works.
        known = credentials.app_token_hash_type
        self._hash_types = [AppTokenHashType(known)] if known else list(AppTokenHashType)
        observer.on_secret(credentials.secret)

    @property
    def app_token_hash_type(self) -> AppTokenHashType | None:
        """The hash algorithm of the app token; known after it has opened a session."""
        own = self._credentials
        return self._hash_types[0] if own.auth is AuthMethod.APP_TOKEN and self._held is not None else None

    @property
    def renewable(self) -> bool:
        """Whether the client can get a new session when the server refuses this one."""
        return self._credentials.renewable

    def current(self, refused: str | None = None) -> str | None:
        """Return the current session; ``None`` if there is none, if it is about to end, or if it is ``refused``."""
        held = self._held
        if held is None or held.ks == refused or self._clock() >= held.renew_at:
            return None
        return held.ks

    def open(self, call: SessionCall) -> Steps[str]:
        """Open a session, keep it and return it.

        :raises KalturaError: the server refused to open a session, or did not answer.
        """
        begun = self._clock()
        ks, expiry = yield from self._obtain(call)
        self._observer.on_secret(ks)
        life = expiry - begun
        margin = min(_MARGIN, life * _MARGIN_SHARE) if life != _FOREVER else 0.0
        self._held = _Held(ks, expiry - margin)
        return ks

    def explain(self, call: SessionCall, error: KalturaAPIError) -> Steps[KalturaConfigurationError | None]:
        """Return what is wrong with the secret of a session that the server cannot read, or ``None``.

        The server does not say why it cannot read a session that the client made, but it does if it has to make one
        itself. This asks it once.
        """
        own = self._credentials
        unreadable = error.code == "INVALID_KS" and error.details.get("ERR_DESC") == "INVALID_STR"
        if not unreadable or isinstance(error, KalturaSessionError) or not own.minted_here:
            return None
        if self._wrong_secret is None:
            self._wrong_secret = yield from self._ask_about_secret(call)
        return self._wrong_secret

    def _ask_about_secret(self, call: SessionCall) -> Steps[KalturaConfigurationError | None]:
        own = self._credentials
        params = {"secret": own.secret, "partnerId": own.partner_id, "userId": own.user_id, "expiry": 60}
        refused = []
        for session_type in (SessionType.ADMIN, SessionType.USER):
            try:
                # With a bad session in the call, the server would not check the secret.
                yield from call("session", "start", {**params, "type": session_type}, None)
            except KalturaAPIError as error:
                if error.code == "SERVICE_FORBIDDEN_CONTENT_BLOCKED":
                    return KalturaConfigurationError(
                        "Partner", own.partner_id, "is unknown or blocked", "check the partner id and the host"
                    )
                if error.code != "START_SESSION_ERROR":
                    return None
                refused.append(session_type)
            except KalturaError:
                return None
            if not refused:
                return None
        if len(refused) > 1:
            return KalturaConfigurationError(
                "The secret", None, f"does not belong to partner {own.partner_id}",
                "copy the admin secret from the KMC, Settings, Integration Settings",
            )  # fmt: skip
        return KalturaConfigurationError(
            "The secret", None, f"is the user secret of partner {own.partner_id}",
            "give the admin secret: an ADMIN session needs it",
        )  # fmt: skip

    def _obtain(self, call: SessionCall) -> Steps[tuple[str, float]]:
        own = self._credentials
        if own.auth is AuthMethod.KS:
            if self._held is not None:
                raise KalturaConfigurationError(
                    "secret",
                    None,
                    "is a session that has ended",
                    "give a new session, or use another way to authenticate",
                )
            return own.secret, _FOREVER
        if own.auth is AuthMethod.APP_TOKEN:
            return (yield from self._by_app_token(call))
        if own.minted_here:
            return self._mint()
        return (yield from self._by_session_start(call))

    def _mint(self) -> tuple[str, float]:
        own = self._credentials
        expiry = int(self._clock()) + own.lifetime
        ks = mint_ks(
            own.secret,
            partner_id=own.partner_id,
            user_id=own.user_id,
            session_type=own.session_type,
            expiry=expiry,
            privileges=self._privileges,
        )
        return ks, expiry

    def _by_session_start(self, call: SessionCall) -> Steps[tuple[str, float]]:
        own = self._credentials
        params = {
            "secret": own.secret,
            "userId": own.user_id,
            "type": own.session_type,
            "partnerId": own.partner_id,
            "expiry": own.lifetime,
            "privileges": self._privileges,
        }
        expected = int(self._clock()) + own.lifetime
        ks = _session_text((yield from call("session", "start", params, None)), "start")
        try:
            # The server silently shortens a session to the account's maximum, so read the end from the session.
            return ks, min(expected, parse_ks(ks, own.secret).expiry)
        except ValueError:
            return ks, expected

    def _by_app_token(self, call: SessionCall) -> Steps[tuple[str, float]]:
        own = self._credentials
        widget = yield from call("session", "startWidgetSession", {"widgetId": f"_{own.partner_id}"}, None)
        ks = _session_text(widget.get("ks") if isinstance(widget, dict) else None, "startWidgetSession")
        self._observer.on_secret(ks)
        for number, hash_type in enumerate(self._hash_types, 1):
            params = {
                "id": own.app_token_id,
                "tokenHash": hashlib.new(hash_type.lower(), (ks + own.secret).encode()).hexdigest(),
                "userId": own.user_id,
                "type": own.session_type,
                "expiry": own.lifetime,
                "sessionPrivileges": self._privileges,
            }
            try:
                info = yield from call("appToken", "startSession", params, ks)
            except KalturaAPIError as error:
                if error.code != "INVALID_APP_TOKEN_HASH" or number == len(self._hash_types):
                    raise
                continue
            break
        self._hash_types.sort(key=lambda known: known is not hash_type)
        text = _session_text(info.get("ks") if isinstance(info, dict) else None, "startSession")
        return text, float(info.get("expiry") or self._clock() + own.lifetime)


def _session_text(value: Any, action: str) -> str:
    if not isinstance(value, str) or not value:
        raise KalturaTransportError(
            "the answer does not contain a session", fault=TransportFault.NOT_JSON, service="session", action=action
        )
    return value
