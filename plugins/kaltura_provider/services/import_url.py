"""Addresses that Kaltura itself fetches: checked, and written so that its servers read them as they are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kaltura_provider.api.errors import KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BULK_SCHEMES", "SCHEMES", "fetchable_url"]

SCHEMES = ("http", "https", "ftp", "ftps", "sftp", "scp")
BULK_SCHEMES = tuple(scheme for scheme in SCHEMES if scheme != "ftps")

# What the schema of bulk uploads takes in a URL; the import takes it too.
_KEPT = "!#$%&'()*+,/:;=?@[]~"


def fetchable_url(value: Any, name: str, *, schemes: Sequence[str] = SCHEMES) -> str:
    """Return an address as Kaltura is told it.

    Characters that its checks refuse (spaces, quotes, letters beyond ASCII ...) are percent-encoded. ``//`` in a query
    too, since an import makes one slash of two; in a path the two spellings may be different files, so the caller has
    to choose.

    :raises KalturaConfigurationError: it is no such address; names the argument.
    """
    url = str(value or "").strip()
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or any(ord(c) < 0x20 for c in url):
        raise KalturaConfigurationError(
            name, url or None, "is no address Kaltura fetches", f"give one with a host, by {', '.join(schemes)}"
        )
    if "//" in parts.path:
        raise KalturaConfigurationError(
            name, url, "has // after its host, which Kaltura makes one slash", "write the second one as %2F"
        )
    query = parts.query.replace("//", "%2F%2F")
    return quote(parts._replace(netloc=_host(parts.netloc), query=query).geturl(), safe=_KEPT)


def _host(netloc: str) -> str:
    """Return user, host and port with a host beyond ASCII as domain names are written."""
    user, at, rest = netloc.rpartition("@")
    host, colon, port = rest.partition(":")
    return user + at + (rest if rest.isascii() else host.encode("idna").decode() + colon + port)
