"""A small game to learn from: a runner, things in the way, one key. The longer it is held, the higher the jump.

The ground moves past at one speed. What stands in the way is low or high, narrow or wide, and asks for a short or a
long hold, pressed in time; its distances are random, and so are the colours and the background. Everything follows
from the seed of `reset`, every course can be survived, and no two pictures of an episode are equal. It is registered
with Gymnasium as `rushes/Jump-v0`; actions are 0 `NOOP` (let go) and 1 `JUMP` (hold the key), a step is 1/30 s.

| | |
|---|---|
| picture | 160 x 96 px RGB, which is the observation too |
| speed | 4 px a frame, always: one picture tells all that there is to know |
| hold | rises 3 px a frame for at most 12 frames, then falls; the next jump needs a new press on the ground |
| reward | 1 for every step survived |
| end | a crash (terminated), 3,600 steps (truncated) |

Example:
    >>> import gymnasium
    >>> env = gymnasium.make("rushes/Jump-v0", render_mode="rgb_array")
    >>> picture, info = env.reset(seed=3)
    >>> picture.shape, env.step(1)[1:4]
    ((96, 160, 3), (1.0, False, False))
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from rushes.worlds.jump_picture import HEIGHT_PX, WIDTH_PX, Look, Runner, draw

Pixels = npt.NDArray[np.uint8]

ENV_ID: Final = "rushes/Jump-v0"
RATE_HZ: Final = 30
SPEED_PX: Final = 4
"""How far the ground moves in a frame."""
RUNNER_X_PX: Final = 32
RUNNER_WIDTH_PX: Final = 10
MOST_HOLD: Final = 12
"""Frames for which the key lifts the runner at the most."""
MOST_STEPS: Final = 3600
NOOP, JUMP = 0, 1
VERSION: Final = 2
"""Of courses and pictures: the same seed is another course in another version."""

_RISE_PX: Final = 3.0
_GRAVITY_PX: Final = 0.6
_HEIGHTS: Final = (8, 12, 16, 20, 24, 28)
_WIDTHS: Final = (6, 12, 18)
_SLACK: Final = 3
"""Frames by which the easiest jump may come too early or too late."""
_REST: Final = 5
"""Frames on the ground between two jumps, at least; so few that a hold that is too long lands in what comes next."""
_SPREAD: Final = 5
"""Frames that are added at random, less than."""
_SEEN: Final = 6
"""Obstacles that fit into a picture, at the most."""


class Obstacle(NamedTuple):
    """Something in the way.

    Attributes:
        left_px: Its left edge from the course's beginning.
        width_px: How wide it is.
        height_px: How high it stands.
    """

    left_px: int
    width_px: int
    height_px: int


class Leap(NamedTuple):
    """The easiest jump over an obstacle.

    Attributes:
        distance_px: From the runner to the obstacle when the key goes down.
        hold: Frames for which it is held.
        frames: Frames until the runner stands again.
    """

    distance_px: int
    hold: int
    frames: int


@cache
def flight(hold: int) -> tuple[float, ...]:
    """Give the runner's height after each frame of a jump, px, until he stands again.

    Args:
        hold: Frames for which the key is held, from 1.
    """
    height, speed = 0.0, _RISE_PX
    path: list[float] = []
    while True:
        if len(path) >= min(hold, MOST_HOLD):
            speed -= _GRAVITY_PX
        height += speed
        if height <= 0:
            return (*path, 0.0)
        path.append(height)


@cache
def easiest_leap(width_px: int, height_px: int) -> Leap:
    """Say how to jump over an obstacle: with the shortest hold that forgives three frames either way.

    Args:
        width_px: Of the obstacle.
        height_px: Of the obstacle.
    """
    crossing = width_px + RUNNER_WIDTH_PX
    for hold in range(1, MOST_HOLD + 1):
        path = flight(hold)
        above = [frame for frame, height in enumerate(path, 1) if height >= height_px]
        if len(above) * SPEED_PX >= crossing + 2 * _SLACK * SPEED_PX:
            break
    middle = (above[0] + above[-1]) * SPEED_PX / 2 if above else 0.0
    return Leap(round(middle - crossing / 2), hold, len(path))


def make_course(rng: np.random.Generator, *, length_px: int) -> tuple[Obstacle, ...]:
    """Put obstacles on a course; there is time to land, and a random time more, between any two jumps.

    Args:
        rng: What it is drawn from.
        length_px: How far it goes.

    Returns:
        Obstacles from left to right.
    """
    course: list[Obstacle] = []
    press_px = RUNNER_X_PX + RUNNER_WIDTH_PX + SPEED_PX * int(rng.integers(10, 10 + _SPREAD))
    while press_px < length_px:
        height, width = int(rng.choice(_HEIGHTS)), int(rng.choice(_WIDTHS))
        leap = easiest_leap(width, height)
        course.append(Obstacle(press_px + leap.distance_px, width, height))
        press_px += SPEED_PX * (leap.frames + _REST + int(rng.integers(_SPREAD))) + int(rng.integers(SPEED_PX))
    return tuple(course)


class JumpEnv(gymnasium.Env[Pixels, np.integer[Any] | int]):
    """The game.

    Args:
        render_mode: `rgb_array`, or None: the observation is the picture in any case.

    Attributes:
        progress_px: How far the runner has come.
        held: Frames for which the key has been down.
        height_px: How high he is above the ground.
        standing: Whether the runner is on the ground.
        course: What stands in the way.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": RATE_HZ}  # type: ignore[misc]

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Box(0, 255, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        self.course: tuple[Obstacle, ...] = ()
        self._look: Look | None = None
        self._begin()

    def _begin(self) -> None:
        self.progress_px, self.held, self.height_px, self.standing = 0, 0, 0.0, True
        self._speed, self._lift, self._next = 0.0, 0, 0
        self._picture: Pixels | None = None

    def get_action_meanings(self) -> list[str]:
        """Name the actions."""
        return ["NOOP", "JUMP"]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Pixels, dict[str, Any]]:
        """Begin another course."""
        super().reset(seed=seed, options=options)
        drawn = np.random.default_rng(self.np_random.integers(2**63))
        self.course = make_course(drawn, length_px=(MOST_STEPS + 60) * SPEED_PX)
        self._look = Look.drawn(drawn)
        self._begin()
        return self.render_picture(), {}

    def step(self, action: np.integer[Any] | int) -> tuple[Pixels, float, bool, bool, dict[str, Any]]:
        """Hold the key (1) or not (0) for a frame."""
        down = int(action) == JUMP
        if down and self.held == 0 and self.standing:
            self.standing, self._lift = False, MOST_HOLD
        self.held = self.held + 1 if down else 0
        if not self.standing:
            self._rise(lifted=down)
        self.progress_px += SPEED_PX
        while self._left_px(self._next) + self.course[self._next].width_px <= RUNNER_X_PX:
            self._next += 1
        crashed = self.distance_px() < 0 and self.height_px < self.obstacle().height_px
        self._picture = None
        return self.render_picture(), float(not crashed), crashed, False, {}

    def _rise(self, *, lifted: bool) -> None:
        """Move up or down by a frame; once the key was let go, nothing lifts any more."""
        self._lift = self._lift if lifted else 0
        self._speed = _RISE_PX if self._lift else self._speed - _GRAVITY_PX
        self._lift = max(0, self._lift - 1)
        self.height_px += self._speed
        if self.height_px <= 0:
            self.height_px, self.standing = 0.0, True

    def obstacle(self) -> Obstacle:
        """Give the obstacle that is next, or that the runner is above."""
        return self.course[self._next]

    def distance_px(self) -> int:
        """Say how far that obstacle is: from the runner's front to its left edge, below 0 above it."""
        return self._left_px(self._next) - RUNNER_X_PX - RUNNER_WIDTH_PX

    def _left_px(self, number: int) -> int:
        return self.course[number].left_px - self.progress_px

    def render_picture(self) -> Pixels:
        """Draw the present moment: (96, 160, 3) uint8 RGB."""
        if self._picture is None:
            assert self._look is not None, "reset comes first"
            first = max(0, self._next - 1)
            near = [(self._left_px(first + k), o) for k, o in enumerate(self.course[first : first + _SEEN])]
            boxes = [(left, o.width_px, o.height_px) for left, o in near if left < WIDTH_PX]
            runner = Runner(RUNNER_X_PX, RUNNER_WIDTH_PX, round(self.height_px))
            self._picture = draw(self._look, self.progress_px, runner, boxes)
        return self._picture.copy()

    def render(self) -> Pixels | None:
        """Give the picture where the render mode asks for it: (96, 160, 3) uint8 RGB."""
        return self.render_picture() if self.render_mode == "rgb_array" else None


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point="rushes.worlds.jump:JumpEnv", max_episode_steps=MOST_STEPS)
