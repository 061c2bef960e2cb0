"""Inputs as rows of a layout, both ways through the pad map, and the account of what has no place."""

from __future__ import annotations

import numpy as np
import pytest

from rushes.formats.inputs import Account, Rows
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.grid import to_grid
from rushes.model.ledger import Tally
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import pairs
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

KEYS = ActionSpace.from_layout("capture28")
STICKS = ActionSpace.from_layout("capture20")
PAD21 = ActionSpace.from_layout("nitrogen21")
PAD25 = ActionSpace.from_layout("nitrogen25")


def named(space, *events, motion=False):
    """What one step of events becomes, as the names that are not 0."""
    grid = to_grid(events_frame(events), [0], end_ns=10)
    (row,) = Rows(space, read_pad_map(), motion=motion).vectors(grid)
    return {name: float(value) for name, value in zip(space.names, row, strict=True) if value}


def press(control):
    return Event(1, "any", control, "press", 1.0)


def axis(control, value):
    return Event(1, "pad", control, "axis", value)


def test_keys_go_straight_into_a_layout_of_keys():
    assert named(KEYS, press("KeyW"), press("ShiftRight"), press("MouseLeft")) == {"w": 1, "shift": 1, "lmb": 1}
    assert named(STICKS, press("KeyW"), press("KeyA"), Event(1, "m", "Mouse", "move", dx=600.0, dy=150.0)) == {
        "lx": -1, "ly": 1, "rx": 1, "ry": -0.5,
    }  # fmt: skip


def test_a_pad_goes_there_through_the_map():
    assert named(KEYS, press("SOUTH"), axis("RIGHT_TRIGGER", 0.8), axis("J_LEFT_Y", -0.6)) == {
        "space": 1,
        "lmb": 1,
        "w": 1,
    }
    found = named(STICKS, axis("J_LEFT_X", 0.5), axis("J_LEFT_Y", -0.25), axis("J_RIGHT_X", 0.5), press("EAST"))
    assert found == {"lx": 0.5, "ly": 0.25, "rx": 0.5, "ctrl": 1}


def test_keyboard_and_pad_together_do_not_add_up_beyond_the_limits():
    assert named(KEYS, press("KeyW"), axis("J_LEFT_Y", -1.0)) == {"w": 1}
    assert named(STICKS, press("KeyD"), axis("J_LEFT_X", 1.0)) == {"lx": 1}


def test_keys_become_a_pad_and_a_pad_stays_one():
    assert named(PAD21, press("KeyW"), press("Space")) == {"J_LEFT_Y": -1, "SOUTH": 1}
    assert named(PAD21, axis("LEFT_TRIGGER", 0.6), axis("J_LEFT_X", -0.3)) == pytest.approx(
        {"LEFT_TRIGGER": 1, "J_LEFT_X": -0.3}
    )
    assert named(PAD25, press("RIGHT_UP")) == {"RIGHT_UP": 1}
    assert named(PAD21, press("RIGHT_UP")) == {}


def test_controls_say_what_has_a_place():
    default = read_pad_map()
    keys, pad21, pad25 = (Rows(space, default).controls for space in (KEYS, PAD21, PAD25))
    assert {"KeyW", "ShiftRight", "J_LEFT_X", "SOUTH"} <= keys
    assert {"GUIDE", "MouseDX", "KeyP"} & keys == {"KeyP"}
    assert {"MouseDX", "MouseDY"} <= Rows(KEYS, default, motion=True).controls
    assert {"KeyW", "MouseDX", "GUIDE", "J_LEFT_X"} <= pad21
    assert "KeyP" not in pad21
    assert pad25 - pad21 == {"RIGHT_UP", "RIGHT_BOTTOM", "RIGHT_LEFT", "RIGHT_RIGHT"}


def record(path, events, *, outside=()):
    info = SessionInfo(
        id="take",
        game="Doom",
        source={"kind": "desktop", "name": "test"},
        time_source="measured",
        streams=(
            StreamSpec("screen", "frames", "png", width=4, height=4, rate_hz=10.0),
            StreamSpec("events", "events"),
        ),
        action_space=ActionSpace.from_names(["w"]),
    )
    with SessionWriter(path, info) as writer:
        writer.write(Start(0))
        frames = [Frame(t, np.zeros((4, 4, 3), np.uint8)) for t in (0, 10)]
        for reading in sorted([*frames, *events], key=lambda r: (r.t_ns, isinstance(r, Event))):
            writer.write(reading)
        writer.write(Gap(20, "end"))
        for event in outside:
            writer.write(event)
    return open_session(path)


def account(session, controls, *, lost=()):
    tally = Tally()
    found = Account(tally, frozenset(controls))
    for pair in pairs(session):
        found.take(pair)
    for reason, count in lost:
        found.lose(reason, count)
    found.close(session)
    ledger = tally.close()
    assert ledger.balances
    return ledger["events"]


def key(t, control, kind, flag=""):
    return Event(t, "kbd", control, kind, float(kind == "press"), flag=flag)


def test_every_event_is_kept_or_lost_under_its_reason(tmp_path):
    events = [
        key(1, "KeyW", "press"), key(2, "KeyW", "release"), key(3, "KeyP", "press"), key(4, "KeyP", "release"),
        key(5, "KeyO", "press"), Event(6, "m", "Mouse", "move", dx=1.0, dy=1.0),
        key(7, "F8", "press", "hotkey"), key(8, "F8", "release", "hotkey"),
    ]  # fmt: skip
    session = record(tmp_path / "s", events, outside=[key(30, "KeyW", "press"), key(31, "KeyW", "release")])
    found = account(session, ["KeyW"])
    assert (found.offered, found.kept) == (10, 2)
    assert found.lost == {
        "no_place_KeyP": 2, "no_place_KeyO": 1, "no_place_MouseDX": 1, "hotkey": 2, "outside_segment": 2,
    }  # fmt: skip
    assert account(session, ["KeyW", "KeyP", "KeyO", "MouseDY"]).lost == {"hotkey": 2, "outside_segment": 2}


def test_a_format_may_lose_events_for_a_reason_of_its_own(tmp_path):
    session = record(tmp_path / "s", [key(1, "KeyW", "press"), key(2, "KeyW", "release")])
    found = account(session, ["KeyW"], lost=[("remainder", 1)])
    assert (found.offered, found.kept, found.lost) == (2, 1, {"remainder": 1})


def test_a_chord_that_is_held_into_a_segment_is_counted_once(tmp_path):
    info = record(tmp_path / "s", []).info
    with SessionWriter(tmp_path / "t", info) as writer:
        for reading in (
            key(1, "F8", "press", "hotkey"), Start(5), Frame(5, np.zeros((4, 4, 3), np.uint8)),
            key(6, "F8", "release", "hotkey"), key(7, "KeyW", "press"), Gap(20, "end"),
        ):  # fmt: skip
            writer.write(reading)
    found = account(open_session(tmp_path / "t"), ["KeyW"])
    assert (found.offered, found.kept) == (3, 1)
    assert found.lost == {"hotkey": 1, "outside_segment": 1}


def test_a_repeated_press_is_kept(tmp_path):
    session = record(tmp_path / "s", [key(1, "KeyW", "press"), key(2, "KeyW", "press"), key(3, "KeyW", "release")])
    assert account(session, ["KeyW"]).kept == 3


def test_nothing_done_is_an_account_of_nothing(tmp_path):
    found = account(record(tmp_path / "s", []), ["KeyW"])
    assert (found.offered, found.kept, dict(found.lost)) == (0, 0, {})
