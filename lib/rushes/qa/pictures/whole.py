"""What only all pictures of a recording together say: what never moves, what is never lit, a few of them to look at.

Sums at the size at which pictures are compared, and a handful of small pictures spread over the recording: the same
memory whatever the length.

Example:
    >>> whole = Whole()
    >>> for level in (0, 100):
    ...     whole.add(np.full((90, 160), level, np.uint8), None)
    >>> float(whole.mean[0, 0]), float(whole.deviation[0, 0]), whole.count
    (50.0, 50.0, 2)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SMALL: Final = (90, 160)
_KEPT: Final = 64
"""Small pictures that are kept at most; half as many when they were thinned last."""


@dataclass
class Edges:
    """How bright the rows and columns of pictures of one size ever were.

    Attributes:
        count: How many pictures it saw.
        row_peak: (H,) uint8, the brightest luma that each row ever had.
        column_peak: (W,) uint8, that of each column.
        row_sum: (H,) float64, sum of the rows' mean luma.
        column_sum: (W,) float64, that of the columns.
    """

    count: int
    row_peak: npt.NDArray[np.uint8]
    column_peak: npt.NDArray[np.uint8]
    row_sum: Floats
    column_sum: Floats


@dataclass
class Whole:
    """Sums over the pictures of a recording; repeats count once.

    Attributes:
        count: Pictures that went in.
        edges: (height, width) -> rows and columns of the pictures of that size; one picture in 16.
        album: frame_index -> (90, 160, 3) uint8 RGB, the picture made small; at most 64, spread evenly.
    """

    count: int = 0
    edges: dict[tuple[int, int], Edges] = field(default_factory=dict)
    album: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict)
    _sum: Any = field(default_factory=lambda: np.zeros(_SMALL))
    _squares: Any = field(default_factory=lambda: np.zeros(_SMALL))
    _moved: Any = field(default_factory=lambda: np.zeros(_SMALL))
    _every: int = 1

    def add(self, grey: npt.NDArray[np.uint8], differs: npt.NDArray[np.uint8] | None) -> None:
        """Take a picture.

        Args:
            grey: (90, 160) uint8, its luma.
            differs: (90, 160) uint8, by how much it differs from the one before, or None.
        """
        self.count += 1
        cv2.accumulate(grey, self._sum)
        cv2.accumulateSquare(grey, self._squares)
        if differs is not None:
            cv2.accumulate(differs, self._moved)

    @property
    def keeps(self) -> bool:
        """Whether the picture that went in last belongs in the album."""
        return (self.count - 1) % self._every == 0

    def keep(self, frame_index: int, small: npt.NDArray[np.uint8]) -> None:
        """Put a picture into the album; when that is full, every second one goes out."""
        self.album[frame_index] = small
        if len(self.album) > _KEPT:
            self._every *= 2
            self.album = dict(list(self.album.items())[::2])

    def look_at_edges(self, grey: npt.NDArray[np.uint8]) -> None:
        """Take the rows and columns of a full picture, (H, W) uint8 luma."""
        size = grey.shape[0], grey.shape[1]
        if size not in self.edges:
            none = np.zeros(size[0], np.uint8), np.zeros(size[1], np.uint8)
            self.edges[size] = Edges(0, *none, np.zeros(size[0]), np.zeros(size[1]))
        edges = self.edges[size]
        edges.count += 1
        edges.row_peak = np.maximum(edges.row_peak, grey.max(axis=1))
        edges.column_peak = np.maximum(edges.column_peak, grey.max(axis=0))
        edges.row_sum += cv2.reduce(grey, 1, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel()
        edges.column_sum += cv2.reduce(grey, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel()

    @property
    def mean(self) -> Floats:
        """(90, 160) mean luma."""
        return np.asarray(self._sum / max(self.count, 1))

    @property
    def deviation(self) -> Floats:
        """(90, 160) standard deviation of luma over time."""
        return np.asarray(np.sqrt(np.maximum(self._squares / max(self.count, 1) - self.mean**2, 0.0)))

    @property
    def motion(self) -> Floats:
        """(90, 160) mean absolute change of luma from picture to picture."""
        return np.asarray(self._moved / max(self.count - 1, 1))
