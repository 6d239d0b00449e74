"""So many tries at once, then so many a minute; each key for itself, in bounded memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.store.throttle import Throttle


def test_ten_tries_then_one_every_six_seconds() -> None:
    throttle = Throttle(tries=10, per_s=60)
    for _ in range(10):
        assert throttle.wait_s("a", 0.0) == 0
        throttle.count("a", 0.0)
    assert throttle.wait_s("a", 0.0) == pytest.approx(6)
    assert throttle.wait_s("a", 6.0) == 0
    throttle.count("a", 6.0)
    assert throttle.wait_s("a", 6.0) == pytest.approx(6)


def test_one_key_does_not_slow_another() -> None:
    throttle = Throttle(tries=1, per_s=60)
    throttle.count("a", 0.0)
    assert throttle.wait_s("b", 0.0) == 0


def test_what_is_forgiven_never_counted() -> None:
    throttle = Throttle(tries=1, per_s=60)
    for now in range(100):
        assert throttle.wait_s("a", float(now)) == 0
        throttle.count("a", float(now))
        throttle.forgive("a", now + 0.5)
    assert len(throttle) == 0


def test_memory_is_bounded_and_the_longest_unused_is_forgotten() -> None:
    throttle = Throttle(tries=2, per_s=60, entries=3)
    for key in ("a", "b", "c", "a", "d"):
        throttle.count(key, 0.0)
    assert len(throttle) == 3
    assert throttle.wait_s("a", 0.0) > 0  # used after b, which went


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 10), max_size=60))
def test_never_more_than_the_allowance(gaps: list[float]) -> None:
    throttle, now, let = Throttle(tries=5, per_s=30), 0.0, 0
    for gap in gaps:
        now += gap
        if throttle.wait_s("a", now) == 0:
            throttle.count("a", now)
            let += 1
    assert let <= 5 + now * 5 / 30 + 1e-6
