"""How long the rules take: all of them against decoding the film, and the quick ones in a fresh process.

Example:
    >>> def both(work):
    ...     return speed(work, frames=900, rounds=1)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

import av

from injected.played import Pixels, Played, readings
from measured import footage
from rushes.qa.base import examine
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

TEN_MINUTES = 600.0
RATIO, QUICK_MS = 3.0, 50.0
_QUICK = """
import sys, time
from rushes.qa.base import every_rule, examine
from rushes.store.reader import open_session
every_rule()
started = time.perf_counter()
session = open_session(sys.argv[1])
opened = time.perf_counter()
examine(session, quick=True)
print((opened - started) * 1e3, (time.perf_counter() - opened) * 1e3)
"""


class Filmed(Played):
    """Play that shows moving, game-like footage; its pictures are read in order."""

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """See `Recording`."""
        return islice(footage.frames(stop), start, stop)


def speed(work: Path, *, seconds: float = TEN_MINUTES, rounds: int = 5) -> dict[str, tuple[float, float]]:
    """Measure; return figure -> (value, limit or 0).

    Args:
        work: Folder that keeps the session.
        seconds: Its length.
        rounds: Of which the medians are given; the legs take turns.
    """
    path = work / f"speed_{seconds:g}"
    if not (path / "session.json").exists():
        take = Filmed(seed=7, seconds=(seconds,), size=(footage.HEIGHT, footage.WIDTH))
        with SessionWriter(path, take.info, chunk_frames=3000) as writer:
            for reading in readings(take):
                writer.write(reading)
    whole, decoded, ratios = [], [], []
    for _ in range(rounds):
        decoded.append(_decode(path))
        started = time.perf_counter()
        examine(open_session(path))
        whole.append(time.perf_counter() - started)
        ratios.append(whole[-1] / decoded[-1])
    quick = [_quick(path) for _ in range(2 * rounds + 1)]
    return {
        "ten minutes of 640 x 360 H.264 decoded once, s": (median(decoded), 0.0),
        "all rules on it, s": (median(whole), 0.0),
        "all rules, in times of decoding it": (median(ratios), RATIO),
        "quick rules on it in a fresh process, ms": (median(ms for _, ms in quick), QUICK_MS),
        "the same with opening the session, ms": (median(opening + ms for opening, ms in quick), 0.0),
    }


def _decode(path: Path) -> float:
    """Decode all films to RGB by a few lines of PyAV."""
    started = time.perf_counter()
    for film in sorted(path.glob("chunks/*/frames.mp4")):
        with av.open(str(film)) as container:
            for picture in container.decode(video=0):
                picture.to_ndarray(format="rgb24")
    return time.perf_counter() - started


def _quick(path: Path) -> tuple[float, float]:
    """Give the ms of opening and of the quick rules in a process of its own."""
    said = subprocess.run([sys.executable, "-c", _QUICK, str(path)], capture_output=True, text=True, check=True)
    opening, rules = said.stdout.split()
    return float(opening), float(rules)
