"""One form for the address of a Kaltura server, however it was written down."""

from __future__ import annotations

from urllib.parse import urlsplit

from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["normalize_host", "normalize_service_url"]

_FIX = "give an address such as https://www.kaltura.com"


def normalize_host(host: str, *, field: str = "host") -> str:
    """Return ``host`` as ``scheme://host[:port][/path]``, no trailing slash; ``https`` by default.

    :raises KalturaConfigurationError: it is empty, has another scheme, a user name, a query or no host name.
    """
    text = host.strip() if isinstance(host, str) else host
    if not text or not isinstance(text, str):
        raise KalturaConfigurationError(field, host, "is empty", _FIX)
    if any(character.isspace() for character in text):
        raise KalturaConfigurationError(field, host, "contains blanks", _FIX)
    if "://" not in text:
        text = f"https://{text.lstrip('/')}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise KalturaConfigurationError(field, host, f"is no address ({error})", _FIX) from None
    if parts.scheme.lower() not in ("http", "https"):
        raise KalturaConfigurationError(field, host, "is neither http nor https", _FIX)
    if "@" in parts.netloc:
        raise KalturaConfigurationError(field, host, "contains a user name", "leave it out; " + _FIX)
    if not parts.hostname:
        raise KalturaConfigurationError(field, host, "has no host name", _FIX)
    if parts.query or parts.fragment:
        raise KalturaConfigurationError(field, host, "has a query or fragment", "leave it out; " + _FIX)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = f":{port}" if port is not None else ""
    return f"{parts.scheme.lower()}://{name}{suffix}{parts.path.rstrip('/')}"


def normalize_service_url(host: str) -> str:
    """Return the service URL ending in ``/api_v3``; accepts it with or without scheme, slash and ``/api_v3``.

    :raises KalturaConfigurationError: as :func:`normalize_host`.
    """
    url = normalize_host(host, field="service URL")
    for ending in ("/index.php", "/api_v3"):
        url = url.removesuffix(ending).rstrip("/")
    return f"{url}/api_v3"
