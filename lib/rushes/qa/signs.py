"""Signs: what one pass over a recording's pictures gives to all checks, a small row for each frame.

Pictures are decoded once, in order, and let go; a row holds how bright a picture is, how much of it changed since the
one before and where, and by how much the whole of it moved. The rows lie in a temporary file that is mapped into
memory, so a recording of any length takes no more memory than a short one.

Example:
    >>> from rushes.store.reader import open_session
    >>> def stillest(path):
    ...     signs = read_signs(open_session(path))
    ...     return int(signs["frame_index"][signs["change"].argmin()])
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError
from rushes.model.recording import Recording
from rushes.qa.shift import Shifts

SMALL: Final = (90, 160)
"""(height, width) in px at which pictures are compared."""
BLOCKS: Final = (9, 16)
"""Blocks of a picture, (rows, columns); ten by ten px of the small picture each."""
_STEP: Final = SMALL[0] // BLOCKS[0]

SIGN: Final = np.dtype(
    [
        ("frame_index", np.int64),
        ("t_ns", np.int64),
        ("segment", np.int32),
        ("readable", np.bool_),
        ("same", np.bool_),
        ("size", np.int32, (2,)),
        ("mean", np.float32, (3,)),
        ("low", np.uint8),
        ("high", np.uint8),
        ("spread", np.float32),
        ("change", np.float32),
        ("luma", np.float16, BLOCKS),
        ("blocks", np.float16, BLOCKS),
        ("shift", np.float32, (2,)),
        ("sure", np.float32),
    ]
)
"""One row a frame, in the order of `frame_index`.

readable: whether it could be decoded; all below is 0 where not. same: every pixel equals the frame before (False for
the first of a segment). size: (height, width) px. mean: RGB, 0 to 255. low, high: the 1st and 99th percentile of luma
of the small picture. spread: standard deviation of its luma. luma: mean luma of each block. change, blocks: mean
absolute difference of luma to the frame before, of all and of each block, in levels of 255; NaN for the first of a
segment. shift: (dx, dy) by which the picture's content moved since the frame before, + right and down, in px of the
full picture; NaN for the first. sure: 0 to 1, how clear that shift is (`rushes.qa.shift`).
"""


class Signs:
    """The rows of a recording.

    Attributes:
        rows: (N,) of `SIGN`, mapped from a file.
        problems: (frame_index, what was wrong) of pictures that could not be decoded.
    """

    def __init__(self, rows: npt.NDArray[Any], problems: tuple[tuple[int, str], ...] = ()) -> None:
        self.rows = rows
        self.problems = problems

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Give a column: an array of N rows."""
        return np.asarray(self.rows[name])

    def of(self, segment: int) -> Signs:
        """Give the rows of one segment."""
        start, stop = np.searchsorted(self["segment"], [segment, segment + 1])
        return Signs(self.rows[start:stop], self.problems)

    def __repr__(self) -> str:
        return f"<Signs: {len(self)} frames, {len(self.problems)} unreadable>"


def read_signs(recording: Recording) -> Signs:
    """Decode a recording once and note what its pictures show.

    Args:
        recording: Any recording.

    Returns:
        Its signs; a picture that cannot be decoded is a row that says so, and those behind it in its segment that the
        decoder does not reach say so too.
    """
    problems: list[tuple[int, str]] = []
    with tempfile.TemporaryFile() as spool:
        count = 0
        for row in _rows(recording, problems):
            spool.write(row.tobytes())
            count += 1
        spool.flush()
        if not count:
            return Signs(np.zeros(0, SIGN), tuple(problems))
        rows = np.memmap(spool, SIGN, "r", shape=(count,))  # the mapping outlives the file's name and handle
    return Signs(rows, tuple(problems))


def _rows(recording: Recording, problems: list[tuple[int, str]]) -> Iterator[npt.NDArray[Any]]:
    for segment in recording.segments:
        index = recording.index(segment.index)
        frames = recording.frames(segment.first_frame, segment.stop_frame)
        before: npt.NDArray[np.uint8] | None = None
        grey = np.zeros(SMALL, np.uint8)
        shifts = Shifts()
        for frame_index, t_ns in zip(index["frame_index"].tolist(), index["t_ns"].tolist(), strict=True):
            row = np.zeros(1, SIGN)
            row["frame_index"], row["t_ns"], row["segment"] = frame_index, t_ns, segment.index
            try:
                pixels = next(frames)
            except (RushesError, StopIteration) as error:
                problems.append((frame_index, str(error) or "it is not there"))
                frames, before = iter(()), None
                yield row
                continue
            grey = _note(row, pixels, before, grey, shifts)
            before = pixels
            yield row


def _note(
    row: npt.NDArray[Any],
    pixels: npt.NDArray[np.uint8],
    before: npt.NDArray[np.uint8] | None,
    grey_before: npt.NDArray[np.uint8],
    shifts: Shifts,
) -> npt.NDArray[np.uint8]:
    """Fill a row from a picture and the one before; return its small grey picture."""
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, SMALL[::-1], interpolation=cv2.INTER_AREA)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    row["readable"], row["size"] = True, (height, width)
    row["mean"] = cv2.mean(small)[:3]
    row["low"], row["high"] = np.percentile(grey, (1, 99)).astype(np.uint8)
    row["spread"] = grey.std()
    row["luma"] = _by_block(grey)
    if before is None or before.shape != pixels.shape:
        row["change"], row["blocks"] = np.nan, np.nan
        moved = shifts.next(grey, fresh=True)
    else:
        row["same"] = np.array_equal(pixels, before)
        differs = np.asarray(cv2.absdiff(grey, grey_before), np.uint8)
        row["change"], row["blocks"] = differs.mean(), _by_block(differs)
        moved = shifts.next(grey, fresh=False)
    row["shift"] = (moved.dx * width / SMALL[1], moved.dy * height / SMALL[0])
    row["sure"] = moved.sure
    return grey


def _by_block(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Average over the blocks: (9, 16) float32."""
    return np.asarray(cv2.resize(grey.astype(np.float32), BLOCKS[::-1], interpolation=cv2.INTER_AREA))
