"""Session strings for a replay, built with the rules of the fact sheet and independent of the sandbox's own code."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ["Account", "session_words"]

ADMIN, USER = 2, 0


@dataclass(frozen=True)
class Account:
    """Where the sandbox listens and whose account it holds."""

    url: str
    partner_id: int
    admin_secret: str
    user_secret: str

    def session(self, user: str, kind: int, privileges: str = "", *, lifetime: int = 86400, partner: int = 0) -> str:
        """Return a version 2 session string."""
        pairs = [tuple(([*item.split(":", 1), ""])[:2]) for item in privileges.split(",") if item]
        pairs += [("_e", str(int(time.time()) + lifetime)), ("_t", str(kind)), ("_u", user)]
        salted = os.urandom(16) + urlencode(pairs).encode()
        plain = hashlib.sha1(salted).digest() + salted
        plain += b"\x00" * (-len(plain) % 16)
        key = hashlib.sha1(self.admin_secret.encode()).digest()[:16]
        encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
        sealed = f"v2|{partner or self.partner_id}|".encode() + encryptor.update(plain) + encryptor.finalize()
        return base64.urlsafe_b64encode(sealed).decode()


def session_words(account: Account, *, admin: str = "admin1", user: str = "user1") -> dict[str, str]:
    """Return the value of every placeholder a recording may hold."""
    admin_session = account.session(admin, ADMIN, "disableentitlement")
    return {
        "KS": admin_session,
        "USER_KS": account.session(user, USER),
        "EXPIRED_KS": account.session(admin, ADMIN, "disableentitlement", lifetime=-60),
        "KS_UNKNOWN_PARTNER": account.session(admin, ADMIN, "disableentitlement", partner=999999),
        "TAMPERED_KS": admin_session[:-4] + ("AAAA" if admin_session[-4:] != "AAAA" else "BBBB"),
        "ADMIN_SECRET": account.admin_secret,
        "USER_SECRET": account.user_secret,
        "BASE_URL": account.url,
        "BASE_URL_ESC": account.url,
    }
