"""Rows of frames in segments: which frames are kept, and where an unbroken stretch ends.

A frame is left out where its picture, its time or its keys are not known, and where its time does not rise; the segment
ends there. It also ends where the number of the picture leaps, where a pause lies between two times, and, in a set that
this program wrote, where its own segments end.

Example:
    >>> ends(np.array([0, 100, 200, 700]), np.array([0, 1, 2, 3]), np.ones(4, bool)).tolist()
    [False, False, True]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.formats.reacture.own import Own
from rushes.model.clock import NS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STEP_NS: Final = NS // 10
"""The game's timer: 100 ms."""
_PAUSE: Final = 2.5
"""Median steps from which on a step of times is a pause."""


@dataclass(frozen=True)
class Stretch:
    """An unbroken stretch of frames.

    Attributes:
        rows: (N,) places of its rows.
        end_ns: ns since session start of its end.
        reason: Why it ends.
        own: Number of the segment that this program wrote, or None.
    """

    rows: Ints
    end_ns: int
    reason: str
    own: int | None = None


def step_of(t_ns: Ints) -> int:
    """Give the usual step of times, ns."""
    steps = np.diff(t_ns)
    steps = steps[steps > 0]
    return int(np.median(steps)) if len(steps) else STEP_NS


def ends(t_ns: Ints, tick: Ints, kept: Bools) -> Bools:
    """Say behind which rows a stretch of the game's own rows ends.

    Args:
        t_ns: (N,) times of the rows, ns.
        tick: (N,) numbers of their pictures.
        kept: (N,) whether the frame is kept.

    Returns:
        (N - 1,) whether row k and row k + 1 do not stand next to each other.
    """
    far = np.diff(t_ns) > _PAUSE * step_of(t_ns[kept])
    return np.asarray(far | (np.diff(tick) != 1) | ~kept[:-1] | ~kept[1:])


def stretches(t_ns: Ints, tick: Ints, kept: Bools, pauses_ns: Sequence[int]) -> list[Stretch]:
    """Cut the game's rows.

    Args:
        t_ns: (N,) times, rising where frames are kept.
        tick: (N,) numbers of their pictures.
        kept: (N,) whether the frame is kept.
        pauses_ns: When the game was paused.
    """
    step = step_of(t_ns[kept])
    found = []
    for rows in _runs(kept, ends(t_ns, tick, kept)):
        last = int(t_ns[rows[-1]])
        later = t_ns[rows[-1] + 1 :]
        later = later[later > last]
        end_ns = min(last + step, int(later[0])) if len(later) else last + step
        paused = any(last <= at < (int(later[0]) if len(later) else end_ns) for at in pauses_ns)
        at_end = rows[-1] == len(t_ns) - 1
        found.append(Stretch(rows, end_ns, "pause" if paused else "end" if at_end else "gap"))
    return found


def own_stretches(t_ns: Ints, number: Ints, kept: Bools, own: Own) -> list[Stretch]:
    """Cut rows that this program wrote.

    Args:
        t_ns: (N,) times, rising where frames are kept.
        number: (N,) numbers of the rows.
        kept: (N,) whether the frame is kept; only rows that lie in a segment may be.
        own: The description.
    """
    place = np.array([-1 if (p := own.segment_of(int(n))) is None else p for n in number], np.int64)
    apart = (np.diff(place) != 0) | (np.diff(number) != 1) | ~kept[:-1] | ~kept[1:]
    found = []
    for rows in _runs(kept, np.asarray(apart)):
        segment = own.segments[int(place[rows[0]])]
        last = int(rows[-1])
        if int(number[last]) + 1 >= segment.stop_frame:
            end_ns, reason = max(segment.end_ns, int(t_ns[last])), segment.end_reason
        else:
            later = [int(t) for t in t_ns[last + 1 :] if t > t_ns[last]]
            limit = int(t_ns[last]) + step_of(t_ns[kept])
            end_ns, reason = min([limit, segment.end_ns, *later[:1]]), "gap"
        found.append(Stretch(rows, end_ns, reason, segment.index))
    return found


def _runs(kept: Bools, apart: Bools) -> list[Ints]:
    """Give the runs of kept rows that are not apart."""
    edges = [0, *(np.flatnonzero(apart) + 1).tolist(), len(kept)]
    runs = [np.arange(first, stop) for first, stop in pairwise(edges)]
    return [run for run in runs if len(run) and kept[run].all()]
