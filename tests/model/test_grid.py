"""The grid: what happened in [t_k, t_{k+1}). The reference below walks event by event and step by step."""

import doctest
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.errors import BadInputError
from rushes.model import grid as module
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.grid import to_grid
from rushes.model.readings import Event

KEYS = ("KeyW", "KeyA", "MouseLeft")


def walk(events, control):
    """Yield (event, down before, down after) of a control, device by device."""
    for device in sorted({e.device for e in events}):
        down = False
        for e in sorted((e for e in events if e.device == device and e.control == control), key=lambda e: e.t_ns):
            if e.flag == "" or e.kind == "release":
                goal = e.kind == "press" or (e.kind == "state" and e.value >= 0.5)
                yield e, down, goal
                down = goal


def spans_of(events, control):
    """List the stretches for which a control is down; an open one never ends."""
    spans, open_since = [], {}
    for e, before, after in walk(events, control):
        if after and not before:
            open_since[e.device] = e.t_ns
        if before and not after:
            spans.append((open_since.pop(e.device), e.t_ns))
    return spans + [(since, 10**18) for since in open_since.values()]


def reference(events, starts, end, control):
    """Held, pressed, released and fraction of a control, step by step, without the code under test."""
    edges = [(e.t_ns, after) for e, before, after in walk(events, control)
             if before != after and e.kind != "state" and e.flag == ""]  # fmt: skip
    spans = spans_of(events, control)
    held, pressed, released, cover = [], [], [], []
    for low, high in zip(starts, [*starts[1:], end], strict=True):
        inside = [after for t_ns, after in edges if low <= t_ns < high]
        cuts = sorted({low, high, *(t for span in spans for t in span if low < t < high)})
        covered = sum(b - a for a, b in pairwise(cuts) if any(s <= a and b <= e for s, e in spans))
        pressed.append(inside.count(True))
        released.append(inside.count(False))
        held.append(covered > 0 or True in inside)
        cover.append(Fraction(covered, high - low))
    return held, pressed, released, cover


@st.composite
def worlds(draw):
    starts = sorted(draw(st.sets(st.integers(20, 80), min_size=1, max_size=8)))
    end = starts[-1] + draw(st.integers(1, 20))
    times = st.integers(0, 110)
    edge = st.builds(
        lambda t, device, key, kind, value, flag: Event(t, device, key, kind, value, flag=flag),
        times,
        st.sampled_from(("a", "b")),
        st.sampled_from(KEYS),
        st.sampled_from(("press", "release", "press", "release", "state")),
        st.sampled_from((0.0, 1.0)),
        st.sampled_from(("", "", "", "hotkey")),
    )
    counts = st.integers(-3000, 3000)
    fixed = st.integers(-(2**40), 2**40).map(lambda n: n / 2**32)
    move = st.builds(
        lambda t, dx, dy, x, y: Event(t, "m", "Mouse", "move", None, x, y, dx, dy),
        times,
        counts,
        fixed,
        counts,
        counts,
    )
    wheel = st.builds(lambda t, value: Event(t, "m", "MouseWheel", "scroll", value), times, counts)
    places = st.sampled_from((-1.0, -0.25, 0.5, 1.0))
    stick = st.builds(lambda t, value: Event(t, "p", "J_LEFT_X", "axis", value), times, places)
    return draw(st.lists(st.one_of(edge, edge, move, wheel, stick), max_size=30)), starts, end


@settings(max_examples=120, deadline=None, database=None)
@given(worlds())
def test_buttons_agree_with_a_walk_event_by_event(world):
    events, starts, end = world
    found = to_grid(events_frame(events), starts, end_ns=end)
    for control in KEYS:
        if control not in found.held:
            shown = [e for e in events if e.control == control and (e.flag == "" or e.kind == "release")]
            assert not shown
            continue
        held, pressed, released, cover = reference(events, starts, end, control)
        assert found.held[control].tolist() == held
        assert found.pressed[control].tolist() == pressed
        assert found.released[control].tolist() == released
        assert found.fraction[control].tolist() == [float(part) for part in cover]


@settings(max_examples=50, deadline=None, database=None)
@given(worlds())
def test_sums_of_motion_over_the_steps_equal_the_sums_of_the_events_exactly(world):
    events, starts, end = world
    found = to_grid(events_frame(events), starts, end_ns=end)
    inside = [e for e in events if starts[0] <= e.t_ns < end]
    for name, kind, value in (
        ("MouseDX", "move", lambda e: e.dx),
        ("MouseDY", "move", lambda e: e.dy),
        ("MouseWheel", "scroll", lambda e: e.value),
    ):
        expected = sum((Fraction(value(e)) for e in inside if e.kind == kind), Fraction(0))
        assert sum((Fraction(float(v)) for v in found.motion[name]), Fraction(0)) == expected
        for k, (low, high) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
            step = sum((Fraction(value(e)) for e in inside if e.kind == kind and low <= e.t_ns < high), Fraction(0))
            assert Fraction(float(found.motion[name][k])) == step


@settings(max_examples=50, deadline=None, database=None)
@given(worlds())
def test_positions_are_the_last_report_before_the_end_of_each_step(world):
    events, starts, end = world
    found = to_grid(events_frame(events), starts, end_ns=end)
    ordered = sorted(events, key=lambda e: e.t_ns)
    for k, high in enumerate([*starts[1:], end]):
        stick = [e.value for e in ordered if e.kind == "axis" and e.t_ns < high]
        if "J_LEFT_X" in found.axes:
            assert found.axes["J_LEFT_X"][k] == (stick[-1] if stick else 0.0)
        places = [(e.x, e.y) for e in ordered if e.kind == "move" and e.t_ns < high]
        np.testing.assert_array_equal(found.pointer[k], places[-1] if places else (np.nan, np.nan))


@settings(max_examples=50, deadline=None, database=None)
@given(worlds())
def test_the_ledger_adds_up_to_the_number_of_events(world):
    events, starts, end = world
    ledger = to_grid(events_frame(events), starts, end_ns=end).ledger
    assert sum(ledger.values()) == len(events)
    plain = [e for e in events if e.flag == "" and e.kind != "state"]
    assert ledger["outside_segment"] == sum(not starts[0] <= e.t_ns < end for e in plain)


@settings(max_examples=50, deadline=None, database=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_with_different_times_does_not_matter(world, random):
    events, starts, end = world
    first = {e.t_ns: e for e in events}  # one event an instant: order says nothing then
    shuffled = list(first.values())
    random.shuffle(shuffled)
    a = to_grid(events_frame(first.values()), starts, end_ns=end)
    b = to_grid(events_frame(shuffled), starts, end_ns=end)
    assert a.ledger == b.ledger
    for control in a.held:
        assert a.fraction[control].tolist() == b.fraction[control].tolist()
        assert a.pressed[control].tolist() == b.pressed[control].tolist()


def press(t_ns, control="KeyW", device="kbd", flag=""):
    return Event(t_ns, device, control, "press", flag=flag)


def release(t_ns, control="KeyW", device="kbd", flag=""):
    return Event(t_ns, device, control, "release", flag=flag)


def grid_of(*events, starts=(0, 10, 20, 30), end=40, **options):
    return to_grid(events_frame(events), starts, end_ns=end, **options)


def test_a_tap_shorter_than_a_step_survives():
    found = grid_of(press(12), release(14))
    assert found.held["KeyW"].tolist() == [False, True, False, False]
    assert found.pressed["KeyW"].tolist() == found.released["KeyW"].tolist() == [0, 1, 0, 0]
    assert found.fraction["KeyW"].tolist() == [0, 0.2, 0, 0]


def test_a_tap_without_length_survives():
    found = grid_of(press(12), release(12))
    assert found.held["KeyW"].tolist() == [False, True, False, False]
    assert found.fraction["KeyW"].tolist() == [0, 0, 0, 0]


def test_two_taps_in_one_step_are_two():
    found = grid_of(press(11), release(12), press(13), release(15))
    assert found.pressed["KeyW"].tolist() == [0, 2, 0, 0]
    assert found.fraction["KeyW"].tolist() == [0, 0.3, 0, 0]


def test_an_event_on_the_border_belongs_to_the_step_that_begins_there():
    found = grid_of(press(10), release(20))
    assert found.held["KeyW"].tolist() == [False, True, False, False]
    assert found.pressed["KeyW"].tolist() == [0, 1, 0, 0]
    assert found.released["KeyW"].tolist() == [0, 0, 1, 0]
    assert found.fraction["KeyW"].tolist() == [0, 1, 0, 0]


def test_a_hold_over_several_steps_is_held_in_each_and_pressed_in_one():
    found = grid_of(press(5), release(25))
    assert found.held["KeyW"].tolist() == [True, True, True, False]
    assert found.fraction["KeyW"].tolist() == [0.5, 1.0, 0.5, 0.0]
    assert found.holds["KeyW"].tolist() == [[5, 25]]


def test_a_hold_that_stays_open_ends_with_the_segment():
    found = grid_of(press(35))
    assert found.fraction["KeyW"].tolist() == [0, 0, 0, 0.5]
    assert found.holds["KeyW"].tolist() == [[35, 40]]


def test_overlapping_holds_of_different_keys_do_not_disturb_each_other():
    found = grid_of(press(5), press(8, "KeyD"), release(12), release(31, "KeyD"))
    assert found.held["KeyW"].tolist() == [True, True, False, False]
    assert found.held["KeyD"].tolist() == [True, True, True, True]


def test_a_control_that_two_devices_hold_is_down_until_both_let_go():
    found = grid_of(press(2, "SOUTH", "pad0"), press(6, "SOUTH", "pad1"), release(8, "SOUTH", "pad0"),
                    release(15, "SOUTH", "pad1"))  # fmt: skip
    assert found.fraction["SOUTH"].tolist() == [0.8, 0.5, 0, 0]
    assert found.pressed["SOUTH"].tolist() == [2, 0, 0, 0]
    assert found.holds["SOUTH"].tolist() == [[2, 15]]


def test_short_holds_of_one_device_within_a_long_one_of_another_change_nothing():
    long = (press(2, "SOUTH", "pad0"), release(38, "SOUTH", "pad0"))
    short = (press(5, "SOUTH", "pad1"), release(8, "SOUTH", "pad1"))
    again = (press(12, "SOUTH", "pad1"), release(14, "SOUTH", "pad1"))
    found = grid_of(*long, *short, *again)
    assert found.holds["SOUTH"].tolist() == [[2, 38]]
    assert found.fraction["SOUTH"].tolist() == [0.8, 1, 1, 0.8]


def test_two_holds_that_touch_stay_two():
    found = grid_of(press(2), release(5), press(5), release(8))
    assert found.holds["KeyW"].tolist() == [[2, 5], [5, 8]]
    assert found.fraction["KeyW"][0] == 0.6


def test_the_last_row_ends_with_the_segment():
    found = grid_of(press(29), release(36), press(40), starts=(0, 10, 20, 30), end=40)
    assert found.ends_ns.tolist() == [10, 20, 30, 40]
    assert found.fraction["KeyW"].tolist() == [0, 0, 0.1, 0.6]
    assert found.pressed["KeyW"].sum() == 1
    assert found.ledger["outside_segment"] == 1


def test_state_rows_set_what_is_down_and_are_no_edges():
    found = grid_of(Event(0, "kbd", "KeyW", "state", 1.0), release(15))
    assert found.held["KeyW"].tolist() == [True, True, False, False]
    assert found.pressed["KeyW"].tolist() == [0, 0, 0, 0]
    assert found.released["KeyW"].tolist() == [0, 1, 0, 0]
    assert found.ledger["state"] == 1


def test_a_state_row_within_the_segment_repeats_or_corrects_without_an_edge():
    same = grid_of(press(5), Event(15, "kbd", "KeyW", "state", 1.0), release(25))
    assert same.fraction["KeyW"].tolist() == [0.5, 1.0, 0.5, 0.0]
    assert same.pressed["KeyW"].sum() == same.released["KeyW"].sum() == 1
    lost = grid_of(press(5), Event(15, "kbd", "KeyW", "state", 0.0))
    assert lost.fraction["KeyW"].tolist() == [0.5, 0.5, 0.0, 0.0]
    assert lost.released["KeyW"].sum() == 0


def test_a_key_that_only_a_state_row_shows_down_is_held_from_there_on():
    found = grid_of(Event(15, "kbd", "KeyW", "state", 1.0), Event(18, "kbd", "KeyW", "state", 0.0))
    assert found.held["KeyW"].tolist() == [False, True, False, False]
    assert found.pressed["KeyW"].sum() == 0


def test_events_before_the_segment_set_its_state_and_are_counted_outside():
    found = grid_of(
        press(95),
        Event(96, "mouse", "Mouse", "move", x=3, y=4, dx=50, dy=60),
        Event(97, "pad", "J_LEFT_X", "axis", -0.5),
        release(105),
        starts=(100, 110),
        end=120,
    )
    assert found.held["KeyW"].tolist() == [True, False]
    assert found.fraction["KeyW"].tolist() == [0.5, 0]
    assert found.pressed["KeyW"].sum() == 0
    assert found.motion["MouseDX"].sum() == 0
    assert found.pointer.tolist() == [[3, 4], [3, 4]]
    assert found.axes["J_LEFT_X"].tolist() == [-0.5, -0.5]
    assert found.ledger["outside_segment"] == 3


def test_a_hotkey_enters_no_derived_state():
    found = grid_of(press(12, "F8", flag="hotkey"), release(14, "F8", flag="hotkey"), press(11), release(13))
    assert not found.held["F8"].any()
    assert not found.pressed["F8"].any()
    assert not found.released["F8"].any()
    assert found.held["KeyW"][1]
    assert found.ledger["hotkey"] == 2


def test_a_hotkeys_rows_move_neither_stick_nor_pointer():
    found = grid_of(
        Event(1, "pad", "J_LEFT_X", "axis", 0.5),
        Event(2, "pad", "J_LEFT_X", "axis", -1.0, flag="hotkey"),
        Event(3, "mouse", "Mouse", "move", x=5, y=6, dx=1, dy=1),
        Event(4, "mouse", "Mouse", "move", x=7, y=8, dx=1, dy=1, flag="hotkey"),
    )
    assert found.axes["J_LEFT_X"][0] == 0.5
    assert found.pointer[0].tolist() == [5, 6]
    assert found.motion["MouseDX"][0] == 1


def test_a_modifier_of_a_hotkey_does_not_stay_stuck_in_the_next_segment():
    chord = (
        press(5, "ControlLeft"),
        press(8, "KeyP", flag="hotkey"),
        release(12, "ControlLeft", flag="hotkey"),
    )
    assert grid_of(*chord, starts=(0,), end=8).held["ControlLeft"].tolist() == [True]
    assert grid_of(*chord, starts=(20,), end=30).held["ControlLeft"].tolist() == [False]


def test_a_repeat_and_a_release_of_what_was_up_change_nothing_and_are_counted():
    found = grid_of(press(1), press(5), press(7), release(12), release(13))
    assert found.pressed["KeyW"].tolist() == [1, 0, 0, 0]
    assert found.released["KeyW"].tolist() == [0, 1, 0, 0]
    assert found.ledger["repeat"] == 3


def test_a_delay_moves_every_event_later():
    d = 10 / 1e6  # ms
    found = grid_of(press(2), release(4), Event(25, "m", "Mouse", "move", dx=5, dy=0), action_delay_ms=d)
    assert found.pressed["KeyW"].tolist() == [0, 1, 0, 0]
    assert found.motion["MouseDX"].tolist() == [0, 0, 0, 5]
    assert found.action_delay_ms == d


def test_what_a_delay_moves_out_of_the_segment_is_counted_outside():
    found = grid_of(press(35), action_delay_ms=5 / 1e6)
    assert found.ledger["outside_segment"] == 1
    assert not found.held["KeyW"].any()


def test_whole_counts_stay_integers():
    frame = events_frame([Event(1, "m", "Mouse", "move", dx=2**60, dy=1), Event(2, "m", "Mouse", "move", dx=1, dy=1)])
    frame["dx"] = np.array([2**60, 1], np.int64)
    found = to_grid(frame, [0, 10], end_ns=20)
    assert found.motion["MouseDX"].dtype == np.int64
    assert found.motion["MouseDX"].tolist() == [2**60 + 1, 0]
    assert found.motion["MouseDY"].dtype == np.float64


def test_motion_without_numbers_moves_nothing():
    found = grid_of(Event(1, "m", "Mouse", "move", x=5, y=6), Event(2, "m", "Mouse", "move", dx=1, dy=2))
    assert found.motion["MouseDX"].tolist() == [1, 0, 0, 0]
    assert found.pointer[0].tolist() == [5, 6]


def test_both_wheels_are_summed_by_themselves():
    found = grid_of(
        Event(1, "m", "MouseWheel", "scroll", 1), Event(2, "m", "MouseWheel", "scroll", 2),
        Event(3, "m", "MouseWheelX", "scroll", -1),
    )  # fmt: skip
    assert found.motion["MouseWheel"][0] == 3
    assert found.motion["MouseWheelX"][0] == -1


def test_a_trigger_is_an_axis_and_a_button_from_one_half_on():
    found = grid_of(
        Event(2, "pad", "LEFT_TRIGGER", "axis", 0.3), Event(4, "pad", "LEFT_TRIGGER", "axis", 0.5),
        Event(6, "pad", "LEFT_TRIGGER", "axis", 0.9), Event(8, "pad", "LEFT_TRIGGER", "axis", 0.1),
    )  # fmt: skip
    assert found.axes["LEFT_TRIGGER"].tolist() == [0.1, 0.1, 0.1, 0.1]
    assert found.pressed["LEFT_TRIGGER"].tolist() == [1, 0, 0, 0]
    assert found.fraction["LEFT_TRIGGER"].tolist() == [0.4, 0, 0, 0]
    assert found.ledger["repeat"] == 0
    assert found.vector(ActionSpace.from_layout("nitrogen21"))[:, 9].tolist() == [1, 0, 0, 0]
    assert found.vector(ActionSpace.from_names(["LEFT_TRIGGER"]))[0, 0] == np.float32(0.1)


def test_a_trigger_that_reports_as_a_button_fills_its_axis_too():
    found = grid_of(press(2, "LEFT_TRIGGER"), release(12, "LEFT_TRIGGER"))
    assert found.vector(ActionSpace.from_names(["LEFT_TRIGGER"]))[:, 0].tolist() == [1, 1, 0, 0]


def test_rows_of_equal_time_have_no_events_but_the_last_of_them():
    found = grid_of(press(10), release(12), starts=(0, 10, 10, 20), end=30)
    assert found.pressed["KeyW"].tolist() == [0, 0, 1, 0]
    assert found.fraction["KeyW"].tolist() == [0, 1, 0.2, 0]  # without length: its instant


def test_a_last_row_without_length_is_allowed():
    found = grid_of(press(5), starts=(0, 10), end=10)
    assert found.held["KeyW"].tolist() == [True, False]
    assert found.pressed["KeyW"].tolist() == [1, 0]


@pytest.mark.parametrize(("starts", "end"), [((), 10), ((0, 10, 5), 20), ((0, 10), 9)])
def test_times_that_fall_and_empty_segments_are_refused(starts, end):
    with pytest.raises(BadInputError) as caught:
        to_grid(events_frame(), starts, end_ns=end)
    assert "segment" in caught.value.fix


def test_a_table_without_the_columns_is_refused():
    with pytest.raises(BadInputError, match="flag"):
        to_grid(events_frame().drop(columns="flag"), [0], end_ns=1)


def test_no_events_make_an_idle_grid():
    found = to_grid(events_frame(), [0, 10], end_ns=20)
    assert len(found) == 2
    assert found.held == found.axes == {}
    assert found.motion["MouseDX"].tolist() == [0, 0]
    assert np.isnan(found.pointer).all()
    assert not found.vector(ActionSpace.from_layout("capture28")).any()


def test_the_vector_has_the_order_of_the_space_and_is_float32():
    found = grid_of(press(1, "KeyD"), release(2, "KeyD"), press(11), Event(12, "m", "Mouse", "move", dx=600, dy=150))
    vector = found.vector(ActionSpace.from_layout("capture20"))
    assert vector.dtype == np.float32
    assert vector.shape == (4, 20)
    assert vector[:, :4].tolist() == [[1, 0, 0, 0], [0, 1, 1, -0.5], [0, 1, 0, 0], [0, 1, 0, 0]]


def test_each_encoding_fills_the_buttons_in_its_way():
    found = grid_of(press(5), release(12), press(14), release(18), press(19))
    space = ActionSpace.from_names(["w"])
    vectors = {name: found.vector(space, name)[:, 0].tolist() for name in ("held", "pressed", "released", "fraction")}
    assert vectors == {
        "held": [1, 1, 1, 1],
        "pressed": [1, 1, 0, 0],
        "released": [0, 1, 0, 0],
        "fraction": [0.5, pytest.approx(0.7), 1, 1],
    }


def test_either_shift_counts_once_for_the_time_that_any_is_down():
    found = grid_of(press(2, "ShiftLeft"), press(4, "ShiftRight"), release(6, "ShiftLeft"), release(9, "ShiftRight"))
    space = ActionSpace.from_names(["shift"])
    assert found.vector(space, "fraction")[0, 0] == np.float32(0.7)
    assert found.vector(space, "pressed")[0, 0] == 1
    assert found.vector(space)[:, 0].tolist() == [1, 0, 0, 0]


def test_motion_in_a_vector_is_not_clipped_where_the_slot_has_no_limits():
    found = grid_of(Event(1, "m", "Mouse", "move", dx=5000, dy=-7), Event(2, "m", "MouseWheel", "scroll", -2))
    space = ActionSpace.from_names(["dx", "dy", "wheel", "scroll_up", "scroll_down"])
    assert found.vector(space)[0].tolist() == [5000, -7, -2, 0, 1]


def test_one_of_n_is_never_guessed_from_buttons_and_unknown_encodings_are_refused():
    found = grid_of(press(1))
    with pytest.raises(BadInputError, match="steps"):
        found.vector(ActionSpace.from_layout("ale18"))
    with pytest.raises(BadInputError, match="held"):
        found.vector(ActionSpace.from_names(["w"]), "state")


def test_a_hundred_thousand_events_on_as_many_steps_take_well_under_a_second():
    n = 100_000
    rng = np.random.default_rng(7)
    frame = events_frame([press(0), release(1)]).iloc[np.tile([0, 1], n // 2)]
    frame = frame.assign(
        t_ns=np.sort(rng.integers(0, 10**9, n)), control=rng.choice(["KeyW", "KeyA", "Space", "MouseLeft"], n)
    )
    begun = time.perf_counter()
    found = to_grid(frame, np.arange(n) * 10_000, end_ns=10**9)
    assert time.perf_counter() - begun < 1
    assert sum(found.ledger.values()) == n


def test_the_repr_is_short_and_the_example_in_the_manual_runs():
    assert repr(grid_of(press(1))) == "Grid(4 steps, 0.0 s, 1 buttons)"
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
