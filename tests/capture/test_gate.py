"""The gate by itself: what passes, what is counted, and that nothing is ever stuck or told from elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.capture.input.gate import Gate
from rushes.capture.input.learn import Learned, learning_gate
from rushes.errors import BadInputError, BadNameError
from rushes.model.readings import Event, Lost


def key(t_ns, control, kind="press", device="keyboard", **more):
    return Event(t_ns, device, control, kind, **more)


def test_the_names_of_a_layout_are_the_controls_that_they_mean():
    gate = Gate(["w", "shift", "lmb", "unused_3", "lx"], "anywhere", keyboard=True)
    assert gate.controls == {
        *("KeyW", "ShiftLeft", "ShiftRight", "MouseLeft", "KeyA", "KeyD"),
        *("MouseDX", "MouseDY", "MouseWheel", "MouseWheelX", "Mouse"),
    }


def test_what_is_discarded_is_counted_and_never_named():
    gate = Gate(["KeyW"], "window")
    gate.take(key(1, "KeyW"))
    gate.take(key(2, "KeyW", "release"))
    gate.focus(3, inside=True)
    gate.take(key(4, "KeyP"))
    gate.take(key(5, "KeyW"))
    gate.take(key(6, "KeyW"))
    gate.take(key(7, "KeyP"))
    assert gate.drain(10) == (
        Lost(10, "events", "auto_repeat", 2),
        Lost(10, "events", "not_in_layout", 1),
        Lost(10, "events", "other_window", 2),
    )
    assert gate.drain(11) == ()


def test_without_the_keyboard_only_hotkeys_and_the_rest_of_the_layout_pass():
    gate = Gate(["KeyW", "MouseLeft", "SOUTH"], "anywhere", keyboard=False)
    kept = [
        key(1, "KeyW"),
        key(2, "F8", flag="hotkey"),
        key(3, "MouseLeft", device="mouse"),
        key(4, "SOUTH", device="pad0"),
        key(5, "Mouse", "move", "mouse", dx=1.0, dy=0.0),
    ]
    assert [event.control for each in kept for event in gate.take(each)] == ["F8", "MouseLeft", "SOUTH"]
    assert gate.drain(9) == (Lost(9, "events", "keyboard_off", 1), Lost(9, "events", "not_in_layout", 1))


def test_a_release_whose_press_nobody_saw_passes_only_if_it_is_listed():
    gate = Gate(["KeyW"], "anywhere")
    assert gate.take(key(1, "KeyW", "release")) == (key(1, "KeyW", "release"),)
    assert gate.take(key(2, "KeyP", "release")) == ()


def test_sticks_and_triggers_go_to_rest_with_the_focus_and_come_back():
    gate = Gate(["J_LEFT_X", "LEFT_TRIGGER", "SOUTH"], "window")
    gate.focus(0, inside=True)
    gate.take(key(1, "J_LEFT_X", "axis", "pad0", value=-0.5))
    gate.take(key(2, "LEFT_TRIGGER", "axis", "pad1", value=1.0))
    gate.take(key(3, "LEFT_TRIGGER", "axis", "pad1", value=0.0))
    assert gate.focus(4, inside=False) == (key(4, "J_LEFT_X", "state", "pad0", value=0.0),)
    assert gate.take(key(5, "J_LEFT_X", "axis", "pad0", value=0.75)) == ()
    assert gate.focus(6, inside=True) == (key(6, "J_LEFT_X", "state", "pad0", value=0.75),)
    assert gate.state(7) == (key(7, "J_LEFT_X", "state", "pad0", value=0.75),)


def test_a_hotkey_passes_everywhere_and_is_no_state():
    gate = Gate(["KeyT", "F8"], "window")
    press = key(1, "KeyT", flag="hotkey")
    assert gate.take(press) == (press,)
    assert gate.take(key(2, "KeyT")) == ()  # its repeat
    assert gate.focus(3, inside=True) == ()
    release = key(4, "KeyT", "release", flag="hotkey")
    assert gate.take(release) == (release,)
    assert gate.take(key(5, "KeyT")) == (key(5, "KeyT"),)
    assert gate.drain(9) == (Lost(9, "events", "other_window", 1),)


def test_what_another_thread_reports_late_is_moved_behind_the_focus():
    gate = Gate(["SOUTH"], "window")
    gate.focus(100, inside=True)
    assert gate.take(key(90, "SOUTH", device="pad0")) == (key(101, "SOUTH", "state", "pad0", value=1.0),)
    gate.take(key(150, "SOUTH", "release", "pad0"))
    gate.take(key(300, "SOUTH", device="pad0"))
    # the focus went at 250, but the press that was recorded stands at 300: the end is behind it
    assert gate.focus(250, inside=False) == (key(301, "SOUTH", "state", "pad0", value=0.0),)


def test_edges_that_nobody_reported_are_set_right():
    gate = Gate(["KeyW", "KeyA"], "anywhere")
    gate.take(key(1, "KeyW"))
    found = gate.correct(5, "keyboard", {"KeyA", "KeyP"}, {"KeyW", "KeyA", "KeyP"})
    assert found == (key(5, "KeyW", "state", value=0.0), key(5, "KeyA", "state", value=1.0))
    assert gate.correct(6, "keyboard", {"KeyA", "KeyP"}, {"KeyW", "KeyA", "KeyP"}) == ()
    assert gate.drain(9) == ()


def test_a_scope_or_a_name_that_is_none_is_refused():
    with pytest.raises(BadInputError, match="window or anywhere"):
        Gate(["KeyW"], "everywhere")
    with pytest.raises(BadNameError):
        Gate(["KeyÖ"], "window")


CONTROLS = ("KeyW", "KeyA", "KeyP", "MouseLeft", "SOUTH")
LISTED = {"KeyW", "MouseLeft", "SOUTH"}
ACTS = st.lists(st.tuples(st.sampled_from(["edge", "focus", "repeat"]), st.sampled_from(CONTROLS)), max_size=60)


@given(ACTS)
def test_any_order_of_focus_and_edges_leaves_nothing_stuck_and_tells_nothing_from_elsewhere(acts):
    gate, down, inside, seen = Gate(LISTED, "window"), set(), False, {}
    discarded = 0
    for t_ns, (act, control) in enumerate(acts, 1):
        if act == "focus":
            inside = not inside
            found = gate.focus(t_ns, inside=inside)
            assert {e.control: e.value for e in found} == dict.fromkeys(down & LISTED, float(inside))
            assert {e.kind for e in found} <= {"state"}
        elif act == "edge" or control in down:
            kind = "press" if act == "repeat" or control not in down else "release"
            found = gate.take(key(t_ns, control, kind))
            passes = inside and control in LISTED and act == "edge"
            assert found == ((key(t_ns, control, kind),) if passes else ())
            discarded += not passes
            (down.add if kind == "press" else down.discard)(control)
        else:
            continue
        for event in found:
            seen[event.control] = event.kind == "press" or (event.kind == "state" and event.value == 1.0)
        # what a reader takes for held is what is held and may be told
        assert {name for name, held in seen.items() if held} == (down & LISTED if inside else set())
    assert sum(lost.count for lost in gate.drain(1000)) == discarded


def test_learning_hears_every_control_and_keeps_names_and_counts_only():
    gate, learned = learning_gate("window"), Learned()
    gate.focus(0, inside=True)
    wanted = [key(t, "KeyG", kind) for t, kind in enumerate(("press", "release", "press", "release"))]
    wanted += [key(5, "MouseWheel", "scroll", "mouse", value=1.0), key(6, "F8", flag="hotkey")]
    wanted += [key(7 + k, "J_LEFT_X", "axis", "pad0", value=v) for k, v in enumerate((0.1, 0.6, 0.9, 0.2, -0.7))]
    for event in wanted:
        for passed in gate.take(event):
            learned.take(passed)
    learned.take(Lost(9, "events", "auto_repeat", 3))
    assert learned.counts() == {"J_LEFT_X": 2, "KeyG": 2, "MouseWheel": 1}
    assert learned.missing(["g", "scroll_up"]) == ("J_LEFT_X",)
