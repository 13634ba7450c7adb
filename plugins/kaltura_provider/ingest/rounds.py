"""Works on many items in rounds: every item that is due takes a step, and the steps share requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.api.sharing import SharedCalls
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.settings import Clock

__all__ = ["in_rounds"]


class Work(Protocol):
    """The work on one item, in steps that do not sleep."""

    @property
    def not_before(self) -> float:
        """When the next step is due (monotonic)."""

    def step(self) -> ItemRef | None:
        """Take a step; return the reference once no more steps are needed, otherwise ``None``."""


W = TypeVar("W", bound=Work)


def in_rounds(
    calls: SharedCalls,
    clock: Clock,
    works: Sequence[W],
    step: Callable[[W], ItemRef | None] | None = None,
    *,
    between: Callable[[], None] | None = None,
) -> list[ItemRef]:
    """Return the reference of each work, in order, after the last step of all.

    :param step: how to take a step, if not by the work's own ``step``.
    :param between: is called after each round, for what concerns several works.
    :raises Exception: an error of a step.
    """
    take = step or (lambda work: work.step())
    done: dict[int, ItemRef] = {}
    while waiting := [place for place in range(len(works)) if place not in done]:
        now = clock.monotonic()
        due = [place for place in waiting if works[place].not_before <= now]
        for place, ref in zip(due, calls.run(take, [works[place] for place in due]) if due else (), strict=True):
            if ref is not None:
                done[place] = ref
        if between is not None:
            between()
        left = [works[place].not_before for place in waiting if place not in done]
        if left and (pause := min(left) - clock.monotonic()) > 0:
            clock.sleep(pause)
    return [done[place] for place in range(len(works))]
