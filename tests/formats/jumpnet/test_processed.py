"""Labelled rows of JumpNet's scripts, and our typed twin of them: read, written, and told."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.card import card_paths
from rushes.model.actions import ActionSpace
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.prepare.press_release import press_release
from rushes.prepare.reading import load_pictures
from rushes.store.samples import write_samples
from rushes.store.video import write_video

LIB = Path(__file__).parents[3] / "lib"


def jumps(saved):
    """Two jumps of 0.294 and 0.1 s, a jump left open, and two rows without one."""
    return [
        saved.row(1, 1.0, [1], [0.294], 60),
        saved.row(2, 0.0, [0], [0], 75),
        saved.row(3, 1.0, [1], [0.1], 90),
        saved.row(4, 1.0, [1], [np.nan], 120),
        saved.row(5, 0.0, [0], [0], 121),
    ]


def problems(found):
    return {problem.kind: problem.count for problem in found.problems}


def test_rows_become_samples_over_one_recording_of_their_pictures(saved, tmp_path):
    path = saved.save(tmp_path / "jumps.npz", jumps(saved))
    assert sniff_path(path) == "jumpnet"
    found = open_any(path)
    rows = found.samples.rows
    found.samples.validate()
    assert len(found) == 1
    assert found[0].info.id == "jumps"
    assert rows["label"].tolist() == [1, 0, 1, 1, 0]
    assert rows["kind"].tolist() == ["positive", "uniform", "positive", "positive", "uniform"]
    assert rows["phase"].tolist() == ["press", "up", "press", "open", "up"]
    np.testing.assert_allclose(rows["hold_s"], [0.294, np.nan, 0.1, np.nan, np.nan], atol=1e-7)
    assert rows["t_ns"].tolist() == [2_000_000_000, 2_500_000_000, 3_000_000_000, 4_000_000_000, 4_033_333_333]
    assert set(rows["control"]) == {"KeyW"}
    assert set(rows["group"]) == {"jumps"}
    assert all("does not say" in reason for reason in rows["reason"][rows["label"] == 0])
    assert found[0].index()["tick"].tolist() == [60, 75, 90, 120, 121]
    assert problems(found) == {"hold_open": 1}
    pictures = load_pictures(found.samples, found, size=saved.SIDE)
    for k in range(5):
        np.testing.assert_array_equal(pictures[k, 0], saved.pixels(k + 1))


def test_the_final_file_is_read_shuffled_without_keys_and_with_two_sizes(saved, tmp_path):
    """Data_merge_final: no keys, positives of one size and negatives of twice that, one 0 for all keys."""
    rows = [
        saved.row(1, 0.0, [0], [0], 500, side=48),
        saved.row(2, 1.0, [0, 1], [0, 0.2], 60),
        saved.row(3, 1.0, [0, 1], [0, np.nan], 7),
        saved.row(4, 1.0, [0, 1], [0, 0.2], 60),
        saved.row(5, 0.0, [0], [0], 20, side=48),
        saved.row(6, 1.0, [0, 1], [0, 0.3], 70),
    ]
    path = saved.save(tmp_path / "final.npz", rows, None, compressed=True)
    found = open_any(path, options=["keys=a,w"])
    assert problems(found) == {"mixed_sizes": 2, "hold_open": 1, "one_zero_for_all_keys": 2}
    assert found.samples.space.names == ("KeyA", "KeyW")
    assert set(found.samples.rows["control"]) == {"KeyW"}
    assert found.samples.keys.tolist() == [[0, 0], [0, 1], [0, 1], [0, 1], [0, 0], [0, 1]]
    assert (np.diff(found[0].index()["t_ns"]) > 0).all()
    assert found.samples.rows["t_ns"].tolist()[:3] == [16_666_666_667, 2_000_000_000, 233_333_333]
    assert found[0].frame(0).shape == (24, 24, 3)


def test_rows_that_say_nothing_sensible_are_left_out_under_their_reason(saved, tmp_path):
    rows = [
        *jumps(saved),
        saved.row(6, np.nan, [1], [0.1], 130),
        saved.row(7, 3.0, [1], [0.1], 131),
        saved.row(8, 1.0, [np.nan], [0.1], 132),
        saved.row(9, 1.0, [1, 0, 0], [0.1, 0, 0], 133),
        saved.row(10, 0.75, [1], [-0.1], 134),
        saved.row(11, 1.0, [1], [0.1], 135)[:4],
    ]
    np.savez(tmp_path / "a.npz", data=saved.ragged(rows), keys=np.array([["w"]], dtype=object))
    found = open_any(tmp_path / "a.npz")
    lost = {
        "wrong_length": 1, "label_not_a_number": 1, "label_out_of_range": 1, "keys_not_numbers": 1, "wrong_width": 1,
    }  # fmt: skip
    marked = {"hold_open": 1, "hold_negative": 1, "label_rounded": 1}
    assert problems(found) == lost | marked
    account = found.ledger["samples"]
    assert (account.offered, account.kept) == (11, 6)
    assert account.lost == lost
    assert account.marked == marked
    last = found.samples.rows.iloc[-1]
    assert (last["label"], last["phase"], np.isnan(last["hold_s"])) == (1.0, "open", True)


@pytest.mark.parametrize("form", ["table", "ragged", "one", "no dimensions", "wrapped", "rows of objects", "lists"])
def test_rows_are_found_however_numpy_put_them(saved, tmp_path, form):
    rows = jumps(saved)[: 1 if form == "one" else 3]
    data = saved.ragged(rows)
    if form == "table":
        data = np.array(rows, dtype=object)
    if form == "no dimensions":
        data = np.empty((), object)
        data[()] = rows
    if form == "wrapped":
        data = np.empty(1, object)
        data[0] = np.array(rows, dtype=object)
    if form == "rows of objects":
        data[:] = [np.array(row, dtype=object) for row in rows]
    if form == "lists":
        data[:] = [[*row[:1], [row[1]], row[2].tolist(), row[3].tolist(), b"Press ", np.int64(row[5])] for row in rows]
    np.savez(tmp_path / "a.npz", data=data, keys=np.array("w"))
    found = open_any(tmp_path / "a.npz")
    assert found.samples.rows["label"].tolist() == [1, 0, 1][: len(rows)]
    assert found[0].index()["tick"].tolist() == [60, 75, 90][: len(rows)]
    assert found.problems == ()


def test_negatives_alone_are_told_from_the_recorders_rows_and_can_be_named_where_they_cannot(saved, tmp_path):
    """In the middle of a hold a key is down under the label 0, as in a log that has no release."""
    rows = [saved.row(k, 0.0, [k != 2], [0], 60 + k) for k in range(4)]
    assert sniff_path(saved.save(tmp_path / "mixed.npz", rows)) == "jumpnet"
    held = saved.save(tmp_path / "held.npz", rows[:2])
    assert sniff_path(held) == "jumpnet_raw"
    assert open_any(held, format="jumpnet").samples.rows["label"].tolist() == [0, 0]
    log = saved.save(tmp_path / "log.npz", [saved.raw(1, 0.0, [1], [0], "press", 3),
                                            saved.raw(2, 0.0, [0], [0.1], "release", 6)])  # fmt: skip
    with pytest.raises(BadDataError, match="which is not jumpnet"):
        open_any(log, format="jumpnet")


def test_rows_without_any_label_are_refused(saved, tmp_path):
    path = saved.save(tmp_path / "a.npz", [saved.row(1, np.nan, [1], [0.1], 130)])
    with pytest.raises(BadDataError, match=r"a\.npz.*none of which can be used \(label_not_a_number\)"):
        open_any(path)


def test_the_key_of_a_jump_is_the_one_that_is_down_and_held(saved, tmp_path):
    rows = [
        saved.row(1, 1.0, [1, 1, 0], [0, 0.3, 0], 60),
        saved.row(2, 1.0, [0, 0, 1], [0, 0, 0.1], 70),
        saved.row(3, 1.0, [0, 1, 0], [0, 0.4, 0], 80),
        saved.row(4, 0.0, [0, 0, 0], [0, 0, 0], 90),
    ]
    found = open_any(saved.save(tmp_path / "a.npz", rows, ["a", "s", "d"]))
    assert found.samples.rows["control"].tolist() == ["KeyS", "KeyD", "KeyS", "KeyS"]
    np.testing.assert_allclose(found.samples.rows["hold_s"][:3], [0.3, 0.1, 0.4], atol=1e-7)


@pytest.mark.parametrize(
    ("hold", "seconds", "why"),
    [(1e300, None, "hold_too_long"), (1e6, None, "hold_too_long"), (np.inf, None, "hold_open"), (999.5, 999.5, "")],
)
def test_a_length_that_no_hold_has_is_not_known_and_what_is_written_reads_back(saved, tmp_path, hold, seconds, why):
    """1e300 s is no float32: the file would hold infinity."""
    row = saved.raw(1, 1.0, [1], [0], "press", 60)
    found = open_any(saved.save(tmp_path / "a.npz", [(*row[:3], np.array([hold]), *row[4:])]))
    convert(found, tmp_path / "b.npz", format="jumpnet", options=["size=8"])
    for sessions in (found, open_any(tmp_path / "b.npz")):
        told = sessions.samples.rows["hold_s"].tolist()
        assert [None if np.isnan(one) else one for one in told] == [seconds]
    assert [p.kind for p in found.problems] == [why] * bool(why)


def test_names_that_no_control_has_are_each_one_control(saved, tmp_path):
    """Nothing in them is taken for a set of keys or a threshold, and none falls together with another."""
    names = ["xx_2", "xx", "xx", "a|b", "a>0.5"]
    found = open_any(saved.save(tmp_path / "a.npz", [saved.row(1, 1.0, [0, 0, 0, 1, 0], [0, 0, 0, 0.5, 0], 60)], names))
    assert found.samples.space.names == ("Key/xx_2", "Key/xx", "Key/xx_2_", "Key/a_b", "Key/a_0.5")
    convert(found, tmp_path / "b.npz", format="jumpnet", options=["strict=true", "size=8"])
    assert np.load(tmp_path / "b.npz", allow_pickle=True)["data"][0][3].tolist() == [0, 0, 0, 0.5, 0]


def test_pictures_of_bytes_are_read_like_those_of_fractions(saved, tmp_path):
    rows = [(saved.pixels(k), 1.0, np.ones(1), np.array([0.1]), "press", k) for k in range(3)]
    found = open_any(saved.save(tmp_path / "a.npz", rows))
    np.testing.assert_array_equal(found[0].frame(2), saved.pixels(2))


@pytest.fixture
def film(tmp_path):
    frames = (np.full((48, 48, 3), 2 * k, np.uint8) for k in range(100))
    return write_video(tmp_path / "rec.mp4", frames, rate_hz=30).path


def test_the_video_of_a_file_gives_the_frames_and_its_jumps_the_events(saved, tmp_path, film):
    rows = [*jumps(saved), saved.row(6, 1.0, [1], [0.294], 60)]
    found = open_any(saved.save(tmp_path / "jumps.npz", rows), options=[f"video={film}"])
    assert found[0].frame_count == 100
    assert found.samples.rows["frame_index"].tolist() == [60, 75, 90]
    assert problems(found) == {"behind_video": 2, "same_frame": 1, "hold_open": 1}
    samples, counts = press_release(found, "w")
    assert samples.rows["frame_index"].tolist() == [60, 90]
    np.testing.assert_allclose(samples.rows["hold_s"], [0.294, 0.1], atol=1e-6)
    assert counts.paired == 2
    found.samples.validate()


def test_a_file_without_data_an_empty_one_and_a_missing_video_have_their_own_errors(saved, tmp_path):
    np.savez(tmp_path / "a.npz", keys=np.array(["w"]))
    with pytest.raises(BadDataError, match=r"a\.npz: an NPZ file without the key 'data' \(KeyError: 'data'\)"):
        open_any(tmp_path / "a.npz")
    with pytest.raises(MissingError, match="video=none"):
        open_any(saved.save(tmp_path / "b.npz", jumps(saved)), options=["video=none.mp4"])


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def session(hand_play, tmp_path):
    press, release = hand_play.press, hand_play.release
    done = [press(2.5, "KeyW"), release(5, "KeyW"), press(7.5, "KeyW"), release(8, "KeyW"), press(12.25, "KeyW")]
    return hand_play.play(tmp_path / "s", [15], done)


@pytest.fixture
def table(session):
    samples, _ = press_release(session, "w")
    first = samples.rows.iloc[0].to_dict()
    negative = first | {
        "sample_id": "n", "frame_index": 10, "t_ns": 400_000_000, "label": 0.0, "hold_s": np.nan, "phase": "up",
        "kind": "near_miss", "reason": "2 frames behind a press", "keys": np.zeros(28, np.float32), "split": "train",
    }  # fmt: skip
    child = first | {"sample_id": "c", "parent": first["sample_id"], "transform": '[["flip",{}]]', "split": "train"}
    rows = [*(r | {"split": "train"} for r in samples.rows.to_dict("records")), negative, child]
    rows[0]["weight"] = 0.5
    return Samples(samples_frame(rows[::-1]), samples.space, samples.steps, samples.sources)


def flip_text():
    from rushes.prepare.augment.base import Drawn, written

    return written([Drawn("flip", {})])


def write(samples, recordings, path, *options):
    rows = samples.rows.assign(transform=[flip_text() if t else "" for t in samples.rows["transform"]])
    source = Sessions(recordings, format="samples", samples=Samples(rows.astype({"transform": "str"}), samples.space,
                                                                    samples.steps, samples.sources))  # fmt: skip
    return convert(source, path, format="jumpnet", options=["size=30", *options])


def test_strict_is_the_scripts_file(table, session, tmp_path):
    report = write(table, [session], tmp_path / "final.npz", "strict=true")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = np.load(tmp_path / "final.npz", allow_pickle=True)
        data, keys = file["data"], file["keys"]
    assert sorted(file.files) == ["data", "keys"]
    w = keys.tolist().index("w")
    assert (data.shape, data.dtype, keys.dtype) == ((4, 6), object, object)
    for row in data:
        assert (row[0].shape, row[0].dtype) == ((30, 30, 3), np.float32)
        assert [type(v) for v in row[[1, 4, 5]]] == [float, str, int]
        assert [(v.shape, v.dtype) for v in row[[2, 3]]] == [((28,), np.float32)] * 2
    assert data[:, 1].tolist() == [1.0, 0.0, 1.0, 1.0]
    assert [round(float(hold[w]), 6) for hold in data[:, 3]] == [0.1, 0, 0.02, 0.1]
    assert not np.isnan(np.stack(data[:, 3])).any()
    assert data[:, 4].tolist() == ["press"] * 4
    assert data[:, 5].tolist() == [2, 10, 7, 2]
    np.testing.assert_array_equal(data[0, 0], data[3, 0][:, ::-1])
    assert report.ledger.to_json()["samples"] == {"offered": 5, "kept": 4, "lost": {"open_hold": 1}, "marked": {}}
    assert report.written == {"episodes": 0, "frames": 0, "samples": 4}


def test_strict_keeps_open_holds_as_0_where_that_is_asked_for(table, session, tmp_path):
    report = write(table, [session], tmp_path / "a.npz", "strict=true", "open_holds=keep")
    data = np.load(tmp_path / "a.npz", allow_pickle=True)["data"]
    assert data[:, 1].tolist() == [1.0, 0.0, 1.0, 1.0, 1.0]
    assert np.stack(data[:, 3])[2].max() == 0
    assert report.ledger["samples"].marked == {"open_hold_as_0": 1}
    with pytest.raises(BadInputError, match="leave_out or keep"):
        write(table, [session], tmp_path / "b.npz", "open_holds=maybe")


def test_the_typed_twin_loads_without_pickle_and_reads_back_as_it_was(table, session, tmp_path):
    write(table, [session], tmp_path / "a.npz")
    file = np.load(tmp_path / "a.npz", allow_pickle=False)
    assert {name: file[name].dtype.kind for name in file.files if name not in {"schema", "about", "keys"}} == {
        "image": "u", "label": "f", "keys_raw": "f", "hold_duration": "f", "hold_known": "b", "phase": "U",
        "frame_index": "i", "sample_id": "U", "session": "U", "control": "U", "kind": "U", "reason": "U", "parent": "U",
        "transform": "U", "group": "U", "split": "U", "weight": "f", "t_ns": "i", "action_session": "U",
        "action_t_ns": "i",
    }  # fmt: skip
    assert file["image"].shape == (5, 30, 30, 3)
    assert file["keys"].tolist() == list(table.space.names)
    assert file["hold_known"].tolist() == [True, False, False, True, True]
    found = open_any(tmp_path / "a.npz")
    assert found.format == "jumpnet"
    rows, wanted = found.samples.rows, table.rows
    same = ["sample_id", "session", "action_session", "action_t_ns", "t_ns", "control", "label", "phase", "kind",
            "reason", "parent", "group", "split", "weight"]  # fmt: skip
    assert rows[same].values.tolist() == wanted[same].values.tolist()
    np.testing.assert_allclose(rows["hold_s"], wanted["hold_s"], atol=1e-7)
    np.testing.assert_array_equal(found.samples.keys, table.keys)
    assert [step.to_json() for step in found.samples.steps] == [step.to_json() for step in table.steps]
    assert found.samples.space == table.space
    pictures = load_pictures(found.samples, found, size=30)[:, 0]
    np.testing.assert_array_equal(pictures, file["image"])
    np.testing.assert_array_equal(pictures[0], pictures[4][:, ::-1])


def test_a_round_trip_of_the_twin_gives_the_same_bytes(table, session, tmp_path):
    write(table, [session], tmp_path / "a.npz")
    convert(tmp_path / "a.npz", tmp_path / "b.npz", format="jumpnet", options=["size=30"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_scripts_file_comes_back_row_for_row(saved, tmp_path):
    path = saved.save(tmp_path / "jumps.npz", jumps(saved))
    convert(path, tmp_path / "again.npz", format="jumpnet", options=["strict=true", f"size={saved.SIDE}"])
    found = np.load(tmp_path / "again.npz", allow_pickle=True)
    wanted = [row for row in jumps(saved) if not np.isnan(row[3]).any()]
    assert found["keys"].tolist() == ["w"]
    for row, other in zip(found["data"], wanted, strict=True):
        np.testing.assert_array_equal(row[0], other[0])
        assert (row[1], row[4], row[5]) == (other[1], other[4], other[5])
        np.testing.assert_array_equal(row[2], other[2])
        np.testing.assert_array_equal(row[3], other[3])


def test_a_table_in_parquet_goes_to_npz_and_back(table, session, tmp_path):
    rows = table.rows[table.rows["transform"] == ""].reset_index(drop=True)
    write_samples(Samples(rows, table.space, table.steps, table.sources), tmp_path / "table.parquet")
    convert(tmp_path / "table.parquet", tmp_path / "a.npz", format="jumpnet", options=["size=30"])
    convert(tmp_path / "a.npz", tmp_path / "again.parquet", format="samples")
    found = open_any(tmp_path / "again.parquet")
    assert found.problems == ()
    assert found.samples.rows["sample_id"].tolist() == rows["sample_id"].tolist()
    assert load_pictures(found.samples, found, size=30).shape == (4, 1, 30, 30, 3)
    card = json.loads(card_paths(tmp_path / "a.npz")[0].read_text())
    assert card["ledger"] == {"samples": {"offered": 4, "kept": 4, "lost": {}, "marked": {}}}
    assert "4 samples of Game" in card_paths(tmp_path / "a.npz")[1].read_text()


def test_a_window_is_shown_by_its_last_frame(session, tmp_path):
    samples, _ = press_release(session, "w", length=3)
    report = convert(Sessions([session], format="x", samples=samples), tmp_path / "a.npz", format="jumpnet",
                     options=["size=30"])  # fmt: skip
    file = np.load(tmp_path / "a.npz")
    assert file["frame_index"].tolist() == [2, 7, 12]
    assert file["t_ns"].tolist() == [80_000_000, 280_000_000, 480_000_000]
    single, _ = press_release(session, "w")
    np.testing.assert_array_equal(file["image"], load_pictures(single, [session], size=30)[:, 0])
    assert report.ledger["samples"].marked == {"shown_by_its_last_frame": 3}


def test_a_damaged_twin_is_told(table, session, tmp_path):
    write(table, [session], tmp_path / "a.npz")
    whole = dict(np.load(tmp_path / "a.npz"))
    broken = {
        "without session": {"session": None},
        "several lengths": {"phase": np.array(["press"])},
        "of objects": {"phase": np.array(["press"] * 5, dtype=object)},
        "pictures of float32": {"image": whole["image"].astype(np.float32)},
        "keys_raw": {"keys_raw": np.zeros((5, 3), np.float32)},
        "account": {"about": np.array("{")},
        "transform": {"transform": np.array(["3"] * 5)},
        "Expecting": {"transform": np.array(["["] * 5)},
        "label": {"label": np.full(5, 7, np.float32)},
        "schema 'rushes/jumpnet/9'": {"schema": np.array("rushes/jumpnet/9")},
    }
    for said, change in broken.items():
        members = {name: value for name, value in (whole | change).items() if value is not None}
        np.savez(tmp_path / "b.npz", **members)
        with pytest.raises(BadDataError, match=f"b\\.npz.*{said}"):
            open_any(tmp_path / "b.npz")


GROW = """
import resource, sys
import numpy as np
from rushes.formats.base import convert, open_any
from rushes.prepare.reading import read_pictures
import cv2
path, out, strict = sys.argv[1:]
found = open_any(path)
list(read_pictures(found.samples, found, size=8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(open_any(path), out, format="jumpnet", options=["size=120", f"strict={strict}"])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("strict", ["true", "false"])
def test_memory_stays_small_whatever_the_number_of_rows(saved, tmp_path, strict):
    """1,500 rows of 120 x 120: 65 MB of bytes, 260 MB of float32."""
    space = ActionSpace.from_names(["KeyW"])
    path = saved.save(tmp_path / "few.npz", [saved.row(k, 1.0, [1], [0.1], k, side=120) for k in range(60)])
    few = open_any(path)
    rows = few.samples.rows.to_dict("records")
    many = [row | {"sample_id": f"{row['sample_id']}-{n}"} for n in range(25) for row in rows]
    write_samples(Samples(samples_frame(many), space, (), few.samples.sources), tmp_path / "many.parquet")
    run = subprocess.run(
        [sys.executable, "-c", GROW, str(tmp_path / "many.parquet"), str(tmp_path / "out.npz"), strict],
        env={"PYTHONPATH": str(LIB)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 60
    assert (tmp_path / "out.npz").stat().st_size > 60_000_000
