"""A game-like picture that costs little: hills and houses that scroll, a figure that runs, the frame's number on top.

Everything that does not change is drawn once; a frame is two slices of it and two small squares, well under a
millisecond at 640x360. The same seed and number give the same picture, so what comes back from a codec can be compared
with what was shown.

Example:
    >>> from rushes.worlds.synthetic import read_counter
    >>> read_counter(Scenery((180, 320), seed=1).picture(4321))
    4321
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.worlds.synthetic import CELL_PX, CELLS, draw_counter

Pixels = npt.NDArray[np.uint8]

SMALLEST: Final = (64, CELLS * CELL_PX)
"""(height, width) in px that the number and the figure need."""
_FAR_PX, _NEAR_PX = 1, 5
"""How far the sky and the ground scroll a frame."""
_GRAIN_PX: Final = 4
_FIGURE_PX: Final = 24
_SKY: Final = (96.0, 140.0, 196.0)
_GROUND: Final = (88.0, 112.0, 60.0)
_FIGURE: Final = ((224, 72, 48), (240, 200, 80))


def check_size(size: tuple[int, int]) -> None:
    """Refuse a size that cannot be drawn or encoded.

    Args:
        size: (height, width) in px.

    Raises:
        BadInputError: It is too small, or odd, which video codecs do not take.
    """
    height, width = size
    if height < SMALLEST[0] or width < SMALLEST[1] or height % 2 or width % 2:
        raise BadInputError(
            f"size={size!r}",
            accepts=f"an even height of at least {SMALLEST[0]} px and an even width of at least {SMALLEST[1]} px",
            fix="pass size=(360, 640)",
        )


class Scenery:
    """A scrolling landscape.

    Args:
        size: (height, width) in px, even, at least `SMALLEST`.
        seed: Seed of what stands in it.

    Raises:
        BadInputError: The size is too small, or odd, which video codecs do not take.
    """

    def __init__(self, size: tuple[int, int] = (360, 640), *, seed: int = 0) -> None:
        check_size(size)
        height, width = self.size = size
        self._horizon = height * 2 // 3
        rng = np.random.default_rng([seed, 0x5CE])
        self._far = _wrapped(_far(rng, self._horizon, 2 * width), width)
        self._near = _wrapped(_near(rng, height - self._horizon, 2 * width), width)

    def picture(self, number: int) -> Pixels:
        """Draw a frame.

        Args:
            number: Number of the frame, 0 to 2**24 - 1; it stands in the picture, see `read_counter`.

        Returns:
            (H, W, 3) uint8 RGB, a new array each time.
        """
        height, width = self.size
        picture = np.empty((height, width, 3), np.uint8)
        for layer, rows, speed in (
            (self._far, slice(0, self._horizon), _FAR_PX),
            (self._near, slice(self._horizon, height), _NEAR_PX),
        ):
            at = number * speed % (2 * width)
            picture[rows] = layer[:, at : at + width]
        hop = abs(number * 3 % (2 * _FIGURE_PX) - _FIGURE_PX)
        top, left = self._horizon - _FIGURE_PX // 2 - hop // 2, width // 3
        picture[top : top + _FIGURE_PX, left : left + _FIGURE_PX] = _FIGURE[0]
        picture[top + 4 : top + 10, left + 6 : left + 18] = _FIGURE[1]
        draw_counter(picture, number)
        return picture

    def __repr__(self) -> str:
        return f"Scenery({self.size[1]}x{self.size[0]})"


def _wrapped(layer: npt.NDArray[np.float64], width: int) -> Pixels:
    """Put the beginning behind the end, so that any `width` columns are one slice."""
    whole = np.concatenate([layer, layer[:, :width]], axis=1)
    return np.ascontiguousarray(whole.clip(0, 255).astype(np.uint8))


def _grain(rng: np.random.Generator, height: int, width: int, strength: int) -> npt.NDArray[np.float64]:
    """Make coarse noise: (height, width, 1) float64 about 0."""
    rows, columns = -(-height // _GRAIN_PX), -(-width // _GRAIN_PX)
    coarse = rng.integers(-strength, strength + 1, (rows, columns)).astype(np.float64)
    return coarse.repeat(_GRAIN_PX, axis=0).repeat(_GRAIN_PX, axis=1)[:height, :width, None]


def _far(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    """Draw the sky with two rows of hills: (height, width, 3) float64."""
    row = np.arange(height)[:, None]
    layer = np.empty((height, width, 3))
    layer[:] = np.array(_SKY) + (row / height * 50)[..., None]
    turn = np.arange(width) * 2 * np.pi / width
    for depth in (0, 1):
        waves = sum(
            np.sin(turn * int(rng.integers(2, 9)) + rng.uniform(0, 7)) * height * share for share in (0.09, 0.05)
        )
        hill = row > height * (0.55 + 0.2 * depth) + waves
        layer[hill] = np.array((70.0, 96.0, 88.0)) - 22 * depth
    return layer + _grain(rng, height, width, 6)


def _near(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    """Draw the ground with houses on it: (height, width, 3) float64."""
    layer = np.empty((height, width, 3))
    layer[:] = _GROUND
    layer += _grain(rng, height, width, 24)
    for left in range(8, width - 40, 72):
        wide, high = int(rng.integers(20, 40)), int(rng.integers(height // 3, height))
        layer[:high, left : left + wide] = rng.uniform(60, 170, 3)
        layer[4 : high - 4 : 8, left + 4 : left + wide - 4 : 6] = (236.0, 220.0, 150.0)
    return layer
