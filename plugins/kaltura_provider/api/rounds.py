"""Work on many objects in rounds: every piece of work that is due takes a step, and the steps share requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.api.sharing import SharedCalls

__all__ = ["Clock", "Work", "in_rounds"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Clock(Protocol):
    """What :func:`in_rounds` needs of a clock."""

    def monotonic(self) -> float:
        """Seconds of a monotonic clock."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Work(Protocol[T_co]):
    """The work on one object, in steps that do not sleep."""

    @property
    def not_before(self) -> float:
        """When the next step is due (monotonic)."""

    def step(self) -> T_co | None:
        """Take a step; return the result once no more steps are needed, otherwise ``None``."""


def in_rounds(
    calls: SharedCalls, clock: Clock, works: Sequence[Work[T]], *, between: Callable[[], None] | None = None
) -> list[T]:
    """Return the result of each work, in order, after the last step of all.

    :param between: is called after each round, for what concerns several works.
    :raises Exception: an error of a step.
    """
    done: dict[int, T] = {}
    while waiting := [place for place in range(len(works)) if place not in done]:
        now = clock.monotonic()
        due = [place for place in waiting if works[place].not_before <= now]
        steps = calls.run(lambda work: work.step(), [works[place] for place in due]) if due else []
        for place, result in zip(due, steps, strict=True):
            if result is not None:
                done[place] = result
        if between is not None:
            between()
        left = [works[place].not_before for place in waiting if place not in done]
        if left and (pause := min(left) - clock.monotonic()) > 0:
            clock.sleep(pause)
    return [done[place] for place in range(len(works))]
