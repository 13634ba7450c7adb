"""Starting, checking and ending sessions."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.sessions import ks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_sandbox.clock import Clock
    from kaltura_sandbox.config import Config
    from kaltura_sandbox.sessions.ks import Session
    from kaltura_sandbox.store.tables import Tables

__all__ = ["SessionKeeper", "not_owner"]

# Partners every installation has: batch, admin console, monitor, media server, play, the template partner.
SYSTEM_PARTNERS = frozenset({0, -1, -2, -3, -4, -5, 99})
_CACHED = 4096


def not_owner() -> KalturaError:
    """Return the error for access to another user's object: a session error that a new session does not solve."""
    return KalturaError("INVALID_KS", "", "-4", "INVALID_TYPE")


class SessionKeeper:
    """Knows the partner's secrets, what was revoked and how often limited sessions were used."""

    def __init__(self, config: Config, clock: Clock, tables: Tables) -> None:
        self._config, self._clock, self._revoked = config, clock, tables.revoked
        self._lock = threading.Lock()
        self._parsed: dict[str, Session] = {}

    def secrets_of(self, partner_id: int) -> Sequence[str]:
        """Return the secrets that sign a partner's sessions: always the admin secret, for USER sessions too."""
        return [self._config.admin_secret] if partner_id == self._config.partner_id else []

    def knows_partner(self, partner_id: int) -> bool:
        """Whether a partner exists."""
        return partner_id == self._config.partner_id or partner_id in SYSTEM_PARTNERS

    def open(self, text: str) -> Session:
        """Decode a KS.

        :raises KalturaError: ``INVALID_KS`` with the string itself.
        """
        session = self._parsed.get(text) or ks.parse(text, self.secrets_of)
        if session is None:
            raise KalturaError("INVALID_KS", text, "-1", "INVALID_STR")
        with self._lock:
            if len(self._parsed) >= _CACHED:
                self._parsed.pop(next(iter(self._parsed)))
            self._parsed[text] = session
        return session

    def check(self, session: Session, path: str, client: str) -> None:
        """Refuse a session that is expired, revoked, used up or restricted to other places.

        :raises KalturaError: ``INVALID_KS`` with the reason as ``KSID``.
        """
        reason = self._problem(session, path, client)
        if reason:
            raise KalturaError("INVALID_KS", reason, "-1", "INVALID_STR")

    def _problem(self, session: Session, path: str, client: str) -> str:
        if session.expiry <= self._clock.now():
            return "EXPIRED"
        if not session.is_widget and (reason := self._revocation(session)):
            return reason
        hosts = session.privilege("iprestrict")
        if hosts and client not in hosts:
            return "EXCEEDED_RESTRICTED_IP"
        if "urirestrict:" in session.privileges and not self._uri_allowed(session, path):
            return "EXCEEDED_RESTRICTED_URI"
        limit = session.privilege("actionslimit")
        if limit and not self._count_use(session, int(limit[0] or 0)):
            return "EXCEEDED_ACTIONS_LIMIT"
        return ""

    def _revocation(self, session: Session) -> str:
        for key in (_digest(session.text), *(f"id:{value}" for value in session.privilege("sessionid") or ())):
            if (found := self._revoked.get(key)) is not None:
                return str(found["reason"])
        return ""

    @staticmethod
    def _uri_allowed(session: Session, path: str) -> bool:
        for item in session.privileges.split(","):
            name, _, value = item.partition(":")
            if name == "urirestrict":
                return any(path.startswith(uri[:-1]) if uri.endswith("*") else path == uri for uri in value.split("|"))
        return True

    def _count_use(self, session: Session, limit: int) -> bool:
        key = f"uses:{_digest(session.text)}"
        with self._lock:
            used = (self._revoked.get(key) or {"uses": 0})["uses"] + 1
            self._revoked.put({"id": key, "uses": used})
        return bool(used <= limit)

    def start(self, user_id: str | None, kind: int, lifetime: int, privileges: str) -> str:
        """Write a KS of the partner; the lifetime is cut to the partner's longest."""
        lifetime = min(lifetime, self._config.max_session_length)
        make = ks.make_v2 if self._config.ks_version == 2 else ks.make_v1
        return make(
            self._config.admin_secret,
            self._config.partner_id,
            user_id,
            kind,
            self._clock.now() + lifetime,
            privileges,
        )

    def end(self, session: Session) -> None:
        """Revoke a session, and with it all of its ``sessionid`` family."""
        for value in session.privilege("sessionid") or ():
            self._revoked.put({"id": f"id:{value}", "reason": "LOGOUT"})
        self._revoked.put({"id": _digest(session.text), "reason": "LOGOUT"})

    def expire(self, text: str) -> None:
        """Make one session expired as of now."""
        self._revoked.put({"id": _digest(text), "reason": "EXPIRED"})

    def expire_all(self) -> int:
        """Make every session seen so far expired; returns how many."""
        with self._lock:
            seen = list(self._parsed)
        for text in seen:
            self.expire(text)
        return len(seen)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
