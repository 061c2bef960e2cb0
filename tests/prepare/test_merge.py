"""Merging unites vocabularies, takes each sample once by its content, and drops nothing silently."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tape import STEP, Tape, press, release

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples, Step, step_ledger
from rushes.model.samples import samples_frame
from rushes.prepare.merge import merge
from rushes.prepare.press_release import press_release

AB = ActionSpace.from_names(["KeyA", "KeyB"])
BA = ActionSpace.from_names(["KeyB", "KeyA"])
CA = ActionSpace.from_names(["KeyC", "KeyA"])


def row(name, frame, keys, *, session="one", label=1.0, **other):
    kind = "positive" if label else "uniform"
    return {
        "sample_id": name, "session": session, "frame_index": frame, "t_ns": frame * STEP, "control": "KeyA",
        "label": label, "keys": keys, "kind": kind, "reason": "" if label else "no press", "group": session,
    } | other  # fmt: skip


def table(space, *rows, steps=()):
    return Samples(samples_frame(rows), space, steps)


def ids(samples):
    return samples.rows["sample_id"].tolist()


def account(samples):
    return samples.steps[-1].ledger["samples"]


def test_a_row_beyond_the_end_of_its_recording_is_named():
    sets = [table(AB, row("a", 3, [1, 0]), row("b", 9, [1, 0], length=2))]
    with pytest.raises(BadDataError, match=r"row 1 \(b\): frames from 9 on of one, which ends before"):
        merge(sets, [Tape([10], name="one")])
    assert len(merge(sets, [Tape([11], name="one")])) == 2


def test_vectors_are_permuted_where_vocabularies_stand_in_another_order():
    """The reference takes np.unique of both vocabularies and leaves the vectors as they are."""
    merged = merge([table(AB, row("x", 1, [1, 0])), table(BA, row("y", 2, [1, 0])), table(CA, row("z", 3, [1, 1]))])
    assert merged.space.names == ("KeyA", "KeyB", "KeyC")
    assert merged.keys.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]], "y held B, z held C and A"
    assert (account(merged).offered, account(merged).kept) == (3, 3)
    merged.validate()


def test_a_session_that_lies_twice_under_two_names_gives_each_sample_once():
    shown = [10, 20, 30, 40, 50, 60]
    events = [press(1), release(2), press(4), release(4.5)]
    one, copy = (Tape([6], events, name=name, pictures=shown) for name in ("one", "copy"))
    sets = [press_release(tape, "w")[0] for tape in (one, copy)]
    merged = merge(sets, [one, copy])
    assert ids(merged) == ["one:KeyW:100000000", "one:KeyW:400000000"]
    assert account(merged).lost == {"duplicate": 2}
    assert merged.steps[-1].parameters["duplicates"] == ["copy:KeyW:100000000", "copy:KeyW:400000000"]
    assert len(merge(sets)) == 4, "without their pictures nobody knows"
    assert account(merge(sets)).marked == {"compared_by_place": 4}
    assert len(merge(sets, [one])) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"label": 0.5},
        {"control": "KeyB"},
        {"hold_s": 0.25},
        {"keys": [1, 1]},
        {"transform": '[{"name": "flip"}]'},
        {"length": 2},
        {"frame_index": 2},
    ],
)
def test_what_differs_in_anything_that_is_learned_is_no_duplicate(change):
    tape = Tape([6], name="one", pictures=[7, 7, 9, 1, 1, 1])
    same = row("y", 1, [1, 0], hold_s=0.2, reason="seen twice", weight=3.0)
    merged = merge([table(AB, row("x", 0, [1, 0], hold_s=0.2)), table(AB, same)], tape)
    assert ids(merged) == ["x"], "reason, weight and place do not matter"
    other = merge([table(AB, row("x", 0, [1, 0], hold_s=0.2)), table(AB, same | change)], tape)
    assert ids(other) == ["x", "y"]


def test_windows_are_equal_when_all_their_pictures_are():
    tape = Tape([8], name="one", pictures=[1, 2, 3, 1, 2, 3, 1, 9])
    rows = [row("x", 0, [1, 0], length=3), row("y", 3, [1, 0], length=3), row("z", 5, [1, 0], length=3)]
    assert ids(merge([table(AB, *rows)], tape)) == ["x", "z"]


def test_without_pictures_the_same_place_is_the_same_picture():
    first, second = row("x", 3, [1, 0]), row("y", 3, [0, 1])
    assert ids(merge([table(AB, first), table(BA, second)])) == ["x"], "the same keys in another order"
    assert ids(merge([table(AB, first), table(AB, second)])) == ["x", "y"], "A is not B"


def test_the_same_pictures_with_contradicting_labels_stay_and_are_said():
    tape = Tape([6], name="one", pictures=[7, 7, 9, 1, 2, 3])
    rows = [row("x", 0, [1, 0]), row("y", 1, [0, 0], label=0.0), row("z", 2, [0, 0], label=0.0)]
    merged = merge([table(AB, *rows)], [tape])
    assert ids(merged) == ["x", "y", "z"]
    assert account(merged).marked == {"contradicts": 2}
    assert merged.steps[-1].parameters["contradicts"] == ["x", "y"]


def test_one_id_with_another_content_is_refused_by_its_name():
    with pytest.raises(BadDataError, match="sample 'x' twice, with different content"):
        merge([table(AB, row("x", 1, [1, 0])), table(AB, row("x", 2, [1, 0]))])


def test_or_both_are_renamed_by_their_table_with_what_descends_from_them():
    one = table(AB, row("x", 1, [1, 0]), row("k", 9, [1, 0]), row("x+1", 1, [1, 1], parent="x"))
    two = table(AB, row("x", 2, [1, 0]), row("k", 9, [1, 0]), row("x+1", 2, [1, 1], parent="x"))
    merged = merge([one, two], clash="rename", names=["mon", "tue"])
    assert ids(merged) == ["x@mon", "k", "x+1@mon", "x@tue", "x+1@tue"]
    assert merged.rows["parent"].tolist() == ["", "", "x@mon", "", "x@tue"]
    assert (account(merged).lost, account(merged).marked["renamed"]) == ({"duplicate": 1}, 4)
    assert merged.steps[-1].ledger.balances
    assert ids(merge([one, two], clash="rename"))[0] == "x@1"
    merged.validate()


def test_the_same_sample_in_two_tables_of_other_vocabularies_is_taken_once():
    merged = merge([table(AB, row("x", 1, [1, 0])), table(BA, row("x", 1, [0, 1]))], clash="rename")
    assert ids(merged) == ["x"]
    assert account(merged).lost == {"duplicate": 1}


def test_children_of_a_duplicate_descend_from_the_one_that_stayed():
    tape = Tape([4], name="one", pictures=[7, 7, 8, 9])
    copy = Tape([4], name="two", pictures=[7, 7, 8, 9])
    first = table(AB, row("x", 0, [1, 0], split="train"))
    child = row("y+1", 0, [1, 0], session="two", parent="y", transform='["noise"]', split="test")
    second = table(AB, row("y", 0, [1, 0], session="two", split="test"), child)
    merged = merge([first, second], [tape, copy])
    assert merged.rows[["sample_id", "parent", "group", "split"]].to_numpy().tolist() == [
        ["x", "", "one", "train"],
        ["y+1", "x", "one", "train"],
    ]
    merged.validate()


def test_an_original_stays_before_a_copy_that_changed_nothing_wherever_they_stand():
    rows = [row("x+2", 0, [1, 0], parent="x+1"), row("x+1", 0, [1, 0], parent="x"), row("x", 0, [1, 0])]
    rows += [row("x+3", 0, [1, 0], parent="x+2", transform='["noise"]')]
    merged = merge([table(AB, *rows)])
    assert merged.rows[["sample_id", "parent"]].to_numpy().tolist() == [["x", ""], ["x+3", "x"]]
    merged.validate()


def test_one_group_for_two_parts_is_refused():
    sets = [
        table(AB, row(name, k, [1, 0], split=part)) for k, (name, part) in enumerate([("x", "train"), ("y", "test")])
    ]
    with pytest.raises(BadDataError, match="group 'one' for 'test' and 'train'"):
        merge(sets)


def test_steps_of_all_tables_stay_and_common_ones_stand_once():
    pairs, mine, yours = (Step(name, {"seed": 1}, step_ledger("samples", 1)) for name in ("pairs", "mine", "yours"))
    sets = [table(AB, row("x", 1, [1, 0]), steps=(pairs, mine)), table(AB, row("y", 2, [1, 0]), steps=(pairs, yours))]
    assert [step.name for step in merge(sets).steps] == ["pairs", "mine", "yours", "merge"]


def test_one_table_and_empty_ones_are_fine():
    assert len(merge([table(AB)])) == 0
    assert ids(merge([table(AB), table(CA, row("x", 1, [1, 0]))])) == ["x"]


@pytest.mark.parametrize(
    ("sets", "options", "match"),
    [([], {}, "no set"), (1, {"clash": "both"}, "clash='both'"), (1, {"names": ["a", "b"]}, "2 names for 1 sets")],
)
def test_what_means_nothing_is_refused(sets, options, match):
    with pytest.raises(BadInputError, match=match):
        merge([table(AB)] * sets if sets else [], **options)


def test_nan_holds_are_alike():
    tape = Tape([3], name="one", pictures=[5, 5, 5])
    rows = [row(name, k, [0, 0], label=0.0, hold_s=np.nan) for k, name in enumerate("xyz")]
    assert ids(merge([table(AB, *rows)], tape)) == ["x"]
