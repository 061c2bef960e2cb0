"""What is seen in the planted lessons: a hill that scrolls by with an arrow or a lamp before it, or nothing but noise.

Arrow and lamp jump about a little and change their colour by chance, which says nothing. Half of the pictures without
an arrow have its disc all the same: only the arrow counts.

Example:
    >>> view = View((96, 96), seed=0)
    >>> view.arrow(7, "left").shape, view.noise(7).dtype
    ((96, 96, 3), dtype('uint8'))
    >>> bool((view.lamp(7, "left") == view.lamp(7, "left")).all())
    True
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Pixels = npt.NDArray[np.uint8]

NOTHING: Final = ""
_COLOURS: Final = ((47, 102, 144), (217, 130, 43), (122, 91, 166), (58, 154, 156))
_SIDE: Final = 0.42
"""Width of a disc, as a share of the picture's shorter side."""
_STRAY: Final = 0.1
_LAMPS: Final = {"left": -0.25, "right": 0.25}
"""How far from the middle a lamp stands, as a share of the width."""
_LAMP_STRAY: Final = 0.035
_SOFT: Final = 8
_SPEED_PX: Final = 3
_GRAIN: Final = 8
_FINE: Final = 4
"""Discs are drawn so many times larger and made smaller, so that their edges are smooth."""
_TURNS: Final = {"left": 0, "up": -90, "right": 180}
_BLOCK: Final = 6


class View:
    """What a session looks like.

    Args:
        size: (height, width) in px.
        seed: Of the scenery and of what is drawn by chance.
    """

    def __init__(self, size: tuple[int, int], *, seed: int) -> None:
        self._size, self._seed = size, seed
        height, width = size
        rng = np.random.default_rng([seed, 1])
        rough = rng.normal(0, 1, (-(-height // _SOFT), -(-2 * width // _SOFT), 3))
        way = Image.Resampling.BILINEAR
        soft = [np.asarray(Image.fromarray(rough[..., k]).resize((2 * width, height), way)) for k in range(3)]
        sky = np.linspace(96, 172, height)[:, None, None] + np.array([0.0, 10.0, 22.0])
        self._land = sky + 16 * np.stack(soft, axis=2)

    def arrow(self, number: int, direction: str) -> Pixels:
        """Draw the hill with an arrow before it.

        Args:
            number: Of the picture.
            direction: `left`, `up`, `right`, or `""` for a picture that asks for nothing.

        Returns:
            (H, W, 3) uint8 RGB; the same for the same arguments.
        """
        picture, rng, colour = self._hill(number)
        stray, empty = rng.uniform(-_STRAY, _STRAY, 2), bool(rng.integers(2))
        if direction or empty:
            self._put(picture, stray, direction, colour)
        return picture

    def lamp(self, number: int, side: str) -> Pixels:
        """Draw the hill with a lamp before it.

        Args:
            number: Of the picture.
            side: `left`, `right`, or `""` for none.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        picture, rng, colour = self._hill(number)
        stray = rng.uniform(-_LAMP_STRAY, _LAMP_STRAY, 2)
        if side:
            self._put(picture, stray + (0, _LAMPS[side]), NOTHING, colour)
        return picture

    def noise(self, number: int) -> Pixels:
        """Draw a picture that says nothing at all: (H, W, 3) uint8 RGB.

        Args:
            number: Of the picture.
        """
        rng = np.random.default_rng([self._seed, 3, number])
        height, width = self._size
        coarse = rng.integers(30, 226, (-(-height // _BLOCK), -(-width // _BLOCK), 3), dtype=np.uint8)
        return np.ascontiguousarray(coarse.repeat(_BLOCK, 0).repeat(_BLOCK, 1)[:height, :width])

    def _hill(self, number: int) -> tuple[Pixels, np.random.Generator, tuple[int, int, int]]:
        rng = np.random.default_rng([self._seed, 2, number])
        land = np.roll(self._land, -_SPEED_PX * number, axis=1)[:, : self._size[1]]
        picture = np.clip(land + rng.normal(0, _GRAIN, land.shape), 0, 255).astype(np.uint8)
        return picture, rng, _COLOURS[int(rng.integers(len(_COLOURS)))]

    def _put(self, picture: Pixels, off: npt.NDArray[np.float64], arrow: str, colour: tuple[int, int, int]) -> None:
        """Draw a disc so far (down, right) from the middle, as shares of the height and the width."""
        disc, mask = _disc(round(_SIDE * min(self._size)), arrow, colour)
        side = len(disc)
        high, wide = (min(max(0, round((n - side) / 2 + o * n)), n - side) for n, o in zip(self._size, off, strict=True))
        part = picture[high : high + side, wide : wide + side]
        part[:] = np.rint(part * (1 - mask) + disc * mask).astype(np.uint8)


@cache
def _disc(side: int, arrow: str, colour: tuple[int, int, int]) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """Draw a disc: (side, side, 3) uint8, and how much of each pixel it covers, (side, side, 1) from 0 to 1."""
    large = side * _FINE
    image, cover = Image.new("RGB", (large, large), colour), Image.new("L", (large, large), 0)
    ImageDraw.Draw(cover).ellipse((0, 0, large - 1, large - 1), fill=255)
    if arrow:
        white = Image.new("L", (large, large), 0)
        points = [(0.18, 0.5), (0.5, 0.2), (0.5, 0.39), (0.82, 0.39), (0.82, 0.61), (0.5, 0.61), (0.5, 0.8)]
        ImageDraw.Draw(white).polygon([(x * large, y * large) for x, y in points], fill=255)
        image.paste((255, 255, 255), mask=white.rotate(_TURNS[arrow]))
    small, way = (side, side), Image.Resampling.BOX
    return np.asarray(image.resize(small, way)), np.asarray(cover.resize(small, way), np.float64)[..., None] / 255
