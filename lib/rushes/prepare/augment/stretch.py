"""Stretch: the same play, faster or slower.

A window of T frames is sampled anew, the nearest frame each, with its last frame where it was: at a speed of 1.5,
one and a half frames of the recording pass from one frame of the window to the next. What takes time in the picture
then takes less: a hold is shorter by that speed, and what the mouse moves in a step is more by it.

A window shows whole frames, so that T frames can be stretched only by whole frames: the speed that is drawn is moved to
the nearest one that the window can show, and a draw that moves it to 1 changes nothing and is left out. Frames in front
of the window are needed to go faster; where their segment does not have them, the stretch is left out too.

Example:
    >>> import numpy as np
    >>> from rushes.prepare.augment.base import Drawn, steps_back
    >>> steps_back(5, [Drawn("stretch", {"speed": 1.5})]).tolist()
    [6, 5, 3, 2, 0]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

import numpy as np

from rushes.model.controls import MOUSE_MOTIONS
from rushes.prepare.augment.base import Action, Transform, World, is_number, one_range
from rushes.prepare.augment.place import scaled

_LIMITS: Final = (0.25, 4.0)


@dataclass(frozen=True)
class Stretch(Transform):
    """Faster or slower play.

    Attributes:
        low: Least speed.
        high: Greatest.
    """

    low: float
    high: float
    writes: ClassVar[str] = "SPEED or LOW..HIGH, 0.8..1.25 unless given"
    example: ClassVar[str] = "0.8..1.25"

    @classmethod
    def parse(cls, values: str) -> Self:
        """Read the range of the speed; see `Transform.parse`."""
        return cls(*one_range(values, "stretch", default=(0.8, 1.25), limits=_LIMITS))

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw a speed, evenly, and move it to one that the window can show; see `Transform.draw`."""
        drawn = float(rng.uniform(self.low, self.high))
        steps = max(length - 1, 1)
        passed = max(int(drawn * steps + 0.5), 1)
        return None if passed == steps or length == 1 else {"speed": round(passed / steps, 6)}

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept a speed; see `Transform.check`."""
        return set(parameters) == {"speed"} and is_number(parameters["speed"], 1e-3, 1e3)

    @staticmethod
    def action(action: Action, parameters: Mapping[str, Any], world: World) -> Action:
        """Divide the hold by the speed, and multiply motion by it; see `Transform.action`."""
        speed = parameters["speed"]
        keys = scaled(action.keys, world.space, dict.fromkeys(MOUSE_MOTIONS, speed))
        return replace(action, keys=keys, hold_s=action.hold_s / speed)

    @staticmethod
    def speed(parameters: Mapping[str, Any]) -> float:
        """Give the speed; see `Transform.speed`."""
        return float(parameters["speed"])
