"""Edits by hand are side facts: they survive every rebuild, touch nothing else, and are counted."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "formats"))
from hand_play import STEP, play, press, release
from tape import Tape
from tape import press as taped

from rushes.errors import BadInputError, BadNameError
from rushes.model.sample_table import Samples
from rushes.model.samples import inherit, samples_frame
from rushes.prepare.edits import drop, edited, edits_of, note, relabel
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.store.facts import add_fact, read_facts
from rushes.store.reader import open_session

EVENTS = [press(5.5, "KeyW"), release(8.5, "KeyW"), press(15, "KeyW"), release(16, "KeyW"), press(15.2, "KeyA"),
          release(17, "KeyA"), press(25.9, "KeyW"), release(27, "KeyW")]  # fmt: skip


@pytest.fixture
def path(tmp_path):
    play(tmp_path / "s", [20, 20], EVENTS)
    return tmp_path / "s"


def build(path, controls="w", **options):
    return press_release(open_session(path), controls, **options)[0]


def frames(samples):
    return samples.rows["frame_index"].tolist()


def test_without_edits_the_set_is_the_same(path):
    samples = build(path)
    assert edited(samples, open_session(path)) is samples
    assert [step.name for step in samples.steps] == ["pairs"]


@pytest.mark.parametrize("where", [{"t_ns": 15 * STEP}, {"t_ns": 16 * STEP - 1}, {"frame_index": 15}])
def test_a_dropped_sample_stays_away_however_the_table_is_built(path, where):
    fact = drop(path, control="w", author="me", **where)
    assert (fact.t_start_ns, fact.t_end_ns) == (15 * STEP, 16 * STEP), "the interval of its frame"
    assert frames(build(path)) == [5, 25]
    assert frames(build(path, length=4)) == [2, 22], "rebuilt with other windows"
    assert frames(build(path, action_delay_ms="80")) == [7, 27], "found by the time of its press"
    assert build(path, "w, a").rows[["control", "frame_index"]].to_numpy().tolist() == [
        ["KeyW", 5], ["KeyW", 25], ["KeyA", 15],
    ], "the other target of the frame stays"  # fmt: skip


def test_what_was_edited_stands_in_the_step_and_its_ledger_balances(path):
    drop(path, control="w", author="me", frame_index=15)
    relabel(path, "weight", value=3, control="w", author="you", frame_index=5)
    note(path, "a slip", author="me", frame_index=5)
    relabel(path, "label", value=0, control="w", author="me", frame_index=30)
    samples = build(path)
    step = samples.steps[-1]
    assert step.name == "edits"
    account = step.ledger["samples"]
    assert (account.offered, account.kept, dict(account.lost)) == (3, 2, {"dropped_by_hand": 1})
    assert dict(account.marked) == {"weight_by_hand": 1, "noted": 1}
    assert (step.ledger["edits"].offered, dict(step.ledger["edits"].lost)) == (4, {"no_such_sample": 1})
    assert step.ledger.balances
    first = step.parameters["edits"][0]
    assert (first["author"], first["column"], first["value"], first["control"]) == ("me", "drop", True, "KeyW")
    assert samples.rows["weight"].tolist() == [3.0, 1.0]
    samples.validate()


def test_a_drop_can_be_taken_back_and_the_later_edit_wins(path):
    drop(path, control="w", author="me", frame_index=15)
    relabel(path, "drop", value=False, control="w", author="me", frame_index=15)
    relabel(path, "weight", value=3, control="w", author="me", frame_index=15)
    relabel(path, "weight", value=2, control="w", author="me", frame_index=15)
    assert build(path).rows["weight"].tolist() == [1.0, 2.0, 1.0]


def test_a_replaced_edit_counts_no_more(path):
    fact = drop(path, control="w", author="me", frame_index=15)
    add_fact(path, "note", {"text": "no"}, author="me", replaces=fact.id)
    assert frames(build(path)) == [5, 15, 25]


def test_a_positive_relabelled_0_is_a_negative_that_says_by_whom(path):
    relabel(path, "label", value=0, control="w", author="me", frame_index=15)
    samples = build(path)
    row = samples.rows.iloc[1]
    assert (row["label"], row["kind"], row["phase"]) == (0.0, "uniform", "up")
    assert row["reason"] == "relabelled by me (was positive)"
    assert np.isnan(row["hold_s"])
    assert samples.keys[1].sum() == 2, "W and A were down on that frame, whatever the label says"
    samples.validate()


def test_a_negative_relabelled_1_is_a_positive_wherever_it_is_drawn(path):
    relabel(path, "label", value=1, control="w", author="me", frame_index=35)
    relabel(path, "hold_s", value=0.2, control="w", author="me", frame_index=35)
    session = open_session(path)
    found = negatives(build(path), session, kinds="uniform=all")
    row = found.rows[found.rows["frame_index"] == 35].iloc[0]
    assert (row["label"], row["kind"], row["phase"], row["hold_s"]) == (1.0, "positive", "press", 0.2)
    assert row["reason"] == "relabelled by me (was uniform)"
    assert (found.rows["label"] > 0).sum() == 1
    again = negatives(build(path), session, kinds="uniform=all", exclusion="100ms", seed=8)
    assert again.rows.loc[again.rows["label"] > 0, "frame_index"].tolist() == [35]
    again.validate()


def test_a_dropped_negative_is_not_drawn_again(path):
    session = open_session(path)
    before = frames(negatives(build(path), session, kinds="uniform=all"))
    drop(path, control="w", author="me", frame_index=35)
    after = frames(negatives(build(path), session, kinds="uniform=all"))
    assert set(before) - set(after) == {35}


def test_a_hold_can_be_corrected_or_opened(path):
    relabel(path, "hold_s", value=0.5, control="w", author="me", frame_index=5)
    relabel(path, "hold_s", value=None, control="w", author="me", frame_index=15)
    rows = build(path).rows
    assert rows["hold_s"].tolist()[0] == 0.5
    assert rows["phase"].tolist() == ["press", "open", "press"]
    assert np.isnan(rows["hold_s"]).tolist() == [False, True, False]


def test_a_hold_of_what_is_no_positive_changes_nothing_whenever_it_was_said(path):
    session = open_session(path)
    relabel(path, "hold_s", value=0.2, control="w", author="me", frame_index=35)
    step = negatives(build(path), session, kinds="uniform=all").steps[-1]
    assert step.ledger["edits"].lost == {"no_such_sample": 1}
    assert step.ledger["samples"].marked == {}
    relabel(path, "label", value=1, control="w", author="me", frame_index=35)
    rows = negatives(build(path), session, kinds="uniform=all").rows
    assert rows.loc[rows["frame_index"] == 35, ["kind", "hold_s"]].to_numpy(object).tolist() == [["positive", 0.2]]


def test_an_edit_is_applied_to_children_of_its_sample_too(path):
    samples = build(path)
    child = samples.rows.iloc[[1]].assign(sample_id="x+1", parent=samples.rows["sample_id"][1], control="KeyA")
    both = Samples(inherit(samples_frame([*samples.rows.to_dict("records"), *child.to_dict("records")])), samples.space)
    drop(path, control="w", author="me", frame_index=15)
    left = edited(both, open_session(path))
    assert frames(left) == [5, 25]
    assert left.steps[-1].ledger["samples"].lost == {"dropped_by_hand": 2}


def test_an_edit_of_one_session_does_not_touch_another(path, tmp_path):
    play(tmp_path / "t", [20, 20], EVENTS, name="other")
    drop(path, control="w", author="me", frame_index=15)
    both = [open_session(path), open_session(tmp_path / "t")]
    samples, _ = press_release(both, "w")
    assert samples.rows.groupby("session")["frame_index"].apply(list).to_dict() == {
        "hand": [5, 25],
        "other": [5, 15, 25],
    }


def test_a_foreign_action_is_found_by_its_pixels(path):
    session = open_session(path)
    samples = build(path)
    row = samples.rows.iloc[0].to_dict() | {
        "sample_id": "f", "frame_index": 30, "t_ns": 30 * STEP, "length": 2, "label": 0.0, "kind": "shifted",
        "reason": "25 frames", "action_t_ns": round(5.5 * STEP), "hold_s": np.nan,
    }  # fmt: skip
    one = Samples(samples_frame([row]), samples.space)
    drop(path, control="w", author="me", frame_index=5)
    assert len(edited(one, session)) == 1, "its action is that of the dropped press, its pixels are not"
    drop(path, control="w", author="me", frame_index=31)
    assert len(edited(one, session)) == 0, "the last frame of its window"


def test_the_raw_streams_stay_as_they_were(path):
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    drop(path, control="w", author="me", frame_index=15)
    for p, data in before.items():
        assert p.read_bytes() == data
    (fact,) = read_facts(path)
    assert (fact.kind, dict(fact.value)) == ("label", {"column": "drop", "value": {"control": "KeyW", "value": True}})


def test_facts_that_are_no_edits_of_samples_are_left_alone(path):
    add_fact(path, "label", {"column": "mood", "value": "happy"}, author="me", t_start_ns=0, t_end_ns=STEP)
    add_fact(path, "label", {"column": "label", "value": 1}, author="me", t_start_ns=0, t_end_ns=STEP)
    add_fact(path, "note", {"text": "of the whole session"}, author="me")
    assert edits_of(open_session(path)) == ()
    assert edits_of(Tape([2])) == ()
    taped_samples, _ = press_release(Tape([4], [taped(1)]), "w")
    assert [step.name for step in taped_samples.steps] == ["pairs"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"column": "keys", "value": 1}, "column='keys'"),
        ({"column": "label", "value": 2}, "label=2"),
        ({"column": "label", "value": None}, "label=None"),
        ({"column": "label", "value": True}, "label=True"),
        ({"column": "hold_s", "value": -0.1}, "hold_s=-0.1"),
        ({"column": "weight", "value": float("inf")}, "weight=inf"),
        ({"column": "drop", "value": 1}, "drop=1"),
        ({"control": "w, a"}, "control='w, a'"),
        ({"frame_index": 40}, "frame 40, where .* shows nothing"),
        ({"frame_index": None, "t_ns": 50 * STEP}, "2.000 s, where .* shows nothing"),
        ({"t_ns": 5}, "frame_index=15"),
        ({"frame_index": None}, "t_ns=None"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_written_nowhere(path, change, match):
    given = {"column": "label", "value": 0, "control": "w", "author": "me", "frame_index": 15} | change
    with pytest.raises(BadInputError, match=match):
        relabel(path, given.pop("column"), **given)
    assert read_facts(path) == ()


def test_a_control_that_does_not_exist_and_an_empty_note_are_refused(path):
    with pytest.raises(BadNameError, match="spac"):
        drop(path, control="spac", author="me", frame_index=1)
    with pytest.raises(BadInputError, match="empty note"):
        note(path, " ", author="me", frame_index=1)


def test_a_file_that_is_no_session_says_that_it_is_made_one_first(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"x")
    with pytest.raises(BadInputError, match="rushes convert FILE FOLDER --format session"):
        drop(tmp_path / "a.npz", control="w", author="me", frame_index=0)
