"""The one spelling of an address that identifies an asset, and the one that earlier versions of this package used."""

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

    It has no user and password, and the values of its query are hidden. In the key of an S3 object and in the name of a
    file, ``?`` and ``@`` are letters like any other.
    """
    if uri.startswith("/") or uri.partition(":")[0].lower() in (*_S3_SCHEMES, "file"):
        return printable(uri)
    if (sealed := sealed_part(uri)) is not None:
        uri = uri.removesuffix(f"{SEAL}={sealed}")[:-1]
    return printable(printable_url(uri))


def canonical_uri(uri: str) -> str:
    """Return the one spelling of ``uri`` that identifies an asset, without user, fragment and signature.

    Web addresses are normalized as RFC 3986, section 6.2.2 and 6.2.3, says: the case of scheme, host and escapes,
    needless and missing escapes, dot segments, the default port; and the host without its final dot, in ASCII. Keys of
    S3 objects and names of files are not: ``%`` and ``..`` are letters there.

    An absolute path is the file of that name.

    :raises ValueError: ``uri`` has no scheme and is no absolute path, or its host or port cannot be read.
    """
    parts, plain = _parts(uri)
    if plain is not None:
        return plain
    path = _without_dot_segments(_escaped(parts.path, _PATH)) or "/"
    return urlunsplit((parts.scheme.lower(), _place(parts), path, _escaped(unsigned_query(parts.query), _QUERY), ""))


def kai1_uri(uri: str) -> str:
    """Return the spelling that formula ``kai1`` gave ``uri``; raises as :func:`canonical_uri`.

    It must never change: entries are recognised by it that were made before there was :func:`canonical_uri`.
    """
    parts, plain = _parts(uri)
    if plain is not None:
        return plain
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    return urlunsplit((parts.scheme.lower(), host + _port(parts), parts.path or "/", _kai1_unsigned(parts.query), ""))


def _parts(uri: str) -> tuple[SplitResult, str | None]:
    """Return the parts of an address, and its spelling where it is no web address."""
    if uri.startswith("/"):
        path = uri.lstrip("/")
        return SplitResult("file", "", f"/{path}", "", ""), f"file:///{path}"
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme:
        raise ValueError(f"the URI {uri!r} has no scheme: write s3://, https:// or file:// before it")
    if scheme in _S3_SCHEMES:
        # An S3 key may hold any character: nothing of it is a query or a fragment.
        return parts, f"s3://{uri.split('://', 1)[1]}"
    if scheme == "file":
        return parts, f"file:///{unquote(uri.split(':', 1)[1]).removeprefix('//localhost').lstrip('/')}"
    return parts, None


def _port(parts: SplitResult) -> str:
    return f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme.lower()) else ""


def _place(parts: SplitResult) -> str:
    """Return host and port as the connection will have them."""
    name = (parts.hostname or "").lower()
    if ":" in name:
        return f"[{name}]{_port(parts)}"
    name = unquote(name).removesuffix(".")
    try:
        name = parse_url(f"http://{name}").host or name
    except LocationParseError:
        # No name that could be connected to. It still has to be told from others.
        name = quote(name)
    return name + _port(parts)


def _escaped(text: str, allowed: str) -> str:
    """Return a part of a URL with exactly those characters escaped that have to be."""

    def one(found: re.Match[str]) -> str:
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else found[0].upper()

    # "%" without two hex digits after it is a letter that somebody forgot to escape.
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return _ESCAPE.sub(one, quote(text, safe=allowed + "%~", errors="surrogatepass"))


def _without_dot_segments(path: str) -> str:
    """Return a path without ``.`` and ``..``, as RFC 3986, section 5.2.4, takes them out."""
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
