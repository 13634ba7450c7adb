"""How long the work on one item waits: for other processes, after server errors, and after two claims collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaltura_provider.api.errors import KalturaError
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["Backoff"]


class Backoff:
    """Knows when the next step is due, and when another step is no longer worth taking."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings, self._clock = settings, settings.clock
        self._deadline = self._clock.monotonic() + settings.claim_timeout
        self._trouble = 0
        self._met = 0
        self.not_before = 0.0

    @property
    def over(self) -> bool:
        """Whether the time for this item is used up."""
        return self._clock.monotonic() >= self._deadline

    def wait(self, seconds: float) -> None:
        """Make the next step due in ``seconds``."""
        self.not_before = self._clock.monotonic() + seconds

    def step_aside(self) -> None:
        """Wait for a random time because two claims collided: longer each time, up to half of ``grace``."""
        longest = min(self._settings.backoff * 2.0**self._met, max(self._settings.backoff, self._settings.grace / 2))
        self._met += 1
        self.wait(self._clock.uniform(0.1, 1.0) * longest)

    def worked(self) -> None:
        """Record that a step succeeded, so earlier server errors no longer count."""
        self._trouble = 0

    def bear(self, error: KalturaError) -> bool:
        """Record a server error. Return whether to take another step, which then waits."""
        self._trouble += 1
        if self._trouble >= self._settings.attempts or self.over:
            return False
        self.wait(self._settings.poll if error.ambiguous else self._settings.backoff)
        return True
