"""Light: brightness and contrast.

Both are tables of 256 values, rounded to the nearest (halves to the even one) and held within 0 to 255.

Example:
    >>> import numpy as np
    >>> window = np.array([0, 100, 200], np.uint8).reshape(1, 1, 3, 1).repeat(3, axis=-1)
    >>> Brightness.pixels(window.copy(), {"factor": 1.3})[0, 0, :, 0].tolist()
    [0, 130, 255]
    >>> Contrast.pixels(window.copy(), {"factor": 0.5})[0, 0, :, 0].tolist()
    [64, 114, 164]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np

from rushes.prepare.augment.base import Pixels, Transform, is_number, one_range

MIDDLE: Final = 127.5
"""Value that contrast leaves alone: the middle of the scale, so that it does not depend on the picture."""
_LIMITS: Final = (0.0, 10.0)
_VALUES: Final = np.arange(256, dtype=np.float64)


@dataclass(frozen=True)
class _Factor(Transform):
    low: float
    high: float
    writes: ClassVar[str] = "FACTOR or LOW..HIGH, 0.7..1.3 unless given"
    example: ClassVar[str] = "0.7..1.3"
    name: ClassVar[str] = ""

    @classmethod
    def parse(cls, values: str) -> Self:
        """Read the range of the factor; see `Transform.parse`."""
        return cls(*one_range(values, cls.name, default=(0.7, 1.3), limits=_LIMITS))

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw the factor, evenly; see `Transform.draw`."""
        del length
        factor = round(float(rng.uniform(self.low, self.high)), 4)
        return None if factor == 1 else {"factor": factor}

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept a factor; see `Transform.check`."""
        return set(parameters) == {"factor"} and is_number(parameters["factor"], *_LIMITS)


class Brightness(_Factor):
    """Every value times a factor."""

    name: ClassVar[str] = "brightness"

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Multiply; see `Transform.pixels`."""
        return _looked_up(window, _VALUES * parameters["factor"])


class Contrast(_Factor):
    """The distance of every value from `MIDDLE` times a factor."""

    name: ClassVar[str] = "contrast"

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Multiply the distance from the middle; see `Transform.pixels`."""
        return _looked_up(window, (_VALUES - MIDDLE) * parameters["factor"] + MIDDLE)


def _looked_up(window: Pixels, values: np.ndarray[Any, np.dtype[np.float64]]) -> Pixels:
    import cv2

    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    flat = window.reshape(len(window) * window.shape[1], window.shape[2], 3)
    made: Pixels = cv2.LUT(flat, table).reshape(window.shape)  # type: ignore[assignment]
    return made
