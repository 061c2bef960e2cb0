"""A delay: by how much inputs are moved later, in milliseconds, where it may grow over a recording.

A measured offset can drift, since two clocks do; and parts of a recording can have offsets of their own. A `Delay` is
the number of milliseconds in the middle of what was measured, and knows the rest, so that everything that takes a
number of milliseconds takes it. What moves times calls `moved`.

Example:
    >>> delay = Delay(40.0, (Piece(None, None, 40.0, drift_ppm=100.0, at_ns=300_000_000_000),))
    >>> float(delay), moved([0, 300_000_000_000], delay).tolist()
    (40.0, [10000000, 300040000000])
    >>> moved([5], 1.5).tolist()
    [1500005]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS

Ints = npt.NDArray[np.int64]
_MS = NS // 1000


@dataclass(frozen=True)
class Piece:
    """The delay in one stretch of time.

    Attributes:
        start_ns: Its start, ns since session start; None for the beginning.
        end_ns: Its end, which is no part of it; None for the end.
        ms: The delay at `at_ns`.
        drift_ppm: By how much it grows: us each second.
        at_ns: Where it is `ms`.
    """

    start_ns: int | None
    end_ns: int | None
    ms: float
    drift_ppm: float = 0.0
    at_ns: int = 0


class Delay(float):
    """A number of milliseconds that may differ from place to place.

    Args:
        ms: What it is as one number.
        pieces: What it is where; of several that hold a time the last one counts, and where none does `ms` itself.
    """

    pieces: tuple[Piece, ...]

    def __new__(cls, ms: float, pieces: tuple[Piece, ...] = ()) -> Self:
        """Make the number."""
        made = super().__new__(cls, ms)
        made.pieces = pieces
        return made

    def __getnewargs__(self) -> tuple[float, tuple[Piece, ...]]:  # type: ignore[override]  # float gives one
        """Keep the pieces when it goes to another process."""
        return float(self), self.pieces


def moved(t_ns: npt.ArrayLike, delay_ms: float) -> Ints:
    """Move times later.

    Args:
        t_ns: (N,) int64 ns since session start.
        delay_ms: ms, negative for earlier; a `Delay` may say another number for each time.

    Returns:
        (N,) int64 ns since session start.
    """
    times = np.asarray(t_ns, np.int64)
    found = times + round(float(delay_ms) * _MS)
    for piece in delay_ms.pieces if isinstance(delay_ms, Delay) else ():
        inside = np.ones(times.shape, bool)
        if piece.start_ns is not None:
            inside &= times >= piece.start_ns
        if piece.end_ns is not None:
            inside &= times < piece.end_ns
        grown = (times[inside] - piece.at_ns) * (piece.drift_ppm * 1e-6)
        found[inside] = times[inside] + np.rint(piece.ms * _MS + grown).astype(np.int64)
    return found
