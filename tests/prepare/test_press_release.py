"""One positive a press, its hold in seconds, what is not kept counted: every expected row is written by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tape import KEYS, STEP, Tape, axis, ns, press, release

from rushes.capture.env.sample import sample
from rushes.errors import BadInputError, BadNameError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Source
from rushes.prepare.press_release import PairCounts, press_release, sources_of, with_sources
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.validity import honour

W, A, D, SPACE = np.eye(4, dtype=np.float32)


def rows(samples, *columns):
    return samples.rows[list(columns)].to_numpy(object).tolist()


def lost(samples):
    return dict(samples.steps[0].ledger["presses"].lost)


def test_each_press_gives_one_row_with_its_frame_and_its_hold():
    samples, counts = press_release(Tape([10], [press(1.5), release(4.44), press(6), release(6.01)]), "w")
    assert rows(samples, "sample_id", "frame_index", "t_ns", "action_t_ns", "hold_s", "label", "phase", "kind") == [
        ["tape:KeyW:150000000", 1, 1 * STEP, ns(1.5), pytest.approx(0.294), 1.0, "press", "positive"],
        ["tape:KeyW:600000000", 6, 6 * STEP, ns(6), pytest.approx(0.001), 1.0, "press", "positive"],
    ]
    assert (
        rows(samples, "session", "action_session", "group", "split", "parent", "transform", "weight", "length")
        == [["tape", "tape", "tape", "", "", "", 1.0, 1]] * 2
    )
    assert counts == PairCounts(total=4, press_seen=2, release_seen=2, paired=2)
    samples.validate()


def test_two_taps_on_one_frame_are_two_rows_and_held_only_there():
    samples, counts = press_release(Tape([4], [press(1.1), release(1.2), press(1.6), release(1.7)]), "w")
    assert rows(samples, "frame_index", "hold_s") == [[1, pytest.approx(0.01)], [1, pytest.approx(0.01)]]
    assert [vector.tolist() for vector in samples.keys] == [W.tolist()] * 2
    assert samples.rows["sample_id"].is_unique
    assert counts.paired == 2


def test_another_keys_release_does_not_end_a_hold_as_it_does_in_the_reference():
    samples, _ = press_release(Tape([8], [press(1), press(2, "KeyA"), release(3, "KeyA"), release(5)]), "w")
    assert rows(samples, "hold_s") == [[pytest.approx(0.4)]]


def test_targets_are_labelled_each_by_itself_and_the_keys_hold_all():
    events = [press(1), press(1.5, "KeyA"), release(3), release(4, "KeyA"), press(5, "KeyA"), release(6, "KeyA")]
    samples, counts = press_release(Tape([8], events), "w, a")
    assert rows(samples, "control", "frame_index", "hold_s") == [
        ["KeyW", 1, pytest.approx(0.2)],
        ["KeyA", 1, pytest.approx(0.25)],
        ["KeyA", 5, pytest.approx(0.1)],
    ]
    assert samples.space == KEYS
    assert [vector.tolist() for vector in samples.keys] == [(W + A).tolist(), (W + A).tolist(), A.tolist()]
    assert counts == PairCounts(total=6, press_seen=3, release_seen=3, paired=3)


def test_a_set_of_controls_is_one_action():
    events = [press(1), press(2, "Space"), release(3), release(5, "Space")]
    samples, counts = press_release(Tape([8], events), ["w|space"])
    assert rows(samples, "control", "hold_s") == [["KeyW|Space", pytest.approx(0.4)]]
    assert (counts.total, counts.press_seen, counts.paired) == (4, 2, 1)


def test_auto_repeat_is_malformed_and_makes_no_row():
    samples, counts = press_release(Tape([8], [press(1), press(1.3), press(1.6), release(2), release(2.5)]), "w")
    assert len(samples) == 1
    assert counts == PairCounts(total=5, press_seen=1, release_seen=1, paired=1, malformed=3)


def test_a_hold_left_open_is_flagged_and_its_label_is_a_number():
    samples, counts = press_release(Tape([5], [press(1), release(2), press(3)]), "w")
    assert rows(samples, "phase", "label") == [["press", 1.0], ["open", 1.0]]
    assert np.isnan(samples.rows["hold_s"]).tolist() == [False, True]
    assert not np.isnan(samples.rows["label"]).any()
    assert (counts.paired, counts.unmatched_final_press) == (1, 1)
    samples.validate()


def test_the_counters_have_the_names_that_the_reference_prints():
    assert list(PairCounts().to_json()) == [
        "total", "press_seen", "release_seen", "paired", "unmatched_final_press", "malformed",
    ]  # fmt: skip
    assert PairCounts(1, 2, 3, 4, 5, 6) + PairCounts(1, 1, 1, 1, 1, 1) == PairCounts(2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("target", "expected"),
    [("J_LEFT_X>0.5", [[2, 0.2]]), ("RIGHT_TRIGGER", [[3, 0.3]]), ("J_LEFT_X>0.5|RIGHT_TRIGGER>0.2", [[1, 0.5]])],
)
def test_a_stick_or_trigger_beyond_its_threshold_is_pressed(target, expected):
    moves = [(2, "J_LEFT_X", 0.7), (4, "J_LEFT_X", 0.1), (1.5, "RIGHT_TRIGGER", 0.3), (3, "RIGHT_TRIGGER", 0.9)]
    events = [axis(*move) for move in [*moves, (6.0, "RIGHT_TRIGGER", 0.25), (6.5, "RIGHT_TRIGGER", 0.0)]]
    space = ActionSpace.from_names(["J_LEFT_X", "RIGHT_TRIGGER"])
    samples, _ = press_release(Tape([9], events, space=space), target)
    assert rows(samples, "frame_index", "hold_s") == [[frame, pytest.approx(hold)] for frame, hold in expected]


def test_a_window_ends_with_the_press_and_one_that_would_cross_the_edge_is_counted():
    samples, _ = press_release(
        Tape([5, 6], [press(k + 0.5) for k in (0, 1)] + [release(0.8), release(1.8)]), "w", length=2
    )
    assert rows(samples, "frame_index", "t_ns", "length", "action_t_ns") == [[0, 0, 2, ns(1.5)]]
    assert lost(samples) == {"window_crosses_edge": 1}
    later = [press(5.2), release(5.4), press(7.2), release(7.4)]
    samples, _ = press_release(Tape([5, 6], later), "w", length=3)
    assert rows(samples, "frame_index", "segment") == [[5, 1]]
    assert lost(samples) == {"window_crosses_edge": 1}
    assert samples.steps[0].ledger.balances


def test_a_delay_moves_presses_to_other_frames_and_counts_those_that_leave_their_segment():
    tape = Tape([5], [press(1.5), release(2), press(4.5), release(4.7)])
    samples, counts = press_release(tape, "w", action_delay_ms="100")
    assert rows(samples, "frame_index", "action_t_ns", "hold_s") == [[2, ns(1.5), pytest.approx(0.05)]]
    assert lost(samples) == {"outside_segment": 1}
    assert counts.paired == 2
    samples, _ = press_release(tape, "w", action_delay_ms="-200")
    assert rows(samples, "frame_index", "action_t_ns") == [[2, ns(4.5)]]
    assert lost(samples) == {"outside_segment": 1}
    assert samples.steps[0].parameters["action_delay_ms"] == "-200"


def test_a_hold_that_began_before_its_segment_is_counted_and_makes_no_row():
    samples, counts = press_release(Tape([3, 5], [press(1), release(4), press(5), release(6)]), "w")
    assert rows(samples, "frame_index", "segment", "phase") == [[1, 0, "open"], [5, 1, "press"]]
    assert lost(samples) == {"press_not_seen": 1}
    assert (counts.paired, counts.unmatched_final_press) == (1, 1)


def test_hotkeys_of_the_recorder_make_no_rows():
    events = [press(1), release(2), press(3, flag="hotkey"), release(3.5, flag="hotkey")]
    samples, counts = press_release(Tape([5], events), "w")
    assert (len(samples), counts.total) == (1, 2)


def test_two_devices_that_press_one_key_give_one_row():
    events = [press(1, device="a"), press(2, device="b"), release(3, device="a"), release(4, device="b")]
    samples, counts = press_release(Tape([6], events), "w")
    assert rows(samples, "hold_s") == [[pytest.approx(0.3)]]
    assert (counts.press_seen, counts.paired) == (2, 1)


def test_boxes_are_pressed_beyond_a_threshold_and_their_keys_are_the_numbers():
    space = ActionSpace.box([-1, -1], [1, 1])
    tape = Tape([5], space=space, actions=[[0.0, 0.25], [0.75, -0.5], [1.0, 0.0], [0.0, 0.0]])
    samples, _ = press_release(tape, "0>0.5")
    assert rows(samples, "control", "frame_index", "hold_s") == [["0>0.5", 1, pytest.approx(0.2)]]
    assert samples.keys.tolist() == [[0.75, -0.5]]


def test_steps_of_an_emulator_give_the_buttons_that_they_press():
    names = ["ALE/NOOP", "ALE/UPFIRE", "ALE/FIRE", "ALE/NOOP", "ALE/FIRE"]
    samples, counts = press_release(Tape([6], space=ActionSpace.from_layout("ale18"), actions=names), "ALE/FIRE")
    assert rows(samples, "frame_index", "hold_s", "phase") == [
        [1, pytest.approx(0.2), "press"],
        [4, pytest.approx(np.nan, nan_ok=True), "open"],
    ]
    assert samples.space.names == ("ALE/DOWN", "ALE/FIRE", "ALE/LEFT", "ALE/RIGHT", "ALE/UP")
    assert samples.keys.tolist() == [[0, 1, 0, 0, 1], [0, 1, 0, 0, 0]]
    assert counts == PairCounts(total=3, press_seen=2, release_seen=1, paired=1, unmatched_final_press=1)


@pytest.fixture(scope="module")
def breakout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    sample(folder / "s", "Breakout", frames_per_env=120, max_episodes=2, policy="persistent", workers=1, seed=3)
    return folder / "s" / "atari_breakout"


def expected_of_steps(session, segments):
    """Presses of FIRE straight from the stored actions: (frame, hold in steps or None)."""
    found = []
    for number in segments:
        steps = session.steps(number)
        down = ["FIRE" in name for name in steps["action_name"]]
        for k, frame in enumerate(steps["frame_index"]):
            if down[k] and (k == 0 or not down[k - 1]):
                ends = [j for j in range(k, len(down)) if not down[j]]
                found.append((frame, ends[0] - k if ends else None))
    return found


def test_a_sampled_game_gives_the_presses_of_its_steps(breakout):
    session = open_session(breakout)
    samples, _ = press_release(session, "ALE/FIRE")
    step_s = 4 / 60
    told = [
        (row.frame_index, None if np.isnan(row.hold_s) else round(row.hold_s / step_s))
        for row in samples.rows.itertuples()
    ]
    assert len(told) > 3
    assert told == expected_of_steps(session, range(len(session.segments)))
    assert samples.sources == {session.info.id: Source(str(breakout))}
    samples.validate()


def test_what_is_marked_invalid_gives_no_rows_and_no_window_crosses_it(breakout, tmp_path):
    import shutil

    path = tmp_path / "copy"
    shutil.copytree(breakout, path)
    session = open_session(path)
    frames = press_release(session, "ALE/FIRE")[0].rows["frame_index"].tolist()
    t_ns = session.index()["t_ns"].tolist()
    hit = frames[1]
    add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=t_ns[hit - 1], t_end_ns=t_ns[hit + 1])
    left = honour(open_session(path))
    samples, _ = press_release(left, "ALE/FIRE")
    assert set(samples.rows["frame_index"]) <= set(frames) - {hit - 1, hit}
    assert samples.sources == {session.info.id: Source(str(path))}
    long, _ = press_release(left, "ALE/FIRE", length=3)
    for row in long.rows.itertuples():
        assert not {hit - 1, hit} & set(range(row.frame_index, row.frame_index + 3))


def test_several_recordings_stand_behind_each_other_whatever_their_vocabulary():
    one = Tape([4], [press(1), release(2)], name="one")
    other = Tape([4], [press(2, "KeyA"), press(1), release(2), release(3, "KeyA")], name="other",
                 space=ActionSpace.from_names(["KeyA", "KeyW"]))  # fmt: skip
    samples, counts = press_release([one, other], "w")
    assert rows(samples, "session", "frame_index") == [["one", 1], ["other", 1]]
    assert samples.space.names == ("KeyW", "KeyA", "KeyD", "Space")
    assert samples.keys.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert counts.paired == 2


def test_no_press_gives_an_empty_table():
    samples, counts = press_release(Tape([4]), "w")
    assert len(samples) == 0
    assert counts == PairCounts()
    samples.validate()


@pytest.mark.parametrize(
    ("recordings", "controls", "options", "match"),
    [
        ([], "w", {}, "no recording"),
        ([Tape([2]), Tape([2])], "w", {}, "two recordings with the id tape"),
        ([Tape([2])], "", {}, "controls"),
        ([Tape([2])], "w", {"length": 0}, "length=0"),
        ([Tape([2])], "w", {"action_delay_ms": "soon"}, "action_delay_ms"),
        ([Tape([2])], "J_LEFT_X", {}, "J_LEFT_X"),
    ],
)
def test_what_cannot_be_is_refused(recordings, controls, options, match):
    with pytest.raises(BadInputError, match=match):
        press_release(recordings, controls, **options)


def test_an_unknown_control_is_refused_with_the_nearest():
    with pytest.raises(BadNameError, match="'space'"):
        press_release(Tape([2]), "spac")


def test_a_recording_from_elsewhere_is_named_by_whoever_opened_it(breakout):
    tape = Tape([4], [press(1), release(2)])
    samples, _ = press_release(tape, "w")
    assert samples.sources == {}
    assert with_sources(samples, [tape], Source("a.npz", ("x=1",))).sources == {"tape": Source("a.npz", ("x=1",))}
    session = open_session(breakout)
    assert with_sources(samples, [session], Source("x")).sources == {}, "a session of ours names itself"
    assert sources_of(session)[session.info.id].path == str(breakout)
