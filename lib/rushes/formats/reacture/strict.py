"""The exact 100 ms grid: which frame stands at each of its times, and which repeat the one before.

The grid begins with the session's first frame and goes on through pauses, so that a pause leaves a gap in times and
never shifts what comes behind it. At each time stands the nearest earlier frame. What happened in [g_j, g_{j+1}) is row
j, and sums over rows are sums over events, but for what lies between a segment's first frame and its first time on the
grid.

Example:
    >>> grid = on_grid(np.array([0, 90, 210, 300]) * 1_000_000, end_ns=350_000_000, origin_ns=0)
    >>> (grid.t_ns // 1_000_000).tolist(), grid.source.tolist(), grid.repeated.tolist()
    ([0, 100, 200, 300], [0, 1, 1, 3], [False, False, True, False])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.grid import to_grid
from rushes.store.pairing import Pair

Ints = npt.NDArray[np.int64]

GRID_NS: Final = NS // 10


@dataclass(frozen=True)
class OnGrid:
    """Times of a grid in one segment.

    Attributes:
        t_ns: (M,) ns since session start.
        source: (M,) the row of the segment whose frame stands there.
        repeated: (M,) bool, the same frame as at the time before.
    """

    t_ns: Ints
    source: Ints
    repeated: npt.NDArray[np.bool_]


def on_grid(t_ns: Ints, *, end_ns: int, origin_ns: int) -> OnGrid:
    """Lay a grid over a segment.

    Args:
        t_ns: (N,) times of its frames.
        end_ns: Its end.
        origin_ns: A time of the grid.
    """
    first = -(-(int(t_ns[0]) - origin_ns) // GRID_NS)
    stop = -(-(max(end_ns, int(t_ns[-1]) + 1) - origin_ns) // GRID_NS)
    times = origin_ns + np.arange(first, max(stop, first), dtype=np.int64) * GRID_NS
    source = np.searchsorted(t_ns, times, side="right") - 1
    return OnGrid(times, source, np.diff(source, prepend=-1) == 0)


def regridded(pair: Pair, grid: OnGrid) -> Pair:
    """Give a segment's rows on the grid.

    Args:
        pair: The segment with its own times.
        grid: At least one time in it.
    """
    end_ns = max(int(pair.grid.ends_ns[-1]), int(grid.t_ns[-1]))
    made = to_grid(pair.events, grid.t_ns, end_ns=end_ns, action_delay_ms=pair.grid.action_delay_ms)
    return Pair(pair.segment, pair.index.iloc[grid.source].reset_index(drop=True), made, 0, pair.events)
