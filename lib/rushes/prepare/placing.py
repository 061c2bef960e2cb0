"""Placing: groups of unequal size into parts of given shares, as near as whole groups allow.

Each group has two counts (positives, negatives). Groups come in a given order, each where most is lacking; then single
moves and swaps of two go on while they bring the parts nearer to their shares. Every part gets a group with positives
where there are enough of them, else a group where there are enough.

Example:
    >>> sizes = np.array([[9, 9], [1, 1], [5, 5], [5, 5]])
    >>> place(sizes, np.array([0.5, 0.5]), np.arange(4), np.full(4, -1)).tolist()
    [0, 0, 1, 1]
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_ROUNDS: Final = 50
_SWAPPED: Final = 300
"""Groups from which on swaps are left out; with so many of them moves alone come near enough."""


def place(sizes: Ints, shares: Floats, order: Ints, fixed: Ints) -> Ints:
    """Place groups into parts.

    Args:
        sizes: (G, 2) rows of each group: positives, negatives.
        shares: (P,) of all rows, summing to 1.
        order: (G,) numbers of the groups in the order in which they are placed; decides between equals.
        fixed: (G,) the part in which a group has to be, -1 where it is free.

    Returns:
        (G,) int64 number of the part of each group.
    """
    total = np.maximum(sizes.sum(axis=0), 1)
    size = sizes / total  # (G, 2): each class counts alike
    goal = np.outer(shares, np.minimum(sizes.sum(axis=0), 1))
    part = fixed.astype(np.int64).copy()
    have = np.zeros_like(goal)
    for group in np.flatnonzero(fixed >= 0):
        have[fixed[group]] += size[group]
    free = np.array([group for group in order if fixed[group] < 0], np.int64)
    able = sizes[:, 0] > 0  # holds positives
    if np.count_nonzero(able) < len(shares):
        able = np.ones(len(sizes), bool)
    free = np.concatenate([free[able[free]], free[~able[free]]])
    for number, group in enumerate(free):
        empty = np.array([not (able & (part == p)).any() for p in range(len(shares))])
        left = int(able[free[number:]].sum())
        cost = ((have - goal) * size[group]).sum(axis=1)
        if able[group] and left <= empty.sum():
            cost[~empty] = np.inf
        part[group] = int(np.argmin(cost))
        have[part[group]] += size[group]
    _improve(part, size, have, goal, free, able)
    return part


def _improve(part: Ints, size: Floats, have: Floats, goal: Floats, free: Ints, able: npt.NDArray[np.bool_]) -> None:
    """Move and swap groups in place while it helps."""
    count = np.array([int((able & (part == p)).sum()) for p in range(len(goal))])
    for _ in range(_ROUNDS):
        moved = _move(part, size, have, goal, free, able, count)
        swapped = len(free) <= _SWAPPED and _swap(part, size, have, goal, free, able, count)
        if not moved and not swapped:
            return


def _gain(have: Floats, goal: Floats, source: int, target: int, change: Floats) -> float:
    """Give by how much the squared distance from the shares falls when `change` goes from one part to another."""
    before = ((have[[source, target]] - goal[[source, target]]) ** 2).sum()
    after = ((have[source] - change - goal[source]) ** 2).sum() + ((have[target] + change - goal[target]) ** 2).sum()
    return float(before - after)


def _move(
    part: Ints, size: Floats, have: Floats, goal: Floats, free: Ints, able: npt.NDArray[np.bool_], count: Ints
) -> bool:
    found = False
    for group in free:
        source = int(part[group])
        if able[group] and count[source] <= 1:
            continue
        gains = [_gain(have, goal, source, p, size[group]) if p != source else 0.0 for p in range(len(goal))]
        best = int(np.argmax(gains))
        if gains[best] > 1e-12:  # noqa: PLR2004 - less is rounding
            have[source] -= size[group]
            have[best] += size[group]
            count[source] -= able[group]
            count[best] += able[group]
            part[group], found = best, True
    return found


def _swap(
    part: Ints, size: Floats, have: Floats, goal: Floats, free: Ints, able: npt.NDArray[np.bool_], count: Ints
) -> bool:
    found = False
    for at, one in enumerate(free):
        for other in free[at + 1 :]:
            here, there = int(part[one]), int(part[other])
            lost = int(able[one]) - int(able[other])
            if here == there or count[here] - lost < 1 or count[there] + lost < 1:
                continue
            change = size[one] - size[other]
            if _gain(have, goal, here, there, change) > 1e-12:  # noqa: PLR2004 - less is rounding
                have[here] -= change
                have[there] += change
                count[here] -= lost
                count[there] += lost
                part[one], part[other], found = there, here, True
    return found
