"""Items put together into batches, each of which is one mapped task."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT_SIZE", "in_batches", "most_batches"]

T = TypeVar("T")

DEFAULT_SIZE = 50
"""Items a batch: at 25, the tasks of 1,000 items cost Airflow more than the items do."""

_MOST_BATCHES = 1000
_LARGE = 256 * 2**20
_BYTES = 2**30
_UNKNOWN = 64 * 2**20


def most_batches() -> int:
    """Return how many batches a run may have: 1,000, or fewer where Airflow maps fewer (``core.max_map_length``)."""
    from airflow.sdk.configuration import conf

    return min(_MOST_BATCHES, int(conf.getint("core", "max_map_length")))


def in_batches(items: Sequence[tuple[T, int | None]], size: int, *, maximum: int = _MOST_BATCHES) -> list[list[T]]:
    """Return the items in batches, in their order, by count and bytes.

    Small files share a batch, up to 1 GiB together; a file of 256 MiB or more has its own, so that it keeps no other
    waiting. Batches become larger where there would otherwise be more than ``maximum``.

    :param items: each with its bytes, or ``None`` where they are not known (taken for 64 MiB).
    :param size: items of a batch at most.
    """
    room, large = _BYTES, _LARGE
    while len(batches := _packed(items, size, room, large)) > maximum:
        size, room, large = size * 2, room * 2, large * 2
    return batches


def _packed(items: Sequence[tuple[T, int | None]], size: int, room: int, large: int) -> list[list[T]]:
    alone: list[list[T]] = []
    shared: list[list[T]] = []
    held = 0
    for item, known in items:
        length = _UNKNOWN if known is None else known
        if length >= large:
            alone.append([item])
            continue
        if not shared or len(shared[-1]) >= size or held + length > room:
            shared.append([])
            held = 0
        shared[-1].append(item)
        held += length
    # The large ones take longest, so they begin first.
    return alone + shared
