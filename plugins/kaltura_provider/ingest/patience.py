"""How long one asset's work waits: for others, for a server in trouble, and after two claims have met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaltura_provider.api.errors import KalturaError
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["Patience"]


class Patience:
    """Keeps when the next step is due, and says when it is not worth taking another."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings, self._clock = settings, settings.clock
        self._deadline = self._clock.monotonic() + settings.claim_timeout
        self._trouble = 0
        self._met = 0
        self.not_before = 0.0

    @property
    def due(self) -> bool:
        """Whether the next step may be taken."""
        return self._clock.monotonic() >= self.not_before

    @property
    def over(self) -> bool:
        """Whether the time for one asset is used up."""
        return self._clock.monotonic() >= self._deadline

    def wait(self, seconds: float) -> None:
        """Let the next step be due after ``seconds``."""
        self.not_before = self._clock.monotonic() + seconds

    def step_aside(self) -> None:
        """Wait at random, since two claims have met; the more often they did, the longer, up to half the grace."""
        longest = min(self._settings.backoff * 2.0**self._met, max(self._settings.backoff, self._settings.grace / 2))
        self._met += 1
        self.wait(self._clock.uniform(0.1, 1.0) * longest)

    def worked(self) -> None:
        """Note that a step went well: the trouble before it is over."""
        self._trouble = 0

    def bear(self, error: KalturaError) -> bool:
        """Note trouble of the server; wait and return whether another step is worth taking."""
        self._trouble += 1
        if self._trouble >= self._settings.attempts or self.over:
            return False
        self.wait(self._settings.poll if error.ambiguous else self._settings.backoff)
        return True
