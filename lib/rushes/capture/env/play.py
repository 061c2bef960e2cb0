"""What is to be played: the parameters of one sampled game, checked once and carried everywhere.

Example:
    >>> play = Play("ALE/Alien-v5", frames_per_env=100, max_episodes=3)
    >>> [play.share(episode, frames_done) for episode, frames_done in ((0, 0), (1, 20), (2, 60))]
    [34, 40, 40]
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from rushes.errors import BadInputError
from rushes.model.games import is_atari, session_name
from rushes.worlds.base import World
from rushes.worlds.catalog import make_world

SEEDS, POLICY, CHANCE = range(3)
"""Purposes of the random streams of an episode; part of `[seed, game, purpose, episode]`."""
_SEED_LIMIT: Final = 2**31


@dataclass(frozen=True)
class Play:
    """The parameters of one game.

    Attributes:
        env_id: Full id.
        frames_per_env: Frames to store, shared evenly by the episodes.
        max_episodes: Episodes at the most.
        randomness: Probability that a uniform action replaces the policy's, 0 to 1.
        policy: A name of the table of policies, or `module:function`.
        seed: Seed of everything.
        frameskip: Emulated frames a step.
        sticky: Probability that the emulator repeats its last action, 0 to 1.
        full_action_space: All 18 actions.
        sound: Whether the game is heard.

    Raises:
        BadInputError: A value out of its range.
    """

    env_id: str
    frames_per_env: int = 100
    max_episodes: int = 3
    randomness: float = 0.2
    policy: str = "lookahead"
    seed: int = 0
    frameskip: int = 4
    sticky: float = 0.0
    full_action_space: bool = False
    sound: bool = False

    def __post_init__(self) -> None:
        for name in ("frames_per_env", "max_episodes", "frameskip"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BadInputError(
                    f"{name}={value!r}", accepts="a whole number from 1", fix=f"pass {name}={getattr(Play, name)}"
                )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise BadInputError(f"seed={self.seed!r}", accepts="a whole number from 0", fix="pass seed=0")
        for name in ("randomness", "sticky"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 <= value <= 1
                or math.isnan(value)
            ):
                raise BadInputError(
                    f"{name}={value!r}", accepts="a number from 0 to 1", fix=f"pass {name}={getattr(Play, name)}"
                )
            object.__setattr__(self, name, float(value))  # 0 and 0.0 are the same play, so they get the same bytes
        if self.frames_per_env < 2 * self.max_episodes:
            raise BadInputError(
                f"frames_per_env={self.frames_per_env} for max_episodes={self.max_episodes}",
                accepts="at least two frames an episode (an action needs the picture before and after it)",
                fix=f"pass frames_per_env={2 * self.max_episodes} or more, or fewer episodes",
            )

        if self.sound and not is_atari(self.env_id):
            raise BadInputError(
                f"sound=True for {self.env_id}, which makes none",
                accepts="Atari games",
                fix="sample it without sound, in a run of its own",
            )

    @property
    def name(self) -> str:
        """Folder name of the session."""
        return session_name(self.env_id)

    @property
    def session_id(self) -> str:
        """Deterministic id: the name and a hash of all parameters."""
        text = json.dumps(self.parameters(), sort_keys=True, separators=(",", ":"))
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values; sound stands among them only where there is some."""
        return {name: value for name, value in asdict(self).items() if name != "sound" or value}

    def world(self) -> World:
        """Make what is played; the caller closes it."""
        return make_world(
            self.env_id,
            frameskip=self.frameskip,
            sticky=self.sticky,
            full_action_space=self.full_action_space,
            sound=self.sound,
        )

    def share(self, episode: int, frames_done: int) -> int:
        """Say how many frames an episode may have: an even share of what is left.

        Args:
            episode: 0-based.
            frames_done: Frames of the episodes before.
        """
        return -(-(self.frames_per_env - frames_done) // (self.max_episodes - episode))

    def stream(self, purpose: int, episode: int) -> np.random.Generator:
        """Return the random numbers of an episode for one purpose; the same whatever else is played."""
        return np.random.default_rng([self.seed, zlib.crc32(self.env_id.encode()), purpose, episode])

    def episode_seed(self, episode: int) -> int:
        """Return the integer that `reset` gets."""
        return int(self.stream(SEEDS, episode).integers(_SEED_LIMIT))
