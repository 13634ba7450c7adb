"""When an upload token holds its whole file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.waiting.conditions.verdict import Verdict

if TYPE_CHECKING:
    from kaltura_provider.waiting.snapshot import TokenSnapshot

__all__ = ["TokenFull"]

_FULL = (UploadTokenStatus.FULL_UPLOAD, UploadTokenStatus.CLOSED)
_WAITING = (UploadTokenStatus.PENDING, UploadTokenStatus.PARTIAL_UPLOAD)


@dataclass(frozen=True, slots=True)
class TokenFull:
    """Ready once the upload is finished (FULL_UPLOAD), or an entry has already taken the file over (CLOSED).

    :param grace: seconds that a token must be missing before it counts as nonexistent.
    """

    grace: float = 30.0

    def evaluate(self, snapshot: TokenSnapshot, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""
        status = snapshot.status
        if status in _FULL:
            return Verdict.ready(int(status))
        if status is None:
            if time_in_status < self.grace:
                return Verdict.waiting(f"Kaltura shows no upload token {snapshot.id}; checking again")
            return Verdict.failed(
                f"upload token {snapshot.id} does not exist: it was deleted, or Kaltura deleted it because the file's "
                "type is not allowed"
            )
        if status in _WAITING or not isinstance(status, UploadTokenStatus):
            return Verdict.waiting(f"upload token {snapshot.id} is {snapshot.describe}")
        return Verdict.failed(f"upload token {snapshot.id} is {snapshot.describe}; upload again with a new token")

    def hint(self, snapshot: TokenSnapshot) -> str:
        """Return the usual reason why a token does not fill, and what to do."""
        return f"{snapshot.progress} have arrived: look at the upload task. A partial upload can be resumed for 7 days."

    def patience(self, snapshot: TokenSnapshot) -> float:
        """Return the seconds without a new byte after which an upload counts as stuck."""
        return 1800.0
