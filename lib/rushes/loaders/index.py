"""Which rows an item shows: windows counted over the stretches of recordings, or listed one by one.

A regular index holds three numbers a stretch, whatever the number of windows; one that was listed (rows of a table, or
windows that are left after others were taken out) holds three a window.

Example:
    >>> index = Regular([(0, 0, 40), (0, 1, 15)], span=16, stride=8)
    >>> len(index), index.at(3), index.ledger["too_short"]
    (4, Place(source=0, stretch=0, row=24), 15)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rushes.model.windows import window_counts

Ints = npt.NDArray[np.int64]


class Place(NamedTuple):
    """Where a window begins.

    Attributes:
        source: Number of its recording.
        stretch: Number of the stretch among those of the recording's entry.
        row: Row of the stretch.
    """

    source: int
    stretch: int
    row: int


class Index(Protocol):
    """Windows by number."""

    def __len__(self) -> int:
        """Count them."""

    def at(self, number: int) -> Place:
        """Say where a window begins."""


class Regular:
    """Windows at equal distances within each stretch.

    Args:
        stretches: (source, stretch, rows) of each, in order.
        span: Rows that a window reaches over.
        stride: Rows from one start to the next.

    Attributes:
        ledger: Rows that are `covered`, `too_short` and `remainder`; see `model.windows.Windows`.
    """

    def __init__(self, stretches: Iterable[tuple[int, int, int]], *, span: int, stride: int) -> None:
        self._stretches = np.array([*stretches], np.int64).reshape(-1, 3)
        self._stride = stride
        counts, ledger = window_counts(self._stretches[:, 2], span=span, stride=stride)
        self._edges = np.append(np.int64(0), np.cumsum(counts))
        self.ledger: Mapping[str, int] = ledger

    def __len__(self) -> int:
        return int(self._edges[-1])

    def at(self, number: int) -> Place:
        """Say where a window begins; see `Index.at`."""
        at = int(np.searchsorted(self._edges, number, side="right")) - 1
        source, stretch, _ = self._stretches[at].tolist()
        return Place(source, stretch, int(number - self._edges[at]) * self._stride)


class Listed:
    """Windows one by one.

    Args:
        places: Where each begins.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = np.array(places, np.int64).reshape(-1, 3)

    def __len__(self) -> int:
        return len(self._places)

    def at(self, number: int) -> Place:
        """Say where a window begins; see `Index.at`."""
        return Place(*self._places[number].tolist())
