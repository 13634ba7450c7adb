"""The normal form of an address, which identifies an item, and the form that earlier versions of this package used."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from kaltura_provider.api.redaction import printable
from kaltura_provider.api.signing import SEAL, sealed_part, unsigned_query
from kaltura_provider.upload.sources.address import printable_url

__all__ = ["canonical_uri", "kai1_uri", "shown_address"]

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_S3_SCHEMES = frozenset({"s3", "s3a", "s3n"})
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# What RFC 3986 allows in a path and in a query beside unreserved characters, and "%" where it begins an escape.
_PATH = "/!$&'()*+,;=:@"
_QUERY = _PATH + "?"


def shown_address(uri: str) -> str:
    """Return an address as logs, errors and receipts may show it, on one line.

    User and password are left out, and the values of the query are hidden. In an S3 key and in a file name, ``?`` and
    ``@`` are ordinary characters.
    """
    if uri.startswith("/") or uri.partition(":")[0].lower() in (*_S3_SCHEMES, "file"):
        return printable(uri)
    if (sealed := sealed_part(uri)) is not None:
        uri = uri.removesuffix(f"{SEAL}={sealed}")[:-1]
    return printable(printable_url(uri))


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
