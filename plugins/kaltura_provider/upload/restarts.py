"""Where an upload starts again after the server has lost the file of its token."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kaltura_provider.upload.errors import GoneReason, TokenGone, UploadCancelled
from kaltura_provider.upload.retrying import pause_after
from kaltura_provider.upload.silence import until_silent
from kaltura_provider.upload.token import look

if TYPE_CHECKING:
    import threading

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.settings import Patience

__all__ = ["CANNOT_RESUME", "Restarts"]

log = logging.getLogger("kaltura_provider.upload")

CANNOT_RESUME = "UPLOAD_TOKEN_CANNOT_RESUME"
"""The server's answer to a chunk of a token whose file it does not have."""

_MAXIMUM = 3


class Restarts:
    """Handles ``UPLOAD_TOKEN_CANNOT_RESUME``, up to three times.

    The first time, the token is believed. If it still shows bytes of a file that the server reports it does
    not have, only an opener with ``resume=false`` makes a new file. That discards whatever is there, so it is sent
    only when no other process has sent to the token for a while.

    :param own: no other process can be sending to this token.
    """

    def __init__(
        self, client: KalturaClient, token_id: str, patience: Patience, stop: threading.Event, *, own: bool
    ) -> None:
        self._client = client
        self._token_id = token_id
        self._patience = patience
        self._stop = stop
        self._own = own
        self._count = 0

    def state(self) -> UploadToken:
        """Return the token's state to start again from; nothing may be in flight.

        :raises TokenGone: it was lost too often.
        :raises TokenBusy: another process is sending to it.
        """
        self._count += 1
        lost = TokenGone(self._token_id, GoneReason.LOST)
        if self._count > _MAXIMUM:
            raise lost
        if self._stop.wait(pause_after(lost, self._count, self._patience.retry)):
            raise UploadCancelled("the upload was cancelled", self._token_id)
        state = look(self._client, self._token_id)
        log.warning("the server has no file of token %s, which shows %s bytes", self._token_id, state.uploaded)
        if self._count == 1 or state.filled or state.uploaded is None:
            return state
        if not self._own:
            latest = until_silent(self._client, self._token_id, state, self._patience, self._stop)
            if latest.filled or latest.uploaded != state.uploaded:
                return latest
        return replace(state, uploaded=None)
