"""The real figure of our own recorder: it records the tests' game, and the game's own log is the truth.

`tests/desktop/game.py --camera` notes when it was given each input and when each of its pictures was presented, and its
pictures carry their number. So of each input that was recorded it is known which picture is the first that shows it,
when that was presented, and which recorded frame is the first with it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any, Final

import numpy as np

from rushes.model.clock import NS
from rushes.qa.subject import Subject
from rushes.worlds.steered.hands import ACTING, WALKING, keys, mouse
from rushes.worlds.synthetic import read_counter

TESTS = Path(__file__).parents[2] / "tests" / "desktop"
SECONDS, FPS = 60.0, 60
SHOWN = ("Mouse", "KeyW", "KeyA", "KeyS", "KeyD", "Space")
"""What the game reacts to."""
NEEDED: Final = ("Xvfb", "openbox")
SCALE = 0.35
"""A hand of the worlds turns far; the game's landscape is near."""
MARGIN_NS: Final = 500_000_000
"""Inputs so near to the first or last frame are left out."""
SAME_SHARE: Final = 0.99
PARTS: Final = 20
"""Stretches whose means say how sure the mean of all is; inputs near each other share a frame."""


def load(name: str) -> ModuleType:
    """Load a file of the desktop tests, which are no package."""
    full = f"desktop_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, TESTS / f"{name}.py")
        if spec is None or spec.loader is None:
            sys.exit(f"{TESTS / name}.py is not there: `--desktop` runs in a checkout")
        sys.modules[full] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full]


def acts(hands: ModuleType, seed: int) -> list[Any]:
    """Plan what is done: a mouse that looks about, and keys."""
    rng = np.random.default_rng([seed, 0xDE5])
    habits = [habit for habit in (*WALKING, *ACTING) if habit.control in SHOWN]
    found = [*mouse(rng, 0.0, SECONDS), *keys(rng, 0.0, SECONDS - 1, habits)]
    made = []
    for event in sorted(found, key=lambda one: one.t_ns):
        if event.kind == "move":
            dx, dy = round(SCALE * (event.dx or 0)), round(SCALE * (event.dy or 0))
            if dx or dy:
                made.append(hands.Act(event.t_ns / 1e9, "move", dx=dx, dy=dy))
        else:
            made.append(hands.Act(event.t_ns / 1e9, event.kind, event.control))
    return made


def record(folder: Path, seed: int) -> tuple[Any, list[dict[str, Any]]]:
    """Play and record; give the session on the game's clock, and the game's log."""
    servers, game, hands, recording = (load(name) for name in ("servers", "game", "hands", "recording"))
    with servers.programs_that_end() as programs, servers.run_display():
        pit = game.start(servers, programs, folder, title="Pit", options=("--relative", "--camera", "--seconds", "200"))
        with hands.Hands() as playing:
            playing.focus(pit.window)
            options = ("--window", "Pit", "--fps", str(FPS), "--codec", "h264", "--layout", "capture28")
            running = recording.start(
                servers, programs, playing.tap, folder, *options, "--start-immediately", "--max-seconds", "120"
            )
            playing.perform(acts(hands, seed))
            time.sleep(0.5)
            recording.stop(running)
        programs.end(pit.program)
        return recording.Taken(running.out), pit.lines()


def truth(taken: Any, log: list[dict[str, Any]]) -> dict[str, float]:
    """Work out from the log how long things took.

    Returns:
        ms. offset_ms: by the definition, from which frames the inputs are first in: the median of the middles of the
        brackets; a machine that is busy makes some far longer, which stand in offset_mean_ms alone; offset_error_ms:
        its standard error. game_ms: from when the game was given an input to when it had presented the picture with
        it; stamp_to_game_ms: from the recorded stamp to when the game was given it; recorder_ms: from when a picture
        was presented to the stamps of the frames about it, 0 where a stamp is the time of its grab.
    """
    frames = sorted((line for line in log if line["type"] == "frame"), key=lambda line: line["counter"])
    numbers, begun, done = (np.array([line[key] for line in frames]) for key in ("counter", "before_ns", "t_ns"))
    stamps, receipts = paired(taken.events, log)
    seen = np.array(taken.seen(read_counter))
    times, counters = seen[:, 0], np.maximum.accumulate(seen[:, 1])
    inside = (stamps > times[0] + MARGIN_NS) & (stamps < times[-1] - MARGIN_NS)
    stamps, receipts = stamps[inside], receipts[inside]
    drawing = np.searchsorted(begun, receipts)  # drawn after it was given; taken and drawn on one thread
    frame = np.searchsorted(counters, numbers[drawing])
    offset = ((times[frame] + times[frame - 1]) / 2 - stamps) / 1e6
    parts = np.array([np.median(part) for part in np.array_split(offset, PARTS)])
    first = np.searchsorted(counters, numbers)
    kept = (first > 0) & (first < len(times))
    waits = (times[first[kept]] + times[first[kept] - 1]) / 2 - done[kept]
    return {
        "inputs": float(len(stamps)),
        "offset_ms": float(np.median(offset)),
        "offset_mean_ms": float(offset.mean()),
        "offset_error_ms": float(parts.std(ddof=1) / np.sqrt(PARTS)),
        "game_ms": float(np.median(done[drawing] - receipts) / 1e6),
        "stamp_to_game_ms": float(np.median(receipts - stamps) / 1e6),
        "recorder_ms": float(np.median(waits) / 1e6),
        "pictures_a_second": float(NS / np.diff(done).mean()),
    }


def paired(events: Any, log: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Pair what was recorded with what the game was given: in the order of each control, from the end.

    Returns:
        (N,) int64 ns of the stamps, and of the receipts.
    """
    codes = load("game").SCANCODES
    told: dict[str, list[tuple[int, tuple[float, ...]]]] = {}
    for line in log:
        if line["type"] == "motion":
            told.setdefault("Mouse", []).append((line["t_ns"], (line["xrel"], line["yrel"])))
        elif line["type"] == "key" and not line["repeat"]:
            told.setdefault(codes.get(line["code"], ""), []).append((line["t_ns"], (float(line["down"]), 0.0)))
    pairs: list[tuple[int, int]] = []
    for control in SHOWN:
        some = events[(events["control"] == control) & events["kind"].isin(["move", "press", "release"])]
        stamps = some["t_ns"].to_numpy(np.int64)
        moved = zip(some["dx"], some["dy"], strict=True) if control == "Mouse" else None
        what = [*moved] if moved is not None else [(float(kind == "press"), 0.0) for kind in some["kind"]]
        given = told.get(control, [])
        count = min(len(given), len(stamps))
        if not count:
            continue
        same = [a == b for a, (_, b) in zip(what[-count:], given[-count:], strict=True)]
        if np.mean(same) < SAME_SHARE:
            sys.exit(f"{control}: the game was given something else than was recorded ({np.mean(same):.3f} the same)")
        pairs += zip(stamps[-count:].tolist(), (t_ns for t_ns, _ in given[-count:]), strict=True)
    both = np.array(sorted(pairs), np.int64)
    return both[:, 0], both[:, 1]


def measure_desktop(times: int) -> list[dict[str, Any]]:
    """Record so many times; give what was measured beside what is true."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        sys.exit(f"skipped: {', '.join(missing)} is not installed")
    found = []
    before = os.environ.get("DISPLAY")
    for seed in range(times):
        with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
            taken, log = record(Path(folder), seed)
            offset = Subject(taken.session).measured.offset
            found.append(truth(taken, log) | {"measured": offset.to_json(), "frames": taken.session.frame_count})
    if before is not None:
        os.environ["DISPLAY"] = before
    return found


def print_desktop(found: list[dict[str, Any]]) -> None:
    """Print a line a recording, and the middle of all."""
    print(f"our own recorder, {SECONDS:g} s at {FPS} fps of a game that draws 60 pictures a second")
    for number, one in enumerate(found):
        told = one["measured"]
        if told["ms"] is None:
            print(f"  {number}: cannot tell: {told['reason']}; true {one['offset_ms']:+.1f} ms")
            continue
        holds = "holds it" if told["low_ms"] <= one["offset_ms"] <= told["high_ms"] else "does not hold it"
        print(
            f"  {number}: measured {told['ms']:+.1f} ms ({told['low_ms']:+.1f} to {told['high_ms']:+.1f}), true "
            f"{one['offset_ms']:+.1f} ms of {one['inputs']:.0f} inputs: the interval {holds}"
        )
    for name, what in {
        "offset_ms": "true offset",
        "game_ms": "the game, from input to picture",
        "stamp_to_game_ms": "from the stamp of an input to the game",
        "recorder_ms": "from a picture's presenting to its frame's stamp, less the wait for the grab",
    }.items():
        print(f"  {what:76s} {median(one[name] for one in found):+7.2f} ms")
