"""Batches by count and bytes: nothing is lost, nothing comes twice, and no run has more than Airflow can map."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.feeds.planning.batches import in_batches

MIB = 2**20
SIZES = st.one_of(st.none(), st.integers(0, 4096 * MIB))


@given(st.lists(SIZES, max_size=300), st.integers(1, 60), st.integers(1, 20))
def test_every_item_is_in_one_batch_and_there_are_never_too_many(sizes: list[int | None], size: int, most: int) -> None:
    batches = in_batches(list(enumerate(sizes)), size, maximum=most)
    assert sorted(item for batch in batches for item in batch) == list(range(len(sizes)))
    assert len(batches) <= most
    assert all(batches)


@given(st.lists(SIZES, max_size=300), st.integers(1, 60))
def test_a_batch_is_bounded_by_count_and_bytes(sizes: list[int | None], size: int) -> None:
    for batch in in_batches(list(enumerate(sizes)), size):
        assert len(batch) <= size
        if len(batch) > 1:
            held = [sizes[item] for item in batch]
            assert all(known is None or known < 256 * MIB for known in held)
            assert sum(known or 0 for known in held) <= 1024 * MIB


def test_a_hundred_thousand_items_are_a_thousand_batches_at_most() -> None:
    assert len(in_batches([(n, 100_000) for n in range(100_000)], 50)) <= 1000


def test_small_files_share_a_batch_and_the_large_one_begins_first() -> None:
    items = [("a", MIB), ("film", 5000 * MIB), ("b", MIB)]
    assert in_batches(items, 50) == [["film"], ["a", "b"]]
