"""Pictures of the planted rescue: rays through the streets, drawn at twice the size and averaged by area.

Every pixel has a distance: walls by the ray of its column, the ground by its row; what is far fades into haze. The
same view gives the same picture.

Example:
    >>> city = City.drawn(7)
    >>> painter = Painter(city, (128, 128), seed=7)
    >>> painter.picture(View(12.0, 1.68, 12.0, 0.4, 0.0)).shape
    (128, 128, 3)
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.worlds.rescue.city import CELL, HALF, City, Hits, middle_of
from rushes.worlds.rescue.play import View
from rushes.worlds.rescue.textures import FACADE_HIGH, FACADE_PX, GROUND_PX, LEVELS, SKY_PX, Art

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

WIDE: Final = math.radians(75.0)
"""How wide a picture looks."""
_FINER: Final = 2
_HAZE: Final = 55.0
"""Units in which the haze takes two thirds of a colour."""
_HIGHEST: Final = math.tan(math.radians(60.0))
_NEAREST: Final = 0.35
_SIZES: Final = {"victim": (1.3, 1.3), "station": (2.6, 2.6), "heap": (2.4, 1.7), "tree": (4.2, 5.6)}
"""Figure -> (width, height) in units."""
_NORTH: Final = 0.82
"""How bright walls are that look north or south."""


class Painter:
    """Draws what the rescuer sees.

    Args:
        city: Where.
        size: (height, width) px.
        seed: Of the textures.
    """

    def __init__(self, city: City, size: tuple[int, int], *, seed: int) -> None:
        self._city, self._size, self._art = city, size, Art.drawn(city, seed=seed)
        self._height, self._width = size[0] * _FINER, size[1] * _FINER
        self._focus = self._width / 2 / math.tan(WIDE / 2)
        columns = np.arange(self._width) + 0.5 - self._width / 2
        self._right: Floats = np.asarray(columns / self._focus, np.float64)
        self._rows: Floats = np.asarray(np.arange(self._height) + 0.5, np.float64)
        trees = [(middle_of(column), middle_of(row)) for column, row in city.parks]
        self._stand = [
            *(("victim", spot.x, spot.z) for spot in city.victims),
            *(("station", spot.x, spot.z) for spot in city.stations),
            *(("heap", spot.x, spot.z) for spot in city.heaps),
            *(("tree", x, z) for x, z in trees),
        ]

    def picture(self, view: View) -> Pixels:
        """Draw.

        Args:
            view: Where the eye is.

        Returns:
            (H, W, 3) uint8 RGB, a new array.
        """
        sin, cos = math.sin(view.yaw), math.cos(view.yaw)
        to_x: Floats = -sin + self._right * cos
        to_z: Floats = -cos - self._right * sin
        hits = self._city.rays(view.x, view.z, to_x, to_z)
        far: Floats = np.maximum(hits.far, 0.05)
        horizon = self._height / 2 + self._focus * math.tan(view.pitch)
        up: Floats = np.asarray((horizon - self._rows) / self._focus, np.float64)
        wall_high = view.y + up[:, None] * far
        high = self._city.height[hits.row, hits.column]
        wall = (wall_high >= 0) & (wall_high < high)
        distance = np.where(wall, far, _HAZE * 40.0)
        back = self._sky(view.yaw, up)
        below = int(np.searchsorted(-up, 1e-3))
        if below < self._height:
            ground_far: Floats = np.asarray(view.y / -up[below:], np.float64)
            back[below:] = self._ground(view, to_x, to_z, ground_far)
            distance[below:] = np.where(wall[below:], far, ground_far[:, None])
        front = self._front(hits, wall_high, far)
        made: Floats32 = np.where(wall[..., None], front, back).astype(np.float32)
        clear = np.exp(-distance * np.hypot(1, self._right) / _HAZE).astype(np.float32)[..., None]
        seen = wall.copy()
        seen[below:] = True
        haze = np.array(self._art.haze, np.float32)
        made = np.where(seen[..., None], haze + (made - haze) * clear, made)
        self._figures(made, view, far, horizon)
        small = cv2.resize(made, self._size[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(np.clip(np.rint(small), 0, 255).astype(np.uint8))

    def _sky(self, yaw: float, up: Floats) -> Pixels:
        height, width = SKY_PX
        turn = (np.arctan(self._right) - yaw) / (2 * math.pi) % 1.0
        map_x = (turn * (width - 1)).astype(np.float32)
        steep = np.clip(up[:, None] / np.hypot(1, self._right), 0, _HIGHEST) / _HIGHEST
        map_y = ((1 - steep) * (height - 1)).astype(np.float32)
        return _taken(self._art.sky, np.broadcast_to(map_x, map_y.shape).copy(), map_y)

    def _ground(self, view: View, to_x: Floats, to_z: Floats, far: Floats) -> Pixels:
        map_x = ((view.x + to_x * far[:, None] + HALF) * GROUND_PX).astype(np.float32)
        map_y = ((view.z + to_z * far[:, None] + HALF) * GROUND_PX).astype(np.float32)
        coarse = far**2 / (view.y * self._focus) * GROUND_PX * 0.5
        return _by_level(self._art.ground, map_x, map_y, coarse, rows=True)

    def _front(self, hits: Hits, high: Floats, far: Floats) -> Floats32:
        height, width = FACADE_PX
        kind = self._city.facade[hits.row, hits.column].astype(np.float64)
        along = np.clip(hits.along * width, 1.0, width - 2.0) + np.maximum(kind, 0) * width
        map_x = np.broadcast_to(along, high.shape).astype(np.float32)
        map_y = ((1 - np.clip(high, 0, FACADE_HIGH) / FACADE_HIGH) * (height - 1)).astype(np.float32)
        coarse = far / self._focus * width / CELL
        found = _by_level(self._art.facades, map_x, map_y, coarse, rows=False)
        return np.asarray(found * np.where(hits.east_west, 1.0, _NORTH)[:, None], np.float32)

    def _figures(self, made: Floats32, view: View, far: Floats, horizon: float) -> None:
        """Put figures in, the farthest first."""
        sin, cos = math.sin(view.yaw), math.cos(view.yaw)
        placed = []
        for name, x, z in self._stand:
            if (x, z) in view.gone:
                continue
            dx, dz = x - view.x, z - view.z
            depth, side = -dx * sin - dz * cos, dx * cos - dz * sin
            if depth > _NEAREST and abs(side) < depth + 4:
                placed.append((depth, side, name))
        for depth, side, name in sorted(placed, reverse=True):
            self._figure(made, name, depth, side, view.y, far, horizon)

    def _figure(
        self, made: Floats32, name: str, depth: float, side: float, eye: float, far: Floats, horizon: float
    ) -> None:
        wide, high = (size * self._focus / depth for size in _SIZES[name])
        left = self._width / 2 + self._focus * side / depth - wide / 2
        top = horizon + self._focus * eye / depth - high
        columns = slice(max(int(left), 0), min(int(left + wide) + 1, self._width))
        rows = slice(max(int(top), 0), min(int(top + high) + 1, self._height))
        if columns.start >= columns.stop or rows.start >= rows.stop or not (far[columns] > depth).any():
            return
        texture = self._art.figures[name]
        map_x = (np.arange(columns.start, columns.stop) + 0.5 - left) / wide * texture.shape[1] - 0.5
        map_y = (np.arange(rows.start, rows.stop) + 0.5 - top) / high * texture.shape[0] - 0.5
        across, down = np.meshgrid(map_x.astype(np.float32), map_y.astype(np.float32))
        taken = cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        mine: Floats32 = np.asarray(taken, np.float32)
        share = mine[..., 3:] / 255 * (far[columns] > depth)[:, None]
        clear = math.exp(-depth / _HAZE)
        haze = np.array(self._art.haze, np.float32)
        made[rows, columns] += share * (haze + (mine[..., :3] - haze) * clear - made[rows, columns])


def _taken(texture: Pixels, map_x: Floats32, map_y: Floats32) -> Pixels:
    return np.asarray(cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _by_level(levels: tuple[Pixels, ...], map_x: Floats32, map_y: Floats32, coarse: Floats, *, rows: bool) -> Pixels:
    """Take pixels from the level that is as coarse as they are: one level a row, or a column.

    Args:
        levels: The texture.
        map_x: (h, w) columns in the finest level.
        map_y: (h, w) rows in it.
        coarse: (h,) or (w,) px of the finest level that a pixel spans.
        rows: Whether rows or columns have levels.
    """
    level = np.clip(np.floor(np.log2(np.maximum(coarse, 1e-6)) + 0.5), 0, LEVELS - 1).astype(np.int64)
    found = np.empty((*map_x.shape, 3), np.uint8)
    for number in np.unique(level).tolist():
        mine = level == number
        at = (mine, slice(None)) if rows else (slice(None), mine)
        part = np.float32(0.5**number)
        found[at] = _taken(levels[number], (map_x[at] + 0.5) * part - 0.5, (map_y[at] + 0.5) * part - 0.5)
    return found
