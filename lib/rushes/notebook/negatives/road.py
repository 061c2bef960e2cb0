"""A road seen by the one who runs on it: bars to be jumped, walls to be passed at the left or right, hills all around.

It is drawn so that a picture shows what is to be done next and what is being done: what comes near grows, a jump lifts
the eye, a step aside moves the road, and the mouse turns the hills. Nothing but mirroring tells left from right, so a
flipped picture is one that this world could show.

Example:
    >>> road = Road((96, 160), seed=1)
    >>> near = road.picture(0, ahead=(Thing("bar", 1.2),))
    >>> far = road.picture(0, ahead=(Thing("bar", 9.0),))
    >>> near.shape, bool((near != far).any())
    ((96, 160, 3), True)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_SKY: Final = np.array((122.0, 164.0, 208.0))
_GROUND: Final = np.array(
    ((82, 116, 62), (94, 130, 70), (98, 96, 94), (110, 108, 106), (226, 222, 206), (226, 222, 206)), np.int16
)
"""Grass, road and its edge, a dark and a light stripe of each."""
_BAR: Final = ((206, 64, 48), (240, 236, 226))
_WALL: Final = ((64, 72, 108), (120, 130, 170))
_HORIZON: Final = 0.42  # of the height
_EYE, _HALF_ROAD, _FOCUS = 1.0, 1.6, 0.9  # m above the road, m to its edge, widths of the picture at 1 m
_BAR_M, _WALL_M = 0.45, 1.7  # height
_STRIPE_M: Final = 2.0
_NEAR_M: Final = 0.5
_EDGE: Final = 0.07  # of half the road
_HILL_PX: Final = 0.35  # a count of the mouse
_GRAIN: Final = 5
_STRIPES: Final = 6


@dataclass(frozen=True)
class Thing:
    """Something on the road.

    Attributes:
        kind: `bar` across the whole road, or a wall on its left or right half.
        metres: How far ahead it stands.
    """

    kind: Literal["bar", "left", "right"]
    metres: float


class Road:
    """The view along a road.

    Args:
        size: (height, width) in px, even.
        seed: Of the hills and of the grain.
    """

    def __init__(self, size: tuple[int, int], *, seed: int) -> None:
        self.size = size
        height, width = size
        self._seed = seed
        self._horizon = round(height * _HORIZON)
        rng = np.random.default_rng([seed, 0x0AD])
        turn = np.arange(2 * width) * np.pi / width
        waves = sum(np.sin(turn * int(k) + rng.uniform(0, 7)) * rng.uniform(0.3, 1.0) for k in rng.integers(2, 14, 6))
        crest = self._horizon - np.clip(height * 0.09 + np.asarray(waves) * height * 0.035, 2, self._horizon - 4)
        rows = np.arange(self._horizon)[:, None]
        sky = _SKY + (rows / self._horizon * 46)[..., None]
        hills = np.array((70.0, 100.0, 88.0)) + (rows - self._horizon * 0.7)[..., None] * 0.7
        far = np.where((rows >= crest)[..., None], hills, np.broadcast_to(sky, (self._horizon, 2 * width, 3)))
        self._far = np.concatenate([far, far[:, :width]], axis=1).astype(np.int16)

    def picture(
        self,
        number: int,
        *,
        gone_m: float = 0.0,
        aside_m: float = 0.0,
        up_m: float = 0.0,
        yaw_counts: float = 0.0,
        ahead: Iterable[Thing] = (),
    ) -> Pixels:
        """Draw a frame.

        Args:
            number: Of the frame; its grain is its own, so that no two pictures are equal.
            gone_m: How far was run.
            aside_m: How far right of the middle the runner is.
            up_m: How high the eye is above where it stands on the road.
            yaw_counts: How far right the mouse has turned.
            ahead: What stands on the road.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        height, width = self.size
        shown = np.empty((height, width, 3), np.int16)
        left = round(yaw_counts * _HILL_PX) % (2 * width)
        shown[: self._horizon] = self._far[:, left : left + width]
        eye = _EYE + up_m
        rows = np.arange(self._horizon, height)
        depth = eye * _FOCUS * width / (rows - self._horizon + 0.7)
        middle = width / 2 - aside_m * _FOCUS * width / depth
        half = _HALF_ROAD * _FOCUS * width / depth
        across = np.abs(np.arange(width)[None, :] - middle[:, None])
        stripe = (np.floor((depth + gone_m) / _STRIPE_M).astype(np.int64) % 2)[:, None]
        what = (across <= half[:, None]).astype(np.int64) + (np.abs(across / half[:, None] - 1 + _EDGE / 2) < _EDGE / 2)
        shown[self._horizon :] = _GROUND[2 * what + stripe]
        for thing in sorted(ahead, key=lambda one: -one.metres):
            if thing.metres > _NEAR_M:
                self._stand(shown, thing, eye, aside_m)
        rng = np.random.default_rng([self._seed, number])
        grain = rng.integers(-_GRAIN, _GRAIN + 1, (height // 4 + 1, width // 4 + 1), np.int16)
        shown += grain.repeat(4, 0).repeat(4, 1)[:height, :width, None]
        return shown.clip(0, 255).astype(np.uint8)

    def _stand(self, shown: npt.NDArray[np.int16], thing: Thing, eye: float, aside_m: float) -> None:
        height, width = self.size
        scale = _FOCUS * width / thing.metres  # px a metre
        tall, colours = (_BAR_M, _BAR) if thing.kind == "bar" else (_WALL_M, _WALL)
        edges = {"bar": (-_HALF_ROAD, _HALF_ROAD), "left": (-_HALF_ROAD, 0.0), "right": (0.0, _HALF_ROAD)}[thing.kind]
        bottom, top = self._horizon + eye * scale, self._horizon + (eye - tall) * scale
        left, right = (width / 2 + (edge - aside_m) * scale for edge in edges)
        rows = slice(max(0, round(top)), max(0, min(height, round(bottom))))
        columns = np.arange(max(0, round(left)), max(0, min(width, round(right))))
        if rows.start >= rows.stop or not len(columns):
            return
        middle = (left + right) / 2
        stripe = np.floor(np.abs(columns - middle) / max(1.0, (right - left) / (2 * _STRIPES))).astype(np.int64) % 2
        shown[rows, columns[0] : columns[-1] + 1] = np.array(colours, np.int16)[stripe][None]
