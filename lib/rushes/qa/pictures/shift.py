"""By how much a picture moved since the one before, as a whole: the camera's motion as far as one shift can say it.

Phase correlation of small grey pictures under a Hann window (Kuglin and Hines, 1975), to a fraction of a pixel. A shift
of more than half a pixel is looked at again where both pictures show the same, moved over each other by whole pixels:
the window then lies over the same things in both, which takes most of the error of large shifts away.

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
        moved = self._correlate(before, now)
        right, down = round(moved.dx), round(moved.dy)
        height, width = now.shape
        if (right or down) and abs(right) < width / 2 and abs(down) < height / 2:
            rows = slice(max(down, 0), height + min(down, 0)), slice(max(-down, 0), height - max(down, 0))
            columns = slice(max(right, 0), width + min(right, 0)), slice(max(-right, 0), width - max(right, 0))
            again = self._correlate(before[rows[1], columns[1]], now[rows[0], columns[0]])
            if again.sure > moved.sure and abs(again.dx) < 2 and abs(again.dy) < 2:  # noqa: PLR2004 - it is a correction
                moved = Shift(right + again.dx, down + again.dy, again.sure)
        return moved

    def _correlate(self, before: npt.NDArray[np.float32], now: npt.NDArray[np.float32]) -> Shift:
        """Hold two pictures of one size against each other."""
        if self._window is None:
            self._window = np.asarray(cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F), np.float32)
        window = self._window
        if window.shape != now.shape:
            window = np.asarray(cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F), np.float32)
        (dx, dy), sure = cv2.phaseCorrelate(np.ascontiguousarray(before), np.ascontiguousarray(now), window)
        return Shift(dx, dy, float(np.clip(sure, 0.0, 1.0)))
