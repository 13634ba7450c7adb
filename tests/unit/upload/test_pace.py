"""The controller of parallelism and chunk size, driven by simulated links."""

from __future__ import annotations

import dataclasses

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.upload.chunk_plan import max_bytes
from kaltura_provider.upload.pace import Pace
from kaltura_provider.upload.settings import UploadSettings, memory_bound

MIB = 1 << 20


def drive(pace: Pace, chunks: int, link: float, fixed: float, per_connection: float = float("inf")) -> float:
    """Send chunks over a link of so many bytes a second, each chunk costing ``fixed`` seconds besides."""
    now = 0.0
    pace.opened(fixed)
    for _ in range(chunks):
        share = min(link / pace.parallelism, per_connection)
        seconds = pace.chunk_size / share + fixed
        now += seconds / pace.parallelism
        pace.arrived(pace.chunk_size, seconds, fixed)
    return now


def test_chunks_grow_while_their_fixed_cost_is_above_five_percent() -> None:
    pace = Pace(UploadSettings())
    drive(pace, 60, link=50e6, fixed=0.2)
    # 8 connections share 50 MB/s: 40 MiB take 6.7 s, 0.2 s of them fixed.
    assert 20 * MIB <= pace.chunk_size <= 50_000_000
    near = Pace(UploadSettings())
    near.opened(0.002)
    assert near.chunk_size == 50_000_000
    slow = Pace(UploadSettings())
    drive(slow, 60, link=1e6, fixed=0.2)
    assert slow.chunk_size == 10 * MIB


def test_a_deep_socket_buffer_does_not_look_like_a_fixed_cost() -> None:
    pace = Pace(UploadSettings())
    pace.opened(0.05)
    for _ in range(40):
        pace.arrived(10 * MIB, 40.0, 12.0)  # most of the wait is the buffer running empty
    assert pace.chunk_size == 10 * MIB


@pytest.mark.parametrize(("opener", "expected"), [(0.002, 2), (0.02, 8), (0.12, 8)])
def test_first_parallelism_follows_the_path(opener: float, expected: int) -> None:
    pace = Pace(UploadSettings())
    pace.opened(opener)
    assert pace.parallelism == expected


def test_connections_lost_to_a_failure_are_won_back_and_no_more() -> None:
    pace = Pace(UploadSettings())
    pace.opened(0.1)
    pace.failed(started=5.0, now=10.0)
    assert pace.parallelism == 4
    for _ in range(8 + 10 + 12 + 14):
        assert pace.parallelism < 8
        pace.arrived(10 * MIB, 1.0, 0.1)
    assert pace.parallelism == 8
    for _ in range(100):
        pace.arrived(10 * MIB, 1.0, 0.1)
    assert pace.parallelism == 8
    short = Pace(UploadSettings())
    short.opened(0.001)
    for _ in range(100):
        short.arrived(10 * MIB, 1.0, 0.001)
    assert short.parallelism == 2


@pytest.mark.parametrize(
    ("size", "smallest", "first"), [(100_000_000, 5 * MIB, 10 * MIB), (100_000_001, 10_000_000, 16_000_000)]
)
def test_large_sources_start_with_larger_chunks(size: int, smallest: int, first: int) -> None:
    pace = Pace(UploadSettings(), size)
    pace.opened(0.1)
    assert (pace.smallest, pace.chunk_size) == (smallest, first)
    pace.failed(started=1.0, now=2.0)
    pace.failed(started=3.0, now=4.0)
    pace.failed(started=5.0, now=6.0)
    assert pace.chunk_size == 5 * MIB
    assert Pace(UploadSettings(chunk_size=2 * MIB), size).smallest == 2 * MIB


def test_failures_halve_once_for_all_chunks_under_way_together() -> None:
    pace = Pace(UploadSettings())
    pace.opened(0.1)
    assert (pace.parallelism, pace.chunk_size) == (8, 10 * MIB)
    for _ in range(8):
        pace.failed(started=5.0, now=10.0)
    assert (pace.parallelism, pace.chunk_size) == (4, 5 * MIB)
    pace.failed(started=11.0, now=12.0)
    assert (pace.parallelism, pace.chunk_size) == (2, 5 * MIB)
    for n in range(9):
        pace.failed(started=20.0 + n, now=20.5 + n)
    assert (pace.parallelism, pace.chunk_size) == (1, 5 * MIB)


def test_a_size_that_was_refused_is_not_tried_again() -> None:
    pace = Pace(UploadSettings())
    drive(pace, 30, link=1e9, fixed=0.2)
    assert pace.chunk_size == 50_000_000
    pace.failed(started=1e6, now=1e6 + 1, too_large=50_000_000)
    assert pace.chunk_size == 25_000_000
    parallelism = pace.parallelism
    drive(pace, 60, link=1e9, fixed=0.2)
    assert pace.chunk_size == 25_000_000
    assert pace.parallelism == parallelism


def test_fixed_settings_stay() -> None:
    pace = Pace(UploadSettings(parallelism=3, chunk_size=2 * MIB))
    drive(pace, 100, link=1e9, fixed=0.2)
    pace.failed(started=1e6, now=1e6 + 1)
    assert (pace.parallelism, pace.chunk_size, pace.smallest) == (3, 2 * MIB, 2 * MIB)


def test_source_that_keeps_little_gets_small_chunks() -> None:
    pace = Pace(UploadSettings(), rewind=60 * MIB)
    drive(pace, 100, link=1e9, fixed=0.2)
    assert pace.chunk_size == 6 * MIB
    assert Pace(UploadSettings(chunk_size=20 * MIB), rewind=60 * MIB).chunk_size == 6 * MIB


@pytest.mark.parametrize(
    ("settings", "minimum", "parallelism", "chunk"),
    [
        (UploadSettings(), 7 * MIB, 7, 64 * MIB // 9),
        (UploadSettings(), 21 * MIB, 1, 64 * MIB // 3),
        (UploadSettings(parallelism=8), 1, 8, 64 * MIB // 10),
        (UploadSettings(parallelism=8), 12 * MIB, 3, 64 * MIB // 5),
        (UploadSettings(parallelism=2, chunk_size=30 * MIB), 1, 2, 16 * MIB),
    ],
)
def test_source_that_keeps_little_holds_all_chunks_in_flight(
    settings: UploadSettings, minimum: int, parallelism: int, chunk: int
) -> None:
    pace = Pace(settings, max_bytes(minimum), rewind=64 * MIB)
    drive(pace, 400, link=1e9, fixed=0.2, per_connection=5e6)
    assert pace.parallelism <= parallelism
    pace.opened(0.001)  # a short path gets the largest chunks, a long one all connections
    pace.opened(1.0)
    assert (pace.parallelism, pace.chunk_size) == (parallelism, chunk)


def test_size_refused_to_a_chunk_that_was_under_way_with_a_failure_is_not_kept() -> None:
    pace = Pace(UploadSettings())
    drive(pace, 30, link=1e9, fixed=0.2)
    pace.failed(started=1e6, now=1e6 + 2)
    assert pace.chunk_size == 25_000_000
    pace.failed(started=1e6 + 1, now=1e6 + 3, too_large=25_000_000)
    assert pace.chunk_size == 12_500_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parallelism", 0),
        ("parallelism", 9),
        ("chunk_size", 1000),
        ("bandwidth", 0),
        ("max_size", 0),
    ],
)
def test_impossible_settings_name_field_value_and_fix(name: str, value: int) -> None:
    with pytest.raises(KalturaConfigurationError, match=rf"{name}.*{value}.*give") as caught:
        dataclasses.replace(UploadSettings(), **{name: value})  # type: ignore[arg-type]
    assert caught.value.field == name


def test_memory_bound_is_the_formula_that_is_documented() -> None:
    assert memory_bound(8) == 8 * 4 * 256 * 1024 + 8 * MIB
    assert memory_bound(1) == 9 * MIB
