"""The original's record files: written as its exporter writes them, and read from wherever they come."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.tfrecord.shards import Shards, records
from rushes.formats.tfrecord.wire import decode_example, encode_example
from rushes.model.grid import to_grid

FOLDER = Path(__file__).parents[1]


def load(name):
    spec = importlib.util.spec_from_file_location(f"strict_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hands = load("hands")


def test_a_record_has_the_features_of_the_original_and_no_more(tmp_path):
    options = ["strict=true", "sequence_length=4", "size=12x16"]
    report = convert(hands.Hands([9, 3]), tmp_path / "t", format="tfrecord", options=options)
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["gameon_0000.tfrecord"]
    found = [decode_example(data) for data in records(tmp_path / "t" / "gameon_0000.tfrecord")]
    assert {tuple(sorted(record)) for record in found} == {("actions", "frames", "frames_shape")}
    starts = (0, 2, 4)  # a window at each half; the second segment has no room for one
    for record, start in zip(found, starts, strict=True):
        assert record["frames_shape"].tolist() == [4, 12, 16, 3]
        wanted = np.stack([hands.picture(1, start + k) for k in range(4)]).astype(np.float32) / 255
        np.testing.assert_allclose(record["frames"].reshape(wanted.shape), wanted, atol=1e-7)
    # w is down in rows 0 to 2, the left button in rows 2 and 3; slots 0 and 10 of 20
    assert [np.flatnonzero(record["actions"]).tolist() for record in found] == [[0, 10], [0, 10], []]
    assert report.ledger["frames"].lost == {"outside_windows": 4}
    assert report.ledger["events"].lost == {"no_place_in_strict": 16}
    assert report.ledger.balances


def test_without_a_size_frames_are_those_of_the_original(tmp_path):
    convert(hands.Hands([2]), tmp_path / "t", format="tfrecord", options=["strict=true", "sequence_length=1"])
    found = [decode_example(data) for data in records(tmp_path / "t" / "gameon_0000.tfrecord")]
    assert [record["frames_shape"].tolist() for record in found] == [[1, 224, 224, 3]] * 2


def test_files_of_the_original_are_read_a_segment_a_window(tmp_path):
    frames = np.random.default_rng(5).integers(0, 256, (3, 2, 4, 6, 3), np.uint8)
    actions = np.zeros((3, 20), np.float32)
    actions[1, [1, 11]] = 1
    (tmp_path / "t").mkdir()
    with Shards(tmp_path / "t", "gameon_{:04}.tfrecord", most_records=2) as shards:
        for pixels, row in zip(frames, actions, strict=True):
            values = (pixels / 255).astype(np.float32).ravel()
            shape = np.array(pixels.shape, np.int64)
            shards.write(encode_example({"frames": values, "frames_shape": shape, "actions": row}))
    assert sniff_path(tmp_path / "t") == sniff_path(tmp_path / "t" / "gameon_0001.tfrecord") == "tfrecord"
    (found,) = open_any(tmp_path / "t")
    assert [segment.frames for segment in found.segments] == [2, 2, 2]
    assert found.info.time_source == "assumed"
    np.testing.assert_array_equal(np.stack([*found.frames(0, 6)]), frames.reshape(6, 4, 6, 3))
    second = found.segments[1]
    grid = to_grid(found.events(1), found.index(1)["t_ns"].to_numpy(), end_ns=second.end_ns)
    assert grid.vector(found.info.action_space).tolist() == [actions[1].tolist()] * 2
    assert not len(found.events(0))


def test_play_that_the_twenty_actions_have_no_place_for_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="ALE/"):
        convert(load("fake").Fake([20]), tmp_path / "t", format="tfrecord", options=["strict=true"])
    assert list(tmp_path.iterdir()) == []
