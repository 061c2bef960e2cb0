"""`rushes prepare` as a user meets it: one table in, a new one out, one sentence where that cannot be."""

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "formats"))
from hand_play import STEP, play, press, release

from rushes.cli.main import main
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.store.facts import read_facts
from rushes.store.samples import read_samples, write_samples
from rushes.store.splits import read_splits
from rushes.store.video import write_video

EVENTS = [press(5.5, "KeyW"), press(5.7, "KeyW"), release(8.5, "KeyW"), press(15, "KeyW"), release(16, "KeyW"),
          press(35, "KeyW")]  # fmt: skip


def rushes(*arguments, cwd):
    out, error, status = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main([str(word) for word in arguments])
        except SystemExit as end:
            status = end.code or 0
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=error.getvalue())


def prepare(*arguments, cwd):
    done = rushes("prepare", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Three sessions in one folder."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in "abc":
        play(folder / "s" / name, [20, 20], EVENTS, name=name)
    return folder


@pytest.fixture
def home(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "home")
    return tmp_path / "home"


def test_the_whole_way_from_sessions_to_a_table_for_training(home):
    prepare("pairs", "s", "pairs.parquet", "--control", "w", cwd=home)
    prepare("negatives", "pairs.parquet", "neg.parquet", "--kinds", "uniform=3x, near_miss=1x", cwd=home)
    prepare("merge", "pairs.parquet", "neg.parquet", "all.parquet", "--by-place", cwd=home)
    prepare("balance", "all.parquet", "balanced.parquet", "--ratio", "2", cwd=home)
    prepare("split", "balanced.parquet", "split.parquet", cwd=home)
    prepare("augment", "split.parquet", "train.parquet", "--recipe", "noise=1:0.02", "--copies", "1", cwd=home)
    prepare("final", "train.parquet", "final.parquet", cwd=home)
    found = read_samples(home / "final.parquet")
    assert [step.name for step in found.steps] == [
        "pairs", "negatives", "merge", "balance", "split", "augment", "final",
    ]  # fmt: skip
    assert all(step.ledger.balances for step in found.steps)
    originals = found.rows[found.rows["parent"] == ""]
    assert (originals["label"] > 0).sum() == 9
    assert (originals["label"] == 0).sum() == 18
    assert set(found.rows["split"]) == {"train", "val", "test"}
    children = found.rows[found.rows["parent"] != ""]
    assert set(children["split"]) == {"train"}
    assert children["kind"].eq("positive").sum() == 3, "the positives of the one session that is for training"
    assert len(children) == 9, "and its negatives"
    assert set(read_splits(home / "split.splits.parquet").parts) == {"a", "b", "c"}
    assert {Path(s.path).name for s in found.sources.values()} == {"a", "b", "c"}


def test_pairs_prints_the_counters_of_the_reference(home):
    done = prepare("pairs", "s/a", "p.parquet", "--control", "w", cwd=home)
    for line in (
        "total: 6",
        "press_seen: 3",
        "release_seen: 2",
        "paired: 2",
        "unmatched_final_press: 1",
        "malformed: 1",
    ):
        assert f"  {line}\n" in done.stdout
    assert done.stdout.startswith("p.parquet: 3 rows (3 positive)\n")
    assert done.stdout.endswith("next: rushes prepare negatives p.parquet NEGATIVES.parquet\n")


def test_each_step_prints_one_object_for_programs(home):
    said = {}

    def step(name, *arguments):
        done = prepare(name, *arguments, "--json", cwd=home)
        said[name] = json.loads(done.stdout)

    step("pairs", "s", "p.parquet", "--control", "w")
    step("negatives", "p.parquet", "n.parquet", "--kinds", "uniform=2x")
    step("merge", "p.parquet", "n.parquet", "m.parquet", "--by-place")
    step("balance", "m.parquet", "b.parquet")
    step("reduce", "n.parquet", "r.parquet", "--rows", "4")
    step("split", "m.parquet", "s.parquet")
    step("augment", "s.parquet", "a.parquet", "--recipe", "noise=1:0.02")
    step("final", "b.parquet", "r.parquet", "f.parquet", "--weight", "1", "--weight", "3")
    for name, object_ in said.items():
        assert {"target", "rows", "kinds", "splits", "steps"} <= set(object_), name
        assert object_["steps"][-1]["name"] == name
        assert sum(object_["kinds"].values()) == object_["rows"] == len(read_samples(home / object_["target"]))
    assert said["pairs"]["counts"]["paired"] == 6
    assert said["split"]["splits_file"] == "s.splits.parquet"
    assert said["reduce"]["rows"] == 4


def test_the_same_command_writes_the_same_bytes(home):
    for name in "xy":
        prepare("pairs", "s", f"{name}p.parquet", "--control", "w", cwd=home)
        prepare("negatives", f"{name}p.parquet", f"{name}n.parquet", "--kinds", "uniform=2x", cwd=home)
    for kind in "pn":
        assert (home / f"x{kind}.parquet").read_bytes() == (home / f"y{kind}.parquet").read_bytes()


def test_a_later_table_is_split_like_an_earlier_one(home):
    prepare("pairs", "s", "p.parquet", "--control", "w", cwd=home)
    prepare("split", "p.parquet", "one.parquet", "--seed", "1", cwd=home)
    prepare("pairs", "s", "q.parquet", "--control", "w", "--length", "2", cwd=home)
    done = prepare("split", "q.parquet", "two.parquet", "--seed", "9", "--like", "one.splits.parquet", cwd=home)
    assert "groups that" not in done.stdout
    assert read_splits(home / "one.splits.parquet") == read_splits(home / "two.splits.parquet")
    play(home / "s" / "d", [20, 20], EVENTS, name="d")
    prepare("pairs", "s", "r.parquet", "--control", "w", cwd=home)
    done = prepare("split", "r.parquet", "three.parquet", "--like", "one.splits.parquet", cwd=home)
    assert "1 groups that one.splits.parquet does not know: d" in done.stdout


def test_an_edit_survives_a_rebuild(home):
    done = prepare(
        "edit",
        "s/a",
        "--author",
        "me",
        "--at",
        15.3 * STEP / 1e9,
        "--control",
        "w",
        "--drop",
        "--note",
        "a slip",
        cwd=home,
    )
    assert "0.600 to 0.640 s: drop = True" in done.stdout
    assert [fact.kind for fact in read_facts(home / "s" / "a")] == ["label", "note"]
    prepare("edit", "s/a", "--author", "me", "--frame", 5, "--control", "w", "--hold", "0.5", "--json", cwd=home)
    for name, length in (("p", 1), ("q", 3)):
        prepare("pairs", "s/a", f"{name}.parquet", "--control", "w", "--length", length, cwd=home)
        rows = read_samples(home / f"{name}.parquet").rows
        assert (rows["frame_index"] + rows["length"] - 1).tolist() == [5, 35]
        assert rows["hold_s"].tolist()[0] == 0.5
    prepare("edit", "s/a", "--author", "me", "--frame", 15, "--control", "w", "--keep", cwd=home)
    prepare("edit", "s/a", "--author", "me", "--frame", 5, "--control", "w", "--hold", "open", cwd=home)
    prepare("pairs", "s/a", "r.parquet", "--control", "w", cwd=home)
    assert read_samples(home / "r.parquet").rows["phase"].tolist() == ["open", "press", "open"]


def test_negatives_can_be_drawn_from_recordings_without_positives(home):
    prepare("negatives", "s/a", "n.parquet", "--control", "w", "--kinds", "uniform=all", cwd=home)
    rows = read_samples(home / "n.parquet").rows
    near = {k for press_frame in (5, 15, 35) for k in range(press_frame - 2, press_frame + 3)}
    held = {*range(5, 9), 15, *range(35, 40)}
    assert rows["frame_index"].tolist() == [k for k in range(40) if k not in near | held]
    done = prepare("negatives", "s/a", "m.parquet", "--control", "w", "--kinds", "uniform=9", "--also", "s/b", cwd=home)
    found = read_samples(home / "m.parquet")
    assert set(found.rows["session"]) == {"a", "b"}
    assert set(found.sources) == {"a", "b"}
    assert "wanted; a control has no more of them" not in done.stdout
    done = prepare("negatives", "s/a", "l.parquet", "--control", "w", "--kinds", "uniform=90", cwd=home)
    assert f"uniform: {len(rows)} of the 90 wanted; a control has no more of them" in done.stdout


def test_negatives_come_from_the_sessions_without_a_press_too(home):
    play(home / "s" / "quiet", [20], [press(3.5, "KeyA"), release(4, "KeyA")], name="quiet")
    prepare("pairs", "s", "p.parquet", "--control", "w", cwd=home)
    assert "quiet" not in set(read_samples(home / "p.parquet").rows["session"])
    prepare("negatives", "p.parquet", "n.parquet", "--kinds", "uniform=all", cwd=home)
    rows = read_samples(home / "n.parquet").rows
    assert rows["frame_index"][rows["session"] == "quiet"].tolist() == list(range(20))
    shutil.rmtree(home / "s" / "quiet")
    done = prepare("negatives", "p.parquet", "m.parquet", "--kinds", "uniform=all", cwd=home)
    assert "quiet: left out: " in done.stderr
    assert set(read_samples(home / "m.parquet").rows["session"]) == {"a", "b", "c"}


def test_info_says_what_a_table_holds(home):
    prepare("pairs", "s", "p.parquet", "--control", "w", cwd=home)
    told = json.loads(rushes("info", "p.parquet", "--json", cwd=home).stdout)
    assert (told["format"], told["sessions"], told["frames"]) == ("samples", 3, 120)
    samples = told["samples"]
    assert (samples["rows"], samples["kinds"], samples["splits"]) == (9, {"positive": 9}, {"": 9})
    assert (samples["controls"], samples["open_holds"], samples["children"]) == ({"KeyW": 9}, 3, 0)
    assert samples["mean_hold_s"] == pytest.approx((3 + 1) / 2 * STEP / 1e9)
    assert samples["sources"]["b"]["rows"] == 3
    assert [step["name"] for step in samples["steps"]] == ["pairs"]
    text = rushes("info", "p.parquet", cwd=home).stdout
    assert "9 samples of 1 frames: 9 positive" in text
    assert "splits: 9 undecided" in text
    assert json.loads(rushes("info", "s", "--json", cwd=home).stdout)["samples"] is None


def test_a_table_whose_session_went_away_can_still_be_counted_and_split(home):
    prepare("pairs", "s", "p.parquet", "--control", "w", cwd=home)
    shutil.rmtree(home / "s" / "b")
    done = prepare("split", "p.parquet", "x.parquet", cwd=home)
    assert "missing_source" in done.stderr
    assert len(read_samples(home / "x.parquet")) == 9


def reference_log(path, times):
    """A key log as the reference's recorder saves it: a row at each press and release of W, 30 frames a second."""
    rows = []
    for number, (down, up) in enumerate(times):
        image = np.full((227, 227, 3), (number + 1) / 10, np.float32)
        hold = (up - down) / 30
        rows.append((image, 0.0, np.ones(1, np.float32), np.zeros(1, np.float32), "press", down))
        rows.append((image, 0.0, np.zeros(1, np.float32), np.full(1, hold, np.float32), "release", up))
    data = np.empty((len(rows), 6), object)
    for number, row in enumerate(rows):
        data[number] = row
    np.savez(path, data=data, keys=np.array(["w"], dtype=object))


def test_a_key_log_of_the_reference_becomes_its_training_file(tmp_path):
    reference_log(tmp_path / "run.npz", [(10, 16), (40, 43), (90, 99)])
    done = prepare("pairs", "run.npz", "pairs.npz", "--control", "w", cwd=tmp_path)
    assert "  paired: 3\n" in done.stdout
    prepare("reduce", "pairs.npz", "two.npz", "--rows", "2", "--strict", cwd=tmp_path)
    whole = np.load(tmp_path / "two.npz", allow_pickle=True)
    assert whole["keys"].tolist() == ["w"]
    assert whole["data"].shape == (2, 6)
    expected = {10: (0.1, 0.2), 40: (0.2, 0.1), 90: (0.3, 0.3)}
    for image, label, keys, hold, phase, frame in whole["data"]:
        brightness, seconds = expected[frame]
        assert image.shape == (227, 227, 3)
        assert image.mean() == pytest.approx(brightness, abs=1 / 255)
        assert (label, keys.tolist(), phase) == (1.0, [1.0], "press")
        assert hold.tolist() == [pytest.approx(seconds)]
    told = json.loads(rushes("info", "two.npz", "--json", cwd=tmp_path).stdout)
    assert told["samples"]["kinds"] == {"positive": 2}


def test_a_table_over_a_video_opens_from_elsewhere_and_when_its_folder_was_moved(tmp_path):
    data = tmp_path / "data"
    (data / "recordings").mkdir(parents=True)
    write_video(data / "recordings" / "run.mp4", (np.full((48, 48, 3), 4 * k, np.uint8) for k in range(40)), rate_hz=30)
    reference_log(data / "run.npz", [(2, 4), (6, 8)])
    video = ("--read-option", "video=recordings/run.mp4")
    prepare("pairs", "run.npz", "p.parquet", "--control", "w", *video, cwd=data)
    prepare("pairs", "run.npz", "p.npz", "--control", "w", "--strict", cwd=data)
    prepare("reduce", "p.npz", "r.parquet", "--rows", "2", *video, cwd=data)
    prepare("negatives", "run.npz", "n.parquet", "--control", "w", "--kinds", "uniform=3", *video, cwd=data)
    data.rename(tmp_path / "moved")
    for name, rows in (("p", 2), ("r", 2), ("n", 3)):
        prepare("final", f"moved/{name}.parquet", f"{name}.npz", cwd=tmp_path)
        assert np.load(tmp_path / f"{name}.npz")["image"].shape == (rows, 227, 227, 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pairs", "s", "x.txt", "--control", "w"], "target x.txt"),
        (["pairs", "s", "x.parquet", "--control", "w", "--strict"], "with --strict"),
        (["pairs", "s", "p.parquet", "--control", "w"], "exists already"),
        (["pairs", "s", "s", "--control", "w"], "target s"),
        (["pairs", "nothing", "x.parquet", "--control", "w"], "nothing is there"),
        (["pairs", "s", "x.parquet", "--control", "spac"], "did you mean 'space'"),
        (["pairs", "s", "s/a", "x.parquet", "--control", "w"], "two recordings with the id a"),
        (["pairs", "s", "x.parquet", "--control", "w", "--length", "0"], "length=0"),
        (["balance", "s", "x.parquet"], "without labelled samples"),
        (["balance", "p.parquet", "x.parquet", "--ratio", "-1"], "ratio=-1"),
        (["negatives", "p.parquet", "x.parquet", "--kinds", "unifrom"], "did you mean 'uniform'"),
        (["negatives", "s", "x.parquet"], "no positive and no control"),
        (["split", "p.parquet", "x.parquet", "--parts", "a=1,b=1,c=1,d=1"], "3 groups (by=session) for 4 parts"),
        (["split", "p.parquet", "x.parquet", "--like", "none"], "none: no such file"),
        (["final", "p.parquet", "x.parquet", "--weight", "1", "--weight", "2"], "2 weights"),
        (["merge", "p.parquet", "q.parquet", "x.parquet", "--by-place"], "twice, with different content"),
        (["augment", "p.parquet", "x.parquet", "--recipe", "filp=0.5"], "flip"),
        (["edit", "s", "--author", "me", "--frame", "1", "--control", "w", "--drop"], "which is no session"),
        (["edit", "s/a", "--author", "me", "--frame", "1"], "no edit"),
        (["edit", "s/a", "--author", "me", "--frame", "1", "--drop"], "without --control"),
        (
            ["edit", "s/a", "--author", "me", "--frame", "5", "--control", "w", "--label", "0", "--weight", "-1"],
            "weight=-1",
        ),
        (["edit", "s/a", "--author", "me", "--control", "w", "--drop"], "one of the two"),
        (["edit", "s/a", "--author", "me", "--frame", "1", "--control", "w", "--hold", "long"], "--hold long"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_status_1(recorded, tmp_path, words, said):
    if not (recorded / "p.parquet").exists():
        prepare("pairs", "s", "p.parquet", "--control", "w", cwd=recorded)
        prepare("pairs", "s", "q.parquet", "--control", "w", "--length", "2", cwd=recorded)
    before = sorted(p for p in recorded.rglob("*"))
    done = rushes("prepare", *words, cwd=recorded)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(p for p in recorded.rglob("*")) == before, "nothing half-written stays"


def test_a_table_without_sources_says_so_and_keeps_its_rows(tmp_path):
    row = {
        "sample_id": "a",
        "session": "s",
        "frame_index": 3,
        "t_ns": 9,
        "control": "Space",
        "label": 1.0,
        "keys": [1.0],
    }
    write_samples(Samples(samples_frame([row]), ActionSpace.from_names(["Space"])), tmp_path / "a.parquet")
    done = prepare("reduce", "a.parquet", "b.parquet", cwd=tmp_path)
    assert "unknown_source" in done.stderr
    assert "b.parquet: 1 rows" in done.stdout


def test_a_strict_file_says_how_many_rows_stand_in_it(home):
    done = prepare("pairs", "s/a", "a.npz", "--control", "w", "--strict", cwd=home)
    with np.load(home / "a.npz", allow_pickle=True) as data:
        assert len(data["data"]) == 2, "the hold at the end was left open"
    assert "a.npz: 2 rows (of 3 positive); 1 of them have no place in this form" in done.stdout
    told = json.loads(prepare("pairs", "s/a", "b.npz", "--control", "w", "--strict", "--json", cwd=home).stdout)
    assert told["rows"] == 2
