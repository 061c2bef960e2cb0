"""Negatives of every kind on sessions written down by hand: which frames, whose action, and the reason of each row."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tape import STEP, Tape, axis, ns, press, release, state

from rushes.errors import BadInputError, BadNameError
from rushes.model.actions import ActionSpace
from rushes.model.readings import Event
from rushes.prepare.edits import drop
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.store.facts import add_fact
from rushes.store.validity import honour

HELD = [press(10.5), release(14.2)]
"""KeyW goes down on frame 10 and up on frame 14."""


def tap(row, control="KeyW"):
    return [press(row + 0.2, control), release(row + 0.4, control)]


def made(tapes, *, control="w", length=1, **options):
    several = [tapes] if isinstance(tapes, Tape) else tapes
    positives, _ = press_release(several, control, length=length)
    return negatives(positives, several, **options)


def last_frames(samples, kind, control="KeyW", session="tape"):
    rows = samples.rows
    mine = rows[(rows["kind"] == kind) & (rows["control"] == control) & (rows["session"] == session)]
    return (mine["frame_index"] + mine["length"] - 1).tolist()


def lost(samples, stream):
    return dict(samples.steps[-1].ledger[stream].lost)


def report(samples, kind):
    return {k: v for k, v in samples.steps[-1].parameters["kinds"][kind].items() if k != "amount"}


def test_uniform_takes_what_is_neither_near_a_press_nor_in_a_hold():
    found = made(Tape([30], HELD), kinds="uniform=all")
    assert last_frames(found, "uniform") == [*range(8), *range(15, 30)]
    assert found.rows["label"].unique().tolist() == [0.0]
    assert found.rows["phase"].unique().tolist() == ["up"]
    assert found.rows.loc[0, "sample_id"] == "tape:KeyW:uniform:0"
    assert found.rows.loc[0, "reason"] == "uniform: 10 frames (1000 ms) before the nearest press of KeyW; KeyW up"
    assert found.rows["reason"].iloc[-1] == "uniform: 19 frames (1900 ms) after the nearest press of KeyW; KeyW up"
    found.validate()


def test_frames_of_a_hold_are_a_kind_of_their_own():
    found = made(Tape([30], HELD), kinds="uniform=all,during_hold=all")
    assert last_frames(found, "during_hold") == [13, 14]
    assert found.rows.loc[0, ["phase", "reason"]].tolist() == [
        "held",
        "during_hold: 3 frames (300 ms) after the nearest press of KeyW; KeyW held",
    ]
    assert found.rows.loc[0, "keys"].tolist() == [1, 0, 0, 0]


def test_the_rule_of_the_reference_can_be_had():
    tape = Tape([60], [*tap(5), *HELD, *tap(40), *tap(59)])
    excluded = {frame + offset for frame in (5, 10, 40, 59) for offset in range(-2, 3)}
    found = made(tape, kinds="uniform=all", exclusion="2", holds="uniform")
    assert last_frames(found, "uniform") == [frame for frame in range(60) if frame not in excluded]
    assert found.rows["phase"].tolist().count("held") == 2


def test_near_misses_lie_just_outside_the_exclusion_on_both_sides():
    found = made(Tape([40], tap(20)), kinds="near_miss=all")
    assert last_frames(found, "near_miss") == [*range(12, 18), *range(23, 29)]
    assert last_frames(made(Tape([40], tap(20)), kinds="near_miss=all", band=3), "near_miss") == [17, 23]
    four = last_frames(made(Tape([40], tap(20)), kinds="near_miss=4"), "near_miss")
    assert [frame < 20 for frame in four] == [True, True, False, False]


def test_an_exclusion_in_time_counts_from_the_frame_and_from_the_press_itself():
    found = made(Tape([30], [press(10.5), release(10.6)]), kinds="uniform=all", exclusion="250 ms")
    # frame 13 stands 300 ms behind frame 10 and 250 ms behind the press
    assert last_frames(found, "uniform") == [*range(8), *range(14, 30)]
    assert len(made(Tape([30], tap(10)), kinds="near_miss=all", exclusion="100ms", band="300ms")) == 3 + 2 - 1


def test_presses_that_are_in_no_table_are_presses_all_the_same():
    # dropped by hand, held open, one whose window crosses the edge
    tape = Tape([40], [*tap(1), *tap(15), press(34.5)])
    positives, _ = press_release(tape, "w", length=3)
    assert len(positives) == 2
    one = positives.then(positives.rows.iloc[1:], positives.steps[0])
    found = negatives(one, tape, kinds="uniform=all,during_hold=all")
    assert last_frames(found, "uniform") == [*range(4, 13), *range(18, 32)]
    assert last_frames(found, "during_hold") == [37, 38, 39]
    assert lost(found, "samples") == {"window_crosses_edge": 2, "within_exclusion": 2 + 5 + 5}


def test_a_frame_that_the_table_calls_a_press_is_one():
    tape = Tape([30], tap(10))
    positives, _ = press_release(tape, "w")
    moved = positives.then(positives.rows.assign(frame_index=[20]), positives.steps[0])
    found = last_frames(negatives(moved, tape, kinds="uniform=all"), "uniform")
    assert found == [*range(8), *range(13, 18), *range(23, 30)]


def test_windows_stay_within_their_segment_and_presses_count_in_their_own():
    found = made(Tape([10, 10], tap(9)), length=4, kinds="uniform=all")
    assert last_frames(found, "uniform") == [3, 4, 5, 6, *range(13, 20)]
    assert found.rows.loc[0, ["frame_index", "t_ns", "action_t_ns", "length"]].tolist() == [0, 0, 3 * STEP, 4]
    assert found.rows["segment"].tolist() == [0] * 4 + [1] * 7
    assert found.rows["reason"].iloc[-1] == "uniform: no press of KeyW in its segment; KeyW up"


def test_a_target_that_is_down_when_the_segment_begins_is_held_and_not_pressed():
    found = made([Tape([10], [state(0), release(4.5)]), Tape([9], tap(3), name="b")], kinds="during_hold=all")
    assert last_frames(found, "during_hold") == [0, 1, 2, 3, 4]
    assert found.rows.loc[0, "reason"] == "during_hold: no press of KeyW in its segment; KeyW held"


def test_idle_means_that_nothing_at_all_is_done():
    events = [*tap(10), *tap(20, "KeyA"), Event(ns(22.5), "mouse", "Mouse", "move", dx=3.0, dy=0.0)]
    events += [axis(24.5, "J_LEFT_X", 0.5), axis(26.5, "J_LEFT_X", 0.02)]
    found = made(Tape([30], events), kinds="idle=all")
    assert last_frames(found, "idle") == [*range(8), *range(13, 20), 21, 23, *range(26, 30)]


def test_shifted_rows_carry_the_action_of_their_positive():
    found = made(Tape([40], HELD), kinds="shifted=all", shift="+8,-20,-3,7")
    # 8 later, 3 and 7 earlier, 7 later; 20 earlier does not exist
    assert last_frames(found, "shifted") == [3, 7, 17, 18]
    row = found.rows.iloc[3]
    assert row["action_t_ns"] == ns(10.5)
    assert row["keys"].tolist() == [1, 0, 0, 0]
    assert row["hold_s"] == pytest.approx(0.37)
    assert row["phase"] == "press"
    assert row["sample_id"] == f"tape:KeyW:shifted:{18 * STEP}:{ns(10.5)}"
    assert row["reason"].startswith("shifted: pixels 8 frames after the press at 1.050 s whose action it is; 8 frames")
    assert lost(found, "shifted") == {"window_crosses_edge": 1}
    found.validate()


def test_a_shift_into_another_press_or_a_hold_is_no_negative():
    found = made(Tape([40], [*tap(10), *tap(16), press(23.5), release(30.5)]), kinds="shifted=all", shift="+6,-1")
    # 10 + 6 is the press at 16, 16 + 6 is within the exclusion of 23, 23 + 6 is in its hold; -1 is always too near
    assert len(found) == 0
    assert lost(found, "shifted") == {"within_exclusion": 2 + 3, "during_hold": 1}


def test_a_static_scene_after_a_shift_is_not_taken():
    pictures = [5] * 20 + list(range(100, 120))
    found = made(Tape([40], [*tap(10), *tap(30)], pictures=pictures), kinds="shifted=all", shift="+8")
    assert last_frames(found, "shifted") == [38]
    assert lost(found, "shifted") == {"same_pictures": 1}
    assert report(found, "shifted") == {"wanted": 2, "candidates": 2, "found": 1}
    blind = made(Tape([40], [*tap(10), *tap(30)], pictures=pictures), kinds="shifted=all", shift="+8", pixels=False)
    assert last_frames(blind, "shifted") == [18, 38]


def test_another_one_is_drawn_in_place_of_a_static_scene():
    taps = [event for row in (10, 30, 50, 70) for event in tap(row)]
    found = made(Tape([90], taps, pictures=[5] * 50 + list(range(50, 90))), kinds="shifted=2", shift="+8")
    assert last_frames(found, "shifted") == [58, 78]


def test_swapped_rows_show_the_press_of_another_target():
    found = made(Tape([40], [*HELD, *tap(30, "KeyD"), *tap(12, "KeyD")]), control="w,d", kinds="swapped=all")
    assert last_frames(found, "swapped", "KeyW") == [30]
    # frame 10, where W goes down, lies within the exclusion of the tap of D on frame 12
    assert last_frames(found, "swapped", "KeyD") == []
    row = found.rows.iloc[0]
    assert (row["control"], row["label"], row["phase"]) == ("KeyW", 0, "press")
    assert row["keys"].tolist() == [1, 0, 0, 0], "the action of a press of W, and not what was done on the frame"
    assert (row["action_t_ns"], row["hold_s"]) == (ns(10.5), pytest.approx(0.37))
    assert row["reason"] == (
        "swapped: KeyD is pressed here, the action is that of the press at 1.050 s; "
        "20 frames (2000 ms) after the nearest press of KeyW; KeyW up"
    )
    assert lost(found, "swapped") == {"within_exclusion": 2}


def test_a_session_without_a_press_of_the_target_has_none_to_swap_in():
    tapes = [Tape([40], tap(30, "KeyD"), name="a"), Tape([40], tap(5), name="b", pictures=range(100, 140))]
    found = made(tapes, control="w,d", kinds="swapped=all")
    assert len(found) == 0
    assert lost(found, "swapped") == {"no_press_to_swap_in": 2}, "D in a has no W to take, W in b no D"


def test_cross_session_rows_carry_the_action_of_another_session():
    tapes = [Tape([30], tap(10), name="a"), Tape([20], HELD, name="b", pictures=range(100, 120))]
    found = made(tapes, kinds="cross_session=all")
    assert last_frames(found, "cross_session", session="a") == [*range(8), *range(13, 30)]
    assert last_frames(found, "cross_session", session="b") == [*range(8), *range(15, 20)]
    assert found.rows["action_session"].tolist() == ["b"] * 25 + ["a"] * 13
    assert found.rows["action_t_ns"].unique().tolist() == [ns(10.5), ns(10.2)]
    assert found.rows["group"].tolist() == found.rows["session"].tolist()
    assert found.rows.loc[0, "reason"] == (
        "cross_session: action of the press at 1.050 s of b; 10 frames (1000 ms) before the nearest press of KeyW; "
        "KeyW up"
    )
    found.validate()


def test_a_cross_session_row_whose_pixels_are_those_of_its_positive_is_not_taken():
    tapes = [Tape([30], tap(10), name="a"), Tape([20], [], name="b")]  # frame 10 of both shows picture 10
    found = made(tapes, kinds="cross_session=all")
    assert last_frames(found, "cross_session", session="b") == [k for k in range(20) if k != 10]
    assert lost(found, "cross_session") == {"same_pictures": 1}


def test_hard_rows_look_most_like_a_positive():
    pictures = [200] * 40
    pictures[10], pictures[20], pictures[25], pictures[30], pictures[35] = 100, 103, 110, 100, 97
    found = made(Tape([40], tap(10), pictures=pictures), kinds="hard=3")
    assert last_frames(found, "hard") == [20, 25, 35]
    assert found.rows.loc[0, "reason"] == (
        f"hard: looks like the press at 1.020 s (distance {3 / 255:.4f}); "
        "10 frames (1000 ms) after the nearest press of KeyW; KeyW up"
    )
    assert lost(found, "hard")["same_pictures"] == 1  # frame 30 is no other picture


def test_each_positive_finds_one_before_any_finds_a_second():
    tapes = [
        Tape([20], tap(10), name="a", pictures=[0] * 10 + [100] + [0] * 9),
        Tape([20], tap(10), name="b", pictures=[0, 101, 102, 103, 230] + [0] * 5 + [210] + [0] * 9),
    ]
    found = made(tapes, kinds="hard=2")
    assert last_frames(found, "hard", session="b") == [1, 4]
    assert len(made(tapes, kinds="hard=all")) == 40 - 5 - 5


def test_hard_rows_keep_out_of_exclusions_and_holds():
    found = made(Tape([40], HELD, pictures=[100 + abs(k - 10) for k in range(40)]), kinds="hard=4")
    assert last_frames(found, "hard") == [5, 6, 7, 15]


def test_without_a_positive_nothing_is_hard_shifted_or_foreign():
    tapes = [Tape([30], [], name="a"), Tape([20], [], name="b")]
    positives, _ = press_release(tapes, "w")
    found = negatives(positives, tapes, kinds="hard=5,shifted=5,cross_session=5,uniform=4")
    assert found.count() == {"uniform": 4}
    assert report(found, "hard") == {"wanted": 5, "candidates": 50, "found": 0}


def test_a_frame_stands_once_for_each_control():
    kinds = "uniform=all,idle=all,near_miss=all,hard=all,shifted=all"
    found = made(Tape([60], [*tap(20), *tap(40, "KeyD")]), control="w,d", kinds=kinds)
    assert len(found) == 2 * 55
    assert not found.rows.duplicated(["control", "frame_index"]).any()


def test_sessions_give_evenly_and_what_one_lacks_comes_from_the_others():
    tapes = [Tape([400], tap(10), name="long"), Tape([15], tap(10), name="short")]
    found = made(tapes, kinds="uniform=20")
    assert found.count("session") == {"long": 10, "short": 10}
    assert made(tapes, kinds="uniform=60").count("session") == {"long": 50, "short": 10}


def test_a_factor_counts_the_positives_of_each_control():
    tape = Tape([200], [*tap(20), *tap(40), *tap(60), *tap(100, "KeyD")])
    assert made(tape, control="w,d", kinds="uniform=2.5x").count("control") == {"KeyD": 2, "KeyW": 8}
    assert made(tape, control="w,d", kinds="uniform=9").count("control") == {"KeyD": 5, "KeyW": 4}


def test_fewer_than_wanted_is_said_and_never_padded():
    found = made(Tape([12], tap(6)), kinds="near_miss=50,uniform=2")
    assert report(found, "near_miss") == {"wanted": 50, "candidates": 7, "found": 7}
    assert report(found, "uniform") == {"wanted": 2, "candidates": 0, "found": 0}
    assert len(found) == 7
    assert found.steps[-1].ledger.balances
    account = found.steps[-1].ledger["samples"]
    assert (account.offered, account.kept, account.lost) == (12, 7, {"within_exclusion": 5})


def test_the_same_seed_gives_the_same_rows_for_any_order_of_sessions():
    tapes = [Tape([90], [*tap(20), *tap(50)], name="a"), Tape([70], tap(30), name="b"), Tape([40], [], name="c")]
    kinds = "uniform=9,near_miss=2x,hard=4,shifted=1x,cross_session=5,idle=5"
    one, other = (made(order, kinds=kinds, seed=3) for order in (tapes, tapes[::-1]))
    assert one.rows.drop(columns="keys").equals(other.rows.drop(columns="keys"))
    assert one.steps[-1].to_json() == other.steps[-1].to_json()
    assert set(made(tapes, kinds=kinds, seed=4).rows["sample_id"]) != set(one.rows["sample_id"])


def test_events_are_moved_as_the_positives_moved_them():
    tape = Tape([40], tap(10))
    positives, _ = press_release(tape, "w", action_delay_ms="500")
    found = negatives(positives, tape, kinds="uniform=all")
    assert last_frames(found, "uniform") == [*range(13), *range(18, 40)]


def test_actions_of_an_environment_are_events_too():
    space = ActionSpace.discrete(["NOOP", "FIRE", "RIGHT"], world="ALE")
    actions = ["ALE/NOOP"] * 5 + ["ALE/FIRE"] * 6 + ["ALE/RIGHT"] * 9
    found = made(Tape([21], actions=actions, space=space), control="ALE/FIRE", kinds="uniform=all,during_hold=all")
    assert last_frames(found, "uniform", "ALE/FIRE") == [0, 1, 2, *range(11, 20)]
    assert last_frames(found, "during_hold", "ALE/FIRE") == [8, 9, 10]
    assert last_frames(made(Tape([21], actions=actions, space=space), control="ALE/FIRE", kinds="idle=all"), "idle",
                       "ALE/FIRE") == [0, 1, 2]  # fmt: skip


def test_numbers_of_a_box_have_thresholds():
    space = ActionSpace.box([-1.0], [1.0])
    tape = Tape([11], actions=[[0.0]] * 5 + [[0.9]] + [[0.3]] * 4, space=space)
    found = made(tape, control="0>0.5", kinds="uniform=all", exclusion=0)
    assert last_frames(found, "uniform", "0>0.5") == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert last_frames(made(tape, control="0>0.5", kinds="idle=all", exclusion=0), "idle", "0>0.5") == [0, 1, 2, 3, 4]


def load(name):
    path = Path(__file__).parent.parent / "formats" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"negatives_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def session(tmp_path):
    hand = load("hand_play")
    events = [hand.press(20.5, "KeyW"), hand.release(20.9, "KeyW")]
    return hand.play(tmp_path / "s", [40], events)


class Scenes:
    """One picture for 60 frames, then one that moves."""

    def __init__(self, scenery):
        self.scenery = scenery

    def picture(self, number):
        return self.scenery.picture(max(number, 60))


def test_a_static_scene_is_known_in_a_lossy_film_too(tmp_path):
    hand = load("hand_play")
    hand.SCENERY = Scenes(hand.SCENERY)
    taps = [one for row in (20, 45, 80) for one in (hand.press(row + 0.2, "KeyW"), hand.release(row + 0.4, "KeyW"))]
    session = hand.play(tmp_path / "s", [100], taps, codec="h264")
    positives, _ = press_release(session, "w")
    found = negatives(positives, session, kinds="shifted=all,hard=all", shift="-9,+9")
    assert last_frames(found, "shifted", session="hand") == [71, 89]
    assert lost(found, "shifted") == {"same_pictures": 4}
    assert not [frame for frame in last_frames(found, "hard", session="hand") if frame < 60]


def test_a_press_in_a_marked_stretch_still_counts(session):
    step = load("hand_play").STEP
    add_fact(session.path, "validity", {"valid": False}, author="me", t_start_ns=19 * step, t_end_ns=22 * step)
    view = honour(session)
    positives, _ = press_release(view, "w")
    assert len(positives) == 0
    found = negatives(positives, view, kinds="uniform=all", length=2)
    assert (found.rows["frame_index"] + 1).tolist() == [*range(1, 18), *range(23, 40)]
    assert found.rows["segment"].tolist() == [0] * 17 + [1] * 17


def test_what_was_dropped_by_hand_stays_away(session):
    positives, _ = press_release(session, "w")
    drop(session.path, control="w", author="me", frame_index=5)
    found = negatives(positives, session, kinds="uniform=all")
    assert last_frames(found, "uniform", session="hand") == [k for k in range(40) if k != 5 and abs(k - 20) > 2]
    assert found.sources["hand"].path == str(session.path)


def test_rows_follow_the_split_of_their_session():
    tapes = [Tape([30], tap(10), name="a"), Tape([30], tap(10), name="b")]
    positives, _ = press_release(tapes, "w")
    decided = positives.then(positives.rows.assign(split=["train", "test"]), positives.steps[0])
    found = negatives(decided, tapes, kinds="uniform=4")
    assert found.count("split") == {"test": 2, "train": 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": "swapped=1x"}, "swapped negatives for KeyW alone"),
        ({"kinds": "cross_session=1x"}, "from one session"),
        ({"kinds": "hard=1x", "pixels": False}, "hard negatives without pixels"),
        ({"kinds": "uniform=half"}, "uniform='half'"),
        ({"kinds": "uniform=1.5"}, "uniform='1.5'"),
        ({"kinds": "idle,idle=2"}, "idle twice"),
        ({"kinds": ""}, "kinds=''"),
        ({"exclusion": "near"}, "exclusion='near'"),
        ({"exclusion": "1.5"}, "exclusion='1.5'"),
        ({"exclusion": "2", "band": "2"}, "band='2'"),
        ({"exclusion": "80ms", "band": "20"}, "band='20'"),
        ({"shift": "0"}, "shift='0'"),
        ({"holds": "none"}, "holds='none'"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_what_means_nothing_is_refused(options, message):
    with pytest.raises(BadInputError, match=message):
        made(Tape([30], tap(10)), **options)


def test_an_unknown_kind_is_refused_with_the_near_one():
    with pytest.raises(BadNameError, match="near_miss"):
        made(Tape([30], tap(10)), kinds="nearmiss=1x")


def test_recordings_are_passed_once():
    tape = Tape([30], tap(10))
    positives, _ = press_release(tape, "w")
    with pytest.raises(BadInputError, match="no recording"):
        negatives(positives, [])
    with pytest.raises(BadInputError, match="two recordings with the id tape"):
        negatives(positives, [tape, tape])


def test_positives_whose_recording_is_not_there_are_counted():
    tapes = [Tape([30], tap(10), name="a"), Tape([30], tap(10), name="b", pictures=range(50, 80))]
    positives, _ = press_release(tapes, "w")
    found = negatives(positives, tapes[:1], kinds="uniform=1x,hard=1")
    assert found.steps[-1].parameters["positives_without_recording"] == 1
    assert report(found, "uniform") == {"wanted": 2, "candidates": 24, "found": 2}
