"""The session a client holds: opened by any of four methods, renewed before it ends or when it is refused."""

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
    """Makes a call with exactly the given session (or none), as a plan."""

    def __call__(self, service: str, action: str, params: Mapping[str, Any], ks: str | None) -> Steps[Any]:
        """Return the plan of the call."""


@dataclass(frozen=True, slots=True)
class _Held:
    ks: str
    renew_at: float


class SessionKeeper:
    """Holds one session and knows when and how to get the next.

    A session is renewed 5 minutes before its end (short ones when a tenth of their life is left). The keeper
    has no lock: clients see to it that only one of many waiting callers opens a session.
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
        # A token's hash algorithm is told to administrators only. Unless it is given, the one that works is found.
        told = credentials.app_token_hash_type
        self._hash_types = [AppTokenHashType(told)] if told else list(AppTokenHashType)
        observer.on_secret(credentials.secret)

    @property
    def app_token_hash_type(self) -> AppTokenHashType | None:
        """The hash algorithm of the app token, once a session has been opened with it."""
        own = self._credentials
        return self._hash_types[0] if own.auth is AuthMethod.APP_TOKEN and self._held is not None else None

    @property
    def renewable(self) -> bool:
        """Whether another session can be had when this one is refused."""
        return self._credentials.renewable

    def current(self, refused: str | None = None) -> str | None:
        """Return the session held; ``None`` if there is none, it is about to end, or it is ``refused``."""
        held = self._held
        if held is None or held.ks == refused or self._clock() >= held.renew_at:
            return None
        return held.ks

    def open(self, call: SessionCall) -> Steps[str]:
        """Open a session, keep it and return its text.

        :raises KalturaError: what the server answered, or what kept us from asking it.
        """
        begun = self._clock()
        ks, expiry = yield from self._obtain(call)
        self._observer.on_secret(ks)
        life = expiry - begun
        margin = min(_MARGIN, life * _MARGIN_SHARE) if life != _FOREVER else 0.0
        self._held = _Held(ks, expiry - margin)
        return ks

    def explain(self, call: SessionCall, error: KalturaAPIError) -> Steps[KalturaConfigurationError | None]:
        """Tell what is wrong with the secret behind a session that the server cannot read; ``None``: nothing known.

        The server cannot say why a session made here is unreadable; asked to make one, it can. It is asked once.
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
                # Beside a bad session the server would not even look at the secret.
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
                "The secret", None, f"is not one of partner {own.partner_id}",
                "copy the admin secret from the KMC's integration settings",
            )  # fmt: skip
        return KalturaConfigurationError(
            "The secret", None, f"is the user secret of partner {own.partner_id}",
            "give the admin secret, which an ADMIN session needs",
        )  # fmt: skip

    def _obtain(self, call: SessionCall) -> Steps[tuple[str, float]]:
        own = self._credentials
        if own.auth is AuthMethod.KS:
            if self._held is not None:
                raise KalturaConfigurationError(
                    "secret",
                    None,
                    "is a session that has ended",
                    "give a fresh session or another way to authenticate",
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
            # The server shortens a session to the account's maximum without saying so; the session itself
            # tells.
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
            "the answer holds no session", fault=TransportFault.NOT_JSON, service="session", action=action
        )
    return value
