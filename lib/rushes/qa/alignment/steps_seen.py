"""What moved between two pictures of an environment, and which way: the features by which actions are told.

Pictures are decoded a second time, since the signs' blocks are too coarse for a sprite of a few pixels; environments
have small pictures. Of each pair of neighbours it is noted how bright the blocks are, how much of each changed, and
which way things moved there: brightness slope times brightness change, which is the numerator of an optical flow (Lucas
and Kanade, 1981) and keeps its sign wherever the thing stands and whatever lies behind it.

Example:
    >>> still = np.zeros((1, 210, 160, 3), np.uint8)
    >>> seen = see(iter([*still, *still]))
    >>> {name: values.shape for name, values in seen.items()}["change"]
    (1, 336)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError

Floats = npt.NDArray[np.float64]

SMALL: Final = (105, 80)
"""(height, width) in px at which pictures are compared: half of an Atari picture."""
_FINE: Final = (21, 16)
"""Blocks, (rows, columns), of brightness and change."""
_COARSE: Final = (10, 8)
"""Blocks of motion."""
_BLURS: Final = {"motion": 1.2, "wide": 3.0}
"""Standard deviation in px of the blur before motion is told: for things that move by one px or two, and by more."""


def see(pictures: Iterator[npt.NDArray[np.uint8]]) -> Mapping[str, Floats]:
    """Note what changed between neighbours.

    Args:
        pictures: (H, W, 3) uint8 RGB in order, all of one size; what comes after one that cannot be decoded is left
            out.

    Returns:
        Features by the name of their group, each (N - 1, P): `light` and `change` by block, `motion` and `wide` by
        block and direction, `motion_bands` and `wide_bands` the same by rows, by columns and of the whole picture.
    """
    rows: dict[str, list[Floats]] = {"light": [], "change": [], **{name: [] for name in _BLURS}}
    before: npt.NDArray[np.float32] | None = None
    blurred: dict[str, npt.NDArray[np.float32]] = {}
    while (grey := _next(pictures)) is not None:
        now = {name: cv2.GaussianBlur(grey, (0, 0), sigma) for name, sigma in _BLURS.items()}
        if before is not None:
            rows["light"].append(_blocks(grey, _FINE))
            rows["change"].append(np.sqrt(_blocks(np.abs(grey - before), _FINE)))
            for name in _BLURS:
                rows[name].append(_motion(blurred[name], np.asarray(now[name], np.float32)))
        before, blurred = grey, {name: np.asarray(values, np.float32) for name, values in now.items()}
    seen = {name: np.array(values, np.float64).reshape(len(values), -1) for name, values in rows.items()}
    return seen | {f"{name}_bands": _bands(seen[name]) for name in _BLURS}


def _next(pictures: Iterator[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32] | None:
    try:
        pixels = next(pictures, None)
    except RushesError:
        return None
    if pixels is None:
        return None
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, SMALL[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _blocks(values: npt.NDArray[np.float32], blocks: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values, blocks[::-1], interpolation=cv2.INTER_AREA), np.float64).ravel()


def _motion(before: npt.NDArray[np.float32], now: npt.NDArray[np.float32]) -> Floats:
    """Tell by block how far things moved to the right and down, weighed by their contrast: (2 * blocks,)."""
    change, middle = now - before, (now + before) / 2
    slopes = (cv2.Sobel(middle, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(middle, cv2.CV_32F, 0, 1, ksize=3))
    return np.asarray(
        np.cbrt(np.concatenate([_blocks(np.asarray(-slope * change, np.float32), _COARSE) for slope in slopes]))
    )


def _bands(motion: Floats) -> Floats:
    """Add motion up by rows, by columns and altogether: (N, 2 * (rows + columns + 1))."""
    by_block = motion.reshape(len(motion), 2, *_COARSE)
    parts = (by_block.sum(3), by_block.sum(2), by_block.sum((2, 3))[:, :, None])
    return np.concatenate(parts, 2).reshape(len(motion), -1)
