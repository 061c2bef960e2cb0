"""A folder of record files: which windows it holds, what stands aside, and that nothing is lost on the way."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.tfrecord.shards import records
from rushes.formats.tfrecord.wire import decode_example
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Sessions
from rushes.model.session import StreamSpec
from rushes.store.facts import add_fact
from rushes.store.images import decode

FOLDER = Path(__file__).parents[1]


def load(name):
    spec = importlib.util.spec_from_file_location(f"tfrecord_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


hands, fake = load("hands"), load("fake")


def write(play, path, *options):
    return convert(Sessions(play, format="x"), path, format="tfrecord", options=list(options))


def windows_of(path, stem="windows"):
    return [decode_example(data) for file in sorted(path.glob(f"{stem}-*")) for data in records(file)]


def test_windows_hold_frames_and_rows_and_cross_no_edge(tmp_path):
    write([hands.Hands([10, 7]), hands.Hands([5], salt=2)], tmp_path / "t", "sequence_length=4")
    found = windows_of(tmp_path / "t")
    assert [(w["session"][0], int(w["segment"][0]), w["frame_index"].tolist()) for w in found] == [
        (b"hands-1", 0, [0, 1, 2, 3]), (b"hands-1", 0, [4, 5, 6, 7]), (b"hands-1", 1, [10, 11, 12, 13]),
        (b"hands-2", 0, [0, 1, 2, 3]),
    ]  # fmt: skip
    aside = [(w["session"][0], w["frame_index"].tolist()) for w in windows_of(tmp_path / "t", "rest")]
    assert aside == [(b"hands-1", [k]) for k in (8, 9, 14, 15, 16)] + [(b"hands-2", [4])]
    first = found[0]
    np.testing.assert_array_equal(decode(first["frames"][2]), hands.picture(1, 2))
    assert first["frames_shape"].tolist() == [4, 12, 16, 3]
    assert first["t_ns"].tolist() == [0, 40_000_000, 80_000_000, 120_000_000]
    names = json.loads((tmp_path / "t" / "features.json").read_text())["inputs"]
    rows = first["inputs"].reshape(4, len(names))
    wanted = {"KeyW": [1, 1, 1, 0], "KeyE": [0, 1, 0, 0], "MouseLeft": [0, 0, 1, 1], "MouseDX": [0, 4, 0, 0]}
    layout = {"KeyW": "w", "KeyE": "e", "MouseLeft": "lmb", "MouseDX": "MouseDX"}
    assert {name: rows[:, names.index(layout[name])].tolist() for name in wanted} == wanted


def test_skipped_frames_lend_their_actions_and_windows_may_overlap(tmp_path):
    options = ("sequence_length=2", "frame_skip=2", "stride=3", "layout=KeyE,MouseDX")
    write([hands.Hands([11])], tmp_path / "t", *options)
    found = windows_of(tmp_path / "t")
    assert [w["frame_index"].tolist() for w in found] == [[0, 2], [3, 5], [6, 8]]
    assert found[0]["inputs"].reshape(2, 2).tolist() == [[1, 4], [0, 0]]
    again = open_any(tmp_path / "t")[0]
    for k in range(11):
        np.testing.assert_array_equal(again.frame(k), hands.picture(1, k))


def test_steps_are_features_and_the_last_observation_stands_aside(tmp_path):
    play = fake.Fake([9, 5])
    write([play], tmp_path / "t", "sequence_length=4")
    found = windows_of(tmp_path / "t")
    assert [w["frame_index"].tolist() for w in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [9, 10, 11, 12]]
    assert [w["action"].tolist() for w in found] == [[play.action(k) for k in w["frame_index"]] for w in found]
    assert found[1]["rewards"].tolist() == [2.0, 2.5, 3.0, 3.5]
    assert [w["terminated"].tolist() for w in found] == [[0] * 4, [0, 0, 0, 1], [0] * 4]
    one_hot = found[0]["inputs"].reshape(4, 18)
    assert one_hot.argmax(1).tolist() == [play.action(k) for k in range(4)]
    assert one_hot.sum() == 4
    assert [w["frame_index"].tolist() for w in windows_of(tmp_path / "t", "rest")] == [[8], [13]]


def test_no_window_spans_what_is_marked_invalid_and_frames_keep_their_number_beside(tmp_path):
    convert(hands.Hands([12, 6]), tmp_path / "s", format="session")
    (session,) = [path for path in (tmp_path / "s").iterdir() if path.is_dir()]
    step = hands.STEP
    add_fact(session, "validity", {"valid": False}, author="me", t_start_ns=5 * step, t_end_ns=7 * step)
    report = convert(session, tmp_path / "t", format="tfrecord", options=["sequence_length=4"])
    assert [w["frame_index"].tolist() for w in windows_of(tmp_path / "t")] == [
        [0, 1, 2, 3], [7, 8, 9, 10], [12, 13, 14, 15],
    ]  # fmt: skip
    assert report.ledger["frames"].lost == {"marked_invalid": 2}
    (found,) = open_any(tmp_path / "t")
    assert [(s.first_frame, s.frames) for s in found.segments] == [(0, 5), (5, 5), (10, 6)]
    np.testing.assert_array_equal(found.frame(5), hands.picture(1, 7))
    events = found.events(2)  # the second segment as it was played
    assert events["kind"].tolist()[:3] == ["press", "press", "release"]


def test_files_are_limited_in_windows_and_in_size_and_listed_in_order(tmp_path):
    write([hands.Hands([40])], tmp_path / "a", "sequence_length=4", "examples_per_file=4")
    listed = json.loads((tmp_path / "a" / "features.json").read_text())["shards"]
    assert [(s["name"], s["records"]) for s in listed] == [
        ("windows-00000.tfrecord", 4), ("windows-00001.tfrecord", 4), ("windows-00002.tfrecord", 2),
    ]  # fmt: skip
    assert [s["bytes"] for s in listed] == [(tmp_path / "a" / s["name"]).stat().st_size for s in listed]
    large = hands.Hands([16])
    write([large], tmp_path / "b", "sequence_length=4", "size=256", "pictures=raw", "shard_mb=2")
    sizes = [path.stat().st_size for path in sorted((tmp_path / "b").glob("windows-*"))]
    assert len(sizes) == 2  # a window is 4 x 256 x 256 x 3 bytes: two of them fit into two million
    assert all(1_500_000 < size < 2_000_000 for size in sizes)


@pytest.mark.parametrize("kind", ["raw", "jpeg"])
def test_other_pictures_are_read_back(tmp_path, kind):
    report = write([hands.Hands([10])], tmp_path / "t", "sequence_length=4", f"pictures={kind}", "size=24x32")
    assert report.kept[0] == "frames (lossy)"
    frame = open_any(tmp_path / "t")[0].frame(9)
    assert frame.shape == (24, 32, 3)
    middles = frame[6::12, 8::16].astype(int)
    assert np.abs(middles - hands.picture(1, 9)[3::6, 4::8]).max() <= (0 if kind == "raw" else 12)


def test_without_the_rest_only_frames_of_windows_are_kept_and_the_account_says_so(tmp_path):
    options = ("sequence_length=2", "frame_skip=2", "rest=false")
    report = write([hands.Hands([11, 3]), hands.Hands([9], salt=2)], tmp_path / "t", *options)
    assert report.written == {"episodes": 2, "frames": 8, "samples": 4}
    assert report.ledger["frames"].lost == {"outside_windows": 15}
    assert report.ledger["episodes"].lost == {"outside_windows": 1}
    found = open_any(tmp_path / "t")
    assert [(r.info.id, [s.frames for s in r.segments]) for r in found] == [("hands-1", [4]), ("hands-2", [4])]
    assert found[0].index()["t_ns"].tolist() == [0, 80_000_000, 160_000_000, 240_000_000]
    assert found[0].segments[0].end_ns == 320_000_000
    np.testing.assert_array_equal(found[0].frame(3), hands.picture(1, 6))


def test_steps_of_skipped_frames_are_summed_where_only_windows_are_kept(tmp_path):
    write([fake.Fake([9])], tmp_path / "t", "sequence_length=2", "frame_skip=2", "rest=false")
    steps = open_any(tmp_path / "t")[0].steps()
    assert steps["frame_index"].tolist() == [0, 1, 2, 3]
    assert steps["reward"].tolist() == [0.5, 2.5, 4.5, 6.5]  # 0.0 + 0.5, 1.0 + 1.5, 2.0 + 2.5, 3.0 + 3.5
    assert steps["terminated"].tolist() == [False, False, False, True]


def test_recordings_of_several_sizes_want_a_size(tmp_path):
    play = [hands.Hands([8]), fake.Fake([8])]
    with pytest.raises(BadInputError, match="size"):
        write([hands.Hands([8]), Small([8], salt=2)], tmp_path / "t")
    assert not (tmp_path / "t").exists()
    with pytest.raises(BadInputError, match="action spaces"):
        write(play, tmp_path / "t", "size=16")


class Small(hands.Hands):
    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        streams = [type(s)(s.name, s.kind, s.codec, width=8, height=6) for s in self.info.streams[:1]]
        self.info = type(self.info)(**{**self.info.__dict__, "streams": (*streams, *self.info.streams[1:])})


@pytest.mark.parametrize(
    "option",
    ["sequence_length=0", "frame_skip=0", "pictures=gif", "quality=0", "audio=loud", "encoding=x", "stride=-1"],
)
def test_an_option_out_of_its_range_is_told_before_anything_is_written(tmp_path, option):
    with pytest.raises(BadInputError, match=option.split("=")[0]):
        write([hands.Hands([8])], tmp_path / "t", option)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_record_is_told_with_its_place(tmp_path):
    write([hands.Hands([10])], tmp_path / "t", "sequence_length=4")
    path = tmp_path / "t" / "windows-00000.tfrecord"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(bytes(data))
    found = open_any(tmp_path / "t")[0]
    with pytest.raises(BadDataError, match=r"windows-00000\.tfrecord.*byte 0"):
        found.frame(0)
    np.testing.assert_array_equal(found.frame(5), hands.picture(1, 5))


def test_features_of_another_version_are_not_taken_for_ours(tmp_path):
    (tmp_path / "features.json").write_text('{"schema": "rushes/tfrecord/9"}')
    with pytest.raises(BadDataError):
        sniff_path(tmp_path)


class Loud(hands.Hands):
    """Every sample of row k is k + 1; half of segment 0 was not recorded."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        spec = StreamSpec("system", "sound", "flac", rate_hz=1000)
        self.info = replace(self.info, streams=(*self.info.streams, spec))
        self.ledger = Ledger({**self.ledger, "system": Account(200, 200)})

    def sound(self, stream):
        for k in range(4, 9):
            yield Sound(k * hands.STEP, np.full((40, 1), k + 1, np.int16), 1000, stream)


def test_sound_is_a_feature_of_each_row_and_is_kept_as_it_was_recorded(tmp_path):
    write([Loud([9])], tmp_path / "t", "sequence_length=3", "audio=waveform")
    found = windows_of(tmp_path / "t")
    assert [w["audio_mask"].tolist() for w in found] == [[0, 0, 0], [0, 1, 1], [1, 1, 1]]
    rows = found[1]["audio"].reshape(3, -1) * 32768
    assert [set(np.round(row[200:400]).tolist()) for row in rows] == [{0.0}, {5.0}, {6.0}]
    (again,) = open_any(tmp_path / "t")
    blocks = [(b.t_ns, b.rate_hz, b.samples[:, 0].tolist()) for b in again.sound("system")]
    assert blocks == [(k * hands.STEP, 1000, [k + 1] * 40) for k in range(4, 9)]
    near = [b.t_ns for b in again.sound_between("system", 6 * hands.STEP, 7 * hands.STEP + 1)]
    assert near == [6 * hands.STEP, 7 * hands.STEP]
    assert again.ledger["system"].kept == 200
    assert not sum(w["audio"].any() for w in windows_of_silent(tmp_path))


def windows_of_silent(path):
    write([hands.Hands([9])], path / "u", "sequence_length=3", "audio=logmel")
    return windows_of(path / "u")


def test_a_control_without_a_column_is_kept_among_the_events_and_the_ledger_remarks_it(tmp_path):
    report = write([hands.Hands([9])], tmp_path / "t", "sequence_length=3", "layout=KeyW,MouseDY")
    assert report.ledger["events"].lost == {}
    assert report.ledger["events"].marked == {"no_column_KeyE": 2, "no_column_MouseLeft": 2}


def test_figures_of_rows_and_pictures_stand_beside(tmp_path):
    write([hands.Hands([8])], tmp_path / "t", "sequence_length=4", "layout=KeyW,KeyE")
    figures = json.loads((tmp_path / "t" / "features.json").read_text())["statistics"]
    assert [(c["name"], c["count"]) for c in figures["columns"]] == [("KeyW", 3), ("KeyE", 1)]
    assert figures["pictures"]["count"] == 2
