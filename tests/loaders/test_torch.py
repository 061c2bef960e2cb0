"""PyTorch: batches of a DataLoader, with workers of every kind, in an order that can be resumed."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).parent))
from counted import inputs_of, make, number_in

from rushes.errors import BadDataError, BadInputError
from rushes.loaders.torch import GameplayDataset

SHARED = {"sequence_length": 5, "size": (24, 32), "audio": "waveform", "seed": 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("sessions")
    make(root / "a", (60,), codec="h264")
    make(root / "b", (45,), first=501)
    return root


def numbers(batch):
    """(B, T, C, H, W) of any dtype -> the number that each frame says."""
    frames = batch["frames"].float().permute(0, 1, 3, 4, 2).numpy()
    return [[number_in(frame) for frame in window] for window in frames]


def collected(loader):
    return [(numbers(batch), batch["inputs"].numpy(), batch["audio"].numpy()) for batch in loader]


def test_a_batch_has_the_shapes_dtypes_and_ranges_that_are_documented(folder):
    batch = next(iter(DataLoader(GameplayDataset(folder, **SHARED), batch_size=4)))
    shapes = {name: (tuple(value.shape), value.dtype) for name, value in batch.items() if name != "session"}
    assert shapes == {
        "frames": ((4, 5, 3, 24, 32), torch.float32),
        "inputs": ((4, 5, 3), torch.float32),
        "audio": ((4, 5, 529), torch.float32),  # 33.06 ms from frame to frame, on average, at 16 kHz
        "audio_mask": ((4, 5), torch.bool),
        "t_ns": ((4, 5), torch.int64),
        "mask": ((4, 5), torch.bool),
    }
    assert batch["session"] == ["a"] * 4
    assert (float(batch["frames"].min()), round(float(batch["frames"].max()), 2)) == (0.0, 1.0)
    for window, rows in zip(numbers(batch), batch["inputs"], strict=True):
        assert rows.tolist() == [inputs_of(number) for number in window]


@pytest.mark.parametrize("dtype", ["uint8", "float16", "bfloat16"])
def test_frames_come_in_the_dtype_that_is_asked_for(folder, dtype):
    frames = GameplayDataset(folder, **SHARED, dtype=dtype)[3]["frames"]
    assert frames.dtype == getattr(torch, dtype)
    assert float(frames.max()) == pytest.approx(255 if dtype == "uint8" else 1, rel=0.02)


@pytest.mark.parametrize(
    ("workers", "context"), [(2, "fork"), pytest.param(2, "spawn", marks=pytest.mark.slow), (1, "forkserver")]
)
def test_workers_of_any_kind_give_the_batches_that_one_process_gives(folder, workers, context):
    dataset = GameplayDataset(folder, **SHARED, augment="brightness=0.5:0.5..1")
    alone = collected(DataLoader(dataset, batch_size=3, sampler=dataset.sampler()))
    sampler = dataset.sampler()
    loader = DataLoader(dataset, batch_size=3, sampler=sampler, num_workers=workers, multiprocessing_context=context)
    together = collected(loader)
    assert sorted(n for windows, _, _ in alone for window in windows for n in window) == [
        *range(1, 61), *range(501, 546),
    ]  # fmt: skip
    for one, other in zip(alone, together, strict=True):
        assert one[0] == other[0]
        assert all((a == b).all() for a, b in zip(one[1:], other[1:], strict=True))


def test_training_goes_on_in_the_middle_of_an_epoch_with_the_same_windows(folder):
    dataset = GameplayDataset(folder, **SHARED)
    whole = collected(DataLoader(dataset, batch_size=4, sampler=dataset.sampler()))
    first = dataset.sampler()
    going = iter(DataLoader(dataset, batch_size=4, sampler=first, num_workers=2))
    trained = [next(going) for _ in range(2)]
    state = first.state_dict(position=8)  # the workers are some batches ahead: what was trained on counts
    del going
    assert [numbers(batch) for batch in trained] == [windows for windows, _, _ in whole[:2]]
    resumed = dataset.sampler()
    resumed.load_state_dict(state)
    rest = collected(DataLoader(dataset, batch_size=4, sampler=resumed))
    assert [windows for windows, _, _ in rest] == [windows for windows, _, _ in whole[2:]]


@pytest.mark.parametrize("workers", [0, 2])
def test_reading_ahead_gives_the_windows_of_two_epochs_as_reading_one_by_one_does(folder, workers):
    dataset = GameplayDataset(folder, **SHARED, augment="flip=0.5", layout="KeyA,KeyD,KeyW,MouseDX")
    for shuffle in (True, "quasi_random"):
        plain = dataset.sampler(shuffle=shuffle)
        one_by_one = [collected(DataLoader(dataset, batch_size=4, sampler=plain)) for _ in range(2)]
        loader = dataset.loader(4, shuffle=shuffle, num_workers=workers, ahead_bytes=8 * 5 * 24 * 32 * 3)
        ahead = [collected(loader) for _ in range(2)]
        for one, other in zip([*one_by_one[0], *one_by_one[1]], [*ahead[0], *ahead[1]], strict=True):
            assert one[0] == other[0]
            assert all((a == b).all() for a, b in zip(one[1:], other[1:], strict=True))
        assert one_by_one[0][0][0] != one_by_one[1][0][0]


def test_a_dataset_that_was_read_can_be_read_on_in_forked_workers_and_afterwards(folder):
    dataset = GameplayDataset(folder, **SHARED)
    before = dataset[2]
    loader = DataLoader(dataset, batch_size=1, num_workers=2, multiprocessing_context="fork")
    forked = [*loader][2]
    after = dataset[2]
    assert torch.equal(before["frames"], forked["frames"][0])
    assert torch.equal(before["frames"], after["frames"])


def test_a_transform_gets_one_frame_and_may_give_an_array_or_a_tensor(folder):
    plain = GameplayDataset(folder, **SHARED)[1]["frames"]
    seen = []

    def with_opencv(frame):
        seen.append((frame.shape, frame.dtype))
        return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)

    def with_torch(frame):
        return torch.from_numpy(np.array(frame)).permute(2, 0, 1).float().sub(127.5).div(127.5)

    grey = GameplayDataset(folder, **SHARED, transform=with_opencv)[1]["frames"]
    assert seen == [((24, 32, 3), np.uint8)] * 5
    assert (grey.shape, grey.dtype) == ((5, 1, 24, 32), torch.float32)
    assert torch.allclose(grey[:, 0], plain[:, 1], atol=0.05)
    scaled = GameplayDataset(folder, **SHARED, transform=with_torch)[1]["frames"]
    assert torch.allclose(scaled, plain * 2 - 1, atol=1e-5)
    with pytest.raises(BadInputError, match="str"):
        GameplayDataset(folder, **SHARED, transform=lambda _: "x")[0]
    with pytest.raises(BadInputError, match="float32"):
        GameplayDataset(folder, **SHARED, transform=with_torch, dtype="uint8")[0]


def test_a_batch_is_smaller_by_its_broken_windows_and_an_error_when_all_are(folder, tmp_path):
    make(tmp_path / "a", (40,), codec="h264")
    make(tmp_path / "b", (40,), codec="h264")
    film = next((tmp_path / "a").rglob("frames.mp4"))
    film.write_bytes(film.read_bytes()[:900])
    dataset = GameplayDataset(tmp_path, sequence_length=10, broken="skip")
    with pytest.warns(UserWarning, match="left out"):
        batch = next(iter(DataLoader(dataset, batch_size=8)))
    assert (batch["session"], len(batch["frames"])) == (["b"] * 4, 4)
    with pytest.warns(UserWarning, match="left out"), pytest.raises(BadDataError, match="none of which"):
        next(iter(DataLoader(dataset, batch_size=4)))


def test_a_negative_index_counts_from_the_end_and_one_too_many_is_an_index_error(folder):
    dataset = GameplayDataset(folder, **SHARED)
    assert torch.equal(dataset[-1]["t_ns"], dataset[len(dataset) - 1]["t_ns"])
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_statistics_are_of_every_row_and_of_the_pixels_as_they_are_trained_on(folder):
    dataset = GameplayDataset(folder, **SHARED, augment="brightness=1:0.5")
    found = dataset.statistics()
    shown = [*range(1, 61), *range(501, 546)]
    rows = np.array([inputs_of(number) for number in shown])
    columns = found.to_json()["columns"]
    assert [column["count"] for column in columns] == np.count_nonzero(rows, axis=0).tolist()
    assert columns[2]["mean"] == pytest.approx(rows[:, 2].mean())
    assert columns[0]["weight_used"] == pytest.approx(len(rows) / (2 * rows[:, 0].sum()))
    bits = [number.bit_count() / 12 for number in shown]
    assert found.channels[0] == pytest.approx([np.mean(bits)] * 3, abs=0.02)
