"""Times of sound: even where they were handed over unevenly, true where a card runs fast, anew after a loss."""

import numpy as np
import pytest

from rushes.capture.audio.sample_clock import SampleClock

RATE = 48_000
BLOCK = 960
MS = 1_000_000


def placed(measured_ns, block=BLOCK):
    heard = SampleClock(RATE)
    return np.array([heard.place(int(t), block) for t in measured_ns])


def test_even_blocks_stand_where_they_were_measured():
    measured = 7 * MS + np.arange(500) * 20 * MS
    assert placed(measured)[:, 0].tolist() == measured.tolist()


def test_jitter_of_a_few_milliseconds_is_smoothed_and_late_blocks_are_no_loss():
    rng = np.random.default_rng(1)
    true = np.arange(3000) * 20 * MS
    late = rng.exponential(0.3 * MS, 3000)
    late[rng.integers(100, 3000, 40)] += 150 * MS  # a thread that had to wait, again and again
    found = placed(true + late)
    assert found[:, 1].sum() == 0
    assert np.abs(found[100:, 0] - true[100:]).max() < MS
    assert np.abs(np.diff(found[100:, 0]) - 20 * MS).max() < 0.03 * MS


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_card_that_runs_fast_or_slow_is_followed(ppm):
    measured = np.arange(30_000) * 20 * MS * (1 + ppm / 1e6)  # ten minutes
    found = placed(measured)
    assert found[:, 1].sum() == 0
    assert np.abs(found[:, 0] - measured).max() < MS


@pytest.mark.parametrize("at", [1, 2, 30, 300])
@pytest.mark.parametrize("missing_ms", [60, 1000, 20_000])
def test_missing_samples_are_counted_and_time_begins_anew(missing_ms, at):
    measured = np.arange(600) * 20 * MS
    measured[at:] += missing_ms * MS
    found = placed(measured)
    assert found[:, 1].sum() == missing_ms * 48
    assert np.flatnonzero(found[:, 1]).tolist() == [at + 2]  # the third block is the proof
    assert np.abs(found[at + 3 :, 0] - measured[at + 3 :]).max() <= 1


@pytest.mark.parametrize("late_ms", [[60], [700], [60, 150], [120, 60]])
def test_a_thread_that_had_to_wait_just_before_a_loss_hides_nothing_of_it(late_ms):
    measured = np.arange(600) * 20 * MS
    measured[300 - len(late_ms) : 300] += np.array(late_ms) * MS
    measured[300:] += 1500 * MS
    found = placed(measured)
    assert found[:, 1].sum() == 1500 * 48
    assert np.abs(found[303:, 0] - measured[303:]).max() <= 1


def test_a_first_block_that_was_measured_late_is_forgotten():
    measured = 500 * MS + np.arange(200) * 20 * MS
    measured[0] += 400 * MS
    found = placed(measured)
    assert found[:, 1].sum() == 0
    assert found[60:, 0].tolist() == measured[60:].tolist()


def test_times_never_run_back_whatever_was_measured():
    rng = np.random.default_rng(2)
    measured = np.arange(2000) * 20 * MS + rng.normal(0, 80 * MS, 2000) - 400 * MS * (np.arange(2000) > 900)
    found = placed(measured.clip(0))
    assert np.diff(found[:, 0]).min() > 0
