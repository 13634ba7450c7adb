"""From whatever an HTTP library raised to one transport error, by the causes underneath it."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaTransportError, TransportFault
from kaltura_provider.api.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["transport_error"]

_WORDS = {
    TransportFault.DNS: "the host name {host} is unknown (DNS)",
    TransportFault.REFUSED: "{host} refuses the connection: is the port right and the server running?",
    TransportFault.TLS: "no secure connection to {host}",
    TransportFault.CONNECT: "no connection to {host}",
    TransportFault.TIMEOUT: "no answer from {host} in time",
    TransportFault.CUT: "the connection to {host} was cut before the answer was complete",
}


def transport_error(error: BaseException, host: str, *, connecting: bool) -> KalturaTransportError:
    """Return the transport error for ``error``.

    :param host: who was called, for the message (``host:port``).
    :param connecting: whether the library says that it failed before a connection stood.
    """
    causes = list(_causes(error))
    fault = _fault(causes, connecting)
    detail = _detail(causes) if fault in (TransportFault.TLS, TransportFault.CONNECT) else ""
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


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an error, what caused it, and the errors that libraries keep in ``args`` or ``reason`` instead."""
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
