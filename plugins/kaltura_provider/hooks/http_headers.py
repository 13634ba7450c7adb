"""The headers of an Airflow HTTP connection, which go with requests to its own server only."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.airflow_lock import AIRFLOW

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = ["connection_headers"]

# Airflow's HttpHook takes these fields of an HTTP connection's extra as options. All other fields are headers.
_REQUEST_OPTIONS = frozenset(
    {
        "stream",
        "cert",
        "proxies",
        "proxy",
        "timeout",
        "verify",
        "verify_ssl",
        "allow_redirects",
        "max_redirects",
        "trust_env",
        "check_response",
        "srv_lookup",
    }
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def connection_headers(http_conn_id: str | None, uri: str) -> dict[str, str]:
    """Return the headers to send with requests for a source: those in the connection's extra, and its login.

    They are masked in logs.

    :raises SourceRefused: the connection is for another server than that of ``uri``.
    :raises KalturaConfigurationError: the connection does not exist, is of another type, or its headers are malformed.
    """
    if not http_conn_id:
        return {}
    with AIRFLOW:
        return _headers_of(http_conn_id, uri)


def _headers_of(http_conn_id: str, uri: str) -> dict[str, str]:
    from kaltura_provider.hooks.connection import extra_of
    from kaltura_provider.hooks.masking import mask_headers
    from kaltura_provider.hooks.named_connections import named_connection

    connection = named_connection(http_conn_id, "http_conn_id")
    _check_destination(connection, uri)
    headers = _said_headers(http_conn_id, extra_of(connection))
    if connection.login and "authorization" not in {name.lower() for name in headers}:
        basic = b64encode(f"{connection.login}:{connection.password or ''}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
    mask_headers(headers)
    return headers


def _check_destination(connection: Connection, uri: str) -> None:
    """Check that the source is on the host, scheme and port of the HTTP connection, as far as it has them.

    :raises SourceRefused: the source is on another server.
    """
    from kaltura_provider.upload.sources.address import origin, shown_address
    from kaltura_provider.upload.sources.errors import SourceRefused

    if not connection.host:
        return
    asked = origin(uri)
    scheme, _, place = connection.host.rpartition("://")
    scheme = (scheme or connection.schema or "").lower()
    place = place.partition("/")[0]
    own = origin(f"{scheme or asked[0]}://{place}")
    # Without a port, the scheme determines it. Without both, any port matches.
    port = connection.port or (own[2] if scheme or ":" in place else asked[2])
    if asked == (own[0], own[1], port):
        return
    raise SourceRefused(
        shown_address(uri),
        f"HTTP connection {connection.conn_id!r} is for {shown_address(connection.host)}, and its credentials are "
        "only sent there; give a connection for the host of this source, or none",
    )


def _said_headers(http_conn_id: str, extra: dict[str, Any]) -> dict[str, str]:
    """Return the headers in an HTTP connection's extra: at the top level, as for HttpHook, or below ``headers``."""
    below = extra.get("headers") or {}
    if not isinstance(below, dict):
        from kaltura_provider.api.errors import KalturaConfigurationError

        raise KalturaConfigurationError(
            f"headers in the extra of connection {http_conn_id}", None, "are not a mapping", 'write {"name": "value"}'
        )
    top = {name: value for name, value in extra.items() if name not in _REQUEST_OPTIONS and name != "headers"}
    return {
        _header_name(http_conn_id, str(name)): _header_value(http_conn_id, str(name), str(value))
        for name, value in {**top, **below}.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def _header_name(http_conn_id: str, name: str) -> str:
    from kaltura_provider.api.errors import KalturaConfigurationError

    if not _HEADER_NAME.fullmatch(name.strip()):
        raise KalturaConfigurationError(
            f"header {name!r} in connection {http_conn_id}",
            None,
            "is not a valid header name",
            "use a name such as X-Api-Key",
        )
    return name.strip()


def _header_value(http_conn_id: str, name: str, value: str) -> str:
    """Return a header's value without whitespace around it, such as the newline of a pasted key.

    :raises KalturaConfigurationError: the value cannot be sent. It is not shown, because it may be a secret.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError

    value = value.strip()
    if not _HEADER_VALUE.fullmatch(value):
        raise KalturaConfigurationError(
            f"the value of header {name} in connection {http_conn_id}",
            None,
            "has a line break, a control character or a character outside Latin-1, which HTTP cannot send",
            "correct it in the connection's extra",
        )
    return value
