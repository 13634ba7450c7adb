"""Normalize the address of a Kaltura server."""

from __future__ import annotations

from urllib.parse import urlsplit

from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["normalize_host", "normalize_service_url"]

_FIX = "give a URL such as https://www.kaltura.com"


def normalize_host(host: str, *, field: str = "host") -> str:
    """Return ``host`` as ``scheme://host[:port][/path]`` without a trailing slash. The default scheme is ``https``.

    :raises KalturaConfigurationError: the address is empty, has another scheme, a user name, a query or no host name.
    """
    text = host.strip() if isinstance(host, str) else host
    if not text or not isinstance(text, str):
        raise KalturaConfigurationError(field, host, "is empty", _FIX)
    if any(character.isspace() for character in text):
        raise KalturaConfigurationError(field, host, "contains spaces", _FIX)
    if "://" not in text:
        text = f"https://{text.lstrip('/')}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise KalturaConfigurationError(field, host, f"is not a valid URL ({error})", _FIX) from None
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
    """Return a service URL with a scheme and ``/api_v3`` at its end; both may be missing from ``host``.

    :raises KalturaConfigurationError: as :func:`normalize_host`.
    """
    url = normalize_host(host, field="service URL")
    for ending in ("/index.php", "/api_v3"):
        url = url.removesuffix(ending).rstrip("/")
    return f"{url}/api_v3"
