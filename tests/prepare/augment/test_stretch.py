"""Stretch: frames, hold and motion of faster and slower play belong together."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.prepare.augment.base import Action, Drawn, World, steps_back
from rushes.prepare.augment.stretch import Stretch

SPACE = ActionSpace.from_names(["Space", "MouseDX", "MouseWheel", "J_LEFT_X", "rx"])


def back(length, *speeds):
    return steps_back(length, [Drawn("stretch", {"speed": speed}) for speed in speeds]).tolist()


@pytest.mark.parametrize(
    ("length", "speed", "wanted"),
    [
        (4, 1, [3, 2, 1, 0]),
        (4, 2, [6, 4, 2, 0]),
        (5, 0.5, [2, 2, 1, 1, 0]),  # 2, 1.5, 1, 0.5, 0: of two alike the earlier
        (4, 4 / 3, [4, 3, 1, 0]),  # 4, 2.67, 1.33, 0
        (2, 3, [3, 0]),
        (1, 2, [0]),
    ],
)
def test_the_nearest_frames_are_taken_and_the_last_stays(length, speed, wanted):
    assert back(length, speed) == wanted


@given(st.integers(2, 12), st.integers(1, 40))
def test_faster_and_back_is_the_same_play(length, passed):
    speed = round(passed / (length - 1), 6)
    assert back(length, speed, 1 / speed) == list(range(length - 1, -1, -1))
    action = Action(np.array([1, 8, 2, 0.5, 0.01], np.float32), "Space", 0.3)
    there = Stretch.action(action, {"speed": speed}, World(SPACE))
    again = Stretch.action(there, {"speed": 1 / speed}, World(SPACE))
    np.testing.assert_allclose(again.keys, action.keys, rtol=1e-5)
    assert again.hold_s == pytest.approx(0.3)


@given(st.integers(2, 9), st.floats(0.3, 3.9), st.integers(0, 2**32 - 1))
def test_a_dot_moves_as_far_as_the_mouse_then_says(length, speed, seed):
    """In the recording the dot moves by 2 px a frame; in the window, by as much as the mouse says on average."""
    drawn = Stretch.parse(f"{speed}").draw(np.random.default_rng(seed), length)
    if drawn is None:
        return
    shown = -2.0 * steps_back(length, [Drawn("stretch", drawn)])
    action = Action(np.array([1, 2, 0, 0, 0], np.float32), "Space", 0.3)
    made = Stretch.action(action, drawn, World(SPACE))
    assert (shown[-1] - shown[0]) / (length - 1) == pytest.approx(made.keys[1], rel=1e-4)
    assert made.hold_s == pytest.approx(0.3 * 2 / made.keys[1], rel=1e-4)
    assert abs(drawn["speed"] - speed) <= max(0.5 / (length - 1), 1 / (length - 1) - speed) + 1e-6


def test_motion_grows_within_its_limits_and_sticks_and_buttons_stay():
    action = Action(np.array([1, 8, 2, 0.5, 0.75], np.float32), "Space", 0.3)
    made = Stretch.action(action, {"speed": 1.5}, World(SPACE))
    np.testing.assert_allclose(made.keys, [1, 12, 3, 0.5, 1])
    assert made.hold_s == pytest.approx(0.2)
    assert math.isnan(Stretch.action(Action(action.keys, "Space", math.nan), {"speed": 2}, World(SPACE)).hold_s)


def test_a_wheel_that_counts_as_a_button_stays_one():
    space = ActionSpace.from_names(["scroll_up", "MouseWheel"])
    made = Stretch.action(Action(np.array([1, 1], np.float32), "Space", 0.3), {"speed": 0.5}, World(space))
    assert made.keys.tolist() == [1, 0.5]


def test_a_draw_that_a_window_cannot_show_is_nothing():
    rng = np.random.default_rng(1)
    assert {Stretch.parse("0.8..1.2").draw(rng, 3) is None for _ in range(50)} == {True}  # 1.6 to 2.4 frames: two
    assert {Stretch.parse("1.3..1.7").draw(rng, 3)["speed"] for _ in range(50)} == {1.5}
    assert Stretch.parse("2").draw(rng, 1) is None


@pytest.mark.parametrize("text", ["0", "5", "fast"])
def test_a_speed_that_makes_no_sense_is_refused(text):
    with pytest.raises(BadInputError, match=r"stretch of .*from 0\.25 to 4"):
        Stretch.parse(text)
