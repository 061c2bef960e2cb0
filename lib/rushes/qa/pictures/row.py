"""One picture after the other: what each shows, and how it differs from the ones before.

An `Eye` sees the pictures of a segment in their order and fills a row of `signs` for each. A repeat of the picture
before is recognised first and costs next to nothing.

Example:
    >>> from rushes.qa.pictures.signs import SIGN
    >>> from rushes.qa.pictures.whole import Whole
    >>> eye, rows = Eye(Whole()), np.zeros(2, SIGN)
    >>> for number, level in enumerate((40, 44)):
    ...     eye.note(rows[number : number + 1], np.full((180, 320, 3), level, np.uint8))
    >>> rows["high"].tolist(), float(rows["change"][1])
    ([40, 44], 4.0)
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.qa.pictures.shift import Shifts
from rushes.qa.pictures.whole import Whole

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SMALL: Final = (90, 160)
"""(height, width) in px at which pictures are compared."""
BLOCKS: Final = (9, 16)
"""Blocks of a picture, (rows, columns); ten by ten px of the small picture each."""
_SPARSE: Final = 16  # rows between those that are compared first
_SELDOM: Final = 16  # pictures from one whose edges are looked at to the next
_CONTRAST: Final = 32.0  # levels of contrast to which pictures are brought before they are held against each other
_LOST: Final = (
    ((0, 128, 0), (6, 142, 6)),  # Y, Cb, Cr of 0 by BT.601: what FFmpeg leaves where nothing was decoded
    ((0, 70, 0), (6, 84, 6)),  # the same by BT.709
    ((126, 126, 126), (131, 131, 131)),  # a missing reference picture, mid-grey
)
"""Colours, lowest and highest RGB, of what a decoder could not read."""
_WINDOW: Final = 9  # px over which an edge is looked at
_STRONG: Final = 48  # levels that a strong edge has at least
_FEW: Final = 0.0002  # share of the picture that strong edges must cover


class Eye:
    """Sees the pictures of a segment.

    Args:
        whole: Where sums over the recording go.
    """

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._number = -1
        self._shifts = Shifts()
        self._row: Any = None
        self._start()

    def _start(self) -> None:
        self._pixels: Grey | None = None
        self._greys: list[Grey] = []  # small luma of the last two pictures
        self._levelled: list[Floats] = []  # the same without their brightness and contrast

    def blink(self) -> None:
        """Miss a picture: the next follows on nothing."""
        self._start()

    def note(self, row: Any, pixels: Grey) -> None:
        """Fill a row from the next picture.

        Args:
            row: (1,) of `SIGN`.
            pixels: (H, W, 3) uint8 RGB.
        """
        height, width = pixels.shape[:2]
        before = self._pixels
        if before is not None and before.shape != pixels.shape:
            self._start()
            before = None
        if before is not None and _equal(pixels, before):
            self._repeat(row)
            return
        full = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)
        grey = _small(full)
        row["readable"], row["size"] = True, (height, width)
        self._light(row, pixels, grey)
        differs = self._changes(row, grey, (height, width))
        levelled = self._apart(row, grey)
        row["edge"] = np.nan
        self._number += 1
        if self._number % _SELDOM == 0:
            row["edge"] = edge_width(full)
            self._whole.look_at_edges(full)
        self._whole.add(grey, differs)
        if self._whole.keeps:
            small = cv2.resize(pixels, SMALL[::-1], interpolation=cv2.INTER_AREA)
            self._whole.keep(int(row["frame_index"][0]), np.asarray(small, np.uint8))
        self._pixels, self._row = pixels, row.copy()
        self._greys = [*self._greys[-1:], grey]
        self._levelled = [*self._levelled[-1:], levelled]

    def _repeat(self, row: Any) -> None:
        where = int(row["frame_index"][0]), int(row["t_ns"][0]), int(row["segment"][0])
        row[:] = self._row
        row["frame_index"], row["t_ns"], row["segment"] = where
        row["same"], row["blocks"], row["shift"] = True, 0.0, 0.0
        for now, two in (("change", "change_two"), ("apart", "apart_two")):
            row[now], row[two] = 0.0, self._row[now]  # which is NaN for the first picture of all
            self._row[now] = 0.0
        row["edge"] = np.nan
        self._greys, self._levelled = [self._greys[-1]] * 2, [self._levelled[-1]] * 2

    def _light(self, row: Any, pixels: Grey, grey: Grey) -> None:
        points = np.asarray(cv2.resize(pixels, SMALL[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
        row["mean"] = cv2.mean(points)[:3]
        row["lost"] = sum(cv2.countNonZero(cv2.inRange(points, low, high)) for low, high in _LOST) / grey.size
        risen = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]))
        share = np.array([0.5, 0.01 * grey.size, 0.99 * grey.size, grey.size - 0.5])
        row["darkest"], row["low"], row["high"], row["brightest"] = np.searchsorted(risen, share)
        row["spread"] = cv2.meanStdDev(grey)[1][0, 0]
        row["luma"] = _by_block(grey)
        row["digest"] = zlib.crc32(grey.data)

    def _changes(self, row: Any, grey: Grey, size: tuple[int, int]) -> Grey | None:
        moved = self._shifts.next(grey, fresh=not self._greys)
        row["shift"] = (moved.dx * size[1] / SMALL[1], moved.dy * size[0] / SMALL[0])
        row["sure"] = moved.sure
        row["change"], row["blocks"], row["change_two"] = np.nan, np.nan, np.nan
        if not self._greys:
            return None
        differs = np.asarray(cv2.absdiff(grey, self._greys[-1]), np.uint8)
        row["change"], row["blocks"] = cv2.mean(differs)[0], _by_block(differs)
        if len(self._greys) > 1:
            row["change_two"] = cv2.mean(cv2.absdiff(grey, self._greys[0]))[0]
        return differs

    def _apart(self, row: Any, grey: Grey) -> Floats:
        """Note how far apart the picture is from the two before, whatever their brightness; give it levelled."""
        spread = float(row["spread"][0])
        levelled = grey.astype(np.float32)
        levelled -= cv2.mean(grey)[0]
        levelled *= _CONTRAST / max(spread, 1.0)
        for name, back in (("apart", -1), ("apart_two", -2)):
            known = len(self._levelled) >= -back
            row[name] = _by_block(np.asarray(cv2.absdiff(levelled, self._levelled[back]))) if known else np.nan
        return levelled


def edge_width(full: Grey) -> float:
    """Measure how sharp a picture is: the width in px of its sharpest strong edges.

    Of the strong edges along rows and columns it takes the sharpest tenth: text and the edges of figures, where there
    are any. The steepest step from one pixel to the next, held against the step over nine around it, gives the width;
    blurring by a Gaussian of s px makes it about 2.5 s.

    Args:
        full: (H, W) uint8 luma.

    Returns:
        1 for a sharp one; NaN where no edge is strong.
    """
    found = []
    for picture in (full, np.ascontiguousarray(full.T)):
        if picture.shape[1] <= _WINDOW:
            continue
        along = np.ones((1, _WINDOW), np.uint8)
        reach = cv2.subtract(cv2.dilate(picture, along), cv2.erode(picture, along))
        steps = np.zeros_like(picture)
        steps[:, 1:] = cv2.absdiff(picture[:, 1:], picture[:, :-1])
        strong = (reach >= _STRONG) & (steps == cv2.dilate(steps, along))
        if np.count_nonzero(strong) < _FEW * picture.size:
            continue
        found.append(float(np.quantile(steps[strong] / reach[strong].astype(np.float32), 0.9)))
    return 1.0 / max(found) if found and max(found) > 0 else float("nan")


def _equal(one: Grey, other: Grey) -> bool:
    """Say whether two pictures of one shape are the same; most that are not, differ in a few rows already."""
    return np.array_equal(one[::_SPARSE], other[::_SPARSE]) and np.array_equal(one, other)


def _small(full: Grey) -> Grey:
    """Make a picture small by means of areas; halving first where it goes evenly, which is several times as fast."""
    while full.shape[0] >= 2 * SMALL[0] and full.shape[1] >= 2 * SMALL[1] and not (full.shape[0] | full.shape[1]) & 1:
        full = np.asarray(cv2.resize(full, (full.shape[1] // 2, full.shape[0] // 2), interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.resize(full, SMALL[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _by_block(grey: npt.NDArray[Any]) -> Floats:
    """Average over the blocks: (9, 16) float32."""
    return np.asarray(cv2.resize(grey.astype(np.float32), BLOCKS[::-1], interpolation=cv2.INTER_AREA))
