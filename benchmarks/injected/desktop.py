"""Takes of a real game in a real window: the recorder's own command line, on displays of this program's own.

What the tests of the recorder use is used here too: their game, their hands, their servers. Where the machine lacks a
display server, a window manager or SDL, nothing is recorded and the reason is said.

Example:
    >>> def three(folder):
    ...     return record_all(folder, ["one", "two", "three"], workers=1)
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

TESTS = Path(__file__).parents[2] / "tests" / "desktop"
NEEDED = ("Xvfb", "openbox", "xdotool")
PLAY_S = 5.0
BUSY_MS, TRIES = 100.0, 3
"""A take counts as one without a fault when the game itself, by its own log, never stood for so long: on a machine that
is too busy to play, a recording is broken indeed. So often it is tried."""


def record_all(folder: Path, names: Sequence[str], *, workers: int) -> str:
    """Record takes; give why not, or what went wrong.

    Args:
        folder: Gets a session a name.
        names: Of the takes; each has a plan of its own.
        workers: Displays at a time.
    """
    if absent := [name for name in NEEDED if shutil.which(name) is None]:
        return f"no desktop game was recorded: {', '.join(absent)} is not here"
    folder.mkdir(parents=True, exist_ok=True)
    parts = [names[k::workers] for k in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return "\n".join(filter(None, pool.map(_some, [folder] * workers, parts)))


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_desktop_{name}", TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _some(folder: Path, names: Sequence[str]) -> str:
    """Record some takes, one after the other, on one display."""
    servers, game, hands, recording = (_load(name) for name in ("servers", "game", "hands", "recording"))
    said = []
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it: takes would not end
    with (
        tempfile.TemporaryDirectory(prefix="rushes-desktop-") as scratch,
        servers.programs_that_end() as programs,
        servers.run_display(),
    ):
        for name in names:
            for attempt in range(TRIES):
                here = Path(scratch) / f"{name}_{attempt}"
                here.mkdir()
                try:
                    longest_ms = _take(servers, programs, game, hands, recording, here, int(name.rpartition("_")[2]))
                except BaseException as error:  # noqa: BLE001 - the servers' own failures are no exceptions of ours
                    return f"desktop {name} and those behind it were not recorded: {str(error)[:300]}"
                if longest_ms < BUSY_MS:
                    shutil.move(here / "take", folder / name)
                    break
            else:
                said.append(
                    f"desktop {name} was left out: on a busy machine the game itself stood for {longest_ms:.0f} ms"
                )
    return "\n".join(said)


def _take(
    servers: ModuleType,
    programs: Any,
    game: ModuleType,
    hands: ModuleType,
    recording: ModuleType,
    here: Path,
    number: int,
) -> float:
    """Record one; give the longest time that the game itself showed nothing new, by its own log, in ms."""
    options = ("--relative",) if number % 2 else ()
    pit = game.start(servers, programs, here, title="Pit", options=("--at", "40", "60", *options))
    try:
        with hands.Hands() as playing:
            playing.focus(pit.window)
            running = recording.start(
                servers, programs, playing.tap, here,
                *("--game", "Pit", "--window", "Pit", "--fps", ("30", "60", "20")[number % 3]),
                *("--codec", "h264", "--layout", "capture28", "--start-immediately", "--max-seconds", "60"),
            )  # fmt: skip
            playing.perform(hands.plan(1000 + number, seconds=PLAY_S, wheel=number % 4 == 0))
            time.sleep(0.2)
            recording.stop(running)
    finally:
        programs.end(pit.program)
    taken = recording.Taken(here / "take")
    first = taken.zero_ns + int(taken.session.segments[0].start_ns)
    last = taken.zero_ns + int(taken.session.segments[-1].end_ns)
    shown = [line["t_ns"] for line in pit.lines("frame") if first <= line["t_ns"] <= last]
    return max((after - before for before, after in pairwise(shown)), default=10**12) / 1e6
