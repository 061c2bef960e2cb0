"""When a target is down: every case by hand, times in ns and rows in frames of 100 ms."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tape import KEYS, Tape, axis, ns, press, release, state

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.targets import parse_targets
from rushes.prepare.presses import OPEN, pressed, stretches


def found(target, *events):
    return stretches(events_frame(events), parse_targets(target)[0])


def spans(one):
    return [
        (down / 1e8, None if up == OPEN else up / 1e8)
        for down, up in zip(one.down_ns.tolist(), one.up_ns.tolist(), strict=True)
    ]


def test_a_release_belongs_to_the_control_that_went_down():
    events = [press(1), press(2, "KeyA"), release(3, "KeyA"), release(4), press(5, "KeyA"), release(6, "KeyA")]
    assert spans(found("w", *events)) == [(1, 4)]
    assert spans(found("a", *events)) == [(2, 3), (5, 6)]


def test_taps_shorter_than_a_frame_all_count():
    one = found("w", press(1.1), release(1.2), press(1.3), release(1.4), press(1.5), release(1.6))
    assert spans(one) == [(1.1, 1.2), (1.3, 1.4), (1.5, 1.6)]
    assert one.hold_s.tolist() == pytest.approx([0.01, 0.01, 0.01])
    assert (one.events, one.presses, one.releases, one.malformed) == (6, 3, 3, 0)


def test_auto_repeat_and_releases_of_what_is_up_change_nothing_and_are_counted():
    one = found("w", press(1), press(1.5), press(2), release(3), release(4))
    assert spans(one) == [(1, 3)]
    assert (one.events, one.presses, one.releases, one.malformed) == (5, 1, 1, 3)


def test_a_hold_that_nothing_ends_is_open_and_has_no_length():
    one = found("w", press(1), release(2), press(3))
    assert spans(one) == [(1, 2), (3, None)]
    assert one.hold_s[0] == pytest.approx(0.1)
    assert np.isnan(one.hold_s[1])


def test_of_several_controls_a_target_is_down_from_the_first_press_to_the_last_release():
    one = found("w|space", press(1), press(2, "Space"), release(3), release(5, "Space"), press(7), release(8))
    assert spans(one) == [(1, 5), (7, 8)]
    assert (one.events, one.presses, one.releases, one.malformed) == (6, 3, 3, 0)


def test_stretches_that_touch_stay_two():
    assert spans(found("w|space", press(1), release(2), press(2, "Space"), release(3, "Space"))) == [(1, 2), (2, 3)]


def test_two_devices_that_hold_one_key_count_as_one():
    one = found("w", press(1, device="a"), press(2, device="b"), release(3, device="a"), release(4, device="b"))
    assert spans(one) == [(1, 4)]


def test_either_shift_is_one_action():
    one = found(
        "shift", press(1, "ShiftLeft"), press(2, "ShiftRight"), release(3, "ShiftLeft"), release(4, "ShiftRight")
    )
    assert spans(one) == [(1, 4)]


def test_a_state_says_what_was_down_before_and_is_no_press():
    one = found("w", state(0), release(2), press(3), release(4))
    assert spans(one) == [(0, 2), (3, 4)]
    assert one.told.tolist() == [False, True]
    assert (one.events, one.presses, one.releases) == (3, 1, 2)


def test_a_state_that_is_taken_back_at_once_is_no_stretch():
    """A hold under way at a pause, let go meanwhile: the next segment begins with what was, and then with what is."""
    assert spans(found("w", state(4), state(4, value=0.0), press(6), release(7))) == [(6, 7)]


def test_hotkeys_of_the_recorder_are_no_presses_but_their_release_ends_a_hold():
    one = found("w", press(1), release(2), press(3, flag="hotkey"), release(4, flag="hotkey"))
    assert spans(one) == [(1, 2)]
    one = found("ctrl", press(1, "ControlLeft"), release(3, "ControlLeft", flag="hotkey"))
    assert spans(one) == [(1, 3)]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("J_LEFT_X>0.5", [(2, 4)]),
        ("J_LEFT_X<-0.5", [(5, 6)]),
        ("J_LEFT_X>0.5|J_LEFT_X<-0.5", [(2, 4), (5, 6)]),
        ("J_LEFT_X>0.9", []),
    ],
)
def test_a_stick_is_down_beyond_its_threshold_and_not_at_it(target, expected):
    values = [(1, 0.5), (2, 0.6), (3, 0.8), (4, 0.5), (5, -0.6), (6, 0.0)]
    one = found(target, *(axis(row, "J_LEFT_X", value) for row, value in values))
    assert spans(one) == expected
    assert (one.events, one.malformed) == (6, 0)
    assert (one.presses, one.releases) == (len(expected), len(expected))


def test_a_stick_that_stands_beyond_the_threshold_at_the_start_was_not_pressed():
    one = found("J_LEFT_X>0.5", state(0, "J_LEFT_X", 0.9, "pad"), axis(2, "J_LEFT_X", 0.0), axis(3, "J_LEFT_X", 1.0))
    assert spans(one) == [(0, 2), (3, None)]
    assert one.told.tolist() == [False, True]


def test_a_trigger_is_down_from_half_its_way_or_beyond_its_threshold():
    events = [axis(1, "RIGHT_TRIGGER", 0.3), axis(2, "RIGHT_TRIGGER", 0.5), axis(3, "RIGHT_TRIGGER", 0.1)]
    one = found("RIGHT_TRIGGER", *events)
    assert spans(one) == [(2, 3)]
    assert (one.events, one.presses, one.releases, one.malformed) == (3, 1, 1, 0)
    assert spans(found("RIGHT_TRIGGER>0.2", *events)) == [(1, 3)]


def rows(recording, target="w", **options):
    return [
        (one.row.tolist(), one.down_in_rows().tolist())
        for one in pressed(recording, parse_targets(target)[0], **options)
    ]


def test_a_press_falls_on_the_last_frame_at_or_before_it():
    one = Tape([5], [press(0), release(0.5), press(1.999), release(2), press(3), release(3.2)])
    assert rows(one) == [([0, 1, 3], [True, True, False, True, False])]


def test_a_hold_covers_every_frame_whose_interval_it_meets():
    assert rows(Tape([6], [press(1.5), release(3)])) == [([1], [False, True, True, False, False, False])]
    assert rows(Tape([6], [press(1.5), release(3.001)])) == [([1], [False, True, True, True, False, False])]
    assert rows(Tape([4], [press(2.5)])) == [([2], [False, False, True, True])], "open to the end"


def test_a_delay_moves_presses_and_holds_alike():
    one = Tape([6], [press(1.5), release(2.5), press(5.5)])
    assert rows(one, action_delay_ms=100) == [([2, 6], [False, False, True, True, False, False])]
    assert rows(one, action_delay_ms=-200) == [([-1, 3], [True, False, False, True, True, True])]


def test_each_segment_is_looked_at_by_itself():
    one = Tape([3, 3], [press(2.5), release(4.5), press(5), release(5.5)])
    found = list(pressed(one, parse_targets("w")[0]))
    assert [(spans(p.found), p.found.told.tolist(), p.row.tolist()) for p in found] == [
        ([(2.5, None)], [True], [2]),
        ([(3, 4.5), (5, 5.5)], [False, True], [0, 2]),
    ]


def test_steps_of_an_emulator_are_presses_of_their_buttons():
    space = ActionSpace.from_layout("ale18")
    names = ["ALE/NOOP", "ALE/FIRE", "ALE/UPFIRE", "ALE/UP", "ALE/FIRE"]
    one = Tape([6], space=space, actions=names)
    assert rows(one, "ALE/FIRE") == [([1, 4], [False, True, True, False, True])]
    assert rows(one, "ALE/UP") == [([2], [False, False, True, True, False])]


BOX = ActionSpace.box([-1, -1], [1, 1])


def test_numbers_of_a_box_are_presses_beyond_a_threshold():
    one = Tape([6], space=BOX, actions=[[0.0, 0], [0.6, 0], [0.9, -1], [0.5, -1], [0.8, 0]])
    assert rows(one, "0>0.5") == [([1, 4], [False, True, True, False, True])]
    assert rows(one, "1<-0.5") == [([2], [False, False, True, True, False])]
    assert rows(one, "0>0.5|1<-0.5") == [([1, 4], [False, True, True, True, True])]


@pytest.mark.parametrize(("target", "space"), [("2>0.5", BOX), ("w", BOX), ("0>0.5", KEYS)])
def test_a_target_that_the_recording_does_not_have_is_refused(target, space):
    actions = [[0.0, 0.0]] if space is BOX else None
    with pytest.raises(BadInputError, match="target"):
        rows(Tape([2], space=space, actions=actions), target)


def test_times_stay_those_of_the_events():
    (one,) = pressed(Tape([4], [press(1.5), release(2)]), parse_targets("w")[0], action_delay_ms=30)
    assert one.found.down_ns.tolist() == [ns(1.5)]
    assert one.delay_ms == 30
