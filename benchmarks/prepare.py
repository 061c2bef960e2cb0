"""Labelled samples of ten minutes of play, timed against decoding the film once with two processes.

Run it with `make bench` or `python benchmarks/prepare.py`; `--quick` is the short form. It makes one session of
640 x 360 at 30 frames a second from the synthetic scenery, as H.264, with hands that tap, hold and do something else.
The legs take turns, and each figure is the median of the rounds:

- `decode`: the film decoded once, to RGB, by a few lines of PyAV in two processes that are there already, each half of
  it; nothing is done with the pictures;
- `rows`: pairs and the kinds of negatives that need no pixels, on a session that was just opened;
- `looks`: pairs and negatives with hard ones: tiny pictures and hashes of all positives and of all frames that are no
  positive, in one pass over the film;
- `small`: the first frames decoded and made 227 x 227 by `rushes.store.resized` on all cores, and nothing else;
- `copies`: `read_pictures` over a row for each of the same frames, transformed as the preset `jumpnet` draws;
- `with originals`: the same frames, each as a plain row and two transformed ones.

`beyond the imports` is the most that RssAnon of this process was during `rows` and `looks`, less what it was before.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np

from measured.memory import Most, anonymous
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Event, Frame, Gap, Start
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.model.session import SessionInfo, StreamSpec
from rushes.prepare.augment import augment
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.prepare.reading import SIZE as SIDE
from rushes.prepare.reading import read_pictures
from rushes.store.reader import Session, open_session
from rushes.store.resized import resized
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

SIZE, RATE_HZ = (360, 640), 30.0
STEP = 1_000_000_000 // 30
WITHOUT = "uniform=1x,near_miss=1x,idle=1x,during_hold=1x,shifted=1x"
WITH = "uniform=1x,near_miss=1x,during_hold=1x,hard=1x"
ROWS_S, LOOKS, BEYOND_MB, READING = 2.0, 1.3, 500.0, 0.7
READ = 3_000
"""Frames of the legs that read pictures."""
TEN_MINUTES = 18_000


def make(path: Path, frames: int) -> None:
    """Record the scenery with hands: a press of Space about once a second, every fourth held, and A and D beside it."""
    scenery, (height, width) = Scenery(SIZE), SIZE
    streams = (
        StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=RATE_HZ),
        StreamSpec("events", "events", unit="counts"),
    )
    source = {"kind": "synthetic", "name": "bench"}
    info = SessionInfo("bench", "Scenery", source, "measured", streams, ActionSpace.from_layout("capture28"))
    encoder = VideoEncoder("h264", width=width, height=height, rate_hz=RATE_HZ)
    rng, waiting = np.random.default_rng(0), []
    for number in range(frames // 30):
        down = number * 30 + int(rng.integers(2, 8))
        up = down + (15 if number % 4 == 0 else 2)
        waiting += [(down, "Space", "press"), (up, "Space", "release")]
        waiting += [(down + 3, "AD"[number % 2], "press"), (down + 9, "AD"[number % 2], "release")]
    waiting.sort()
    with SessionWriter(path, info) as writer:
        writer.write(Start(0, {}))
        for k in range(frames):
            data = encoder.encode(scenery.picture(k))
            writer.write(Frame(k * STEP, Encoded("h264", data, encoder.last_was_key)))
            while waiting and waiting[0][0] == k:
                _, name, kind = waiting.pop(0)
                control = name if name == "Space" else f"Key{name}"
                writer.write(Event(k * STEP + 1_000_000, "keyboard", control, kind))
        writer.write(Gap(frames * STEP, "stop"))


def film_half(path: str, first: int, stop: int) -> int:
    """Decode pictures of a film to RGB."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        start = next(p.pts for k, p in enumerate(container.demux(stream)) if k == first)
        container.seek(start, stream=stream)
        done = 0
        for picture in container.decode(stream):
            if picture.pts < start:
                continue
            picture.to_ndarray(format="rgb24")
            done += 1
            if done == stop - first:
                break
    return done


def decode(pool: ProcessPoolExecutor, session: Path, frames: int) -> float:
    """Give the seconds that two processes take."""
    (chunk,) = (session / "chunks").iterdir()
    film = str(chunk / "frames.mp4")
    started = time.perf_counter()
    halves = [pool.submit(film_half, film, a, b) for a, b in ((0, frames // 2), (frames // 2, frames))]
    assert sum(half.result() for half in halves) == frames
    return time.perf_counter() - started


def rows(session: Path) -> float:
    """Give the seconds that rows without pixels take."""
    started = time.perf_counter()
    opened = open_session(session)
    presses, _ = press_release(opened, "Space")
    others = negatives(presses, opened, kinds=WITHOUT, pixels=False)
    assert set(others.count()) == {part.partition("=")[0] for part in WITHOUT.split(",")}
    return time.perf_counter() - started


def looks(session: Path) -> float:
    """Give the seconds that rows with hard negatives and the hashes of all free frames and positives take."""
    started = time.perf_counter()
    opened = open_session(session)
    presses, _ = press_release(opened, "Space")
    others = negatives(presses, opened, kinds=WITH)
    assert others.count()["hard"] == len(presses)
    return time.perf_counter() - started


def small(session: Session, frames: int) -> float:
    """Give frames a second, decoded and made small."""
    started = time.perf_counter()
    assert sum(len(pictures) for pictures in resized(session, np.arange(frames), size=SIDE)) == frames
    return frames / (time.perf_counter() - started)


def reading(session: Session, samples: Samples) -> float:
    """Give rows a second, transformed."""
    started = time.perf_counter()
    assert sum(len(pictures.rows) for pictures in read_pictures(samples, [session])) == len(samples)
    return len(samples) / (time.perf_counter() - started)


def rows_of_frames(session: Session, frames: int) -> tuple[Samples, Samples]:
    """Make one transformed row a frame; and of each frame a plain one and two transformed."""
    space, times = session.info.action_space, session.index()["t_ns"].tolist()
    plain = {"session": session.info.id, "control": "Space", "label": 1.0, "keys": np.zeros(len(space)), "group": "g"}
    made = [plain | {"sample_id": f"{k}", "frame_index": k, "t_ns": times[k]} for k in range(frames)]
    three = augment(Samples(samples_frame(made), space), recipe="jumpnet", copies=2)
    first = three.rows["sample_id"].str.endswith("+1")
    return replace(three, rows=three.rows[first].reset_index(drop=True)), three


def measure(path: Path, frames: int, rounds: int, pool: ProcessPoolExecutor) -> dict[str, float]:
    """Take turns; return the medians."""
    make(path, frames)
    decode(pool, path, frames)
    cv2.resize(np.zeros((8, 8, 3), np.uint8), (4, 4))  # loaded before it is measured
    before = anonymous()
    legs: dict[str, list[float]] = {name: [] for name in ("decode", "rows", "looks", "small", "copies", "originals")}
    most = 0
    for _ in range(rounds):
        with Most() as memory:
            legs["rows"].append(rows(path))
            legs["looks"].append(looks(path))
        most = max(most, memory.most)
        legs["decode"].append(decode(pool, path, frames))
    session, read = open_session(path), min(frames, READ)
    one, three = rows_of_frames(session, read)
    for _ in range(rounds):
        legs["copies"].append(reading(session, one))
        legs["small"].append(small(session, read))
        legs["originals"].append(reading(session, three))
    ratio = median(b / a for a, b in zip(legs["decode"], legs["looks"], strict=True))
    return {
        "decode once, s": median(legs["decode"]),
        "rows without pixels, s": median(legs["rows"]),
        "hard negatives and hashes, s": median(legs["looks"]),
        "ratio to decoding once": ratio,
        "memory beyond the imports, MB": (most - before) / 1e6,
        "small frames, 1/s": median(legs["small"]),
        "transformed rows, 1/s": median(legs["copies"]),
        "ratio to small frames": median(b / a for a, b in zip(legs["small"], legs["copies"], strict=True)),
        "with originals, rows 1/s": median(legs["originals"]),
        "with originals, ratio": median(b / a for a, b in zip(legs["small"], legs["originals"], strict=True)),
    }


def main() -> int:
    """Print the figures; exit 1 when one falls short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=TEN_MINUTES, help="frames of the session")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="1800 frames, 3 rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    frames, rounds = (1800, 3) if options.quick else (options.frames, options.rounds)
    with (
        tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder,
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
    ):
        found = measure(Path(folder) / "session", frames, rounds, pool)
    limits = {
        "rows without pixels, s": ROWS_S,
        "ratio to decoding once": LOOKS,
        "memory beyond the imports, MB": BEYOND_MB,
    }
    least = {"ratio to small frames": READING, "with originals, ratio": READING}
    short = [name for name, limit in limits.items() if found[name] > limit]
    short += [name for name, limit in least.items() if found[name] < limit]
    if options.json:
        print(json.dumps({"frames": frames, "rounds": rounds, "limits": limits, "least": least, "found": found}))
    else:
        print(f"{frames} frames of {SIZE[1]} x {SIZE[0]} H.264, {rounds} rounds")
        for name, value in found.items():
            bound = (
                f"at most {limits[name]:g}" if name in limits else f"at least {least[name]:g}" if name in least else ""
            )
            said = f"  {bound}: {'FALLS SHORT' if name in short else 'holds'}" if bound else ""
            print(f"  {name:32s} {value:8.2f}{said}")
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
