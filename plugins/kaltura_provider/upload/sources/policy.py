"""Which addresses a URL source may be read from, held up to the moment the connection is made."""

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

# Addresses that the standard library takes for public, and that lead inside all the same.
_INSIDE = {
    ipaddress.ip_network(network): reason
    for network, reason in {
        "168.63.129.16/32": "Azure's own services for a virtual machine",
        "192.0.0.192/32": "Oracle Cloud's metadata service",
        "fec0::/10": "site-local, the former private addresses",
        "::/96": "an IPv4 address in an abandoned IPv6 spelling",
        "::ffff:0:0:0/96": "an IPv4 address for a translator in this network",
        "64:ff9b:1::/48": "an IPv4 address for a translator in this network",
    }.items()
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_INTERNAL_NAMES = ("localhost", "localhost.localdomain", "metadata.google.internal", "metadata")


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """Which URLs may be read: ``http`` and ``https``, on addresses of the public internet.

    A DAG's author chooses the URL, but it is fetched from inside the deployment's network: without this, a form field
    would read the cloud's metadata service or an internal page into a media library.

    :param allowed_hosts: host names the deployment allows although their addresses are private; ``.example.com``
        allows every name below it. Compared as written in the URL, without regard to case.
    :param max_redirects: redirects that are followed; each target is checked like the first URL.
    :param allowed_by: where the deployment names its allowed hosts, for the error that asks for it.
    """

    allowed_hosts: frozenset[str] = frozenset()
    max_redirects: int = 5
    allowed_by: str = ""

    @classmethod
    def allowing(cls, hosts: Iterable[str], by: str = "") -> UrlPolicy:
        """Return a policy that also allows the named hosts; ``by`` is where they are named."""
        return cls(frozenset(host.strip().lower() for host in hosts if host.strip()), allowed_by=by)

    def allows_name(self, host: str) -> bool:
        """Whether the deployment allows this host whatever its address."""
        name = host.lower().rstrip(".")
        return any(name == entry or (entry[:1] == "." and name.endswith(entry)) for entry in self.allowed_hosts)

    def check_url(self, url: str) -> None:
        """Check what can be seen without a connection.

        :raises SourceRefused: the scheme, the host or its literal address is not allowed.
        """
        shown = printable_url(url)
        scheme, host = parse(url).scheme, host_of(url)
        if scheme not in ("http", "https"):
            raise SourceRefused(shown, f"its scheme is {scheme or 'missing'!r}; http and https can be read")
        if not host:
            raise SourceRefused(shown, "it names no host")
        if host.lower().rstrip(".") in _INTERNAL_NAMES and not self.allows_name(host):
            raise SourceRefused(shown, self._explain(host, "a name of this machine or its network"))
        with suppress(ValueError):  # a name; its addresses are checked when the connection is made
            self.check_address(host, host, shown)

    def check_address(self, host: str, address: str, shown: str = "") -> None:
        """Check one address of a host.

        :param shown: the URL as an error may show it; by default the host.
        :raises SourceRefused: it is private, link-local, loopback, a metadata service or otherwise not public.
        :raises ValueError: it is not an IP address.
        """
        ip = ipaddress.ip_address(address.partition("%")[0])
        reason = _inside(ip)
        if reason is not None and not self.allows_name(host):
            raise SourceRefused(shown or host, self._explain(host, f"{ip} ({reason})"))

    def check_host(self, host: str, port: int) -> None:
        """Check all addresses a name has now; failures to resolve it are left to the connection.

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
            f"it leads to {what}, which is not on the public internet. If that is wanted, the deployment has to allow "
            f"the host {host!r} by name{where}"
        )


def _inside(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    """Return why an address is not one of the public internet, ``None`` if it is."""
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
    """Return a session whose direct connections go only to addresses the policy allows.

    The address is checked before connecting and again on the connected socket, so that a name that changes its
    address in between gains nothing. Behind a proxy, the proxy makes the connections and has to have rules of its
    own. No cookies, no ``.netrc``. Redirects are left to the caller altogether.
    """

    class Guard:
        host: str
        port: int

        def _new_conn(self) -> socket.socket:
            policy.check_host(self.host, self.port)
            connection: socket.socket = super()._new_conn()  # type: ignore[misc]
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
            # Even a session that follows none takes a target apart, and reads all of the redirect's body.
            return None

    session = OneByOne()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter(pool_connections=4, pool_maxsize=pool_size))
    # An explicit, empty authentication keeps requests from looking into ~/.netrc.
    session.auth = _no_authentication
    return session


def _no_authentication(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
