"""Groups items into batches. Each batch is one mapped task."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BULK_FACTOR", "DEFAULT_SIZE", "in_batches", "most_batches"]

T = TypeVar("T")

DEFAULT_SIZE = 50
"""Items per batch. With 25, the tasks of 1,000 items cost Airflow more than the items do."""

BULK_FACTOR = 10
"""How many times as many items a batch holds that comes as one bulk upload. Kaltura advises 500 rows."""

_MOST_BATCHES = 1000
_LARGE = 256 * 2**20
_BYTES = 2**30
_UNKNOWN = 64 * 2**20


def most_batches() -> int:
    """Return the most batches of a run: 1,000, or ``[core] max_map_length`` if that is lower."""
    from airflow.sdk.configuration import conf

    return min(_MOST_BATCHES, int(conf.getint("core", "max_map_length")))


def in_batches(items: Sequence[tuple[T, int | None]], size: int, *, maximum: int = _MOST_BATCHES) -> list[list[T]]:
    """Group items into batches by count and bytes, in order.

    Small files share a batch of up to 1 GiB. A file of 256 MiB or more gets its own batch, so it does not delay others.
    Batches grow if there would be more than ``maximum``.

    :param items: each item with its size in bytes, or ``None`` if unknown (counted as 64 MiB).
    :param size: the most items in a batch.
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
    # Large files take longest, so they start first.
    return alone + shared
