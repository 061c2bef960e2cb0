"""Sets of the NitroGen Capture program: written as its guide shows them, read with their own interval, faults named."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rushes.errors import BadDataError, BadInputError, OccupiedError, StorageError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.nitrogen.merge import merge
from rushes.model.grid import to_grid
from rushes.model.readings import Event
from rushes.model.recording import Sessions

LIB = Path(__file__).parents[2] / "lib"
FOLDER = Path(__file__).parent
STRICT_META = [
    "fps", "region", "monitor", "actions", "num_frames", "action_file", "mouse_deltas_file", "frame_indices_file",
    "mouse_delta_units", "chunk_size", "num_chunks", "chunks", "torch_dataset",
]  # fmt: skip
"""Keys of meta.json at 4ff5523, in order."""
ENTRY = [
    "chunk", "start_frame", "end_frame", "actions_file", "mouse_deltas_file", "frame_indices_file", "frames_dir",
    "num_frames",
]  # fmt: skip


@pytest.fixture(scope="module")
def load():
    from importlib.util import module_from_spec, spec_from_file_location

    def one(name):
        spec = spec_from_file_location(f"capture_{name}", FOLDER / f"{name}.py")
        module = module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return one


@pytest.fixture(scope="module")
def hands(load):
    return load("hands")


@pytest.fixture(scope="module")
def reference(load):
    return load("reference_capture")


@pytest.fixture(scope="module")
def hasty():
    """Wait for no disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def write(source, target, *options):
    return convert(source, target, format="nitrogen_capture", options=list(options))


def files(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def held(recording, segment=0):
    """Rows of each control, by the grid."""
    one = recording.segments[segment]
    grid = to_grid(recording.events(segment), recording.index(segment)["t_ns"], end_ns=one.end_ns)
    return {control: values.astype(int).tolist() for control, values in grid.held.items() if values.any()}


def motion(recording, segment=0):
    one = recording.segments[segment]
    grid = to_grid(recording.events(segment), recording.index(segment)["t_ns"], end_ns=one.end_ns)
    return np.stack([grid.motion["MouseDX"], grid.motion["MouseDY"]], axis=1).tolist()


def kinds(sessions) -> dict[str, tuple[str, int]]:
    return {p.kind: (p.where, p.count) for p in sessions.problems}


# What is written


def test_the_tree_is_that_of_the_guide(hands, tmp_path):
    write(hands.Hands([5]), tmp_path / "session1", "strict=true", "chunk_size=3")
    wanted = [f"frames/chunk_001/{k:06d}.png" for k in (1, 2, 3)] + [f"frames/chunk_002/{k:06d}.png" for k in (1, 2)]
    wanted += [f"{kind}_chunk_{n:03d}.npy" for kind in ("actions", "mouse_deltas", "frame_indices") for n in (1, 2)]
    wanted += ["actions.npy", "mouse_deltas.npy", "frame_indices.npy", "dataset.npz", "dataset.pt", "meta.json"]
    assert files(tmp_path / "session1") == sorted(wanted)


def test_types_and_shapes_are_those_of_the_guide(hands, tmp_path):
    root = tmp_path / "session1"
    write(hands.Hands([5]), root, "chunk_size=3")
    for ending, rows in (("_chunk_001", 3), ("_chunk_002", 2), ("", 5)):
        for kind, dtype, shape in (
            ("actions", "int8", (rows, 28)),
            ("mouse_deltas", "float32", (rows, 2)),
            ("frame_indices", "int64", (rows,)),
        ):
            array = np.load(root / f"{kind}{ending}.npy", allow_pickle=False)
            assert (array.dtype, array.shape) == (np.dtype(dtype), shape)
    assert np.load(root / "t_ns_chunk_002.npy").tolist() == [3 * hands.STEP, 4 * hands.STEP]
    bundle = np.load(root / "dataset.npz", allow_pickle=False)
    tensors = torch.load(root / "dataset.pt", weights_only=True)
    assert sorted(bundle.files) == sorted(tensors) == ["actions", "frame_indices", "mouse_deltas"]
    types = {"actions": torch.int8, "mouse_deltas": torch.float32, "frame_indices": torch.int64}
    for kind, dtype in types.items():
        np.testing.assert_array_equal(bundle[kind], np.load(root / f"{kind}.npy"))
        np.testing.assert_array_equal(tensors[kind].numpy(), bundle[kind])
        assert tensors[kind].dtype is dtype


@pytest.mark.parametrize("stored", ["png", "png-indexed", "video"])
def test_pictures_are_rgb_png_files_of_their_own_size(hands, tmp_path, stored):
    write(hands.Hands([5], stored=stored), tmp_path / "set", "chunk_size=3")
    for k, place in enumerate(["001/000001", "001/000002", "001/000003", "002/000001", "002/000002"]):
        path = tmp_path / "set/frames" / f"chunk_{place}.png"
        with Image.open(path) as opened:
            assert (opened.format, opened.mode) == ("PNG", "RGB")
            np.testing.assert_array_equal(np.asarray(opened), hands.picture(1, k))
        np.testing.assert_array_equal(cv2.imread(str(path))[:, :, ::-1], hands.picture(1, k))


def test_meta_json_of_a_strict_set_has_the_keys_of_the_program_and_no_other(hands, reference, tmp_path):
    write(hands.Hands([4, 3]), tmp_path / "set", "strict=true", "chunk_size=5")
    meta = json.loads((tmp_path / "set/meta.json").read_text())
    assert list(meta) == STRICT_META
    assert meta["actions"] == reference.NAMES28
    assert [list(entry) for entry in meta["chunks"]] == [ENTRY, ENTRY]
    assert meta["chunks"][1] == {
        "chunk": 2, "start_frame": 6, "end_frame": 7, "actions_file": "actions_chunk_002.npy",
        "mouse_deltas_file": "mouse_deltas_chunk_002.npy", "frame_indices_file": "frame_indices_chunk_002.npy",
        "frames_dir": "frames/chunk_002", "num_frames": 2,
    }  # fmt: skip
    rest = {key: meta[key] for key in STRICT_META if key not in ("actions", "chunks")}
    assert rest == {
        "fps": 25.0, "region": None, "monitor": 0, "num_frames": 7, "action_file": "actions.npy",
        "mouse_deltas_file": "mouse_deltas.npy", "frame_indices_file": "frame_indices.npy",
        "mouse_delta_units": "pixels_per_frame", "chunk_size": 5, "num_chunks": 2, "torch_dataset": "dataset.pt",
    }  # fmt: skip


def test_the_default_rows_are_what_happened_until_the_next_frame(hands, tmp_path):
    write(hands.Hands([5]), tmp_path / "set")
    names = json.loads((tmp_path / "set/meta.json").read_text())["actions"]
    actions = np.load(tmp_path / "set/actions.npy")
    down = {names[c]: actions[:, c].tolist() for c in np.flatnonzero(actions.any(axis=0))}
    assert down == {"w": [1, 1, 1, 0, 0], "e": [0, 1, 0, 0, 0], "lmb": [0, 0, 1, 1, 0]}
    assert np.load(tmp_path / "set/mouse_deltas.npy").tolist() == [[0, 0], [4, -3], [0, 0], [0, 0], [0, 0]]


def test_the_strict_rows_are_what_the_program_would_have_seen_when_it_took_the_frame(hands, tmp_path):
    report = write(hands.Hands([5]), tmp_path / "set", "strict=true")
    names = json.loads((tmp_path / "set/meta.json").read_text())["actions"]
    actions = np.load(tmp_path / "set/actions.npy")
    down = {names[c]: actions[:, c].tolist() for c in np.flatnonzero(actions.any(axis=0))}
    assert down == {"w": [0, 1, 1, 0, 0], "lmb": [0, 0, 0, 1, 0]}, "W goes down behind frame 0; nobody sees E"
    assert np.load(tmp_path / "set/mouse_deltas.npy").tolist() == [[0, 0], [0, 0], [4, -3], [0, 0], [0, 0]]
    assert report.ledger["events"].lost == {"tap_between_frames": 2}
    assert report.ledger["events"].kept == 6
    card = json.loads((tmp_path / "set.card.json").read_text())
    assert card["pairing"] == "row k = keys as they were at t_k, motion of (t_{k-1}, t_k]"


def test_strict_counts_what_comes_behind_the_last_frame(hands, tmp_path):
    def late(start):
        last = start + 2 * hands.STEP
        return [
            hands.move(last, 5, 0),  # on the frame: seen
            hands.move(last + 1, 7, 0),
            hands.key(last + 2, "KeyQ", "press"),
            hands.key(last + 3, "F5", "press"),  # has no place anyway
        ]

    report = write(hands.Hands([3], events=[late]), tmp_path / "set", "strict=true")
    assert report.ledger["events"].lost == {"behind_last_frame": 2, "no_place_F5": 1}
    assert np.load(tmp_path / "set/mouse_deltas.npy").tolist() == [[0, 0], [0, 0], [5, 0]]


def test_frame_indices_are_ticks_by_default_and_a_counter_in_strict_sets(hands, tmp_path):
    play = hands.Hands([4, 2], drops=(2,))
    write(play, tmp_path / "own", "chunk_size=3")
    write(play, tmp_path / "strict", "strict=true", "chunk_size=3")
    second = 6 + hands.PAUSE // hands.STEP
    parts = [np.load(tmp_path / f"own/frame_indices_chunk_{n:03d}.npy").tolist() for n in (1, 2, 3)]
    assert parts == [[0, 1, 4], [5], [second, second + 1]], "two ticks dropped; a chunk ends with its segment"
    meta = json.loads((tmp_path / "own/meta.json").read_text())
    assert meta["frame_index_units"] == "capture_tick_index (gaps indicate dropped frames)"
    assert meta["dropped_ticks"] == second + 2 - 6
    parts = [np.load(tmp_path / f"strict/frame_indices_chunk_{n:03d}.npy").tolist() for n in (1, 2)]
    assert parts == [[1, 2, 3], [4, 5, 6]], "chunks are full across segments, as the program fills them"


def test_ticks_that_begin_anew_are_moved_so_that_they_rise(hands, tmp_path):
    play = hands.Hands([3, 3])
    play._rows["tick"] = [0, 1, 2, 0, 1, 2]
    write(play, tmp_path / "set")
    assert np.load(tmp_path / "set/frame_indices.npy").tolist() == [0, 1, 2, 3, 4, 5]
    assert open_any(tmp_path / "set")[0].index()["tick"].tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("name", "width", "mouse"), [("capture25_keys", 25, "left_click"), ("capture85", 85, "scroll_up")]
)
def test_other_vocabularies_are_written_by_name(hands, tmp_path, name, width, mouse):
    def wheel(start):
        return [*hands.some(start), Event(start + 5, "mouse", "MouseWheel", "scroll", 1.0)]

    report = write(hands.Hands([5], events=[wheel]), tmp_path / "set", f"layout={name}")
    meta = json.loads((tmp_path / "set/meta.json").read_text())
    actions = np.load(tmp_path / "set/actions.npy")
    assert actions.shape == (5, width)
    assert len(meta["actions"]) == width
    assert actions[:, meta["actions"].index("left_click")].tolist() == [0, 0, 1, 1, 0]
    assert actions[0, meta["actions"].index(mouse)] == int(mouse == "scroll_up")
    assert report.ledger["events"].lost == ({} if width == 85 else {"no_place_MouseWheel": 1})
    back = open_any(tmp_path / "set")[0]
    assert held(back)["MouseLeft"] == [0, 0, 1, 1, 0]


def test_a_strict_set_has_the_wheel_since_the_frame_before(hands, tmp_path):
    def wheel(start):
        at = [start + hands.STEP + 5, start + 3 * hands.STEP, start + 4 * hands.STEP + 5]
        return [Event(t, "mouse", "MouseWheel", "scroll", v) for t, v in zip(at, (1.0, 1.0, -1.0), strict=True)]

    report = write(hands.Hands([5], events=[wheel]), tmp_path / "set", "strict=true", "layout=capture85")
    names = json.loads((tmp_path / "set/meta.json").read_text())["actions"]
    actions = np.load(tmp_path / "set/actions.npy")
    down = {names[c]: actions[:, c].tolist() for c in np.flatnonzero(actions.any(axis=0))}
    assert down == {"scroll_up": [0, 0, 1, 1, 0]}
    assert report.ledger["events"].lost == {"behind_last_frame": 1}


def test_a_pad_becomes_keys_and_motion_through_the_map(hands, tmp_path):
    from rushes.model.actions import ActionSpace

    def pad(start):
        return [
            Event(start + 5, "pad", "SOUTH", "press"),
            Event(start + hands.STEP + 5, "pad", "SOUTH", "release"),
            Event(start + 5, "pad", "J_LEFT_Y", "axis", -1.0),
            Event(start + 2 * hands.STEP + 5, "pad", "J_LEFT_Y", "axis", 0.0),
            Event(start + hands.STEP + 5, "pad", "J_RIGHT_X", "axis", 0.5),
            Event(start + 2 * hands.STEP + 6, "pad", "J_RIGHT_X", "axis", 0.0),
            Event(start + 6, "pad", "GUIDE", "press"),
        ]

    play = hands.Hands([4], events=[pad], game="Test", space=ActionSpace.from_layout("nitrogen25"))
    report = write(play, tmp_path / "set")
    meta = json.loads((tmp_path / "set/meta.json").read_text())
    actions = np.load(tmp_path / "set/actions.npy")
    assert actions[:, meta["actions"].index("space")].tolist() == [1, 1, 0, 0]
    assert actions[:, meta["actions"].index("w")].tolist() == [1, 1, 0, 0]
    assert np.load(tmp_path / "set/mouse_deltas.npy").tolist() == [[0, 0], [150, 0], [0, 0], [0, 0]]
    assert report.ledger["events"].lost == {"no_place_GUIDE": 1}
    assert meta["rushes"]["pad_map"] == "wasd_mouse"


def test_a_delay_moves_inputs_and_is_written_down(hands, tmp_path):
    write(hands.Hands([5]), tmp_path / "set", "action_delay_ms=40")
    assert np.load(tmp_path / "set/mouse_deltas.npy").tolist() == [[0, 0], [0, 0], [4, -3], [0, 0], [0, 0]]
    assert json.loads((tmp_path / "set/meta.json").read_text())["rushes"]["action_delay_ms"] == 40.0
    assert open_any(tmp_path / "set")[0].info.provenance["action_delay_ms"] == 40.0
    assert json.loads((tmp_path / "set.card.json").read_text())["action_delay_ms"] == 40.0


def test_an_environment_with_keys_loses_its_last_observation_and_says_so(hands, tmp_path):
    report = write(hands.Hands([5, 1], environment=True), tmp_path / "set")
    assert np.load(tmp_path / "set/actions.npy").shape == (4, 28)
    assert report.ledger["frames"].lost == {"without_action": 2}
    assert report.ledger["episodes"].lost == {"without_action": 1}
    assert report.ledger.balances


def test_recordings_without_any_action_are_left_out_and_counted(hands, tmp_path):
    empty = hands.Hands([1, 1], environment=True, salt=2)
    report = write(Sessions([hands.Hands([3]), empty], format="fake"), tmp_path / "set")
    assert sniff_path(tmp_path / "set") == "nitrogen_capture"
    assert open_any(tmp_path / "set")[0].info.id == "hands-1"
    assert report.ledger["frames"].lost == {"without_action": 2}
    assert report.ledger.balances
    with pytest.raises(BadInputError, match="a source without any action"):
        write(empty, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_play_without_any_control_that_has_a_place_is_refused_before_anything_is_written(fake, tmp_path):
    with pytest.raises(BadInputError, match=r"session-1: none of its controls \(ALE/DOWN, .*has a place in capture28"):
        write(fake.Fake([4]), tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("layout=nitrogen25", "layout='nitrogen25'"),
        ("chunk_size=0", "chunk_size=0"),
        ("action_delay_ms=soon", "action_delay_ms='soon'"),
        ("action_delay_ms=measured", "whose offset nobody measured"),
    ],
)
def test_an_option_that_means_nothing_is_refused_before_anything_is_written(hands, tmp_path, option, said):
    with pytest.raises(BadInputError, match=said):
        write(hands.Hands([4]), tmp_path / "set", option)
    assert list(tmp_path.iterdir()) == []


def test_several_recordings_become_folders_and_come_back(hands, tmp_path):
    play = Sessions([hands.Hands([3], salt=1, game="Doom"), hands.Hands([2], salt=2, game="Quake")], format="fake")
    report = write(play, tmp_path / "sets")
    assert sorted(p.name for p in (tmp_path / "sets").iterdir()) == ["hands-1", "hands-2"]
    assert report.written == {"episodes": 2, "frames": 5, "samples": 0}
    assert sniff_path(tmp_path / "sets") == "nitrogen_capture"
    assert [(r.info.id, r.info.game, r.frame_count) for r in open_any(tmp_path / "sets")] == [
        ("hands-1", "Doom", 3),
        ("hands-2", "Quake", 2),
    ]


# There and back


def test_a_set_of_ours_comes_back_exactly(hands, tmp_path):
    play = hands.Hands([9, 1, 4], drops=(2, 11))
    report = write(play, tmp_path / "set", "chunk_size=4")
    assert report.ledger.balances
    assert report.kept == ("frames (exact)", "times", "names")
    found = open_any(tmp_path / "set")
    back = found[0]
    assert found.problems == ()
    assert back.segments == play.segments
    pd.testing.assert_frame_equal(back.index(), play.index())
    for k, frame in enumerate(back.frames(0, 14)):
        np.testing.assert_array_equal(frame, hands.picture(1, k))
    assert back.info.action_space == hands.SPACE
    assert (back.info.id, back.info.game, back.info.time_source) == ("hands-1", "Doom", "measured")
    assert back.info.source == {"kind": "desktop", "name": "x11"}
    assert (back.info.stream("events").unit, back.info.stream("frames").rate_hz) == ("counts", 25.0)
    for segment in (0, 1, 2):
        assert held(back, segment) == held(play, segment)
        assert motion(back, segment) == motion(play, segment)
    assert back.ledger.balances
    assert back.ledger["frames"].kept == 14


def test_a_strict_set_comes_back_with_the_losses_that_it_declares(hands, tmp_path):
    report = write(hands.Hands([5, 4]), tmp_path / "set", "strict=true")
    assert report.lost == ("times", "events")
    back = open_any(tmp_path / "set")[0]
    assert [(s.frames, s.end_reason) for s in back.segments] == [(9, "end")], "the pause left no trace"
    assert back.info.time_source == "assumed"
    assert back.index()["t_ns"].tolist() == [k * 40_000_000 for k in range(9)]
    assert motion(back) == [[0, 0], [4, -3], [0, 0], [0, 0], [0, 0], [0, 0], [4, -3], [0, 0], [0, 0]]
    assert held(back) == {"KeyW": [0, 1, 1, 0, 0, 0, 1, 1, 0], "MouseLeft": [0, 0, 0, 1, 0, 0, 0, 0, 1]}
    assert set(kinds(open_any(tmp_path / "set"))) == {"drops_not_recorded"}


CONTROLS = ("KeyW", "KeyA", "Space", "ShiftLeft", "MouseLeft")


@st.composite
def plays(draw):
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    plans = []
    for count in lengths:
        steps = draw(
            st.lists(st.tuples(st.integers(0, count * 100 - 1), st.sampled_from([*CONTROLS, "move"])), max_size=12)
        )
        sizes = [(draw(st.integers(-2000, 2000)), draw(st.integers(-2000, 2000))) for _ in steps]
        plans.append([(at, what, size) for (at, what), size in zip(sorted(steps), sizes, strict=True)])
    return lengths, plans


def done(hands, plan):
    """Make the function that gives a plan's events: each control goes down, then up, then down ..."""

    def events(start):
        down, out = set(), []
        for at, what, (dx, dy) in plan:
            t_ns = start + at * hands.STEP // 100
            if what == "move":
                out.append(hands.move(t_ns, dx, dy))
            else:
                out.append(hands.key(t_ns, what, "release" if what in down else "press"))
                down ^= {what}
        return out

    return events


def summed(plan, rows, row_of):
    """Sum the moves of a plan in rows, by the rule of `row_of`."""
    table = np.zeros((rows + 1, 2))
    for at, what, size in plan:
        if what == "move":
            table[row_of(at)] += size
    return table[:rows].tolist()


@settings(max_examples=12, deadline=None)
@given(plays(), st.integers(1, 4))
def test_any_play_keeps_its_rows_and_its_sums(hands, hasty, tmp_path_factory, made, size):
    lengths, plans = made
    play = hands.Hands(lengths, events=[done(hands, plan) for plan in plans])
    target = tmp_path_factory.mktemp("any") / "set"
    write(play, target, f"chunk_size={size}")
    back = open_any(target, format="nitrogen_capture")[0]
    assert back.segments == play.segments
    for segment, (plan, rows) in enumerate(zip(plans, lengths, strict=True)):
        assert motion(back, segment) == summed(plan, rows, lambda at: at // 100)
        assert held(back, segment) == held(play, segment)
    strict = target.with_name("strict")
    write(play, strict, "strict=true", f"chunk_size={size}")
    seen = np.load(strict / "mouse_deltas.npy").tolist()
    for plan, rows in zip(plans, lengths, strict=True):
        assert seen[:rows] == summed(plan, rows, lambda at: -(-at // 100)), "with the first frame at or after it"
        del seen[:rows]


# Sets of the program itself


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("meta", [False, True])
def test_a_set_of_the_program_is_read_with_its_motion_moved_back_by_one_row(reference, tmp_path, later, meta):
    rows = reference.keys([], ["w"], ["w", "lmb"], ["lmb"], [])
    mouse = [[9, 9], [1, 0], [2, -3], [0, 0], [5, 5]]
    reference.write(tmp_path / "set", rows, mouse, size=2, later=later, meta=meta, fps=50.0)
    found = open_any(tmp_path / "set")
    back = found[0]
    assert held(back) == {"KeyW": [0, 1, 1, 0, 0], "MouseLeft": [0, 0, 1, 1, 0]}
    assert motion(back) == [[1, 0], [2, -3], [0, 0], [5, 5], [0, 0]]
    assert back.ledger["events"].lost == {"motion_before_first_frame": 1}
    assert back.ledger["frames"].marked == {"motion_behind_not_recorded": 1}
    for k, frame in enumerate(back.frames(0, 5)):
        np.testing.assert_array_equal(frame, reference.shot(k))
    step = 20_000_000 if meta else 33_333_333
    assert back.index()["t_ns"].tolist()[:3] == [0, step, 2 * step]
    assert back.info.time_source == "assumed"
    wanted = {"drops_not_recorded"} if not later else set()
    assert set(kinds(found)) == (wanted if meta else {"missing_meta", "fps_assumed"})
    assert back.segments[0].end_reason == ("end" if meta else "unknown")


def test_a_gap_in_the_ticks_ends_a_segment_and_motion_is_not_carried_over_it(reference, tmp_path):
    rows = reference.keys(["w"], ["w"], ["w"], [])
    mouse = [[1, 1], [2, 2], [3, 3], [4, 4]]
    reference.write(tmp_path / "set", rows, mouse, later=True, ticks=[10, 11, 15, 16], fps=10.0)
    back = open_any(tmp_path / "set")[0]
    assert [(s.start_ns, s.end_ns, s.frames, s.end_reason) for s in back.segments] == [
        (0, 200_000_000, 2, "gap"),
        (500_000_000, 700_000_000, 2, "end"),
    ]
    assert motion(back, 0) == [[2, 2], [0, 0]]
    assert motion(back, 1) == [[4, 4], [0, 0]]
    assert back.ledger["events"].lost == {"motion_before_first_frame": 2}


def test_columns_are_taken_by_name_and_a_name_that_means_nothing_is_said(reference, tmp_path):
    names = ["flux", "left_click", "d"]
    reference.write(tmp_path / "set", [[1, 0, 1], [0, 1, 0]], [[0, 0], [0, 0]], later=True, names=names)
    found = open_any(tmp_path / "set")
    assert held(found[0]) == {"KeyD": [1, 0], "MouseLeft": [0, 1]}
    assert kinds(found) == {"unknown_action": ("meta.json, actions: 'flux'", 1)}
    assert found[0].ledger["events"].lost == {"unknown_action": 2}


def test_without_names_the_width_decides(reference, tmp_path):
    rows = reference.keys(["e"], ["ctrl", "left_click"], names=reference.NAMES25)
    reference.write(tmp_path / "set", rows, np.zeros((2, 2)), later=True, names=reference.NAMES25, meta=False)
    assert held(open_any(tmp_path / "set")[0]) == {"KeyE": [1, 0], "ControlLeft": [0, 1], "MouseLeft": [0, 1]}


def test_85_columns_are_those_of_the_shipped_profile(reference, tmp_path):
    rows = np.zeros((2, 85))
    rows[0, [0, 26, 78]] = rows[1, [36, 48, 83]] = 1  # 48 keys, 30 special ones, 7 of the mouse
    reference.write(tmp_path / "set", rows, np.zeros((2, 2)), later=True, meta=False)
    back = open_any(tmp_path / "set")[0]
    assert held(back) == {"KeyA": [1, 0], "Digit0": [1, 0], "MouseLeft": [1, 0], "F1": [0, 1], "Space": [0, 1]}
    grid = to_grid(back.events(0), back.index(0)["t_ns"], end_ns=back.segments[0].end_ns)
    assert grid.motion["MouseWheel"].tolist() == [1, 0], "it noted the wheel since the frame before, as motion"


def test_the_wheel_before_the_first_frame_is_counted_with_the_motion(reference, tmp_path):
    names, mouse = ["w", "scroll_up", "scroll_down"], [[1, 1], [0, 0], [0, 0], [0, 0]]
    rows = [[0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 1, 0]]
    reference.write(tmp_path / "set", rows, mouse, later=True, names=names)
    back = open_any(tmp_path / "set")[0]
    grid = to_grid(back.events(0), back.index(0)["t_ns"], end_ns=back.segments[0].end_ns)
    assert grid.motion["MouseWheel"].tolist() == [-1, 0, 1, 0]
    assert held(back) == {"KeyW": [0, 1, 0, 0]}
    assert back.ledger["events"].lost == {"motion_before_first_frame": 2}


@pytest.mark.parametrize(("kind", "said"), [("mouse_deltas", "no_mouse_deltas"), ("frame_indices", "no_frame_indices")])
def test_a_set_that_lacks_one_kind_of_array_altogether_is_read_without_it(made, kind, said):
    for path in made.glob(f"{kind}*.npy"):
        path.unlink()
    found = open_any(made)
    assert kinds(found) == {said: ("set", 1)}
    assert found[0].frame_count == 6
    assert held(found[0])["KeyW"] == [1, 1, 0, 0, 0, 0]


def test_a_width_that_nothing_names_is_refused_with_those_that_are_known(reference, tmp_path):
    reference.write(tmp_path / "set", np.zeros((2, 30)), np.zeros((2, 2)), meta=False)
    with pytest.raises(
        BadDataError, match=r"30 actions a row.*25 \(capture25_keys\), 28 \(capture28\), 85 \(capture85\)"
    ):
        open_any(tmp_path / "set")


def test_merged_arrays_serve_where_those_of_the_chunks_are_gone(reference, tmp_path):
    rows, mouse = reference.keys(["w"], [], ["a"], ["a"], ["d"]), np.arange(10).reshape(5, 2)
    reference.write(tmp_path / "set", rows, mouse, size=2)
    for path in (tmp_path / "set").glob("*_chunk_*.npy"):
        path.unlink()
    found = open_any(tmp_path / "set")
    assert held(found[0]) == {"KeyW": [1, 0, 0, 0, 0], "KeyA": [0, 0, 1, 1, 0], "KeyD": [0, 0, 0, 0, 1]}
    assert motion(found[0]) == [[2, 3], [4, 5], [6, 7], [8, 9], [0, 0]]
    assert kinds(found)["merged_used"] == ("chunk_001", 3)
    np.testing.assert_array_equal(found[0].frame(4), reference.shot(4))


def test_a_set_of_ours_without_its_meta_json_keeps_times_and_rows(hands, tmp_path):
    play = hands.Hands([6, 4], drops=(3,))
    write(play, tmp_path / "set", "chunk_size=4")
    (tmp_path / "set/meta.json").unlink()
    found = open_any(tmp_path / "set")
    assert kinds(found) == {"description_lost": ("set", 1)}
    assert found[0].index()["t_ns"].tolist() == play.index()["t_ns"].tolist()
    assert [s.frames for s in found[0].segments] == [3, 3, 4], "a drop is a gap, and so is a pause"
    assert motion(found[0], 2) == motion(play, 1), "the times say which interval the rows have"
    assert found[0].info.time_source == "assumed"


def test_a_chunk_of_ours_that_is_gone_leaves_the_others_in_their_places(hands, tmp_path):
    play = hands.Hands([9, 3])
    write(play, tmp_path / "set", "chunk_size=3")
    for path in (tmp_path / "set").glob("*.npy"):
        if "chunk" not in path.name or "002" in path.name:
            path.unlink()
    found = open_any(tmp_path / "set")
    assert [(s.start_ns // hands.STEP, s.frames, s.end_reason) for s in found[0].segments] == [
        (0, 3, "gap"),
        (6, 3, "pause"),
        (34, 3, "pause"),
    ]
    assert kinds(found)["missing_chunk"] == ("chunk_002", 1)
    assert found[0].ledger["frames"].lost == {"missing_chunk": 3}
    assert found[0].index()["late"].tolist() == [False] * 3 + [False, False, True] + [False] * 3


# Order and runs


@pytest.fixture
def shuffled(monkeypatch):
    """List every folder in an order of its own, as some file systems do."""
    dice = random.Random(3)
    listdir, scandir, iterdir = os.listdir, os.scandir, Path.iterdir

    class Listing(list):
        def __enter__(self):
            return iter(self)

        def __exit__(self, *_):
            return None

        def close(self):
            return None

    def mixed(names):
        names = list(names)
        dice.shuffle(names)
        return names

    monkeypatch.setattr(os, "listdir", lambda *a: mixed(listdir(*a)))
    monkeypatch.setattr(os, "scandir", lambda *a: Listing(mixed(scandir(*a))))
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(mixed(iterdir(self))))


def test_1200_chunks_are_read_in_the_order_of_their_numbers(reference, tmp_path, shuffled):
    root, count = tmp_path / "set", 1200
    (root / "frames").mkdir(parents=True)
    ok, data = cv2.imencode(".png", np.zeros((2, 3, 3), np.uint8))
    assert ok
    order = list(range(1, count + 1))
    random.Random(1).shuffle(order)
    rows = reference.keys([], [], ["w"])
    for number in order:
        folder = root / "frames" / f"chunk_{number:03d}"
        folder.mkdir()
        (folder / "000001.png").write_bytes(data.tobytes())
        np.save(root / f"mouse_deltas_chunk_{number:03d}.npy", np.array([[number, -number]], np.float32))
        np.save(root / f"actions_chunk_{number:03d}.npy", rows[[(number - 1) % 3]])
        np.save(root / f"frame_indices_chunk_{number:03d}.npy", np.array([number], np.int64))
    entries = [
        {"chunk": n, "num_frames": 1, "start_frame": n, "end_frame": n, "frames_dir": f"chunk_{n:03d}"} for n in order
    ]
    values = {"fps": 30.0, "actions": reference.NAMES28, "chunk_size": 1, "num_chunks": count, "chunks": entries}
    for meta in (False, True):
        if meta:
            (root / "meta.json").write_text(json.dumps(values))
        back = open_any(root, format="nitrogen_capture")[0]
        assert [s.frames for s in back.segments] == [count]
        assert motion(back) == [[n, -n] for n in range(2, count + 1)] + [[0, 0]]
        assert held(back)["KeyW"] == [int(n % 3 == 0) for n in range(1, count + 1)]
    merge(root)
    assert np.load(root / "mouse_deltas.npy").tolist() == [[n, -n] for n in range(1, count + 1)]
    assert np.load(root / "frame_indices.npy").tolist() == list(range(1, count + 1))
    assert [entry["chunk"] for entry in json.loads((root / "meta.json").read_text())["chunks"]] == list(
        range(1, count + 1)
    )


def earlier(reference, tmp_path, *, meta, first=5, second=3, size=2):
    """Record twice into one folder, the second run shorter, and leave what the program leaves."""
    reference.write(tmp_path / "set", np.zeros((first, 28)), np.zeros((first, 2)), size=size)
    reference.write(tmp_path / "again", np.ones((second, 28)), np.ones((second, 2)), size=size, meta=meta)
    (tmp_path / "set/meta.json").unlink()
    shutil.copytree(tmp_path / "again", tmp_path / "set", dirs_exist_ok=True)
    return tmp_path / "set"


def test_chunks_that_meta_json_does_not_list_are_refused(reference, tmp_path):
    root = earlier(reference, tmp_path, meta=True)
    with pytest.raises(
        BadDataError, match=r"chunk_003 is of another run: meta\.json lists 2 chunks.*move frames/chunk_003"
    ):
        open_any(root)


def test_a_chunk_behind_one_that_is_not_full_is_refused(reference, tmp_path):
    root = earlier(reference, tmp_path, meta=False)
    with pytest.raises(BadDataError, match="chunk_003 is of another run: chunk_002 before it has 1 rows, not 2"):
        open_any(root)


def test_indices_that_fall_from_one_chunk_to_the_next_are_refused(reference, tmp_path):
    root = earlier(reference, tmp_path, meta=False, first=6, second=4)
    np.save(root / "frame_indices_chunk_002.npy", np.array([90, 91]))
    with pytest.raises(
        BadDataError, match=r"chunk_003 is of another run: its frame_indices begin with 5, .* end with 91"
    ):
        open_any(root)


def test_a_chunk_whose_files_are_older_is_refused_unless_its_number_is_trusted(reference, tmp_path):
    root = earlier(reference, tmp_path, meta=False, first=6, second=4)
    for path in root.glob("*_chunk_003.npy"):
        os.utime(path, (1e9, 1e9))
    with pytest.raises(
        BadDataError, match=r"chunk_003 is of another run: its arrays are .* s older than those of chunk_002"
    ):
        open_any(root)
    assert open_any(root, options=["trust_numbers=true"])[0].frame_count == 6


@pytest.fixture
def restarted(reference, tmp_path):
    """A run that came to its end an hour ago, and a second one that was killed behind its first chunk."""
    reference.write(tmp_path / "set", np.zeros((9, 28)), np.zeros((9, 2)), size=3)
    for path in (tmp_path / "set").rglob("*"):
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)
    reference.write(tmp_path / "again", np.ones((3, 28)), np.ones((3, 2)), size=3, meta=False)
    shutil.copytree(tmp_path / "again", tmp_path / "set", dirs_exist_ok=True)
    return tmp_path / "set"


def test_a_second_run_that_was_killed_beside_the_meta_json_of_the_first_is_refused(restarted):
    with pytest.raises(BadDataError, match=r"chunk_002 is of another run: its arrays are 3600 s older"):
        open_any(restarted)
    with pytest.raises(BadDataError, match="chunk_002 is of another run"):
        merge(restarted)


def test_the_age_of_files_does_not_matter_where_they_are_what_was_merged(reference, tmp_path):
    reference.write(tmp_path / "set", np.zeros((9, 28)), np.zeros((9, 2)), size=3)
    for path in (tmp_path / "set").glob("*_chunk_00[23].npy"):
        os.utime(path, (1e9, 1e9))
    assert open_any(tmp_path / "set")[0].frame_count == 9


def test_a_last_chunk_with_more_rows_than_a_full_one_is_refused(reference, tmp_path):
    reference.write(tmp_path / "set", np.zeros((24, 28)), np.zeros((24, 2)), size=8, meta=False)
    reference.write(tmp_path / "again", np.ones((10, 28)), np.ones((10, 2)), size=5, meta=False)
    shutil.copytree(tmp_path / "again", tmp_path / "set", dirs_exist_ok=True)
    with pytest.raises(BadDataError, match="chunk_003 is of another run: it has 8 rows, more than the 5 of a full"):
        open_any(tmp_path / "set")


def test_two_files_of_one_chunk_are_refused(reference, tmp_path):
    reference.write(tmp_path / "set", np.zeros((2, 28)), np.zeros((2, 2)))
    shutil.copy(tmp_path / "set/actions_chunk_001.npy", tmp_path / "set/actions_chunk_1.npy")
    with pytest.raises(BadDataError, match=r"actions_chunk_001\.npy and actions_chunk_1\.npy, two files of one chunk"):
        open_any(tmp_path / "set")


# Bad input


@pytest.fixture
def made(reference, tmp_path):
    """Six rows in chunks of three, as the program writes them later; motion k, -k."""
    rows = reference.keys(["w"], ["w"], [], ["a"], ["a"], [])
    mouse = [[k, -k] for k in range(1, 7)]
    reference.write(tmp_path / "set", rows, mouse, size=3, later=True, fps=10.0)
    return tmp_path / "set"


def change(path, function):
    array = np.load(path)
    changed = function(array)
    np.save(path, array if changed is None else changed)


def nan(array):
    array[1, 0] = np.nan


def infinite(array):
    array[1, 1] = np.inf


def two(array):
    array[1, 4] = 2


def repeated(array):
    array[1] = array[0]


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("file", "harm", "kind", "where", "kept"),
    [
        ("frames/chunk_002/000002.png", Path.unlink, "missing_png", "frames/chunk_002/000002.png, row 1", [4, 1]),
        ("frames/chunk_002/000002.png", cut, "cut_png", "frames/chunk_002/000002.png, row 1", [4, 1]),
        ("frames/chunk_001/000001.png", cut, "cut_png", "frames/chunk_001/000001.png, row 0", [5]),
        ("frames/chunk_002/000003.png", Path.unlink, "missing_png", "frames/chunk_002/000003.png, row 2", [5]),
        ("mouse_deltas_chunk_002.npy", nan, "bad_motion", "mouse_deltas_chunk_002.npy, row 1", [4, 1]),
        ("mouse_deltas_chunk_002.npy", infinite, "bad_motion", "mouse_deltas_chunk_002.npy, row 1", [4, 1]),
        ("actions_chunk_002.npy", two, "bad_value", "actions_chunk_002.npy, row 1", [4, 1]),
        ("frame_indices_chunk_002.npy", repeated, "index_not_rising", "frame_indices_chunk_002.npy, row 1", [4, 1]),
    ],
)
def test_a_bad_row_is_left_out_named_and_counted_and_the_segment_ends_before_it(made, file, harm, kind, where, kept):
    path = made / file
    if file.endswith(".png"):
        harm(path)
    else:
        change(path, harm)
    found = open_any(made)
    assert kinds(found) == {kind: (where, 1)}
    assert [s.frames for s in found[0].segments] == kept
    assert {s.end_reason for s in found[0].segments[:-1]} <= {"gap"}
    assert found[0].ledger["frames"].lost == {kind: 1}
    assert found[0].ledger.balances
    if kept == [4, 1] and kind != "index_not_rising":
        wanted = [[2, -2], [3, -3], [4, -4], [5, -5] if kind != "bad_motion" else [0, 0]]
        assert motion(found[0], 0) == wanted, "motion up to the row that is left out is known from that row"
        assert motion(found[0], 1) == [[0, 0]]
        assert found[0].ledger["events"].lost == {"motion_before_first_frame": 2}


@pytest.mark.parametrize("kind", ["actions", "mouse_deltas", "frame_indices"])
def test_arrays_of_unequal_length_lose_the_rows_beyond_the_shortest(made, kind):
    change(made / f"{kind}_chunk_002.npy", lambda array: array[:2])
    found = open_any(made)
    assert kinds(found) == {"unequal_length": (f"{kind}_chunk_002.npy, row 2", 1)}
    assert found[0].frame_count == 5
    assert found[0].ledger["frames"].lost == {"unequal_length": 1}


def test_pictures_of_several_sizes_end_a_segment_and_are_named(made):
    cv2.imwrite(str(made / "frames/chunk_002/000001.png"), np.zeros((4, 4, 3), np.uint8))
    found = open_any(made)
    assert kinds(found) == {"mixed_frame_sizes": ("frames/chunk_002/000001.png, row 3", 2)}
    assert [(s.frames, s.end_reason) for s in found[0].segments] == [(3, "frame_size"), (1, "frame_size"), (2, "end")]
    assert found[0].frame(3).shape == (4, 4, 3)


def test_a_killed_run_leaves_pictures_without_rows(made):
    for path in [*made.glob("*_chunk_002.npy"), *made.glob("*.npy"), made / "meta.json"]:
        if "chunk_001" not in path.name:
            path.unlink(missing_ok=True)
    cut(made / "frames/chunk_002/000003.png")
    found = open_any(made, options=["fps=10"])
    assert kinds(found)["png_without_row"] == ("frames/chunk_002", 3)
    assert found[0].frame_count == 3
    assert found[0].ledger["frames"].lost == {"png_without_row": 3}
    assert found[0].segments[0].end_reason == "unknown"


def test_pictures_beyond_the_rows_of_a_chunk_are_counted(made):
    shutil.copy(made / "frames/chunk_002/000003.png", made / "frames/chunk_002/000004.png")
    found = open_any(made)
    assert kinds(found) == {"png_without_row": ("frames/chunk_002/000004.png", 1)}
    assert found[0].frame_count == 6


def test_a_run_killed_before_its_first_chunk_is_refused(made):
    for path in made.glob("*.npy"):
        path.unlink()
    (made / "meta.json").unlink()
    assert sniff_path(made) == "nitrogen_capture"
    with pytest.raises(BadDataError, match="pictures without any row"):
        open_any(made)


class Bomb:
    def __reduce__(self):
        return (os.mkdir, (str(Bomb.place),))


@pytest.mark.parametrize("kind", ["actions", "mouse_deltas", "frame_indices"])
@pytest.mark.parametrize("how", ["pickle", "objects", "text", "cut", "empty", "huge", "zip"])
def test_an_array_that_is_none_is_left_out_with_its_chunk_and_nothing_is_run(made, tmp_path, kind, how):
    Bomb.place = tmp_path / "ran"
    path = made / f"{kind}_chunk_002.npy"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    elif how == "objects":
        np.save(path, np.array([Bomb()], object), allow_pickle=True)
    elif how == "text":
        path.write_text("no array")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "huge":
        head = {"descr": "<i8", "fortran_order": False, "shape": (1 << 60, 28)}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, head)
    else:
        with path.open("wb") as file:
            np.savez(file, a=np.zeros(3))
    found = open_any(made)
    assert kinds(found) == {"damaged_array": (f"{kind}_chunk_002.npy", 1)}
    assert found[0].frame_count == 3
    assert found[0].ledger["frames"].lost == {"damaged_array": 3}
    assert found[0].segments[-1].end_reason == "unknown"
    assert not Bomb.place.exists()


def test_a_set_of_which_nothing_can_be_read_names_the_file(made):
    for path in made.glob("actions_chunk_*.npy"):
        path.write_text("no array")
    with pytest.raises(BadDataError, match=r"none of its 2 chunks can be read; at actions_chunk_001\.npy"):
        open_any(made)


@pytest.mark.parametrize("key", ["frames_dir", "actions_file"])
@pytest.mark.parametrize("name", ["../other/x", "/etc/passwd", "C:\\x", "..\\..\\x", "frames/../../x", "a\0b", "out"])
def test_a_path_that_leaves_the_folder_is_refused(made, tmp_path, key, name):
    (tmp_path / "other").mkdir()
    (made / "out").symlink_to(tmp_path / "other")
    meta = json.loads((made / "meta.json").read_text())
    meta["chunks"][1][key] = name
    (made / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(BadDataError, match=rf"meta\.json, chunks\[1\]\.{key}: .* leads out of the folder"):
        open_any(made)


def test_a_merged_array_that_leads_out_of_the_folder_is_refused(made):
    for path in made.glob("*_chunk_*.npy"):
        path.unlink()
    meta = json.loads((made / "meta.json").read_text())
    meta["action_file"] = "../actions.npy"
    (made / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(BadDataError, match="leads out of the folder"):
        open_any(made)


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", '{"chunks": [3, {"chunk": "x"}, {"chunk": 1}, {"chunk": 1}, {"chunk": 2}]}']
)
def test_a_meta_json_that_does_not_read_is_worked_around(made, text):
    (made / "meta.json").write_text(text)
    found = open_any(made)
    assert found[0].frame_count == 6
    entries = {"damaged_entry": ("meta.json, chunks[0]", 3), "fps_assumed": ("fps=30", 1)}
    assert kinds(found).items() >= (entries if "chunks" in text else {"damaged_meta": ("meta.json", 1)}).items()


@pytest.mark.parametrize("fps", [0, -1, "30", None, True, float("nan"), 1e-300, 1e-12])
def test_a_rate_that_is_none_is_said_and_the_option_counts(made, fps):
    meta = json.loads((made / "meta.json").read_text())
    (made / "meta.json").write_text(json.dumps({**meta, "fps": fps}))
    found = open_any(made, options=["fps=20"])
    assert found[0].index()["t_ns"].tolist()[:2] == [0, 50_000_000]
    assert kinds(found) == {"fps_assumed": ("fps=20", 1)}


@pytest.mark.parametrize("fps", ["0", "1e-12", "nan", "1e7"])
def test_a_rate_that_is_none_is_refused_as_an_option(made, fps):
    with pytest.raises(BadInputError, match="fps="):
        open_any(made, options=[f"fps={fps}"])


def test_indices_that_span_ages_are_refused(made):
    np.save(made / "frame_indices_chunk_002.npy", np.array([1 << 50, (1 << 50) + 1, (1 << 50) + 2]))
    with pytest.raises(BadDataError, match="frame_indices that span"):
        open_any(made)


@pytest.mark.parametrize("value", [{}, [], {"schema": "rushes/nitrogen_capture/9"}, None])
def test_a_description_that_does_not_read_is_said(hands, tmp_path, value):
    write(hands.Hands([4]), tmp_path / "set")
    path = tmp_path / "set/meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rushes": value}))
    found = open_any(tmp_path / "set")
    assert kinds(found) == {"damaged_description": ("meta.json, rushes", 1)}
    assert found[0].index()["t_ns"].tolist() == [k * hands.STEP for k in range(4)]
    assert motion(found[0])[1] == [4, -3]


@pytest.mark.parametrize(
    ("key", "value"),
    [("late", [[1, 2, 3]]), ("late", [[1]]), ("tick_shift", float("inf")), ("tick_shift", 10**30), ("rows", 10**30)],
)
def test_a_description_with_numbers_that_mean_nothing_is_said(hands, tmp_path, key, value):
    write(hands.Hands([4]), tmp_path / "set")
    path = tmp_path / "set/meta.json"
    meta = json.loads(path.read_text())
    (meta["rushes"] if key == "late" else meta["rushes"]["segments"][0])[key] = value
    path.write_text(json.dumps(meta))
    found = open_any(tmp_path / "set")
    assert kinds(found) == {"damaged_description": ("meta.json, rushes", 1)}
    assert found[0].frame_count == 4


@pytest.mark.parametrize("name", ["../../../evil", "/evil", "..", "a\\b", "a\0b"])
def test_a_session_that_calls_itself_a_path_leaves_no_folder_outside(hands, tmp_path, name):
    write(Sessions([hands.Hands([2]), hands.Hands([2], salt=2)], format="fake"), tmp_path / "sets")
    path = tmp_path / "sets/hands-1/meta.json"
    meta = json.loads(path.read_text())
    meta["rushes"]["session"] = name
    path.write_text(json.dumps(meta))
    (tmp_path / "a/b").mkdir(parents=True)
    convert(tmp_path / "sets", tmp_path / "a/b/out", format="nitrogen_capture")
    assert len(list((tmp_path / "a/b/out").iterdir())) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"sets", "sets.card.json", "sets.card.md", "a"}
    assert {p.name for p in (tmp_path / "a/b").iterdir()} == {"out", "out.card.json", "out.card.md"}


@pytest.mark.parametrize(("chunk", "values", "row"), [(1, [-(1 << 63), 2, 3], 0), (2, [4, 5, 1 << 60], 2)])
def test_an_index_of_no_sense_is_left_out(made, chunk, values, row):
    np.save(made / f"frame_indices_chunk_00{chunk}.npy", np.array(values))
    assert kinds(open_any(made)) == {"index_not_rising": (f"frame_indices_chunk_00{chunk}.npy, row {row}", 1)}


@pytest.mark.parametrize("times", [[0, 1 << 62, (1 << 63) - 1], [(1 << 63) - 3, (1 << 63) - 2, (1 << 63) - 1]])
def test_times_of_no_sense_are_left_out(hands, tmp_path, times):
    write(hands.Hands([3, 2]), tmp_path / "set")
    (tmp_path / "set/meta.json").unlink()
    np.save(tmp_path / "set/t_ns_chunk_001.npy", np.array(times))
    found = open_any(tmp_path / "set")
    assert "time_not_rising" in kinds(found)
    assert found[0].ledger.balances


def test_a_pipe_is_not_waited_for(made):
    for name in ("frames/chunk_001/000002.png", "mouse_deltas_chunk_002.npy"):
        (made / name).unlink()
        os.mkfifo(made / name)
    assert set(kinds(open_any(made))) == {"missing_png", "incomplete_chunk"}


@pytest.mark.parametrize("stored", ["png", "png-indexed"])
def test_a_picture_that_is_damaged_inside_is_not_copied(hands, tmp_path, stored):
    class Damaged(hands.Hands):
        def pictures(self, start, stop):
            for k, picture in enumerate(super().pictures(start, stop), start):
                data = bytearray(picture.data)
                data[len(data) // 2] ^= 0xFF if k == 3 else 0
                yield type(picture)(picture.codec, bytes(data))

    with pytest.raises(BadDataError, match="hands-1, frame 3: a PNG file that is damaged"):
        write(Damaged([5], stored=stored), tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


# What every export keeps to


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files(folder)}


def test_the_bytes_do_not_depend_on_the_executor(hands, tmp_path):
    written = []
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2) as processes:
        for number, executor in enumerate([None, threads, processes]):
            target = tmp_path / str(number) / "set"
            target.parent.mkdir()
            convert(hands.Hands([30], stored="video"), target, format="nitrogen_capture", executor=executor)
            written.append(digests(target.parent))
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_that_breaks_leaves_nothing(hands, tmp_path, error):
    wanted = StorageError if isinstance(error, OSError) else error
    with pytest.raises(wanted):
        write(hands.Hands([9], break_at=7, error=error), tmp_path / "set", "chunk_size=2")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import hands
from rushes.formats.base import convert
class Killed(hands.Hands):
    def _break(self, k):
        if k == 9:
            os.kill(os.getpid(), signal.SIGKILL)
convert(Killed([12]), sys.argv[2], format="nitrogen_capture", options=["chunk_size=4"])
"""


def test_a_killed_write_leaves_nothing_that_looks_whole_and_can_be_done_again(hands, tmp_path):
    target = tmp_path / "set"
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(FOLDER), str(target)],
        env={**os.environ, "PYTHONPATH": str(LIB)},
        capture_output=True,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert all(p.name.startswith(".") and p.name.endswith(".partial") for p in tmp_path.iterdir())
    write(hands.Hands([12]), target)
    assert {p.name for p in tmp_path.iterdir()} == {"set", "set.card.json", "set.card.md"}
    assert open_any(target)[0].frame_count == 12


def test_an_occupied_target_is_left_as_it_is(hands, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/note").write_text("mine")
    with pytest.raises(OccupiedError):
        write(hands.Hands([3]), tmp_path / "set")
    assert digests(tmp_path).keys() == {"set/note"}


@pytest.mark.parametrize("environment", [False, True])
def test_progress_is_told_and_ends_at_the_total(hands, tmp_path, environment):
    calls = []
    play = Sessions([hands.Hands([70, 3], environment=environment), hands.Hands([2], salt=2)], format="fake")
    convert(play, tmp_path / "set", format="nitrogen_capture", progress=lambda *call: calls.append(call))
    assert [call[0] for call in calls] == sorted(call[0] for call in calls)
    assert calls[0][:2] == (64, 75)
    assert calls[-1][:2] == (75, 75)


def test_a_frame_that_went_away_while_the_set_was_open_is_named(made):
    back = open_any(made)[0]
    (made / "frames/chunk_002/000001.png").unlink()
    np.testing.assert_array_equal(back.frame(4).shape, (9, 7, 3))
    with pytest.raises(FileNotFoundError, match=r"chunk_002/000001\.png: the picture went away"):
        back.frame(3)


def test_a_set_becomes_a_session_and_a_set_again(hands, tmp_path):
    play = hands.Hands([9, 4], drops=(2,))
    write(play, tmp_path / "one", "chunk_size=4")
    convert(tmp_path / "one", tmp_path / "sessions", format="session")
    write(tmp_path / "sessions", tmp_path / "two", "chunk_size=4")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_strict_set_that_is_read_and_written_again_does_not_move(hands, tmp_path):
    """Rows that were read stand on the grid exactly; no edge of an interval may carry them into the next row."""
    source = hands.Hands([9, 7])
    for number in range(3):
        convert(source, tmp_path / str(number), format="nitrogen_capture", options=["strict=true"])
        source = open_any(tmp_path / str(number))
    for name in ("actions.npy", "mouse_deltas.npy"):
        first, *others = (np.load(tmp_path / str(number) / name) for number in range(3))
        assert first.any()
        for other in others:
            np.testing.assert_array_equal(other, first)
