"""What stands still in the planted rescue, drawn once: the fronts of houses, the ground, the sky, and small figures.

Textures come as pyramids, each level half as fine as the one before, so that what is far away does not sparkle.

Example:
    >>> art = Art.drawn(City.drawn(7), seed=7)
    >>> art.ground[0].shape, art.sky.shape, sorted(art.figures)
    ((1088, 1088, 3), (192, 1536, 3), ['heap', 'station', 'tree', 'victim'])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
import numpy.typing as npt

from rushes.worlds.rescue.city import CELL, CELLS, FACADES, HALF, City

Pixels = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

FACADE_PX: Final = (384, 96)
"""(height, width) px of the front of a cell; `FACADE_HIGH` units high."""
FACADE_HIGH: Final = 16.0
GROUND_PX: Final = 8
"""Px a unit of the ground."""
SKY_PX: Final = (192, 1536)
"""(height, width) px of the sky: all around, and up to 60 degrees."""
LEVELS: Final = 4
_FIGURE: Final = 64
_RIGHT: Final = 54
"""Left edge of a front's second window, px; at the ground it is a door."""
_DOWN: Final = np.array((0, 14))
_TINTS: Final[Mapping[str, tuple[Colour, Colour, Colour]]] = {
    "earthquake": ((124, 150, 184), (206, 196, 178), (1.0, 0.98, 0.93)),
    "tsunami": ((96, 124, 150), (176, 196, 204), (0.88, 0.97, 1.04)),
    "wildfire": ((112, 76, 66), (226, 150, 92), (1.08, 0.92, 0.80)),
}
"""Environment -> colour above, colour of the haze, what all colours are multiplied by."""


@dataclass(frozen=True)
class Art:
    """The textures of a city.

    Attributes:
        facades: Levels of one picture with all fronts beside each other.
        ground: Levels of the city from above.
        sky: (h, w, 3) uint8, all around.
        figures: Name -> (64, 64, 4) uint8 RGBA.
        haze: Colour of what is far.
    """

    facades: tuple[Pixels, ...]
    ground: tuple[Pixels, ...]
    sky: Pixels
    figures: Mapping[str, Pixels]
    haze: Colour

    @classmethod
    def drawn(cls, city: City, *, seed: int) -> Self:
        """Draw them.

        Args:
            city: What is there.
            seed: Of windows, cracks and clouds.
        """
        rng = np.random.default_rng([seed, 0xA27])
        above, haze, tint = _TINTS[city.environment]
        facades = np.concatenate([_facade(rng, kind) for kind in range(FACADES)], axis=1)
        return cls(
            facades=_levels(_tinted(facades, tint)),
            ground=_levels(_tinted(_ground(rng, city), tint)),
            sky=_sky(rng, np.array(above), np.array(haze)),
            figures={name: draw() for name, draw in _FIGURES.items()},
            haze=haze,
        )


def _levels(finest: Pixels) -> tuple[Pixels, ...]:
    found = [finest]
    for _ in range(LEVELS - 1):
        height, width = found[-1].shape[:2]
        found.append(_u8(cv2.resize(found[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)))
    return tuple(found)


def _tinted(picture: Pixels, tint: Colour) -> Pixels:
    return _u8(np.clip(picture * np.array(tint), 0, 255).astype(np.uint8))


def _u8(picture: object) -> Pixels:
    return np.asarray(picture, np.uint8)


def _grain(rng: np.random.Generator, height: int, width: int, cell: int, strength: float) -> Floats32:
    coarse = rng.normal(0, strength, (-(-height // cell), -(-width // cell), 1)).astype(np.float32)
    return np.asarray(coarse.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width])


def _facade(rng: np.random.Generator, kind: int) -> Pixels:
    """Draw a front: plaster or brick, windows in rows, a door or a shop at the bottom, cracks."""
    height, width = FACADE_PX
    base = np.array([[150, 150, 154], [176, 120, 96], [196, 178, 140], [120, 136, 150], [170, 154, 160],
                     [142, 108, 92], [204, 196, 182], [112, 122, 108]][kind], np.float32)  # fmt: skip
    wall = np.empty((height, width, 3), np.float32)
    wall[:] = base
    wall += _grain(rng, height, width, 12, 7) + _grain(rng, height, width, 3, 5)
    if kind in (1, 5):  # bricks
        wall[::8] *= 0.78
        wall[:, :: width // 6] *= 0.9
    floor = 72  # px a storey
    for top in range(height - floor, -1, -floor):
        wall[top : top + 4] *= 0.72
        ground = top == height - floor
        for left in (10, _RIGHT):
            lit, broken = rng.random() < 0.25, rng.random() < 0.3  # noqa: PLR2004
            glass = (230, 206, 130) if lit else (52, 64, 80)
            low, high = (top + 14, top + (66 if ground and left == _RIGHT else 52))
            wall[low - 3 : high + 3, left - 3 : left + 35] = base * 0.62
            wall[low:high, left : left + 32] = glass
            wall[low:high, left + 15 : left + 17] = base * 0.7
            if broken:
                triangle = np.array([[left, low], [left + 26, low + 4], [left + 6, high - 4]], np.int32)
                cv2.fillConvexPoly(wall, triangle, (18.0, 20.0, 24.0))
        if ground and rng.random() < 0.6:  # noqa: PLR2004 - an awning
            wall[top + 4 : top + 14] = np.array([(170, 52, 48), (44, 96, 128), (54, 112, 70)][kind % 3])
            wall[top + 4 : top + 14, ::16] *= 1.4
    for _ in range(3):
        path = np.cumsum(rng.integers(-9, 10, (14, 2)) + _DOWN, axis=0) + np.array((rng.integers(0, width), 0))
        cv2.polylines(wall, [path.astype(np.int32)], isClosed=False, color=(46.0, 42.0, 40.0), thickness=2)
    return np.clip(wall, 8, 250).astype(np.uint8)


def _ground(rng: np.random.Generator, city: City) -> Pixels:
    """Draw the city from above: asphalt, pavements, marks, grass, puddles, and the glow of danger."""
    side = round(CELLS * CELL * GROUND_PX)
    cell = round(CELL * GROUND_PX)
    street = (city.facade < 0).repeat(cell, axis=0).repeat(cell, axis=1)
    picture = np.empty((side, side, 3), np.float32)
    picture[:] = (98, 98, 102)
    picture += _grain(rng, side, side, 24, 9) + _grain(rng, side, side, 4, 7)
    near_wall = cv2.erode(street.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    picture[near_wall] += (52, 48, 42)
    picture[::16][near_wall[::16]] *= 0.8
    picture[:, ::16][near_wall[:, ::16]] *= 0.8
    for line in range(2, CELLS, 6):  # the middle of each street
        at = line * cell
        for start in range(0, side, 40):
            picture[at - 2 : at + 2, start : start + 22] = (214, 206, 170)
            picture[start : start + 22, at - 2 : at + 2] = (214, 206, 170)
    for column, row in city.parks:
        place = (slice(row * cell, (row + 1) * cell), slice(column * cell, (column + 1) * cell))
        picture[place] = np.array((88, 112, 66)) + _grain(rng, cell, cell, 4, 12)
    along = np.arange(side) / GROUND_PX - HALF
    for x, z, radius in city.hazards:
        far = np.hypot(along[None, :] - x, along[:, None] - z)[..., None]
        picture += np.clip(1 - far / radius, 0, 0.75) * (np.array((235, 40, 20)) - picture)
        rim = np.clip(1 - np.abs(far - radius * 1.25) / (radius * 0.28), 0, 0.55)
        picture += rim * (np.array((240, 196, 40)) - picture)
    for x, z in city.stations:
        at_x, at_z = round((x + HALF) * GROUND_PX), round((z + HALF) * GROUND_PX)
        cv2.rectangle(picture, (at_x - 14, at_z - 14), (at_x + 14, at_z + 14), (70.0, 200.0, 150.0), 3)
    for _ in range(60):  # cracks
        path = np.cumsum(rng.integers(-22, 23, (12, 2)), axis=0) + rng.integers(0, side, 2)
        cv2.polylines(picture, [path.astype(np.int32)], isClosed=False, color=(44.0, 42.0, 42.0), thickness=2)
    return np.clip(picture, 6, 250).astype(np.uint8)


def _sky(rng: np.random.Generator, above: npt.NDArray[np.float64], haze: npt.NDArray[np.float64]) -> Pixels:
    """Draw clouds, columns of smoke and far hills, all around."""
    height, width = SKY_PX
    up = np.linspace(1, 0, height)[:, None, None]
    picture = (haze + (above - haze) * up**0.7) * np.ones((1, width, 1))
    turn = np.arange(width) * 2 * np.pi / width
    for size, strength in ((7, 34.0), (15, 20.0)):
        coarse = rng.random((size, 2 * size)).astype(np.float32)
        coarse = np.concatenate([coarse, coarse[:, :1]], axis=1)
        cloud = cv2.resize(coarse, (width + width // (2 * size), height), interpolation=cv2.INTER_CUBIC)[:, :width]
        picture += np.clip(cloud[..., None] - 0.5, -0.2, 0.5) * strength * 2 * up**0.5
    for _ in range(5):
        middle, wide = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.03, 0.09))
        apart = np.abs(np.angle(np.exp(1j * (turn - middle - 0.12 * np.linspace(1, 0, height)[:, None] ** 2))))
        smoke = np.exp(-((apart / (wide * (0.4 + up[..., 0]))) ** 2))[..., None]
        picture += 0.62 * smoke * (np.array((62, 58, 58)) - picture)
    hill = sum(np.sin(turn * n + float(rng.uniform(0, 7))) * h for n, h in ((3, 5), (8, 4), (21, 2), (47, 1)))
    below = np.arange(height)[:, None] > height - 16 + hill
    picture[below] = picture[below] * 0.35 + (haze * 0.72) * 0.65
    return np.clip(picture, 0, 255).astype(np.uint8)


def _blank() -> Pixels:
    return np.zeros((_FIGURE, _FIGURE, 4), np.uint8)


def _victim() -> Pixels:
    """Draw somebody who sits and waves, in orange."""
    made = _blank()
    cv2.ellipse(made, (32, 60), (22, 4), 0, 0, 360, (20, 20, 20, 150), -1)
    cv2.rectangle(made, (20, 50), (46, 60), (40, 52, 84, 255), -1)
    cv2.rectangle(made, (24, 28), (42, 52), (238, 128, 32, 255), -1)
    cv2.line(made, (40, 32), (54, 12), (238, 128, 32, 255), 6)
    cv2.circle(made, (33, 20), 8, (226, 184, 150, 255), -1)
    cv2.ellipse(made, (33, 16), (8, 6), 0, 180, 360, (60, 40, 28, 255), -1)
    return made


def _station() -> Pixels:
    """Draw a pillar with a green light."""
    made = _blank()
    cv2.rectangle(made, (18, 4), (46, 63), (216, 222, 226, 255), -1)
    cv2.rectangle(made, (22, 8), (42, 26), (28, 190, 120, 255), -1)
    cv2.fillPoly(made, [np.array([[34, 9], [26, 18], [31, 18], [29, 25], [38, 15], [33, 15]])], (250, 250, 210, 255))
    cv2.rectangle(made, (18, 34), (46, 38), (60, 70, 78, 255), -1)
    return made


def _heap() -> Pixels:
    """Draw rubble."""
    made = _blank()
    rng = np.random.default_rng(5)
    for k in range(26):
        share = k / 26
        middle = (32 + rng.normal(0, 14 * (1 - 0.6 * share)), 60 - 34 * share + rng.normal(0, 3))
        size = (float(rng.uniform(7, 15)), float(rng.uniform(5, 10)))
        corners = cv2.boxPoints((middle, size, float(rng.uniform(-40, 40)))).astype(np.int32)
        grey = int(rng.integers(70, 170))
        cv2.fillConvexPoly(made, corners, (grey, grey - 8, grey - 18, 255))
    return made


def _tree() -> Pixels:
    """Draw a tree."""
    made = _blank()
    cv2.rectangle(made, (29, 38), (35, 63), (86, 62, 44, 255), -1)
    rng = np.random.default_rng(6)
    for _ in range(30):
        x, y = rng.normal(32, 11), rng.normal(24, 9)
        green = int(rng.integers(70, 130))
        cv2.circle(made, (int(x), int(y)), int(rng.integers(4, 8)), (green // 2, green, green // 3, 255), -1)
    return made


_FIGURES: Final = {"victim": _victim, "station": _station, "heap": _heap, "tree": _tree}
