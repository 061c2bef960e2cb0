"""Presses counted: the rule by which a net plays, matching one to one, holds and thresholds, all by hand."""

import numpy as np
import pytest

from rushes.notebook.jump.scores import Stretch, best_threshold, fired, match, presses_per_frame, score, windows_of


def stretch(press, true, *, hold_s=0.1, true_hold_s=0.1, step_s=0.1):
    """A stretch of 10 frames a second."""
    holds = np.full(len(true), true_hold_s) if np.isscalar(true_hold_s) else np.array(true_hold_s, float)
    press = np.array(press, float)
    return Stretch(
        "s", 0, np.arange(len(press)), press, np.full(len(press), hold_s), np.array(true, int), holds, step_s
    )


def test_a_press_is_held_and_let_go_for_a_frame_before_the_next():
    press = np.array([0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert fired(press, np.full(8, 1), 0.5).tolist() == [1, 3, 5, 7]
    assert fired(press, np.full(8, 3), 0.5).tolist() == [1, 5]
    assert fired(press, np.full(8, 3), 0.9).tolist() == [], "above, not at, the threshold"


@pytest.mark.parametrize(
    ("said", "true", "pairs"),
    [
        ([10], [11], [[0, 0]]),
        ([10], [12], []),
        ([9, 10], [10], [[1, 0]]),  # the nearer one
        ([10, 11], [11, 12], [[1, 0]]),  # the nearest first: 10 and 12 are left without a partner
        ([9, 11], [10], [[0, 0]]),  # the earlier one of two that are as near
        ([], [5], []),
    ],
)
def test_each_press_is_matched_once_with_the_nearest(said, true, pairs):
    found = match(np.array(said, np.int64), np.array(true, np.int64))
    assert found.tolist() == pairs


def test_presses_are_counted_over_every_frame_and_holds_where_the_press_is_right():
    one = stretch([0, 1, 0, 0, 0, 1, 0, 0, 1, 0], [2, 5, 9, 4], hold_s=0.12, true_hold_s=[0.1, 0.2, np.nan, 0.1])
    result = score([one], 0.5)
    assert (result.true, result.said, result.right, result.frames) == (4, 3, 3, 10)
    assert (result.precision, result.recall) == (1.0, 0.75)
    assert result.f1 == pytest.approx(6 / 7)
    assert sorted(result.offset.tolist()) == [-1, -1, 0]
    assert sorted(result.hold_errors.tolist()) == pytest.approx([0.2, 0.4]), "an open hold has no error"
    assert result.hold_mean == pytest.approx(0.3)
    assert presses_per_frame([one]) == 0.4


def test_nothing_to_press_and_nothing_pressed_is_no_score():
    result = score([stretch([0, 0, 0], [])], 0.5)
    assert np.isnan([result.f1, result.precision, result.recall, result.hold_median]).all()


def test_the_threshold_is_the_one_that_presses_right():
    early = stretch([0, 0, 0.35, 0, 0.75, 0, 0, 0.35, 0, 0.75], [4, 9])
    assert best_threshold([early]) in (0.4, 0.5, 0.6, 0.7)
    assert best_threshold([]) == 0.5
    assert best_threshold([stretch([0.0, 0.0], [1])]) == 0.5


def test_windows_end_with_each_frame_and_hold_those_before_it():
    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    found = windows_of(pixels, 3)
    assert found.shape == (3, 3, 2, 2, 3)
    assert found[:, :, 0, 0, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
