"""How a client authenticates, and what its session may do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kaltura_provider.api.enums import AppTokenHashType, SessionType
from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["AuthMethod", "Credentials"]


class AuthMethod(StrEnum):
    """How to get a session.

    ``SECRET``: the client makes the session from the admin secret, without a call. (For a USER session it calls
    ``session.start``, since a session cannot be made from a user secret.) ``SESSION_START``: calls ``session.start``.
    ``APP_TOKEN``: calls ``appToken.startSession``; the secret is the app token's value. ``KS``: the secret is a
    session, which cannot be renewed.
    """

    SECRET = "secret"  # noqa: S105 - a name, not a secret
    SESSION_START = "session_start"
    APP_TOKEN = "app_token"  # noqa: S105 - a name, not a secret
    KS = "ks"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account and how to get a session for it. Its ``repr`` does not show the secret.

    ``lifetime`` is in seconds; the server may shorten it to the account's maximum. ``privileges`` is Kaltura's
    comma-separated text. ``None`` stands for ``disableentitlement`` (without it, an account that enforces entitlement
    shows an empty library) and one ``sessionkey`` per connection (so that searches find what this connection wrote).

    :raises KalturaConfigurationError: a value is missing or not valid.
    """

    partner_id: int
    auth: AuthMethod | str
    secret: str = field(repr=False)
    user_id: str = "airflow"
    session_type: SessionType = SessionType.ADMIN
    privileges: str | None = None
    lifetime: int = 86_400
    app_token_id: str | None = None
    app_token_hash_type: AppTokenHashType | str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.partner_id, bool) or not isinstance(self.partner_id, int) or self.partner_id == 0:
            raise KalturaConfigurationError(
                "partner id",
                self.partner_id,
                "is not a partner id",
                "give the number shown in the KMC under Settings, Integration Settings",
            )
        object.__setattr__(self, "auth", self._auth_method())
        object.__setattr__(self, "session_type", self._session_type())
        object.__setattr__(self, "app_token_hash_type", self._hash_type())
        if not self.secret:
            wanted = {AuthMethod.KS: "session (KS)", AuthMethod.APP_TOKEN: "app token's value"}
            missing = wanted.get(AuthMethod(self.auth), "admin secret")
            raise KalturaConfigurationError("secret", None, "is empty", f"give the {missing}")
        if self.auth is AuthMethod.APP_TOKEN and not self.app_token_id:
            raise KalturaConfigurationError("app token id", None, "is empty", "give the id of the app token")
        if self.lifetime < 1:
            raise KalturaConfigurationError(
                "session lifetime", self.lifetime, "is too short", "give seconds, such as 86400"
            )

    def _auth_method(self) -> AuthMethod:
        try:
            return AuthMethod(self.auth)
        except ValueError:
            known = ", ".join(AuthMethod)
            raise KalturaConfigurationError("auth", self.auth, "is unknown", f"use one of {known}") from None

    def _session_type(self) -> SessionType:
        try:
            return SessionType(self.session_type)
        except ValueError:
            raise KalturaConfigurationError(
                "session type", self.session_type, "is unknown", "use ADMIN (2) or USER (0)"
            ) from None

    def _hash_type(self) -> AppTokenHashType | None:
        given = self.app_token_hash_type
        if given is None or given == "":
            return None
        try:
            return AppTokenHashType(str(given).upper().replace("-", ""))
        except ValueError:
            known = ", ".join(AppTokenHashType)
            raise KalturaConfigurationError("app token hash type", given, "is unknown", f"use one of {known}") from None

    @property
    def minted_here(self) -> bool:
        """Whether the client makes sessions without calling the server."""
        return self.auth is AuthMethod.SECRET and self.session_type is SessionType.ADMIN

    @property
    def renewable(self) -> bool:
        """Whether the client can get a new session when one ends."""
        return self.auth is not AuthMethod.KS

    def narrowed(self, privileges: str, lifetime: int) -> Credentials:
        """Return credentials for USER sessions that last ``lifetime`` seconds and may do no more than ``privileges``.

        :raises KalturaConfigurationError: the secret is a session, which cannot be narrowed.
        """
        if self.auth is AuthMethod.KS:
            raise KalturaConfigurationError(
                "secret", None, "is a session, which cannot be narrowed", "use another way to authenticate"
            )
        return replace(self, session_type=SessionType.USER, privileges=privileges, lifetime=lifetime)

    def effective_privileges(self, service_url: str) -> str:
        """Return the privileges to request. The default has one fixed session key per connection."""
        if self.privileges is not None:
            return self.privileges
        name = f"{service_url}|{self.partner_id}|{self.user_id}"
        key = hashlib.sha256(name.encode()).hexdigest()[:16]
        return f"disableentitlement,sessionkey:{key}"
