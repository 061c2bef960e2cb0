"""The merged files of a NitroGen Capture folder, made anew: after a kill, without meta.json, and never half."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch

from rushes.cli.main import main
from rushes.errors import BadDataError, BadInputError, MissingError, StorageError
from rushes.formats.base import convert, open_any
from rushes.formats.nitrogen import merge as nitrogen_merge
from rushes.formats.nitrogen.merge import merge

FOLDER = Path(__file__).parent
MERGED = ["actions.npy", "mouse_deltas.npy", "frame_indices.npy", "dataset.npz", "dataset.pt", "meta.json"]


def load(name):
    spec = spec_from_file_location(f"merge_{name}", FOLDER / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reference, hands = load("reference_capture"), load("hands")
ROWS = reference.keys(["w"], ["w"], [], ["a"], ["a"], [], ["lmb"])
MOUSE = np.array([[k, -k] for k in range(1, 8)], np.float32)


@pytest.fixture
def root(tmp_path):
    reference.write(tmp_path / "set", ROWS, MOUSE, size=3)
    return tmp_path / "set"


def digests(folder: Path, names=None) -> dict[str, str]:
    found = sorted(p for p in folder.rglob("*") if p.is_file() and (names is None or p.name in names))
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def remove(root, *names):
    for name in names:
        (root / name).unlink()


def check(root, rows, mouse, indices):
    """Hold what a trainer loads against what was recorded."""
    bundle = np.load(root / "dataset.npz", allow_pickle=False)
    tensors = torch.load(root / "dataset.pt", weights_only=True)
    wanted = {"actions": rows, "mouse_deltas": mouse, "frame_indices": np.array(indices)}
    dtypes = {"actions": np.int8, "mouse_deltas": np.float32, "frame_indices": np.int64}
    assert set(bundle.files) == set(tensors) == set(wanted)
    for kind, values in wanted.items():
        alone = np.load(root / f"{kind}.npy", allow_pickle=False)
        for array in (alone, bundle[kind], tensors[kind].numpy()):
            np.testing.assert_array_equal(array, values)
            assert array.dtype == dtypes[kind]


def test_merged_files_that_were_deleted_come_back(root):
    before = json.loads((root / "meta.json").read_text())
    remove(root, *[name for name in MERGED if name not in ("dataset.pt", "meta.json")])
    done = merge(root)
    check(root, ROWS, MOUSE, range(1, 8))
    assert (done.rows, done.chunks, done.pictures, done.files) == (7, 3, 7, tuple(MERGED))
    assert done.problems == ()
    after = json.loads((root / "meta.json").read_text())
    assert after == {**before, "torch_dataset": "dataset.pt"}, "what it said of the recording is kept"
    assert list(after) == list(before)


@pytest.mark.parametrize("chunks", [None, 5, "x", {}])
def test_a_list_of_chunks_that_is_none_is_made_anew(root, chunks):
    before = json.loads((root / "meta.json").read_text())
    (root / "meta.json").write_text(json.dumps({**before, "chunks": chunks}))
    assert merge(root).rows == 7
    after = json.loads((root / "meta.json").read_text())
    assert [entry["num_frames"] for entry in after["chunks"]] == [3, 3, 1]


@pytest.mark.parametrize("later", [False, True])
def test_without_meta_json_it_is_made_of_the_chunks(tmp_path, later):
    root = tmp_path / "set"
    ticks = [1, 2, 3, 5, 6, 7, 9] if later else None
    reference.write(root, ROWS, MOUSE, size=3, later=later, ticks=ticks, meta=False)
    done = merge(root, fps=60.0)
    assert not done.had_meta
    check(root, ROWS, MOUSE, ticks or range(1, 8))
    meta = json.loads((root / "meta.json").read_text())
    assert meta["actions"] == reference.NAMES28
    assert (meta["fps"], meta["num_frames"], meta["num_chunks"], meta["chunk_size"]) == (60.0, 7, 3, 3)
    assert [(e["start_frame"], e["end_frame"], e["frames_dir"]) for e in meta["chunks"]] == [
        (1, 3, "frames/chunk_001"),
        (4, 6, "frames/chunk_002"),
        (7, 7, "frames/chunk_003"),
    ]
    assert ("frame_index_units" in meta) == later
    assert meta.get("dropped_ticks") == (2 if later else None)
    assert open_any(root)[0].frame_count == 7


def test_what_a_kill_leaves_at_the_end_is_left_out_and_said(root):
    remove(root, "meta.json", "mouse_deltas_chunk_003.npy", "frame_indices_chunk_003.npy", *MERGED[:4])
    done = merge(root)
    check(root, ROWS[:6], MOUSE[:6], range(1, 7))
    assert [(p.kind, p.where, p.count) for p in done.problems] == [
        ("incomplete_chunk", "chunk_003", 1),
        ("missing_meta", "set", 1),
        ("png_without_row", "frames/chunk_003", 1),
    ]
    found = open_any(root)
    assert found[0].frame_count == 6, "the half chunk is no chunk of another run"
    assert "incomplete_chunk" in {p.kind for p in found.problems}


def test_the_last_array_of_a_killed_run_may_be_cut(root):
    remove(root, "meta.json")
    path = root / "mouse_deltas_chunk_003.npy"
    path.write_bytes(path.read_bytes()[:-2])
    assert merge(root).rows == 6


def test_missing_pictures_are_said(root):
    remove(root, "frames/chunk_002/000002.png")
    done = merge(root)
    assert done.pictures == 6
    assert [(p.kind, p.where, p.count) for p in done.problems] == [
        ("missing_png", "frames/chunk_002/000002.png, row 1", 1)
    ]


def test_a_number_that_is_left_out_is_a_gap_that_is_said(root):
    remove(root, "meta.json", *[f"{kind}_chunk_002.npy" for kind in ("actions", "mouse_deltas", "frame_indices")])
    done = merge(root)
    check(root, np.delete(ROWS, [3, 4, 5], axis=0), np.delete(MOUSE, [3, 4, 5], axis=0), [1, 2, 3, 7])
    assert ("missing_chunk", "chunk_002", 1) in [(p.kind, p.where, p.count) for p in done.problems]


def shorter(root):
    np.save(root / "mouse_deltas_chunk_002.npy", MOUSE[:2])


def damaged(root):
    (root / "actions_chunk_002.npy").write_bytes(b"no array")


def wider(root):
    np.save(root / "actions_chunk_002.npy", np.zeros((3, 30), np.int8))


def stale(root):
    for kind in ("actions", "mouse_deltas", "frame_indices"):
        shutil.copy(root / f"{kind}_chunk_002.npy", root / f"{kind}_chunk_004.npy")


def value(root):
    rows = ROWS[3:6].astype(np.float64)
    rows[1, 0] = 0.5
    np.save(root / "actions_chunk_002.npy", rows)


def hostile(root):
    text = (root / "meta.json").read_text()
    (root / "meta.json").write_text(text.replace('"frames\\\\chunk_002"', '"../other"'))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (shorter, r"actions_chunk_002\.npy has 3 rows, .*mouse_deltas_chunk_002\.npy has 2 rows"),
        (damaged, "chunk_002, damaged array, stands before others"),
        (wider, r"actions_chunk_002\.npy with 30 actions, the first chunk has 28"),
        (stale, "chunk_004 is of another run"),
        (value, r"actions_chunk_002\.npy, row 1"),
        (hostile, "leads out of the folder"),
    ],
)
def test_a_set_that_cannot_be_merged_stays_as_it_was(root, harm, said):
    harm(root)
    before = digests(root)
    with pytest.raises(BadDataError, match=said):
        merge(root)
    assert digests(root) == before
    assert not [p for p in root.iterdir() if p.name.startswith(".")]


def test_a_merge_that_breaks_leaves_the_old_files(root, monkeypatch):
    before = digests(root)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nitrogen_merge, "write_meta", full)
    with pytest.raises(StorageError, match="the disk is full"):
        merge(root)
    assert digests(root) == before


def test_without_torch_no_older_tensors_are_left(root, monkeypatch):
    merge(root)
    remove(root, "meta.json", *[f"{kind}_chunk_003.npy" for kind in ("actions", "mouse_deltas", "frame_indices")])
    monkeypatch.setitem(sys.modules, "torch", None)
    done = merge(root)
    assert done.files == tuple(name for name in MERGED if name != "dataset.pt")
    assert not (root / "dataset.pt").exists()
    assert "not installed" in json.loads((root / "meta.json").read_text())["torch_dataset"]


def test_chunks_and_pictures_are_not_touched(root):
    kept = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file() and p.name not in MERGED}
    before = digests(root)
    merge(root)
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert {name: before[name] for name in before if name not in MERGED} == {
        name: value for name, value in digests(root).items() if name not in MERGED
    }


def test_what_a_merge_gives_is_what_writing_gave(tmp_path):
    convert(hands.Hands([9, 4]), tmp_path / "set", format="nitrogen_capture", options=["chunk_size=4"])
    before = digests(tmp_path / "set")
    remove(tmp_path / "set", *MERGED[:5])
    merge(tmp_path / "set")
    assert digests(tmp_path / "set") == before


def test_a_set_of_ours_without_a_chunk_keeps_its_times_after_a_merge(tmp_path):
    play = hands.Hands([9, 5])
    root = tmp_path / "set"
    convert(play, root, format="nitrogen_capture", options=["chunk_size=3"])
    remove(
        root, "actions.npy", *[f"{kind}_chunk_002.npy" for kind in ("actions", "mouse_deltas", "frame_indices", "t_ns")]
    )
    assert merge(root).rows == 11
    back = open_any(root)[0]
    kept = [0, 1, 2, *range(6, 14)]
    assert back.index()["t_ns"].tolist() == play.index()["t_ns"].iloc[kept].tolist()
    assert back.index()["late"].tolist() == play.index()["late"].iloc[kept].tolist()
    assert [(s.frames, s.end_reason) for s in back.segments] == [(3, "gap"), (3, "pause"), (5, "pause")]


def test_older_chunks_are_refused_unless_their_numbers_are_trusted(root):
    remove(root, "meta.json")
    os.utime(root / "actions_chunk_002.npy", (1e9, 1e9))
    with pytest.raises(BadDataError, match="chunk_002 is of another run"):
        merge(root)
    assert merge(root, trust_numbers=True).rows == 7


def test_what_is_no_set_is_refused(tmp_path):
    with pytest.raises(MissingError):
        merge(tmp_path / "nothing")
    with pytest.raises(BadDataError, match="no chunk"):
        merge(tmp_path)
    with pytest.raises(BadInputError, match="fps=0"):
        merge(tmp_path, fps=0)


def anonymous_kb():
    """Memory of this process that stands in no file."""
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to tell memory apart")
def test_a_long_set_is_merged_in_bounded_memory(root, tmp_path):
    long, count, rows = tmp_path / "long", 6, 250_000
    long.mkdir()
    for number in range(1, count + 1):
        np.save(long / f"actions_chunk_{number:03d}.npy", np.ones((rows, 28), np.int8))
        np.save(long / f"mouse_deltas_chunk_{number:03d}.npy", np.ones((rows, 2), np.float32))
        indices = np.arange((number - 1) * rows, number * rows)
        np.save(long / f"frame_indices_chunk_{number:03d}.npy", indices)
    merge(root)  # everything is imported and warm
    before, most, over = anonymous_kb(), [0], threading.Event()

    def watch():
        while not over.wait(0.002):
            most[0] = max(most[0], anonymous_kb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        merged = merge(long).rows
    finally:
        over.set()
        watcher.join()
    assert merged == count * rows
    assert (long / "actions.npy").stat().st_size > 40e6
    assert most[0] - before < 16_000, "42 MB of actions, 12 MB of motion, 12 MB of numbers; a piece is 2 MB"


# The command


@pytest.fixture
def rushes(capsys):
    """Run the command here: exit status, what it printed, what it complained."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return left.value.code or 0, said.out, said.err

    return run


def test_the_command_says_what_it_did_to_programs(root, rushes):
    remove(root, "meta.json", "actions.npy")
    status, out, err = rushes("merge", "--root", root, "--json", "--fps", "15")
    assert status == 0, err
    said = json.loads(out)
    assert (said["rows"], said["chunks"], said["pictures"], said["files"]) == (7, 3, 7, MERGED)
    assert said["had_meta"] is False
    assert [problem["kind"] for problem in said["problems"]] == ["missing_meta"]
    assert json.loads((root / "meta.json").read_text())["fps"] == 15.0


def test_the_command_says_what_it_did_to_people_and_refuses_two_folders(root, rushes):
    status, out, err = rushes("merge", root)
    assert status == 0, err
    assert "7 rows of 3 chunks, 7 of them with their pictures" in out
    status, _, err = rushes("merge", root, "--root", root)
    assert (status, "name one folder" in err) == (2, True)


def test_the_command_ends_with_1_where_a_set_is_refused(root, rushes):
    (root / "actions_chunk_001.npy").write_bytes(b"")
    status, _, err = rushes("merge", root)
    assert status == 1
    assert "chunk_001, damaged array, stands before others" in err
