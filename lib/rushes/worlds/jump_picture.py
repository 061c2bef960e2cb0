"""How the jump world looks: hills and ground that scroll, a runner, crates in his way.

What scrolls is drawn once a course, a bit wider than it is long before it repeats; a picture is a few slices of it and
takes well under a tenth of a millisecond. Hills and ground repeat after 607 and 389 px, two primes, so that no two
pictures of an episode are equal.

Example:
    >>> look = Look.drawn(np.random.default_rng(0))
    >>> draw(look, 120, Runner(32, 10, 0), [(90, 12, 20)]).shape
    (96, 160, 3)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

WIDTH_PX: Final = 160
HEIGHT_PX: Final = 96
GROUND_PX: Final = 80
"""Row of the ground's upper edge."""
RUNNER_HEIGHT_PX: Final = 14
_HILLS_PX, _SOIL_PX = 607, 389
_SLOWER: Final = 4
"""The ground moves so many times as fast as the hills."""
_BLOCK_PX: Final = 4
_LEVELS: Final = 4
_CRATE, _BAND, _CRATE_EDGE = (150, 62, 44), (196, 104, 64), (70, 26, 22)
_COAT, _HEAD, _LEGS = (250, 214, 60), (246, 238, 224), (30, 30, 44)
_STRIDE_PX: Final = 12


class Runner(NamedTuple):
    """Where the runner is.

    Attributes:
        left_px: His left edge in the picture.
        width_px: How wide he is.
        height_px: How high he is above the ground.
    """

    left_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Look:
    """What scrolls in one course.

    Attributes:
        hills: (GROUND_PX, W, 3) uint8, repeated far enough.
        soil: (HEIGHT_PX - GROUND_PX, W, 3) uint8, likewise.
    """

    hills: Pixels
    soil: Pixels

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Look:
        """Draw a landscape.

        Args:
            rng: What its forms and colours are drawn from.
        """
        columns, rows = np.arange(_HILLS_PX), np.arange(GROUND_PX)
        turns = 2 * np.pi * columns / _HILLS_PX
        ridge = np.full(_HILLS_PX, 40.0)
        for waves, size in ((2, 9.0), (5, 6.0), (11, 3.0), (23, 1.5)):
            ridge += size * np.sin(turns * waves + rng.uniform(0, 2 * np.pi))
        sky = np.array([120.0, 170.0, 220.0]) + rng.uniform(-18, 18, 3)
        hill = np.array([84.0, 130.0, 104.0]) + rng.uniform(-18, 18, 3)
        air = sky + (rows[:, None, None] - 40) * 0.6
        grass = hill + _grain(rng, GROUND_PX, _HILLS_PX, 14.0)
        hills = np.where(rows[:, None, None] > ridge[None, :, None], grass, air)
        soil = np.array([122.0, 98.0, 70.0]) + rng.uniform(-18, 18, 3)
        soil = soil + _grain(rng, HEIGHT_PX - GROUND_PX, _SOIL_PX, 22.0)
        soil[0] -= 40
        return cls(_wide(hills), _wide(soil))


def _grain(rng: np.random.Generator, height: int, width: int, strength: float) -> npt.NDArray[np.float64]:
    levels = np.linspace(-strength, strength, _LEVELS)  # few, so that a picture is stored in few bytes
    blocks = rng.choice(levels, (height // _BLOCK_PX + 1, width // _BLOCK_PX + 1, 1))
    return np.asarray(np.kron(blocks, np.ones((_BLOCK_PX, _BLOCK_PX, 1)))[:height, :width])


def _wide(tile: npt.NDArray[np.float64]) -> Pixels:
    """Repeat the first columns behind the last, so that one slice is always enough."""
    return np.concatenate([tile, tile[:, :WIDTH_PX]], axis=1).clip(0, 255).astype(np.uint8)


def draw(look: Look, progress_px: int, runner: Runner, boxes: Iterable[tuple[int, int, int]]) -> Pixels:
    """Draw a moment.

    Args:
        look: The course's landscape.
        progress_px: How far it has scrolled.
        runner: Where the runner is.
        boxes: (left, width, height) of what stands in the way, in px of the picture.

    Returns:
        (HEIGHT_PX, WIDTH_PX, 3) uint8 RGB.
    """
    made = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    far, near = progress_px // _SLOWER % _HILLS_PX, progress_px % _SOIL_PX
    made[:GROUND_PX] = look.hills[:, far : far + WIDTH_PX]
    made[GROUND_PX:] = look.soil[:, near : near + WIDTH_PX]
    for left, width, height in boxes:
        top, first, stop = GROUND_PX - height, max(0, left), max(0, left + width)
        made[top:GROUND_PX, first:stop] = _CRATE_EDGE
        made[top + 1 : GROUND_PX - 1, max(0, left + 1) : max(0, left + width - 1)] = _CRATE
        made[top + 2 : GROUND_PX - 1 : 4, max(0, left + 1) : max(0, left + width - 1)] = _BAND
    _draw_runner(made, progress_px, runner)
    return made


def _draw_runner(made: Pixels, progress_px: int, runner: Runner) -> None:
    feet = GROUND_PX - runner.height_px
    top, left, stop = feet - RUNNER_HEIGHT_PX, runner.left_px, runner.left_px + runner.width_px
    made[top : top + 5, left + 3 : stop - 1] = _HEAD
    made[top + 5 : feet - 4, left + 1 : stop - 1] = _COAT
    spread = 2 if runner.height_px or progress_px // _STRIDE_PX % 2 else 0
    made[feet - 4 : feet, left + 2 - spread : left + 4 - spread] = _LEGS
    made[feet - 4 : feet, stop - 4 + spread : stop - 2 + spread] = _LEGS
