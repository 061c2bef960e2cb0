"""The recorder's video as the frames of a recording: frame k stands at k / 30 s.

The video that the recorder saves is its preview, 454 x 454 with the names of pressed keys painted on it. What a model
sees of it says what is pressed, so negatives from it beside positives from the log are told apart by that alone; take
both from one of the two.

Example:
    >>> open_video("recordings/none.mp4")
    Traceback (most recent call last):
    ...
    rushes.errors.MissingError: video=recordings/none.mp4: nothing is there; accepted: ...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rushes.errors import BadDataError, MissingError
from rushes.formats.nitrogen.video import Film
from rushes.store.video_pictures import VideoPictures


@dataclass(frozen=True)
class Video:
    """A video that can be opened.

    Attributes:
        frames: Its pictures.
        count: How many.
        height: Pixels.
        width: Pixels.
    """

    frames: Film
    count: int
    height: int
    width: int


def open_video(asked: str) -> Video:
    """Open a video and decode its first picture.

    Args:
        asked: The option `video`.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is empty, cut, or no video; the reference's scripts fail with cv2.error there.
    """
    path = Path(asked)
    if not path.is_file():
        raise MissingError(
            f"video={asked}: {'a folder' if path.is_dir() else 'nothing is there'}",
            accepts="the recorder's video, recordings/NAME_HHMMSS.mp4",
            fix="check the path, or leave video out to take the pictures of the log",
        )
    if not path.stat().st_size:
        raise _unopenable(asked, "an empty file")
    try:
        with VideoPictures(path) as film:
            first = next(iter(film.frames(0, 1)))
            count = film.count
    except ValueError as error:  # BadDataError is one; PyAV raises others
        said = error.given if isinstance(error, BadDataError) else str(error)
        raise _unopenable(asked, said) from error
    none = np.full(count, -1, np.int64)
    return Video(Film(path, None, np.arange(count, dtype=np.int64), [], none), count, *first.shape[:2])


def _unopenable(asked: str, found: str) -> BadDataError:
    return BadDataError(
        f"video={asked}: a video that cannot be opened ({found})",
        accepts="a whole video that a player shows",
        fix="copy it again, or leave video out to take the pictures of the log",
    )
