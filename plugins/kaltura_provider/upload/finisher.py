"""The last request of an upload. It may take the server long, and its outcome is looked up, never guessed."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaAPIError, KalturaError, KalturaTransportError
from kaltura_provider.upload.errors import FinalRefused, GoneReason, TokenGone, UploadCancelled
from kaltura_provider.upload.retrying import is_transient, pause_after
from kaltura_provider.upload.sources.errors import SourceUnavailable
from kaltura_provider.upload.token import look

if TYPE_CHECKING:
    import threading

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.chunk_plan import Chunk
    from kaltura_provider.upload.sender import ChunkSender, Outcome
    from kaltura_provider.upload.settings import Patience

__all__ = ["Finisher"]

# After these errors, the token shows what is missing. Sending that and repeating the final chunk helps.
_LOOK_AGAIN = frozenset({"UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE", "UPLOAD_TOKEN_CANNOT_RESUME"})
# An earlier final request may have worked, or may still be running.
_PERHAPS_DONE = frozenset({"UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD"})


class Finisher:
    """Sends the final chunk, or the only one, and finds out whether it arrived.

    :param stop: when set, waiting breaks off.
    """

    def __init__(
        self,
        client: KalturaClient,
        sender: ChunkSender,
        token_id: str,
        patience: Patience,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._sender = sender
        self._token_id = token_id
        self._patience = patience
        self._stop = stop

    def finish(self, chunk: Chunk) -> Outcome:
        """Send a final chunk until the token's state is known; the outcome holds it.

        The state is full, or says what the server lacks. An outcome with an ``error`` was not answered, but the token
        was found full.

        :raises TokenGone: the server deleted the token.
        :raises FinalRefused: it was not finished after ``final_attempts`` requests.
        :raises KalturaError: the server refused, or could not be reached.
        :raises SourceError: a single chunk's bytes could not be read.
        """
        for attempt in range(1, self._patience.final_attempts + 1):
            outcome = self._sender.begin(chunk)
            try:
                outcome.state = self._sender.send(outcome)
                return outcome
            except (KalturaError, SourceUnavailable) as error:
                outcome.error = error
            outcome.state = self._judge(outcome, outcome.error)
            if outcome.state is not None:
                return outcome
            if attempt < self._patience.final_attempts:
                self._pause(pause_after(outcome.error, attempt, self._patience.retry))
        if isinstance(outcome.error, KalturaTransportError):
            raise outcome.error
        raise FinalRefused(f"it was not finished: {outcome.error}", self._token_id) from outcome.error

    def _judge(self, outcome: Outcome, error: Exception) -> UploadToken | None:
        """Return the token's state if it decides what to do, ``None`` if the request has to be repeated."""
        code = error.code if isinstance(error, KalturaAPIError) else ""
        if code in _LOOK_AGAIN:
            return look(self._client, self._token_id)
        if code in _PERHAPS_DONE:
            return self._watch(outcome, self._patience.final_poll)
        if isinstance(error, KalturaError) and error.ambiguous:
            return self._watch(outcome, self._may_run_on(outcome, error))
        if not is_transient(error, renewable=self._client.credentials.renewable):
            raise error
        if outcome.chunk.length and isinstance(error, KalturaAPIError):
            with suppress(KalturaError):  # the repeated request will show it
                self._look()
        return None

    def _may_run_on(self, outcome: Outcome, error: KalturaError) -> float:
        """Return for how many seconds the server may still be working on a request that failed ambiguously."""
        if not outcome.chunk.length:
            return self._patience.final_poll
        # It stores a source only after its last byte, and when it has answered it is done.
        if isinstance(error, KalturaAPIError) or not outcome.complete:
            return 0.0
        return self._patience.single_poll

    def _watch(self, outcome: Outcome, seconds: float) -> UploadToken | None:
        """Watch the token: the request may still be running although its connection is gone.

        :param seconds: how long; 0 for a single look.
        """
        deadline = time.monotonic() + seconds
        single = outcome.chunk.length > 0
        while True:
            with suppress(KalturaError):
                state = self._look()
                if state.filled or (single and state.uploaded is not None):
                    return state
            if time.monotonic() >= deadline:
                return None
            self._pause(min(self._patience.poll, max(0.0, deadline - time.monotonic())))

    def _look(self) -> UploadToken:
        """Ask for the token.

        :raises TokenGone: it was deleted. The reason is never that the server refused the type of the file: another
            process may have deleted it, and a new token shows a refusal again.
        """
        try:
            return look(self._client, self._token_id)
        except TokenGone as error:
            reason = GoneReason.FAILED if error.reason is GoneReason.DELETED else error.reason
            raise TokenGone(self._token_id, reason) from error

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise UploadCancelled("the upload was cancelled", self._token_id)
