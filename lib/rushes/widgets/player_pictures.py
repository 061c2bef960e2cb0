"""The pictures of what a player shows, by frame: of one recording, or of labelled rows over several.

A row whose pixels were transformed is shown as training sees it, 227 pixels a side; every other picture is that of the
recording.

Example:
    >>> from rushes.widgets.player_source import open_shown
    >>> def size_of_first(path):
    ...     return Pictures(open_shown(path)).pixels(0).shape
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.prepare.reading import load_pictures
from rushes.widgets.player_source import Shown
from rushes.widgets.reel import KEPT_BYTES, Encoded, Reel, as_png

Pixels = npt.NDArray[np.uint8]

_REELS: Final = 3
"""Recordings of a table whose pictures are kept at hand."""
_MADE: Final = 64
"""Transformed pictures that are kept."""


class Pictures:
    """The pictures of a source. One thread at a time asks it.

    Args:
        shown: The source.
        lock: Held while recordings are read, see `Reel`.

    Attributes:
        lock: The same.
    """

    def __init__(self, shown: Shown, *, lock: AbstractContextManager[Any] | None = None) -> None:
        self._shown, self.lock = shown, lock
        self._reels: OrderedDict[int, Reel] = OrderedDict()
        self._made: OrderedDict[int, Pixels] = OrderedDict()
        samples = shown.samples
        self._transformed = None if samples is None else samples.rows["transform"].astype(str).to_numpy(object) != ""

    def picture(self, frame: int, *, exact: bool = False) -> Encoded:
        """Give one picture encoded; see `Reel.picture`.

        Args:
            frame: Of the player.
            exact: Whether it has to be lossless.

        Raises:
            BadInputError: No such frame.
            MissingError: The recording of a sample, or a file, is not there.
            BadDataError: It cannot be decoded.
        """
        if self._is_transformed(frame):
            return as_png(self._transform(frame))
        source, number = self._place(frame)
        return self._reel(source).picture(number, exact=exact)

    def pixels(self, frame: int) -> Pixels:
        """Decode one picture: (H, W, 3) uint8 RGB; see `picture`."""
        if self._is_transformed(frame):
            return self._transform(frame)
        source, number = self._place(frame)
        return self._reel(source).pixels(number)

    def _place(self, frame: int) -> tuple[int, int]:
        _, number = self._shown.place(frame)
        return int(self._shown.source[frame]), number

    def _is_transformed(self, frame: int) -> bool:
        return self._transformed is not None and 0 <= frame < len(self._shown) and bool(self._transformed[frame])

    def _transform(self, frame: int) -> Pixels:
        if frame not in self._made:
            samples = self._shown.samples
            assert samples is not None
            self._shown.place(frame)  # says so where its recording is not there
            one = replace(samples, rows=samples.rows.iloc[frame : frame + 1].reset_index(drop=True))
            self._made[frame] = load_pictures(one, self._shown.recordings)[0, -1]
            while len(self._made) > _MADE:
                self._made.popitem(last=False)
        return self._made[frame]

    def _reel(self, source: int) -> Reel:
        if source not in self._reels:
            share = KEPT_BYTES if len(self._shown.recordings) == 1 else KEPT_BYTES // _REELS
            self._reels[source] = Reel(self._shown.recordings[source], kept_bytes=share, lock=self.lock)
            while len(self._reels) > _REELS:
                self._reels.popitem(last=False)[1].close()
        self._reels.move_to_end(source)
        return self._reels[source]

    def close(self) -> None:
        """Close what is open and forget what was encoded."""
        for reel in self._reels.values():
            reel.close()
        self._reels.clear()
        self._made.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Pictures of {self._shown.name}>"
