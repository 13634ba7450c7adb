"""Parse URLs exactly as the connection will, so the checks apply to the host that is connected to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from urllib3.util import parse_url

from kaltura_provider.api.redaction import printable
from kaltura_provider.api.signing import SEAL, sealed_part
from kaltura_provider.upload.sources.errors import SourceRefused

if TYPE_CHECKING:
    from urllib3.util import Url

__all__ = ["host_of", "origin", "parse", "printable_url", "shown_address"]

# Parsers disagree about these characters: one would check another host than the other one connects to.
_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\]")
_PORTS = {"http": 80, "https": 443}
_PLAIN_SCHEMES = frozenset({"s3", "s3a", "s3n", "file"})
"""Schemes of keys and file names, which are not URLs: ``?`` and ``@`` are ordinary characters there."""


def shown_address(uri: str) -> str:
    """Return an address as logs, errors and receipts may show it, on one line.

    User and password are left out, and the values of the query are hidden. In an S3 key and in a file name, ``?`` and
    ``@`` are ordinary characters.
    """
    if uri.startswith("/") or uri.partition(":")[0].lower() in _PLAIN_SCHEMES:
        return printable(uri)
    if (sealed := sealed_part(uri)) is not None:
        uri = uri.removesuffix(f"{SEAL}={sealed}")[:-1]
    return printable(printable_url(uri))


def printable_url(url: str) -> str:
    """Return a URL without user, password, fragment and the values of its query. Never raises.

    If the URL cannot be parsed, only the parts that cannot hold a secret remain.
    """
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in url)
    scheme, mark, rest = shown.partition("://") if "://" in shown else ("", "", shown)
    place, _, query = rest.partition("#")[0].partition("?")
    if not _has_host(url):
        # The end of the password is unknown.
        place, query = rest.rpartition("@")[2].partition("?")[0], ""
    authority, slash, path = place.partition("/")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    hidden = "&".join(f"{name}=..." if equals else "..." for name, equals, _ in pairs)
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}" + (f"?{hidden}" if hidden else "")


def _has_host(url: str) -> bool:
    try:
        return not _AMBIGUOUS.search(url) and bool(parse_url(url).host)
    except ValueError:
        return False


def parse(url: str) -> Url:
    """Parse a URL as urllib3 does, which makes the connections.

    :raises SourceRefused: the URL cannot be parsed, or could be parsed in two ways.
    """
    if _AMBIGUOUS.search(url):
        raise SourceRefused(
            printable_url(url),
            "it contains a backslash or a control character, which programs read differently; write it as %XX if it "
            "belongs to a name, otherwise remove it",
        )
    try:
        return parse_url(url)
    except ValueError:
        raise SourceRefused(
            printable_url(url),
            "it is not a valid URL: its host or port cannot be read. Write scheme://host:port/path, with a port up to "
            "65535 and an IPv6 address in brackets",
        ) from None


def host_of(url: str) -> str:
    """Return the host of a URL, without brackets; ``""`` if it has none.

    :raises SourceRefused: as :func:`parse`.
    """
    return (parse(url).host or "").strip("[]")


def origin(url: str) -> tuple[str | None, str | None, int | None]:
    """Return the scheme, host and port of a URL. Its headers may only be sent there.

    :raises SourceRefused: as :func:`parse`.
    """
    parts = parse(url)
    return parts.scheme, parts.host, parts.port or _PORTS.get(parts.scheme or "")
