"""How long to wait before the next attempt, and when to give up."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NO_RETRY", "RetrySettings"]


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Exponential backoff with full jitter, limited by a number of attempts and a total time.

    After the n-th failure the wait is a random number of seconds between 0 and ``min(cap, base * 2**(n-1))``.
    If the server sends ``Retry-After``, the wait is at least as long. ``budget`` limits the seconds between the start
    of the first attempt and the start of the last one. ``attempts`` counts all attempts, including the first.
    """

    attempts: int = 5
    base: float = 1.0
    cap: float = 30.0
    budget: float = 120.0
    rand: Callable[[], float] = field(default=random.random, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise KalturaConfigurationError("attempts", self.attempts, "is too small", "give 1 or more")
        for name in ("base", "cap", "budget"):
            value = getattr(self, name)
            if value < 0:
                raise KalturaConfigurationError(name, value, "is negative", "give 0 seconds or more")

    def delay(self, attempt: int, retry_after: float | None = None, elapsed: float = 0.0) -> float | None:
        """Return the seconds to wait after the failed ``attempt`` (from 1), or ``None`` to give up.

        :param retry_after: the minimum seconds to wait that the server asked for, if any.
        :param elapsed: seconds since the first attempt began.
        """
        if attempt >= self.attempts:
            return None
        # 2**62 seconds is beyond every cap; larger exponents overflow a float.
        wait = self.rand() * min(self.cap, self.base * 2 ** min(attempt - 1, 62))
        if retry_after is not None:
            # Add jitter: clients that the server sent away together would otherwise return together.
            wait = retry_after + min(wait, self.base)
        return wait if elapsed + wait <= self.budget else None


NO_RETRY = RetrySettings(attempts=1)
"""A single attempt, for callers that handle every failure themselves."""
