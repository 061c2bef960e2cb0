"""What is seen in the planted lessons: hills that scroll by with an arrow or a lamp before them, or nothing but noise.

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
_SKY: Final = ((128, 152, 186), (206, 214, 220))
_HILLS: Final = ((0.56, 0.10, (1, 2, 5), (118, 140, 138)), (0.74, 0.07, (1, 3, 4), (86, 112, 96)))
"""From the farthest: where the ridge stands and how far it rises, as shares of the height; its waves; its colour."""
_SPEED: Final = 0.03
"""Of the width, by which the hills move from one picture to the next."""
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
        down, along = np.linspace(0, 1, height)[:, None, None], np.arange(2 * width) / (2 * width)
        self._land = np.repeat((1 - down) * _SKY[0] + down * _SKY[1], 2 * width, axis=1)
        for ridge, rise, waves, colour in _HILLS:
            turns = [np.sin(2 * np.pi * (wave * along + rng.random())) for wave in waves]
            self._land[down[..., 0] > ridge + rise * np.mean(turns, axis=0)] = colour

    def arrow(self, number: int, direction: str) -> Pixels:
        """Draw hills with an arrow before them.

        Args:
            number: Of the picture.
            direction: `left`, `up`, `right`, or `""` for a picture that asks for nothing.

        Returns:
            (H, W, 3) uint8 RGB; the same for the same arguments.
        """
        picture, rng, colour = self._hills(number)
        (down, right), empty = rng.uniform(-_STRAY, _STRAY, 2).tolist(), bool(rng.integers(2))
        if direction or empty:
            self._put(picture, (down, right), direction, colour)
        return picture

    def lamp(self, number: int, side: str) -> Pixels:
        """Draw hills with a lamp before them.

        Args:
            number: Of the picture.
            side: `left`, `right`, or `""` for none.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        picture, rng, colour = self._hills(number)
        down, right = rng.uniform(-_LAMP_STRAY, _LAMP_STRAY, 2).tolist()
        if side:
            self._put(picture, (down, right + _LAMPS[side]), NOTHING, colour)
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

    def _hills(self, number: int) -> tuple[Pixels, np.random.Generator, tuple[int, int, int]]:
        rng = np.random.default_rng([self._seed, 2, number])
        land = np.roll(self._land, -round(_SPEED * self._size[1]) * number, axis=1)[:, : self._size[1]]
        picture = np.clip(land + rng.normal(0, _GRAIN, land.shape), 0, 255).astype(np.uint8)
        return picture, rng, _COLOURS[int(rng.integers(len(_COLOURS)))]

    def _put(self, picture: Pixels, off: tuple[float, float], arrow: str, colour: tuple[int, int, int]) -> None:
        """Draw a disc so far (down, right) from the middle, as shares of the height and the width."""
        disc, mask = _disc(round(_SIDE * min(self._size)), arrow, colour)
        side = len(disc)
        high, wide = (
            min(max(0, round((n - side) / 2 + o * n)), n - side) for n, o in zip(self._size, off, strict=True)
        )
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
