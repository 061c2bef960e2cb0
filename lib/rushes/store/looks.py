"""How pictures look: for each frame the hash of its picture at 64 x 64, and a tiny picture to compare it by.

Two frames with one hash show equal pictures at 64 x 64; tiny pictures that are near to each other look alike. One pass
over the film on all cores, and nothing of its size is kept. What stood twice on the screen has two hashes where a codec
lost some of it, mostly; `alike` finds it by the tiny pictures then.

Example:
    >>> from rushes.store.reader import open_session
    >>> def how_many_differ(path):
    ...     session = open_session(path)
    ...     return len(set(look_at(session, np.arange(session.frame_count)).content.tolist()))
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.store.resized import resized

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Pixels = npt.NDArray[np.uint8]

SIZE: Final = 64
"""Pixels a side at which pictures are called equal."""
SMALL: Final = 16
"""Pixels a side of the tiny pictures."""
ALIKE: Final = 3
"""Levels of 255 by which no cell of two tiny pictures differs where they show the same and a codec lost some of it."""
_CELL: Final = SIZE // SMALL


@dataclass(frozen=True)
class Looks:
    """How K frames of one recording look.

    Attributes:
        frame_index: (K,) int64, rising.
        content: (K,) uint64, the first 8 bytes of BLAKE2b over the 64 x 64 RGB picture.
        small: (K, 16, 16, 3) uint8 RGB, means of 4 x 4 pixels of it.
    """

    frame_index: Ints
    content: Hashes
    small: Pixels

    def __len__(self) -> int:
        return len(self.frame_index)

    def rows(self, frames: npt.ArrayLike) -> Ints:
        """Find frames.

        Args:
            frames: Any shape of `frame_index`.

        Returns:
            The same shape: their rows.

        Raises:
            BadInputError: A frame that was not looked at.
        """
        wanted = np.asarray(frames, np.int64)
        found = np.searchsorted(self.frame_index, wanted)
        known = found < len(self)
        known[known] = self.frame_index[found[known]] == wanted[known]
        if not known.all():
            raise BadInputError(
                f"frame {wanted[~known][0]}, which was not looked at",
                accepts=f"one of the {len(self)} frames that were",
                fix="pass it to look_at",
            )
        return np.asarray(found, np.int64)


def look_at(recording: Recording, frames: npt.ArrayLike, *, executor: Executor | None = None) -> Looks:
    """Look at frames of a recording.

    Args:
        recording: Any recording.
        frames: `frame_index` of those wanted, in any order; one that stands twice is looked at once.
        executor: Where pictures are decoded; None makes a thread a core for as long as it takes.

    Returns:
        How they look, by rising frame_index.

    Raises:
        BadDataError: A picture cannot be decoded; the message names the frame.
    """
    wanted = np.unique(np.asarray(frames, np.int64))
    content = np.empty(len(wanted), np.uint64)
    small = np.empty((len(wanted), SMALL, SMALL, 3), np.uint8)
    done = 0
    for batch in resized(recording, wanted, size=SIZE, executor=executor, quick=True) if len(wanted) else ():
        stop = done + len(batch)
        content[done:stop] = [_content(picture) for picture in batch]
        small[done:stop] = _small(batch)
        done = stop
    return Looks(wanted, content, small)


def _content(picture: Pixels) -> int:
    return int.from_bytes(blake2b(picture.data, digest_size=8).digest(), "big")


def _small(batch: Pixels) -> Pixels:
    """Give the means of cells, rounded to the nearest: (n, 64, 64, 3) to (n, 16, 16, 3)."""
    total = np.zeros((len(batch), SMALL, SMALL, 3), np.uint16)
    for top in range(_CELL):
        for left in range(_CELL):
            total += batch[:, top::_CELL, left::_CELL]
    return ((total + _CELL * _CELL // 2) // (_CELL * _CELL)).astype(np.uint8)


def alike(one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
    """Say where tiny pictures show the same, as far as a lossy codec lets one tell.

    Args:
        one: (..., 16, 16, 3) uint8.
        other: The same shape.

    Returns:
        (...) bool: no cell differs by more than `ALIKE`.
    """
    apart = np.maximum(one, other) - np.minimum(one, other)
    return np.asarray((apart <= ALIKE).all(axis=(-3, -2, -1)))


def is_lossy(recording: Recording) -> bool:
    """Say whether the pictures of a recording are known to differ from what was shown."""
    stream = recording.info.stream("frames")
    return stream is not None and not stream.exact


def windows(content: Hashes) -> Hashes:
    """Give one hash for each window.

    Args:
        content: (N, T) uint64 hashes of the frames of N windows.

    Returns:
        (N,) uint64; that of the frame itself where T is 1.
    """
    if content.shape[1] == 1:
        return content[:, 0].copy()
    rows = np.ascontiguousarray(content)
    return np.array([int.from_bytes(blake2b(row.data, digest_size=8).digest(), "big") for row in rows], np.uint64)
