"""Shift and crop: where pixels go, and the mouse that goes with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.prepare.augment.base import Action, World
from rushes.prepare.augment.place import Crop, Shift


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(0, 2**32 - 1))
def test_a_shift_moves_by_pixels_of_a_picture_of_227_and_fills_with_black(dx, dy, seed):
    window = np.random.default_rng(seed).integers(1, 256, (2, 227, 227, 3)).astype(np.uint8)
    wanted = np.zeros_like(window)
    for column in range(227):
        if 0 <= column - dx < 227:
            wanted[:, :, column] = window[:, :, column - dx]
    wanted = np.roll(wanted, dy, axis=1)
    if dy > 0:
        wanted[:, :dy] = 0
    if dy < 0:
        wanted[:, dy:] = 0
    np.testing.assert_array_equal(Shift.pixels(window, {"dx": dx, "dy": dy}), wanted)


@given(arrays(np.uint8, (1, 12, 12, 3)), st.integers(-80, 80), st.integers(-80, 80))
def test_there_and_back_is_the_same_on_the_inside(window, dx, dy):
    back = Shift.pixels(Shift.pixels(window, {"dx": dx, "dy": dy}), {"dx": -dx, "dy": -dy})
    x, y = abs(round(dx * 12 / 227)), abs(round(dy * 12 / 227))
    inside = (slice(None), slice(y if dy < 0 else 0, 12 - (y if dy > 0 else 0)),
              slice(x if dx < 0 else 0, 12 - (x if dx > 0 else 0)))  # fmt: skip
    np.testing.assert_array_equal(back[inside], window[inside])


def test_a_shift_grows_with_the_picture():
    window = np.arange(1, 114, dtype=np.uint8)[None, None, :, None].repeat(3, -1)  # 113 wide: half of 227
    assert Shift.pixels(window, {"dx": 10, "dy": 0})[0, 0, :7, 0].tolist() == [0, 0, 0, 0, 0, 1, 2]


def test_shifts_are_whole_pixels_to_both_sides_and_up_and_down_only_when_asked():
    rng = np.random.default_rng(4)
    drawn = [one for _ in range(300) if (one := Shift.parse("5").draw(rng, 1))]
    assert {one["dx"] for one in drawn} == {-5, -4, -3, -2, -1, 1, 2, 3, 4, 5}
    assert {one["dy"] for one in drawn} == {0}
    both = [one for _ in range(300) if (one := Shift.parse("1 2").draw(rng, 1))]
    assert {one["dy"] for one in both} == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("text", ["-3", "1 2 3", "far", "2.5", "227"])
def test_a_shift_that_makes_no_sense_is_refused(text):
    with pytest.raises(BadInputError, match=r"write shift=0\.3:5"):
        Shift.parse(text)


def blob(x, y, side=96):
    rows, columns = np.mgrid[:side, :side] + 0.5
    drawn = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3.0**2))
    return np.rint(drawn)[..., None].repeat(3, -1).astype(np.uint8)


def centre(drawn):
    weight = drawn[..., 0].astype(float)
    rows, columns = np.mgrid[: len(drawn), : len(drawn)] + 0.5
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@given(
    st.floats(0.5, 1), st.floats(0.6, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.35, 0.65),
    st.floats(0.35, 0.65),
    st.integers(-6, 6), st.integers(-6, 6),
)  # fmt: skip
def test_after_a_crop_the_dot_moves_as_far_as_the_mouse_then_says(width, height, left, top, x, y, dx, dy):
    """The mouse moves the dot by its own pixels."""
    box = [left * (1 - width), top * (1 - height), left * (1 - width) + width, top * (1 - height) + height]
    x, y = 96 * (box[0] + x * width), 96 * (box[1] + y * height)
    window = Crop.pixels(np.stack([blob(x, y), blob(x + dx, y + dy)]), {"box": box})
    space = ActionSpace.from_names(["MouseDX", "MouseDY"])
    action = Action(np.array([dx, dy], np.float32), "Space", 0.2)
    keys = Crop.action(action, {"box": box}, World(space)).keys
    np.testing.assert_allclose(centre(window[1]) - centre(window[0]), keys, atol=0.2)
    wanted = [(x / 96 - box[0]) / width * 96, (y / 96 - box[1]) / height * 96]
    np.testing.assert_allclose(centre(window[0]), wanted, atol=0.2)


def test_the_whole_picture_as_the_crop_is_the_picture():
    window = np.random.default_rng(1).integers(0, 256, (1, 31, 31, 3)).astype(np.uint8)
    np.testing.assert_array_equal(Crop.pixels(window.copy(), {"box": [0, 0, 1, 1]}), window)


def test_a_half_on_whole_pixels_is_interpolated_linearly():
    window = np.array([0, 80, 160, 240], np.uint8)[None, None, :, None].repeat(4, 1).repeat(3, -1)
    # Pixel k of the made picture lies at 1 + (k + 0.5) / 2 - 0.5: 0.75, 1.25, 1.75, 2.25.
    made = Crop.pixels(window, {"box": [0.25, 0.25, 0.75, 0.75]})
    assert made[0, 0, :, 0].tolist() == [60, 100, 140, 180]


def test_motion_is_held_within_the_limits_of_its_slot_and_nothing_else_changes():
    space = ActionSpace.from_names(["rx", "ry", "MouseWheel", "J_RIGHT_X", "Space", "MouseDX"])
    action = Action(np.array([0.75, -0.4, 2, 0.5, 1, -30], np.float32), "Space", 0.2)
    made = Crop.action(action, {"box": [0.25, 0, 0.75, 0.8]}, World(space))
    np.testing.assert_allclose(made.keys, [1, -0.5, 2, 0.5, 1, -60])
    assert (made.control, made.hold_s) == ("Space", 0.2)
    assert action.keys[5] == -30


def test_crops_have_the_asked_side_and_lie_within_the_picture():
    rng = np.random.default_rng(4)
    boxes = np.array([Crop.parse("0.6..0.9").draw(rng, 1)["box"] for _ in range(200)])
    sides = boxes[:, 2:] - boxes[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], atol=2e-4)
    assert 0.6 - 1e-3 <= sides.min() < 0.62
    assert 0.88 < sides.max() <= 0.9 + 1e-3
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert Crop.parse("1").draw(rng, 1) is None


def test_a_side_that_makes_no_sense_is_refused():
    with pytest.raises(BadInputError, match=r"crop of '1.2'.*from 0.1 to 1"):
        Crop.parse("1.2")
