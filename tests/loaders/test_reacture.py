"""ReActure's own class over sets as its game wrote them, damaged heads and all: held against literal values."""

import importlib.util
import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from rushes.errors import BadDataError, BadInputError  # noqa: E402
from rushes.loaders.reacture import ReActureDataset  # noqa: E402

FORMATS = Path(__file__).parents[1] / "formats"


def _load(path):
    spec = importlib.util.spec_from_file_location(f"loaders_reacture_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


game = _load(FORMATS / "reacture" / "exported.py")
hands = _load(FORMATS / "hands.py")
METADATA = f"{game.SID}_metadata.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight frames of the game, W held on 2 and 3, inspect on 5; its arrays are damaged."""
    folder = game.write(tmp_path_factory.mktemp("sets") / "arrays")
    game.write_arrays(folder)
    return folder


@pytest.fixture(scope="module")
def dataset(folder):
    return ReActureDataset(folder / METADATA, bottom_up=True)


def plain_set(folder, times, told):
    """A set with whole arrays of 4 x 6 pictures, frame k all of colour (k, 0, 9)."""
    folder.mkdir()
    rows = [
        {"timestamp_ms": t, "type": "robot_state", "event": "periodic_update_10hz",
         "visual_frame_path": f"frames/frame_{k:06d}.npy", "key_presses": {"W": k == 1, "destroy": k == 2}, **more}
        for k, (t, more) in enumerate(zip(times, told, strict=True))
    ]  # fmt: skip
    (folder / "reacture_7_data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "reacture_7_metadata.json").write_text("{}")
    pixels = np.zeros((len(times), 4, 6, 3), np.uint8)
    pixels[..., 0], pixels[..., 2] = np.arange(len(times))[:, None, None], 9
    np.save(folder / "reacture_7_frames.npy", pixels)
    np.save(folder / "reacture_7_timestamps.npy", np.array(times, np.float32))
    return folder / "reacture_7_metadata.json"


def test_the_signatures_are_the_originals_and_then_ours():
    def first(function, count):
        return [(p.name, p.default) for p in list(inspect.signature(function).parameters.values())[:count]]

    assert first(ReActureDataset, 1) == [("metadata_path", inspect.Parameter.empty)]
    for function in (ReActureDataset.to_pytorch_dataloader, ReActureDataset.to_tensorflow_dataset):
        assert first(function, 3)[1:] == [("batch_size", 32), ("shuffle", True)]


@pytest.mark.parametrize("form", ["arrays", "pngs"])
def test_a_sample_is_a_frame_with_its_own_row(folder, form, tmp_path):
    if form == "pngs":
        folder = game.write(tmp_path / "pngs")
        game.write_pngs(folder)
    found = ReActureDataset(folder / METADATA, bottom_up=True)
    assert isinstance(found.frames_array, np.memmap) == (form == "arrays")
    assert (found.frames_array.shape, found.frames_array.dtype) == ((8, 8, 8, 3), np.uint8)
    assert (found.frame_timestamps.dtype, found.frame_timestamps.tolist()) == (np.float32, game.TIMES)
    samples = list(found)
    assert len(samples) == len(found) == 8
    for k, sample in enumerate(samples):
        assert (sample["frame"] == game.picture(k)).all()
        assert (found.frames_array[k] == game.picture(k)).all()
        assert (sample["frame_timestamp_ms"], sample["timestamp_ms"]) == (game.TIMES[k], game.TIMES[k])
        assert sample["battery"] == 100 - game.TIMES[k] / 100
        assert sample["keys"].tolist() == [k in (2, 3), 0, 0, 0, k == 5, 0]
    assert samples[3]["robot"]["position"] == {"x": 4.05, "y": 1, "z": -2.5}
    assert samples[3]["timestamp"] == "2025-11-09T14:22:13.405Z"
    assert (samples[3]["key_presses"]["W"], samples[3]["key_presses"]["A"]) == (True, False)
    assert found[-1]["frame_index"] == 7
    with pytest.raises(IndexError):
        found[8]


def test_rows_that_are_no_frames_stand_apart_and_what_was_mended_is_told(dataset):
    assert dataset.between["event"].tolist() == [
        "game_start", "move_forward_start", "jump", "move_forward_stop", "zone_change", "game_end",
    ]  # fmt: skip
    assert dataset.metadata["player_name"] == "Ada"
    assert {"damaged_head", "rows_without_frame"} <= {problem.kind for problem in dataset.recording.problems}


def test_statistics_are_those_of_the_frames(dataset):
    found = dataset.get_statistics()
    assert (found["num_samples"], found["num_frames"], found["sampling_rate"]) == (8, 8, 10)
    assert found["measured_rate_hz"] == pytest.approx(1000 / 101)  # steps 101 103 98 107 99 98 103: the median is 101
    assert found["key_press_frequency"] == {"W": 0.25, "A": 0, "S": 0, "D": 0, "inspect": 0.125, "destroy": 0}
    assert found["battery_stats"]["mean"] == pytest.approx(100 - sum(game.TIMES) / 800)
    assert (found["battery_stats"]["min"], found["battery_stats"]["max"]) == (91.88, 98.97)
    assert found["trajectory_stats"]["max_position"] == [8.12, 1, -2.5]
    assert (found["damage_stats"]["mean"], found["damage_stats"]["std"]) == (0.25, 0)
    json.dumps(found)


def test_samples_are_found_by_time(dataset):
    assert dataset.get_sample_at_time(0.36)["frame_index"] == 3  # 405 is nearer than 307
    assert [s["frame_index"] for s in dataset.get_time_range(0.204, 0.405)] == [1, 2, 3]
    assert dataset.extract_trajectory()[:, 0].tolist() == [t / 100 for t in game.TIMES]


def test_pytorch_gets_the_guides_batches(dataset):
    first, last = dataset.to_pytorch_dataloader(batch_size=5, shuffle=False)
    shapes = {name: tuple(value.shape) for name, value in first.items()}
    assert shapes == {
        "frame": (5, 3, 8, 8), "keys": (5, 6), "position": (5, 3), "velocity": (5, 3), "accelerometer": (5, 3),
        "battery": (5, 1), "damage": (5, 1), "timestamp": (5,),
    }  # fmt: skip
    assert {value.dtype for name, value in first.items() if name != "timestamp"} == {torch.float32}
    upper = (first["frame"][:, :, 0, 0] * 255).round()
    assert upper.tolist() == [[k, 200, 10] for k in range(5)]
    assert first["keys"][:, 0].tolist() == [0, 0, 1, 1, 0]
    assert last["timestamp"].tolist() == game.TIMES[5:]
    assert last["accelerometer"].tolist() == [[200, 0, 0]] * 3


def test_an_epoch_is_a_permutation_that_follows_from_the_seed(dataset):
    def epochs(seed):
        loader = dataset.to_pytorch_dataloader(batch_size=8, shuffle=True, seed=seed)
        return [next(iter(loader))["timestamp"].tolist() for _ in range(2)]

    first = epochs(1)
    assert all(sorted(epoch) == game.TIMES for epoch in first)
    assert first[0] != first[1]
    assert (epochs(1), epochs(2)) == (first, epochs(2))
    assert epochs(2) != first


def test_what_nobody_told_is_nan_in_batches_none_in_samples_and_said(tmp_path):
    path = plain_set(tmp_path / "set", [0, 101, 199], [{"battery": 50}, {}, {"battery": 40}])
    found = ReActureDataset(path)
    assert found.unknown == {"position": 3, "velocity": 3, "accelerometer": 3, "battery": 1, "damage": 3}
    with pytest.warns(UserWarning, match="NaN stands for .*battery on 1 of 3 frames"):
        (batch,) = found.to_pytorch_dataloader(shuffle=False)
    np.testing.assert_array_equal(batch["battery"][:, 0], [50, np.nan, 40])
    assert batch["frame"].shape == (3, 3, 4, 6)
    assert [sample["battery"] for sample in found] == [50, None, 40]
    assert batch["keys"].tolist() == [[0] * 6, [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]
    assert found.get_statistics()["battery_stats"]["mean"] == 45
    assert found.get_statistics()["damage_stats"]["mean"] is None
    assert found[2]["frame"].tolist() == [[[2, 0, 9]] * 6] * 4


def test_a_set_without_pictures_gives_batches_without_them(tmp_path):
    folder = game.write(tmp_path / "set")
    found = ReActureDataset(folder / METADATA)
    assert (found.frames_array, found[0]["frame"], found.get_statistics()["num_frames"]) == (None, None, 0)
    with pytest.warns(UserWarning, match="no pictures"):
        (batch,) = found.to_pytorch_dataloader(shuffle=False)
    assert "frame" not in batch
    assert batch["keys"][:, 0].sum() == 2


def test_a_session_of_another_program_is_as_good(monkeypatch):
    """Two segments, 40 ms a frame; W is down from 30 to 50 ms; telemetry of frames 0 and 3, one row of none."""
    found = hands.Hands([3, 2], events=[lambda t: [hands.key(t + 30_000_000, "KeyW", "press"),
                                                   hands.key(t + 50_000_000, "KeyW", "release")],
                                        lambda _: []])  # fmt: skip
    told = pd.DataFrame({
        "t_ns": [0, 90_000_000, 1_120_000_000], "segment": [0, 0, 1], "frame_index": [0, None, 3],
        "event": ["periodic_update_10hz", "collision_damage", None], "destroy": [False, None, True],
    })  # fmt: skip
    monkeypatch.setattr(found, "telemetry", lambda: told)
    dataset = ReActureDataset(found)
    assert dataset.frame_timestamps.tolist() == [0, 40, 80, 1120, 1160]
    assert dataset.extract_key_presses()[:, 0].tolist() == [1, 1, 0, 0, 0]
    assert dataset.extract_key_presses()[:, 5].tolist() == [0, 0, 0, 1, 0]
    assert [sample["segment"] for sample in dataset] == [0, 0, 0, 1, 1]
    assert {sample["event"] for sample in dataset} == {"periodic_update_10hz"}
    assert dataset[1]["timestamp"] == "2001-09-09T01:46:40.040Z"  # 10**9 s after 1970 and 40 ms
    assert dataset.between["event"].tolist() == ["collision_damage"]
    assert (dataset.frames_array[4] == hands.picture(1, 4)).all()
    assert dataset.get_statistics()["measured_rate_hz"] == 25
    with pytest.raises(BadInputError, match="environment"):
        ReActureDataset(hands.Hands([3], environment=True))


def test_of_several_sets_one_is_to_be_named_and_of_none_it_is_said_what_is_missing(tmp_path):
    plain_set(tmp_path / "one", [0, 100], [{}, {}])
    plain_set(tmp_path / "two", [0, 100, 200], [{}, {}, {}])
    with pytest.raises(BadInputError, match="a path with 2 sets; accepted: one set"):
        ReActureDataset(tmp_path)
    names = sorted(len(ReActureDataset(tmp_path, session=name)) for name in ("reacture_7", "reacture_7-2"))
    assert names == [2, 3]
    (tmp_path / "one" / "reacture_7_data.jsonl").unlink()
    with pytest.raises(BadDataError, match=r"data\.jsonl"):
        ReActureDataset(tmp_path / "one" / "reacture_7_metadata.json")


@pytest.mark.full
@pytest.mark.require("tensorflow")
def test_tensorflow_gets_the_same_batches_as_planes_of_colour_last(dataset, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    ordered = dataset.to_tensorflow_dataset(batch_size=5, shuffle=False)
    first, last = ordered
    assert len(ordered) == 2
    shapes = {name: tuple(value.shape) for name, value in first.items()}
    assert shapes == {
        "frame": (5, 8, 8, 3), "keys": (5, 6), "position": (5, 3), "velocity": (5, 3), "accelerometer": (5, 3),
        "battery": (5, 1), "damage": (5, 1),
    }  # fmt: skip
    assert np.round(last["frame"].numpy()[:, 0, 0] * 255).tolist() == [[k, 200, 10] for k in (5, 6, 7)]
    assert first["keys"].numpy()[:, 0].tolist() == [0, 0, 1, 1, 0]
    shuffled = dataset.to_tensorflow_dataset(batch_size=8, seed=1)
    buffered = dataset.to_tensorflow_dataset(batch_size=8, shuffle_buffer=1, seed=1)
    epochs = [next(iter(made))["position"].numpy()[:, 0].tolist() for made in (shuffled, shuffled, buffered)]
    played = np.array(game.TIMES, np.float32) / 100
    assert all(np.allclose(sorted(epoch), played) for epoch in epochs)
    assert not np.allclose(epochs[0], epochs[1])
    assert np.allclose(epochs[2], played), "a buffer of one mixes nothing"
