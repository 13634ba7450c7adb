"""Decide which servers a URL source may be read from, and enforce it when the connection is made."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kaltura_provider.upload.sources.address import host_of, parse, printable_url
from kaltura_provider.upload.sources.errors import SourceRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["UrlPolicy", "guarded_session"]

# Addresses that the standard library considers public, but that lead into a private network.
_INSIDE = {
    ipaddress.ip_network(network): reason
    for network, reason in {
        "168.63.129.16/32": "Azure's own services for a virtual machine",
        "192.0.0.192/32": "Oracle Cloud's metadata service",
        "fec0::/10": "site-local, the former private addresses",
        "::/96": "an IPv4 address in a deprecated IPv6 notation",
        "::ffff:0:0:0/96": "an IPv4 address for a translator in this network",
        "64:ff9b:1::/48": "an IPv4 address for a translator in this network",
    }.items()
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_INTERNAL_NAMES = ("localhost", "localhost.localdomain", "metadata.google.internal", "metadata")


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """Which URLs may be read: ``http`` and ``https``, on the public internet.

    Workers fetch URLs from inside the deployment's network. Without this policy, anybody who may fill in a form could
    bring the cloud's metadata or an internal page into the media library.

    :param allowed_hosts: host names that the deployment allows even if their addresses are private; ``.example.com``
        allows every name below it. They are compared with the host in the URL, ignoring case.
    :param max_redirects: the number of redirects to follow. Each target is checked like the first URL.
    :param allowed_by: where the deployment lists its allowed hosts, for error messages.
    """

    allowed_hosts: frozenset[str] = frozenset()
    max_redirects: int = 5
    allowed_by: str = ""

    @classmethod
    def allowing(cls, hosts: Iterable[str], by: str = "") -> UrlPolicy:
        """Return a policy that also allows these hosts; ``by`` is where the deployment lists them."""
        return cls(frozenset(host.strip().lower() for host in hosts if host.strip()), allowed_by=by)

    def allows_name(self, host: str) -> bool:
        """Return whether the deployment allows this host with any address."""
        name = host.lower().rstrip(".")
        return any(name == entry or (entry[:1] == "." and name.endswith(entry)) for entry in self.allowed_hosts)

    def check_url(self, url: str) -> None:
        """Check a URL as far as possible without a connection.

        :raises SourceRefused: the scheme, the host or its literal address is not allowed.
        """
        shown = printable_url(url)
        scheme, host = parse(url).scheme, host_of(url)
        if scheme not in ("http", "https"):
            raise SourceRefused(shown, f"its scheme is {scheme or 'missing'!r}; give an http or https URL")
        if not host:
            raise SourceRefused(shown, "it has no host; give https://host/path")
        if host.lower().rstrip(".") in _INTERNAL_NAMES and not self.allows_name(host):
            raise SourceRefused(shown, self._explain(host, "a name of this machine or its network"))
        with suppress(ValueError):  # a name; its addresses are checked when the connection is made
            self.check_address(host, host, shown)

    def check_address(self, host: str, address: str, shown: str = "") -> None:
        """Check one address of a host.

        :param shown: the URL as an error may show it; by default the host.
        :raises SourceRefused: the address is not public: private, link-local, loopback, a metadata service or similar.
        :raises ValueError: the text is not an IP address.
        """
        ip = ipaddress.ip_address(address.partition("%")[0])
        reason = _inside(ip)
        if reason is not None and not self.allows_name(host):
            raise SourceRefused(shown or host, self._explain(host, f"{ip} ({reason})"))

    def check_host(self, host: str, port: int) -> None:
        """Check all addresses that a name currently has. If it cannot be resolved, the connection will report it.

        :raises SourceRefused: one of them is not public.
        """
        if self.allows_name(host):
            return
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            return
        for *_, where in found:
            self.check_address(host, str(where[0]))

    def _explain(self, host: str, what: str) -> str:
        where = f" ({self.allowed_by})" if self.allowed_by else ""
        return (
            f"it leads to {what}, which is not on the public internet; to allow it, add the host {host!r} to the hosts "
            f"that this deployment allows{where}"
        )


def _inside(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    """Return why an address is not public, or ``None`` if it is."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _inside(inner)
    for network, reason in _INSIDE.items():
        if ip in network:
            return reason
    return None if ip.is_global and not ip.is_multicast else "private, local or reserved"


def guarded_session(policy: UrlPolicy, pool_size: int = 16) -> requests.Session:
    """Return a session whose direct connections only go to addresses that the policy allows.

    The address is checked before connecting and again on the connected socket, in case a name changes its address in
    between. With a proxy, the proxy makes the connections and needs rules of its own. The session uses no cookies and
    no ``.netrc``, and leaves redirects to the caller.
    """

    class Guard:
        host: str
        port: int

        def _new_conn(self) -> socket.socket:
            policy.check_host(self.host, self.port)
            connection: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the class it is mixed into
            try:
                policy.check_address(self.host, connection.getpeername()[0])
            except SourceRefused:
                connection.close()
                raise
            return connection

    class PlainConnection(Guard, HTTPConnection):
        pass

    class TlsConnection(Guard, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    class OneByOne(requests.Session):
        def get_redirect_target(self, _: requests.Response) -> None:
            # Even if it does not follow redirects, requests parses their target and reads their whole body.
            return None

    session = OneByOne()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter(pool_connections=4, pool_maxsize=pool_size))
    # An explicit, empty authentication keeps requests from looking into ~/.netrc.
    session.auth = _no_authentication
    return session


def _no_authentication(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
