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
import threading
from bisect import bisect_right
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.model.recording import Recording
from rushes.store import images
from rushes.store.reader import Session
from rushes.store.shelf import Shelf
from rushes.store.validity import Valid
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
_OF_THE_PARENT: Final[list[Any]] = []


class Want(NamedTuple):
    """What somebody wants to see.

    Attributes:
        recording: Any recording.
        frames: (T,) integers, `frame_index` of each picture, in any order, also several times.
    """

    recording: Recording
    frames: npt.ArrayLike


class Clips:
    """A reader of clips.

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
        self._open: _Open | None = None

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
        return _Reading(self._opened(), self.size, wants).run()

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

    def _opened(self) -> _Open:
        if self._open is None or self._open.process != os.getpid():
            _OF_THE_PARENT.append(self._open)  # freeing it would wait for threads that only the parent has
            self._open = _Open(self._threads)
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


class _Open:
    """What one process has open."""

    def __init__(self, threads: int | None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.process, self.shelf = os.getpid(), Shelf()
        self.workers = ThreadPoolExecutor(threads or cores, thread_name_prefix="clips")
        self._parts: OrderedDict[Any, tuple[Recording | None, tuple[Part, ...]]] = OrderedDict()

    def parts(self, recording: Recording) -> tuple[Part, ...]:
        """Say where the frames of a recording lie."""
        whole = recording.session if isinstance(recording, Valid) else recording
        ours = isinstance(whole, Session)
        key = (whole.path, whole.frame_count) if isinstance(whole, Session) else id(whole)
        if key not in self._parts:
            self._parts[key] = (None if ours else whole, parts_of(whole))  # an id is its own while it is held
            while len(self._parts) > _KNOWN:
                self._parts.popitem(last=False)
        self._parts.move_to_end(key)
        return self._parts[key][1]

    def close(self) -> None:
        self.workers.shutdown()
        self.shelf.close()


class _Reading:
    """One call of `Clips.read`."""

    def __init__(self, opened: _Open, size: tuple[int, int] | None, wants: Sequence[Want]) -> None:
        self._opened, self._size = opened, size
        self._wants = [(want.recording, np.asarray(want.frames, np.int64)) for want in wants]
        self._made: list[Pixels | None] = [None] * len(wants)
        self._lock = threading.Lock()

    def run(self) -> list[Pixels]:
        films: dict[tuple[Path, tuple[int, int] | None], _Places] = defaultdict(lambda: defaultdict(list))
        others: dict[int, _Places] = defaultdict(lambda: defaultdict(list))
        first: dict[int, int] = {}
        for number, (recording, frames) in enumerate(self._wants):
            whole = recording.session if isinstance(recording, Valid) else recording
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
        self, films: dict[tuple[Path, tuple[int, int] | None], _Places]
    ) -> list[tuple[Path, tuple[int, int] | None, _Places]]:
        """Part the pictures of each film by the key that they hang on, the longest way first."""
        found = []
        for (film, cut), wanted in films.items():
            contents = self._opened.shelf.contents(film)
            numbers = np.array(sorted(wanted), np.int64)
            if numbers[-1] >= len(contents):
                raise BadDataError(
                    f"{film}: {len(contents)} pictures, of which number {numbers[-1]} is wanted",
                    accepts="the film that its recording was made with",
                    fix="restore it from a copy",
                )
            keys = contents.key_of(numbers)
            for group in np.split(numbers, np.flatnonzero(np.diff(keys)) + 1):
                way = int(group[-1] - contents.key_of(group[:1])[0])
                found.append((way, film, cut, {number: wanted[number] for number in group.tolist()}))
        found.sort(key=lambda one: -one[0])
        return [one[1:] for one in found]

    def _from_film(self, path: Path, cut: tuple[int, int] | None, wanted: _Places) -> None:
        try:
            with self._opened.shelf.borrowed(path) as film:
                for number, picture in film.pictures(list(wanted)):
                    self._put(wanted[number], self._small(film, picture, cut))
        except BadDataError as error:
            want, place = next(iter(wanted.values()))[0]
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


def _squashed(picture: Pixels, size: tuple[int, int] | None) -> Pixels:
    import cv2

    if size is None or picture.shape[:2] == size:
        return picture
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
