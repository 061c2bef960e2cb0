"""Sound against inputs and against pictures, held to planted truth: how far off, how sure, and how often in vain.

Run it with `python benchmarks/alignment_sound.py`; `--cases 8 --idle 10 --drift 1` is the short form. The play is
`measured.sounding`: shots and jumps that sound and flash, among music, wind, a panning camera, a walker and lights.
Inputs and sound, and sound and pictures, lie up to 200 ms apart either way and drift by up to 200 ppm; frames come at
20, 30 or 60 Hz, some are dropped; some games look at their inputs 60 or 30 times a second only. The seeds are not those
used while tuning.

- `cases`: of a minute; what could not be told counts against the share answered alone;
- `drift`: of ten minutes;
- `idle`: of a minute: nothing that sounds follows from an input, and no picture from what sounds: music, silence, each
  for itself, a person who answers what is heard, one who presses on the beat. To answer there is a false claim.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from measured.sounding import IDLE, TIED, Sounding
from rushes.qa.alignment.sound import measure_sounds
from rushes.qa.subject import Subject

BARS = {
    "answered %": (">=", 90.0),
    "median |error| ms": ("<=", 8.0),
    "95 % of |error| ms": ("<=", 33.0),
    "interval holds it %": (">=", 85.0),
    "drift |error| p95 ppm": ("<=", 10.0),
    "claims %": ("<=", 1.0),
}
WORST = 5


@dataclass(frozen=True)
class Said:
    """What was said of a case, beside the truth; None where it could not be told."""

    number: int
    kind: str
    between: str
    true_ms: float
    true_ppm: float
    ms: float | None
    low_ms: float | None
    high_ms: float | None
    ppm: float | None
    reason: str

    @property
    def error_ms(self) -> float:
        """How far off it is; NaN where it was not told."""
        return float("nan") if self.ms is None else self.ms - self.true_ms


def measure(number: int, kinds: tuple[str, ...], seconds: float) -> list[Said]:
    """Make a case and measure it: what was said of inputs and sound, and of sound and pictures."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([number, 70])
    kind = kinds[number % len(kinds)]
    far = {name: float(rng.uniform(-200, 200)) for name in ("input_ms", "picture_ms", "input_ppm", "picture_ppm")}
    rates = {"rate_hz": float(rng.choice([20, 30, 60])), "tick_hz": float(rng.choice([0, 60, 30]))}
    play = Sounding(kind, seed=number, seconds=seconds, **far, **rates)
    truth = {
        "input_sound": (play.true_ms, far["input_ppm"]),
        "sound_picture": (far["picture_ms"], far["picture_ppm"]),
    }
    found = []
    subject = Subject(play)
    vars(subject)["signs"] = play.signs()  # a fifth of the time of reading all of them
    for _, offset in measure_sounds(subject):
        told = (offset.ms, offset.low_ms, offset.high_ms, offset.drift_ppm, offset.reason)
        ms, ppm = truth[offset.between]
        if offset.known:  # the truth holds in the middle of the play, the measured one in the middle of its evidence
            ms += ppm * 1e-3 * (offset.at_ns / 1e9 - seconds / 2)
        found.append(Said(number, kind, offset.between, ms, ppm, *told))
    return found


def figures(said: list[Said]) -> dict[str, float]:
    """Sum cases up."""
    known = [one for one in said if one.ms is not None]
    found = {"cases": float(len(said)), "answered %": 100 * len(known) / len(said)}
    if not known:
        return found
    error = np.array([one.error_ms for one in known])
    held = [one.low_ms <= one.true_ms <= one.high_ms for one in known]  # type: ignore[operator]
    found |= {
        "median |error| ms": float(np.median(abs(error))),
        "95 % of |error| ms": float(np.quantile(abs(error), 0.95)),
        "mean error ms": float(error.mean()),
        "median half-width ms": float(np.median([(one.high_ms - one.low_ms) / 2 for one in known])),  # type: ignore[operator]
        "interval holds it %": 100 * float(np.mean(held)),
    }
    drift = np.array([one.ppm - one.true_ppm for one in known if one.ppm is not None])
    if len(drift):
        found["drift told %"] = 100 * len(drift) / len(said)
        found["drift |error| median ppm"] = float(np.median(abs(drift)))
        found["drift |error| p95 ppm"] = float(np.quantile(abs(drift), 0.95))
    return found


def print_figures(found: dict[str, float], *, drift: bool = False) -> None:
    """Print a line a figure, its bar beside it; the bar of drift is that of ten minutes."""
    for name, value in found.items():
        way, bar = BARS.get(name, ("", 0.0))
        said = ""
        if way and (drift or not name.startswith("drift")):
            holds = value >= bar if way == ">=" else value <= bar
            said = f"{way} {bar:g}: {'holds' if holds else 'FALLS SHORT'}"
        print(f"  {name:28s} {value:10.4g}   {said}".rstrip())


def print_said(said: list[Said], *, drift: bool = False) -> dict[str, Any]:
    """Print the figures of both distances, and what is farthest off."""
    found = {}
    for between in ("input_sound", "sound_picture"):
        some = [one for one in said if one.between == between]
        print(between)
        found[between] = figures(some)
        print_figures(found[between], drift=drift)
        for kind in sorted({one.kind for one in some}):
            own = figures([one for one in some if one.kind == kind])
            print(f"  {kind:8s}", ", ".join(f"{name} {value:.4g}" for name, value in own.items() if name != "cases"))
        for one in sorted((s for s in some if s.ms is not None), key=lambda s: -abs(s.error_ms))[:WORST]:
            print(
                f"    seed {one.number} {one.kind}: {one.error_ms:+.1f} ms off "
                f"({one.low_ms:+.1f} to {one.high_ms:+.1f})"
            )
        for one in [s for s in some if s.ms is None][:WORST]:
            print(f"    seed {one.number} {one.kind}: {one.reason}")
    return found


def print_idle(said: list[Said]) -> dict[str, Any]:
    """Print how often it claims to know where there is nothing to know."""
    found = {}
    for between in ("input_sound", "sound_picture"):
        some = [one for one in said if one.between == between]
        claims = [one for one in some if one.ms is not None]
        found[between] = {"clips": float(len(some)), "claims %": 100 * len(claims) / len(some)}
        print(f"idle, {between}")
        print_figures(found[between])
        for one in claims[:WORST]:
            print(f"    seed {one.number} {one.kind}: {one.ms:+.1f} ms ({one.low_ms:+.1f} to {one.high_ms:+.1f})")
    return found


def run(numbers: Iterable[int], kinds: tuple[str, ...], seconds: float, workers: int) -> list[Said]:
    """Measure cases in processes."""
    asked, found = list(numbers), list[Said]()
    if not asked:
        return found
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        several = pool.map(measure, asked, [kinds] * len(asked), [seconds] * len(asked))
        for number, said in enumerate(several, start=1):
            found += said
            print(f"\r{number}/{len(asked)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--drift", type=int, default=12, help="cases of ten minutes")
    parser.add_argument("--idle", type=int, default=150)
    parser.add_argument("--seed", type=int, default=10_000, help="number of the first case; below 1000 is for tuning")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write figures and cases here")
    asked = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # of the processes: a core each
    results: dict[str, Any] = {}
    first = asked.seed
    for leg, count, kinds, seconds in (
        ("cases", asked.cases, TIED, 60.0),
        ("drift", asked.drift, TIED, 600.0),
        ("idle", asked.idle, IDLE, 60.0),
    ):
        if said := run(range(first, first + count), kinds, seconds, asked.workers):
            print(f"{leg}, {seconds:g} s")
            summed = print_idle(said) if leg == "idle" else print_said(said, drift=leg == "drift")
            results[leg] = {"figures": summed, "each": [asdict(one) for one in said]}
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
