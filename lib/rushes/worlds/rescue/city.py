"""The city of the planted rescue: blocks of houses between streets, who waits there, and how dangerous it is where.

Positions are units (about metres): x grows to the east, z to the south, y upwards. The city is a square of cells, 4
units each; streets are two cells wide, blocks four. The same seed and environment give the same city.

Example:
    >>> city = City.drawn(7, "earthquake")
    >>> city.solid(*START), city.zone(*START), len(city.victims)
    (False, 'safe', 9)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadNameError, near

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ENVIRONMENTS: Final = ("earthquake", "tsunami", "wildfire")
"""What struck the city."""
CELL: Final = 4.0
"""Units a cell."""
CELLS: Final = 34
"""Cells a side, walls around included."""
HALF: Final = CELLS * CELL / 2
"""Units from the middle to the edge."""
FACADES: Final = 8
"""Kinds of fronts of houses."""
START: Final = (12.0, 12.0)
"""(x, z) where the rescuer begins: a crossing near the middle."""
_BLOCK: Final = 6
_STREET: Final = 2
_VICTIMS: Final = 9
_STATIONS: Final = 4
_HEAPS: Final = 6
_FARTHEST: Final = 60.0
_STEPS: Final = 2 * CELLS


class Spot(NamedTuple):
    """Something that stands somewhere.

    Attributes:
        x: Units to the east.
        z: Units to the south.
    """

    x: float
    z: float


class Hits(NamedTuple):
    """Where rays meet walls.

    Attributes:
        far: (N,) float64 how often the direction fits in between.
        along: (N,) float64 place along the wall, in cells from 0 to 1.
        column: (N,) int64 cell to the east.
        row: (N,) int64 cell to the south.
        east_west: (N,) bool, whether the wall looks east or west.
    """

    far: Floats
    along: Floats
    column: Ints
    row: Ints
    east_west: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class City:
    """A city.

    Attributes:
        environment: What struck it.
        facade: (CELLS, CELLS) int8 by row and column: the kind of its houses' fronts, -1 where one can walk.
        height: (CELLS, CELLS) float64 units that houses are high.
        parks: (column, row) of cells with grass.
        victims: Who waits.
        stations: Where the battery is charged.
        heaps: Rubble that lies in the way.
        hazards: (x, z, radius) of red zones; yellow reaches half as far again.
    """

    environment: str
    facade: npt.NDArray[np.int8]
    height: Floats
    parks: tuple[tuple[int, int], ...]
    victims: tuple[Spot, ...]
    stations: tuple[Spot, ...]
    heaps: tuple[Spot, ...]
    hazards: tuple[tuple[float, float, float], ...]

    @classmethod
    def drawn(cls, seed: int, environment: str = "earthquake") -> Self:
        """Draw one.

        Args:
            seed: Decides everything.
            environment: One of `ENVIRONMENTS`.

        Raises:
            BadNameError: No such environment.
        """
        if environment not in ENVIRONMENTS:
            raise BadNameError(
                f"environment {environment!r}",
                accepts=", ".join(ENVIRONMENTS),
                fix=near(environment, ENVIRONMENTS) or "take one from the list",
            )
        rng = np.random.default_rng([seed, 0xC17, ENVIRONMENTS.index(environment)])
        facade = np.full((CELLS, CELLS), -1, np.int8)
        height = np.zeros((CELLS, CELLS))
        for edge in (0, -1):
            facade[edge, :] = facade[:, edge] = 0
            height[edge, :] = height[:, edge] = 7.0
        parks = _houses(rng, facade, height)
        street = _street_cells(facade)
        spots = [spot for spot in street[rng.permutation(len(street))].tolist() if _away(spot, START) < _FARTHEST]
        taken: list[Spot] = []
        victims = _apart(spots, taken, _VICTIMS, least=13.0)
        stations = _apart(spots, taken, _STATIONS, least=10.0)
        heaps = _apart(spots, taken, _HEAPS, least=7.0)
        hazards = tuple(
            (x, z, float(rng.uniform(5.5, 9.0))) for x, z in _apart(spots[::-1], [Spot(*START)], 6, least=21.0)
        )
        return cls(environment, facade, height, parks, victims, stations, heaps, hazards)

    def solid(self, x: float, z: float) -> bool:
        """Say whether a house stands there."""
        column, row = cell_of(x), cell_of(z)
        inside = 0 <= column < CELLS and 0 <= row < CELLS
        return not inside or bool(self.facade[row, column] >= 0)

    def zone(self, x: float, z: float) -> str:
        """Say how dangerous it is: `safe`, `yellow` or `red`."""
        found = "safe"
        for east, south, radius in self.hazards:
            far = np.hypot(x - east, z - south)
            if far < radius:
                return "red"
            if far < 1.5 * radius:
                found = "yellow"
        return found

    def rays(self, x: float, z: float, to_x: Floats, to_z: Floats) -> Hits:
        """Follow rays until they meet a wall.

        Args:
            x: Where they begin.
            z: Where they begin.
            to_x: (N,) their directions, of any length.
            to_z: (N,) their directions.
        """
        at = [(x + HALF) / CELL, (z + HALF) / CELL]
        speed = [np.where(np.abs(to) < 1e-9, 1e-9, to) / CELL for to in (to_x, to_z)]  # noqa: PLR2004 - along a wall
        cell = [np.full(len(to_x), int(a), np.int64) for a in at]
        way = [np.sign(s).astype(np.int64) for s in speed]
        each = [1 / np.abs(s) for s in speed]
        ahead = [(np.where(w > 0, c + 1 - a, a - c)) * e for w, c, a, e in zip(way, cell, at, each, strict=True)]
        going, east_west = np.ones(len(to_x), bool), np.zeros(len(to_x), bool)
        far = np.zeros(len(to_x))
        for _ in range(_STEPS):
            first = ahead[0] < ahead[1]
            far = np.where(going, np.minimum(ahead[0], ahead[1]), far)
            east_west = np.where(going, first, east_west)
            for axis, mine in enumerate((first & going, ~first & going)):
                cell[axis] += way[axis] * mine
                ahead[axis] += each[axis] * mine
            going &= self.facade[np.clip(cell[1], 0, CELLS - 1), np.clip(cell[0], 0, CELLS - 1)] < 0
            if not going.any():
                break
        place = np.where(east_west, at[1] + far * speed[1], at[0] + far * speed[0])
        return Hits(far, place % 1.0, np.clip(cell[0], 0, CELLS - 1), np.clip(cell[1], 0, CELLS - 1), east_west)


def cell_of(place: float) -> int:
    """Give the cell of a place along one axis."""
    return int((place + HALF) // CELL)


def middle_of(cell: int) -> float:
    """Give the middle of a cell along one axis, in units."""
    return (cell + 0.5) * CELL - HALF


def _houses(rng: np.random.Generator, facade: npt.NDArray[np.int8], height: Floats) -> tuple[tuple[int, int], ...]:
    """Build blocks; gives the cells of parks."""
    parks = []
    for top in range(1 + _STREET, CELLS - _BLOCK + 1, _BLOCK):
        for left in range(1 + _STREET, CELLS - _BLOCK + 1, _BLOCK):
            park = rng.random() < 0.12  # noqa: PLR2004 - one block in eight
            for row in range(top, top + 4, 2):
                for column in range(left, left + 4, 2):
                    kind, high = int(rng.integers(1, FACADES)), float(rng.uniform(5.0, 15.0))
                    gone = rng.random() < 0.1  # noqa: PLR2004 - fallen down
                    if park or gone:
                        parks += [(column + dx, row + dz) for dx in (0, 1) for dz in (0, 1)]
                        continue
                    facade[row : row + 2, column : column + 2] = kind
                    height[row : row + 2, column : column + 2] = high
    return tuple(parks)


def _street_cells(facade: npt.NDArray[np.int8]) -> Floats:
    """Give the middles of cells where one can walk, in the order of rows: (N, 2)."""
    row, column = np.nonzero(facade < 0)
    return np.stack([(column + 0.5) * CELL - HALF, (row + 0.5) * CELL - HALF], axis=1)


def _away(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    return float(np.hypot(*(np.asarray(one) - np.asarray(other))))


def _apart(spots: list[list[float]], taken: list[Spot], count: int, *, least: float) -> tuple[Spot, ...]:
    """Take spots that are not near to what is taken already, nor to the start."""
    found: list[Spot] = []
    for x, z in spots:
        here = Spot(x, z)
        near_by = [*taken, *found, Spot(*START)]
        if len(found) < count and all(_away(here, other) >= least for other in near_by):
            found.append(here)
    taken += found
    return tuple(found)
