"""Where the picture of each frame lies, as far as it can be read without the recording: in a film, by its number.

A session of ours has a film a chunk, or stored pictures. A foreign set whose pictures are those of a film, unchanged,
may say so by a method `films` of its `source_of_frames`; all others are read through the recording.

Example:
    >>> part = Part(first=100, stop=103, film=Path("frames.mp4"), cut=None, numbers=np.array([40, 40, 41]))
    >>> part.picture_of(np.array([101, 102])).tolist()
    [40, 41]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rushes.model.recording import Recording
from rushes.store.layout import VIDEO
from rushes.store.reader import Session

Ints = npt.NDArray[np.int64]


@runtime_checkable
class OfFilms(Protocol):
    """A source of frames that are pictures of films, just as they are."""

    def films(self, start: int, stop: int) -> Iterator[tuple[Path, tuple[int, int] | None, list[int]]]:
        """Say where frames lie.

        Args:
            start: First frame_index.
            stop: frame_index after the last.

        Yields:
            In order: a video file, (height, width) to cut its pictures to or None, and the number of each of the next
            frames' pictures in it, in the order of their times.
        """


@dataclass(frozen=True)
class Part:
    """Frames that lie in one place.

    Attributes:
        first: Its first frame_index.
        stop: frame_index behind its last one.
        film: The video file; None where they are read through the recording.
        cut: (height, width) that pictures of the film are cut to; None where they are as they are.
        numbers: (stop - first,) int64 number of each frame's picture in the film; None where that is 0, 1, 2 ...
    """

    first: int
    stop: int
    film: Path | None = None
    cut: tuple[int, int] | None = None
    numbers: Ints | None = None

    def picture_of(self, frames: Ints) -> Ints:
        """Give the number of each frame's picture: (n,) int64 to (n,) int64."""
        return frames - self.first if self.numbers is None else self.numbers[frames - self.first]


def parts_of(recording: Recording) -> tuple[Part, ...]:
    """Say where the frames of a recording lie.

    Args:
        recording: Any recording; a view of a session has the session's frames.

    Returns:
        Parts that follow on each other, together all frames of the recording.

    Raises:
        BadDataError: A table of the session is damaged.
    """
    whole = recording.whole
    if isinstance(whole, Session):
        found = (
            (folder / VIDEO if is_film else None, whole.picture_size, numbers)
            for folder, is_film, numbers in whole.stored(0, whole.frame_count)
        )
        return tuple(_parts(found))
    source = getattr(whole, "source_of_frames", None)
    if isinstance(source, OfFilms):
        return tuple(_parts(source.films(0, whole.frame_count)))
    return (Part(0, whole.frame_count),)


def _parts(found: Iterator[tuple[Path | None, tuple[int, int] | None, list[int]]]) -> Iterator[Part]:
    at = 0
    for film, cut, each in found:
        numbers = np.array(each, np.int64)
        stop = at + len(numbers)
        if film is None:
            yield Part(at, stop)
        else:
            yield Part(at, stop, film, cut, None if np.array_equal(numbers, np.arange(len(numbers))) else numbers)
        at = stop
