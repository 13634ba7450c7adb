import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.retry import NO_RETRY, RetrySettings


def test_waits_double_up_to_the_cap():
    policy = RetrySettings(attempts=8, base=1, cap=20, budget=1000, rand=lambda: 1.0)
    assert [policy.delay(n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 20, 20, None]


def test_the_jitter_is_full():
    policy = RetrySettings(rand=iter([0.0, 0.5]).__next__)
    assert [policy.delay(1), policy.delay(2)] == [0.0, 1.0]


def test_the_budget_bounds_the_whole():
    policy = RetrySettings(attempts=99, budget=10, rand=lambda: 1.0)
    assert policy.delay(3, elapsed=5.9) == 4
    assert policy.delay(3, elapsed=6.1) is None


def test_retry_after_is_the_least_wait():
    policy = RetrySettings(rand=lambda: 1.0)
    assert policy.delay(1, retry_after=7) == 8
    assert policy.delay(4, retry_after=7) == 8
    assert policy.delay(1, retry_after=1000) is None


def test_no_retry_is_one_attempt():
    assert NO_RETRY.delay(1) is None


@pytest.mark.parametrize("bad", [{"attempts": 0}, {"base": -1}, {"cap": -1}, {"budget": -0.1}])
def test_nonsense_is_refused(bad):
    with pytest.raises(KalturaConfigurationError, match=next(iter(bad))):
        RetrySettings(**bad)


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1e4))
def test_every_wait_is_within_its_bounds(attempt, jitter, elapsed):
    policy = RetrySettings(attempts=10_001, base=1, cap=30, budget=100, rand=lambda: jitter)
    wait = policy.delay(attempt, elapsed=elapsed)
    assert wait is None or (0 <= wait <= min(30, 2 ** min(attempt - 1, 10)) and elapsed + wait <= 100)
