"""The video that labels of the NitroGen release belong to: found, joined by frame number, its controller painted over.

The release ships no pictures. Row i of a chunk belongs to frame start_frame + i of its video, by number and never by
time: videos whose rate is another than the labels say would drift apart. The drawing of the controller that the labels
were read off (`bbox_controller_overlay`, in pixels of `resolution`, perhaps beyond the picture's edge) is painted black
before anything else sees the picture, or a model would read its answer off it.

Example:
    >>> box_of([100, 600, 300, 200], scale=(0.5, 0.5), height=360, width=640)
    Box(top=300, bottom=360, left=50, right=200)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.nitrogen.release import Piece, number_of
from rushes.formats.nitrogen.shards import FILMS, is_plain
from rushes.model.clock import NS
from rushes.model.findings import Problem
from rushes.model.recording import Picture
from rushes.store.video_pictures import VideoPictures

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

ENDINGS: Final = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
_UP: Final = 4  # chunk, video, shard, actions, root
_SIDES: Final = 4
_TWO: Final = 2
_ASPECTS: Final = 0.02
_OF_THE_PARENT: Final[list[Any]] = []


class Box(NamedTuple):
    """A rectangle of pixels, its far edges not in it.

    Attributes:
        top: First row.
        bottom: Row behind the last.
        left: First column.
        right: Column behind the last.
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return self.top >= self.bottom or self.left >= self.right


def box_of(sides: Any, *, scale: tuple[float, float], height: int, width: int) -> Box | None:
    """Read x, y, width and height as pixels of a picture: whole ones outwards, cut at its edges.

    Args:
        sides: [x, y, w, h].
        scale: Factors of (y, x).
        height: Of the picture.
        width: Of the picture.

    Returns:
        The box; None where those are no four numbers, or no width and height.
    """
    numbers = _four(sides)
    if numbers is None or min(numbers[2:]) < 0:
        return None
    x, y, w, h = numbers
    top, bottom = floor(y * scale[0]), ceil((y + h) * scale[0])
    left, right = floor(x * scale[1]), ceil((x + w) * scale[1])
    return Box(max(top, 0), min(bottom, height), max(left, 0), min(right, width))


def area_of(sides: Any, *, height: int, width: int) -> Box | None:
    """Read `bbox_game_area`: xtl, ytl, xbr, ybr as parts of the picture, in a mapping or a list.

    Returns:
        The box; None where those are no four numbers, or hold no pixel.
    """
    if isinstance(sides, dict):
        sides = [sides.get(name) for name in ("xtl", "ytl", "xbr", "ybr")]
    numbers = _four(sides)
    if numbers is None:
        return None
    x0, y0, x1, y1 = (min(max(n, 0.0), 1.0) for n in numbers)
    found = Box(round(y0 * height), round(y1 * height), round(x0 * width), round(x1 * width))
    return None if found.empty else found


def _four(sides: Any) -> list[float] | None:
    if not isinstance(sides, list | tuple) or len(sides) != _SIDES:
        return None
    numbers = [number for side in sides if (number := number_of(side)) is not None]
    return numbers if len(numbers) == _SIDES else None


def find_film(path: Path, video: str, asked: str) -> Path | None:
    """Find the video of an id.

    Args:
        path: What was opened.
        video: Id of the video.
        asked: A file, a folder with `<video_id>.*`, or empty: `videos/` beside the labels.

    Returns:
        The file; None where there is none, or the name is no plain one, or it is a link out of its folder.

    Raises:
        MissingError: What was asked for is not there.
    """
    if asked:
        place = Path(asked)
        if not place.exists():
            raise MissingError(f"video={asked}: nothing is there", accepts="a video or a folder", fix="check the path")
        if place.is_file():
            return place
        folders = [place]
    else:
        start = path.absolute()
        folders = [place / FILMS for place in (start, *start.parents[:_UP])]
    if not is_plain(video):
        return None
    for folder in folders:
        for ending in ENDINGS:
            film = folder / f"{video}{ending}"
            if film.is_file() and (asked or folder.resolve() in film.resolve().parents):
                return film
    return None


@dataclass
class Film:
    """Pictures of a video as the frames of a recording.

    Attributes:
        path: The video.
        size: (height, width) of its pictures, where an odd size was made even.
        numbers: (N,) int64, picture of each frame.
        masks: Boxes, for `mask_of`.
        mask_of: (N,) int64, which box is painted over each frame; -1 for none.
        crop: What is kept of a picture, after painting.
    """

    path: Path
    size: tuple[int, int] | None
    numbers: npt.NDArray[np.int64]
    masks: Sequence[Box]
    mask_of: npt.NDArray[np.int64]
    crop: Box | None = None

    def __post_init__(self) -> None:
        self._opened: tuple[int, VideoPictures] | None = None

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Decode pictures in order; see `imported.Frames`."""
        for frame in range(start, stop):
            number = int(self.numbers[frame])
            pixels = next(iter(self._pictures().frames(number, number + 1)))
            box = self.masks[self.mask_of[frame]] if self.mask_of[frame] >= 0 else None
            if box is not None and not box.empty:
                pixels[box.top : box.bottom, box.left : box.right] = 0
            if self.crop is not None:
                pixels = pixels[self.crop.top : self.crop.bottom, self.crop.left : self.crop.right]
            yield np.ascontiguousarray(pixels)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file of its own."""
        if not 0 <= start <= stop <= len(self.numbers):
            raise BadInputError(
                f"frames {start} to {stop}", accepts=f"0 to {len(self.numbers)}", fix="ask for what is there"
            )
        return iter([None] * (stop - start))

    def _pictures(self) -> VideoPictures:
        """Open the video, once in each process: what was forked shares its place in the file with its parent.

        A forked decoder is kept and not freed: freeing waits for its threads, which only the parent has.
        """
        if self._opened is None or self._opened[0] != os.getpid():
            _OF_THE_PARENT.append(self._opened)
            self._opened = os.getpid(), VideoPictures(self.path, size=self.size)
        return self._opened[1]

    def close(self) -> None:
        """Close the video; it is opened again when a picture is asked for."""
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].close()
            self._opened = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def __repr__(self) -> str:
        return f"<Film {self.path.name}: {len(self.numbers)} frames>"


class Asked(Protocol):
    """What the options of reading say; see `nitrogen_dataset.Options`."""

    actions: str
    video: str
    mask: bool
    crop: bool


@dataclass(frozen=True)
class Found:
    """A video that can be opened.

    Attributes:
        path: The file.
        count: How many pictures.
        rate_hz: Their mean rate; 0 where there is one picture.
        height: Pixels.
        width: Pixels.
    """

    path: Path
    count: int
    rate_hz: float
    height: int
    width: int


def open_film(path: Path, video: str, asked: Asked, problems: list[Problem]) -> Found | None:
    """Find the video of an id and see whether it can be opened; where it cannot, the labels stand alone.

    Args:
        path: What was opened; the video is looked for beside it.
        video: Id of the video.
        asked: Options.
        problems: What had to be worked around is added here.

    Raises:
        MissingError: What the option names is not there.
    """
    if asked.video == "none":
        return None
    if not is_plain(video):
        text = "an id that is no plain name: no video is looked for"
        problems.append(Problem("refused_name", video, 1, text))
    place = find_film(path, video, asked.video)
    if place is None:
        return None
    try:
        with VideoPictures(place) as film:
            first = next(iter(film.frames(0, 1)))
            span = int(film.times_ns[-1])
            rate = (film.count - 1) * NS / span if span else 0.0
            return Found(place, film.count, rate, first.shape[0], first.shape[1])
    except ValueError as error:  # BadDataError is one; PyAV raises others where a file's own texts are damaged
        said = error.given if isinstance(error, BadDataError) else str(error)
        problems.append(Problem("unreadable_video", str(place), 1, f"the labels stand alone: {said}"))
        return None


def join_frames(
    film: Found,
    numbers: Ints,
    piece_of: Ints,
    pieces: Sequence[Piece],
    asked: Asked,
    problems: list[Problem],
    *,
    own: bool,
) -> Film:
    """Join labels to the pictures of their video, by number.

    Args:
        film: The video.
        numbers: (N,) int64 number of each frame in it.
        piece_of: (N,) int64 which piece each frame belongs to.
        pieces: The pieces, for what is painted over and cut off.
        asked: Options.
        problems: What had to be worked around is added here.
        own: Whether we wrote the video: then its size is known exactly, where an odd one was made even.
    """
    height, width = film.height, film.width
    resolution = _resolution(pieces[0].meta)
    if own and resolution is not None:
        height, width = min(height, resolution[0]), min(width, resolution[1])
    masks: list[Box] = []
    place = np.full(len(pieces), -1, np.int64)
    without, skew = [], []
    for number, piece in enumerate(pieces):
        scale = _scale(piece, height, width, problems)
        box = box_of(piece.meta.get("bbox_controller_overlay"), scale=scale, height=height, width=width)
        if box is None:
            without.append(piece.where)
        elif not box.empty:
            if box not in masks:
                masks.append(box)
            place[number] = masks.index(box)
            skew.append((number, abs(scale[0] / scale[1] - 1)))
    if without and asked.mask:
        text = (
            "no bbox_controller_overlay of x, y, width and height: if a controller is drawn in the picture, it is seen"
        )
        problems.append(Problem("without_mask", without[0], len(without), text))
    other = [pieces[number].where for number, much in skew if much > _ASPECTS]
    if other and asked.mask:
        text = f"a video of {width} x {height}, not the shape of its labels: bars or a cut move what is painted over"
        problems.append(Problem("aspect_differs", other[0], len(other), text))
    areas = [piece.meta.get("bbox_game_area") for piece in pieces]
    other = [piece.where for piece, area in zip(pieces, areas, strict=True) if area != areas[0]]
    if other and asked.crop:
        text = "another bbox_game_area than that of the video's first chunk, which is used for all of it"
        problems.append(Problem("game_area_differs", other[0], len(other), text))
    crop = area_of(pieces[0].meta.get("bbox_game_area"), height=height, width=width) if asked.crop else None
    mask_of = place[piece_of] if asked.mask else np.full(len(piece_of), -1, np.int64)
    return Film(film.path, (height, width), numbers, masks, mask_of, crop)


def _resolution(meta: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read [height, width]."""
    video = meta.get("original_video")
    sides = video.get("resolution") if isinstance(video, dict) else None
    if not isinstance(sides, list) or len(sides) != _TWO:
        return None
    numbers = [number_of(side) for side in sides]
    good = all(number is not None and 0 < number < 1 << 16 for number in numbers)
    return (int(numbers[0] or 0), int(numbers[1] or 0)) if good else None


def _scale(piece: Piece, height: int, width: int, problems: list[Problem]) -> tuple[float, float]:
    """Find how the labels' pixels become the video's."""
    said = _resolution(piece.meta)
    if said is None:
        return 1.0, 1.0
    if (said[0] - said[1]) * (height - width) < 0:
        if not any(p.kind == "resolution_swapped" for p in problems):
            text = f"resolution {list(said)} is [width, height] where [height, width] is usual: the video tells"
            problems.append(Problem("resolution_swapped", piece.where, 1, text))
        said = said[::-1]
    return height / said[0], width / said[1]
