"""The last request of an upload: it may take the server long, and whether it worked is asked, never guessed."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaAPIError, KalturaError, KalturaTransportError
from kaltura_provider.upload.errors import FinalRefused, GoneReason, TokenGone, UploadCancelled
from kaltura_provider.upload.retrying import passing
from kaltura_provider.upload.sources.errors import SourceUnavailable
from kaltura_provider.upload.token import TokenState, look

if TYPE_CHECKING:
    import threading

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.upload.plan import Chunk
    from kaltura_provider.upload.sender import ChunkSender, Outcome
    from kaltura_provider.upload.settings import UploadSettings

__all__ = ["Finisher"]

# After these the token tells what is missing; sending that and repeating the final chunk helps.
_LOOK_AGAIN = frozenset({"UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE", "UPLOAD_TOKEN_CANNOT_RESUME"})
# An earlier final request may have worked, or be at work still.
_PERHAPS_DONE = frozenset({"UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD"})


class Finisher:
    """Sends the final chunk, or the single one, and finds out what became of it.

    :param stop: when set, waiting breaks off.
    """

    def __init__(
        self,
        client: KalturaClient,
        sender: ChunkSender,
        token_id: str,
        settings: UploadSettings,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._sender = sender
        self._token_id = token_id
        self._settings = settings
        self._stop = stop

    def finish(self, chunk: Chunk) -> Outcome:
        """Send a final chunk until the token's state is known; it is in the outcome.

        The state is full, or says what the server lacks. An outcome whose ``error`` is set was not answered, but
        the token was found full.

        :raises TokenGone: the server deleted the token.
        :raises FinalRefused: it was not finished after ``final_attempts`` requests.
        :raises KalturaError: the server refused, or could not be reached.
        :raises SourceError: a single chunk's bytes could not be read.
        """
        retry = self._settings.retry
        for attempt in range(1, self._settings.final_attempts + 1):
            outcome = self._sender.begin(chunk)
            try:
                outcome.state = self._sender.send(outcome)
                return outcome
            except (KalturaError, SourceUnavailable) as error:
                outcome.error = error
            outcome.state = self._judge(outcome, outcome.error)
            if outcome.state is not None:
                return outcome
            if attempt < self._settings.final_attempts:
                self._pause(retry.delay(1, getattr(outcome.error, "retry_after", None)) or 0.0)
        if isinstance(outcome.error, KalturaTransportError):
            raise outcome.error
        raise FinalRefused(f"it was not finished: {outcome.error}", self._token_id) from outcome.error

    def _judge(self, outcome: Outcome, error: Exception) -> TokenState | None:
        """Return the token's state if it decides what to do, ``None`` if the request is to be repeated."""
        single = outcome.chunk.length > 0
        code = error.code if isinstance(error, KalturaAPIError) else ""
        if code in _LOOK_AGAIN:
            return look(self._client, self._token_id)
        if code in _PERHAPS_DONE or (isinstance(error, KalturaError) and error.ambiguous):
            return self._watch(outcome, single=single)
        if not passing(error, renewable=self._client.credentials.renewable):
            raise error
        if single and isinstance(error, KalturaAPIError):
            self._check_alive()
        return None

    def _watch(self, outcome: Outcome, *, single: bool) -> TokenState | None:
        """Watch the token for a while: the request may still be at work although its connection is gone."""
        deadline = time.monotonic() + self._settings.final_poll
        while True:
            with suppress(KalturaError):
                state = self._still_there(outcome)
                if state.full or (single and state.front is not None):
                    return state
            if time.monotonic() >= deadline:
                return None
            self._pause(min(self._settings.poll, max(0.0, deadline - time.monotonic())))

    def _still_there(self, outcome: Outcome) -> TokenState:
        try:
            return look(self._client, self._token_id)
        except TokenGone as error:
            # It was there when its bytes came: this request's check of the file's type has deleted it. A single request
            # that was cut came to no such check; the server could not store it.
            deleted = GoneReason.REFUSED if outcome.complete else GoneReason.FAILED
            raise TokenGone(self._token_id, _reason(error, deleted)) from error

    def _check_alive(self) -> None:
        try:
            look(self._client, self._token_id)
        except TokenGone as error:
            raise TokenGone(self._token_id, _reason(error, GoneReason.FAILED)) from error
        except KalturaError:
            return  # the repeated request will tell

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise UploadCancelled("it was told to stop", self._token_id)


def _reason(error: TokenGone, deleted_means: GoneReason) -> GoneReason:
    return deleted_means if error.reason is GoneReason.DELETED else error.reason
