"""Intervals and roster: who is looked at when, with a clock that stands still until it is moved."""

from __future__ import annotations

import itertools

import pytest

from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.polling.intervals import LONGEST_HOLD, Intervals, backoff, jittered
from kaltura_provider.waiting.polling.roster import Member, Roster
from kaltura_provider.waiting.watch import Watch


def middle() -> float:
    return 0.5


def wait(*ids: str) -> Watch:
    return Watch(ids, EntryReady())


def ids(round_: list[Member]) -> set[str]:
    return {key for member in round_ for key in member.watch.pending}


@pytest.mark.parametrize(
    ("age", "interval"), [(-5, 5), (0, 5), (59, 5), (60, 10), (599, 10), (600, 30), (3599, 30), (3600, 60), (1e6, 60)]
)
def test_default_pace_slows_with_age(age: float, interval: float) -> None:
    assert Intervals().interval(age) == interval


@pytest.mark.parametrize("intervals", [(), ((1, 5),), ((0, 5), (0, 6)), ((0, 0),), ((0, 5), (60, -1))])
def test_pace_refuses_nonsense(intervals: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="intervals"):
        Intervals(intervals)


def test_jitter_is_a_tenth_and_backoff_is_bounded() -> None:
    assert (jittered(10, 0), jittered(10, 1)) == (9, 11)
    assert [backoff(n, None, 0.5) for n in (1, 2, 3, 4, 5, 50)] == [5, 10, 20, 40, 60, 60]
    assert backoff(1, 90, 0.5) == 90
    assert backoff(1, 86400, 0.5) == backoff(1, float("inf"), 0.5) == LONGEST_HOLD


def test_many_that_join_together_share_their_first_round_and_stay_in_step() -> None:
    roster = Roster(middle)
    for n in range(100):
        roster.join(wait(f"e{n}"), Intervals(), now := n * 0.005, now)
    first = roster.next_round()
    assert first == pytest.approx(1.0)
    assert len(roster.take(first)) == 100
    second = roster.next_round()
    assert second == pytest.approx(6.0)
    assert len(roster.take(second)) == 100


def test_the_fastest_drives_and_slow_ones_come_along_only_when_nearly_due() -> None:
    roster = Roster(middle)
    old = roster.join(wait("old"), Intervals.fixed(30), 0, 0)
    roster.take(roster.next_round())
    roster.join(wait("young"), Intervals.fixed(5), 2, 2)
    seen: list[tuple[float, set[str]]] = []
    while (at := roster.next_round()) < 60:
        seen.append((at, ids(roster.take(at))))
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(seen)]
    assert max(gaps) == pytest.approx(5)
    looks_at_old = [at for at, who in seen if "old" in who]
    assert len(looks_at_old) == 2
    assert old.next_at > 60


def test_late_joiners_are_seen_soon_but_a_stream_of_them_does_not_multiply_rounds() -> None:
    roster = Roster(middle)
    roster.join(wait("first"), Intervals(), 0, 0)
    rounds = []
    for tenth in range(1, 200):
        now = tenth / 10
        roster.join(wait(f"late{tenth}"), Intervals(), now, now)
        if roster.next_round() <= now:
            roster.take(now)
            rounds.append(now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(rounds)]
    assert min(gaps) >= 2.4
    assert max(gaps) <= 5.1


def test_leavers_are_not_looked_at_and_settled_objects_neither() -> None:
    roster = Roster(middle)
    one, two = roster.join(wait("a", "b"), Intervals(), 0, 0), roster.join(wait("b", "c"), Intervals(), 0, 0)
    del one.watch.pending["a"]
    assert set(roster.wanted(roster.members)) == {"b", "c"}
    assert len(roster.wanted(roster.members)["b"]) == 2
    roster.leave(two)
    roster.leave(two)
    assert set(roster.wanted(roster.take(5))) == {"b"}
    roster.leave(one)
    assert roster.next_round() == float("inf")


def test_refused_calls_slow_everybody_down_and_success_speeds_up_again() -> None:
    roster = Roster(middle)
    roster.join(wait("a"), Intervals.fixed(5), 0, 0)
    round_ = roster.take(1)
    roster.failed(1, refused=True)
    roster.again(round_)
    assert roster.next_round() == pytest.approx(6)
    roster.take(6)
    assert roster.next_round() == pytest.approx(16)  # twice the interval
    roster.join(wait("b"), Intervals.fixed(5), 6, 6)
    for now in (16.0, 26.0, 36.0):
        roster.take(now)
        roster.succeeded()
    roster.take(46)
    assert roster.next_round() == pytest.approx(51)


def test_retry_after_holds_joiners_back_too() -> None:
    roster = Roster(middle)
    roster.join(wait("a"), Intervals(), 0, 0)
    round_ = roster.take(1)
    roster.failed(1, refused=True, retry_after=40)
    roster.again(round_)
    roster.join(wait("b"), Intervals(), 2, 2)
    assert roster.next_round() == pytest.approx(41)


def test_age_counts_from_the_beginning_of_the_wait_not_from_joining() -> None:
    roster = Roster(middle)
    member = roster.join(wait("a"), Intervals(), -4000, 0)
    roster.take(1)
    assert member.next_at == pytest.approx(61)
