"""Keeps secrets out of text: Kaltura sessions, signatures of presigned URLs, passwords in URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaltura_provider.api.sessions_in_text import is_session_text

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HIDDEN", "redact", "secrets_in"]

HIDDEN = "***"

# Long enough for the shortest session, short enough to skip entry ids, hashes and upload token ids.
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_NAMED_SECRET = re.compile(
    r"(?i)(?P<name>(?:^|(?<=[?&/\s,;{'\"]))(?:ks|secret|adminsecret|usersecret|tokenhash|token_hash|password"
    r"|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential|signature|sig"
    r"|awsaccesskeyid|authorization)"
    r"(?:=|%3d))(?P<value>[^&\s'\"<>]+)"
)
_SESSION_IN_PATH = re.compile(r"(?i)(?<=/ks/)[^/?&\s'\"<>]+")
_USER_INFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^/\s@'\"<>]+)@")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` with every secret in it replaced by ``***``.

    Hidden are the given ``secrets``, everything that looks like a Kaltura session, the values of parameters
    that carry secrets (``ks``, ``secret``, ``X-Amz-Signature`` ...) and user names with passwords in URLs.
    """
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _BASE64_RUN.sub(lambda found: HIDDEN if is_session_text(found[0]) else found[0], text)
    text = _NAMED_SECRET.sub(lambda found: found["name"] + HIDDEN, text)
    text = _SESSION_IN_PATH.sub(HIDDEN, text)
    return _USER_INFO.sub(lambda found: found["scheme"] + HIDDEN + "@", text)


def secrets_in(text: str) -> list[str]:
    """Return the secrets that :func:`redact` would hide in ``text``, for a log that has to learn them beforehand."""
    found = [run[0] for run in _BASE64_RUN.finditer(text) if is_session_text(run[0])]
    found += [named["value"] for named in _NAMED_SECRET.finditer(text)]
    found += [session[0] for session in _SESSION_IN_PATH.finditer(text)]
    return found + [user["user"].partition(":")[2] for user in _USER_INFO.finditer(text) if ":" in user["user"]]
