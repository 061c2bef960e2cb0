"""What a world is: something that can be reset, acted on and looked at, the same way every time.

Example (any world):
    >>> def play(world, actions):
    ...     world.reset(seed=7)
    ...     return [world.act(action).reward for action in actions]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rushes.model.actions import ActionSpace
from rushes.model.clock import TimeSource


class Outcome(NamedTuple):
    """What an action led to.

    Attributes:
        reward: Sum over the skipped frames.
        terminated: The game's own end.
        truncated: An end that is not the game's.
        lives: Lives left, -1 where the world tells none.
    """

    reward: float
    terminated: bool
    truncated: bool
    lives: int


class Screen(NamedTuple):
    """A picture in the form that is cheapest to store exactly.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, or (H, W) uint8 indices into `palette`.
        palette: (256, 3) uint8 RGB, or None for RGB pixels.
    """

    pixels: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8] | None


@runtime_checkable
class World(Protocol):
    """Something that can be played without hardware.

    Attributes:
        env_id: Full id (`ALE/Alien-v5`).
        game: Name of the game as people say it.
        action_space: What can be done.
        time_source: `emulated` for emulators, `nominal` for others.
        frameskip: Emulated frames a step.
        rate_hz: Emulated frames a second (steps a second times frameskip).
        size: (height, width) of its picture in pixels.
        indexed: Whether `screen` gives palette indices.
        attrs: What makes an episode repeatable beside its seed: env_id, frameskip, sticky, full_action_space.
    """

    env_id: str
    game: str
    action_space: ActionSpace
    time_source: TimeSource
    frameskip: int
    rate_hz: float
    size: tuple[int, int]
    indexed: bool
    attrs: Mapping[str, Any]

    def reset(self, seed: int) -> int:
        """Begin an episode that depends on nothing but the seed; returns the lives, -1 where there are none."""

    def random_action(self, rng: np.random.Generator) -> Any:
        """Draw an action uniformly."""

    def act(self, action: Any) -> Outcome:
        """Take one step. Never resets by itself."""

    def screen(self) -> Screen:
        """Return the present picture in its stored form; the arrays are the caller's to keep."""

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the present picture: (H, W, 3) uint8 RGB."""

    def close(self) -> None:
        """Free what it holds."""


@runtime_checkable
class Audible(Protocol):
    """A world that can be heard: every action leaves the sound that was made while it lasted.

    Attributes:
        sound_hz: Samples a second; 0 where this one was made without sound.
    """

    sound_hz: int

    def sound(self) -> npt.NDArray[np.int16]:
        """Return the sound of the last action: (N, C) int16, exactly as long as the action lasted."""


@runtime_checkable
class Restorable(Protocol):
    """A world whose whole state, random numbers included, can be saved and put back."""

    def save(self) -> Any:
        """Return the state as an opaque value."""

    def restore(self, state: Any) -> None:
        """Put a saved state back."""
