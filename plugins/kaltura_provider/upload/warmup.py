"""Opening connections before they are needed, where opening one takes long."""

from __future__ import annotations

import contextlib
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.upload.settings import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_provider.api.client import KalturaClient

__all__ = ["LEAST_SIZE", "warming_up"]

LEAST_SIZE = 64 * MIB
"""Sources below this are sent before more connections than the first pay."""

_LONG = 0.01


@contextlib.contextmanager
def warming_up(client: KalturaClient, connections: int, size: int) -> Iterator[None]:
    """Open connections while the block waits for its answer, if that takes longer than on a short path.

    Each is opened by a ``system.ping``, which needs no session and does nothing. A new connection costs one to three
    round trips, and they pass beside those of the block and of the opener.
    """
    if size < LEAST_SIZE or connections < 1:
        yield
        return
    timer = threading.Timer(_LONG, _open, (client, connections))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _open(client: KalturaClient, connections: int) -> None:
    for _ in range(connections):
        threading.Thread(target=_ping, args=(client,), name="kaltura-upload-warm-up", daemon=True).start()


def _ping(client: KalturaClient) -> None:
    with suppress(KalturaError):  # whoever needs the connection will see what is wrong with it
        client.call("system", "ping", {})
