"""Noise: Gaussian, drawn once for a window and added to each of its frames.

Its seed stands in the row, so that reading twice gives the same bytes. What stands still in a window stands still with
its noise too: motion between frames stays what it was.

A value is one of 65536 quantiles of the normal distribution, rounded to whole steps of the picture: four times as fast
as to draw it, with shares that are exact to one in 65536. Nothing lies beyond 4.3 standard deviations.

Example:
    >>> import numpy as np
    >>> window = np.full((2, 64, 64, 3), 128, np.uint8)
    >>> noisy = Noise.pixels(window, {"sigma": 0.02, "seed": 5})
    >>> bool((noisy[0] == noisy[1]).all()), round(float(noisy.std()))
    (True, 5)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.prepare.augment.base import Pixels, Transform, is_number, one_range

_MOST_SEED: Final = 2**32 - 1
_QUANTILES: Final = 65536


@dataclass(frozen=True)
class Noise(Transform):
    """Gaussian noise.

    Attributes:
        low: Least standard deviation, as a part of the full scale (255).
        high: Greatest.
    """

    low: float
    high: float
    writes: ClassVar[str] = "SIGMA or LOW..HIGH as a part of the full scale, 0.02 unless given"
    example: ClassVar[str] = "0.02"

    @classmethod
    def parse(cls, values: str) -> Self:
        """Read the range of sigma; see `Transform.parse`."""
        return cls(*one_range(values, "noise", default=(0.02, 0.02), limits=(0, 1)))

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw sigma, evenly, and a seed; see `Transform.draw`."""
        del length
        sigma = round(float(rng.uniform(self.low, self.high)), 4)
        seed = int(rng.integers(0, _MOST_SEED, endpoint=True))
        return {"sigma": sigma, "seed": seed} if sigma else None

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept sigma and a seed; see `Transform.check`."""
        return (
            set(parameters) == {"sigma", "seed"}
            and is_number(parameters["sigma"], 0, 1)
            and isinstance(parameters["seed"], int)
            and is_number(parameters["seed"], 0, _MOST_SEED)
        )

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Add the noise and hold within 0 to 255; see `Transform.pixels`."""
        import cv2

        rng = np.random.default_rng(parameters["seed"])
        drawn = rng.integers(0, _QUANTILES, window.shape[1:], dtype=np.uint16)
        noise = _steps(parameters["sigma"]).take(drawn)
        for frame in window:
            frame[:] = cv2.add(frame, noise, dtype=cv2.CV_8U)
        return window


@lru_cache(maxsize=16)
def _steps(sigma: float) -> npt.NDArray[np.int16]:
    """Give the quantiles of noise in whole steps of the picture: (65536,) int16, in rising order."""
    return np.rint(_quantiles() * (255 * sigma)).astype(np.int16)


@cache
def _quantiles() -> npt.NDArray[np.float64]:
    """Give the middle of each 65536th of the normal distribution; the lower half is the upper one mirrored."""
    upper = np.array([NormalDist().inv_cdf((k + 0.5) / _QUANTILES) for k in range(_QUANTILES // 2, _QUANTILES)])
    return np.concatenate([-upper[::-1], upper])
