"""One read of clips: what is wanted of which film, decoded side by side and put in its places.

The inner side of `rushes.store.clips`, which says what it does.

Example:
    >>> Want.__doc__.splitlines()[0]
    'What somebody wants to see.'
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.model.recording import Recording
from rushes.store import images
from rushes.store.layout import SESSION_FILE
from rushes.store.reader import Session
from rushes.store.shelf import Shelf, stamp
from rushes.store.video_film import Film
from rushes.store.whereabouts import Part, parts_of

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
_Places = dict[int, list[tuple[int, int]]]
"""Picture or frame -> where it is wanted: (number of the want, place in it)."""

_KNOWN: Final = 64
"""Recordings whose whereabouts are kept."""
_AHEAD: Final = 16
"""Pictures as they are stored that may wait to be made small."""
_FOUR: Final = 4
_FAR: Final = 1 << 40
"""The way to the pictures of a film whose keys are not known yet."""


class Want(NamedTuple):
    """What somebody wants to see.

    Attributes:
        recording: Any recording.
        frames: (T,) integers, `frame_index` of each picture, in any order, also several times.
    """

    recording: Recording
    frames: npt.ArrayLike


class Opened:
    """What one process has open.

    Args:
        threads: How many decode; None takes as many as there are cores.
    """

    def __init__(self, threads: int | None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.process, self.shelf = os.getpid(), Shelf()
        self.workers = ThreadPoolExecutor(threads or cores, thread_name_prefix="clips")
        self._parts: OrderedDict[Any, tuple[Recording | None, tuple[Part, ...]]] = OrderedDict()

    def parts(self, recording: Recording) -> tuple[Part, ...]:
        """Say where the frames of a recording lie."""
        whole = recording.whole
        ours = isinstance(whole, Session)
        key = (whole.frame_count, stamp(whole.path / SESSION_FILE)) if isinstance(whole, Session) else id(whole)
        if key not in self._parts:
            self._parts[key] = (None if ours else whole, parts_of(whole))  # an id is its own while it is held
            while len(self._parts) > _KNOWN:
                self._parts.popitem(last=False)
        self._parts.move_to_end(key)
        return self._parts[key][1]

    def close(self) -> None:
        """Close the films and let the threads go."""
        self.workers.shutdown()
        self.shelf.close()


class Reading:
    """One call of `Clips.read`.

    Args:
        opened: What this process has open.
        size: (height, width), or None.
        wants: The clips.
    """

    def __init__(self, opened: Opened, size: tuple[int, int] | None, wants: Sequence[Want]) -> None:
        self._opened, self._size = opened, size
        self._wants = [(want.recording, np.asarray(want.frames, np.int64)) for want in wants]
        self._made: list[Pixels | None] = [None] * len(wants)
        self._lock = threading.Lock()

    def run(self) -> list[Pixels]:
        """Decode everything; see `Clips.read`."""
        films: dict[tuple[Path, tuple[int, int] | None], _Places] = defaultdict(lambda: defaultdict(list))
        others: dict[int, _Places] = defaultdict(lambda: defaultdict(list))
        first: dict[int, int] = {}
        for number, (recording, frames) in enumerate(self._wants):
            whole = recording.whole
            first.setdefault(id(whole), number)
            for part, places in self._split(recording, frames):
                where: _Places
                if part.film is None:
                    where, numbers = others[first[id(whole)]], frames[places]
                else:
                    where, numbers = films[part.film, part.cut], part.picture_of(frames[places])
                for picture, place in zip(numbers.tolist(), places.tolist(), strict=True):
                    where[picture].append((number, place))
        tasks = [self._opened.workers.submit(self._from_film, *group) for group in self._groups(films)]
        pictures: deque[Future[None]] = deque()
        try:
            for number, wanted in others.items():
                for task in self._from_recording(self._wants[number][0], wanted):
                    pictures.append(task)
                    if len(pictures) > _AHEAD:
                        pictures.popleft().result()
            for task in (*tasks, *pictures):
                task.result()
        finally:
            for task in (*tasks, *pictures):
                task.cancel()
            wait((*tasks, *pictures))
        return [np.empty((0, *(self._size or (0, 0)), 3), np.uint8) if made is None else made for made in self._made]

    def _split(self, recording: Recording, frames: Ints) -> Iterator[tuple[Part, Ints]]:
        """Say which places of a clip lie in which part of its recording."""
        parts = self._opened.parts(recording)
        stop = parts[-1].stop if parts else 0
        if frames.ndim != 1 or (len(frames) and not 0 <= frames.min() <= frames.max() < stop):
            raise BadInputError(
                f"{recording.info.id}: frames {frames.tolist()}",
                accepts=f"a list of frame_index from 0 to {stop - 1}",
                fix="ask for what is there",
            )
        for part in parts:
            places = np.flatnonzero((frames >= part.first) & (frames < part.stop))
            if len(places):
                yield part, places

    def _groups(
        self, films: Mapping[tuple[Path, tuple[int, int] | None], _Places]
    ) -> list[tuple[Path, tuple[int, int] | None, _Places]]:
        """Part the pictures of each film by the key that they hang on, the longest way first.

        Of several films that are not known yet each is left whole, so that they are opened side by side, and once.
        """
        found, several = [], len(films) > 1
        for (film, cut), wanted in films.items():
            shelf = self._opened.shelf
            contents = shelf.known(film) if several else shelf.contents(film)
            numbers = np.array(sorted(wanted), np.int64)
            if contents is None or numbers[-1] >= len(contents):  # the latter is told where it is read
                found.append((_FAR, film, cut, wanted))
                continue
            keys = contents.key_of(numbers)
            for group in np.split(numbers, np.flatnonzero(np.diff(keys)) + 1):
                way = int(group[-1] - contents.key_of(group[:1])[0])
                found.append((way, film, cut, {number: wanted[number] for number in group.tolist()}))
        found.sort(key=lambda one: -one[0])
        return [one[1:] for one in found]

    def _from_film(self, path: Path, cut: tuple[int, int] | None, wanted: _Places) -> None:
        left = deque(sorted(wanted))
        try:
            with self._opened.shelf.borrowed(path) as film:
                _refuse_short(film, left[-1])
                for number, picture in film.pictures(list(left)):
                    self._put(wanted[number], self._small(film, picture, cut))
                    left.popleft()
        except BadDataError as error:
            want, place = wanted[left[0]][0]
            recording, frames = self._wants[want]
            raise BadDataError(
                f"{recording.info.id}, frame {frames[place]}: {error.given}", accepts=error.accepts, fix=error.fix
            ) from error

    def _from_recording(self, recording: Recording, wanted: _Places) -> Iterator[Future[None]]:
        """Read pictures through their recording, one thread at a time, and have them made small by the workers."""
        frames = np.array(sorted(wanted), np.int64)
        for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1):
            start, stop = int(run[0]), int(run[-1]) + 1
            stored = next(iter(recording.pictures(start, start + 1)), None) is not None
            each: Iterator[Any] = recording.pictures(start, stop) if stored else recording.frames(start, stop)
            for number, picture in enumerate(each, start):
                given = picture.data if stored and picture is not None else picture
                if given is None:
                    given = recording.frame(number)
                where = f"{recording.info.id}, frame {number}"
                yield self._opened.workers.submit(self._from_picture, given, where, wanted[number])

    def _from_picture(self, given: bytes | Pixels, where: str, places: list[tuple[int, int]]) -> None:
        picture = images.decode(given, where=where) if isinstance(given, bytes) else given
        self._put(places, _squashed(picture, self._size))

    def _small(self, film: Film, picture: Any, cut: tuple[int, int] | None) -> Pixels:
        """Convert a picture of a film: (H, W, 3 or 4)."""
        if cut is None or cut == (picture.height, picture.width):
            return film.pixels(picture, self._size)
        return _squashed(film.pixels(picture)[: cut[0], : cut[1]], self._size)

    def _put(self, places: list[tuple[int, int]], picture: Pixels) -> None:
        """Put a picture of the right size, (H, W, 3 or 4), where it is wanted."""
        import cv2

        number, place = places[0]
        room = self._room(number, picture.shape[:2])[place]
        if picture.shape[2] == _FOUR:
            cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB, dst=room)
        else:
            room[:] = picture
        for number, place in places[1:]:
            self._room(number, picture.shape[:2])[place] = room

    def _room(self, number: int, shape: tuple[int, ...]) -> Pixels:
        with self._lock:
            made = self._made[number]
            if made is None:
                made = self._made[number] = np.empty((len(self._wants[number][1]), *shape, 3), np.uint8)
        if made.shape[1:3] != shape:
            raise BadInputError(
                f"{self._wants[number][0].info.id}: pictures of {made.shape[1:3]} and of {shape} in one clip",
                accepts="pictures of one size, or a size to squash them to",
                fix="pass size=(224, 224)",
            )
        return made


def _refuse_short(film: Film, last: int) -> None:
    if last >= len(film.contents):
        raise BadDataError(
            f"{film.path}: {len(film.contents)} pictures, of which number {last} is wanted",
            accepts="the film that its recording was made with",
            fix="restore it from a copy",
        )


def _squashed(picture: Pixels, size: tuple[int, int] | None) -> Pixels:
    import cv2

    if size is None or picture.shape[:2] == size:
        return picture
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
