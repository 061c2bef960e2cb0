"""Copies: rows with drawn transforms, the action that belongs to them, and an account of what was left out."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.prepare.augment import augment
from rushes.store.samples import read_samples, write_samples

SPACE = ActionSpace.from_names(["KeyA", "KeyD", "MouseDX"])
NEGATIVE = {"kind": "uniform", "label": 0.0, "reason": "9 frames after", "hold_s": float("nan"), "phase": "up"}


def row(sample_id, **columns):
    plain = {
        "sample_id": sample_id, "session": "s", "frame_index": 30, "t_ns": 1_000, "length": 1, "control": "KeyA",
        "label": 1.0, "keys": [1.0, 0.0, 6.0], "hold_s": 0.3, "group": "s",
    }  # fmt: skip
    return plain | columns


def table(*rows, space=SPACE):
    return Samples(samples_frame(rows), space)


def drawn(samples, start=0):
    return [json.loads(text) if text else [] for text in samples.rows["transform"].tolist()[start:]]


def account(samples, stream="samples"):
    ledger = samples.steps[-1].ledger
    assert ledger.balances
    return ledger[stream]


def test_the_rows_stand_first_as_they_were_and_their_copies_behind():
    given = table(row("a"), row("n", **NEGATIVE), row("b"))
    every = augment(given, recipe="brightness=1:0.5", copies=1).rows["sample_id"].tolist()
    assert every == ["a", "n", "b", "a+1", "n+1", "b+1"], "both classes alike, so that no transform tells them apart"
    made = augment(given, recipe="brightness=1:0.5", copies=2, kinds="positive")
    assert made.rows["sample_id"].tolist() == ["a", "n", "b", "a+1", "a+2", "b+1", "b+2"]
    assert made.rows["parent"].tolist() == ["", "", "", "a", "a", "b", "b"]
    pd.testing.assert_frame_equal(made.rows.iloc[:3], given.rows)
    assert drawn(made, 3) == [[{"name": "brightness", "factor": 0.5}]] * 4
    assert (account(made).offered, account(made).kept) == (3 + 4, 7)
    assert account(made, "transforms").kept == 4
    made.validate()


def test_a_copy_has_all_that_its_parent_has():
    made = augment(table(row("a", weight=2.0, split="train")), recipe="brightness=1:0.5", copies=1).rows
    same = [name for name in made.columns if name not in {"sample_id", "parent", "transform", "keys"}]
    assert made.loc[1, same].tolist() == made.loc[0, same].tolist()
    assert made.loc[1, "keys"].tolist() == [1, 0, 6]


def test_a_flipped_copy_is_labelled_for_what_the_mirrored_picture_shows():
    given = table(row("a"), row("n", **NEGATIVE | {"keys": [0.0, 0.0, -2.0]}))
    made = augment(given, recipe="flip=1", copies=1, kinds="all").rows
    assert made["control"].tolist() == ["KeyA", "KeyA", "KeyD", "KeyD"]
    assert [keys.tolist() for keys in made["keys"]] == [[1, 0, 6], [0, 0, -2], [0, 1, -6], [0, 0, 2]]
    assert made["label"].tolist() == [1, 0, 1, 0]
    assert given.rows["keys"][0].tolist() == [1, 0, 6]


def test_actions_follow_transforms_one_behind_the_other():
    given = table(row("a", length=5))
    recording = SimpleNamespace(info=SimpleNamespace(id="s"), segments=[SimpleNamespace(first_frame=0)])
    made = augment(given, recipe="flip=1, stretch=1:1.5, crop=1:0.5", copies=1, recordings=[recording])
    child = made.rows.iloc[1]
    assert [one["name"] for one in drawn(made)[1]] == ["flip", "stretch", "crop"]
    assert child["hold_s"] == pytest.approx(0.2)
    np.testing.assert_allclose(child["keys"], [0, 1, -6 * 1.5 / 0.5], rtol=1e-3)


def test_draws_follow_from_seed_id_and_number_alone():
    many = table(*(row(f"r{k}") for k in range(12)))
    made = augment(many, copies=2, seed=4)
    for part in ([7], [11, 7, 2]):
        few = augment(table(*(row(f"r{k}") for k in part)), copies=2, seed=4)
        of_seven = few.rows["parent"] == "r7"
        assert few.rows["transform"][of_seven].tolist() == made.rows["transform"][made.rows["parent"] == "r7"].tolist()
    again = augment(many, copies=3, seed=4).rows
    assert (
        again.set_index("sample_id").loc["r5+2", "transform"]
        == made.rows.set_index("sample_id").loc["r5+2", "transform"]
    )
    assert drawn(augment(many, copies=2, seed=5)) != drawn(made)
    pd.testing.assert_frame_equal(augment(many, copies=2, seed=4).rows, made.rows)


def test_the_reference_preset_comes_as_often_as_its_script_draws():
    made = augment(table(*(row(f"r{k}") for k in range(1000))), copies=2)
    copies = drawn(made, 1000)
    assert len(copies) == 2000

    def share(name):
        return sum(any(one["name"] == name for one in copy) for copy in copies) / 2000

    # Five standard errors of a share of 2000 are at most 0.056; one shift in eleven is by nothing.
    assert share("flip") == pytest.approx(0.5, abs=0.056)
    assert share("brightness") == pytest.approx(0.5, abs=0.056)
    assert share("noise") == pytest.approx(0.3, abs=0.056)
    assert share("shift") == pytest.approx(0.3 * 10 / 11, abs=0.056)
    moved = {one["dx"] for copy in copies for one in copy if one["name"] == "shift"}
    assert moved == {-5, -4, -3, -2, -1, 1, 2, 3, 4, 5}
    plain = sum(not copy for copy in copies)
    assert account(made).marked == {"as_its_parent": plain}
    assert plain / 2000 == pytest.approx(0.5 * 0.5 * 0.7 * (1 - 0.3 * 10 / 11), abs=0.04)


def test_once_splits_are_decided_only_train_gets_copies():
    rows = [row("a", group="g", split="train"), row("b", group="h", split="val"), row("c", group="i", split="test")]
    made = augment(table(*rows), recipe="noise=1", copies=1)
    assert made.rows["parent"].tolist() == ["", "", "", "a"]
    assert made.rows.iloc[3][["group", "split"]].tolist() == ["g", "train"]
    assert augment(table(*rows), recipe="noise=1", copies=1, splits="all").rows["parent"].tolist()[3:] == [
        "a",
        "b",
        "c",
    ]
    assert augment(table(*rows), recipe="noise=1", copies=1, splits="val, test").rows["parent"].tolist()[3:] == [
        "b",
        "c",
    ]
    assert made.steps[-1].parameters["splits"] == "train"


def test_a_split_that_the_table_does_not_have_is_refused():
    with pytest.raises(BadInputError, match="split into fit, val"):
        augment(table(row("a", split="fit"), row("b", group="h", split="val")))


@pytest.mark.parametrize(("kinds", "wanted"), [("positive", "a"), ("uniform,idle", "n"), ("all", "an"), ("idle", "")])
def test_kinds_say_who_gets_copies(kinds, wanted):
    made = augment(table(row("a"), row("n", **NEGATIVE)), recipe="noise=1", copies=1, kinds=kinds)
    assert made.rows["parent"].tolist()[2:] == list(wanted)


def test_a_kind_that_does_not_exist_is_answered_with_the_nearest():
    with pytest.raises(BadNameError, match="did you mean 'positive'"):
        augment(table(row("a")), kinds="positives")


def test_copies_get_no_copies_and_new_ones_are_numbered_onward():
    once = augment(table(row("a")), recipe="noise=1", copies=2)
    twice = augment(once, recipe="flip=1", copies=1)
    assert twice.rows["sample_id"].tolist() == ["a", "a+1", "a+2", "a+3"]
    assert twice.rows["parent"].tolist() == ["", "a", "a", "a"]
    assert [step.name for step in twice.steps] == ["augment", "augment"]
    twice.validate()
    left = Samples(once.rows.iloc[[0, 2]].reset_index(drop=True), SPACE)  # a+1 was thrown away
    assert augment(left, recipe="flip=1", copies=2).rows["sample_id"].tolist() == ["a", "a+2", "a+1", "a+3"]


def test_a_flip_without_a_correct_action_is_refused_before_anything_is_made():
    lone = ActionSpace.from_names(["KeyA", "Space"])
    given = table(*(row(f"r{k}", keys=[1.0, 0.0]) for k in range(3)), space=lone)
    with pytest.raises(BadInputError, match=r"a flip of KeyA: .*KeyA has no partner.*recipe jumpnet_no_flip"):
        augment(given, recipe="flip=0.001", copies=1)
    assert len(augment(given, recipe="jumpnet_no_flip", copies=1)) == 6
    assert len(augment(given, recipe="flip=0.001", copies=1, kinds="idle")) == 3


def test_or_it_is_left_out_and_counted():
    lone = ActionSpace.from_names(["KeyA", "Space"])
    given = table(*(row(f"r{k}", keys=[1.0, 0.0]) for k in range(4)), space=lone)
    made = augment(given, recipe="flip=1, brightness=1:0.5", copies=1, refuse="skip")
    assert drawn(made, 4) == [[{"name": "brightness", "factor": 0.5}]] * 4
    assert account(made, "transforms").lost == {"no_mirror": 4}
    assert account(made, "transforms").kept == 4
    alone = augment(given, recipe="flip=1", copies=1, refuse="skip")
    assert len(alone) == 4
    assert account(alone).lost == {"nothing_left": 4}


def test_pairs_say_what_a_game_mirrors_otherwise():
    lean = ActionSpace.from_names(["KeyQ", "KeyE"])
    given = table(row("a", control="KeyQ", keys=[1.0, 0.0]), space=lean)
    for pairs in ("KeyQ:KeyE", "e : q", {"KeyQ": "KeyE"}):
        made = augment(given, recipe="flip=1", copies=1, pairs=pairs)
        assert made.rows.iloc[1]["control"] == "KeyE"
        assert made.rows.iloc[1]["keys"].tolist() == [0, 1]
    assert made.steps[-1].parameters["pairs"] == {"KeyQ": "KeyE"}


@pytest.mark.parametrize(
    ("pairs", "says"),
    [("KeyQ", "pairs='KeyQ'"), ("KeyQ:", "pairs="), ("shift:KeyE", "one control"), ("q:KeyEE", "control 'KeyEE'")],
)
def test_pairs_that_do_not_read_are_refused(pairs, says):
    with pytest.raises((BadInputError, BadNameError), match=says):
        augment(table(row("a")), recipe="flip=1", pairs=pairs)


def test_a_box_is_mirrored_by_numbers():
    box = ActionSpace.box([-1, -1], [1, 1])
    given = table(row("a", control="0>0.5", keys=[0.75, 0.25]), space=box)
    made = augment(given, recipe="flip=1", copies=1, pairs="0:-0, 1:1").rows
    assert (made["control"][1], made["keys"][1].tolist()) == ("0<-0.5", [-0.75, 0.25])


def test_faster_play_needs_frames_in_front_of_the_window():
    segments = [SimpleNamespace(first_frame=0), SimpleNamespace(first_frame=20)]
    recording = SimpleNamespace(info=SimpleNamespace(id="s"), segments=segments)
    # Windows of 3 frames at twice the speed begin 2 frames earlier.
    given = table(*(row(f"at{k}", frame_index=k, length=3) for k in (1, 2, 20, 21, 22)))
    made = augment(given, recipe="stretch=1:2", copies=1, recordings=[recording])
    assert made.rows["parent"].tolist()[5:] == ["at2", "at22"]
    assert account(made, "transforms").lost == {"crosses_edge": 3}
    assert account(made).lost == {"nothing_left": 3}
    with pytest.raises(BadInputError, match=r"without the recording s.*stretch=1:0\.8\.\.1"):
        augment(given, recipe="stretch=1:2", copies=1)
    slow = augment(given, recipe="stretch=1:0.5", copies=1)
    assert len(slow) == 10
    assert slow.rows["hold_s"].tolist()[5:] == [0.6] * 5


def test_windows_of_one_frame_have_no_speed():
    with pytest.raises(BadInputError, match="a stretch of windows of one frame"):
        augment(table(row("a")), recipe="stretch=0.5:0.5")


def test_a_mask_everywhere_is_in_every_row_and_comes_before_all_else():
    given = table(row("a"), row("n", **NEGATIVE))
    mask = {"name": "mask", "boxes": [[0, 0, 1, 0.1]]}
    made = augment(given, recipe="flip=1, mask=all:0 0 1 0.1", copies=1, kinds="positive")
    assert drawn(made) == [[mask], [mask], [mask, {"name": "flip"}]]
    assert made.rows["parent"].tolist() == ["", "", "a"]
    copies = augment(given, recipe="flip=1, mask=1:0 0 1 0.1", copies=1, kinds="positive")
    assert drawn(copies) == [[], [], [mask, {"name": "flip"}]]
    alone = augment(made, recipe="mask=all:0 0 1 0.1", copies=2)
    assert drawn(alone) == [[mask, mask], [mask, mask], [mask, mask, {"name": "flip"}]]


def test_no_recipe_and_no_copies_leave_the_rows_alone():
    given = table(row("a"))
    for made in (augment(given, recipe="none"), augment(given, copies=0)):
        pd.testing.assert_frame_equal(made.rows, given.rows)
    empty = augment(table())
    assert (len(empty), account(empty).offered) == (0, 0)


@pytest.mark.parametrize("odd", [{"copies": -1}, {"seed": -1}, {"refuse": "maybe"}])
def test_odd_numbers_are_refused(odd):
    with pytest.raises(BadInputError, match=next(iter(odd))):
        augment(table(row("a")), **odd)


def test_the_set_can_be_written_and_read(tmp_path):
    made = augment(table(row("a"), row("b", hold_s=float("nan"), phase="open")), copies=3, seed=9)
    write_samples(made, tmp_path / "made.parquet")
    back = read_samples(tmp_path / "made.parquet")
    assert back.rows["transform"].tolist() == made.rows["transform"].tolist()
    assert np.isnan(back.rows["hold_s"].to_numpy()[back.rows["parent"] == "b"]).all()
    assert back.steps[-1].parameters == dict(made.steps[-1].parameters)
    assert back.steps[-1].parameters["parts"] == [
        "flip=0.5", "brightness=0.5:0.7..1.3", "noise=0.3:0.02", "shift=0.3:5",
    ]  # fmt: skip
