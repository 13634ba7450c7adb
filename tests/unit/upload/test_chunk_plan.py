"""The upload plan against a model of the server's upload token: losses, duplicates, late answers, crashes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.upload.chunk_plan import MAX_CHUNKS, Chunk, ChunkPlan, Phase, max_bytes, min_chunk_size
from kaltura_provider.upload.pace import Pace
from kaltura_provider.upload.settings import UploadSettings

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40


class ModelToken:
    """What the server keeps of a token: the contiguous front and chunks put aside until the next call."""

    def __init__(self) -> None:
        self.front: int | None = None
        self.parked: dict[int, int] = {}
        self.calls = 0
        self.finished = False

    def upload(self, chunk: Chunk) -> int:
        assert not self.finished, "a chunk arrived after the final one"
        self.calls += 1
        if not chunk.resume:
            assert chunk.offset == 0
            self.front = chunk.length
            self.parked.clear()
            self.finished = chunk.final
            return self.front
        assert self.front is not None, "resume=true on a token without bytes"
        for _ in range(10):
            end = self.parked.pop(self.front, None)
            if end is None:
                break
            self.front = max(self.front, end)
        if chunk.final:
            self._close(chunk)
        elif chunk.offset <= self.front < chunk.end:
            self.front = chunk.end
        elif chunk.length:
            self.parked[chunk.offset] = chunk.end
        return self.front

    def _close(self, chunk: Chunk) -> None:
        assert self.front is not None
        for offset in sorted(self.parked):
            if offset <= self.front:
                self.front = max(self.front, self.parked[offset])
        assert self.front == chunk.end, "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE"
        self.finished = True


@st.composite
def sizes(draw: st.DrawFn) -> int:
    power = draw(st.integers(0, 42))
    return max(1, min(5 * TIB, (1 << power) + draw(st.integers(-3, 3))))


@settings(max_examples=300, deadline=None)
@given(size=sizes(), chunk=st.integers(1, 64 * MIB), parallelism=st.integers(1, 8), seed=st.integers(0, 2**32))
def test_every_byte_arrives_whatever_happens(size: int, chunk: int, parallelism: int, seed: int) -> None:
    rng = random.Random(seed)
    # Few enough chunks to run quickly; the limit on their number has a test of its own.
    chunk = max(chunk, size // 150 + 1)
    token, plan = ModelToken(), ChunkPlan(size, smallest=1 + chunk // 4)
    flying: list[Chunk] = []
    biggest = chunk
    for step in range(5000):
        if plan.done:
            break
        trouble = step < 600 and rng.random() < 0.3
        if trouble and rng.random() < 0.15:
            flying.clear()  # the process dies; another one asks the server and goes on
            sent = max((end for end in token.parked.values()), default=0)
            assert max(sent, token.front or 0) - (token.front or 0) <= 2 * parallelism * max(biggest, chunk)
            plan = ChunkPlan(size, front=token.front, smallest=1 + chunk // 4)
        handed = plan.next(parallelism, rng.choice([chunk, chunk // 2 + 1]))
        if handed is not None:
            alone = handed.final or not handed.resume or plan.phase is Phase.OPENING
            assert not (alone and flying), "the first and the final chunk go alone"
            assert handed.end <= size
            assert handed.length <= max(chunk, min_chunk_size(size), 8 * KIB)
            assert not any(handed.offset < other.end and other.offset < handed.end for other in flying)
            flying.append(handed)
            assert len(flying) <= parallelism
            continue
        done = flying.pop(rng.randrange(len(flying)))
        fate = rng.random() if trouble else 1.0
        if fate < 0.4:  # lost before the server saw it
            plan.lose(done)
        elif fate < 0.7:  # done, but the answer was lost: the state is read before anything is sent again
            token.upload(done)
            if done.final:
                plan.acknowledge(done, token.front)
            else:
                plan.lose(done, token.front)
        else:
            reported = token.upload(done)
            plan.acknowledge(done, reported)
            if rng.random() < 0.1 and not done.final:
                plan.acknowledge(done, reported)
    assert plan.done
    assert token.finished
    assert token.front == size
    assert plan.received == size


@settings(max_examples=30, deadline=None)
@given(
    size=st.integers(5 * TIB - GIB, 5 * TIB) | st.integers(560 * GIB, 570 * GIB) | st.integers(40 * GIB, 50 * GIB),
    seed=st.integers(0, 2**32),
)
def test_never_more_chunks_than_the_server_takes(size: int, seed: int) -> None:
    rng = random.Random(seed)
    token, plan, flying, handed_out = ModelToken(), ChunkPlan(size), list[Chunk](), 0
    while not plan.done:
        chunk = plan.next(8, 5 * MIB)
        if chunk is not None:
            handed_out += 1
            assert chunk.length <= max(5 * MIB, min_chunk_size(size))
            flying.append(chunk)
            continue
        done = flying.pop(rng.randrange(len(flying)))
        if rng.random() < 0.02:
            plan.lose(done)
        else:
            plan.acknowledge(done, token.upload(done))
    assert token.finished
    assert token.front == size
    assert token.calls == plan.accepted <= MAX_CHUNKS
    assert handed_out > 8000  # the chunk size asked for was really too small


@pytest.mark.parametrize("part_limit", [10 * MIB, 10 * MIB + 1])
def test_largest_source_that_is_accepted_stays_within_the_limit_on_a_request(part_limit: int) -> None:
    size = max_bytes(part_limit)
    assert min_chunk_size(size) == part_limit < min_chunk_size(size + 1)
    plan, most = ChunkPlan(size), 0
    while (chunk := plan.next(1, 5 * MIB)) is not None:
        most = max(most, chunk.length)
        plan.acknowledge(chunk)
    assert plan.done
    assert most == part_limit


@pytest.mark.parametrize("size", [40 * GIB, 70 * GIB, 180 * GIB])
def test_chunks_in_flight_never_spread_wider_than_the_source_can_go_back(size: int) -> None:
    rewind, rng = 64 * MIB, random.Random(size)
    pace = Pace(UploadSettings(), size, rewind=rewind)
    pace.opened(1.0)
    plan, flying, furthest = ChunkPlan(size, smallest=pace.smallest), list[Chunk](), 0
    while not plan.done:
        chunk = plan.next(pace.parallelism, pace.chunk_size)
        if chunk is not None:
            furthest = max(furthest, chunk.end)
            assert furthest - chunk.offset <= rewind
            flying.append(chunk)
            continue
        done = flying.pop(rng.randrange(len(flying)))
        if rng.random() < 0.05:
            plan.lose(done)
        else:
            plan.acknowledge(done)
    assert plan.accepted <= MAX_CHUNKS


def test_token_sent_anew_at_its_end_gets_no_larger_chunks() -> None:
    plan = ChunkPlan(44 * GIB)
    while (chunk := _must(plan.next(4, 5 * MIB))).final is False:
        plan.acknowledge(chunk)
    plan.restart(8 * KIB)  # a late opener of another process has cut the file
    plan.acknowledge(_must(plan.next(4, 5 * MIB)))
    assert _must(plan.next(4, 5 * MIB)).length <= min_chunk_size(44 * GIB)


def test_chunk_grows_only_where_the_number_would_not_do() -> None:
    plan = ChunkPlan(200 * GIB, smallest=64 * MIB)
    plan.acknowledge(_must(plan.next(4, 64 * MIB)))
    assert _must(plan.next(4, 64 * MIB)).length == 64 * MIB
    plan = ChunkPlan(5 * TIB)
    plan.acknowledge(_must(plan.next(4, 64 * MIB)))
    length = _must(plan.next(4, 64 * MIB)).length
    assert 5 * TIB // 9000 <= length <= 1.01 * 5 * TIB / 9000
    assert length == pytest.approx(min_chunk_size(5 * TIB), rel=0.001)


def test_lost_chunk_comes_back_before_anything_new_and_may_be_cut_smaller() -> None:
    plan = ChunkPlan(1 * GIB, smallest=64 * MIB)
    plan.acknowledge(_must(plan.next(4, 64 * MIB)))
    first, second = _must(plan.next(4, 64 * MIB)), _must(plan.next(4, 64 * MIB))
    plan.lose(first)
    assert plan.next(4, 32 * MIB) == Chunk(first.offset, 32 * MIB)
    assert plan.next(4, 32 * MIB) == Chunk(first.offset + 32 * MIB, 32 * MIB)
    assert _must(plan.next(4, 32 * MIB)).offset == second.end


def test_no_chunk_runs_further_ahead_than_the_parallelism() -> None:
    plan = ChunkPlan(10 * GIB)
    plan.acknowledge(_must(plan.next(4, 10 * MIB)))
    stuck = _must(plan.next(4, 10 * MIB))
    ahead = 0
    while (chunk := plan.next(4, 10 * MIB)) is not None:
        plan.acknowledge(chunk)
        ahead += 1
    assert ahead == 4
    plan.acknowledge(stuck)
    assert plan.next(4, 10 * MIB) is not None


def test_resumes_from_what_the_server_says_and_skips_what_it_finds_there() -> None:
    plan = ChunkPlan(1 * GIB, front=100 * MIB)
    opener = _must(plan.next(4, 10 * MIB))
    assert opener == Chunk(100 * MIB, 8 * KIB, resume=True)
    assert plan.next(4, 10 * MIB) is None
    # The server had chunks of the dead process put aside; the first call made it count them.
    plan.acknowledge(opener, 160 * MIB)
    assert _must(plan.next(4, 10 * MIB)).offset == 160 * MIB


def test_chunk_of_an_earlier_process_that_ends_inside_ours_does_not_stop_the_count() -> None:
    """The server counts what it had put aside only from where its front ends; a second crash would cost the rest."""
    token = ModelToken()
    token.front, token.parked = 100, {300: 350}
    plan = ChunkPlan(10_000, front=100, opener=10, smallest=190)
    opener = _must(plan.next(4, 190))
    plan.acknowledge(opener, token.upload(opener))
    first, second, third = (_must(plan.next(4, length)) for length in (190, 40, 100))
    for chunk in (third, first, second):
        plan.acknowledge(chunk, token.upload(chunk))
    assert (plan.front, token.front) == (440, 350)
    bridge = _must(plan.next(4, 100))
    assert bridge == Chunk(350, 90)
    assert _must(plan.next(4, 100)).offset == 440, "it is sent once"
    plan.lose(bridge)
    assert plan.next(4, 100) == bridge
    plan.acknowledge(bridge, token.upload(bridge))
    assert token.front == 440
    assert _must(plan.next(4, 100)).offset == 540


def test_token_that_has_everything_only_needs_the_final_chunk() -> None:
    plan = ChunkPlan(12345, front=12345)
    assert plan.next(4, 10 * MIB) == Chunk(12345, 0, final=True)
    assert plan.next(4, 10 * MIB) is None


def test_single_shot_is_first_and_final_at_once_but_never_on_a_token_with_bytes() -> None:
    plan = ChunkPlan(5 * MIB, single=True)
    assert plan.next(4, 10 * MIB) == Chunk(0, 5 * MIB, resume=False, final=True)
    assert _must(ChunkPlan(5 * MIB, single=True, front=10).next(4, 10 * MIB)).final is False


def test_ambiguous_opener_is_followed_by_one_that_resumes() -> None:
    plan = ChunkPlan(1 * GIB)
    opener = _must(plan.next(4, 10 * MIB))
    plan.lose(opener, front=1000)
    assert plan.next(4, 10 * MIB) == Chunk(1000, 8 * KIB, resume=True)
    plan = ChunkPlan(1 * GIB)
    plan.lose(_must(plan.next(4, 10 * MIB)))
    assert plan.next(4, 10 * MIB) == Chunk(0, 8 * KIB, resume=False)


def test_lost_final_is_handed_out_again_and_a_truncated_file_is_sent_again() -> None:
    plan = ChunkPlan(12345, front=12345)
    plan.lose(_must(plan.next(4, 10 * MIB)), 12345)
    assert _must(plan.next(4, 10 * MIB)).final
    plan.restart(8000)
    assert plan.next(4, 10 * MIB) == Chunk(8000, 4345)


def test_chunks_near_the_end_shrink_so_that_all_connections_finish_together() -> None:
    plan = ChunkPlan(400 * MIB)
    plan.acknowledge(_must(plan.next(4, 64 * MIB)))
    lengths = []
    while (chunk := plan.next(4, 64 * MIB)) is not None and not chunk.final:
        lengths.append(chunk.length)
        plan.acknowledge(chunk)
    assert max(lengths) == 64 * MIB
    assert lengths[-1] <= 5 * MIB
    assert all(length <= max(5 * MIB, 400 * MIB - sum(lengths[:n])) for n, length in enumerate(lengths))
    assert sum(lengths) == 400 * MIB - 8 * KIB


def test_first_chunks_differ_in_length_so_that_their_answers_do_not_come_together() -> None:
    plan = ChunkPlan(4 * GIB)
    plan.acknowledge(_must(plan.next(4, 64 * MIB)))
    lengths = [_must(plan.next(4, 64 * MIB)).length for _ in range(4)]
    assert lengths == sorted(set(lengths))
    assert lengths[0] > 5 * MIB
    assert lengths[-1] == 64 * MIB
    fixed = ChunkPlan(4 * GIB, smallest=64 * MIB)
    fixed.acknowledge(_must(fixed.next(4, 64 * MIB)))
    assert [_must(fixed.next(4, 64 * MIB)).length for _ in range(4)] == [64 * MIB] * 4


def test_nothing_to_send_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to send"):
        ChunkPlan(0)


def _must(chunk: Chunk | None) -> Chunk:
    assert chunk is not None
    return chunk
