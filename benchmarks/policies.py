"""Scores of the policies: does `lookahead` play better than `uniform`, on every game, and what does a decision cost?

Run it with `python benchmarks/policies.py --seeds 20 --decisions 1000` (the short form is `--seeds 2 --decisions 150`).
The score is the sum of rewards over the decisions, averaged over the seeds; where an episode ends before the decisions
are used up, the next one begins with the next derived seed, as in sampling. Emulator, frameskip (4), sticky (0.0),
seeds and random streams are the sampler's own, at randomness 0.0. The policy was tuned on seeds from 1000, never on
these.

`ms` is processor time a decision, so that other programs on the machine do not count. `beside uniform` is the ratio of
the means, or their difference where one is not positive, as in Pong. Exit status 1 when lookahead's mean is not the
higher one on every game.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import mean, stdev
from typing import NamedTuple

GAMES = "Alien,Breakout,Pong,Seaquest"
POLICIES = ("uniform", "persistent", "lookahead")


class Played(NamedTuple):
    """What one policy reached with one seed."""

    score: float
    episodes: int
    lives_lost: int
    ms: float


class Line(NamedTuple):
    """One line of the table: a policy on a game over all seeds."""

    game: str
    policy: str
    score: float
    standard_error: float
    lives_lost: float
    ms: float


def play(env_id: str, seed: int, decisions: int) -> dict[str, Played]:
    """Let every policy decide `decisions` times; runs in a worker."""
    return {policy: play_policy(env_id, policy, seed, decisions) for policy in POLICIES}


def play_policy(env_id: str, policy: str, seed: int, decisions: int) -> Played:
    """Let one policy decide `decisions` times, over as many episodes as that takes."""
    from rushes.capture.env.play import POLICY, Play
    from rushes.capture.env.policies import Moment, choose, make_policy
    from rushes.worlds.catalog import make_world

    game = Play(env_id, policy=policy, seed=seed, randomness=0.0)
    world = make_world(env_id)
    score, spent, episode, lives_lost, done = 0.0, 0.0, 0, 0, 0
    while done < decisions:
        lives = world.reset(game.episode_seed(episode))
        chooser, rng = make_policy(policy), game.stream(POLICY, episode)
        for step in range(decisions - done):
            started = time.process_time()
            action = choose(chooser, Moment(world, step, rng))
            spent += time.process_time() - started
            outcome = world.act(action)
            done += 1
            score += outcome.reward
            lives_lost += max(lives - outcome.lives, 0)
            lives = outcome.lives
            if outcome.terminated or outcome.truncated:
                break
        episode += 1
    world.close()
    return Played(score, episode, lives_lost, spent / decisions * 1e3)


def measure(games: list[str], seeds: int, decisions: int, workers: int) -> list[Line]:
    """Play all games with all seeds on a pool of processes."""
    jobs = [(game, seed, decisions) for seed in range(seeds) for game in games]
    results: dict[str, list[dict[str, Played]]] = {game: [] for game in games}
    with ProcessPoolExecutor(workers or None, mp_context=get_context("spawn")) as pool:
        for done, (job, result) in enumerate(zip(jobs, pool.map(play, *zip(*jobs, strict=True)), strict=True), 1):
            results[job[0]].append(result)
            print(f"\r{done}/{len(jobs)} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [line(game, policy, [run[policy] for run in runs]) for game, runs in results.items() for policy in POLICIES]


def line(game: str, policy: str, runs: list[Played]) -> Line:
    """Average over the seeds."""
    scores = [run.score for run in runs]
    error = stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else math.nan
    return Line(game, policy, mean(scores), error, mean(r.lives_lost for r in runs), mean(r.ms for r in runs))


def beside(score: float, uniform: float) -> str:
    """Say how a mean compares with uniform's."""
    return f"{score / uniform:.1f} times" if score > 0 and uniform > 0 else f"{score - uniform:+.1f}"


def main() -> int:
    """Print the table; exit 1 when lookahead is not better everywhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--games", default=GAMES, help="names with commas between them")
    parser.add_argument("--seeds", type=int, default=20, help="seeds 0 to N-1")
    parser.add_argument("--decisions", type=int, default=1000, help="decisions a seed")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a core")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    from rushes.worlds.catalog import resolve_games

    games = list(resolve_games(options.games))
    lines = measure(games, options.seeds, options.decisions, options.workers)
    uniform = {x.game: x.score for x in lines if x.policy == "uniform"}
    worse = [x.game for x in lines if x.policy == "lookahead" and x.score <= uniform[x.game]]
    if options.json:
        rows = [{k: None if v != v else v for k, v in x._asdict().items()} for x in lines]  # noqa: PLR0124 - NaN
        print(json.dumps({"seeds": options.seeds, "decisions": options.decisions, "rows": rows, "not_better": worse}))
        return int(bool(worse))
    print(f"{options.seeds} seeds of {options.decisions} decisions, frameskip 4, sticky 0.0, randomness 0.0\n")
    print("| game | policy | mean score | standard error | lives lost | ms | beside uniform |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for x in lines:
        figures = f"{x.score:.1f} | {x.standard_error:.1f} | {x.lives_lost:.1f} | {x.ms:.4f}"
        print(f"| {x.game} | {x.policy} | {figures} | {beside(x.score, uniform[x.game])} |")
    print(f"\nlookahead is not better on {', '.join(worse)}" if worse else "\nlookahead is better on every game")
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())
