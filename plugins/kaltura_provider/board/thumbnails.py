"""Thumbnails that Kaltura shows only to those with a session: read with a session for one entry and one minute."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import requests

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.delivery import thumbnail_url
from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.retry import NO_RETRY
from kaltura_provider.api.steps import Timeout
from kaltura_provider.hooks.kaltura import KalturaHook

__all__ = ["THUMBNAILS", "Picture", "Thumbnails"]

KEPT: Final = 600.0
"""Seconds for which a picture is shown without asking again."""

_MISSING_KEPT = 60.0
_MOST_KEPT = 200
_MOST_BYTES = 1024 * 1024
_WIDTH = 320
_LIFETIME = 60
_PATIENCE = 4.0
_AT_ONCE = 4
# Not SVG, which can hold scripts.
_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of at most 1 MB, and its media type."""

    content: bytes
    media_type: str


class Thumbnails:
    """Reads thumbnails, and remembers them for a while. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[float, Picture | None]] = OrderedDict()
        self._lock = threading.Lock()
        # A Kaltura that does not answer must not keep all threads of the API server busy.
        self._reading = threading.BoundedSemaphore(_AT_ONCE)

    def of(self, conn_id: str, entry_id: str) -> Picture | None:
        """Return the thumbnail of an entry; ``None`` if there is none, or if it cannot be read."""
        key = (conn_id, entry_id)
        kept = self._known(key)
        if kept is not None:
            return kept[1]
        if not self._reading.acquire(timeout=_PATIENCE):
            return None
        try:
            picture = _read(conn_id, entry_id)
        finally:
            self._reading.release()
        with self._lock:
            until = time.monotonic() + (KEPT if picture else _MISSING_KEPT)
            self._kept[key] = (until, picture)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return picture

    def forget(self) -> None:
        """Read everything again."""
        with self._lock:
            self._kept.clear()

    def _known(self, key: tuple[str, str]) -> tuple[float, Picture | None] | None:
        with self._lock:
            kept = self._kept.get(key)
            return kept if kept is not None and time.monotonic() < kept[0] else None


THUMBNAILS: Final = Thumbnails()
"""The thumbnails that this process has read."""


def _read(conn_id: str, entry_id: str) -> Picture | None:
    try:
        hook = KalturaHook(conn_id)
        account, ks = hook.account, _session(hook, entry_id)
        return _fetched(thumbnail_url(account.cdn_host, account.partner_id, entry_id, width=_WIDTH, ks=ks))
    except (KalturaError, requests.RequestException, ValueError, LookupError) as error:
        # The address in the text of such an error holds the session.
        log.info("The thumbnail of %s cannot be read through %s: %s", entry_id, conn_id, type(error).__name__)
    return None


def _session(hook: KalturaHook, entry_id: str) -> str:
    """Return a session that may see one entry for a minute, and nothing else.

    :raises KalturaConfigurationError: the connection cannot open sessions.
    """
    account = hook.account
    narrow = account.credentials.narrowed(f"sview:{entry_id}", _LIFETIME)
    patience = Timeout(_PATIENCE, _PATIENCE)
    with KalturaClient(account.service_url, narrow, observer=hook.observer, retry=NO_RETRY, timeout=patience) as client:
        return client.ks()


def _fetched(url: str) -> Picture | None:
    """Return the picture at an address; ``None`` if there is none. Follows no redirect."""
    deadline = time.monotonic() + 2 * _PATIENCE
    with closing(requests.get(url, stream=True, allow_redirects=False, timeout=_PATIENCE)) as reply:
        media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if reply.status_code != 200 or media_type not in _TYPES:
            return None
        content = bytearray()
        for part in reply.iter_content(64 * 1024):
            content += part
            if len(content) > _MOST_BYTES or time.monotonic() > deadline:
                return None
    return Picture(bytes(content), media_type) if content else None
