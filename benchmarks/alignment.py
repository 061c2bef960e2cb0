"""Alignment against planted truth: how far a measured offset is from the true one, and how sure it is rightly.

Run it with `make bench` or `python benchmarks/alignment.py`; `--cases 8 --idle 8 --drift 0` is the short form. The
worlds are `rushes.worlds.steered`: a mouse or a stick turns a camera, keys scroll a landscape or change small things,
some do all of it, among walkers, clouds, blinking lamps, noise and flicker. Offsets lie within 200 ms either way,
drifts within 200 ppm, frames come at 20, 30 or 60 Hz with jitter and drops, some games draw at a rate of their own, and
every fourth case goes through H.264 and the disk. The seeds are not those used while tuning.

- `cases`: of at least 60 s with at least 50 edges or 20 s of motion; what could not be told counts against the share
  answered alone;
- `drift`: cases of ten minutes;
- `idle`: clips in which nothing that is seen follows from an input; to answer there is a false claim;
- `--desktop`: the real figure of our own recorder: it records the tests' game with real inputs on a display of its own,
  and the game's log says when each input was given to it and when the picture that shows it was presented.

An error in frames is in frames of that recording.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2

from measured.steered_cases import Case, Said, drifting, failed, idle, measure, steered
from measured.truth_table import by, drift_figures, figures, idle_figures, verdict
from rushes.worlds.steered.play import IDLE, STEERED

WORST = 5
"""So many of the farthest off are named, with their seeds."""


def one_thread() -> None:
    """Keep OpenCV to the core of its process."""
    cv2.setNumThreads(1)


def run(cases: Iterable[Case], workers: int, what: str) -> list[Said]:
    """Measure cases in processes, and say how far it is."""
    asked = list(cases)
    if not asked:
        return []
    found: list[Said] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        waiting = {pool.submit(measure, case): case for case in asked}
        for number, done in enumerate(as_completed(waiting), start=1):
            error = done.exception()
            found.append(failed(waiting[done], error) if error else done.result())
            print(f"\r{what}: {number}/{len(asked)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return sorted(found, key=lambda said: said.number)


def print_figures(found: dict[str, float]) -> None:
    """Print a line a figure, its bar beside it."""
    for name, value in found.items():
        print(f"  {name:32s} {value:10.4g}   {verdict(name, value)}".rstrip())


def print_cases(said: list[Said]) -> None:
    """Print the figures of all, then of each kind, rate and way."""
    print("cases")
    print_figures(figures(said))
    ways: dict[str, Callable[[Said], str]] = {
        "kind": lambda one: one.kind,
        "rate": lambda one: f"{one.rate_hz:g} Hz",
        "read from": lambda one: "H.264" if one.film else "memory",
        "game's own rate": lambda one: own_rate(one.world),
        "camera": lambda one: "eases in" if one.world["ease_ms"] else "at once",
    }
    for name, what in ways.items():
        print(f"by {name}")
        print("\n".join(by(said, what)))
    print("farthest off")
    for one in sorted((s for s in said if s.ms is not None), key=lambda s: -abs(s.error_frames))[:WORST]:
        print(
            f"  seed {one.number} {one.kind}: {one.ms:+.1f} for {one.true_ms:+.1f} ms, {one.error_frames:+.2f} frames"
        )
    silent = [s for s in said if s.ms is None]
    for one in silent[:WORST]:
        print(f"  seed {one.number} {one.kind}: cannot tell: {one.reason}")


def own_rate(world: dict[str, Any]) -> str:
    """Say how the game's rate stands to the recorder's."""
    if not world["screen_hz"]:
        return "as grabbed"
    return "slower" if world["screen_hz"] < world["rate_hz"] else "quicker"


def print_idle(said: list[Said]) -> None:
    """Print how often it claims to know, by kind."""
    print("idle")
    print_figures(idle_figures(said))
    for kind in sorted({one.kind for one in said}):
        some = [one for one in said if one.kind == kind]
        claims = [one.number for one in some if one.ms is not None]
        print(f"  {kind:18s} {len(some):5d} clips, {len(claims)} claims {claims or ''}".rstrip())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--idle", type=int, default=300)
    parser.add_argument("--drift", type=int, default=20, help="cases of ten minutes")
    parser.add_argument("--seed", type=int, default=10_000, help="number of the first case; below 1000 is for tuning")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kinds", default="", help="only these kinds, with commas between them")
    parser.add_argument(
        "--desktop", type=int, default=0, nargs="?", const=3, help="record the tests' game so many times"
    )
    parser.add_argument("--json", type=Path, help="also write figures and cases here")
    asked = parser.parse_args()
    kinds = asked.kinds.split(",") if asked.kinds else [*STEERED, *IDLE]
    moving, still = [k for k in STEERED if k in kinds], [k for k in IDLE if k in kinds]
    results: dict[str, Any] = {}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # for the processes that measure
    if asked.desktop:
        from measured.desktop_truth import measure_desktop, print_desktop

        results["desktop"] = measure_desktop(asked.desktop)
        print_desktop(results["desktop"])
    numbers = range(asked.seed, asked.seed + asked.cases if moving and not asked.desktop else asked.seed)
    if said := run((steered(n, moving) for n in numbers), asked.workers, "cases"):
        print_cases(said)
        results["cases"] = {"figures": figures(said), "each": [one.to_json() for one in said]}
    numbers = range(asked.seed, asked.seed + asked.drift if moving and not asked.desktop else asked.seed)
    if said := run((drifting(n, moving) for n in numbers), asked.workers, "drift"):
        print("drift over ten minutes")
        print_figures(drift_figures(said))
        for one in said:
            print(f"  seed {one.number} {one.kind:14s} {one.drift_ppm:+7.1f} ppm, error {one.drift_error_ppm:+7.2f}")
        results["drift"] = {"figures": drift_figures(said), "each": [one.to_json() for one in said]}
    numbers = range(asked.seed, asked.seed + asked.idle if still and not asked.desktop else asked.seed)
    if said := run((idle(n, still) for n in numbers), asked.workers, "idle"):
        print_idle(said)
        results["idle"] = {"figures": idle_figures(said), "each": [one.to_json() for one in said]}
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
