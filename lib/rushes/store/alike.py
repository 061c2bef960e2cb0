"""Which pictures look most alike, by their tiny pictures.

Example:
    >>> seen = np.zeros((3, 16, 16, 3), np.uint8) + np.array([0, 9, 200], np.uint8)[:, None, None, None]
    >>> [(match.candidate, match.positive) for match in nearest(seen[:1], seen[1:], 1)]
    [(0, 0)]
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]

_PART: Final = 2048
"""Pictures compared with as many others at a time."""
_SPARE: Final = 4
"""How many more neighbours of each positive are found than are wanted, since two positives may share one."""


class Match(NamedTuple):
    """A candidate that looks like a positive.

    Attributes:
        candidate: Its number.
        positive: The number of the positive.
        distance: Root of the mean squared difference of both tiny pictures, 0 to 1.
    """

    candidate: int
    positive: int
    distance: float


def nearest(positives: Pixels, candidates: Pixels, wanted: int) -> list[Match]:
    """Find the candidates that look most like positives.

    Every positive takes the nearest candidate that is left, the nearest pair first; then each takes a second one, and
    so on, so that no single positive takes all.

    Args:
        positives: (P, 16, 16, 3) uint8.
        candidates: (C, 16, 16, 3) uint8.
        wanted: How many; fewer are found where there are fewer.

    Returns:
        The matches in the order in which they were taken, each candidate once.
    """
    rows, others = (_flat(many) for many in (positives, candidates))
    left = np.arange(len(others))
    found: list[Match] = []
    while len(rows) and len(left) and len(found) < wanted:
        each = -(-(wanted - len(found)) // len(rows)) + _SPARE
        near, apart = _neighbours(rows, others[left], min(each, len(left)))
        new = _in_turns(left[near], apart, wanted - len(found))
        found += new
        left = np.setdiff1d(left, [match.candidate for match in new], assume_unique=True)
    return found


def closest(pictures: Pixels, others: Pixels) -> Ints:
    """Find for each of (K, 16, 16, 3) tiny pictures the most like one of (N, 16, 16, 3) others: (K,) int64, N >= 1."""
    return np.asarray(_neighbours(_flat(pictures), _flat(others), 1)[0][:, 0], np.int64)


def _flat(pictures: Pixels) -> Pixels:
    return pictures.reshape(len(pictures), math.prod(pictures.shape[1:]))


def _neighbours(rows: Pixels, others: Pixels, count: int) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Give the nearest others of each row, nearest first: numbers and distances, (P, count) each."""
    near = np.zeros((len(rows), count), np.int64)
    apart = np.zeros((len(rows), count))
    for first in range(0, len(rows), _PART):
        mine = rows[first : first + _PART].astype(np.float32)
        own = np.einsum("pd,pd->p", mine, mine)
        best = np.zeros((len(mine), 0), np.int64)
        best_far = np.zeros((len(mine), 0), np.float32)
        for start in range(0, len(others), _PART):
            part = others[start : start + _PART].astype(np.float32)
            far = own[:, None] + np.einsum("cd,cd->c", part, part)[None] - 2 * (mine @ part.T)
            far = np.concatenate([best_far, far], axis=1)
            numbers = np.broadcast_to(np.arange(start, start + len(part)), (len(mine), len(part)))
            number = np.concatenate([best, numbers], axis=1)
            keep = np.argsort(far, axis=1, kind="stable")[:, :count] if far.shape[1] <= count else _lowest(far, count)
            best, best_far = np.take_along_axis(number, keep, 1), np.take_along_axis(far, keep, 1)
        near[first : first + _PART] = best
        apart[first : first + _PART] = np.sqrt(np.maximum(best_far, 0) / rows.shape[1]) / 255
    return near, apart


def _lowest(far: npt.NDArray[np.float32], count: int) -> Ints:
    part = np.argpartition(far, count - 1, axis=1)[:, :count]
    part.sort(axis=1)  # of equal ones the earlier
    return np.asarray(np.take_along_axis(part, np.take_along_axis(far, part, 1).argsort(axis=1, kind="stable"), 1))


def _in_turns(near: Ints, apart: npt.NDArray[np.float64], wanted: int) -> list[Match]:
    taken: set[int] = set()
    place = np.zeros(len(near), np.int64)
    found: list[Match] = []
    while True:
        turn = []
        for positive in range(len(near)):
            while place[positive] < near.shape[1] and int(near[positive, place[positive]]) in taken:
                place[positive] += 1
            if place[positive] < near.shape[1]:
                turn.append((float(apart[positive, place[positive]]), positive))
        if not turn:
            return found
        for _, positive in sorted(turn):
            free = [k for k in range(place[positive], near.shape[1]) if int(near[positive, k]) not in taken]
            if free:
                taken.add(int(near[positive, free[0]]))
                found.append(Match(int(near[positive, free[0]]), positive, float(apart[positive, free[0]])))
                if len(found) == wanted:
                    return found
