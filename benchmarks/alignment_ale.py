"""Alignment of emulator games: are shifts by whole steps found exactly?

Run it with `python benchmarks/alignment_ale.py` (104 games, two policies, 1,500 steps each; an hour on two cores), or
in short with `--games Pong,Alien,Skiing --steps 600`. Every session's actions are moved by -3 to +3 steps, drawn by
seed, within each episode. What is true comes from interventions in the emulator on the very play that is measured
(`measured/stepped.py`): after how many steps an action is first seen there, plus the shift. Two ways are measured:

- `pictures`: from pictures and actions alone, as for an import;
- `replay`: the session says its game and seed, so the environment may be asked; pictures where that tells nothing.

`exact` is the share of sessions in which actions move anything, that is, in which another action gives another picture
at `MOVES` of the steps or more, whose offset in steps is the true one. A game may show some actions one step later than
others, by its own frame counter; the true latency is then the first step that shows a tenth of them, and games whose
most frequent one is another are named. `claims` is the share of sessions whose actions were replaced by those of
another episode and for which an offset was told all the same. Tuned on seeds below 1000. Exit status 1 where the
figures fall short of 95 % exact or 1 % claims.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import cv2
import numpy as np

POLICIES = ("uniform", "persistent")
MOVES = 0.1
"""Share of steps at which another action must give another picture."""
EXACT, CLAIMS = 0.95, 0.01


class Case(NamedTuple):
    """One session.

    Attributes:
        game: Its game.
        policy: Who played.
        shift: Steps by which its actions were moved.
        moves: Share of steps at which actions move anything.
        latency: Steps that the game takes, and `modal` the most frequent number of them.
        modal: See there.
        pictures: Steps that were told from pictures and actions, None for "cannot tell".
        replay: The same with replay.
        unrelated: Steps that were told of another episode's actions.
        strength: Of the strongest lag.
    """

    game: str
    policy: str
    shift: int
    moves: float
    latency: int
    modal: int
    pictures: float | None
    replay: float | None
    unrelated: float | None
    strength: float

    @property
    def true(self) -> int:
        """Steps by which actions are shifted, the game's own latency included."""
        return self.shift + self.latency


def run(game: str, policy: str, steps: int, seed: int) -> Case:
    """Sample, shift, measure and intervene; runs in a worker."""
    from measured.stepped import Moved, intervene
    from rushes.capture.env.sample import sample
    from rushes.qa.alignment.steps import measure_steps
    from rushes.qa.subject import Subject

    cv2.setNumThreads(1)
    shift = int(np.random.default_rng([seed, crc32(game.encode()), POLICIES.index(policy)]).integers(-3, 4))
    with tempfile.TemporaryDirectory() as folder:
        report = sample(Path(folder) / "out", game, frames_per_env=steps, policy=policy, seed=seed, workers=1)
        recording = report.sessions[0]
        truth = intervene(recording)
        moved = Moved(recording, shift=shift)
        pictures, _ = measure_steps(Subject(moved), replay=False)
        replay, _ = measure_steps(Subject(moved))
        unrelated, _ = measure_steps(Subject(Moved(recording, other=True)), replay=False)
    told = (pictures.frames, replay.frames, unrelated.frames)
    strength = float(pictures.evidence.get("strength", 0.0))
    return Case(game, policy, shift, truth.moves, truth.latency, truth.modal, *told, strength)


def shares(cases: Sequence[Case]) -> dict[str, float]:
    """Give the figures of some cases."""
    moving = [case for case in cases if case.moves >= MOVES]
    count = max(len(moving), 1)
    return {
        "sessions": len(cases),
        "moving": len(moving),
        "answered": sum(case.pictures is not None for case in moving) / count,
        "exact": sum(case.pictures == case.true for case in moving) / count,
        "exact of answered": sum(case.pictures == case.true for case in moving)
        / max(sum(case.pictures is not None for case in moving), 1),
        "exact by replay": sum(case.replay == case.true for case in moving) / count,
        "claims": sum(case.unrelated is not None for case in cases) / max(len(cases), 1),
    }


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", default="atari", help="names with commas between them, or atari: all 104")
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from rushes.worlds.atari import atari_ids
    from rushes.worlds.catalog import resolve_games

    games = list(atari_ids() if options.games == "atari" else resolve_games(options.games))
    policies = options.policies.split(",")
    jobs = [(game, policy, options.steps, options.seed) for game in games for policy in policies]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cases: list[Case] = []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for case in pool.map(run, *zip(*jobs, strict=True)):
            cases.append(case)
            print(f"{len(cases)}/{len(jobs)} {case}", file=sys.stderr, flush=True)
    figures = {policy: shares([case for case in cases if case.policy == policy]) for policy in policies}
    figures["all"] = shares(cases)
    short = figures["all"]["exact"] < EXACT or figures["all"]["claims"] > CLAIMS
    if options.json:
        print(json.dumps({"figures": figures, "cases": [case._asdict() | {"true": case.true} for case in cases]}))
        return int(short)
    report(cases, figures)
    return int(short)


def report(cases: Sequence[Case], figures: dict[str, dict[str, float]]) -> None:
    """Print tables."""
    names = list(figures["all"])
    print("| policy | " + " | ".join(names) + " |\n| --- |" + " ---: |" * len(names))
    for policy, row in figures.items():
        print(
            f"| {policy} | "
            + " | ".join(f"{row[n]:.1%}" if isinstance(row[n], float) else f"{row[n]}" for n in names)
            + " |"
        )
    print(f"\nmoving: another action gives another picture at {MOVES:.0%} of the steps or more\n")
    print("| game | policy | moves | true | pictures | replay | strength |")
    print("| --- | --- " + "| ---: " * 5 + "|")
    for case in cases:
        if case.moves >= MOVES and case.pictures == case.true == case.replay:
            continue
        told = " | ".join("cannot tell" if t is None else f"{t:+.0f}" for t in (case.pictures, case.replay))
        print(f"| {case.game} | {case.policy} | {case.moves:.0%} | {case.true:+d} | {told} | {case.strength:.1f} |")
    two = sorted({case.game for case in cases if case.moves >= MOVES and case.latency != case.modal})
    print(f"\nmost actions are seen later than the first tenth: {', '.join(two) or 'in no game'}")
    claimed = [f"{case.game} {case.policy}" for case in cases if case.unrelated is not None]
    print(f"claims on unrelated actions: {', '.join(claimed) or 'none'}")


if __name__ == "__main__":
    sys.exit(main())
