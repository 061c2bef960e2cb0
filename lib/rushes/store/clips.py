"""Short stretches of pictures from anywhere in many recordings, at speed: what a data loader asks for.

`Clips.read` takes any number of wants at once, and the more it knows the less it decodes: pictures that hang on the
same key picture of a film are decoded together, whichever of the wants they are for, and each core works on a group of
its own. What was decoded is squashed to `size` on the way to RGB (`rushes.store.video_film`); pictures that are stored
one by one, and those of other recordings, are squashed by OpenCV, by area too. A picture comes out the same whatever
else is asked for, and whatever the number of threads.

Films stay open, a handful a process. Nothing that is open goes through a fork or a pickle: each process opens its own.
A picture of a film that stands for several frames is decoded once.

Example:
    >>> from rushes.store.reader import open_session
    >>> def two_clips(path):
    ...     session = open_session(path)
    ...     with Clips((224, 224)) as clips:
    ...         return clips.read([Want(session, np.arange(16)), Want(session, np.arange(8, 24))])
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.store.clip_reading import Opened, Reading, Want

__all__ = ["Clips", "Want"]

Pixels = npt.NDArray[np.uint8]

_OF_THE_PARENT: Final[list[Any]] = []


class Clips:
    """A reader of clips. One thread at a time asks it.

    Args:
        size: (height, width) to squash pictures to, aspect not kept; None leaves them as they are stored.
        threads: How many decode; None takes as many as there are cores.

    Raises:
        BadInputError: A size or a number of threads below 1.
    """

    def __init__(self, size: tuple[int, int] | None = None, *, threads: int | None = None) -> None:
        if size is not None and (len(size) != 2 or min(size) < 1):  # noqa: PLR2004 - height and width
            raise BadInputError(f"size={size!r}", accepts="(height, width) in pixels, or None", fix="pass (224, 224)")
        if threads is not None and threads < 1:
            raise BadInputError(f"threads={threads}", accepts="1 or more, or None", fix="pass threads=None")
        self.size = size if size is None else (int(size[0]), int(size[1]))
        self._threads = threads
        self._open: Opened | None = None

    def read(self, wants: Sequence[Want]) -> list[Pixels]:
        """Decode what is wanted.

        Args:
            wants: Any number of clips; what is asked for together is decoded together, and takes its memory together.

        Returns:
            One (T, H, W, 3) uint8 RGB a want, in their order.

        Raises:
            BadInputError: Frames that a recording does not have, or a clip of pictures of several sizes and no `size`.
            BadDataError: A picture cannot be decoded; the message names the file and the frame.
            MissingError: A file is not there any more.
        """
        return Reading(self._opened(), self.size, wants).run()

    def runs(self, recording: Recording, most: int) -> Iterator[tuple[int, int]]:
        """Part all frames of a recording into runs that are read quickly one after the other, at key pictures.

        Args:
            recording: Any recording.
            most: Frames a run.

        Yields:
            (first frame_index, frame_index behind the last) of each, in order.
        """
        opened = self._opened()
        for part in opened.parts(recording):
            edges = {part.stop}
            if part.film is not None:
                pictures = part.picture_of(np.arange(part.first, part.stop))
                keys = opened.shelf.contents(part.film).keys
                edges |= set((part.first + np.searchsorted(pictures, keys)).tolist())
            rising, at = sorted(edges), part.first
            while at < part.stop:
                fitting = rising[bisect_right(rising, at) : bisect_right(rising, at + most)]
                stop = fitting[-1] if fitting else at + most
                yield at, stop
                at = stop

    def _opened(self) -> Opened:
        if self._open is None or self._open.process != os.getpid():
            _OF_THE_PARENT.append(self._open)  # freeing it would wait for threads that only the parent has
            self._open = Opened(self._threads)
        return self._open

    def close(self) -> None:
        """Close what is open; the next read opens it again."""
        if self._open is not None and self._open.process == os.getpid():
            self._open.close()
            self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}

    def __repr__(self) -> str:
        return f"<Clips: {'as stored' if self.size is None else f'{self.size[0]} x {self.size[1]}'}>"
