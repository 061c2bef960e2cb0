"""Windows: where a sample of T consecutive rows may start.

A window never crosses an edge of a segment, nor a row that is marked invalid. With `stride` 1 a stretch of N
rows has M = N - T + 1 windows. With `frame_skip` k a window takes every k-th row, so it spans (T - 1) * k + 1
of them. What no window reaches is counted.

Example:
    >>> found = windows([0, 0, 0, 0, 1, 1], length=3)
    >>> found.starts.tolist(), found.rows().tolist(), found.ledger["too_short"]
    ([0, 1], [[0, 1, 2], [1, 2, 3]], 2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Windows:
    """Starts of windows over a table of rows.

    Attributes:
        starts: (M,) int64 row numbers, rising.
        length: T, rows a window takes.
        stride: Rows from one start to the next within a stretch.
        frame_skip: Rows from one row of a window to the next.
        ledger: How many rows are `covered` (in the span of a window), and why the others are not: `invalid`,
            `too_short` (the stretch has no room for one window), `remainder` (after the last window of a
            stretch, or between windows that stand further apart than they span). They add up to the number of
            rows.
    """

    starts: Ints
    length: int
    stride: int
    frame_skip: int
    ledger: Mapping[str, int]

    @property
    def span(self) -> int:
        """Rows from a window's first to its last, both counted."""
        return (self.length - 1) * self.frame_skip + 1

    def rows(self) -> Ints:
        """Number the rows of each window: (M, T) int64."""
        return self.starts[:, None] + np.arange(self.length, dtype=np.int64) * self.frame_skip

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        return f"Windows({len(self)} of {self.length} rows, stride {self.stride}, frame_skip {self.frame_skip})"


def windows(
    segment: npt.ArrayLike,
    *,
    length: int,
    stride: int = 1,
    frame_skip: int = 1,
    invalid: npt.ArrayLike | None = None,
) -> Windows:
    """Find where windows may start.

    Args:
        segment: (N,) integers, the segment of each row in time order; a change is an edge.
        length: T, rows a window takes, at least 1.
        stride: Rows from one start to the next, counted anew from the start of each unbroken stretch.
        frame_skip: Rows from one row of a window to the next.
        invalid: (N,) bool, rows that no window may span, not even between the rows that it takes.

    Returns:
        The starts, and what was left out.

    Raises:
        BadInputError: A number below 1, or a mask of another length.
    """
    for name, value in (("length", length), ("stride", stride), ("frame_skip", frame_skip)):
        if value < 1:
            raise BadInputError(f"{name}={value}", accepts="an integer from 1 on", fix=f"pass {name}=1 or more")
    ids = np.asarray(segment)
    wrong = np.zeros(len(ids), bool) if invalid is None else np.asarray(invalid, bool)
    if wrong.shape != ids.shape:
        raise BadInputError(
            f"{wrong.size} marks for {ids.size} rows",
            accepts="one mark a row",
            fix="make the mask with invalid_rows from the same times",
        )
    edge = np.ones(len(ids) + 1, bool)
    edge[1:-1] = (ids[1:] != ids[:-1]) | (wrong[1:] != wrong[:-1])
    bounds = np.flatnonzero(edge)
    first, size = bounds[:-1], np.diff(bounds)
    valid = ~wrong[first]
    count, ledger = window_counts(size[valid], span=(length - 1) * frame_skip + 1, stride=stride)
    first = first[valid]
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    starts = np.asarray(np.repeat(first, count) + step * stride, np.int64)
    return Windows(starts, length, stride, frame_skip, {**ledger, "invalid": int(wrong.sum())})


def window_counts(sizes: npt.ArrayLike, *, span: int, stride: int) -> tuple[Ints, dict[str, int]]:
    """Count the windows of unbroken stretches.

    Args:
        sizes: (S,) integers, rows of each stretch.
        span: Rows that a window reaches over.
        stride: Rows from one start to the next.

    Returns:
        (S,) int64 windows of each, and how many rows are `covered`, `too_short` and `remainder`; see
        `Windows.ledger`.
    """
    size = np.asarray(sizes, np.int64)
    count = np.where(size >= span, (size - span) // stride + 1, 0)
    reach = np.minimum(span, stride) * np.maximum(count - 1, 0) + span * (count > 0)
    return count, {
        "covered": int(reach.sum()),
        "too_short": int(size[size < span].sum()),
        "remainder": int((size - reach)[size >= span].sum()),
    }


def invalid_rows(t_ns: npt.ArrayLike, ends_ns: npt.ArrayLike, intervals: npt.ArrayLike) -> Bools:
    """Mark the rows whose time overlaps an invalid interval.

    Args:
        t_ns: (N,) int64 ns since session start, start of each row's step.
        ends_ns: (N,) int64, end of each row's step.
        intervals: (K, 2) int64, start and end of each interval; the end itself is valid again. An interval
            without length marks the row that contains its instant.

    Returns:
        (N,) bool.

    Raises:
        BadInputError: An interval ends before it starts.
    """
    starts, ends = np.asarray(t_ns, np.int64), np.asarray(ends_ns, np.int64)
    found = np.zeros(len(starts), bool)
    for number, (low, high) in enumerate(np.asarray(intervals, np.int64).reshape(-1, 2)):
        if high < low:
            raise BadInputError(
                f"interval {number} from {low} to {high} ns",
                accepts="an end at or after its start",
                fix="swap the two times",
            )
        found |= (starts < max(high, low + 1)) & (ends > low)
    return found
