"""Events: their table, what may stand in it, repeats, and edges derived from an environment's steps."""

import doctest

import numpy as np
import pandas as pd
import pytest

from rushes.errors import BadDataError, BadInputError, BadNameError
from rushes.model import events as module
from rushes.model.events import drop_auto_repeat, edges_from_actions, events_frame, validate_events
from rushes.model.readings import Event


def rows(*found):
    return events_frame(found)


GOOD = (
    Event(0, "kbd", "KeyW", "state", 1.0),
    Event(0, "mouse", "Mouse", "state", x=10, y=20),
    Event(1, "kbd", "KeyW", "press"),
    Event(2, "kbd", "KeyW", "release"),
    Event(3, "mouse", "Mouse", "move", x=11, y=20, dx=1, dy=0),
    Event(3, "mouse", "Mouse", "move", dx=1, dy=0),
    Event(4, "mouse", "MouseWheel", "scroll", -1.0),
    Event(5, "pad", "J_LEFT_X", "axis", -1.0),
    Event(5, "pad", "LEFT_TRIGGER", "axis", 0.3),
    Event(6, "pad", "LEFT_TRIGGER", "press"),
    Event(7, "env", "ALE/FIRE", "press"),
    Event(8, "kbd", "KeyT", "press", flag="hotkey"),
)


def test_the_columns_are_those_of_the_session_directory():
    frame = events_frame(GOOD)
    assert list(frame.columns) == ["t_ns", "device", "control", "kind", "value", "x", "y", "dx", "dy", "flag"]
    assert frame["t_ns"].dtype == np.int64
    assert all(frame[name].dtype == np.float64 for name in ("value", "x", "y", "dx", "dy"))
    assert np.isnan(frame.loc[2, "value"])


def test_an_empty_table_has_the_same_columns_and_types_and_is_valid():
    empty, full = events_frame(), events_frame(GOOD)
    validate_events(empty)
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_every_kind_of_row_that_means_something_is_accepted():
    validate_events(events_frame(GOOD))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Event(9, "kbd", "KeyW", "down"), "down"),
        (Event(9, "kbd", "Keyw", "press"), "Keyw"),
        (Event(9, "kbd", "shift", "press"), "shift"),
        (Event(9, "mouse", "MouseDX", "press"), "MouseDX"),
        (Event(9, "pad", "J_LEFT_X", "press"), "J_LEFT_X"),
        (Event(9, "kbd", "KeyW", "axis", 0.5), "KeyW"),
        (Event(9, "mouse", "Mouse", "scroll", 1.0), "Mouse"),
        (Event(9, "mouse", "MouseDX", "move", dx=1, dy=1), "MouseDX"),
        (Event(9, "mouse", "MouseWheel", "scroll"), "without value"),
        (Event(9, "pad", "J_LEFT_X", "axis"), "without value"),
        (Event(9, "pad", "J_LEFT_X", "axis", 1.5), "1.5"),
        (Event(9, "pad", "LEFT_TRIGGER", "axis", -0.5), "-0.5"),
        (Event(9, "kbd", "KeyW", "state", 2.0), "2.0"),
        (Event(9, "kbd", "KeyW", "state"), "without value"),
        (Event(9, "mouse", "Mouse", "move", x=1), "place"),
        (Event(9, "mouse", "Mouse", "state", dx=1, dy=1), "place"),
        (Event(9, "mouse", "Mouse", "move", dx=np.inf, dy=1), "inf"),
        (Event(9, "kbd", "KeyW", "press", flag="other"), "other"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_number(bad, said):
    with pytest.raises(BadDataError, match="row 12") as caught:
        validate_events(events_frame([*GOOD, bad]))
    assert said in caught.value.given
    assert caught.value.accepts
    assert caught.value.fix


def test_motion_in_whole_counts_is_accepted_as_integers():
    frame = events_frame([Event(3, "mouse", "Mouse", "move", dx=1, dy=2)])
    validate_events(frame.astype({"dx": "int64", "dy": "Int64"}))


def test_many_bad_rows_are_counted():
    bad = Event(9, "kbd", "Nothing", "press")
    with pytest.raises(BadDataError, match=r"row 12.*2 more rows"):
        validate_events(events_frame([*GOOD, bad, bad, bad]))


def test_missing_columns_and_times_that_are_no_integers_are_refused():
    with pytest.raises(BadDataError, match="columns"):
        validate_events(events_frame(GOOD).drop(columns="flag"))
    with pytest.raises(BadDataError, match="t_ns"):
        validate_events(events_frame(GOOD).astype({"t_ns": float}))


def test_auto_repeat_is_dropped_and_counted_and_real_second_presses_stay():
    frame = rows(
        Event(0, "kbd", "KeyW", "press"),
        Event(500, "kbd", "KeyW", "press"),
        Event(530, "kbd", "KeyW", "press"),
        Event(540, "kbd", "KeyA", "press"),
        Event(600, "kbd", "KeyW", "release"),
        Event(700, "kbd", "KeyW", "press"),
    )
    kept, dropped = drop_auto_repeat(frame)
    assert dropped == 2
    assert kept["t_ns"].tolist() == [0, 540, 600, 700]
    assert kept.index.tolist() == [0, 1, 2, 3]


def test_the_same_key_on_two_devices_is_no_repeat():
    frame = rows(Event(0, "pad0", "SOUTH", "press"), Event(5, "pad1", "SOUTH", "press"))
    assert drop_auto_repeat(frame)[1] == 0


def test_a_press_of_what_was_down_at_the_start_is_a_repeat():
    frame = rows(Event(0, "kbd", "KeyW", "state", 1.0), Event(5, "kbd", "KeyW", "press"))
    kept, dropped = drop_auto_repeat(frame)
    assert (kept["kind"].tolist(), dropped) == (["state"], 1)


def test_repeats_are_found_in_rows_that_stand_out_of_order():
    frame = rows(
        Event(20, "kbd", "KeyW", "press"),
        Event(10, "kbd", "KeyW", "press"),
        Event(15, "kbd", "KeyW", "release"),
    )
    assert drop_auto_repeat(frame)[1] == 0


def test_steps_of_an_emulator_become_edges_of_its_buttons():
    frame = edges_from_actions(
        [0, 10, 20, 30, 40], ["FIRE", "ALE/UPFIRE", "UP", "NOOP", "DOWNLEFT"], world="ALE", device="joystick"
    )
    validate_events(frame)
    assert list(zip(frame["t_ns"], frame["kind"], frame["control"], strict=True)) == [
        (0, "press", "ALE/FIRE"),
        (10, "press", "ALE/UP"),
        (20, "release", "ALE/FIRE"),
        (30, "release", "ALE/UP"),
        (40, "press", "ALE/DOWN"),
        (40, "press", "ALE/LEFT"),
    ]
    assert set(frame["device"]) == {"joystick"}


def test_actions_of_another_world_are_buttons_of_their_own():
    frame = edges_from_actions([0, 1, 2], ["1", "1", "0"], world="CartPole")
    assert list(zip(frame["t_ns"], frame["kind"], frame["control"], strict=True)) == [
        (0, "press", "CartPole/1"),
        (2, "release", "CartPole/1"),
        (2, "press", "CartPole/0"),
    ]


def test_no_step_and_idle_steps_make_no_edges():
    assert len(edges_from_actions([], [], world="ALE")) == 0
    assert len(edges_from_actions([0, 1], ["NOOP", "NOOP"], world="ALE")) == 0


def test_steps_without_their_times_or_in_disorder_are_refused():
    with pytest.raises(BadInputError):
        edges_from_actions([0, 1], ["FIRE"], world="ALE")
    with pytest.raises(BadInputError):
        edges_from_actions([1, 1], ["FIRE", "UP"], world="ALE")
    with pytest.raises(BadNameError):
        edges_from_actions([0], ["JUMP"], world="ALE")


def test_a_table_read_with_text_as_objects_means_the_same():
    frame = events_frame(GOOD)
    plain = pd.DataFrame({name: frame[name].to_numpy(object) for name in ("device", "control", "kind", "flag")})
    frame = frame.assign(**{name: pd.Series(plain[name], dtype=object) for name in plain})
    validate_events(frame)
    assert drop_auto_repeat(frame)[1] == 1


def test_the_example_in_the_manual_runs():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
