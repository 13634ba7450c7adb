"""Two identities: what an asset is, and which bytes it holds; and the names and marks that carry them.

Formula ``kai1``. An asset id is a hash over scheme, bucket and key, or over the URL without the query fields that
only sign it, or over the author's own identity; it does not change when the content does. A content id is a hash over
the asset id, the size and what the store says identifies these bytes (ETag, version id). Both are 32 hex digits.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from kaltura_provider.ingest.kinds import extension_of

__all__ = [
    "ADOPTED_MARK",
    "MADE_MARK",
    "TokenName",
    "asset_id",
    "asset_mark",
    "canonical_uri",
    "content_id",
    "content_mark",
    "import_mark",
    "parse_token_name",
    "pending_mark",
    "reference_for",
    "refused_mark",
    "released_mark",
    "token_file_name",
]

FORMULA = "kai1"
MADE_MARK = FORMULA
"""On every entry this package made: what housekeeping searches for."""
ADOPTED_MARK = f"{FORMULA}:adopted"
"""On entries that were there before and were taken over: never deleted by this package."""

_ID = r"[0-9a-f]{32}"
_TOKEN_NAME = re.compile(
    rf"{FORMULA}-(?P<asset>{_ID})-(?P<content>{_ID})(?P<file>-file)?\.(?P<extension>[a-z0-9]{{1,8}})"
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_S3_SCHEMES = frozenset({"s3", "s3a", "s3n"})
# Query fields that sign a URL change from one signing to the next. Short names count as such only beside the field
# that carries the signature: elsewhere "st" or "expires" may well say which media is meant.
_SIGNED_BY: dict[str, re.Pattern[str]] = {
    "x-amz-signature": re.compile(r"x-amz-.*"),
    "x-goog-signature": re.compile(r"x-goog-.*"),
    "signature": re.compile(r"signature|expires|policy|key-pair-id|awsaccesskeyid|googleaccessid"),
    "sig": re.compile(r"sig|se|st|sp|sv|sr|spr|sip|skoid|sktid|skt|ske|sks|skv"),
}


def canonical_uri(uri: str) -> str:
    """Return the one spelling of ``uri`` that identifies an asset, without user, fragment and signature.

    :raises ValueError: ``uri`` has no scheme.
    """
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme:
        raise ValueError(f"the URI {uri!r} has no scheme: write s3://, https:// or file:// before it")
    if scheme in _S3_SCHEMES:
        # An S3 key may hold any character: nothing of it is a query or a fragment.
        return f"s3://{uri.split('://', 1)[1]}"
    if scheme == "file":
        return f"file:///{unquote(uri.split(':', 1)[1]).removeprefix('//localhost').lstrip('/')}"
    return urlunsplit((scheme, _host(parts), parts.path or "/", _unsigned(parts.query), ""))


def _unsigned(query: str) -> str:
    items = [(item.split("=", 1)[0].lower(), item) for item in query.split("&")]
    names = {name for name, _ in items}
    signing = [fields for name, fields in _SIGNED_BY.items() if name in names]
    return "&".join(item for name, item in items if not any(fields.fullmatch(name) for fields in signing))


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        host += f":{parts.port}"
    return host


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join((FORMULA, *words)).encode()).hexdigest()[:32]


def asset_id(uri: str, identity: str | None = None) -> str:
    """Return the asset id of ``uri``, or of the author's own ``identity`` when there is one: 32 hex digits.

    :raises ValueError: no identity is given and ``uri`` has no scheme.
    """
    if identity:
        return _digest("identity", identity)
    return _digest("asset", canonical_uri(uri))


def content_id(asset: str, size: int, validator: str) -> str:
    """Return the content id of ``size`` bytes known to their store by ``validator`` (ETag, version id, date)."""
    plain = validator.strip().removeprefix("W/").strip('"')
    return _digest("content", asset, str(size), plain)


def token_file_name(asset: str, content: str, file_name: str, *, filled_apart: bool = False) -> str:
    """Return the file name of the upload token that claims this content: at most 100 of ``[a-z0-9.-]``.

    The extension is that of ``file_name`` when it is a known one, else ``bin``. With ``filled_apart`` it is the name
    of the token that carries the bytes where the claim itself must stay empty.
    """
    suffix = "-file" if filled_apart else ""
    return f"{FORMULA}-{asset}-{content}{suffix}.{extension_of(file_name) or 'bin'}"


@dataclass(frozen=True, slots=True)
class TokenName:
    """What a token's file name says."""

    asset: str
    content: str
    filled_apart: bool


def parse_token_name(file_name: str) -> TokenName | None:
    """Read a token's file name; ``None`` when the token is not ours."""
    found = _TOKEN_NAME.fullmatch(file_name)
    return TokenName(found["asset"], found["content"], bool(found["file"])) if found else None


def asset_mark(asset: str) -> str:
    """Return the adminTag that says which asset an entry is."""
    return f"{FORMULA}:a:{asset}"


def content_mark(content: str) -> str:
    """Return the adminTag that says which verified bytes an entry holds."""
    return f"{FORMULA}:c:{content}"


def pending_mark(content: str) -> str:
    """Return the adminTag that says which bytes an entry was prepared for, while they are on their way."""
    return f"{FORMULA}:p:{content}"


def import_mark(content: str) -> str:
    """Return the adminTag that says which bytes the server itself was told to fetch."""
    return f"{FORMULA}:i:{content}"


def refused_mark(content: str) -> str:
    """Return the adminTag that says Kaltura refused the type of these bytes."""
    return f"{FORMULA}:refused:{content}"


def released_mark(asset: str) -> str:
    """Return the adminTag of an empty entry that is no asset's any more and about to be deleted.

    It keeps such an entry apart from one that somebody deleted on purpose.
    """
    return f"{FORMULA}:x:{asset}"


def reference_for(asset: str) -> str:
    """Return the ``referenceId`` of an entry whose author gave none."""
    return f"{FORMULA}-{asset}"
