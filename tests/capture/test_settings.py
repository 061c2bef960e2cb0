"""What can be asked of a recording, and what is refused before anything is opened or written."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from rushes.capture.settings import Settings, action_space, controls_of
from rushes.errors import BadInputError, BadNameError, MissingError

WINDOW = {"window": "Game"}


def test_without_saying_whose_keys_a_desktop_recording_names_the_three_ways():
    with pytest.raises(BadInputError) as caught:
        Settings(region=(0, 0, 10, 10))
    for way in ("--window", "--keys-anywhere", "--no-keys"):
        assert way in str(caught.value)


@pytest.mark.parametrize("way", [WINDOW, {"process_name": "game"}, {"keys_anywhere": True}, {"no_keys": True}])
def test_each_of_the_ways_is_enough(way):
    assert Settings(**way).backend == "desktop"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fps": 0}, "--fps 0; accepted: 0.1 to 1000"),
        ({"fps": 5000}, "--fps 5000"),
        ({"chunk_size": 0}, "--chunk-size 0; accepted: 1 to"),
        ({"max_frames": -1}, "--max-frames -1"),
        ({"idle_stop": -2.0}, "--idle-stop -2"),
        ({"region": (10, 0, 10, 5)}, "left < right and top < bottom"),
        ({"audio": ("speaker",)}, "audio 'speaker'; accepted: system, mic"),
        ({"codec": "mpeg2"}, "codec 'mpeg2'; accepted: h264, h265, lossless, png"),
        ({"layout": "capture82"}, "layout 'capture82'.*capture28"),
        ({"resume": True}, "name it with --out"),
        ({"keys_anywhere": True, "no_keys": True}, "together"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(given, message):
    with pytest.raises((BadInputError, MissingError, BadNameError), match=message):
        Settings(**WINDOW | given)


def test_an_unknown_backend_gets_the_near_name():
    with pytest.raises(BadInputError, match="desktop"):
        Settings(backend="dekstop")


def test_settings_cross_a_process_border_unchanged():
    asked = Settings(region=(1, 2, 30, 40), audio=("system", "mic"), keys_anywhere=True, fps=59.94, out="x")
    assert Settings.from_json(json.loads(json.dumps(asked.to_json()))) == asked
    assert {f.name for f in fields(Settings)} == set(asked.to_json())


def test_the_default_place_is_that_of_the_house():
    path = Settings(game="Half Life: 2/Episode", **WINDOW).path()
    assert path.parts[:2] == ("data", "sessions")
    assert re.fullmatch(r"Half_Life_2_Episode_\d{8}_\d{6}", path.name)
    assert Settings(out="here/it/goes", **WINDOW).path() == Path("here/it/goes")


def test_a_layout_of_ones_own_is_a_list_of_names(tmp_path):
    (tmp_path / "keys.json").write_text('["w", "shift", "Space", "lmb", "SOUTH", "J_LEFT_X"]')
    space = action_space(str(tmp_path / "keys.json"))
    assert space.names == ("w", "shift", "Space", "lmb", "SOUTH", "J_LEFT_X", "MouseDX", "MouseDY")
    assert controls_of(space) == {
        "KeyW", "ShiftLeft", "ShiftRight", "Space", "MouseLeft", "SOUTH", "J_LEFT_X", "MouseDX", "MouseDY",
    }  # fmt: skip


def test_a_known_layout_has_its_slots_in_order_and_the_motion_behind_them():
    names = action_space("capture28").names
    assert names[:4] == ("w", "a", "s", "d")
    assert names[-3:] == ("rmb", "MouseDX", "MouseDY")
    assert len(names) == 30


@pytest.mark.parametrize("text", ["{}", "[]", "[1, 2]", "not json"])
def test_a_layout_file_that_is_no_list_says_what_one_looks_like(tmp_path, text):
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(BadInputError, match=r'JSON such as \["w"'):
        action_space(str(tmp_path / "keys.json"))


def test_a_control_that_nobody_knows_is_refused_by_name(tmp_path):
    (tmp_path / "keys.json").write_text('["w", "KeyÄ"]')
    with pytest.raises(BadNameError, match="KeyÄ"):
        action_space(str(tmp_path / "keys.json"))
