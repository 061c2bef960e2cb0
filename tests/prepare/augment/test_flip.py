"""Flip: the picture and what was done are mirrored together, and where they cannot be, it is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.layouts import layout, slot
from rushes.prepare.augment.base import Action, World
from rushes.prepare.augment.flip import Flip

HANDS = ActionSpace("buttons", (*layout("capture28").slots, slot("MouseDX"), slot("MouseDY")))
SIDE, DOT = 60, 4


def world(*names, pairs=None):
    return World(ActionSpace.from_names(names), pairs or {})


def act(control, *keys, hold_s=0.25):
    return Action(np.array(keys, np.float32), control, hold_s)


def flipped(control, *keys, on):
    return Flip.action(act(control, *keys), {}, on)


@given(arrays(np.uint8, (2, 5, 7, 3)))
def test_twice_is_nothing_and_once_swaps_columns(window):
    once = Flip.pixels(window.copy(), {})
    np.testing.assert_array_equal(once, window[:, :, ::-1])
    np.testing.assert_array_equal(Flip.pixels(once.copy(), {}), window)


@given(
    arrays(np.float32, (len(HANDS),), elements=st.floats(-50, 50, width=32)),
    st.sampled_from(["KeyA", "KeyD", "Space", "KeyA|Space", "MouseLeft", "ShiftLeft|ShiftRight"]),
)
def test_twice_gives_back_keys_control_and_hold(keys, control):
    on = World(HANDS)
    twice = Flip.action(Flip.action(act(control, *keys), {}, on), {}, on)
    np.testing.assert_array_equal(twice.keys, keys)
    assert twice.control == control
    assert twice.hold_s == 0.25


@pytest.mark.parametrize(
    ("control", "image"),
    [
        ("KeyA", "KeyD"),
        ("KeyD|Space", "KeyA|Space"),
        ("Space", "Space"),
        ("KeyA|KeyD", "KeyA|KeyD"),  # either way: the same two
        ("J_LEFT_X>0.5", "J_LEFT_X<-0.5"),
        ("J_LEFT_Y>0.5", "J_LEFT_Y>0.5"),
        ("DPAD_LEFT|KeyA", "DPAD_RIGHT|KeyD"),
    ],
)
def test_the_control_that_does_the_same_in_the_mirrored_picture_is_named(control, image):
    on = world("KeyA", "KeyD", "Space", "J_LEFT_X", "J_LEFT_Y", "DPAD_LEFT", "DPAD_RIGHT")
    assert flipped(control, *[0] * 7, on=on).control == image


def test_sticks_and_motion_to_the_side_change_their_sign_and_others_stay():
    on = world("KeyA", "KeyD", "J_LEFT_X", "J_LEFT_Y", "MouseDX", "MouseDY", "MouseWheel")
    assert flipped("KeyA", 1, 0, 0.5, 0.25, -7, 3, 1, on=on).keys.tolist() == [0, 1, -0.5, 0.25, 7, 3, 1]


def test_emulator_buttons_swap():
    on = world("ALE/FIRE", "ALE/LEFT", "ALE/RIGHT")
    image = flipped("ALE/LEFT", 1, 1, 0, on=on)
    assert (image.keys.tolist(), image.control) == ([1, 0, 1], "ALE/RIGHT")


def test_what_was_given_is_not_changed():
    action = act("KeyA", 1, 0)
    Flip.action(action, {}, world("KeyA", "KeyD"))
    assert (action.keys.tolist(), action.control) == ([1, 0], "KeyA")


def test_a_space_with_one_side_alone_is_refused_with_what_to_do():
    with pytest.raises(BadInputError, match=r"where KeyA has no partner.*leave out the flip"):
        flipped("Space", 0, 1, on=world("KeyA", "Space"))


def test_a_control_whose_image_has_no_place_is_refused():
    with pytest.raises(BadInputError, match="a mirror image of KeyA, which would be KeyD"):
        flipped("KeyA", 0, on=world("Space"))


def test_actions_of_an_own_world_need_pairs():
    space = ActionSpace.from_names(["Jump/JUMP", "Jump/DUCK"])
    with pytest.raises(BadInputError, match="nothing says what Jump/JUMP becomes"):
        flipped("Jump/JUMP", 1, 0, on=World(space))
    same = World(space, {"Jump/JUMP": "Jump/JUMP", "Jump/DUCK": "Jump/DUCK"})
    image = flipped("Jump/JUMP", 1, 0, on=same)
    assert (image.keys.tolist(), image.control) == ([1, 0], "Jump/JUMP")


def test_pairs_hold_both_ways_for_keys_and_control():
    on = world("KeyQ", "KeyE", pairs={"KeyQ": "KeyE"})
    assert flipped("KeyQ", 1, 0, on=on).control == "KeyE"
    assert flipped("KeyE", 0, 1, on=on).control == "KeyQ"
    assert flipped("KeyE", 0, 1, on=on).keys.tolist() == [1, 0]
    plain = world("KeyQ", "KeyE")
    assert flipped("KeyQ", 1, 0, on=plain).control == "KeyQ"


def test_numbers_of_a_box_change_their_sign_where_pairs_say_so():
    space = ActionSpace.box([-1, -1], [1, 1])
    image = flipped("0>0.5", 0.75, 0.25, on=World(space, {"0": "-0", "1": "1"}))
    assert (image.keys.tolist(), image.control) == ([-0.75, 0.25], "0<-0.5")


def picture(x):
    """A dot of 4 px whose left edge stands at x."""
    drawn = np.zeros((SIDE, SIDE, 3), np.uint8)
    drawn[20 : 20 + DOT, x : x + DOT] = 255
    return drawn


def at(drawn):
    return int(np.flatnonzero(drawn.any((0, 2)))[0])


@given(st.integers(20, 36), st.integers(-20, 20), st.booleans(), st.booleans())
def test_the_dot_moves_as_the_mirrored_action_says(x, dx, left, right):
    """In this world A moves the dot by 3 px to the left, D to the right, and the mouse by its own pixels."""

    def moves(keys):
        return int(3 * keys[1] - 3 * keys[0] + keys[2])

    on = world("KeyA", "KeyD", "MouseDX")
    keys = [float(left), float(right), float(np.clip(dx, -17, 17))]
    x2 = x + moves(keys)
    window = Flip.pixels(np.stack([picture(x), picture(x2)]), {})
    image = Flip.action(act("KeyA", *keys), {}, on)
    assert at(window[1]) - at(window[0]) == moves(image.keys.tolist()) == -moves(keys)


def test_a_hold_that_is_not_known_stays_so():
    assert math.isnan(Flip.action(act("KeyA", 1, 0, hold_s=math.nan), {}, world("KeyA", "KeyD")).hold_s)


def test_a_range_is_refused():
    with pytest.raises(BadInputError, match=r"write flip=0\.5"):
        Flip.parse("3")
