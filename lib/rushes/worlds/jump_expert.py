"""A player of the jump world who knows what is coming: he reads the game's state, not its picture.

He presses when the next obstacle is as far away as the easiest jump over it asks for, now and then a frame early or
late as people do, and holds the key for as long as that jump needs. It is a policy of `rushes sample`.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rushes.capture.env.sample import sample
    >>> out = Path(tempfile.mkdtemp()) / "sessions"
    >>> policy = "rushes.worlds.jump_expert:Expert"
    >>> played = sample(out, "Jump", frames_per_env=90, max_episodes=1, randomness=0.0, policy=policy, workers=1)
    >>> played.sessions[0].segments[0].end_reason
    'budget'
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np

from rushes.errors import BadInputError
from rushes.worlds.base import World
from rushes.worlds.gymnasium import GymnasiumWorld
from rushes.worlds.jump import JUMP, NOOP, SPEED_PX, JumpEnv, Obstacle, easiest_leap

_TIMING: Final = ((-1, 0, 1), (0.06, 0.88, 0.06))
"""Frames by which he presses late, and how probable each is: a choice."""


class _Moment(Protocol):
    @property
    def world(self) -> World: ...
    @property
    def rng(self) -> np.random.Generator: ...


class Expert:
    """The policy; one for each episode."""

    def __init__(self) -> None:
        self._obstacle: Obstacle | None = None
        self._press_px = 0
        self._left = 0

    def __call__(self, moment: _Moment) -> int:
        """Hold the key or let it go.

        Raises:
            BadInputError: The world is another one.
        """
        return self.act(game_of(moment.world), moment.rng)

    def act(self, game: JumpEnv, rng: np.random.Generator) -> int:
        """Hold the key or let it go.

        Args:
            game: As it stands.
            rng: What his timing is drawn from.

        Returns:
            `JUMP` or `NOOP`.
        """
        if self._left:
            self._left -= 1
            return JUMP if self._left else NOOP
        obstacle = game.obstacle()
        if obstacle != self._obstacle:
            leap = easiest_leap(obstacle.width_px, obstacle.height_px)
            late = int(rng.choice(_TIMING[0], p=_TIMING[1]))
            self._obstacle, self._press_px = obstacle, leap.distance_px - late * SPEED_PX
        if game.standing and 0 <= game.distance_px() < self._press_px + SPEED_PX:
            self._left = easiest_leap(obstacle.width_px, obstacle.height_px).hold
            return JUMP
        return NOOP


def game_of(world: Any) -> JumpEnv:
    """Give the game behind a world.

    Args:
        world: What a policy is shown.

    Raises:
        BadInputError: It is another game.
    """
    game = world.environment if isinstance(world, GymnasiumWorld) else None
    if not isinstance(game, JumpEnv):
        raise BadInputError(
            f"the jump world's expert for {getattr(world, 'env_id', type(world).__name__)}",
            accepts="rushes/Jump-v0",
            fix="sample Jump with him, or choose another policy",
        )
    return game
