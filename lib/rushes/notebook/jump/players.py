"""Players of the jump world on the same unseen courses: the net, the expert, chance, always and never.

Every player gets the same courses and the same limit; how long he survives on average is what counts. The net sees the
picture and nothing else, made as small as it was in training, and plays by the rule that its presses were counted by.

Example:
    >>> played = survive(Never(), seeds=(5, 6), limit=200)
    >>> len(played), max(played) < 200
    (2, True)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from rushes.notebook.jump.net import look
from rushes.notebook.jump.scores import Stretch, presses_per_frame, small
from rushes.notebook.jump.sessions import Play, trial_seeds
from rushes.notebook.jump.training import Trained
from rushes.worlds.jump import JUMP, MOST_HOLD, NOOP, RATE_HZ, JumpEnv
from rushes.worlds.jump_expert import Expert

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int, str], None]

COURSES: Final = 20
LIMIT: Final = 600
"""Steps a course at the most: 20 s."""
_EXPERT, _CHANCE = range(2)


class Player(Protocol):
    """Plays some courses at once."""

    def begin(self, seeds: Sequence[int]) -> None:
        """Get ready for a course a seed."""

    def act(self, games: Sequence[JumpEnv], pictures: Sequence[Pixels], alive: Sequence[int]) -> list[int]:
        """Choose an action for each course that goes on; `alive` are their numbers."""


class Never:
    """Does not press."""

    action: int = NOOP

    def begin(self, seeds: Sequence[int]) -> None:
        """Need nothing."""
        del seeds

    def act(self, games: Sequence[JumpEnv], pictures: Sequence[Pixels], alive: Sequence[int]) -> list[int]:
        """Do the same everywhere."""
        del games, pictures
        return [self.action] * len(alive)


class Always(Never):
    """Presses whenever he stands, and holds the key for as long as it lifts."""

    def act(self, games: Sequence[JumpEnv], pictures: Sequence[Pixels], alive: Sequence[int]) -> list[int]:
        """Let go for a frame on landing, since a jump needs a new press."""
        del pictures
        return [NOOP if games[k].standing and games[k].held else JUMP for k in alive]


class Chance:
    """Presses and lets go as often as the expert does, at random times.

    Args:
        presses: Probability of a press on a frame on which the key is up.
        hold: Mean frames of a hold.
    """

    def __init__(self, *, presses: float, hold: float) -> None:
        self._presses, self._releases = presses, 1 / max(1.0, hold)
        self._draws: list[np.random.Generator] = []

    @classmethod
    def as_often(cls, frequency: float, *, hold: float) -> Chance:
        """Make one whose presses are as frequent as others' among all frames, those on which he holds among them.

        Args:
            frequency: Presses a frame.
            hold: Mean frames of a hold.
        """
        free = 1 - frequency * hold
        return cls(presses=min(1.0, frequency / free) if free > 0 else 1.0, hold=hold)

    def begin(self, seeds: Sequence[int]) -> None:
        """Give each course random numbers of its own."""
        self._draws = [np.random.default_rng([seed, _CHANCE]) for seed in seeds]

    def act(self, games: Sequence[JumpEnv], pictures: Sequence[Pixels], alive: Sequence[int]) -> list[int]:
        """Draw."""
        del pictures
        return [self._one(games[k], self._draws[k]) for k in alive]

    def _one(self, game: JumpEnv, rng: np.random.Generator) -> int:
        drawn = rng.random()
        return int(drawn >= self._releases) if game.held else int(drawn < self._presses)


class ExpertPlayer:
    """The expert, who reads the game's state."""

    def __init__(self) -> None:
        self._experts: list[tuple[Expert, np.random.Generator]] = []

    def begin(self, seeds: Sequence[int]) -> None:
        """Take an expert a course."""
        self._experts = [(Expert(), np.random.default_rng([seed, _EXPERT])) for seed in seeds]

    def act(self, games: Sequence[JumpEnv], pictures: Sequence[Pixels], alive: Sequence[int]) -> list[int]:
        """Ask each."""
        del pictures
        return [self._experts[k][0].act(games[k], self._experts[k][1]) for k in alive]


class NetPlayer:
    """A net that sees pictures.

    Args:
        trained: The net with its threshold.
        hold: Frames for which every press is held, whatever the net says of it; 0 asks the net.
    """

    def __init__(self, trained: Trained, *, hold: int = 0) -> None:
        self._trained, self._hold = trained, hold
        self._past: list[list[Pixels]] = []
        self._left: list[int] = []

    def begin(self, seeds: Sequence[int]) -> None:
        """Forget."""
        self._past, self._left = [[] for _ in seeds], [0 for _ in seeds]

    def act(self, games: Sequence[JumpEnv], pictures: Sequence[Pixels], alive: Sequence[int]) -> list[int]:
        """Look at all courses at once; hold what was begun."""
        del games
        trained = self._trained
        for k, picture in zip(alive, pictures, strict=True):
            self._past[k] = [*self._past[k], seen(picture, trained)][-trained.length :]
        free = [k for k in alive if not self._left[k] and len(self._past[k]) == trained.length]
        if free:
            said = look(trained.net, np.stack([np.stack(self._past[k]) for k in free]))
            for k, press, hold_s in zip(free, said.press.tolist(), said.hold_s.tolist(), strict=True):
                if press > trained.threshold:
                    self._left[k] = (self._hold or max(1, round(hold_s * RATE_HZ))) + 1
        chosen = [JUMP if self._left[k] > 1 else NOOP for k in alive]
        for k in alive:
            self._left[k] = max(0, self._left[k] - 1)
        return chosen


def seen(picture: Pixels, trained: Trained) -> Pixels:
    """Make a picture what the net sees of it, in the steps in which it was done for training: (S, S, 3) uint8."""
    return small(small(picture, trained.through) if trained.through else picture, trained.size)


def survive(
    player: Player, *, seeds: Sequence[int], limit: int = LIMIT, progress: Progress | None = None
) -> tuple[int, ...]:
    """Let a player play.

    Args:
        player: Who plays.
        seeds: Of the courses.
        limit: Steps at the most.
        progress: Called with (done, total, what).

    Returns:
        Steps survived, a course each.
    """
    games = [JumpEnv() for _ in seeds]
    pictures = {k: game.reset(seed=seed)[0] for k, (game, seed) in enumerate(zip(games, seeds, strict=True))}
    player.begin(seeds)
    survived = [limit] * len(games)
    for step in range(limit):
        if not pictures:
            break
        alive = list(pictures)
        for k, action in zip(alive, player.act(games, list(pictures.values()), alive), strict=True):
            pictures[k], _, crashed, _, _ = games[k].step(action)
            if crashed:
                survived[k] = step
                del pictures[k]
        if progress is not None:
            progress(step + 1, limit, f"{len(pictures)} of {len(games)} still run")
    if progress is not None:
        progress(limit, limit, "")
    return tuple(survived)


@dataclass(frozen=True)
class Played:
    """What the players did.

    Attributes:
        steps: Name -> steps survived, a course each; empty where nobody can play what was recorded.
        limit: Steps at the most.
    """

    steps: Mapping[str, tuple[int, ...]]
    limit: int = LIMIT

    @property
    def share(self) -> float | None:
        """Mean steps of the net as a share of the expert's; None where nobody played."""
        return float(np.mean(self.steps["net"]) / np.mean(self.steps["expert"])) if self.steps else None


def compare_on_unseen(
    trained: Trained,
    play: Play,
    unseen: Sequence[Stretch],
    *,
    seed: int,
    courses: int = COURSES,
    limit: int = LIMIT,
    progress: Progress | None = None,
) -> Played:
    """Let all players play the same courses, which nobody recorded.

    Args:
        trained: The net.
        play: What was recorded; nobody plays where it is another game.
        unseen: Unseen play, for chance to press as often and as long as it does.
        seed: Of the run.
        courses: How many.
        limit: Steps at the most.
        progress: Called with (done, total, what), for the net.
    """
    if not play.is_jump:
        return Played({}, limit)
    seeds = trial_seeds(seed, courses)
    holds = np.concatenate([one.true_hold_s for one in unseen])
    mean_hold = float(np.nanmean(holds)) * RATE_HZ if np.isfinite(holds).any() else 1.0
    chance = Chance.as_often(presses_per_frame(unseen), hold=mean_hold)
    players: dict[str, Player] = {"expert": ExpertPlayer(), "net": NetPlayer(trained)}
    players |= {"net, longest holds": NetPlayer(trained, hold=MOST_HOLD), "random": chance}
    players |= {"always jumps": Always(), "never jumps": Never()}
    return Played(
        {
            name: survive(player, seeds=seeds, limit=limit, progress=progress if name == "net" else None)
            for name, player in players.items()
        },
        limit,
    )
