"""Watching a token that another process may be filling, until that one is done or silent."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.upload.errors import TokenBusy, UploadCancelled
from kaltura_provider.upload.token import TokenState, look

if TYPE_CHECKING:
    import threading

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.upload.settings import UploadSettings

__all__ = ["until_silent"]

log = logging.getLogger("kaltura_provider.upload")


def until_silent(
    client: KalturaClient, token_id: str, state: TokenState, settings: UploadSettings, stop: threading.Event
) -> TokenState:
    """Wait until a token has gained no bytes for ``busy_after`` seconds, or takes none any more; return its state.

    :param state: the token as it was last.
    :raises TokenBusy: it still gains bytes after ``busy_wait``.
    """
    log.info("token %s gained bytes lately; watching whether another process is sending", token_id)
    began = moved = time.monotonic()
    while (now := time.monotonic()) - moved < settings.busy_after:
        if now - began >= settings.busy_wait:
            raise TokenBusy("another process is sending to it; try again later", token_id)
        if stop.wait(settings.poll):
            raise UploadCancelled("it was told to stop", token_id)
        latest = look(client, token_id)
        if latest.status != UploadTokenStatus.PARTIAL_UPLOAD:
            return latest
        if (latest.updated_at, latest.front) != (state.updated_at, state.front):
            state, moved = latest, time.monotonic()
    log.info("token %s has been silent for %.0f s; taking it up", token_id, settings.busy_after)
    return state
