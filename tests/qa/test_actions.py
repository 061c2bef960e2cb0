"""Rules about inputs: each planted fault is found at its place; hands that play, and environments, get no warning."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from rushes.model.events import events_frame
from rushes.model.readings import Event
from rushes.qa.actions.check import RULES, check_actions
from rushes.qa.actions.hands import Hands
from rushes.qa.subject import Subject


def load(name):
    spec = importlib.util.spec_from_file_location(f"actions_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


t = load("take")
MS = t.MS
GAME = t.ActionSpace.discrete(["NOOP", "FIRE", "UP"], world="ALE")


def take(events, seconds=10, **more):
    return t.Take([round(30 * seconds)], events, **more)


def found(recording, **more):
    return t.found(check_actions, recording, **more)


def bad(recording, **more):
    return t.bad(check_actions, recording, **more)


def s(seconds):
    return round(seconds * 1e9)


@pytest.mark.parametrize("seconds", [0.4, 3, 10, 40])
def test_hands_that_play_get_no_warning(seconds):
    assert (
        bad(take([*t.playing(seconds), *t.stick(0, seconds), *t.stick(0, seconds, "J_LEFT_Y", seed=1)], seconds)) == []
    )


def test_holds_are_followed_over_state_rows_repeats_and_two_devices():
    rows = [
        Event(0, "keyboard", "KeyW", "state", 1.0),
        Event(5, "keyboard", "KeyW", "press"),
        Event(7, "keyboard2", "KeyW", "press"),
        Event(9, "keyboard", "KeyW", "release"),
        Event(11, "keyboard", "KeyW", "release"),
        Event(12, "keyboard", "F8", "press", flag="hotkey"),
    ]
    hands = Hands.of(events_frame(rows))
    holds = zip(hands.holds.stream.tolist(), hands.holds.start_ns.tolist(), hands.holds.end_ns.tolist(), strict=True)
    assert list(holds) == [(0, 0, 9), (1, 7, 2**63 - 1)]
    assert (hands.again.tolist(), hands.alone.tolist()) == ([1], [4])
    assert hands.names == (("keyboard", "KeyW"), ("keyboard2", "KeyW"))


@pytest.mark.parametrize(("seconds", "faults"), [(70, ["stuck_key"]), (50, [])])
def test_a_key_that_is_stuck_is_found_with_its_stretch(seconds, faults):
    stuck = take([*t.playing(90), *t.hold(5, 5 + seconds, "KeyS")], 90)
    assert bad(stuck) == faults
    if faults:
        finding = found(stuck)["stuck_key"]
        assert (finding.value, finding.limit, finding.t_ns, finding.t_end_ns) == (70, 60, s(5), s(75))
        assert RULES["actions.stuck_key"].repair == "invalid"


def test_a_key_alone_in_the_world_is_leaned_on_and_not_stuck():
    assert bad(take(t.hold(1, 88, "KeyS"), 90)) == []


def test_a_pause_makes_no_hold_longer():
    two = t.Take([900, 900], [*t.playing(30), *t.hold(5, 55, "KeyS")])
    first, second = two.segments
    two.segments = (first, t.Segment(1, second.start_ns + s(300), second.end_ns + s(300), 900, 900, "end"))
    two.done.loc[two.done["t_ns"] == s(55), "t_ns"] += s(300)
    assert bad(two) == []


def test_a_key_that_is_never_let_go_is_found_against_its_own_holds():
    usual = [*t.taps(0.2, 4, "KeyD", long_s=0.4), *t.playing(20)]
    last = Event(s(6), "keyboard", "KeyD", "press")
    finding = found(take([*usual, last], 20))["never_released"]
    assert finding.value == pytest.approx(14 / 0.4, rel=0.01)
    assert (finding.t_ns, finding.t_end_ns) == (s(6), pytest.approx(s(20), abs=1000))
    assert (
        bad(take([*usual, Event(s(18), "keyboard", "KeyD", "press")], 20)) == []
    )  # the recording ends while it is down
    assert bad(take([*t.playing(20), last], 20)) == []  # nobody knows how it is used


@pytest.mark.parametrize(("left", "right"), [("KeyA", "KeyD"), ("ArrowUp", "ArrowDown"), ("DPAD_LEFT", "DPAD_RIGHT")])
def test_opposite_keys_that_stay_down_together_are_found(left, right):
    space = t.ActionSpace.from_names([left, right, "Space"])
    both = [*t.hold(1, 5, left), *t.hold(2, 7, right), *t.taps(0, 9)]
    finding = found(take(both, space=space))["impossible_pairs"]
    assert (finding.value, finding.t_ns) == (3, s(2))
    assert bad(take([*t.hold(1, 5, left), *t.hold(4.5, 7, right), *t.taps(0, 9)], space=space)) == []
    other = [*t.hold(1, 5, left, device="other"), *t.hold(2, 7, right), *t.taps(0, 9)]
    assert bad(take(other, space=space)) == []


def test_more_keys_than_fingers_are_found():
    names = [f"Digit{n}" for n in range(10)] + ["KeyE", "KeyF"]
    space = t.ActionSpace.from_names([*names, "Space"])
    held = [event for k, name in enumerate(names) for event in t.hold(1 + 0.1 * k, 4, name)]
    finding = found(take([*held, *t.taps(5, 9)], space=space))["too_many_keys"]
    assert (finding.value, finding.t_ns) == (12, s(2.1))
    assert bad(take([*held[:20], *t.taps(5, 9)], space=space)) == []


def test_presses_faster_than_fingers_are_found():
    macro = t.taps(3, 4.001, "KeyD", each_s=1 / 32, long_s=0.01)
    finding = found(take([*t.playing(10), *macro]))["superhuman"]
    assert (finding.value, finding.limit) == (32, 25)
    assert bad(take([*t.playing(10), *t.taps(3, 4, "KeyD", each_s=1 / 16, long_s=0.03)])) == []


def test_holds_that_are_shorter_than_contacts_can_be_are_found():
    bounces = t.taps(1, 9, "KeyD", each_s=1.0, long_s=0.0004)
    finding = found(take([*t.playing(10), *bounces]))["short_holds"]
    assert finding.t_ns == s(1)
    assert finding.value == pytest.approx(100 * 8 / (8 + 20 + 11), abs=0.5)
    assert bad(take([*t.playing(10), *bounces[:6]])) == []


def test_edges_that_change_nothing_are_found_but_not_the_first_release_of_a_key():
    kept = [Event(s(2 + 0.04 * k), "keyboard", "KeyW", "press") for k in range(6)]
    repeated = found(take([*t.playing(10), *t.hold(1.5, 4), *kept]))["repeats"]
    assert (repeated.value, repeated.t_ns) == (6, s(2))
    assert "KeyW of keyboard" in repeated.sentence
    alone = [Event(s(3), "keyboard", "KeyW", "release")]
    assert bad(take([*t.playing(10), *alone])) == []  # it was down before the recording began
    finding = found(take([*t.playing(10), *t.hold(1.5, 2), *alone]))["orphan_release"]
    assert (finding.value, finding.t_ns) == (1, s(3))


def test_controls_that_the_space_lacks_are_found_but_not_the_motion_of_a_mouse_or_a_hotkey():
    strange = found(take([*t.playing(10), *t.hold(2, 3, "KeyQ")]))["unknown_control"]
    assert (strange.value, strange.t_ns) == (2, s(2))
    assert "KeyQ" in strange.sentence
    few = t.ActionSpace.from_names(["Space", "KeyA"])
    wheel = [Event(s(4), "mouse", "MouseWheel", "scroll", 1.0), Event(s(5), "keyboard", "F8", "press", flag="hotkey")]
    assert bad(take([*t.playing(10), *wheel], space=few)) == []


@pytest.mark.parametrize(("events", "seconds", "faults"), [
    ([], 10, ["all_idle"]), (t.hold(3, 3.05), 10, ["all_idle"]), (t.hold(3, 3.5), 10, []), ([], 1, []),
    (t.hold(0, 20), 20, []), ([Event(0, "pad0", "J_LEFT_X", "axis", 0.0)], 10, ["all_idle"]),
])  # fmt: skip
def test_takes_in_which_nothing_is_done_are_found(events, seconds, faults):
    assert bad(take(events, seconds)) == faults


def test_a_take_that_was_asked_to_keep_no_keys_is_not_idle():
    none = take([])
    none.info = t.SessionInfo(**{**vars(none.info), "provenance": {"keys": "none"}})
    assert bad(none) == []


def test_an_axis_that_is_dead_beside_its_twin_is_found():
    flat = [*t.taps(0, 10), *t.moves(0, 10, dy=False)]
    finding = found(take(flat))["dead_axis"]
    assert "MouseDY never moves while MouseDX" in finding.sentence
    assert bad(take(flat, space=t.ActionSpace.from_names(["Space", "MouseDX"]))) == []
    assert bad(take([*t.taps(0, 10), *t.moves(0, 0.3, dy=False)])) == []
    assert bad(take([*t.taps(0, 10), *t.stick(0, 10)])) == ["dead_axis"]


def test_motion_that_was_clipped_is_found_and_a_wide_or_steady_one_is_not():
    clipped = take([*t.taps(0, 10), *t.moves(0, 10)])
    clipped.done["dx"] = clipped.done["dx"].clip(-40, 40)
    beyond = 0.182  # of a normal distribution beyond 40 / 30 deviations
    assert found(clipped)["clipped_mouse"].value == pytest.approx(100 * beyond, abs=4)
    steady = take([*t.taps(0, 10), *t.moves(0, 10)])
    steady.done["dx"] = np.sign(steady.done["dx"]) * 7
    assert bad(steady) == []


def test_a_pointer_that_pushes_against_the_border_is_found_and_one_that_a_game_holds_is_not():
    pushed = take([*t.taps(0, 10), *t.moves(0, 10)])
    pushed.done["x"] = (pushed.done["dx"].cumsum() % 1278 - 639).abs()  # there and back again
    pushed.done["y"] = 200.0
    assert bad(pushed) == []
    rows = pushed.done["dx"].notna() & (pushed.done["t_ns"] > s(3))
    pushed.done.loc[rows, ["x", "dx"]] = [639.0, 4.0]
    assert found(pushed)["pointer_at_border"].value > 60


@pytest.mark.parametrize("value", [1.2, 32767.0, np.nan, -1.01])
def test_positions_that_are_none_are_found(value):
    off = take(
        [*t.taps(0, 10), *t.stick(0, 10), *t.stick(0, 10, "J_LEFT_Y"), Event(s(4), "pad0", "J_LEFT_X", "axis", value)]
    )
    assert (found(off)["axis_range"].value, found(off)["axis_range"].t_ns) == (1, s(4))


def test_a_trigger_goes_from_0_to_1():
    pull = Event(s(4), "pad0", "LEFT_TRIGGER", "axis", -0.5)
    space = t.ActionSpace.from_names(["Space", "LEFT_TRIGGER"])
    assert bad(take([*t.taps(0, 10), pull], space=space)) == ["axis_range"]


def test_a_stick_at_its_stop_or_off_its_middle_is_found():
    both = [("J_LEFT_X", 0), ("J_LEFT_Y", 1)]
    loud = take([*t.taps(0, 20), *(e for name, seed in both for e in t.stick(0, 20, name, seed=seed, scale=40))], 20)
    assert bad(loud) == ["saturated_axis"]
    bent = take([*t.taps(0, 20), *(e for name, seed in both for e in t.stick(0, 20, name, seed=seed, rest=0.16))], 20)
    assert found(bent)["stick_drift"].value == pytest.approx(0.16, abs=0.02)
    assert bad(bent) == ["stick_drift"]
    assert bad(bent, limits={"actions.stick_drift": 0.24}) == []


def test_a_pointer_that_leaps_is_found():
    leap = take([*t.playing(10), Event(s(5), "mouse", "Mouse", "move", dx=4000.0, dy=-900.0)])
    finding = found(leap)["mouse_jump"]
    assert (finding.t_ns, finding.value > 30) == (s(5), True)
    assert bad(take([*t.playing(10), Event(s(5), "mouse", "Mouse", "move", dx=400.0, dy=0.0)])) == []


def test_motion_without_a_unit_is_found():
    assert bad(take(t.playing(10), unit="")) == ["motion_unit"]
    assert bad(take(t.taps(0, 10), unit="")) == []


def played(actions, **more):
    return t.Take([len(actions) + 1], actions=[*actions, 0], space=GAME, time_source="emulated", **more)


def test_an_environment_that_is_played_gets_no_warning_and_nothing_is_said_about_hands():
    assert bad(played([0, 1, 2, 2, 1, 0] * 40)) == []
    assert bad(played([0] * 30)) == []  # too short to tell


def test_one_action_throughout_is_found():
    finding = found(played([1] * 199 + [2]))["one_action"]
    assert (finding.value, finding.limit) == (99.5, 98)
    assert "ALE/FIRE" in finding.sentence
    assert bad(played([1] * 180 + [2] * 20)) == []


@pytest.mark.parametrize("action", [3, -1])
def test_an_action_that_the_game_does_not_have_is_found(action):
    finding = found(played([0, 1, 2] * 5 + [action] + [0, 1] * 9))["action_range"]
    assert (finding.value, finding.frame_index, finding.severity) == (1, 15, "error")


@pytest.mark.parametrize(("action", "faults"), [
    ([0.5, 0.1], []), ([2.0, 0.1], ["action_range"]), ([np.nan, 0.1], ["action_range"]), ([0.1], ["action_range"]),
])  # fmt: skip
def test_vectors_are_held_to_the_limits_of_their_space(action, faults):
    box = t.ActionSpace.box([-1.0, -1.0], [1.0, float("inf")])
    vectors = t.Take([6], actions=[[0.0, 9.0], [1.0000001, 0.0], action, [0, 0], [0, 0], [0, 0]], space=box)
    assert bad(vectors) == faults


def test_a_reward_that_is_no_number_is_found_unless_none_is_known():
    some = played([0, 1, 2] * 10)
    some.said.loc[[4, 9], "reward"] = np.nan
    assert (found(some)["reward_nan"].value, found(some)["reward_nan"].frame_index) == (2, 4)
    some.said["reward"] = np.nan
    assert bad(some) == []


def test_it_reads_no_picture_and_nothing_twice():
    class Counted(t.Take):
        asked = 0

        def events(self, segment=None):
            Counted.asked += 1
            return super().events(segment)

    list(check_actions(Subject(Counted([300], t.playing(10)))))
    assert Counted.asked == 1
