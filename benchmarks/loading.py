"""Loading for training, beside other ways to get the same batches: all in one run, on the cores of this machine.

Run it with `make bench` or `python benchmarks/loading.py`; `--quick` is the short form, `--keep FOLDER` keeps the
footage (ten minutes of 640 x 360 at 30 Hz, see `measured/footage.py`) for the next run. Wanted are random windows of
16 frames at 224 x 224, in batches of 8, uint8, as PyTorch tensors (B, T, C, H, W) from a DataLoader. The ways take
turns, each is given the number of workers (0 or 2) with which it is quicker, and each figure is the median of the
rounds; ratios are those of one round.

- `opencv`: GameOn's way, per item: a connection to the database and its events, the video opened, sought, read,
  converted and resized by OpenCV; on the recorder's film (`short`) and on GameOn's encoding (`long`);
- `torchcodec`: per item: the film opened, a range of frames, resized by OpenCV;
- `png`, `hdf5`: a picture a frame, read and resized; a gzip chunk a frame, read and resized. Both hold the first
  minute, so that they fit the disk, and are read from memory;
- `film`: `GameplayDataset.loader()` straight from the film; `film, any order`: the same with `shuffle=True`, where no
  two windows are near each other on purpose;
- `decode`: the pictures of the same windows decoded on all cores and nothing else: per window from its key picture
  (`decode each`), and as `film` decodes them, 40 windows together (`decode together`);
- `memmap`: 16 frames at a time of the raw array, copied into a batch: the limit; `pack`: `rushes pack`.

All give (B, T, C, H, W) as a view of pixels that lie as (B, T, H, W, C), so that nobody pays for another layout.

Then the private memory of a worker (RssAnon beyond what it is after the imports), and how long the first batch of a
library of 1,000 sessions takes, the dataset included, in a new process after its imports.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import h5py
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from measured.footage import HEIGHT, RATE_HZ, VIDEO, WIDTH, frames, make
from rushes.loaders.pack import pack, plan
from rushes.loaders.torch import GameplayDataset
from rushes.store.library import Library
from rushes.store.video_film import Film

T, SIDE, BATCH = 16, 224, 8
TOGETHER = 40
SMALL_FRAMES = 60 * RATE_HZ
MEMORY_MB, FIRST_S = 200.0, 2.0
LIMITS = {
    "film / opencv, short": 2.0,
    "film / opencv, long": 4.0,
    "film / decode each, short": 0.8,
    "film / decode each, long": 0.8,
    "pack / memmap": 0.6,
    "pack / opencv, long": 20.0,
}
BESIDE = (
    "film, any order / opencv, short",
    "film, any order / opencv, long",
    "film / decode together, short",
    "film / decode together, long",
    "film / torchcodec, short",
    "film / torchcodec, long",
    "pack / png",
    "pack / hdf5",
)
"""Ratios that are printed too, and have no limit."""


class PerItem(Dataset[dict[str, Any]]):
    """Windows at random starts, each read anew."""

    def __init__(self, read: Callable[[int], np.ndarray], starts: np.ndarray) -> None:
        self.read, self.starts = read, starts

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return {"frames": torch.from_numpy(self.read(int(self.starts[number])))}


def as_planes(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Stack windows (T, H, W, C) and show them as (B, T, C, H, W), as `GameplayDataset.batch` does: one copy."""
    return {"frames": default_collate(items)["frames"].permute(0, 1, 4, 2, 3)}


def small(picture: np.ndarray) -> np.ndarray:
    """Squash a picture as GameOn does."""
    return cv2.resize(picture, (SIDE, SIDE))


class Opencv:
    """As GameOn's dataset reads an item, but uint8."""

    def __init__(self, database: Path, film: Path) -> None:
        self.database, self.film = database, film

    def __call__(self, start: int) -> np.ndarray:
        """Read 16 frames: (T, H, W, C) uint8."""
        capture = cv2.VideoCapture(str(self.film))
        capture.set(cv2.CAP_PROP_POS_FRAMES, start)
        pictures = [small(cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)) for _ in range(T)]
        capture.release()
        ask = (
            "SELECT timestamp_ms, input_device, button_key, action, value, x_position, y_position FROM input_events "
            "WHERE session_id = 1 AND timestamp_ms BETWEEN ? AND ? ORDER BY timestamp_ms"
        )
        inputs = np.zeros((T, 20), np.float32)
        with closing(sqlite3.connect(self.database)) as connection:
            for row in connection.execute(ask, (start * 1000 // 60, (start + T) * 1000 // 60)):
                inputs[0, "wasd".find(row[2])] = 1.0
        return np.stack(pictures)


class Torchcodec:
    """A decoder an item, which is told the range."""

    def __init__(self, film: Path) -> None:
        self.film = film

    def __call__(self, start: int) -> np.ndarray:
        """Read 16 frames: (T, H, W, C) uint8."""
        from torchcodec.decoders import VideoDecoder

        decoder = VideoDecoder(str(self.film), dimension_order="NHWC")
        return np.stack([small(p) for p in decoder.get_frames_in_range(start, start + T).data.numpy()])


class Png:
    """A file a picture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, start: int) -> np.ndarray:
        """Read 16 frames: (T, H, W, C) uint8."""
        names = [str(self.folder / f"{k:06d}.png") for k in range(start, start + T)]
        return np.stack([small(cv2.imread(name, cv2.IMREAD_COLOR_RGB)) for name in names])


class Hdf5:
    """A chunk a picture; the file opened an item, as what is opened must not go through a fork."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, start: int) -> np.ndarray:
        """Read 16 frames: (T, H, W, C) uint8."""
        with h5py.File(self.file) as opened:
            return np.stack([small(picture) for picture in opened["video"][start : start + T]])


class Memmap:
    """The limit: nothing but copying."""

    def __init__(self, file: Path, starts: np.ndarray) -> None:
        self.array, self.starts = np.load(file, mmap_mode="r"), starts

    def __iter__(self) -> Iterator[Any]:
        for at in range(0, len(self.starts), BATCH):
            yield np.stack([self.array[start : start + T] for start in self.starts[at : at + BATCH]])


def png_folder(folder: Path, count: int) -> Path:
    """Write a PNG file a frame."""
    folder.mkdir(exist_ok=True)
    for k, picture in enumerate(frames(count)):
        cv2.imwrite(str(folder / f"{k:06d}.png"), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return folder


def hdf5_file(path: Path, count: int) -> Path:
    """Write frames as GameOn's export does, with a chunk a frame."""
    partial = path.with_suffix(".partial")
    with h5py.File(partial, "w") as file:
        shape = (count, HEIGHT, WIDTH, 3)
        video = file.create_dataset("video", shape, "u1", chunks=(1, *shape[1:]), compression="gzip")
        for k, picture in enumerate(frames(count)):
            video[k] = picture
    return partial.rename(path)


def rate(batches: Any) -> float:
    """Give windows a second, from the wish to the last batch."""
    started, windows = time.perf_counter(), 0
    for batch in batches:
        windows += len(batch["frames"] if isinstance(batch, dict) else batch)
    return windows / (time.perf_counter() - started)


def decode(film: Path, starts: np.ndarray, *, together: int) -> float:
    """Decode windows on all cores, so many at a time, and nothing else: windows a second."""
    cores = len(os.sched_getaffinity(0))
    films = [Film(film) for _ in range(cores)]
    free = list(films)

    def work(numbers: np.ndarray) -> None:
        one = free.pop()
        for _ in one.pictures(numbers.tolist()):
            pass
        free.append(one)

    started = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        for at in range(0, len(starts), together * cores if together == 1 else together):
            if together == 1:
                groups = [start + np.arange(T) for start in starts[at : at + cores]]
            else:
                wanted = np.unique(starts[at : at + together, None] + np.arange(T))
                groups = np.split(wanted, np.flatnonzero(np.diff(films[0].contents.key_of(wanted))) + 1)
            list(pool.map(work, groups))
    seconds = time.perf_counter() - started
    for one in films:
        one.close()
    return len(starts) / seconds


class Ways:
    """Every way to get batches, by name: called with the number of workers, it gives windows a second."""

    def __init__(self, folder: Path, count: int, each: int) -> None:
        library, database = make(folder, count)
        films = {
            "short": next(library.glob("sessions/*/chunks/*/frames.mp4")),
            "long": database.parent / VIDEO,
        }
        sources = {"short": library, "long": database.parent}
        (packed,) = pack(plan(library, SIDE))
        rng = np.random.default_rng(0)
        somewhere = rng.integers(0, count - T, each)
        early = rng.integers(0, min(count, SMALL_FRAMES) - T, each)
        png, hdf5 = folder / "png", folder / "video.h5"
        if not hdf5.exists():
            png_folder(png, min(count, SMALL_FRAMES))
            hdf5_file(hdf5, min(count, SMALL_FRAMES))
        self.ways: dict[str, Callable[[int], float]] = {}
        for name, film in films.items():
            self._per_item(f"opencv, {name}", Opencv(database, film), somewhere)
            self._per_item(f"torchcodec, {name}", Torchcodec(film), somewhere)
            source = GameplayDataset(sources[name], sequence_length=T, size=SIDE, dtype="uint8", pack=False)
            self._dataset(f"film, {name}", source, shuffle="quasi_random")
            self._dataset(f"film, any order, {name}", source, shuffle=True)
            starts = source.sampler(shuffle="quasi_random").indices(0) * T
            self.ways[f"decode each, {name}"] = lambda _, f=film, s=starts: decode(f, s, together=1)
            self.ways[f"decode together, {name}"] = lambda _, f=film, s=starts: decode(f, s, together=TOGETHER)
        self._per_item("png", Png(png), early)
        self._per_item("hdf5", Hdf5(hdf5), early)
        source = GameplayDataset(library, sequence_length=T, size=SIDE, dtype="uint8")
        self._dataset("pack", source, shuffle=True)
        starts = source.sampler().indices(0) * T
        array = packed.path / "frames.npy"
        self.ways["memmap"] = lambda _: rate(Memmap(array, starts))

    def _per_item(self, name: str, read: Callable[[int], np.ndarray], starts: np.ndarray) -> None:
        items = PerItem(read, starts)
        self.ways[name] = lambda workers: rate(
            DataLoader(items, batch_size=BATCH, num_workers=workers, collate_fn=as_planes)
        )

    def _dataset(self, name: str, dataset: GameplayDataset, *, shuffle: Any) -> None:
        self.ways[name] = lambda workers: rate(dataset.loader(BATCH, shuffle=shuffle, num_workers=workers))


def measure(ways: dict[str, Callable[[int], float]], rounds: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Take turns; the first turn finds the number of workers with which each is quicker."""
    found: dict[str, list[float]] = {}
    workers = {}
    for name, way in ways.items():
        alone = "decode" in name or "memmap" in name
        tried = {count: way(count) for count in ((0,) if alone else (0, 2))}
        workers[name] = max(tried, key=lambda count: tried[count])
        found[name] = [tried[workers[name]]]
    for _ in range(rounds - 1):
        for name, way in ways.items():
            found[name].append(way(workers[name]))
    return found, workers


WORKER = """
import sys, threading
sys.path.insert(0, sys.argv[2])
import torch, cv2, av, h5py
import rushes.loaders.torch, rushes.loaders.packed, rushes.formats.gameon.gameon, rushes.store.library
from measured.memory import Most, anonymous
before = anonymous()
dataset = rushes.loaders.torch.GameplayDataset(sys.argv[1], sequence_length=16, size=224, dtype="uint8", pack=False)
dataset.windows.use_threads(1)
with Most() as most:
    for number, batch in enumerate(dataset.loader(8)):
        if number == 12:
            break
print((most.most - before) / 1e6)
"""

FIRST = """
import sys, time
import torch, cv2, av
import rushes.loaders.torch, rushes.loaders.packed, rushes.store.library
started = time.perf_counter()
dataset = rushes.loaders.torch.GameplayDataset(sys.argv[1], sequence_length=16, size=224)
batch = next(iter(dataset.loader(8)))
print(time.perf_counter() - started)
"""


def told(program: str, *arguments: object) -> float:
    """Run a program in a new process, and read the number that it prints last."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def thousand(folder: Path, count: int = 1000) -> Path:
    """Make a library of many short sessions, and let it look at them once."""
    library = folder / "thousand"
    if not library.exists():
        short, _ = make(folder / "few", 2 * RATE_HZ)
        first = short / "sessions" / "take_1"
        said = (first / "session.json").read_text()
        for number in range(count):
            copy = library / "sessions" / f"take_{number}"
            shutil.copytree(first, copy)
            (copy / "session.json").write_text(said.replace('"take_1"', f'"take_{number}"'))
    Library(library).entries()
    return library


def main() -> int:
    """Print the figures; exit 1 when one falls short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--windows", type=int, default=96, help="windows a turn of the ways that read each item anew")
    parser.add_argument("--quick", action="store_true", help="one minute, 2 rounds, 32 windows")
    parser.add_argument("--keep", type=Path, help="folder for the footage, used again when it is there")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    if options.quick:
        options.minutes, options.rounds, options.windows = 1, 2, 32
    if options.keep:
        options.keep = options.keep / f"{options.minutes:g}_minutes"
        options.keep.mkdir(parents=True, exist_ok=True)
    place = nullcontext(str(options.keep)) if options.keep else tempfile.TemporaryDirectory(prefix="rushes-bench-")
    with place as name:
        folder = Path(name)
        found, workers = measure(
            Ways(folder, round(options.minutes * 60 * RATE_HZ), options.windows).ways, options.rounds
        )
        here = str(Path(__file__).parent)
        memory = {n: told(WORKER, folder / n, here) for n in ("short", "long/data")}
        first = told(FIRST, thousand(folder))
    ratios = {}
    for name in (*LIMITS, *BESIDE):
        above, below = name.split(" / ")
        below, _, film = below.partition(", ")
        top = found.get(f"{above}, {film}") or found[above]
        bottom = found[f"{below}, {film}"] if film else found[below]
        ratios[name] = median(a / b for a, b in zip(top, bottom, strict=True))
    short = [name for name, limit in LIMITS.items() if ratios[name] < limit]
    short += ["memory"] * (max(memory.values()) > MEMORY_MB) + ["first batch"] * (first > FIRST_S)
    if options.json:
        print(json.dumps({"windows_s": found, "workers": workers, "ratios": ratios, "memory_mb": memory,
                          "first_batch_s": first, "short": short}))  # fmt: skip
        return int(bool(short))
    print(f"{options.minutes:g} minutes of {WIDTH} x {HEIGHT}, {T} frames at {SIDE} x {SIDE}, batches of {BATCH}")
    for name, rates in found.items():
        middle = median(rates)
        print(f"  {name:26s} {middle:8.1f} windows/s {1000 / middle:8.2f} ms  {workers[name]} workers")
    for name, limit in LIMITS.items():
        print(f"  {name:32s} {ratios[name]:8.2f}, at least {limit:g}: {'FALLS SHORT' if name in short else 'holds'}")
    for name in BESIDE:
        print(f"  {name:32s} {ratios[name]:8.2f}")
    for name, megabytes in memory.items():
        print(f"  private memory, {name:14s} {megabytes:8.0f} MB, at most {MEMORY_MB:g}")
    print(f"  first batch of 1,000 sessions  {first:8.2f} s, at most {FIRST_S:g}")
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
