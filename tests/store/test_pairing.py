"""Frames with what was done on each: rows, the interval before, the instant, delays, environments; counted by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.delay import moved
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact
from rushes.store.pairing import delay_of, pairs
from rushes.store.reader import open_session
from rushes.store.validity import honour
from rushes.store.writer import SessionWriter


def load(name):
    spec = importlib.util.spec_from_file_location(
        f"pairing_{name}", Path(__file__).parents[1] / "formats" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def key(t, control, kind, **more):
    return Event(t, "kbd", control, kind, float(kind == "press"), **more)


def move(t, dx, dy=0.0):
    return Event(t, "mouse", "Mouse", "move", dx=float(dx), dy=float(dy))


def record(path, *segments):
    """Segments of (times, end, events) in ns; an event of None's segment stands between two."""
    info = SessionInfo(
        id="take",
        game="Doom",
        source={"kind": "desktop", "name": "test"},
        time_source="measured",
        streams=(
            StreamSpec("screen", "frames", "png", width=4, height=4, rate_hz=10.0),
            StreamSpec("events", "events"),
        ),
        action_space=ActionSpace.from_names(["w", "space", "dx"]),
    )
    with SessionWriter(path, info) as writer:
        for times, end, events in segments:
            writer.write(Start(times[0]))
            frames = [Frame(t, np.zeros((4, 4, 3), np.uint8)) for t in times]
            for reading in sorted([*frames, *events], key=lambda r: (r.t_ns, isinstance(r, Event))):
                writer.write(reading)
            writer.write(Gap(end, "pause"))
    return open_session(path)


EVENTS = [
    key(15, "KeyW", "press"), key(31, "KeyW", "release"), key(17, "Space", "press"), key(19, "Space", "release"),
    move(12, 1), move(25, 10), move(35, 100), key(38, "KeyP", "press"),
]  # fmt: skip


@pytest.fixture
def pair(tmp_path):
    (found,) = pairs(record(tmp_path / "s", ([10, 20, 30], 40, EVENTS)))
    return found


def test_a_row_is_what_happens_from_its_frame_to_the_next(pair):
    assert (len(pair), pair.unpaired, pair.segment.index) == (3, 0, 0)
    assert pair.index["frame_index"].tolist() == [0, 1, 2]
    assert pair.grid.held["KeyW"].tolist() == [True, True, True]
    assert pair.grid.held["Space"].tolist() == [True, False, False]
    assert pair.grid.motion["MouseDX"].tolist() == [1, 10, 100]
    assert pair.grid.ends_ns.tolist() == [20, 30, 40]


def test_before_is_what_happened_since_the_last_frame(pair):
    assert pair.before.held["KeyW"].tolist() == [False, True, True]
    assert pair.before.held["Space"].tolist() == [False, True, False]
    assert pair.before.motion["MouseDX"].tolist() == [0, 1, 10]
    assert len(pair.before) == 3


def test_before_takes_what_happens_at_the_frame_itself(tmp_path):
    (found,) = pairs(record(tmp_path / "s", ([10, 20, 30], 40, [move(10, 1), move(20, 10), move(21, 100)])))
    assert found.before.motion["MouseDX"].tolist() == [1, 10, 100]
    assert found.grid.motion["MouseDX"].tolist() == [1, 110, 0]


def test_the_snapshot_is_the_instant(pair):
    assert pair.snapshot.held["KeyW"].tolist() == [False, True, True]
    assert pair.snapshot.held["Space"].tolist() == [False, False, False]  # a tap between two frames
    assert pair.snapshot.held["KeyP"].tolist() == [False, False, False]
    assert len(pair.snapshot) == 3
    assert pair.snapshot.t_ns.tolist() == [10, 20, 30]


def test_a_snapshot_takes_a_press_at_the_frame_and_not_a_release(tmp_path):
    events = [key(20, "KeyW", "press"), key(30, "KeyW", "release")]
    (found,) = pairs(record(tmp_path / "s", ([10, 20, 30], 40, events)))
    assert found.snapshot.held["KeyW"].tolist() == [False, True, False]


def test_two_frames_of_one_time_have_one_snapshot(tmp_path):
    events = [key(20, "KeyW", "press"), key(25, "KeyW", "release")]
    (found,) = pairs(record(tmp_path / "s", ([10, 20, 20, 30], 40, events)))
    assert found.snapshot.held["KeyW"].tolist() == [False, True, True, False]
    assert len(found.before) == 4


def test_sticks_stand_where_they_were_at_the_instant(tmp_path):
    events = [Event(15, "pad", "J_LEFT_X", "axis", 0.5), Event(25, "pad", "J_LEFT_X", "axis", -1.0)]
    (found,) = pairs(record(tmp_path / "s", ([10, 20, 30], 40, events)))
    assert found.snapshot.axes["J_LEFT_X"].tolist() == [0, 0.5, -1]
    assert found.before.axes["J_LEFT_X"].tolist() == [0, 0.5, -1]
    assert found.grid.axes["J_LEFT_X"].tolist() == [0.5, -1, -1]


def test_one_frame_is_one_row(tmp_path):
    (found,) = pairs(record(tmp_path / "s", ([10], 40, [key(15, "KeyW", "press")])))
    assert found.grid.held["KeyW"].tolist() == [True]
    assert found.before.held["KeyW"].tolist() == [False]
    assert found.snapshot.held["KeyW"].tolist() == [False]


def test_segments_come_one_by_one_and_what_is_down_stays_down(tmp_path):
    session = record(
        tmp_path / "s",
        ([10, 20], 30, [key(15, "KeyW", "press")]),
        ([100, 110], 120, [key(112, "KeyW", "release")]),
    )
    first, second = pairs(session)
    assert first.grid.held["KeyW"].tolist() == [True, True]
    assert second.grid.held["KeyW"].tolist() == [True, True]
    assert second.before.held["KeyW"].tolist() == [True, True]
    assert second.index["frame_index"].tolist() == [2, 3]


def test_a_delay_moves_events_later_everywhere(tmp_path):
    session = record(tmp_path / "s", ([0, 10_000_000, 20_000_000], 30_000_000, [move(5_000_000, 7)]))
    (found,) = pairs(session, action_delay_ms=10)
    assert found.grid.motion["MouseDX"].tolist() == [0, 7, 0]
    assert found.before.motion["MouseDX"].tolist() == [0, 0, 7]
    assert found.grid.action_delay_ms == found.before.action_delay_ms == 10
    (found,) = pairs(session, action_delay_ms=30)
    assert found.grid.motion["MouseDX"].tolist() == [0, 0, 0]
    assert found.without_place([]) == {}


def test_events_without_a_place_are_counted_by_control(tmp_path):
    events = [*EVENTS, key(39, "F8", "press", flag="hotkey"), Event(26, "mouse", "MouseWheel", "scroll", 1.0)]
    (found,) = pairs(record(tmp_path / "s", ([10, 20, 30], 40, events)))
    assert found.without_place(["KeyW", "Space", "MouseDX"]) == {"KeyP": 1, "MouseWheel": 1}
    assert found.without_place(["KeyW", "MouseDY"]) == {"Space": 2, "KeyP": 1, "MouseWheel": 1}
    assert found.without_place(["KeyP"]) == {"KeyW": 2, "Space": 2, "MouseDX": 3, "MouseWheel": 1}


def test_the_last_observation_of_an_environment_has_no_action():
    fake = load("fake")
    play = fake.Fake([5, 1, 3], env_id="ALE/Breakout-v5", game="Breakout", names=fake.BREAKOUT)
    first, second = pairs(play)  # the episode of one observation has no action at all
    assert [(len(p), p.unpaired, p.segment.index) for p in (first, second)] == [(4, 1, 0), (2, 1, 2)]
    names = play.steps(0)["action_name"].tolist()
    for button in ("FIRE", "LEFT", "RIGHT"):
        held = first.grid.held.get(f"ALE/{button}", np.zeros(4, bool))
        assert held.tolist() == [name == f"ALE/{button}" for name in names]


def test_a_delay_is_a_number_or_what_was_measured(tmp_path):
    session = record(tmp_path / "s", ([10, 20], 30, []))
    assert delay_of(session, "12.5") == 12.5
    assert delay_of(session, "-3") == -3.0
    for text in ("soon", "nan", "inf", "", "1e300"):
        with pytest.raises(BadInputError, match="milliseconds"):
            delay_of(session, text)
    with pytest.raises(BadInputError, match="nobody measured"):
        delay_of(session, "measured")
    for ms in (40.0, 41.5):
        value = {"ms": ms, "low": 0.0, "high": 50.0, "drift_ppm": 0.0}
        add_fact(tmp_path / "s", "offset", value, author="test")
    assert delay_of(session, "measured") == 41.5
    add_fact(tmp_path / "s", "validity", {"valid": False}, author="me", t_start_ns=20, t_end_ns=30)
    assert delay_of(honour(session), "measured") == 41.5
    with pytest.raises(BadInputError, match="nobody measured"):
        delay_of(load("fake").Fake([3]), "measured")


def test_a_measured_delay_drifts_from_the_middle_of_what_it_is_about(tmp_path):
    session = record(tmp_path / "s", ([0, 10], 600 * 10**9, []))
    add_fact(tmp_path / "s", "offset", {"ms": 9.0, "low": 8.0, "high": 10.0, "drift_ppm": 0.0}, author="first")
    add_fact(tmp_path / "s", "offset", {"ms": 40.0, "low": 39.0, "high": 41.0, "drift_ppm": 100.0}, author="second")
    part = {"ms": 50.0, "low": 49.0, "high": 51.0, "drift_ppm": None}
    add_fact(tmp_path / "s", "offset", part, author="third", t_start_ns=20, t_end_ns=40)
    delay = delay_of(session, "measured")
    assert delay == 40.0
    # 100 ppm over the 300 s before the middle are 30 ms
    assert moved([0, 30, 600 * 10**9], delay).tolist() == [10_000_000, 50_000_030, 600 * 10**9 + 70_000_000]
    add_fact(tmp_path / "s", "validity", {"valid": False}, author="me", t_start_ns=0, t_end_ns=5)
    assert moved([0], delay_of(honour(open_session(session.path)), "measured")).tolist() == [10_000_000]


def test_a_key_that_is_held_over_a_marked_stretch_is_still_held_behind_it(tmp_path):
    session = record(tmp_path / "s", ([10, 20, 30, 40], 50, [key(15, "KeyW", "press"), key(45, "KeyW", "release")]))
    add_fact(session.path, "validity", {"valid": False}, author="me", t_start_ns=20, t_end_ns=30)
    first, second = pairs(honour(session))
    assert first.grid.held["KeyW"].tolist() == [True]
    assert second.grid.held["KeyW"].tolist() == [True, True]
    assert second.grid.pressed["KeyW"].tolist() == [0, 0], "it went down before"
