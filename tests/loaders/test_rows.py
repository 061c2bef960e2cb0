"""A table of samples as a dataset: its rows are the windows, with their labels beside the play."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from counted import inputs_of, make, number_in

from rushes.errors import BadInputError
from rushes.loaders.windows import GameplayWindows
from rushes.model.actions import ActionSpace
from rushes.prepare.augment.copies import augment
from rushes.prepare.final import final
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.prepare.split import split
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.samples import write_samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every tap of Space as a positive of three frames (they end with frame 5, 10 ...), as many negatives, copies."""
    root = tmp_path_factory.mktemp("table")
    takes = [open_session(make(root / f"take_{k}", (60,), first=1 + 500 * k)) for k in range(4)]
    positives, _ = press_release(takes, "Space", length=3)
    rows = final([positives, negatives(positives, takes, kinds="uniform=1x", exclusion="1", seed=1)])
    parts = split(rows, parts="train=0.5,val=0.25,test=0.25")
    write_samples(augment(parts, recipe="brightness=1:0.5", copies=1, splits="train"), root / "table.parquet")
    return root


def test_each_row_shows_its_frames_with_label_keys_and_what_was_done_on_them(folder):
    windows = GameplayWindows(folder / "table.parquet")
    assert windows.shapes["frames"] == (3, 48, 64, 3)
    seen = {0.0: 0, 1.0: 0}
    for item in windows.fetch(range(len(windows))):
        shown = [number_in(frame) for frame in item["frames"]]
        assert np.diff(shown).tolist() == [1, 1]
        assert item["inputs"].tolist() == [inputs_of(number) for number in shown]
        assert item["label"] == float(shown[-1] % 5 == 0)
        assert (item["frames"].max() < 200) == item["sample_id"].endswith("+1"), "copies are half as bright"
        seen[float(item["label"])] += 1
    assert seen[1.0] == seen[0.0] > 60
    assert windows.ledger["samples"].kept == len(windows)


def test_a_split_of_the_table_gives_its_rows_alone(folder):
    parts = {name: GameplayWindows(folder / "table.parquet", split=name) for name in ("train", "val", "test")}
    names = {name: {item["sample_id"] for item in part.fetch(range(len(part)))} for name, part in parts.items()}
    whole = GameplayWindows(folder / "table.parquet")
    assert sum(len(ids) for ids in names.values()) == len(set.union(*names.values())) == len(whole)
    assert parts["val"].ledger["samples"].lost["other_split"] == len(whole) - len(parts["val"])
    with pytest.raises(BadInputError, match="holiday"):
        GameplayWindows(folder / "table.parquet", split="holiday")


def test_rows_on_frames_that_were_marked_invalid_since_are_left_out_and_counted(tmp_path):
    take = make(tmp_path / "take", (60,))
    positives, _ = press_release(open_session(take), "Space", length=3)
    write_samples(positives, tmp_path / "table.parquet")
    before = GameplayWindows(tmp_path / "table.parquet")
    first = before.fetch([0])[0]["t_ns"]
    add_fact(take, "validity", {"valid": False}, t_start_ns=int(first[1]), t_end_ns=int(first[1]) + 1, author="t")
    after = GameplayWindows(tmp_path / "table.parquet")
    assert (len(before) - len(after), after.ledger["samples"].lost["frames_not_usable"]) == (1, 1)
    add_fact(take, "validity", {"valid": False}, author="t")
    with pytest.raises(BadInputError, match="none of which"):
        GameplayWindows(tmp_path / "table.parquet")


def test_a_flip_mirrors_the_keys_of_a_row_and_is_refused_where_the_label_would_be_of_another_control(tmp_path):
    space = ActionSpace.from_names(["Space", "KeyA", "KeyD", "MouseDX", "KeyW"])
    take = open_session(make(tmp_path / "take", (30,), space=space))
    for control in ("Space", "KeyW"):
        write_samples(press_release(take, control, length=2)[0], tmp_path / f"{control}.parquet")
    plain, drawn = (GameplayWindows(tmp_path / "Space.parquet", augment=a).fetch([0])[0] for a in (None, "flip=1"))
    assert plain["keys"][3] > 0
    assert drawn["keys"].tolist() == (plain["keys"] * [1, 1, 1, -1, 1]).tolist()
    assert (drawn["frames"] == plain["frames"][:, :, ::-1]).all()
    rows = press_release(take, "KeyW", length=2)[0]
    write_samples(replace(rows, rows=rows.rows.assign(control="KeyA")), tmp_path / "KeyA.parquet")
    with pytest.raises(BadInputError, match="labels of KeyD"):
        GameplayWindows(tmp_path / "KeyA.parquet", augment="flip=1")
