"""A ``requests`` session for API calls: one pool, no cookies, and a send timeout fit for slow links."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kaltura_provider.api.transport_faults import causes

if TYPE_CHECKING:
    from urllib3 import PoolManager

__all__ = ["failed_while_connecting", "http_session"]

# While it sends a request, urllib3 keeps the connect timeout on the socket, and Python applies it to a whole window
# of data. A slow link would exceed it without stalling.
_SEND_TIMEOUT = 60.0
_MARK = "failed_while_connecting"


def http_session(pool_size: int) -> requests.Session:
    """Return a session that keeps up to ``pool_size`` connections and never repeats a request."""
    session = requests.Session()
    # Keep no state between calls: each call carries its Kaltura session.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=4, pool_maxsize=pool_size)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def failed_while_connecting(error: BaseException | None) -> bool:
    """Return whether ``error`` occurred before a connection was made, so that nothing was sent."""
    return error is not None and any(getattr(cause, _MARK, False) for cause in causes(error))


class _Connecting(HTTPConnection):
    """Marks errors that occur while connecting, including TLS errors."""

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            setattr(error, _MARK, True)
            raise
        if self.sock is not None:
            self.sock.settimeout(max(_SEND_TIMEOUT, self.sock.gettimeout() or 0.0))


class _Connection(_Connecting):
    pass


class _SecureConnection(_Connecting, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_own_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            _use_own_pools(manager)
        return manager

    def close(self) -> None:
        # A dropped pool closes its connections when it is collected, which can be late after an error.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 - not a mapping one can iterate
                manager.pools[key].close()
        super().close()


def _use_own_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
