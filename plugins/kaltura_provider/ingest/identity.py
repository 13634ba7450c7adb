"""The two identities of a source item, and the token names that carry them.

The *item id* says which source it is. It is a hash over scheme, bucket and key, or over the normal form of the URL
without the query fields that only sign it, or over the ``identity`` that the author gave. It stays the same when the
content changes.

The *content id* says which bytes the source holds. It is a hash over the item id, the size, and what the store says
identifies these bytes (ETag, version id, date).

Both are 32 hex digits. They are made by formula ``kai2``. The older formula ``kai1`` hashed URLs as they were written
and is otherwise the same. A URL that was written in its normal form therefore has one item id under both formulas; for
any other URL, :func:`elder_item_id` returns the id that ``kai1`` gave it. Marks and token names still begin with
``kai1``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from kaltura_provider.api.signing import unsigned_query
from kaltura_provider.services.entry.kind import extension_of

__all__ = [
    "FORMULA",
    "PREFIX",
    "TokenName",
    "canonical_uri",
    "claim_name",
    "content_id",
    "digest",
    "elder_item_id",
    "item_id",
    "kai1_uri",
    "parse_token_name",
    "reference_for",
    "token_file_name",
]

FORMULA = "kai2"
"""The formula that identities are made by. Receipts name it."""
PREFIX = "kai1"
"""The salt of every hash, and the beginning of every mark and token name."""

_ID = r"[0-9a-f]{32}"
_TOKEN_NAME = re.compile(
    rf"{PREFIX}-(?P<item>{_ID})-(?P<content>{_ID})(?P<file>-file)?\.(?P<extension>[a-z0-9]{{1,8}})"
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_S3_SCHEMES = frozenset({"s3", "s3a", "s3n"})
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# What RFC 3986 allows in a path and in a query beside unreserved characters, and "%" where it begins an escape.
_PATH = "/!$&'()*+,;=:@"
_QUERY = _PATH + "?"


def digest(*words: str) -> str:
    """Return the salted hash of ``words``: 32 hex digits."""
    return hashlib.sha256("\n".join((PREFIX, *words)).encode()).hexdigest()[:32]


def item_id(uri: str, identity: str | None = None) -> str:
    """Return the item id of ``uri``, or of the author's own ``identity`` if there is one: 32 hex digits.

    :raises ValueError: no identity is given and ``uri`` is not an address.
    """
    if identity:
        return digest("identity", identity)
    return digest("asset", canonical_uri(uri))


def elder_item_id(uri: str) -> str | None:
    """Return the item id that formula ``kai1`` gave ``uri``; ``None`` if it is the same.

    :raises ValueError: as :func:`item_id`.
    """
    elder = kai1_uri(uri)
    return None if elder == canonical_uri(uri) else digest("asset", elder)


def content_id(item_id: str, size: int, validator: str) -> str:
    """Return the content id of ``size`` bytes that their store identifies by ``validator`` (ETag, version id, date)."""
    plain = validator.strip().removeprefix("W/").strip('"')
    return digest("content", item_id, str(size), plain)


def token_file_name(item_id: str, content_id: str, file_name: str, *, filled_apart: bool = False) -> str:
    """Return the file name of the upload token that claims this content: at most 100 characters of ``[a-z0-9.-]``.

    The extension is that of ``file_name`` if it is a known one, else ``bin``. ``filled_apart`` gives the name of the
    token that carries the bytes of an entry that is made after its upload; the claim itself stays empty then.
    """
    suffix = "-file" if filled_apart else ""
    return f"{PREFIX}-{item_id}-{content_id}{suffix}.{extension_of(file_name) or 'bin'}"


def claim_name(item_id: str) -> str:
    """Return the file name of a claim token that never carries content: it claims the item, whichever its content."""
    return token_file_name(item_id, item_id, "")


@dataclass(frozen=True, slots=True)
class TokenName:
    """What the file name of a token of ours says."""

    item_id: str
    content_id: str
    filled_apart: bool


def parse_token_name(file_name: str) -> TokenName | None:
    """Read the file name of a token; ``None`` if the token is not ours."""
    found = _TOKEN_NAME.fullmatch(file_name)
    return TokenName(found["item"], found["content"], bool(found["file"])) if found else None


def reference_for(item_id: str) -> str:
    """Return the ``referenceId`` of an entry whose author gave none."""
    return f"{PREFIX}-{item_id}"


def canonical_uri(uri: str) -> str:
    """Return the normal form of ``uri``, without user, fragment and signature.

    Web addresses are normalized as RFC 3986, sections 6.2.2 and 6.2.3, describes: case of scheme, host and escapes,
    needless and missing escapes, dot segments, and the default port. The host is written in ASCII without a final dot.
    S3 keys and file names are not normalized: ``%`` and ``..`` are ordinary characters there.

    An absolute path names a local file.

    :raises ValueError: ``uri`` has no scheme and is not an absolute path, or its host or port cannot be read.
    """
    parts, plain = _parts(uri)
    if plain is not None:
        return plain
    path = _without_dot_segments(_escaped(parts.path, _PATH)) or "/"
    return urlunsplit((parts.scheme.lower(), _place(parts), path, _escaped(unsigned_query(parts.query), _QUERY), ""))


def kai1_uri(uri: str) -> str:
    """Return the form that formula ``kai1`` gave ``uri``; raises as :func:`canonical_uri`.

    This must never change: it recognises entries that were made before formula ``kai2``.
    """
    parts, plain = _parts(uri)
    if plain is not None:
        return plain
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    return urlunsplit((parts.scheme.lower(), host + _port(parts), parts.path or "/", _kai1_unsigned(parts.query), ""))


def _parts(uri: str) -> tuple[SplitResult, str | None]:
    """Return the parts of an address, and its normal form if it is not a web address."""
    if uri.startswith("/"):
        path = uri.lstrip("/")
        return SplitResult("file", "", f"/{path}", "", ""), f"file:///{path}"
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme:
        raise ValueError(f"the URI {uri!r} has no scheme: put s3://, https:// or file:// in front")
    if scheme in _S3_SCHEMES:
        # An S3 key may hold any character: nothing of it is a query or a fragment.
        return parts, f"s3://{uri.split('://', 1)[1]}"
    if scheme == "file":
        return parts, f"file:///{unquote(uri.split(':', 1)[1]).removeprefix('//localhost').lstrip('/')}"
    return parts, None


def _port(parts: SplitResult) -> str:
    return f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme.lower()) else ""


def _place(parts: SplitResult) -> str:
    """Return host and port as a connection would use them."""
    name = (parts.hostname or "").lower()
    if ":" in name:
        return f"[{name}]{_port(parts)}"
    name = unquote(name).removesuffix(".")
    try:
        name = parse_url(f"http://{name}").host or name
    except LocationParseError:
        # Nothing can connect to this name, but it must still differ from other names.
        name = quote(name)
    return name + _port(parts)


def _escaped(text: str, allowed: str) -> str:
    """Return a part of a URL in which exactly the characters that need it are escaped."""

    def one(found: re.Match[str]) -> str:
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else found[0].upper()

    # "%" without two hex digits after it should have been escaped.
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return _ESCAPE.sub(one, quote(text, safe=allowed + "%~", errors="surrogatepass"))


def _without_dot_segments(path: str) -> str:
    """Remove ``.`` and ``..`` from a path, as RFC 3986, section 5.2.4, describes."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


_KAI1_SIGNED_BY: dict[str, re.Pattern[str]] = {
    "x-amz-signature": re.compile(r"x-amz-.*"),
    "x-goog-signature": re.compile(r"x-goog-.*"),
    "signature": re.compile(r"signature|expires|policy|key-pair-id|awsaccesskeyid|googleaccessid"),
    "sig": re.compile(r"sig|se|st|sp|sv|sr|spr|sip|skoid|sktid|skt|ske|sks|skv"),
}


def _kai1_unsigned(query: str) -> str:
    items = [(item.split("=", 1)[0].lower(), item) for item in query.split("&")]
    names = {name for name, _ in items}
    signing = [fields for name, fields in _KAI1_SIGNED_BY.items() if name in names]
    return "&".join(item for name, item in items if not any(fields.fullmatch(name) for fields in signing))
