"""Sampling speed, as ratios from one run: ours beside the bare emulator and beside a plain Gymnasium loop.

Run it with `make bench` or `python benchmarks/sampling.py --seconds 20`. Every leg plays uniform actions at frameskip
4 over the same games, one after the other in slices, so that a machine that changes its speed changes it for all:

- `bare`: act four times, read the RGB screen, store nothing (the limit);
- `rushes`: frames and steps recorded by the ordinary backend and writer, readable after kill -9, sealing included;
- `plain`: a Gymnasium loop that saves a PIL PNG and an action file a step (the peer, as the reference guide does it).

The scaling legs run `bare` and `rushes` in one and in two processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from statistics import median

GAMES = ("ALE/Alien-v5", "ALE/Breakout-v5", "ALE/Pong-v5", "ALE/Seaquest-v5")
SLICE_S = 1.0
LIMITS = {"rushes/bare": 0.75, "rushes/plain": 1.8, "scaling": 0.9}


def bare(env_id: str, folder: Path, seed: int) -> Iterator[int]:
    """Step the emulator and read its RGB screen."""
    del folder
    import ale_py
    import gymnasium
    import numpy as np

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gymnasium.register_envs(ale_py)
    env = gymnasium.make(env_id, frameskip=4, repeat_action_probability=0.0).unwrapped
    env.reset(seed=seed)
    ale, actions = env.ale, list(env._action_set)  # noqa: SLF001 - the bare emulator's own codes
    rng = np.random.default_rng(seed)
    while True:
        drawn = rng.integers(len(actions), size=1024).tolist()
        for index in drawn:
            code = actions[index]
            ale.act(code)
            ale.act(code)
            ale.act(code)
            ale.act(code)
            ale.getScreenRGB()
            yield 1
            if ale.game_over():
                ale.reset_game()
                ale.getScreenRGB()


def rushes(env_id: str, folder: Path, seed: int) -> Iterator[int]:
    """Record with the ordinary backend and writer; sealing happens at each episode's end."""
    from rushes.capture.env.backend import EnvBackend
    from rushes.capture.env.play import Play
    from rushes.model.clock import Clock
    from rushes.model.readings import Frame
    from rushes.store.writer import SessionWriter
    from rushes.worlds.catalog import make_world

    play = Play(env_id, frames_per_env=10**8, max_episodes=10**6, randomness=0.0, policy="uniform", seed=seed)
    play = _unshared(play)
    backend = EnvBackend(make_world(env_id), play)
    with SessionWriter(folder / "session", backend.describe()) as writer, backend.open(Clock()) as readings:
        for reading in readings:
            writer.write(reading)
            if type(reading) is Frame:
                yield 1


def _unshared(play: object) -> object:
    """Let every episode run to its own end: the shares of a benchmark without end are not the point."""

    class Endless(type(play)):  # type: ignore[misc]
        def share(self, episode: int, frames_done: int) -> int:
            del episode, frames_done
            return 10**8

    return Endless(**play.parameters())  # type: ignore[attr-defined]


def plain(env_id: str, folder: Path, seed: int) -> Iterator[int]:
    """Save PIL PNGs and action files from a plain Gymnasium loop."""
    import ale_py
    import gymnasium
    from PIL import Image

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gymnasium.register_envs(ale_py)
    env = gymnasium.make(env_id, frameskip=4, repeat_action_probability=0.0)
    names = env.unwrapped.get_action_meanings()
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    episode, frame = 0, 0
    while True:
        target = folder / f"episode_{episode:03d}"
        target.mkdir(parents=True, exist_ok=True)
        action = int(env.action_space.sample())
        Image.fromarray(observation).save(target / f"frame_{frame:06d}.png")
        (target / f"action_{frame:06d}.txt").write_text(f"{action}: {names[action]}")
        yield 1
        observation, _, terminated, truncated, _ = env.step(action)
        frame += 1
        if terminated or truncated:
            episode, frame = episode + 1, 0
            observation, _ = env.reset()


LEGS: dict[str, Callable[[str, Path, int], Iterator[int]]] = {"bare": bare, "rushes": rushes, "plain": plain}


def run_slices(names: list[str], seconds: float, core: int | None) -> dict[str, float]:
    """Play the legs in turns of one second and give frames a second of each, over `seconds` a leg."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    root = Path(tempfile.mkdtemp(prefix="rushes-bench-"))
    frames, spent = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    try:
        turn = 0
        while min(spent.values()) < seconds:
            env_id = GAMES[turn % len(GAMES)]
            for name in names:
                folder = root / f"{name}-{turn}"
                source = LEGS[name](env_id, folder, turn)
                next(source)  # loading the game is no part of stepping it
                started = time.perf_counter()
                while time.perf_counter() - started < SLICE_S:
                    frames[name] += next(source)
                source.close()  # an unfinished chunk stays a journal: durable, and not sealed
                spent[name] += time.perf_counter() - started
                shutil.rmtree(folder, ignore_errors=True)
            turn += 1
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {name: frames[name] / spent[name] for name in names}


def scale(name: str, seconds: float, workers: int) -> float:
    """Give frames a second of all workers together."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None] * workers
    with get_context("spawn").Pool(workers) as pool:
        results = pool.starmap(run_slices, [([name], seconds, cores[w % len(cores)]) for w in range(workers)])
    return sum(r[name] for r in results)


def main() -> int:
    """Print the table; exit 1 when a ratio falls short."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds a leg")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    with get_context("spawn").Pool(1) as pool:
        speed = pool.apply(run_slices, (list(LEGS), options.seconds, 0))
    scaling = {}
    for name in ("bare", "rushes"):
        pairs = [(scale(name, options.seconds / 3, 1), scale(name, options.seconds / 3, 2)) for _ in range(3)]
        scaling[name] = median(two / one for one, two in pairs)
    ratios = {
        "rushes/bare": speed["rushes"] / speed["bare"],
        "rushes/plain": speed["rushes"] / speed["plain"],
        "scaling": scaling["rushes"] / scaling["bare"],
    }
    if options.json:
        print(json.dumps({"frames_per_second": speed, "two_workers": scaling, "ratios": ratios, "limits": LIMITS}))
    else:
        for name, value in speed.items():
            print(f"{name:8s} {value:8.0f} frames/s on one core")
        for name, value in scaling.items():
            print(f"{name:8s} two workers give {value:.2f} of one")
        for name, value in ratios.items():
            print(f"{name:14s} {value:.2f}  (at least {LIMITS[name]})")
    return int(any(ratios[name] < limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
