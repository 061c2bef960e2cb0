"""What the portable files share: every array read by the container's own library, against what was written by hand."""

import importlib.util
import json
import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

from rushes.errors import BadDataError, BadInputError
from rushes.formats import tensor_writer
from rushes.formats.base import convert, open_any
from rushes.formats.card import card_paths
from rushes.formats.training import pictures
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Account
from rushes.model.readings import Frame, Gap, Sound, Start
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

HERE = Path(__file__).parent
FILES = [("hdf5", "a.h5"), ("npz", "a.npz"), ("torch", "a.pt"), ("torch", "a.safetensors")]


def _load(name):
    spec = importlib.util.spec_from_file_location(f"training_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hands = _load("hands")


def read(path):
    """Read a file as somebody without this program does: name -> array, and what it says of itself."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            held = {name: file[name][()] for name in file if isinstance(file[name], h5py.Dataset)}
            held |= {f"statistics_{name}": values[()] for name, values in file["statistics"].items()}
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file}
    elif path.suffix == ".pt":
        held = torch.load(path, weights_only=True)
        held = {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in held.items()}
    else:
        held = load_file(path)
        with safe_open(path, framework="numpy") as file:
            held |= file.metadata()
    about = held["about"]
    about = json.loads(about if isinstance(about, str | bytes) else about.item())
    for name, fields in about.get("tables", {}).items():
        dtype = np.dtype([tuple(field) for field in fields])
        held[name] = held[name].reshape(-1).view(dtype)
    return held, about


@pytest.fixture(params=FILES, ids=lambda one: Path(one[1]).suffix)
def written(request, tmp_path):
    name, file = request.param

    def write(source, *options):
        source = source if isinstance(source, Sessions) else Sessions([source], format="x")
        report = convert(source, tmp_path / file, format=name, options=list(options))
        return *read(tmp_path / file), report

    return write


class Loud(hands.Hands):
    """With a tone in row 2 of its first segment and silence before; behind row 4 nothing was recorded."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        heard = StreamSpec("system", "sound", "flac", rate_hz=16_000)
        self.info = replace(self.info, streams=(*self.info.streams, heard))

    def sound(self, stream):
        tone = (9000 * np.sin(np.arange(640) * 2 * np.pi * 1000 / 16_000)).astype(np.int16)
        for k in range(5):
            yield Sound(k * hands.STEP, np.stack([tone * (k == 2)] * 2, 1), 16_000, "system")


def test_rows_hold_what_was_done_on_each_picture(written):
    held, about, _ = written(Sessions([hands.Hands([6, 4]), hands.Hands([5], salt=2)], format="x"))
    columns = [about["columns"].index(name) for name in ("w", "e", "lmb", "MouseDX", "MouseDY")]
    some = [[1, 0, 0, 0, 0], [1, 1, 0, 4, -3], [1, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
    for start in (0, 6, 10):
        assert held["inputs"][start : start + 4, columns].tolist() == some
    assert not held["inputs"][4:6].any()
    shown = [(1, k) for k in range(10)] + [(2, k) for k in range(5)]
    assert all((held["video"][row] == hands.picture(*where)).all() for row, where in enumerate(shown))
    assert held["segment"].tolist() == [0] * 6 + [1] * 4 + [0] * 5
    assert held["session"].tolist() == [0] * 10 + [1] * 5
    assert held["frame_index"].tolist() == [*range(10), *range(5)]
    step = hands.STEP
    second = 6 * step + hands.PAUSE
    assert held["t_ns"].tolist() == [*(k * step for k in range(6)), *(second + k * step for k in range(4)),
                                     *(k * step for k in range(5))]  # fmt: skip
    assert (held["ends_ns"] - held["t_ns"] == step).all()
    metadata = held["metadata"]
    assert [(m["id"], m["game"], m["start"], m["stop"]) for m in metadata] == [
        (b"hands-1", b"Doom", 0, 10), (b"hands-2", b"Doom", 10, 15)
    ]  # fmt: skip
    assert metadata["rate_hz"].tolist() == pytest.approx([25, 25])
    assert metadata["started_ns"][0] == 10**18


def test_the_last_observation_of_an_episode_is_no_row_and_is_not_lost(written, fake):
    play = fake.Fake([4, 3])
    held, _, _ = written(play)
    assert len(held["video"]) == len(held["inputs"]) == 3 + 2
    assert len(held["last_video"]) == 2
    assert [(held["last_video"][k] == fake.picture(1, frame)).all() for k, frame in enumerate((3, 6))] == [True, True]
    assert held["action"].tolist() == [play.action(k) for k in (0, 1, 2, 4, 5)]
    assert (held["inputs"].argmax(1) == held["action"]).all()
    assert held["inputs"].sum() == 5
    assert held["rewards"].tolist() == [0, 0.5, 1, 2, 2.5]
    assert held["terminated"].tolist() == [False, False, True, False, False]
    assert held["is_human"].tolist() == [False] * 5


def test_figures_go_with_the_file_and_stand_in_the_card(written):
    held, about, report = written(hands.Hands([6, 4]))
    w = about["columns"].index("w")
    assert held["statistics_inputs_count"][w] == 6
    assert held["statistics_class_weights"][w].tolist() == pytest.approx([10 / 12, 10 / 8])
    pictures = np.stack([hands.picture(1, k) for k in range(10)]) / 255
    np.testing.assert_allclose(held["statistics_pixel_mean"], pictures.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(held["statistics_pixel_std"], pictures.std((0, 1, 2)), rtol=1e-6)
    data, text = card_paths(report.target)
    said = json.loads(data.read_text())["statistics"]
    assert (said["rows"], said["columns"][w]["count"], said["pictures"]["count"]) == (10, 6, 10)
    assert "| w | button | 6 | 60.0 % |" in text.read_text()


def test_sound_goes_to_its_row_and_comes_back_as_it_was(written, tmp_path):
    held, _, report = written(Sessions([Loud([6, 4]), hands.Hands([3], salt=2)], format="x"))
    assert held["audio"].shape == (13, 128)
    assert held["audio"].dtype == np.float32
    assert np.flatnonzero(held["audio"].any(1)).tolist() == [2]
    assert held["audio_mask"].tolist() == [True] * 5 + [False] * 8
    assert "audio" in report.kept
    loud, silent = open_any(report.target)
    assert loud.ledger["system"] == Account(5 * 640, 5 * 640), "a further export accounts for it"
    blocks = list(zip(loud.sound("system"), Loud([6]).sound("system"), strict=True))
    assert all((a.samples == b.samples).all() and a._replace(samples=0) == b._replace(samples=0) for a, b in blocks)
    assert silent.sound_streams == ()


@pytest.mark.parametrize("audio", ["none", "waveform"])
def test_sound_is_given_as_asked(tmp_path, audio):
    convert(Loud([6]), tmp_path / "a.npz", format="npz", options=[f"audio={audio}"])
    held, _ = read(tmp_path / "a.npz")
    if audio == "none":
        assert "audio" not in held
    else:
        assert held["audio"].shape == (6, 640)
        assert held["audio"][2].max() == pytest.approx(9000 / 32768, rel=0.01)


def test_pictures_are_squashed_when_asked_and_the_report_says_so(written):
    held, _, report = written(hands.Hands([3]), "size=6x8")
    assert held["video"].shape == (3, 6, 8, 3)
    middle = hands.picture(1, 2)[[2, 2, 9, 9], [3, 12, 3, 12]]  # one of each quarter
    assert (held["video"][2][[1, 1, 4, 4], [1, 6, 1, 6]] == middle).all()
    assert report.kept[0] == "frames (lossy)"


def test_recordings_of_several_sizes_need_one_and_all_are_named(tmp_path, fake):
    both = Sessions([hands.Hands([3]), fake.Fake([3])], format="x")
    with pytest.raises(BadInputError, match=r"12x16 \(hands-1\), 20x16 \(session-1\).*size=224"):
        convert(both, tmp_path / "a.h5", format="hdf5", options=["layout=w"])
    assert list(tmp_path.iterdir()) == []
    convert(both, tmp_path / "a.h5", format="hdf5", options=["layout=w", "size=8"])
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["video"].shape == (5, 8, 8, 3)
        assert file["last_video"].shape == (1, 8, 8, 3)
        assert file["action"][:3].tolist() == [-1, -1, -1]
        assert np.isnan(file["rewards"][:3]).all()


def test_a_session_without_frames_is_named_and_has_no_rows(written):
    held, _, report = written(Sessions([hands.Hands([]), hands.Hands([3], salt=2)], format="x"))
    assert held["metadata"]["rows"].tolist() == [0, 3]
    assert held["session"].tolist() == [1, 1, 1]
    assert [one.frame_count for one in open_any(report.target)] == [0, 3]


@pytest.mark.parametrize(
    ("options", "shape"), [(["downsample_factor=2"], (6, 8)), (["downsample_factor=3"], (4, 5)), (["size=4"], (4, 4))]
)
def test_the_size_follows_from_the_options(tmp_path, options, shape):
    convert(hands.Hands([2]), tmp_path / "a.npz", format="npz", options=options)
    assert read(tmp_path / "a.npz")[0]["video"].shape == (2, *shape, 3)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("size=0", "pixels a side"),
        ("size=4x", "HEIGHTxWIDTH"),
        ("size=99999", "up to 16384"),
        ("downsample_factor=0", "from 1 on"),
        ("encoding=held", "multi_hot, pressed"),
        ("audio=mel", "logmel"),
        ("action_delay_ms=soon", "milliseconds"),
        ("layout=nothing", "did you mean"),
    ],
)
@pytest.mark.parametrize("name", ["hdf5", "npz", "torch"])
def test_an_option_that_makes_no_sense_is_told_before_anything_is_written(tmp_path, name, option, says):
    with pytest.raises((BadInputError, LookupError), match=says):
        convert(hands.Hands([3]), tmp_path / "a", format=name, options=[option])
    assert list(tmp_path.iterdir()) == []


def test_columns_encoding_and_delay_are_as_asked_and_the_inputs_themselves_stay(tmp_path):
    options = ["layout=lmb,w,dx", "encoding=pressed", "action_delay_ms=40"]
    convert(hands.Hands([5]), tmp_path / "a.npz", format="npz", options=options)
    held, about = read(tmp_path / "a.npz")
    assert about["columns"] == ["lmb", "w", "dx"]
    assert held["inputs"].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 4], [1, 0, 0], [0, 0, 0]]
    assert held["metadata"]["action_delay_ms"].tolist() == [40]
    assert json.loads(card_paths(tmp_path / "a.npz")[0].read_text())["action_delay_ms"] == 40
    again = open_any(tmp_path / "a.npz")[0]
    presses = again.events().query("kind == 'press'")
    assert list(zip(presses["control"], presses["t_ns"], strict=True)) == [
        ("KeyW", 20_000_000), ("KeyE", 40_000_010), ("MouseLeft", 80_000_010)
    ]  # fmt: skip


def test_an_input_without_a_column_is_kept_and_told(tmp_path):
    report = convert(hands.Hands([5]), tmp_path / "a.npz", format="npz", options=["layout=w,dx"])
    account = report.ledger["events"]
    assert (account.offered, account.kept) == (8, 8)
    assert account.marked == {"no_column_KeyE": 2, "no_column_MouseLeft": 2}


def test_no_row_is_of_a_stretch_marked_invalid(tmp_path, hand_play):
    path = tmp_path / "take"
    hand_play.play(path, [8], [hand_play.press(1.5, "KeyW"), hand_play.release(6.5, "KeyW")])
    step = hand_play.STEP
    add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=3 * step, t_end_ns=5 * step)
    report = convert(open_session(path), tmp_path / "a.h5", format="hdf5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["t_ns"][:].tolist() == [k * step for k in (0, 1, 2, 5, 6, 7)]
        assert file["segment"][:].tolist() == [0, 0, 0, 1, 1, 1]
        w = list(file.attrs["columns"]).index("w")
        assert file["inputs"][:, w].tolist() == [0, 1, 1, 1, 1, 0]
    assert report.ledger["frames"].lost == {"marked_invalid": 2}
    again = open_any(tmp_path / "a.h5")[0]
    assert [segment.frames for segment in again.segments] == [3, 3]
    assert (again.frame(3) == hand_play.SCENERY.picture(5)).all()


def test_sound_of_a_marked_stretch_is_counted_as_lost_and_its_frames_are_not_dropped_ones(tmp_path):
    step, path = hands.STEP, tmp_path / "take"
    streams = (
        StreamSpec("screen", "frames", "png", width=16, height=12, rate_hz=25.0),
        StreamSpec("events", "events", unit="counts"),
        StreamSpec("system", "sound", "flac", rate_hz=16_000),
    )
    space = ActionSpace.from_names(["KeyW"])
    info = SessionInfo("take", "Game", {"kind": "desktop", "name": "game"}, "measured", streams, space)
    with SessionWriter(path, info) as writer:
        writer.write(Start(0, {}))
        for k in range(8):
            writer.write(Frame(k * step, hands.picture(1, k)))
            writer.write(Sound(k * step, np.full((640, 1), k + 1, np.int16), 16_000, "system"))
        writer.write(Gap(8 * step, "pause"))
    add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=3 * step, t_end_ns=5 * step)
    report = convert(open_session(path), tmp_path / "a.npz", format="npz")
    account = report.ledger["system"]
    assert (account.offered, account.kept, account.lost) == (8 * 640, 6 * 640, {"marked_invalid": 2 * 640})
    shards = convert(open_session(path), tmp_path / "shards", format="tfrecord", options=["sequence_length=2"])
    assert shards.ledger["system"] == account
    held, _ = read(tmp_path / "a.npz")
    assert held["sound"].tolist() == np.repeat([1, 2, 3, 6, 7, 8], 640).tolist()
    assert held["metadata"]["dropped"].tolist() == [0]


def test_actions_that_are_numbers_and_actions_that_are_one_of_several_are_told_apart(tmp_path, fake):
    class Pushed(fake.Fake):
        def steps(self, segment=None):
            found = super().steps(segment)
            return found.assign(action=[np.array([0.5, 1.0])] * len(found))

    both = Sessions([fake.Fake([3]), Pushed([3], salt=2)], format="x")
    with pytest.raises(BadInputError, match="actions that are one of several and actions of 2 numbers"):
        convert(both, tmp_path / "a.npz", format="npz", options=["layout=w"])
    assert list(tmp_path.iterdir()) == []


def test_what_was_read_can_be_sent_to_another_process(written):
    *_, report = written(hands.Hands([6, 4]))
    one = open_any(report.target)[0]
    one.frame(3)
    sent = pickle.dumps(one)
    assert len(sent) < 60_000, "without the pictures"
    assert (pickle.loads(sent).frame(3) == hands.picture(1, 3)).all()


def test_a_deflated_file_is_smaller_and_reads_in_any_order(tmp_path):
    for name in ("none", "deflate"):
        convert(hands.Hands([9]), tmp_path / name, format="npz", options=[f"compression={name}"])
    assert (tmp_path / "deflate").stat().st_size < 0.5 * (tmp_path / "none").stat().st_size
    again = open_any(tmp_path / "deflate")[0]
    assert all((again.frame(k) == hands.picture(1, k)).all() for k in (7, 2, 8, 0))


@pytest.mark.parametrize(("name", "file"), FILES)
def test_a_cut_file_is_told_and_runs_nothing(tmp_path, name, file):
    convert(hands.Hands([9]), tmp_path / file, format=name)
    whole = (tmp_path / file).read_bytes()
    for share in (0.3, 0.9):
        cut = tmp_path / f"cut{file[1:]}"
        cut.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(BadDataError):
            list(open_any(cut)[0].frames(0, 9))


def test_a_file_that_lies_about_itself_is_refused(tmp_path):
    convert(hands.Hands([9]), tmp_path / "a.npz", format="npz")
    with np.load(tmp_path / "a.npz") as file:
        held = {name: file[name] for name in file}
    about = json.loads(held["about"].item())
    lies = {
        "counts": lambda a: a["sessions"][0]["counts"].update(frames=12),
        "negative": lambda a: a["sessions"][0]["counts"].update(video=-1),
        "segments": lambda a: a["sessions"][0]["segments"].pop(),
        "first": lambda a: a["sessions"][0]["segments"][0].update(first_frame=2),
        "info": lambda a: a["sessions"][0]["info"].pop("game"),
        "schema": lambda a: a.update(schema="rushes/training/9"),
        "sessions": lambda a: a.update(sessions=3),
    }
    for name, lie in lies.items():
        told = json.loads(json.dumps(about))
        lie(told)
        np.savez(tmp_path / f"{name}.npz", **{**held, "about": np.array(json.dumps(told))})
        with pytest.raises(BadDataError):
            list(open_any(tmp_path / f"{name}.npz")[0].frames(0, 9))
    places = held["frames"].copy()
    places["at"][3] = 400
    np.savez(tmp_path / "places.npz", **{**held, "frames": places})
    with pytest.raises(BadDataError, match="do not fit"):
        open_any(tmp_path / "places.npz")


LONG = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, hands
from rushes.formats.base import convert
from rushes.model.recording import Sessions
class Long(hands.Hands):
    def frames(self, start, stop):
        for k in range(start, stop):
            yield np.full((180, 320, 3), k % 251, np.uint8)
def long(count):
    one = Long([count], stored="video")
    one.info = one.info.__class__(**{**one.info.__dict__, "streams": one.info.streams[1:]})
    return Sessions([one], format="x")
import torch, h5py, cv2
convert(long(40), sys.argv[2] + "/short." + sys.argv[4], format=sys.argv[3])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(long(int(sys.argv[5])), sys.argv[2] + "/long." + sys.argv[4], format=sys.argv[3])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
"""


@pytest.mark.full
@pytest.mark.parametrize(("name", "suffix"), [("hdf5", "h5"), ("npz", "npz"), ("torch", "pt")])
def test_ten_minutes_take_no_more_memory_than_a_second(tmp_path, name, suffix):
    command = [sys.executable, "-c", LONG, str(HERE), str(tmp_path), name, suffix, "18000"]  # 3.1 GB of pictures
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 250, "MB more than for a short one"


@pytest.mark.parametrize("name", ["hdf5", "npz", "torch"])
def test_memory_does_not_grow_with_the_length(tmp_path, monkeypatch, name):
    monkeypatch.setattr(pictures, "_BLOCK_BYTES", 50_000)
    monkeypatch.setattr(tensor_writer, "_WAITING_BYTES", 50_000)
    peaks = []
    for count in (40, 40, 340):  # the first time, libraries are loaded
        play = hands.Hands([count], stored="video")
        play.frames = lambda start, stop: (np.full((64, 64, 3), k % 251, np.uint8) for k in range(start, stop))
        play.info = replace(play.info, streams=play.info.streams[1:])
        tracemalloc.start()
        convert(play, tmp_path / str(len(peaks)), format=name)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 0.2 * 300 * 64 * 64 * 3
