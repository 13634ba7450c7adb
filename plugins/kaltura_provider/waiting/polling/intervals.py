"""How often to poll: less often for older waits, later after errors, and with jitter."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT_INTERVALS", "Intervals", "backoff", "jittered"]

DEFAULT_INTERVALS: Final = ((0.0, 5.0), (60.0, 10.0), (600.0, 30.0), (3600.0, 60.0))
"""Pairs of age and interval, in seconds: every 5 s in the first minute, then 10 s, 30 s, after an hour 60 s."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """The interval between two polls, by the age of the wait.

    :param intervals: pairs (from age, interval) in seconds, ages ascending from 0.
    :raises ValueError: a pair is not valid; the message names it.
    """

    intervals: Sequence[Sequence[float]] = DEFAULT_INTERVALS

    def __post_init__(self) -> None:
        steps = tuple((float(age), float(seconds)) for age, seconds in self.intervals)
        if not steps or steps[0][0] != 0:
            raise ValueError(f"intervals {steps} do not begin with age 0; give pairs (from age, seconds) from age 0")
        if any(later <= earlier for (earlier, _), (later, _) in pairwise(steps)):
            raise ValueError(f"intervals {steps} are not in ascending order of age; sort the pairs")
        if any(seconds <= 0 for _, seconds in steps):
            raise ValueError(f"intervals {steps} contain an interval that is not positive; give seconds above 0")
        object.__setattr__(self, "intervals", steps)

    @classmethod
    def fixed(cls, seconds: float) -> Intervals:
        """Poll every ``seconds``, whatever the age."""
        return cls(((0.0, seconds),))

    def interval(self, age: float) -> float:
        """Return the seconds until the next poll of a wait that began ``age`` seconds ago."""
        return next(seconds for since, seconds in reversed(self.intervals) if since <= max(age, 0.0))


FIRST_HOLD: Final = 5.0
"""Seconds for which the first of several failed polls pauses all waits of a connection; they double up to a minute."""
LONGEST_HOLD: Final = 300.0
"""Maximum seconds for which one ``Retry-After`` pauses all waits of a connection."""


def jittered(seconds: float, rand: float) -> float:
    """Return ``seconds``, more or less by up to a tenth; ``rand`` is a random number from 0 to 1."""
    return seconds * (0.9 + 0.2 * rand)


def backoff(failures: int, retry_after: float | None, rand: float) -> float:
    """Return the pause in seconds after consecutive failed polls: :data:`FIRST_HOLD`, doubling up to 60 s, with jitter.

    :param retry_after: the seconds the server asked for; they count up to :data:`LONGEST_HOLD`.
    """
    wait = min(60.0, FIRST_HOLD * 2.0 ** min(failures - 1, 10))
    return max(jittered(wait, rand), min(retry_after or 0.0, LONGEST_HOLD))
