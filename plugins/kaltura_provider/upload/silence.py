"""Watches a token that another process may be filling, until that process is done or silent."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.upload.errors import TokenBusy, UploadCancelled
from kaltura_provider.upload.token import look

if TYPE_CHECKING:
    import threading

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.settings import Patience

__all__ = ["until_silent"]

log = logging.getLogger("kaltura_provider.upload")


def until_silent(
    client: KalturaClient, token_id: str, state: UploadToken, patience: Patience, stop: threading.Event
) -> UploadToken:
    """Wait until a token has gained no bytes for ``busy_after`` seconds, or takes no more; return its state.

    :param state: the token's last known state.
    :raises TokenBusy: it still gains bytes after ``busy_wait``.
    """
    log.info("token %s gained bytes recently; watching whether another process is sending", token_id)
    began = moved = time.monotonic()
    while (now := time.monotonic()) - moved < patience.busy_after:
        if now - began >= patience.busy_wait:
            raise TokenBusy("another process is sending to it; try again later", token_id)
        if stop.wait(patience.poll):
            raise UploadCancelled("the upload was cancelled", token_id)
        latest = look(client, token_id)
        if latest.status != UploadTokenStatus.PARTIAL_UPLOAD:
            return latest
        if (latest.updated_at, latest.uploaded) != (state.updated_at, state.uploaded):
            state, moved = latest, time.monotonic()
    log.info("token %s has been silent for %.0f s; continuing its upload", token_id, patience.busy_after)
    return state
