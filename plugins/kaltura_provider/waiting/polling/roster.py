"""The waits of one connection, and which of them are due together so that one call serves many."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kaltura_provider.waiting.polling.intervals import Intervals, backoff, jittered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kaltura_provider.waiting.conditions.verdict import Condition
    from kaltura_provider.waiting.watch import Watch

__all__ = ["Member", "Roster"]

FIRST_LOOK: Final = 1.0
"""Seconds from joining to the first poll, so that waits that start at the same time share it."""
MAX_BRAKE: Final = 8.0
"""Maximum factor by which all intervals grow while Kaltura refuses calls."""


@dataclass(eq=False, slots=True)
class Member:
    """One wait of the roster; ``began`` and ``next_at`` are in seconds of the roster's clock."""

    watch: Watch
    pace: Intervals
    began: float
    next_at: float


class Roster:
    """The waits of one connection and kind, and when each is polled next.

    Times are in seconds of one monotonic clock. A round takes every wait that is due, and those that become due before
    the fastest wait is due again. They need no extra call, and are due together with the others from then on.
    """

    def __init__(self, rand: Callable[[], float] = random.random) -> None:
        self.members: dict[Member, None] = {}
        self.joined = asyncio.Event()
        self._rand = rand
        self._brake = 1.0
        self._failures = 0
        self._hold_until = 0.0
        self._last_round = float("-inf")
        # Kept rather than computed on every join: ten thousand waits may join at once.
        self._fastest = float("inf")
        self._next: float | None = float("inf")

    def join(self, watch: Watch, pace: Intervals, began: float, now: float) -> Member:
        """Add a wait that ``began`` some time ago; it is polled soon, together with others that join now."""
        self._fastest = min(pace.interval(now - began), self._fastest)
        first = max(now + FIRST_LOOK, self._last_round + self._fastest / 2)
        member = Member(watch, pace, began, min(first, now + self._fastest))
        self.members[member] = None
        if self._next is not None:
            self._next = min(self._next, member.next_at)
        self.joined.set()
        return member

    def leave(self, member: Member) -> None:
        """Remove a wait; does nothing if it has left already."""
        self.members.pop(member, None)
        self._next = None

    def next_round(self) -> float:
        """Return when the next round is due, or infinity without waits."""
        if self._next is None:
            self._next = min((member.next_at for member in self.members), default=float("inf"))
        return max(self._next, self._hold_until)

    def take(self, now: float) -> list[Member]:
        """Begin a round: return its waits and schedule their next poll."""
        paces = (member.pace.interval(now - member.began) for member in self.members)
        self._fastest = min(paces, default=float("inf"))
        horizon = now + self._fastest * self._brake
        round_ = [member for member in self.members if member.next_at < horizon]
        spread = self._rand()
        for member in round_:
            interval = member.pace.interval(now - member.began) * self._brake
            member.next_at = now + jittered(interval, spread)
        self._last_round = now
        self._next = None
        return round_

    def wanted(self, round_: Iterable[Member]) -> dict[str, list[Condition[Any]]]:
        """Return the ids that these waits need, each with its conditions."""
        wanted: defaultdict[str, list[Condition[Any]]] = defaultdict(list)
        for member in round_:
            for object_id in member.watch.pending:
                wanted[object_id].append(member.watch.condition)
        return dict(wanted)

    def succeeded(self) -> None:
        """Record a successful round."""
        self._failures = 0
        self._brake = max(1.0, self._brake * 0.7)

    def failed(self, now: float, *, refused: bool, retry_after: float | None = None) -> None:
        """Record a failed round: all waits are polled later.

        :param refused: Kaltura refused the number of calls, so the intervals of all waits grow too.
        :param retry_after: the seconds that Kaltura asked to wait.
        """
        self._failures += 1
        if refused:
            self._brake = min(MAX_BRAKE, self._brake * 2)
        self._hold_until = now + backoff(self._failures, retry_after, self._rand())

    def again(self, round_: Iterable[Member]) -> None:
        """Poll these waits as soon as calls may be made again, because their round was not completed."""
        for member in round_:
            member.next_at = min(member.next_at, self._hold_until)
        self._next = None
