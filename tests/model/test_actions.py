"""Action spaces: JSON, digest, mirror image, and conversion by name."""

import doctest
import hashlib
import json

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, BadNameError
from rushes.model import actions, conversions
from rushes.model.actions import ActionSpace
from rushes.model.conversions import conversion
from rushes.model.layouts import LAYOUTS, Slot

PONG = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_survives_json(name):
    space = ActionSpace.from_layout(name)
    again = ActionSpace.from_json(json.loads(json.dumps(space.to_json(), allow_nan=False)))
    assert again == space
    assert again.digest == space.digest


def test_a_box_survives_json_although_its_limits_are_infinite():
    space = ActionSpace.box([-1.0, -np.inf], [1.0, np.inf], ["steer", "gas"])
    again = ActionSpace.from_json(json.loads(json.dumps(space.to_json(), allow_nan=False)))
    assert again == space
    assert (space.slots[1].low, space.slots[1].high) == (None, None)


def test_the_digest_is_the_sha256_of_the_canonical_json():
    text = (
        '{"kind":"discrete","slots":[{"high":1.0,"low":0.0,"minus":[],"name":"ALE/FIRE",'
        '"plus":["ALE/FIRE"],"role":"button","scale":1.0}]}'
    )
    assert ActionSpace.discrete(["FIRE"], world="ALE").digest == hashlib.sha256(text.encode()).hexdigest()


def test_the_digest_tells_order_apart():
    assert ActionSpace.from_names(["a", "d"]).digest != ActionSpace.from_names(["d", "a"]).digest


@pytest.mark.parametrize(
    "value",
    [{}, {"kind": "buttons"}, {"kind": "knobs", "slots": []}, {"kind": "buttons", "slots": [{"name": "w"}]}],
)
def test_json_that_is_no_space_is_refused(value):
    with pytest.raises(BadDataError):
        ActionSpace.from_json(value)


def test_a_name_that_stands_twice_and_an_empty_choice_are_refused():
    with pytest.raises(BadInputError, match="w twice"):
        ActionSpace.from_names(["w", "a", "w"])
    with pytest.raises(BadInputError, match="no action"):
        ActionSpace.discrete([])


def test_a_slot_is_found_by_name_and_a_typo_is_answered():
    space = ActionSpace.from_layout("capture28")
    assert space.index("rmb") == 27
    with pytest.raises(BadNameError, match="rmb"):
        space.index("rmbb")


def test_the_repr_is_short_whatever_the_width():
    assert repr(ActionSpace.from_layout("capture85")) == "ActionSpace(buttons, 85: a, b ... scroll_down)"
    assert repr(ActionSpace.from_names(["w"])) == "ActionSpace(buttons, 1: w)"


def test_the_mirror_of_pong_swaps_right_and_left_by_name():
    mirror = ActionSpace.discrete(PONG, world="ALE").mirror()
    assert mirror.indices([0, 1, 2, 3, 4, 5]).tolist() == [0, 1, 3, 2, 5, 4]


def test_the_mirror_of_ale18_is_its_own_inverse_and_moves_the_twelve_sideways_actions():
    order = ActionSpace.from_layout("ale18").mirror().order
    assert order[order].tolist() == list(range(18))
    assert [k for k in range(18) if order[k] == k] == [0, 1, 2, 5, 10, 13]


def test_the_mirror_of_keys_and_mouse_swaps_a_and_d_and_negates_dx():
    space = ActionSpace.from_names(["w", "a", "s", "d", "lmb", "dx", "dy"])
    found = space.mirror().vectors(np.array([[1, 1, 0, 0, 1, 7, 3]], np.float32))
    assert found.tolist() == [[1, 0, 0, 1, 1, -7, 3]]
    assert found.dtype == np.float32


def test_the_mirror_of_the_stick_made_of_keys_changes_its_sign():
    found = ActionSpace.from_layout("capture20").mirror().vectors(np.arange(1, 21, dtype=np.float32))
    assert found.tolist() == [-1, 2, -3, *range(4, 21)]


def test_the_mirror_of_a_pad_swaps_the_dpad_and_negates_horizontal_axes():
    space = ActionSpace.from_names(["DPAD_LEFT", "DPAD_RIGHT", "LEFT_SHOULDER", "J_LEFT_X", "J_LEFT_Y"])
    assert space.mirror().vectors([1, 0, 1, 0.5, -1.0]).tolist() == [0, 1, 1, -0.5, -1.0]


def test_a_mirrored_zero_keeps_its_bytes():
    found = ActionSpace.from_names(["dx"]).mirror().vectors(np.zeros((2, 1), np.float32))
    assert found.tobytes() == bytes(8)


@pytest.mark.parametrize(
    "space",
    [
        ActionSpace.from_names(["w", "a"]),
        ActionSpace.discrete(["NOOP", "RIGHT"], world="ALE"),
        ActionSpace.box([-1.0], [1.0]),
        ActionSpace.discrete(["0", "1"], world="CartPole"),
    ],
)
def test_a_space_whose_other_side_is_absent_or_unknown_has_no_mirror(space):
    with pytest.raises(BadInputError) as caught:
        space.mirror()
    assert "flip" in caught.value.fix


def test_a_button_is_never_mirrored_into_its_own_negative():
    one_way = Slot("scroll_right", "button", ("MouseWheelX",))
    other = Slot("scroll_left", "button", (), ("MouseWheelX",))
    assert ActionSpace("buttons", (one_way, other)).mirror().vectors([1, 0]).tolist() == [0, 1]
    with pytest.raises(BadInputError, match="partner"):
        ActionSpace("buttons", (one_way,)).mirror()


def test_pairs_that_the_caller_names_make_a_mirror_where_none_is_known():
    cart = ActionSpace.discrete(["0", "1"], world="CartPole").mirror({"CartPole/0": "CartPole/1"})
    assert cart.indices([0, 1, 1]).tolist() == [1, 0, 0]
    box = ActionSpace.box([-1, 0], [1, 1]).mirror({"0": "-0", "1": "1"})
    assert box.vectors([0.5, 0.25]).tolist() == [-0.5, 0.25]
    lean = ActionSpace.from_names(["q", "e"])
    assert lean.mirror().vectors([1, 0]).tolist() == [1, 0]
    assert lean.mirror({"KeyQ": "KeyE"}).vectors([1, 0]).tolist() == [0, 1]


def test_the_28_to_20_table_holds_row_by_row():
    """Each source column alone lands in the target column that the reference's table says."""
    source = ActionSpace.from_names([*ActionSpace.from_layout("capture28").names, "dx", "dy"])
    found = conversion(source, ActionSpace.from_layout("capture20"))
    table = {  # source column: (target column, value), from systems.md 4.2
        3: (0, 1), 1: (0, -1), 0: (1, 1), 2: (1, -1), 4: (4, 1), 6: (5, 1), 5: (6, 1), 7: (7, 1), 26: (8, 1),
        27: (9, 1), 8: (10, 1), 9: (11, 1), 10: (12, 1), 11: (13, 1), 12: (14, 1), 13: (15, 1), 21: (16, 1),
        22: (17, 1), 23: (18, 1), 24: (19, 1),
    }  # fmt: skip
    expected = np.zeros((30, 20), np.float32)
    for row, (column, value) in table.items():
        expected[row, column] = value
    np.testing.assert_array_equal(found.vectors(np.eye(30))[:28], expected[:28])
    assert set(found.dropped) == {"x", "z", "t", "p", "i", "backspace", "esc", "enter"}
    assert found.missing == found.assumed == ()


def test_mouse_motion_becomes_the_right_stick_scaled_by_300_and_clipped_with_up_positive():
    found = conversion(ActionSpace.from_names(["dx", "dy"]), ActionSpace.from_layout("capture20"))
    sticks = found.vectors([[600, 150], [-30, -300], [0, 0]])[:, 2:4]
    np.testing.assert_allclose(sticks, [[1.0, -0.5], [-0.1, 1.0], [0, 0]], rtol=1e-6)


def test_opposite_keys_cancel_in_the_stick():
    found = conversion(ActionSpace.from_layout("capture28"), ActionSpace.from_layout("capture20"))
    both = np.zeros(28)
    both[[0, 1, 3]] = 1
    assert found.vectors(both)[:2].tolist() == [0, 1]
    assert found.missing == ("rx", "ry")


def test_spellings_of_two_programs_meet_in_the_same_control():
    found = conversion(ActionSpace.from_layout("capture85"), ActionSpace.from_layout("capture28"))
    assert found.missing == ()
    clicks = np.zeros(85)
    clicks[[78, 22]] = 1  # left_click, w
    assert np.flatnonzero(found.vectors(clicks)).tolist() == [0, 26]


def test_pads_meet_by_name_and_not_by_place():
    found = conversion(ActionSpace.from_layout("nitrogen21"), ActionSpace.from_layout("nitrogen25"))
    row = np.zeros(21)
    row[[14, 16, 18]] = 1, 1, -0.75  # south, west, j_left_y
    out = found.vectors(row)
    assert {int(k): float(out[k]) for k in np.flatnonzero(out)} == {18: 1.0, 20: 1.0, 22: -0.75}
    assert found.missing == ("RIGHT_BOTTOM", "RIGHT_LEFT", "RIGHT_RIGHT", "RIGHT_UP")
    assert found.dropped == ()


def test_a_trigger_axis_becomes_a_button_from_one_half_on():
    found = conversion(ActionSpace.from_names(["LEFT_TRIGGER"]), ActionSpace.from_layout("nitrogen21"))
    assert found.vectors([[0.49], [0.5], [1.0]])[:, 9].tolist() == [0, 1, 1]


def test_either_shift_becomes_the_left_one_and_that_is_said():
    either, left = ActionSpace.from_names(["shift"]), ActionSpace.from_names(["ShiftLeft", "ShiftRight"])
    found = conversion(either, left)
    assert found.vectors([1.0]).tolist() == [1, 0]
    assert (found.assumed, found.missing) == (("shift -> ShiftLeft",), ("ShiftRight",))
    back = conversion(left, either)
    assert back.vectors([[0, 1], [1, 1], [0, 0]]).tolist() == [[1], [1], [0]]
    assert back.assumed == ()


def test_keys_come_back_from_the_stick_and_that_is_said():
    found = conversion(ActionSpace.from_layout("capture20"), ActionSpace.from_names(["a", "d"]))
    stick = np.zeros((2, 20))
    stick[:, 0] = 1, -1
    assert found.vectors(stick).tolist() == [[0, 1], [1, 0]]
    assert found.assumed == ("lx -> a", "lx -> d")


def test_a_column_of_its_own_speaks_before_a_difference_or_an_alias():
    stick = conversion(ActionSpace.from_names(["d", "lx"]), ActionSpace.from_names(["d"]))
    assert (stick.dropped, stick.assumed) == (("lx",), ())
    both = Slot("crouch", "axis", ("ShiftLeft",), ("ControlLeft",), low=-1.0)
    found = conversion(ActionSpace.from_names(["shift", "ShiftLeft", "ControlLeft"]), ActionSpace("buttons", (both,)))
    assert (found.dropped, found.assumed) == (("shift",), ())
    assert found.vectors([[1, 0, 0], [0, 1, 0], [0, 0, 1]]).tolist() == [[0], [1], [-1]]


def test_one_way_of_the_wheel_does_not_stand_for_the_other():
    found = conversion(ActionSpace.from_names(["scroll_up"]), ActionSpace.from_names(["scroll_down"]))
    assert (found.dropped, found.missing) == (("scroll_up",), ("scroll_down",))


def test_a_stick_the_other_way_says_nothing_for_a_key():
    ahead = ActionSpace("buttons", (Slot("ahead", "axis", ("KeyW",), (), low=-1.0),))
    found = conversion(ActionSpace.from_names(["ly"]), ahead)
    assert found.vectors([[1.0], [-1.0]]).tolist() == [[1], [0]]


def test_motion_without_limits_is_copied_whole():
    found = conversion(ActionSpace.from_names(["dx", "wheel"]), ActionSpace.from_layout("gameon20"))
    assert found.vectors([1234.0, -3.0])[[12, 14]].tolist() == [1234.0, -3.0]


def test_a_wheel_impulse_says_nothing_of_the_distance():
    found = conversion(ActionSpace.from_names(["scroll_up"]), ActionSpace.from_names(["wheel"]))
    assert (found.dropped, found.missing) == (("scroll_up",), ("wheel",))


def test_the_wheel_becomes_an_impulse_for_each_way():
    found = conversion(ActionSpace.from_names(["wheel"]), ActionSpace.from_names(["scroll_up", "scroll_down"]))
    assert found.vectors([[2.0], [-1.0], [0.0]]).tolist() == [[1, 0], [0, 1], [0, 0]]


def test_numbers_of_one_game_become_those_of_the_full_set_by_name():
    found = conversion(ActionSpace.discrete(PONG, world="ALE"), ActionSpace.from_layout("ale18"))
    assert found.indices([0, 1, 2, 3, 4, 5]).tolist() == [0, 1, 3, 4, 11, 12]
    assert found.dropped == ()


def test_an_action_without_counterpart_is_refused_with_its_row():
    found = conversion(ActionSpace.from_layout("ale18"), ActionSpace.discrete(PONG, world="ALE"))
    assert "ALE/UP" in found.dropped
    with pytest.raises(BadInputError, match=r"row 2.*ALE/UPFIRE"):
        found.indices([3, 0, 10])


def test_one_of_eighteen_becomes_the_buttons_that_it_holds():
    buttons = ActionSpace.from_names(["ALE/UP", "ALE/DOWN", "ALE/LEFT", "ALE/RIGHT", "ALE/FIRE"])
    found = conversion(ActionSpace.from_layout("ale18"), buttons)
    assert found.vectors([0, 10, 17]).tolist() == [[0, 0, 0, 0, 0], [1, 0, 0, 0, 1], [0, 1, 1, 0, 1]]


def test_vectors_do_not_become_one_of_n():
    with pytest.raises(BadInputError, match="steps"):
        conversion(ActionSpace.from_names(["w"]), ActionSpace.from_layout("ale18"))


@pytest.mark.parametrize("bad", [[18], [-1], [1.5]])
def test_a_number_that_is_no_action_is_refused(bad):
    found = conversion(ActionSpace.from_layout("ale18"), ActionSpace.from_layout("ale18"))
    with pytest.raises(BadInputError, match="row 0"):
        found.indices(bad)


def test_vectors_of_another_width_are_refused():
    found = conversion(ActionSpace.from_names(["w", "a"]), ActionSpace.from_names(["w"]))
    with pytest.raises(BadInputError, match="width"):
        found.vectors(np.zeros((4, 3)))


def test_the_examples_in_the_manuals_run():
    for module in (actions, conversions):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0
