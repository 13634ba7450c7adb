"""Independent pieces of work side by side on a few threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["in_threads"]

T = TypeVar("T")


def in_threads(work: Callable[..., T], *arguments: Sequence[Any], workers: int) -> list[T]:
    """Return what ``work`` makes of each element, or of the elements of several sequences, in their order.

    :param workers: how many are worked on at once; with 1, all is done in the calling thread.
    :raises Exception: what the first of them raised, when all that was begun has ended.
    """
    count = len(arguments[0])
    if workers <= 1 or count <= 1:
        return [work(*each) for each in zip(*arguments, strict=True)]
    with ThreadPoolExecutor(min(workers, count), thread_name_prefix="kaltura") as pool:
        try:
            return list(pool.map(work, *arguments))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
