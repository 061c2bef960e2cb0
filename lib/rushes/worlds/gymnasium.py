"""Any Gymnasium environment that can render `rgb_array`, with its own wrappers and its own time limit.

Times are nominal: step / `render_fps` of the environment's metadata. Discrete actions are stored as their number, under
the names of `get_action_meanings()` where the environment has it; vectors (Box, MultiDiscrete, MultiBinary) as a list
of floats.

Example:
    >>> world = GymnasiumWorld("CartPole-v1")
    >>> world.reset(seed=0), world.act(1).reward
    (-1, 1.0)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, UnavailableError
from rushes.model.actions import ActionSpace
from rushes.model.clock import TimeSource
from rushes.model.games import bare_name, title
from rushes.worlds.base import Outcome, Screen

DEFAULT_RATE_HZ: Final = 30.0
"""Used, and marked `assumed`, where an environment's metadata names no `render_fps`."""

_REACH: Final = 2.0
"""Length of the interval from which a number without two limits is drawn."""
_NAME: Final = re.compile(r"\w[\w.-]*")


class GymnasiumWorld:
    """One environment.

    Args:
        env_id: A registered id; `module:Name-v0` imports the module first, as Gymnasium itself does.

    Raises:
        BadInputError: It renders no `rgb_array`, or its actions have a form without a place in a table.
        UnavailableError: Gymnasium cannot make it here (a library that it needs is missing).
    """

    frameskip: int = 1
    indexed: bool = False

    def __init__(self, env_id: str) -> None:
        import gymnasium

        try:
            self._env = gymnasium.make(env_id, render_mode="rgb_array", disable_env_checker=True)
            self._env.reset(seed=0)
            picture = self._env.render()
        except Exception as error:
            raise UnavailableError(
                f"environment {env_id!r} cannot be made here ({type(error).__name__}: {error})",
                accepts="an environment that gymnasium.make can make here",
                fix="install what it needs, or check its id with `rushes doctor`",
            ) from error
        if not isinstance(picture, np.ndarray) or picture.ndim != len(("H", "W", "C")) or picture.dtype != np.uint8:
            raise BadInputError(
                f"environment {env_id!r}, whose render() gives {type(picture).__name__}",
                accepts="environments that render (H, W, 3) uint8 with render_mode='rgb_array'",
                fix="choose another environment",
            )
        self._space = self._env.action_space
        rate = self._env.metadata.get("render_fps")
        self.rate_hz = float(rate or DEFAULT_RATE_HZ)
        self.time_source: TimeSource = "nominal" if rate else "assumed"
        self.env_id, self.game = env_id, title(env_id)
        self.size = (int(picture.shape[0]), int(picture.shape[1]))
        self.action_space = self._describe(env_id)
        self.attrs: Mapping[str, Any] = {"env_id": env_id, "frameskip": 1, "sticky": 0.0, "full_action_space": False}

    def _describe(self, env_id: str) -> ActionSpace:
        from gymnasium import spaces

        space = self._space
        if isinstance(space, spaces.Discrete):
            return ActionSpace.discrete(self._names(space), world=bare_name(env_id))
        if isinstance(space, spaces.Box):
            return ActionSpace.box(space.low.ravel().tolist(), space.high.ravel().tolist())
        if isinstance(space, spaces.MultiBinary):
            return ActionSpace.box([0.0] * int(np.prod(space.shape)), [1.0] * int(np.prod(space.shape)))
        if isinstance(space, spaces.MultiDiscrete):
            low = np.broadcast_to(space.start, space.nvec.shape).ravel()
            return ActionSpace.box(low.tolist(), (low + space.nvec.ravel() - 1).tolist())
        raise BadInputError(
            f"environment {env_id!r} with actions of type {type(space).__name__}",
            accepts="Discrete, Box, MultiDiscrete and MultiBinary actions",
            fix="wrap it so that its actions have one of these forms",
        )

    def _names(self, space: Any) -> list[str]:
        """Name discrete actions as the environment does, where it names each by a word of its own."""
        tell = getattr(self._env.unwrapped, "get_action_meanings", None)
        told = [str(name) for name in tell()] if callable(tell) else []
        if len(set(told)) == len(told) == int(space.n) and all(_NAME.fullmatch(name) for name in told):
            return told
        return [str(number) for number in range(int(space.start), int(space.start) + int(space.n))]

    @property
    def environment(self) -> Any:
        """The environment itself, without wrappers, for a policy that reads its state; step it only through `act`."""
        return self._env.unwrapped

    def reset(self, seed: int) -> int:
        """Begin the episode that `env.reset(seed=seed)` begins."""
        _, info = self._env.reset(seed=seed)
        return int(info.get("lives", -1))

    def random_action(self, rng: np.random.Generator) -> Any:
        """Draw an action uniformly.

        A number without limits is drawn from -1 to 1; one with a single limit from the interval of length 2 beside it.
        """
        from gymnasium import spaces

        space = self._space
        if isinstance(space, spaces.Discrete):
            return int(rng.integers(int(space.n)))
        low, high = self._limits()
        if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
            drawn = rng.uniform(low, high).astype(space.dtype)
            return [float(v) for v in np.clip(drawn, space.low.ravel(), space.high.ravel())]
        return [float(v) for v in np.floor(rng.uniform(low, high + 1)).clip(low, high)]

    def _limits(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give finite limits of every number of an action: (N,) float64 each."""
        slots = self.action_space.slots
        low = np.array([-np.inf if s.low is None else s.low for s in slots])
        high = np.array([np.inf if s.high is None else s.high for s in slots])
        free = ~np.isfinite(low) & ~np.isfinite(high)
        low, high = np.where(free, -_REACH / 2, low), np.where(free, _REACH / 2, high)
        return np.where(np.isfinite(low), low, high - _REACH), np.where(np.isfinite(high), high, low + _REACH)

    def act(self, action: Any) -> Outcome:
        """Take one step; a discrete action is its position in the action space."""
        from gymnasium import spaces

        if isinstance(self._space, spaces.Discrete):
            given: Any = int(self._space.start) + int(action)
        else:
            given = np.asarray(action, self._space.dtype).reshape(self._space.shape)
        _, reward, terminated, truncated, info = self._env.step(given)
        return Outcome(float(reward), bool(terminated), bool(truncated), int(info.get("lives", -1)))

    def screen(self) -> Screen:
        """Return the picture as (H, W, 3) uint8 RGB."""
        return Screen(self.rgb(), None)

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the picture: (H, W, 3) uint8 RGB."""
        return np.asarray(self._env.render(), np.uint8)

    def close(self) -> None:
        """Close the environment."""
        self._env.close()
