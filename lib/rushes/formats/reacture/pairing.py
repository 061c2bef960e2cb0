"""Which row belongs to which picture: by the number in `visual_frame_path`, then by time, never by position.

Row i of the game's files is not frame i: the first line is `game_start`, and rows of the game stand between those of
frames. Rows whose number names a picture are joined first. What is left is joined by time where the pictures have times
of their own, each with the nearest that is less than half a step away: also a row whose number is no picture's, or an
earlier row's. Rows without a number are joined in order, where no times are there and there are as many of both.

Example:
    >>> join([1, None, 7], [100.0, 201.0, 300.0], {1: None, 2: 199.0, 3: None}).picture
    (1, 2, None)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_STEP_MS: Final = 100.0


@dataclass(frozen=True)
class Joined:
    """Rows with their pictures.

    Attributes:
        picture: The number of each row's picture, or None.
        by_time: How many were joined by time.
        by_order: How many were joined in order.
        unused: Numbers of pictures of which no row speaks.
    """

    picture: tuple[int | None, ...]
    by_time: int
    by_order: int
    unused: tuple[int, ...]


def join(numbers: Sequence[int | None], t_ms: Sequence[float | None], pictures: Mapping[int, float | None]) -> Joined:
    """Join rows of frames with pictures.

    Args:
        numbers: The number that each row says, or None.
        t_ms: Its time, or None.
        pictures: Number of each picture that is there -> its time in ms, or None.
    """
    found: list[int | None] = [None] * len(numbers)
    free = set(pictures)
    for row, number in enumerate(numbers):
        if number is not None and number in free:
            found[row] = number
            free.discard(number)
    apart = [row for row, number in enumerate(found) if number is None]
    by_time = _by_time(found, apart, t_ms, {n: t for n in free if (t := pictures[n]) is not None})
    free -= {number for number in found if number is not None}
    left = [row for row in apart if found[row] is None and numbers[row] is None]
    by_order = 0
    if left and len(left) == len(free) and all(pictures[number] is None for number in free):
        by_order = len(left)
        for row, number in zip(left, sorted(free), strict=True):
            found[row] = number
        free = set()
    return Joined(tuple(found), by_time, by_order, tuple(sorted(free)))


def _by_time(
    found: list[int | None], rows: Sequence[int], t_ms: Sequence[float | None], pictures: Mapping[int, float]
) -> int:
    """Join what is nearest first; gives how many were joined."""
    if not pictures or not rows:
        return 0
    known = sorted(t for t in t_ms if t is not None)
    steps = np.diff(known)
    limit = (float(np.median(steps)) if len(steps) else _STEP_MS) / 2
    numbers = sorted(pictures, key=lambda number: pictures[number])
    times = np.array([pictures[number] for number in numbers])
    near = []
    for row in rows:
        t = t_ms[row]
        if t is None:
            continue
        first, stop = np.searchsorted(times, [t - limit, t + limit])
        near += [(abs(float(times[k]) - t), row, numbers[k]) for k in range(first, min(stop + 1, len(numbers)))]
    taken: set[int] = set()
    for away, row, number in sorted(near):
        if away < limit and found[row] is None and number not in taken:
            found[row] = number
            taken.add(number)
    return len(taken)
