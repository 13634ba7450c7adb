"""Turn any error of an HTTP library into a transport error, by its causes."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaTransportError, TransportFault
from kaltura_provider.api.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["causes", "transport_error"]

_WORDS = {
    TransportFault.DNS: "the host name {host} is unknown (DNS)",
    TransportFault.REFUSED: "{host} refused the connection; check the port, and that the server is running",
    TransportFault.TLS: "cannot connect securely to {host}",
    TransportFault.CONNECT: "cannot connect to {host}",
    TransportFault.TIMEOUT: "{host} did not answer in time",
    TransportFault.CUT: "the connection to {host} was cut before the answer was complete",
}


def transport_error(error: BaseException, host: str, *, connecting: bool) -> KalturaTransportError:
    """Return the transport error for ``error``.

    :param host: ``host:port`` of the server, for the message.
    :param connecting: whether the library reports that it failed before it was connected.
    """
    found = list(causes(error))
    fault = _fault(found, connecting)
    detail = _detail(found) if fault in (TransportFault.TLS, TransportFault.CONNECT) else ""
    message = _WORDS[fault].format(host=host) + (f": {detail}" if detail else "")
    return KalturaTransportError(message, fault=fault)


def _fault(causes: list[BaseException], connecting: bool) -> TransportFault:
    if connecting:
        if _any(causes, socket.gaierror):
            return TransportFault.DNS
        if _any(causes, ConnectionRefusedError):
            return TransportFault.REFUSED
        if _any(causes, ssl.SSLError):
            return TransportFault.TLS
        return TransportFault.CONNECT
    return TransportFault.TIMEOUT if _any(causes, TimeoutError) else TransportFault.CUT


def _any(causes: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(cause, kind) for cause in causes)


def _detail(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return redact(cause.verify_message)
    deepest = causes[-1]
    return redact(str(getattr(deepest, "reason", None) or deepest)) or type(deepest).__name__


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its causes, and the errors that libraries keep in ``args`` or ``reason``."""
    seen: set[int] = set()
    queue: list[Any] = [error]
    while queue:
        found = queue.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        queue += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]
        queue += getattr(found, "exceptions", ())
