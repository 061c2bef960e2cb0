"""Names of controls and layouts of known programs; expected lists come from the programs' own guides."""

import doctest

import pytest

from rushes.errors import BadDataError, BadNameError
from rushes.model import controls, layouts
from rushes.model.controls import (
    ALE_ACTIONS,
    ALIASES,
    CONTROLS,
    action_buttons,
    kind_of,
    mirror_control,
    resolve,
)
from rushes.model.layouts import LAYOUTS, Slot, layout, slot


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("w", ("KeyW",)),
        ("W", ("KeyW",)),
        ("KeyW", ("KeyW",)),
        ("keyw", ("KeyW",)),
        ("1", ("Digit1",)),
        ("!", ("Digit1",)),
        ("shift", ("ShiftLeft", "ShiftRight")),
        ("ctrl", ("ControlLeft", "ControlRight")),
        ("Key.shift_r", ("ShiftRight",)),
        ("Key.space", ("Space",)),
        ("space", ("Space",)),
        (" ", ("Space",)),
        ("esc", ("Escape",)),
        ("Key.esc", ("Escape",)),
        ("Key.page_up", ("PageUp",)),
        ("Key.f5", ("F5",)),
        ("Key.up", ("ArrowUp",)),
        ("arrow_left", ("ArrowLeft",)),
        ("lmb", ("MouseLeft",)),
        ("left_click", ("MouseLeft",)),
        ("Button.left", ("MouseLeft",)),
        ("Button.right", ("MouseRight",)),
        ("mouse_x1", ("MouseX1",)),
        ("dx", ("MouseDX",)),
        ("wheel", ("MouseWheel",)),
        ("south", ("SOUTH",)),
        ("j_left_x", ("J_LEFT_X",)),
        ("\\", ("Backslash",)),
        ("|", ("Backslash",)),
        ("'", ("Quote",)),
        ("?", ("Slash",)),
        ("ale/upfire", ("ALE/UPFIRE",)),
        ("Jump/JUMP", ("Jump/JUMP",)),
    ],
)
def test_an_alias_means_the_physical_controls_that_its_program_meant(alias, expected):
    assert resolve(alias) == expected


@pytest.mark.parametrize(("typo", "meant"), [("spcae", "space"), ("lmbb", "lmb"), ("J_LEFTX", "j_left_x")])
def test_an_unknown_name_is_answered_with_the_nearest_one(typo, meant):
    with pytest.raises(BadNameError) as caught:
        resolve(typo)
    assert meant in caught.value.fix.lower()
    assert caught.value.accepts


def test_an_ale_action_that_does_not_exist_is_refused_although_it_looks_like_one_of_a_world():
    with pytest.raises(BadNameError):
        resolve("ALE/JUMP")


def test_every_alias_leads_to_controls_that_exist():
    assert {control for found in ALIASES.values() for control in found} <= set(CONTROLS)


@pytest.mark.parametrize(
    ("control", "kind"),
    [
        ("KeyA", "button"),
        ("J_LEFT_Y", "axis"),
        ("LEFT_TRIGGER", "axis"),
        ("MouseDX", "motion"),
        ("Jump/JUMP", "button"),
    ],
)
def test_each_control_has_one_kind(control, kind):
    assert kind_of(control) == kind


@pytest.mark.parametrize("name", ["shift", "Mouse", "lmb"])
def test_an_alias_has_no_kind_of_its_own(name):
    with pytest.raises(BadNameError):
        kind_of(name)


def test_ale_actions_stand_in_the_emulators_order():
    # systems.md 3.3, from the emulator's enumeration
    assert " ".join(ALE_ACTIONS).replace("ALE/", "") == (
        "NOOP FIRE UP RIGHT LEFT DOWN UPRIGHT UPLEFT DOWNRIGHT DOWNLEFT UPFIRE RIGHTFIRE LEFTFIRE DOWNFIRE "
        "UPRIGHTFIRE UPLEFTFIRE DOWNRIGHTFIRE DOWNLEFTFIRE"
    )


@pytest.mark.parametrize(
    ("action", "buttons"),
    [
        ("ALE/NOOP", set()),
        ("ALE/FIRE", {"ALE/FIRE"}),
        ("ALE/UPFIRE", {"ALE/UP", "ALE/FIRE"}),
        ("ALE/DOWNLEFTFIRE", {"ALE/DOWN", "ALE/LEFT", "ALE/FIRE"}),
        ("Jump/JUMP", {"Jump/JUMP"}),
        ("Jump/NOOP", set()),
    ],
)
def test_an_action_is_the_set_of_its_buttons(action, buttons):
    assert action_buttons(action) == buttons


@pytest.mark.parametrize("action", ["UPFIRE", "ALE/UPDOWN"])
def test_an_action_without_world_or_unknown_to_ale_has_no_buttons(action):
    with pytest.raises(BadNameError):
        action_buttons(action)


@pytest.mark.parametrize(
    ("control", "image"),
    [
        ("KeyA", ("KeyD", 1)),
        ("KeyD", ("KeyA", 1)),
        ("KeyQ", ("KeyQ", 1)),
        ("ArrowLeft", ("ArrowRight", 1)),
        ("DPAD_RIGHT", ("DPAD_LEFT", 1)),
        ("LEFT_SHOULDER", ("LEFT_SHOULDER", 1)),
        ("MouseLeft", ("MouseLeft", 1)),
        ("MouseDX", ("MouseDX", -1)),
        ("MouseDY", ("MouseDY", 1)),
        ("J_RIGHT_X", ("J_RIGHT_X", -1)),
        ("J_LEFT_Y", ("J_LEFT_Y", 1)),
        ("ALE/UPRIGHTFIRE", ("ALE/UPLEFTFIRE", 1)),
        ("ALE/DOWN", ("ALE/DOWN", 1)),
    ],
)
def test_only_what_points_left_or_right_changes_in_the_mirror(control, image):
    assert mirror_control(control) == image


def test_capture28_has_the_order_of_the_guides_table():
    guide = "w a s d space shift ctrl e q r f g c v x z t p i backspace esc 1 2 3 4 enter lmb rmb"
    assert [s.name for s in layout("capture28").slots] == guide.split()
    assert layout("capture28").slots[5].plus == ("ShiftLeft", "ShiftRight")
    assert layout("capture28").slots[26].plus == ("MouseLeft",)


def test_capture20_swaps_shift_and_ctrl_against_capture28():
    names = [s.name for s in layout("capture20").slots]
    assert " ".join(names) == "lx ly rx ry space ctrl shift e lmb rmb q r f g c v 1 2 3 4"
    assert [s.name for s in layout("capture25").slots] == [*names, "x", "z", "enter", "esc", "i"]


def test_the_sticks_of_capture20_are_differences_of_keys_and_scaled_mouse_motion():
    lx, ly, rx, ry = layout("capture20").slots[:4]
    assert (lx.plus, lx.minus, ly.plus, ly.minus) == (("KeyD",), ("KeyA",), ("KeyW",), ("KeyS",))
    assert (rx.plus, rx.minus, ry.plus, ry.minus) == (("MouseDX",), (), (), ("MouseDY",))
    assert (rx.scale, rx.low, rx.high) == (1 / 300, -1.0, 1.0)


def test_capture85_counts_48_keys_30_special_ones_and_7_of_the_mouse():
    names = [s.name for s in layout("capture85").slots]
    assert len(set(names)) == 85
    assert names[:3] + names[47:50] == ["a", "b", "c", "f12", "space", "shift"]
    assert names[76:79] == ["page_up", "page_down", "left_click"]
    assert " ".join(names[78:]) == "left_click right_click middle_click mouse_x1 mouse_x2 scroll_up scroll_down"


def test_capture25_keys_is_the_fallback_list_of_the_later_recorder():
    names = [s.name for s in layout("capture25_keys").slots]
    assert " ".join(names) == ("w a s d space ctrl shift e left_click right_click q r f g c v 1 2 3 4 x z enter esc i")


def test_nitrogen25_is_the_token_list_and_then_both_sticks():
    names = [s.name for s in layout("nitrogen25").slots]
    assert " ".join(names) == (
        "BACK DPAD_DOWN DPAD_LEFT DPAD_RIGHT DPAD_UP EAST GUIDE LEFT_SHOULDER LEFT_THUMB LEFT_TRIGGER NORTH "
        "RIGHT_BOTTOM RIGHT_LEFT RIGHT_RIGHT RIGHT_SHOULDER RIGHT_THUMB RIGHT_TRIGGER RIGHT_UP SOUTH START "
        "WEST "
        "J_LEFT_X J_LEFT_Y J_RIGHT_X J_RIGHT_Y"
    )


def test_nitrogen21_is_the_17_columns_of_the_data_set_and_both_sticks():
    slots = layout("nitrogen21").slots
    assert " ".join(s.name.lower() for s in slots) == (
        "back dpad_down dpad_left dpad_right dpad_up east guide left_shoulder left_thumb left_trigger north "
        "right_shoulder right_thumb right_trigger south start west j_left_x j_left_y j_right_x j_right_y"
    )
    assert [s.role for s in slots] == ["button"] * 17 + ["axis"] * 4


def test_gameon20_keeps_the_slots_of_its_code_and_fills_12_to_14_with_motion():
    slots = layout("gameon20").slots
    used = {k: s.plus[0] for k, s in enumerate(slots) if s.role != "unused"}
    assert used == {
        0: "KeyW", 1: "KeyA", 2: "KeyS", 3: "KeyD", 4: "Space", 10: "MouseLeft", 11: "MouseRight",
        12: "MouseDX", 13: "MouseDY", 14: "MouseWheel",
    }  # fmt: skip
    assert [s.name for s in slots if s.role == "unused"] == [f"unused_{k}" for k in (5, 6, 7, 8, 9, 15, 16, 17, 18, 19)]


def test_reacture6_and_ale18_have_their_programs_orders():
    assert [s.name for s in layout("reacture6").slots] == ["W", "A", "S", "D", "inspect", "destroy"]
    assert layout("ale18").kind == "discrete"
    assert [s.name for s in layout("ale18").slots][10] == "ALE/UPFIRE"


def test_the_number_in_a_layouts_name_is_its_width_and_each_layout_names_its_source():
    for name, found in LAYOUTS.items():
        assert len(found.slots) == int("".join(c for c in name if c.isdigit())), name
        assert found.source


def test_an_unknown_layout_is_answered_with_the_nearest_one():
    with pytest.raises(BadNameError, match="capture28"):
        layout("capture82")


def test_wheel_impulses_are_buttons_for_each_way_of_the_wheel():
    assert (slot("scroll_up").plus, slot("scroll_down").minus) == (("MouseWheel",), ("MouseWheel",))


@pytest.mark.parametrize("broken", [{"name": "w"}, {"role": "knob"}, {"extra": 1}])
def test_a_slot_that_does_not_read_is_refused(broken):
    whole = slot("w").to_json()
    assert Slot.from_json(whole) == slot("w")
    value = broken if "name" in broken else whole | broken
    with pytest.raises(BadDataError):
        Slot.from_json(value)


def test_the_examples_in_the_manuals_run():
    for module in (controls, layouts):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0
