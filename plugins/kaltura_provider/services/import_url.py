"""URLs that Kaltura fetches: check them, and write them as its servers understand them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kaltura_provider.api.errors import KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BULK_SCHEMES", "SCHEMES", "fetchable_url"]

SCHEMES = ("http", "https", "ftp", "ftps", "sftp", "scp")
BULK_SCHEMES = tuple(scheme for scheme in SCHEMES if scheme != "ftps")

# The characters that the schema of bulk uploads allows in a URL; imports allow them too.
_KEPT = "!#$%&'()*+,/:;=?@[]~"


def fetchable_url(value: Any, name: str, *, schemes: Sequence[str] = SCHEMES) -> str:
    """Return a URL in the form that Kaltura needs.

    Characters that Kaltura refuses (spaces, quotes, letters beyond ASCII ...) are percent-encoded. So is ``//`` in a
    query, because an import turns it into one slash. ``//`` in a path is an error: the two forms may be different
    files, so the caller must choose.

    :raises KalturaConfigurationError: it is not a URL that Kaltura can fetch; the error names the argument.
    """
    url = str(value or "").strip()
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or any(ord(c) < 0x20 for c in url):
        raise KalturaConfigurationError(
            name, url or None, "is not a URL Kaltura can fetch", f"give one with a host and one of {', '.join(schemes)}"
        )
    if "//" in parts.path:
        raise KalturaConfigurationError(
            name, url, "has // in its path, which Kaltura turns into one slash", "write the second slash as %2F"
        )
    query = parts.query.replace("//", "%2F%2F")
    return quote(parts._replace(netloc=_host(parts.netloc), query=query).geturl(), safe=_KEPT)


def _host(netloc: str) -> str:
    """Return user, host and port, the host in its ASCII form."""
    user, at, rest = netloc.rpartition("@")
    host, colon, port = rest.partition(":")
    return user + at + (rest if rest.isascii() else host.encode("idna").decode() + colon + port)
