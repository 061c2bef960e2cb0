"""By how much a picture moved since the one before, as a whole: the camera's motion as far as one shift can say it.

Phase correlation of small grey pictures under a Hann window (Kuglin and Hines, 1975), to a fraction of a pixel.

Example:
    >>> import cv2
    >>> rng = np.random.default_rng(0)
    >>> wide = cv2.GaussianBlur(rng.integers(0, 255, (90, 200)).astype(np.uint8), (9, 9), 0)
    >>> shifts = Shifts()
    >>> first = shifts.next(wide[:, 20:180], fresh=True)
    >>> moved = shifts.next(wide[:, 17:177], fresh=False)
    >>> round(moved.dx), round(moved.dy)
    (3, 0)
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt


class Shift(NamedTuple):
    """How a picture moved.

    Attributes:
        dx: px, + right; NaN where there is nothing to compare with.
        dy: px, + down.
        sure: 0 to 1, the height of the correlation's peak.
    """

    dx: float
    dy: float
    sure: float


class Shifts:
    """Pictures one after the other, each held against the one before."""

    def __init__(self) -> None:
        self._before: npt.NDArray[np.float32] | None = None
        self._window: npt.NDArray[np.float32] | None = None

    def next(self, grey: npt.NDArray[np.uint8], *, fresh: bool) -> Shift:
        """Take the next picture.

        Args:
            grey: (h, w) uint8, always of one size.
            fresh: Whether it follows on nothing.

        Returns:
            How its content moved since the picture before.
        """
        now = grey.astype(np.float32)
        before, self._before = self._before, now
        if fresh or before is None:
            return Shift(np.nan, np.nan, 0.0)
        if self._window is None or self._window.shape != now.shape:
            self._window = np.asarray(cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F), np.float32)
        (dx, dy), sure = cv2.phaseCorrelate(before, now, self._window)
        return Shift(dx, dy, float(np.clip(sure, 0.0, 1.0)))
