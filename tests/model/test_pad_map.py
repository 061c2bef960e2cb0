"""Pad maps: what the default says, a file of one's own, each game's lines, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.grid import to_grid
from rushes.model.pad_map import PadMap
from rushes.model.readings import Event
from rushes.store.pad_maps import read_pad_map

PAD = ActionSpace.from_layout("nitrogen25")


def pad(mapped, *events, steps=2):
    """What a map makes of events on a grid of 10 ns steps, as the names that are not 0."""
    grid = to_grid(events_frame(events), np.arange(steps) * 10, end_ns=steps * 10)
    return [{n: float(v) for n, v in zip(PAD.names, row, strict=True) if v} for row in mapped.pad(grid)]


def press(control, t=0):
    return Event(t, "kbd", control, "press", 1.0)


# The default map, line by line, by hand.
DEFAULT = [
    ("KeyA", "J_LEFT_X", -1), ("KeyD", "J_LEFT_X", 1), ("KeyW", "J_LEFT_Y", -1), ("KeyS", "J_LEFT_Y", 1),
    ("Space", "SOUTH", 1), ("ControlLeft", "EAST", 1), ("ControlRight", "EAST", 1), ("KeyR", "WEST", 1),
    ("KeyE", "NORTH", 1), ("KeyQ", "LEFT_SHOULDER", 1), ("KeyF", "RIGHT_SHOULDER", 1),
    ("MouseRight", "LEFT_TRIGGER", 1), ("MouseLeft", "RIGHT_TRIGGER", 1), ("ShiftLeft", "LEFT_THUMB", 1),
    ("ShiftRight", "LEFT_THUMB", 1), ("KeyV", "RIGHT_THUMB", 1), ("Digit1", "DPAD_UP", 1),
    ("Digit2", "DPAD_RIGHT", 1), ("Digit3", "DPAD_DOWN", 1), ("Digit4", "DPAD_LEFT", 1), ("Escape", "START", 1),
    ("Tab", "BACK", 1),
]  # fmt: skip


@pytest.mark.parametrize(("key", "control", "value"), DEFAULT)
def test_each_line_of_the_default(key, control, value):
    assert pad(read_pad_map(), press(key, 10)) == [{}, {control: value}]


def test_the_default_has_no_other_line():
    assert set(read_pad_map().controls) == {key for key, _, _ in DEFAULT} | {"MouseDX", "MouseDY"}


def test_motion_is_full_at_three_hundred_and_clipped_beyond():
    moves = [Event(t, "m", "Mouse", "move", dx=dx, dy=dy) for t, dx, dy in ((0, 150.0, -75.0), (10, 450.0, -900.0))]
    assert pad(read_pad_map(), *moves) == [
        {"J_RIGHT_X": 0.5, "J_RIGHT_Y": -0.25},
        {"J_RIGHT_X": 1.0, "J_RIGHT_Y": -1.0},
    ]
    grid = to_grid(events_frame(moves), [0, 10], end_ns=20)
    assert read_pad_map().clipped(grid) == 1


def test_opposite_keys_cancel_and_a_real_pad_counts_too():
    assert pad(read_pad_map(), press("KeyA"), press("KeyD"), steps=1) == [{}]
    stick = Event(0, "pad", "J_LEFT_X", "axis", 0.75)
    assert pad(read_pad_map(), stick, press("SOUTH"), press("KeyE"), steps=1) == [
        {"J_LEFT_X": 0.75, "SOUTH": 1.0, "NORTH": 1.0}
    ]
    assert pad(read_pad_map(), stick, press("KeyD"), steps=1) == [{"J_LEFT_X": 1.0}]  # not 1.75


def test_lines_of_a_game_take_the_place_of_the_common_ones():
    doom = read_pad_map(game="doom")
    assert doom.name == "wasd_mouse (Doom)"
    assert pad(doom, press("ArrowUp"), press("ControlLeft"), press("KeyR"), steps=1) == [
        {"J_LEFT_Y": -1.0, "RIGHT_TRIGGER": 1.0, "WEST": 1.0}
    ]
    assert pad(doom, press("ControlRight"), steps=1) == [{"RIGHT_TRIGGER": 1.0}]  # EAST is taken out
    assert read_pad_map(game="Quake").name == "wasd_mouse"
    assert pad(read_pad_map(game="Quake"), press("ArrowUp"), steps=1) == [{}]


def test_a_file_of_ones_own_is_read(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[buttons]\nRIGHT_UP = ["q", "KeyE"]\n[sticks]\nJ_LEFT_X = { plus = ["right"] }\n')
    mine = read_pad_map(file)
    assert mine.controls == ("KeyQ", "KeyE", "ArrowRight")
    assert pad(mine, press("KeyE"), press("ArrowRight"), steps=1) == [{"RIGHT_UP": 1.0, "J_LEFT_X": 1.0}]
    assert pad(mine, press("KeyW"), steps=1) == [{}]


def test_there_and_back_is_the_same_for_every_key_of_the_default():
    mapped = read_pad_map()
    for key, control, value in DEFAULT:
        row = np.zeros(25, np.float32)
        row[PAD.index(control)] = value
        several = [k for k, c, v in DEFAULT if (c, v) == (control, value)]  # of two the first is pressed
        back = mapped.keys(row, ActionSpace.from_names(several))
        assert key in several
        assert back.tolist() == [1.0, *[0.0] * (len(several) - 1)]


def test_motion_comes_back_in_its_own_unit():
    row = np.zeros(25, np.float32)
    row[PAD.index("J_RIGHT_X")], row[PAD.index("J_RIGHT_Y")] = 0.5, -0.25
    np.testing.assert_allclose(read_pad_map().keys(row, ActionSpace.from_names(["dx", "dy"])), [150, -75])
    target = ActionSpace.from_layout("capture20")
    found = dict(zip(target.names, read_pad_map().keys(row, target), strict=True))
    assert {k: float(v) for k, v in found.items() if v} == {"rx": 0.5, "ry": 0.25}  # its up is +1


def test_a_control_without_a_way_back_is_refused_by_name_or_left_out():
    row = np.zeros((2, 25), np.float32)
    row[1, PAD.index("GUIDE")] = row[1, PAD.index("SOUTH")] = 1
    with pytest.raises(BadInputError, match="GUIDE"):
        read_pad_map().keys(row, ActionSpace.from_layout("capture28"))
    found = read_pad_map().keys(row, ActionSpace.from_names(["space", "w"]), partial=True)
    assert found.tolist() == [[0, 0], [1, 0]]
    assert "GUIDE" not in read_pad_map().ways_back(ActionSpace.from_layout("capture28"))
    assert "SOUTH" in read_pad_map().ways_back(ActionSpace.from_layout("capture28"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[buttons]\nSOTH = ["Space"]', "did you mean 'SOUTH'"),
        ('[buttons]\nSOUTH = ["Spce"]', "Spce"),
        ('[buttons]\nSOUTH = "Space"', r'\["Space"\]'),
        ('[buttons]\nSOUTH = ["dx"]', "MouseDX"),
        ('[buttons]\nSOUTH = ["J_LEFT_X"]', "J_LEFT_X"),
        ('[buttons]\nSOUTH = ["e"]\nEAST = ["KeyE"]', "KeyE for several"),
        ('[sticks]\nJ_LEFT_X = { minus = ["d"], plus = ["d"] }', "KeyD for .*both sides of one"),
        ('[sticks]\nJ_LEFT_X = { motion = "MouseDX", full = 1e-320 }', "full = 1e-320"),
        ('[sticks]\nJ_LEFT_Z = { plus = ["d"] }', "J_LEFT_Z"),
        ('[sticks]\nJ_LEFT_X = ["d"]', "a table"),
        ('[sticks]\nJ_LEFT_X = { right = ["d"] }', "right"),
        ('[sticks]\nJ_LEFT_X = { motion = "MouseDX" }', "full = 0"),
        ('[sticks]\nJ_LEFT_X = { motion = "MouseDX", full = -3 }', "full = -3"),
        ('[sticks]\nJ_LEFT_X = { motion = "Space", full = 3 }', "motion"),
        ("[keys]\na = 1", "keys"),
        ("buttons = 5", "a table"),
        ('[games.Doom.keys]\na = ["x"]', "games.Doom"),
        ("[buttons\n", "no TOML"),
        ("games = 3", "a table"),
        ("[games]\nDoom = 3", "a table"),
        ("[games.Doom]\nbuttons = 3", "a table"),
    ],
)
def test_what_a_map_cannot_say_is_refused_and_named(tmp_path, text, said):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(BadDataError, match=said):
        read_pad_map(file, game="Doom")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(MissingError, match=r"nowhere\.toml"):
        read_pad_map(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadDataError, match=r"bytes\.toml"):
        read_pad_map(tmp_path / "bytes.toml")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "windows.toml").write_text('name = "mine"\n[buttons]\nSOUTH = ["q"]', encoding="utf-8-sig")
    assert read_pad_map(tmp_path / "windows.toml").controls == ("KeyQ",)


def test_a_map_of_nothing_moves_nothing():
    assert pad(PadMap.from_values({}), press("KeyW"), steps=1) == [{}]
