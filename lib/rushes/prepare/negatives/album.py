"""Pictures of several recordings, looked at when they are asked for and never twice.

Example:
    >>> from rushes.store.reader import open_session
    >>> def is_it_the_same(path, one, other):
    ...     session = open_session(path)
    ...     album = Album({session.info.id: session}, 1)
    ...     album.look({session.info.id: [[one, other]]})
    ...     return bool(album.same(session.info.id, [one], session.info.id, [other])[0])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt

from rushes.model.recording import Recording
from rushes.store.looks import Looks, alike, is_lossy, look_at, windows

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Pixels = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


class Album:
    """How windows of several recordings look.

    Args:
        recordings: By id.
        length: Frames a window; a window is named by its last frame.
        executor: Where pictures are decoded; None makes a thread a core for as long as it takes.

    Attributes:
        lossy: Sessions whose pictures a codec changed.
    """

    def __init__(self, recordings: Mapping[str, Recording], length: int, executor: Executor | None = None) -> None:
        self._recordings, self._length, self._executor = recordings, length, executor
        self._looks: dict[str, Looks] = {}
        self.lossy = {name for name, recording in recordings.items() if is_lossy(recording)}

    def look(self, wanted: Mapping[str, Iterable[npt.ArrayLike]]) -> None:
        """Look at all windows that will be asked for, in one pass a recording.

        Args:
            wanted: Session -> arrays of last frames.
        """
        for session, parts in wanted.items():
            ends = np.unique(np.concatenate([np.zeros(0, np.int64), *(np.asarray(p, np.int64) for p in parts)]))
            frames = np.unique(self._frames(ends))
            before = self._looks.get(session)
            new = frames if before is None else np.setdiff1d(frames, before.frame_index)
            if len(new):
                found = look_at(self._recordings[session], new, executor=self._executor)
                self._looks[session] = found if before is None else _joined(before, found)

    def same(self, one: str, ends: npt.ArrayLike, other: str, others: npt.ArrayLike) -> Bools:
        """Say where windows of two sessions show the same, picture by picture.

        Args:
            one: A session.
            ends: (K,) last frames of windows of it.
            other: Another session, or the same.
            others: (K,) last frames of windows of that one.

        Returns:
            (K,) bool: all pictures are equal at 64 x 64, or, where one session is lossy, alike.
        """
        if not len(np.asarray(ends)):
            return np.zeros(0, bool)
        looks = [self._looks[session] for session in (one, other)]
        rows = [a.rows(self._frames(np.asarray(e, np.int64))) for a, e in zip(looks, (ends, others), strict=True)]
        content = [windows(a.content[at]) for a, at in zip(looks, rows, strict=True)]
        equal = np.asarray(content[0] == content[1])
        if self.lossy & {one, other}:
            equal |= alike(looks[0].small[rows[0]], looks[1].small[rows[1]]).all(axis=1)
        return equal

    def content(self, session: str, ends: npt.ArrayLike) -> Hashes:
        """Give one hash for each window: (K,) uint64, equal where all its pictures are equal at 64 x 64."""
        last = np.asarray(ends, np.int64)
        if not len(last):
            return np.zeros(0, np.uint64)
        looks = self._looks[session]
        return windows(looks.content[looks.rows(self._frames(last))])

    def small(self, session: str, ends: npt.ArrayLike) -> Pixels:
        """Give tiny pictures of the last frames of windows: (K, 16, 16, 3) uint8."""
        last = np.asarray(ends, np.int64)
        if not len(last):
            return np.zeros((0, 16, 16, 3), np.uint8)
        looks = self._looks[session]
        return looks.small[looks.rows(last)]

    def _frames(self, ends: Ints) -> Ints:
        return np.asarray(ends[:, None] + np.arange(1 - self._length, 1), np.int64)


def _joined(one: Looks, other: Looks) -> Looks:
    frames = np.concatenate([one.frame_index, other.frame_index])
    order = np.argsort(frames, kind="stable")
    content, small = np.concatenate([one.content, other.content]), np.concatenate([one.small, other.small])
    return Looks(frames[order], content[order], small[order])
