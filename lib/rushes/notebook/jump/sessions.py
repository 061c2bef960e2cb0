"""Sessions of the jump world for its recipe: some to learn from, and others, of unseen courses, to be measured on.

The expert plays each with a seed of its own. They are made once under `outputs/samples/jump_dataset/` and used again
from then on; delete the folder for new ones. Of sessions of somebody's own, the last fifth is set aside as unseen.

Example (cells of a recipe, after `begin`):
    >>> def cells(run):
    ...     play = play_of(run)
    ...     return play.known, play.unseen
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rushes.capture.env.sample import sample
from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.model.games import session_name
from rushes.model.recording import Recording, Sessions
from rushes.notebook.run import Run
from rushes.notebook.samples import SAMPLES
from rushes.preview.html import Html, table
from rushes.store.atomic import new_folder
from rushes.store.reader import open_session
from rushes.store.runs import OUTPUTS, project_root
from rushes.store.validity import honour_all
from rushes.worlds.jump import ENV_ID, VERSION

Progress = Callable[[int, int, str], None]

EXPERT: Final = "rushes.worlds.jump_expert:Expert"
EPISODES: Final = 2
"""Courses a session."""
UNSEEN_SESSIONS: Final = 4
_UNSEEN_SHARE: Final = 5
_STRIDE, _UNSEEN_FROM, _TRIALS_FROM = 1_000, 500, 900
"""Seeds of session k: `seed * 1000 + k` to learn from, from 500 on to be measured on; courses to be survived from
900 on. No two of them meet."""


@dataclass(frozen=True)
class Play:
    """What was played.

    Attributes:
        known: Sessions that may be learnt from.
        unseen: Sessions that are looked at only at the end.
    """

    known: Sessions
    unseen: Sessions

    @property
    def is_jump(self) -> bool:
        """Whether all of it is the jump world, so that what was learnt can be played there."""
        sources = [recording.info.source.get("name") for recording in (*self.known, *self.unseen)]
        return set(sources) == {ENV_ID}

    def _repr_html_(self) -> str:
        return self.show().html

    def show(self) -> Html:
        """Show both parts, a row each."""
        parts = {"to learn from": self.known, "unseen, for the end": self.unseen}
        rows = [
            [
                name,
                len(part),
                sum(len(recording.segments) for recording in part),
                sum(recording.frame_count for recording in part),
                round(sum(recording.duration_s for recording in part), 1),
                ", ".join(sorted({recording.info.game for recording in part})),
            ]
            for name, part in parts.items()
        ]
        return table(["part", "sessions", "episodes", "frames", "seconds", "game"], rows)

    def __repr__(self) -> str:
        return repr(self.show())


def play_of(run: Run) -> Play:
    """Open what the recipe is about.

    Args:
        run: Of a notebook with the parameters source, seed, sessions, frames.

    Returns:
        Sessions of `source` without the last fifth, and that fifth; without a source the expert's own.

    Raises:
        BadInputError: A number below what is needed, or a source with fewer than three sessions.
    """
    p = run.parameters
    source, seed, count, frames = str(p["source"]), int(p["seed"]), int(p["sessions"]), int(p["frames"])
    if source:
        given = list(honour_all(open_any(run.input(source))))
        return split_off(given)
    most = _UNSEEN_FROM
    if not (seed >= 0 and 3 <= count <= most and frames >= 100):  # noqa: PLR2004 - said in the sentence
        raise BadInputError(
            f"seed={seed}, sessions={count}, frames={frames}",
            accepts=f"a seed from 0, 3 to {most} sessions of at least 100 frames",
            fix="leave them at their defaults",
        )
    learn, test = seeds_of(seed, count)
    known = expert_sessions(samples_root(), learn, frames=frames, progress=run.bar("sampling"))
    unseen = expert_sessions(samples_root(), test, frames=frames, progress=run.bar("sampling unseen courses"))
    return Play(known, unseen)


def split_off(recordings: Sequence[Recording]) -> Play:
    """Set the last fifth of some sessions aside, one at least.

    Args:
        recordings: At least three; two are left to learn from, as training and validation.

    Raises:
        BadInputError: There are fewer.
    """
    aside = max(1, round(len(recordings) / _UNSEEN_SHARE))
    if len(recordings) - aside < 2:  # noqa: PLR2004 - said in the sentence
        raise BadInputError(
            f"{len(recordings)} sessions",
            accepts="three or more: to train, to choose the threshold, and unseen ones to be measured on",
            fix="record more sessions",
        )
    return Play(
        Sessions(recordings[:-aside], format="session"),
        Sessions(recordings[-aside:], format="session"),
    )


def expert_sessions(
    root: Path,
    seeds: Sequence[int],
    *,
    frames: int,
    env_id: str = ENV_ID,
    policy: str = EXPERT,
    progress: Progress | None = None,
) -> Sessions:
    """Give sessions that an expert played, a session a seed; those that are not there yet are made.

    Args:
        root: Folder that holds them.
        seeds: Of the sessions.
        frames: Each has so many, in two courses.
        env_id: What is played.
        policy: Who plays.
        progress: Called with (done, total, what).
    """
    found: list[Recording] = []
    name = session_name(env_id)
    for number, seed in enumerate(seeds):
        folder = root / f"{name}_{seed:06d}_{frames}"
        if not folder.is_dir():
            with new_folder(folder) as partial:
                sample(
                    partial,
                    env_id,
                    frames_per_env=frames,
                    max_episodes=EPISODES,
                    randomness=0.0,
                    policy=policy,
                    seed=seed,
                    workers=1,
                )
        found.append(open_session(folder / name))
        if progress is not None:
            progress((number + 1) * frames, len(seeds) * frames, "frames")
    return Sessions(found, format="session")


def samples_root() -> Path:
    """Give the folder of the recipe's own sessions; those of another version of the world lie in another one."""
    return project_root() / OUTPUTS / SAMPLES / f"jump_dataset_{VERSION}"


def seeds_of(seed: int, count: int) -> tuple[range, range]:
    """Give the seeds of the sessions to learn from, and of the unseen ones.

    Args:
        seed: Of the run.
        count: Sessions to learn from.
    """
    first = seed * _STRIDE
    return range(first, first + count), range(first + _UNSEEN_FROM, first + _UNSEEN_FROM + UNSEEN_SESSIONS)


def trial_seeds(seed: int, count: int) -> tuple[int, ...]:
    """Give the seeds of the courses that players are compared on: none of them was recorded.

    Args:
        seed: Of the run.
        count: How many.
    """
    first = seed * _STRIDE + _TRIALS_FROM
    return tuple(range(first, first + count))
