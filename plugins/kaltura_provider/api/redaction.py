"""Hide secrets in text, and make foreign text safe to show.

:func:`redact` hides Kaltura sessions, passwords in URLs and the values of all names in :mod:`.signing`, in any
notation: a URL's query, a header, JSON, Python's ``repr``, or percent-encoded inside another URL. :func:`printable`
turns foreign text into one line of a log. Both take time proportional to the length of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kaltura_provider.api.sessions_in_text import is_session_text
from kaltura_provider.api.signing import is_secret_name, public_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["HIDDEN", "LONGEST", "printable", "public_url", "redact", "secrets_in"]

HIDDEN = "***"
LONGEST = 4000
"""The maximum number of characters of a foreign text in a log or an error."""

# Every pattern below takes linear time: unbounded repetitions are possessive, and a match either cannot begin in the
# middle of such a repetition or ends the search there.

# Long enough for the shortest session, short enough to skip entry ids, hashes and upload token ids.
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}+={0,2}")
_SESSION_V2 = re.compile(r"djJ8[A-Za-z0-9+/_-]{20,}+={0,2}")
_SESSION_IN_PATH = re.compile(r"(?i)(?<=/ks/)[^/?&\s'\"<>]++")
_WEB_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{5,}+\.eyJ[\w-]++(?:\.[\w-]*+)?")
_BEARER = re.compile(r"(?i)(?<![\w-])(?<=\bbearer )[\w.~+/-]{16,}+=*+")
# Up to the last "@" of the authority, or of the word if the password contains a slash.
_USER_INFO = re.compile(
    r"(?:(?<=://)|(?<=[\s\"'(=,]//))"
    r"(?:[^/\s'\"<>?#]*@|[^/\s'\"<>@:?#]*+:(?=[^\s'\"<>]{0,200}@)(?!\d{0,5}+[/?#])[^\s'\"<>]*@)"
)

_NAME = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)"
    r"(?P<sep>(?:\\*+[\"'])?\]?[ \t]?(?:[=:]|(?<=[\"'])[ \t]?,(?=[ \t]?b?\\*+[\"']))[ \t]{0,3})"
)
_OPENING = re.compile(r"b?(?P<escapes>\\*+)(?P<quote>[\"'])")
_QUOTE = re.compile(r"(?P<escapes>\\*+)(?P<quote>[\"'])")
_SCHEME = re.compile(r"(?i:bearer|basic|digest|token|apikey|negotiate|aws4-hmac-sha256)[ \t]{1,3}(?![&\s\"'<>])")
_BARE = re.compile(rf"(?:{_SCHEME.pattern})?[^&\s\"'<>]*+")
_LIST = re.compile(r"\[[^\]]*+\]?")
_LINE = re.compile(r"[^\r\n]*+")
_WHOLE_LINE = frozenset({"authorization", "proxyauthorization", "cookie", "setcookie"})

_ENCODED_WORD = re.compile(r"[^\s\"'<>]++")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_ROUNDS = 4
# The placeholder of a hidden value, with punctuation that may follow it in a sentence: nothing is left to hide.
_LEFT_OUT = ".:,;)"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` with every secret in it replaced by ``***``.

    This hides the given ``secrets``, everything that looks like a Kaltura session, the values of names that carry
    secrets (``ks``, ``token``, ``X-Amz-Signature``, ``Authorization`` ...), and user names with passwords in URLs.
    Redacting a text twice gives the same text.
    """
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _cleaned(text, lambda secret: HIDDEN)


def secrets_in(text: str) -> list[str]:
    """Return the secrets that :func:`redact` would hide in ``text``, for a log that masks known secrets."""
    found: list[str] = []

    def hide(secret: str) -> str:
        found.append(secret)
        return HIDDEN

    _cleaned(text, hide)
    bare = [_SCHEME.sub("", secret, count=1) for secret in found]
    decoded = [unquote(secret) for secret in bare]
    return [secret for secret in dict.fromkeys((*found, *bare, *decoded)) if secret.strip("*")]


def printable(text: str, maximum: int = LONGEST) -> str:
    r"""Return foreign text as one line without secrets; escape unprintable characters, and cut off long text.

    A line break, ESC or a change of the reading direction is shown as ``\n``, ``\x1b`` or ``\u202e``.
    """
    left = len(text) - maximum
    if left > 0:
        text = f"{text[:maximum]}... ({left} more characters)"
    text = redact(text)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def public_url(uri: str) -> str:
    """Return the public part of a web address: no user, no fragment, no query field that signs it or is secret."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return redact(uri.partition("?")[0].partition("#")[0])
    place = parts.netloc.rpartition("@")[2]
    return redact(parts._replace(netloc=place, query=public_query(parts.query), fragment="").geturl())


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


def _cleaned(text: str, hide: Callable[[str], str]) -> str:
    for _ in range(_ROUNDS):
        clean = _plain(text, hide)
        if "%" in clean:
            clean = _ENCODED_WORD.sub(lambda found: _decoded(found[0], hide), clean)
        if clean == text:
            break
        text = clean
    return text


def _plain(text: str, hide: Callable[[str], str]) -> str:
    """Hide secrets that are not encoded."""
    # Before what looks like a secret by itself: that can be a part of a named one, whose whole value is the secret.
    text = _without_named(text, hide)
    text = _BASE64_RUN.sub(lambda found: hide(found[0]) if is_session_text(found[0]) else found[0], text)
    for pattern in (_SESSION_V2, _SESSION_IN_PATH, _WEB_TOKEN, _BEARER):
        text = pattern.sub(lambda found: hide(found[0]), text)
    return _USER_INFO.sub(lambda found: _hidden_user(found[0], hide) + "@", text)


def _hidden_user(user_info: str, hide: Callable[[str], str]) -> str:
    """Hide user and password. A user name alone is not a secret that must be hidden elsewhere."""
    _, colon, password = user_info[:-1].partition(":")
    if colon:
        hide(password)
    return HIDDEN


def _decoded(word: str, hide: Callable[[str], str]) -> str:
    """Hide the percent-encoded secrets of a word. Such a word is shown decoded, without line breaks."""
    text = word
    for _ in range(_ROUNDS - 1):
        if not _ESCAPE.search(text):
            break
        text = unquote(text)
        clean = _plain(text, hide)
        if clean != text:
            return "".join(letter if letter.isprintable() else "\ufffd" for letter in clean)
    return word


def _without_named(text: str, hide: Callable[[str], str]) -> str:
    parts: list[str] = []
    at = 0
    while head := _NAME.search(text, at):
        start = end = head.end()
        if is_secret_name(head["name"]):
            start, end = _value(text, head)
        parts.append(text[at:start])
        if start < end:
            value = text[start:end]
            parts.append(hide(value) if value.strip(_LEFT_OUT) else value)
        at = end
    return "".join((*parts, text[at:])) if parts else text


def _value(text: str, head: re.Match[str]) -> tuple[int, int]:
    """Return where the value of a name begins and ends."""
    start = head.end()
    if opening := _OPENING.match(text, start):
        return opening.end(), _closing(text, opening)
    if text.startswith("{", start):
        return start, start  # the names inside are searched on their own
    if text.startswith("[", start):
        return _span(_LIST.match(text, start))
    if ":" in head["sep"] and _fills_line(text, head):
        before = text[head.start() - 1 : head.start()]
        end = _span(_LINE.match(text, start))[1]
        quote = text.find(before, start, end) if before in ("'", '"') else -1
        return start, quote if quote >= 0 else end
    return _span(_BARE.match(text, start))


def _span(found: re.Match[str] | None) -> tuple[int, int]:
    return found.span() if found else (0, 0)


def _fills_line(text: str, head: re.Match[str]) -> bool:
    """Return whether a header extends to the end of its line: its value has spaces, or it begins the line."""
    name = head["name"].lower().replace("-", "").replace("_", "")
    return name in _WHOLE_LINE or head.start() == 0 or text[head.start() - 1] in "\r\n"


def _closing(text: str, opening: re.Match[str]) -> int:
    """Return where a quoted value ends. The text may itself be quoted, with escaped quotes."""
    depth = len(opening["escapes"])
    for quote in _QUOTE.finditer(text, opening.end()):
        # Each level of quoting doubles the escapes and adds one, so quotes inside the value have more of them.
        if quote["quote"] == opening["quote"] and len(quote["escapes"]) % (2 * depth + 2) == depth:
            return quote.end() - 1 - depth
    return len(text)
