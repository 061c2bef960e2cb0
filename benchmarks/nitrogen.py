"""Conversion to a training file, as a ratio to the smaller of two limits of the same run.

Run it with `make bench` or `python benchmarks/nitrogen.py`; `--quick` is the short form. It makes two sessions of
1280 x 720 from the synthetic scenery, one as H.264 and one as PNG, and converts each to `nitrogen_pt` with 256 px and
float32. The legs take turns, and each figure is the median of the rounds:

- `decode`: the same frames decoded and resized by a few lines of PyAV or Parquet and OpenCV, in two processes that are
  there already, each half of the session; nothing is done with the pictures;
- `disk`: as many bytes written into a file beside, from one buffer, with fsync: in one go, and with a wait every 32 MB,
  after which the pages are let go; the faster of the two counts;
- `convert`: `rushes.formats.base.convert`, the file and its card whole and on the disk.

`anonymous` is the most that RssAnon of the converting process was while it converted, libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
import torch

from measured.memory import Most
from rushes.formats.base import convert
from rushes.formats.nitrogen.pt import NitrogenPt  # noqa: F401 - loaded before it is measured
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_session
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

SIZE, SIDE, RATE_HZ, SEQ_LEN = (720, 1280), 256, 30.0, 16
LIMIT = 0.8
STEP = 1_000_000_000 // 30
PIECE, SYNC = 8_000_000, 32_000_000


def make(path: Path, codec: str, frames: int) -> None:
    """Record the scenery with a hand that presses a key now and then."""
    scenery, (height, width) = Scenery(SIZE), SIZE
    streams = (
        StreamSpec("screen", "frames", codec, exact=codec == "png", width=width, height=height, rate_hz=RATE_HZ),
        StreamSpec("events", "events", unit="counts"),
    )
    source = {"kind": "synthetic", "name": "bench"}
    info = SessionInfo("bench", "Scenery", source, "measured", streams, ActionSpace.from_layout("capture28"))
    encoder = VideoEncoder(codec, width=width, height=height, rate_hz=RATE_HZ) if codec != "png" else None
    with SessionWriter(path, info) as writer:
        writer.write(Start(0, {}))
        for k in range(frames):
            pixels = scenery.picture(k)
            if encoder is not None:
                data = encoder.encode(pixels)
                writer.write(Frame(k * STEP, Encoded(codec, data, encoder.last_was_key)))
            else:
                writer.write(Frame(k * STEP, pixels))
            writer.write(Event(k * STEP + 1, "keyboard", "KeyW", "press" if k % 2 else "release"))
            writer.write(Event(k * STEP + 2, "mouse", "Mouse", "move", dx=float(k % 7 - 3), dy=1.0))
        writer.write(Gap(frames * STEP, "stop"))


def film_half(path: str, first: int, stop: int) -> int:
    """Decode pictures of a film and make them small."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        start = next(p.pts for k, p in enumerate(container.demux(stream)) if k == first)
        container.seek(start, stream=stream)
        done = 0
        for picture in container.decode(stream):
            if picture.pts < start:
                continue
            cv2.resize(picture.to_ndarray(format="rgb24"), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            done += 1
            if done == stop - first:
                break
    return done


def png_half(path: str, first: int, stop: int) -> int:
    """Decode stored PNG files and make them small."""
    at = done = 0
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        if at + count > first and at < stop:
            for k, data in enumerate(file.read_row_group(group, columns=["data"])["data"].to_pylist(), at):
                if first <= k < stop:
                    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
                    cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
                    done += 1
        at += count
    return done


def decode(pool: ProcessPoolExecutor, session: Path, frames: int) -> float:
    """Give frames a second of two processes."""
    (chunk,) = (session / "chunks").iterdir()
    film = chunk / "frames.mp4"
    work, path = (film_half, film) if film.exists() else (png_half, chunk / "images.parquet")
    started = time.perf_counter()
    halves = [pool.submit(work, str(path), a, b) for a, b in ((0, frames // 2), (frames // 2, frames))]
    done = sum(half.result() for half in halves)
    assert done == frames
    return done / (time.perf_counter() - started)


def disk(folder: Path, size: int, *, wait: bool) -> float:
    """Give bytes a second."""
    piece = np.random.default_rng(0).integers(0, 256, PIECE, np.uint8).data
    path = folder / "disk.bin"
    started = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        handle = file.fileno()
        for at in range(0, size, PIECE):
            file.write(piece[: min(PIECE, size - at)])
            if wait and at % SYNC == 0:
                os.fdatasync(handle)
                os.posix_fadvise(handle, 0, at, os.POSIX_FADV_DONTNEED)
        os.fsync(handle)
    taken = time.perf_counter() - started
    path.unlink()
    return size / taken


def measure(folder: Path, codec: str, frames: int, rounds: int, pool: ProcessPoolExecutor) -> dict[str, float]:
    """Take turns; return the medians."""
    path, target = folder / codec, folder / "out" / "game.pt"
    make(path, codec, frames)
    session = open_session(path)
    windows = frames - SEQ_LEN + 1
    legs: dict[str, list[float]] = {name: [] for name in ("decode", "disk", "convert", "size", "ratio")}
    most = 0
    decode(pool, path, frames)
    for _ in range(rounds):
        started = time.perf_counter()
        with Most() as anonymous:
            convert(session, target, format="nitrogen_pt", options=[f"img_size={SIDE}"])
        taken = time.perf_counter() - started
        size, most = target.stat().st_size, max(most, anonymous.most)
        shutil.rmtree(target.parent)
        legs["decode"].append(decode(pool, path, frames))
        target.parent.mkdir()
        legs["disk"].append(max(disk(target.parent, size, wait=wait) for wait in (False, True)))
        legs["convert"].append(windows / taken)
        legs["size"].append(size)
        limit = min(legs["decode"][-1], legs["disk"][-1] / (size / windows))
        legs["ratio"].append(windows / taken / limit)
    frame = median(legs["size"]) / windows
    return {
        "decode and resize, frames/s": median(legs["decode"]),
        "disk, MB/s": median(legs["disk"]) / 1e6,
        "disk, frames/s": median(legs["disk"]) / frame,
        "conversion, frames/s": median(legs["convert"]),
        "conversion, MB/s": median(legs["convert"]) * frame / 1e6,
        "ratio to the smaller limit": median(legs["ratio"]),
        "anonymous memory, MB": most / 1e6,
    }


def main() -> int:
    """Print the figures; exit 1 when a ratio falls short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1800, help="frames a session")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="400 frames, 3 rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    frames, rounds = (400, 3) if options.quick else (options.frames, options.rounds)
    with (
        tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder,
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
    ):
        torch.zeros(1)
        found = {codec: measure(Path(folder), codec, frames, rounds, pool) for codec in ("h264", "png")}
    if options.json:
        print(json.dumps({"frames": frames, "rounds": rounds, "limit": LIMIT, "found": found}))
    else:
        for codec, figures in found.items():
            print(f"{codec}: {frames} frames of 1280 x 720 to {SIDE} px float32, {rounds} rounds")
            for name, value in figures.items():
                print(f"  {name:28s} {value:8.2f}" if value < 10 else f"  {name:28s} {value:8.0f}")
            short = figures["ratio to the smaller limit"] < LIMIT
            print(f"  at least {LIMIT}: {'FALLS SHORT' if short else 'holds'}")
    return int(any(figures["ratio to the smaller limit"] < LIMIT for figures in found.values()))


if __name__ == "__main__":
    sys.exit(main())
