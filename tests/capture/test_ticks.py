"""Ticks stand on an absolute grid; every one is taken or counted."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.capture.screen.ticks import Ticks, sleep_until
from rushes.errors import BadInputError

MS = 1_000_000


def test_an_hour_of_sixtieths_of_a_second_gathers_no_error():
    ticks = Ticks(7, 60)
    assert ticks.due_ns(60 * 3600) == 3600 * 1_000_000_000 + 7
    assert ticks.due_ns(1) == 16_666_666 + 7


def test_the_rates_of_television_are_exact():
    assert Ticks(0, 29.97).due_ns(2_997) == 100_000_000_000
    assert Ticks(0, 59.94).due_ns(5_994) == 100_000_000_000
    assert Ticks(0, 30000 / 1001).due_ns(30_000) == 1_001_000_000_000


@pytest.mark.parametrize("rate", [0, -1, 1001, float("nan")])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(BadInputError, match="--fps"):
        Ticks(0, rate)


def test_a_source_that_falls_behind_takes_every_tick_without_skip_late():
    ticks = Ticks(0, 10)
    assert [ticks.take(now * MS)[::2] for now in (0, 390, 395, 400, 402)] == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]


def test_with_skip_late_the_newest_tick_that_is_due_is_taken_and_the_others_are_counted():
    ticks = Ticks(0, 10, skip_late=True)
    assert [ticks.take(now * MS)[::2] for now in (0, 390, 400, 510)] == [(0, 0), (3, 2), (4, 0), (5, 0)]


def test_less_than_an_interval_behind_nothing_is_skipped():
    ticks = Ticks(0, 10, skip_late=True)
    ticks.take(0)
    assert ticks.take(199 * MS)[::2] == (1, 0)


def test_more_than_a_second_behind_it_skips_to_the_present_all_the_same():
    ticks = Ticks(0, 10)
    ticks.take(0)
    assert ticks.take(1_100 * MS)[::2] == (1, 0)
    assert ticks.take(2_350 * MS)[::2] == (23, 21)


def test_late_means_more_than_half_an_interval_after_the_tick():
    ticks = Ticks(0, 50)
    tick = ticks.take(0)
    assert not ticks.is_late(tick, 10 * MS)
    assert ticks.is_late(tick, 10 * MS + 1)


@given(st.lists(st.integers(0, 3_000), min_size=1), st.booleans(), st.sampled_from([1, 24, 29.97, 60, 144]))
def test_over_any_delays_ticks_taken_and_dropped_add_up_and_none_comes_early(delays_ms, skip_late, rate_hz):
    ticks = Ticks(0, rate_hz, skip_late=skip_late)
    now, taken = 0, []
    for delay in delays_ms:
        now = max(now, ticks.next_ns) + delay * MS
        taken.append(ticks.take(now))
        assert taken[-1].due_ns <= now
    numbers = [tick.number for tick in taken]
    assert numbers == sorted(set(numbers))
    assert len(taken) + sum(tick.dropped for tick in taken) == numbers[-1] + 1


class FakeTime:
    """A clock that only sleeping moves, each sleep a little too long."""

    def __init__(self, late_ns):
        self.ns, self.late_ns, self.naps = 0, late_ns, []

    def now(self):
        self.ns += 100  # asking takes time too
        return self.ns

    def sleep(self, seconds):
        self.naps.append(seconds)
        self.ns += round(seconds * 1e9) + (self.late_ns if seconds else 2_000)


def test_a_sleep_ends_within_a_fifth_of_a_millisecond_with_a_handful_of_naps():
    fake = FakeTime(late_ns=80_000)
    assert sleep_until(16_666_666, threading.Event(), now=fake.now, sleep=fake.sleep)
    assert 0 <= fake.ns - 16_666_666 < 200_000
    assert len([nap for nap in fake.naps if nap]) == 1
    assert len(fake.naps) < 200


def test_a_long_sleep_looks_up_at_least_every_tenth_of_a_second():
    fake = FakeTime(late_ns=80_000)
    assert sleep_until(1_000_000_000, threading.Event(), now=fake.now, sleep=fake.sleep)
    assert max(fake.naps) <= 0.1


def test_a_stop_ends_a_sleep_within_a_tenth_of_a_second():
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    began = time.perf_counter()
    assert not sleep_until(time.perf_counter_ns() + 10_000_000_000, stop, now=time.perf_counter_ns)
    assert time.perf_counter() - began < 1


def test_what_is_due_already_does_not_sleep():
    assert sleep_until(0, threading.Event(), now=lambda: 5, sleep=None)
