"""CRC-32C by pieces against one pass over everything."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.upload.checksum import ChecksumCollector, combine, crc32c, from_base64, to_base64


def test_known_answers() -> None:
    # RFC 3720, appendix B.4, and the usual check value.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_combination_equals_one_pass(first: bytes, second: bytes) -> None:
    assert combine(crc32c(first), crc32c(second), len(second)) == crc32c(first + second)


def test_combination_over_gigabytes() -> None:
    block = bytes(1 << 20)
    zeros = crc32c(block)
    crc, length = zeros, 1 << 20
    while length < 8 << 30:  # 8 GiB of zeros by doubling
        crc, length = combine(crc, crc, length), length * 2
    step = crc32c(b"x")
    direct = combine(step, crc, length)
    assert direct == combine(combine(step, zeros, 1 << 20), _zeros(length - (1 << 20)), length - (1 << 20))


def _zeros(length: int) -> int:
    """Return the checksum of so many zero bytes, by another way of cutting them."""
    crc, done, piece, size = 0, 0, crc32c(bytes(4096)), 4096
    pieces = [(piece, size)]
    while pieces[-1][1] * 2 <= length:
        piece, size = pieces[-1]
        pieces.append((combine(piece, piece, size), size * 2))
    for piece, size in reversed(pieces):
        while done + size <= length:
            crc, done = combine(crc, piece, size), done + size
    return crc


@given(st.binary(min_size=1, max_size=500), st.integers(1, 60), st.randoms(use_true_random=False))
def test_pieces_in_any_order_and_twice(data: bytes, piece: int, rng: random.Random) -> None:
    offsets = list(range(0, len(data), piece)) * 2
    rng.shuffle(offsets)
    sums = ChecksumCollector()
    for offset in offsets:
        part = data[offset : offset + piece]
        sums.add(offset, len(part), crc32c(part))
    assert (sums.start, sums.end, sums.crc) == (0, len(data), crc32c(data))


def test_rewind_goes_on_from_a_joint_and_forgets_the_rest_otherwise() -> None:
    data = random.Random(1).randbytes(100)
    sums = ChecksumCollector()
    for offset in (0, 10, 30):
        sums.add(offset, 20 if offset else 10, crc32c(data[offset : offset + (20 if offset else 10)]))
    assert sums.end == 50
    sums.rewind(10)
    sums.add(10, 90, crc32c(data[10:]))
    assert (sums.start, sums.end, sums.crc) == (0, 100, crc32c(data))
    sums.rewind(55)
    assert (sums.start, sums.end) == (55, 55)
    sums.add(55, 45, crc32c(data[55:]))
    assert sums.crc == crc32c(data[55:])


@given(st.integers(0, 2**32 - 1))
def test_base64_both_ways(crc: int) -> None:
    assert from_base64(to_base64(crc)) == crc


@pytest.mark.parametrize("text", ["", "AAAA", "AAAAAAAAAA==", "not base64"])
def test_other_base64_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|padding|Incorrect|Invalid|Only"):
        from_base64(text)
