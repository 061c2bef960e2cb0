"""Signs: what one pass over a recording's pictures gives to all checks, a small row for each frame.

Pictures are decoded once, in order, and let go; a row holds how bright a picture is, how much of it changed since the
one before and where, and by how much the whole of it moved. The rows lie in a temporary file that is mapped into
memory, so a recording of any length takes no more memory than a short one. Beside them stands what only all pictures
together say (`rushes.qa.pictures.whole`).

Example:
    >>> from rushes.store.reader import open_session
    >>> def stillest(path):
    ...     signs = read_signs(open_session(path))
    ...     return int(signs["frame_index"][signs["change"].argmin()])
"""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError
from rushes.model.recording import Recording
from rushes.qa.pictures.row import BLOCKS, SMALL, Eye
from rushes.qa.pictures.whole import Whole

__all__ = ["BLOCKS", "SIGN", "SMALL", "Signs", "read_signs"]

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
        ("darkest", np.uint8),
        ("brightest", np.uint8),
        ("spread", np.float32),
        ("change", np.float32),
        ("change_two", np.float32),
        ("luma", np.float16, BLOCKS),
        ("blocks", np.float16, BLOCKS),
        ("shift", np.float32, (2,)),
        ("sure", np.float32),
        ("apart", np.float16, BLOCKS),
        ("apart_two", np.float16, BLOCKS),
        ("edge", np.float32),
        ("lost", np.float32),
        ("digest", np.uint32),
    ]
)
"""One row a frame, in the order of `frame_index`.

readable: whether it could be decoded; all below is 0 where not. same: every pixel equals the frame before (False for
the first of a segment). size: (height, width) px. mean: RGB, 0 to 255. low, high: the 1st and 99th percentile of luma
of the small picture; darkest, brightest: its least and most. spread: standard deviation of its luma. luma: mean luma of
each block. change, blocks: mean absolute difference of luma to the frame before, of all and of each block, in levels of
255; NaN for the first of a segment. change_two: the same to the frame two before, of all; NaN for the first two.
shift: (dx, dy) by which the picture's content moved since the frame before, + right and down, in px of the full
picture; NaN for the first. sure: 0 to 1, how clear that shift is (`qa.pictures.shift`). apart, apart_two: by how much
each block differs from the frame before and from the one two before, once all are brought to one brightness and to a
contrast of 32 levels; NaN where there is none. edge: width in px of the sharpest strong edges, of one picture in 16,
else NaN; also where no edge is strong. lost: share of the picture in the flat colours that decoders show for what they
could not read. digest: CRC-32 of the small grey picture.
"""

Item = TypeVar("Item")
_PATIENCE_S: Final = 0.05  # until a thread looks whether the other one is done
_AHEAD: Final = 6  # pictures decoded beforehand, in memory
_PROBLEMS: Final = 1000
"""So many are named; the rows know all."""
_TRIES: Final = 4
"""So many pictures in a row are tried one by one after damage in a video, whose decoder begins anew at each; then
every second, fourth, eighth ... until one is whole again."""


class Signs:
    """The rows of a recording.

    Attributes:
        rows: (N,) of `SIGN`, mapped from a file.
        problems: (frame_index, what was wrong) of pictures that could not be decoded; of many the first thousand.
        whole: What only all pictures together say.
    """

    def __init__(
        self, rows: npt.NDArray[Any], problems: tuple[tuple[int, str], ...] = (), whole: Whole | None = None
    ) -> None:
        self.rows = rows
        self.problems = problems
        self.whole = whole or Whole()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Give a column: an array of N rows."""
        return np.asarray(self.rows[name])

    def of(self, segment: int) -> Signs:
        """Give the rows of one segment."""
        start, stop = np.searchsorted(self["segment"], [segment, segment + 1])
        return Signs(self.rows[start:stop], self.problems, self.whole)

    def __repr__(self) -> str:
        return f"<Signs: {len(self)} frames, {len(self.problems)} unreadable>"


def read_signs(recording: Recording) -> Signs:
    """Decode a recording once and note what its pictures show.

    Args:
        recording: Any recording.

    Returns:
        Its signs. A picture that cannot be decoded is a row that says so and hides no other, as far as the codec
        allows: of a video, those up to the next key picture may be lost with it.
    """
    problems: list[tuple[int, str]] = []
    whole = Whole()
    with tempfile.TemporaryFile() as spool:
        count = _spool(recording, spool, problems, whole)
        if not count:
            return Signs(np.zeros(0, SIGN), tuple(problems), whole)
        rows = np.memmap(spool, SIGN, "r", shape=(count,))  # the mapping outlives the file's name and handle
    return Signs(rows, tuple(problems), whole)


def _spool(recording: Recording, spool: IO[bytes], problems: list[tuple[int, str]], whole: Whole) -> int:
    """Write a row a frame; return how many."""
    count, row, empty = 0, np.zeros(1, SIGN), np.zeros(1, SIGN)
    for segment in recording.segments:
        index = recording.index(segment.index)
        eye = Eye(whole)
        pictures = ahead(_pictures(recording, index["frame_index"].to_numpy(np.int64), problems))
        for frame_index, t_ns, pixels in zip(index["frame_index"], index["t_ns"], pictures, strict=True):
            row[:] = empty
            row["frame_index"], row["t_ns"], row["segment"] = frame_index, t_ns, segment.index
            if pixels is None:
                eye.blink()
            else:
                eye.note(row, pixels)
            spool.write(row.tobytes())
            count += 1
    spool.flush()
    return count


def ahead(pictures: Iterator[Item]) -> Iterator[Item]:
    """Let a thread decode the next few pictures while one is looked at.

    Args:
        pictures: What to go through; used by that thread alone.

    Yields:
        The same, in the same order; what goes wrong there goes wrong here.
    """
    coming: queue.Queue[Item] = queue.Queue(_AHEAD)
    done, left, failed = threading.Event(), threading.Event(), []

    def decode() -> None:
        try:
            for picture in pictures:
                while not left.is_set():
                    with suppress(queue.Full):
                        coming.put(picture, timeout=_PATIENCE_S)
                        break
                else:
                    return
        except BaseException as error:  # noqa: BLE001 - raised by the thread that looks
            failed.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=decode, name="pictures", daemon=True)
    thread.start()
    try:
        while not (done.is_set() and coming.empty()):
            with suppress(queue.Empty):
                yield coming.get(timeout=_PATIENCE_S)
        if failed:
            raise failed[0]
    finally:
        left.set()
        thread.join()


def _pictures(
    recording: Recording, numbers: npt.NDArray[np.int64], problems: list[tuple[int, str]]
) -> Iterator[npt.NDArray[np.uint8] | None]:
    """Decode frames that follow on each other; None for those that cannot be decoded."""
    if not len(numbers):
        return
    stop = int(numbers[-1]) + 1
    frames: Iterator[npt.NDArray[np.uint8]] | None = None
    broken, leap_to = 0, 0
    for at in numbers.tolist():
        why = "not tried: no picture around it can be read"
        if at >= leap_to:
            try:
                frames = recording.frames(at, stop) if frames is None else frames
                pixels = next(frames)
            except (RushesError, StopIteration, IndexError, OSError) as error:
                why = str(error) or "it is not there"
            else:
                broken = 0
                yield pixels
                continue
            frames, broken = None, broken + 1
            if broken > _TRIES and not _alone(recording, at):
                leap_to = at + 2 ** (broken - _TRIES)
        if len(problems) < _PROBLEMS:
            problems.append((at, why))
        yield None


def _alone(recording: Recording, frame_index: int) -> bool:
    """Say whether a frame is stored as a picture of its own, so that trying it costs little."""
    try:
        return next(recording.pictures(frame_index, frame_index + 1)) is not None
    except (RushesError, StopIteration, IndexError, OSError):
        return True
