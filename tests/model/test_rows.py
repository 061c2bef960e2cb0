"""Rows as events: what they say, and that they come back when they are put on the same grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.grid import to_grid
from rushes.model.rows import events_from_rows


def listed(found):
    rows = found.events[["t_ns", "kind", "control"]].itertuples(index=False, name=None)
    return list(rows)


def test_a_button_is_pressed_where_it_was_up_before():
    space = ActionSpace.from_names(["w", "space"])
    found = events_from_rows([[1, 0], [1, 1], [0, 1], [0, 0]], [5, 15, 25, 35], end_ns=45, space=space)
    assert sorted(listed(found)) == [
        (5, "state", "KeyW"), (15, "press", "Space"), (25, "release", "KeyW"), (35, "release", "Space"),
    ]  # fmt: skip
    assert found.controls == ("KeyW", "Space")


def test_half_is_down():
    found = events_from_rows([[0.49], [0.5], [0.2]], [0, 1, 2], end_ns=3, space=ActionSpace.from_names(["w"]))
    assert listed(found) == [(1, "press", "KeyW"), (2, "release", "KeyW")]


def test_sticks_stand_and_motion_adds_up():
    space = ActionSpace.from_names(["J_LEFT_X", "dx", "dy", "wheel"])
    rows = [[0, 3, 0, 0], [0.5, 0, -2, 1], [0.5, 0, 0, -2]]
    found = events_from_rows(rows, [0, 10, 20], end_ns=30, space=space)
    events = found.events
    assert events[events["kind"] == "axis"][["t_ns", "value"]].to_numpy().tolist() == [[10, 0.5]]
    assert events[events["kind"] == "move"][["t_ns", "dx", "dy"]].to_numpy().tolist() == [[5, 3, 0], [15, 0, -2]]
    assert events[events["kind"] == "scroll"][["t_ns", "value"]].to_numpy().tolist() == [[15, 1], [25, -2]]
    assert to_grid(events, [0, 10, 20], end_ns=30).vector(space).tolist() == rows


def test_a_stick_of_keys_becomes_keys_and_scaled_motion_counts():
    space = ActionSpace.from_layout("capture20")
    rows = np.zeros((3, 20), np.float32)
    rows[:, 0], rows[:, 1] = [1, -1, 0], [0, 1, -1]  # lx = d - a, ly = w - s
    rows[:, 2], rows[:, 3] = [0.5, 0, -1], [0, 0.1, 0]  # dx / 300, -dy / 300
    found = events_from_rows(rows, [0, 10, 20], end_ns=30, space=space)
    moves = found.events[found.events["kind"] == "move"]
    assert moves[["t_ns", "dx", "dy"]].to_numpy().tolist() == [[5, 150, 0], [15, 0, -30], [25, -300, 0]]
    grid = to_grid(found.events, [0, 10, 20], end_ns=30)
    assert {key: grid.held[key].tolist() for key in ("KeyD", "KeyA", "KeyW", "KeyS")} == {
        "KeyD": [True, False, False],
        "KeyA": [False, True, False],
        "KeyW": [False, True, False],
        "KeyS": [False, False, True],
    }
    np.testing.assert_allclose(grid.vector(space), rows, atol=1e-6)


def test_a_wheel_in_two_columns_is_one_wheel():
    space = ActionSpace.from_names(["scroll_up", "scroll_down"])
    found = events_from_rows([[1, 0], [0, 1], [0, 0]], [0, 10, 20], end_ns=30, space=space)
    assert found.events[["t_ns", "control", "value"]].to_numpy().tolist() == [
        [5, "MouseWheel", 1],
        [15, "MouseWheel", -1],
    ]


def test_what_a_name_leaves_open_is_said():
    found = events_from_rows([[1]], [0], end_ns=1, space=ActionSpace.from_names(["shift"]))
    assert listed(found) == [(0, "state", "ShiftLeft")]
    assert found.assumed == ("shift -> ShiftLeft",)


def test_nothing_done_is_an_empty_table():
    found = events_from_rows(np.zeros((2, 28)), [0, 1], end_ns=2, space=ActionSpace.from_layout("capture28"))
    assert len(found.events) == 0
    assert len(found.controls) == 28


def test_bad_rows_are_named():
    space = ActionSpace.from_names(["w", "dx"])
    with pytest.raises(BadDataError, match="row 1, dx: nan"):
        events_from_rows([[0, 0], [0, np.nan]], [0, 1], end_ns=2, space=space)
    for rows, times, end in (([[0, 0]], [0, 1], 2), ([[0]], [0], 1), ([[0, 0]] * 2, [1, 1], 2), ([[0, 0]], [1], 1)):
        with pytest.raises(BadInputError):
            events_from_rows(rows, times, end_ns=end, space=space)
    with pytest.raises(BadInputError, match="buttons"):
        events_from_rows([[0]], [0], end_ns=1, space=ActionSpace.from_layout("ale18"))


LAYOUTS = ("capture28", "capture25_keys", "nitrogen21", "nitrogen25")


@given(st.sampled_from(LAYOUTS), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_rows_come_back_on_their_grid(name, count, seed):
    come_back(name, count, seed)


@pytest.mark.parametrize("seed", range(3))
def test_all_keys_and_both_ways_of_a_wheel_come_back(seed):
    come_back("capture85", 6, seed)


def come_back(name, count, seed):
    space = ActionSpace.from_layout(name)
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, len(space)), np.float32)
    for k, slot in enumerate(space.slots):
        rows[:, k] = rng.integers(-4, 5, count) / 4 if slot.role == "axis" else rng.integers(0, 2, count)
    if name == "capture85":  # a wheel cannot go both ways in one row of two impulses
        rows[:, space.index("scroll_down")] *= rows[:, space.index("scroll_up")] == 0
    t_ns = np.cumsum(rng.integers(1, 1000, count))
    end = int(t_ns[-1]) + 7
    found = events_from_rows(rows, t_ns, end_ns=end, space=space)
    np.testing.assert_array_equal(to_grid(found.events, t_ns, end_ns=end).vector(space), rows)
