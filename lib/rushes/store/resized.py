"""Frames made small: decoded and resized on all cores, in order, the same bytes for any number of workers.

Stored pictures go to the workers as they are and are decoded there. A film is split at its key pictures, and each
worker decodes stretches of it with one thread of its own. Other recordings are decoded in order, and resized by the
workers. A picture is squashed to a square by OpenCV's INTER_AREA, as programs that train on 256 x 256 do it; its aspect
is not kept. A few batches are in work at a time, whatever the length.

A thread a core is as fast as a process a core: decoding (OpenCV, FFmpeg) and resizing let other threads run.
cv2.imdecode takes as long as PIL for a PNG of 1280 x 720 (7.8 and 8.1 ms).

Example:
    >>> from rushes.store.reader import open_session
    >>> def mean_colours(path):
    ...     session = open_session(path)
    ...     batches = resized(session, np.arange(session.frame_count), size=64)
    ...     return np.concatenate([batch.mean((1, 2)) for batch in batches])
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.store import images
from rushes.store.layout import VIDEO
from rushes.store.reader import Session
from rushes.store.video_pictures import VideoPictures

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_BATCH: Final = 16
"""Pictures a task; a stretch of film goes on to the next key picture."""
_BATCH_BYTES: Final = 4_000_000
"""What a task is given, or makes, before no more pictures are added to it."""
_MOST: Final = 32
"""Frames a task, where a film has many from one key picture to the next, or shows one picture for long."""
_AHEAD_BYTES: Final = 64_000_000
"""What may be resized before it is wanted."""
_LONGEST: Final = 128
"""Pictures from one key picture to the next; a film with fewer keys is decoded in order."""
_HOLE: Final = 64
"""Frames that nobody wants and that are read all the same, rather than asked for anew behind them."""


class _Task(NamedTuple):
    work: Callable[..., Pixels]
    arguments: tuple[Any, ...]
    pictures: int


def resized(
    recording: Recording, frames: npt.ArrayLike, *, size: int, executor: Executor | None = None, quick: bool = False
) -> Iterator[Pixels]:
    """Decode frames and squash each to a square.

    Args:
        recording: Any recording.
        frames: (K,) integers, `frame_index` of those wanted, rising.
        size: Pixels a side.
        executor: Where to do it; None makes a thread a core for as long as it is read.
        quick: Let FFmpeg squash the pictures of a film, for those who compare them rather than show them: it takes a
            third of the time, and means of areas come out a little otherwise than OpenCV's.

    Yields:
        (n, size, size, 3) uint8 RGB, n as it comes; together the K frames in order.

    Raises:
        BadInputError: A size below 1, or frames that do not rise.
        BadDataError: A picture cannot be decoded; the message names the frame.
    """
    wanted = np.asarray(frames, np.int64)
    if size < 1:
        raise BadInputError(f"size={size}", accepts="pixels, from 1 on", fix="pass size=256")
    if (np.diff(wanted) <= 0).any():
        raise BadInputError("frames that do not rise", accepts="each frame once, in order", fix="sort them")
    return _run(_tasks(recording, wanted, size, quick=quick), executor, _AHEAD_BYTES // (size * size * 3))


def _run(tasks: Iterator[_Task], executor: Executor | None, ahead: int) -> Iterator[Pixels]:
    """Keep the workers busy, and give what they make in order; `ahead` pictures may be done before they are wanted."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own = ThreadPoolExecutor(cores, thread_name_prefix="resized") if executor is None else None
    workers = own or executor
    assert workers is not None
    under_way: deque[tuple[Future[Pixels], int]] = deque()
    pictures = 0
    try:
        for task in tasks:
            under_way.append((workers.submit(task.work, *task.arguments), task.pictures))
            pictures += task.pictures
            while len(under_way) > 8 * cores or (len(under_way) > cores + 1 and pictures > ahead):
                done, count = under_way.popleft()
                pictures -= count
                yield done.result()
        while under_way:
            yield under_way.popleft()[0].result()
    finally:
        for future, _ in under_way:
            future.cancel()
        if own is not None:
            own.shutdown()


def _pictures_a_task(size: int) -> int:
    return max(1, min(_BATCH, _BATCH_BYTES // (size * size * 3)))


def _tasks(recording: Recording, wanted: Ints, size: int, *, quick: bool) -> Iterator[_Task]:
    session = recording.whole
    for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > _HOLE) + 1):
        if not len(run):
            continue
        if isinstance(session, Session):
            yield from _from_session(session, run, size, quick=quick)
        else:
            yield from _from_any(session, run, size)


def _from_session(session: Session, run: Ints, size: int, *, quick: bool) -> Iterator[_Task]:
    at = int(run[0])
    for folder, is_video, numbers in session.stored(at, int(run[-1]) + 1):
        here = run[(run >= at) & (run < at + len(numbers))]
        if not len(here):
            pass
        elif not is_video:
            yield from _from_any(session, here, size)
        else:
            path = folder / VIDEO
            with VideoPictures(path) as film:
                edges = np.append(film.keys, film.count)
            if np.diff(edges).max() > _LONGEST:
                yield from _in_order(session, here, size)
            else:
                pictures = np.array(numbers, np.int64)[here - at]
                for part in _stretches(pictures, edges, _pictures_a_task(size)):
                    arguments = (str(path), session.picture_size, part.tolist(), size, quick)
                    yield _Task(_decode_film, arguments, len(part))
        at += len(numbers)


def _stretches(pictures: Ints, edges: Ints, enough: int) -> Iterator[Ints]:
    """Split pictures of a film at its keys, where enough have come together, and where one stands for very long."""
    most = max(2 * enough, _MOST)
    group = np.searchsorted(edges, pictures, side="right")
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    first = 0
    for stop in [*starts[1:].tolist(), len(pictures)]:
        if stop - first >= enough or stop == len(pictures):
            for start in range(first, stop, most):
                yield pictures[start : min(start + most, stop)]
            first = stop


def _from_any(recording: Recording, run: Ints, size: int) -> Iterator[_Task]:
    """Hand stored pictures on; where a frame is none, decode it here."""
    first, stop = int(run[0]), int(run[-1]) + 1
    if next(iter(recording.pictures(first, first + 1))) is None:
        yield from _in_order(recording, run, size)
        return
    chosen = set(run.tolist())
    batch: list[bytes | Pixels] = []
    numbers: list[int] = []
    room = _BATCH_BYTES
    for number, picture in enumerate(recording.pictures(first, stop), first):
        if number not in chosen:
            continue
        batch.append(recording.frame(number) if picture is None else picture.data)
        numbers.append(number)
        room -= len(picture.data) if picture is not None else batch[-1].nbytes  # type: ignore[union-attr]
        if len(batch) >= _pictures_a_task(size) or room <= 0:
            yield _Task(_decode_pictures, (batch, numbers, recording.info.id, size), len(batch))
            batch, numbers, room = [], [], _BATCH_BYTES
    if batch:
        yield _Task(_decode_pictures, (batch, numbers, recording.info.id, size), len(batch))


def _in_order(recording: Recording, run: Ints, size: int) -> Iterator[_Task]:
    chosen = set(run.tolist())
    batch: list[Pixels] = []
    room = _BATCH_BYTES
    for number, pixels in enumerate(recording.frames(int(run[0]), int(run[-1]) + 1), int(run[0])):
        if number not in chosen:
            continue
        batch.append(pixels)
        room -= pixels.nbytes
        if len(batch) >= _pictures_a_task(size) or room <= 0:
            yield _Task(_squash, (batch, size), len(batch))
            batch, room = [], _BATCH_BYTES
    if batch:
        yield _Task(_squash, (batch, size), len(batch))


def _squash(pictures: Sequence[Pixels], size: int) -> Pixels:
    """Resize decoded pictures."""
    made = np.empty((len(pictures), size, size, 3), np.uint8)
    for place, picture in zip(made, pictures, strict=True):
        _into(place, picture)
    return made


def _into(place: Pixels, picture: Pixels) -> None:
    import cv2

    if picture.shape == place.shape:
        place[:] = picture
    else:
        cv2.resize(picture, place.shape[1::-1], dst=place, interpolation=cv2.INTER_AREA)


def _decode_pictures(stored: Sequence[bytes | Pixels], numbers: Sequence[int], session: str, size: int) -> Pixels:
    """Decode stored pictures and resize them; one that stands several times is decoded once."""
    made = np.empty((len(stored), size, size, 3), np.uint8)
    for k, (data, number) in enumerate(zip(stored, numbers, strict=True)):
        if k and isinstance(data, bytes) and data == stored[k - 1]:
            made[k] = made[k - 1]
        else:
            whole = images.decode(data, where=f"{session}, frame {number}") if isinstance(data, bytes) else data
            _into(made[k], whole)
    return made


def _decode_film(
    path: str, cut: tuple[int, int] | None, numbers: Sequence[int], size: int, quick: bool = False
) -> Pixels:
    """Decode pictures of a film by their numbers, which do not fall, and resize them."""
    film = _film(Path(path), cut)
    made = np.empty((len(numbers), size, size, 3), np.uint8)
    for k, number in enumerate(numbers):
        if k and number == numbers[k - 1]:
            made[k] = made[k - 1]
        elif quick:
            made[k] = film.small(number, size)
        else:
            _into(made[k], film.view(number))
    return made


_open = threading.local()


def _film(path: Path, cut: tuple[int, int] | None) -> VideoPictures:
    """Give this thread's reader of a film; each thread has the last one open."""
    about = path.stat()
    key = (path, cut, about.st_ino, about.st_size, about.st_mtime_ns)
    if getattr(_open, "key", None) != key:
        if hasattr(_open, "film"):
            _open.film.close()
            del _open.film, _open.key
        _open.film, _open.key = VideoPictures(path, size=cut, threads=1), key
    found: VideoPictures = _open.film
    return found
