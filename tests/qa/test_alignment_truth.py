"""The measured offset against worlds in which it is planted: a few cases; the long form is benchmarks/alignment.py."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rushes.qa.subject import Subject
from rushes.worlds.steered.world import Steered

SMALL = {"seconds": 40.0, "rate_hz": 20.0, "size": (90, 160)}
FRAME_MS = 50.0
STEERED = {
    "mouse_camera": {"offset_ms": 83.0, "drift_ppm": 150.0, "jitter_ms": 2.0},
    "keys_local": {"offset_ms": -61.0, "drop_share": 0.02},
    "keys_scroll": {"offset_ms": 140.0, "screen_hz": 33.0},
}


def measured(world):
    return Subject(world.recording()).measured.offset


@pytest.fixture(scope="module")
def said():
    """Kind -> (measured offset, the truth at its time)."""
    worlds = [Steered(kind=kind, seed=41, **SMALL, **planted) for kind, planted in STEERED.items()]
    return {world.kind: (offset := measured(world), world.true_ms_at(offset.at_ns)) for world in worlds}


def test_every_planted_offset_is_told_within_a_frame_and_most_within_a_quarter(said):
    errors = [abs(offset.ms - true_ms) for offset, true_ms in said.values()]
    assert max(errors) <= FRAME_MS
    assert np.median(errors) <= FRAME_MS / 4


def test_most_intervals_hold_the_truth_and_are_narrow(said):
    assert sum(offset.low_ms <= true_ms <= offset.high_ms for offset, true_ms in said.values()) >= 2
    assert np.median([offset.half_width_ms for offset, _ in said.values()]) <= FRAME_MS


@pytest.mark.parametrize("kind", ["nothing_moves", "unrelated"])
def test_where_nothing_follows_from_an_input_it_says_so(kind):
    offset = measured(Steered(kind=kind, seed=41, **SMALL | {"seconds": 30.0}))
    assert offset.ms is None
    assert offset.reason


@pytest.mark.full
def test_the_short_form_of_the_benchmark_keeps_its_bars():
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        from measured.steered_cases import idle, measure, steered
        from measured.truth_table import figures, idle_figures
    finally:
        sys.path.pop(0)
    found = figures([measure(steered(number)) for number in range(20)])
    assert found["answered share"] >= 0.9
    assert found["median |error| frames"] <= 0.25
    assert found["within one frame"] >= 0.9
    assert idle_figures([measure(idle(number)) for number in range(20)])["idle claims share"] <= 0.05
