"""Sampling: many games at once, each into a session of its own, the same bytes for any number of workers.

The unit of work is a game. It runs on any `concurrent.futures.Executor` that shares the file system (a pool of
processes by default, Dask's where one machine is not enough); progress is read off the disk, so any executor shows it.

Example:
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "sessions"
    >>> report = sample(out, "Pong", frames_per_env=8, max_episodes=2, policy="uniform",
    ...                 workers=1)
    >>> [(s.info.game, s.frame_count) for s in report.sessions]
    [('Pong', 8)]
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from concurrent.futures import BrokenExecutor, Executor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rushes.capture.env.backend import EnvBackend
from rushes.capture.env.estimate import Estimate, estimate
from rushes.capture.env.play import Play
from rushes.capture.env.policies import make_policy
from rushes.capture.env.work import STOP_MARK, Progress, lanes, pool, stoppable, watch
from rushes.capture.recorder import record
from rushes.errors import BusyError, OccupiedError, RushesError
from rushes.model.findings import Finding
from rushes.model.recording import Sessions
from rushes.store.atomic import refuse_occupied
from rushes.store.layout import CHUNKS, is_session
from rushes.store.lock import hold
from rushes.store.manifest import read_description, summaries
from rushes.store.reader import open_session
from rushes.store.recover import discard_unfinished
from rushes.worlds.catalog import resolve_games

__all__ = ["Estimate", "SampleReport", "Sampled", "estimate", "plan", "play_game", "sample"]


@dataclass(frozen=True)
class Sampled:
    """What became of one game.

    Attributes:
        env_id: Its id.
        path: Its session.
        error: Why it failed, or `""`.
        seconds: Wall time that it took; stands in no session.
    """

    env_id: str
    path: Path
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class SampleReport:
    """What became of all games.

    Attributes:
        results: One a game, in the order asked for.
        plays: Their parameters, in the same order.
    """

    results: tuple[Sampled, ...]
    plays: tuple[Play, ...]

    @cached_property
    def sessions(self) -> Sessions:
        """The sessions of the games that worked, in the order asked for."""
        return Sessions([open_session(r.path) for r in self.results if not r.error], format="session")

    @property
    def findings(self) -> list[Finding]:
        """A warning for each game that failed, a remark for each that ended short of its frames."""
        found = [
            Finding(
                check="sample.failed",
                severity="warning",
                sentence=f"{r.env_id} could not be sampled: {r.error}",
                session=r.path.name,
            )
            for r in self.results
            if r.error
        ]
        stored = {s.info.provenance["env_id"]: s for s in self.sessions}
        for play in self.plays:
            session = stored.get(play.env_id)
            if session is not None and session.frame_count < play.frames_per_env:
                found.append(
                    Finding(
                        check="sample.short",
                        severity="info",
                        sentence=(
                            f"{play.env_id} has {session.frame_count} of {play.frames_per_env} frames: its "
                            f"{play.max_episodes} episodes ended by themselves; pass more max_episodes for more"
                        ),
                        session=session.info.id,
                        stream="frames",
                        value=float(session.frame_count),
                        limit=float(play.frames_per_env),
                    )
                )
        return found


def plan(games: str | Iterable[str], **parameters: object) -> tuple[Play, ...]:
    """Check what was asked for, before anything is written.

    Args:
        games: As `resolve_games` takes them.
        **parameters: The fields of `Play` but env_id.

    Returns:
        One `Play` a game.

    Raises:
        BadNameError: An unknown game or policy; the message names the nearest.
        BadInputError: A value out of its range.
    """
    plays = tuple(Play(env_id, **parameters) for env_id in resolve_games(games))  # type: ignore[arg-type]
    make_policy(plays[0].policy)
    return plays


def sample(
    out: str | Path,
    games: str | Iterable[str] = "Breakout",
    *,
    frames_per_env: int = 100,
    max_episodes: int = 3,
    randomness: float = 0.2,
    policy: str = "lookahead",
    seed: int = 0,
    frameskip: int = 4,
    sticky: float = 0.0,
    full_action_space: bool = False,
    sound: bool = False,
    workers: int = 0,
    executor: Executor | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> SampleReport:
    """Sample environments into sessions.

    Args:
        out: Folder for the sessions; new or empty, unless `resume`.
        games: Names with commas between them (`Breakout`, `ALE/Breakout-v5`, `CartPole-v1`, `all`), or several names.
        frames_per_env: Frames an environment, shared evenly by its episodes; what an early end leaves goes to the next.
        max_episodes: Episodes an environment.
        randomness: Probability that a uniform action replaces the policy's.
        policy: `lookahead`, `persistent`, `uniform` or `module:function`.
        seed: Seed of everything.
        frameskip: Emulated frames a step (Atari).
        sticky: Probability that the emulator repeats its last action (Atari).
        full_action_space: All 18 actions rather than the game's own (Atari).
        sound: Store what the game plays, as the stream `game` (Atari).
        workers: Processes; 0 takes one a core. Not used with `executor`.
        executor: Any executor whose workers see the same file system.
        resume: Go on with an unfinished `out` of the same parameters: whole episodes stay, the others are played anew.
        progress: Called from this thread while the work goes on.

    Returns:
        What became of each game. One that fails is reported; the others go on.

    Raises:
        BadNameError: An unknown game or policy.
        BadInputError: A value out of its range.
        OccupiedError: `out` holds something.
        RushesError: Every game failed; the first one's error.
    """
    plays = plan(
        games,
        frames_per_env=frames_per_env,
        max_episodes=max_episodes,
        randomness=randomness,
        policy=policy,
        seed=seed,
        frameskip=frameskip,
        sticky=sticky,
        full_action_space=full_action_space,
        sound=sound,
    )
    root = Path(out)
    lanes(workers, len(plays))
    if resume:
        _refuse_others(root, plays)
    else:
        refuse_occupied(root)
    with pool(executor, workers=workers, tasks=len(plays)) as workforce:
        paths = [root / play.name for play in plays]
        futures = [workforce.submit(play_game, path, play) for path, play in zip(paths, plays, strict=True)]
        with stoppable(root, futures):
            try:
                watch(futures, paths, sum(play.frames_per_env for play in plays), progress)
                results = tuple(future.result() for future in futures)
            except BrokenExecutor as error:
                raise RushesError(
                    f"a worker process that died ({error})",
                    accepts="workers that come to their end",
                    fix=(
                        "if this is a script, call sample() under `if __name__ == '__main__':`; otherwise look "
                        "for a lack of memory. The same call with resume=True goes on where it stopped"
                    ),
                ) from error
    if all(r.error for r in results):
        raise RushesError(f"{results[0].env_id}: {results[0].error}")
    return SampleReport(results, plays)


def play_game(path: Path, play: Play) -> Sampled:
    """Play one game into its session; runs in a worker.

    Args:
        path: The session; an unfinished one of the same parameters is gone on with.
        play: What to play.

    Returns:
        What became of it; an error is returned and not raised, so that the other games go on.
    """
    started = time.perf_counter()
    try:
        world = play.world()
        try:
            frames = episodes = 0
            if is_session(path):
                discard_unfinished(path)
                for summary in summaries(path):
                    frames += summary["counts"]["frames"]
                    episodes += len(summary["segments"])
            backend = EnvBackend(world, play, episodes_done=episodes, frames_done=frames)
            record(backend, path, resume=True, stop=(path.parent / STOP_MARK).exists)
        finally:
            world.close()
    except Exception as error:  # noqa: BLE001 - whatever a game or a policy raises is that game's result
        if not isinstance(error, BusyError):
            _remove_if_empty(path)
        text = str(error) if isinstance(error, RushesError) else f"{type(error).__name__}: {error}"
        return Sampled(play.env_id, path, error=text or type(error).__name__)
    return Sampled(play.env_id, path, seconds=time.perf_counter() - started)


def _remove_if_empty(path: Path) -> None:
    """Remove a session that was described and holds nothing, unless somebody else is about to fill it."""
    if is_session(path):
        with suppress(BusyError), hold(path):
            if not (path / CHUNKS).is_dir():
                shutil.rmtree(path)


def _refuse_others(root: Path, plays: tuple[Play, ...]) -> None:
    ours = {play.name: play.session_id for play in plays}
    for path in root.iterdir() if root.is_dir() else ():
        if path.name.startswith("."):  # what desktops and notebooks leave anywhere
            continue
        if (
            not path.is_dir()
            or path.name not in ours
            or (is_session(path) and read_description(path)["id"] != ours[path.name])
        ):
            raise OccupiedError(
                f"{path}, which these parameters did not make",
                accepts="a new folder, or an unfinished one of the same parameters",
                fix="choose another folder, or repeat the parameters of its run.json",
            )
