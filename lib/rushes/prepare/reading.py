"""Pictures of samples: each frame decoded once, made small, and transformed as its row says.

Rows name pixels; this is where they get them. Rows come in the order in which their frames are stored, since a film
is fast to read only so; each batch says which rows of the table it holds. Frames are decoded by
`rushes.store.resized` on all cores, transforms are applied by threads. A few batches are in memory at a time, whatever
the length, and the bytes do not depend on the number of workers.

Example:
    >>> from rushes.store.reader import open_session
    >>> from rushes.prepare.press_release import press_release
    >>> def brightness_at_presses(path):
    ...     samples, _ = press_release(open_session(path), "Space")
    ...     return load_pictures(samples, [open_session(path)], size=96).mean((1, 2, 3, 4))
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.model.recording import Recording, by_id
from rushes.model.sample_table import Samples
from rushes.prepare.augment.base import Drawn, apply, read, steps_back
from rushes.store.resized import resized

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SIZE: Final = 227
"""Pixels a side that the JumpNet scripts train on."""
_ROWS_A_TASK: Final = 8
_BATCH_BYTES: Final = 20_000_000
"""What a batch may hold; three are in memory at a time, the one that was given last included."""


class Pictures(NamedTuple):
    """The pictures of some rows.

    Attributes:
        rows: (n,) int64, places in the table, from 0.
        pixels: (n, T, S, S, 3) uint8 RGB.
    """

    rows: Ints
    pixels: Pixels


class _Plan(NamedTuple):
    """Rows of one session, in the order in which their last frames are stored."""

    recording: Recording
    rows: Ints
    frames: Ints
    """(n, T) frame_index of what each shows."""


class _Window(NamedTuple):
    row: int
    frames: Sequence[Pixels]
    transforms: Sequence[Drawn]


def read_pictures(
    samples: Samples,
    recordings: Iterable[Recording],
    *,
    size: int = SIZE,
    executor: Executor | None = None,
    batch: int = 64,
) -> Iterator[Pictures]:
    """Read the pictures of all rows.

    Args:
        samples: Rows whose windows have one length.
        recordings: The sessions that they lie in, found by their id; more may be there.
        size: Pixels a side; pictures are squashed to a square as `rushes.store.resized` does it.
        executor: Where to decode; None makes a thread a core for as long as it is read. Transforms are applied by
            threads of this process.
        batch: Most rows to give at a time; fewer where their windows would take more than 20 MB.

    Yields:
        Each row once, by session (in alphabetical order) and frame. The pixels are the reader's to keep or change.

    Raises:
        BadInputError: A size or batch below 1, or two recordings with one id.
        BadDataError: Windows of several lengths, a transform that does not read, a window that no segment holds, or a
            picture that cannot be decoded.
        MissingError: A session that no recording has the id of.
    """
    if size < 1 or batch < 1:
        raise BadInputError(
            f"size={size}, batch={batch}", accepts="pixels and rows, from 1 on", fix="pass size=227, batch=64"
        )
    length = one_length(samples)
    transforms = _transforms(samples)
    plans = _plans(samples, _found(samples, recordings), transforms, length)
    return _batches(plans, transforms, (length, size, size, 3), batch, executor)


def load_pictures(samples: Samples, recordings: Iterable[Recording], *, size: int = SIZE) -> Pixels:
    """Read the pictures of all rows into one array; see `read_pictures`.

    Returns:
        (N, T, S, S, 3) uint8 RGB in the order of the table.
    """
    made = np.zeros((len(samples), one_length(samples), size, size, 3), np.uint8)
    for pictures in read_pictures(samples, recordings, size=size):
        made[pictures.rows] = pictures.pixels
    return made


def one_length(samples: Samples) -> int:
    """Give the length that all windows have; 1 where there is no row.

    Raises:
        BadDataError: They have several.
    """
    lengths = sorted(set(samples.rows["length"].tolist())) or [1]
    if len(lengths) > 1:
        raise BadDataError(
            f"windows of {', '.join(map(str, lengths))} frames in one table",
            accepts="windows of one length",
            fix="make all rows with the same length=",
        )
    return int(lengths[0])


def _transforms(samples: Samples) -> list[tuple[Drawn, ...]]:
    known: dict[str, tuple[Drawn, ...]] = {}
    found = []
    for row, text in enumerate(samples.rows["transform"].tolist()):
        if text not in known:
            try:
                known[text] = read(text)
            except BadDataError as error:
                raise BadDataError(f"row {row}: {error.given}", accepts=error.accepts, fix=error.fix) from error
        found.append(known[text])
    return found


def _found(samples: Samples, recordings: Iterable[Recording]) -> dict[str, Recording]:
    found = by_id(recordings)
    gone = sorted(set(samples.rows["session"]) - found.keys())
    if gone:
        where = samples.sources[gone[0]].path if gone[0] in samples.sources else ""
        raise MissingError(
            f"session {gone[0]}, whose pixels are wanted" + f" (and {len(gone) - 1} more)" * (len(gone) > 1),
            accepts="a recording for each session of the table" + f", got {', '.join(sorted(found)) or 'none'}",
            fix=f"pass the recording at {where}" if where else "pass the recording that has this id",
        )
    return found


def _plans(
    samples: Samples, recordings: dict[str, Recording], transforms: list[tuple[Drawn, ...]], length: int
) -> list[_Plan]:
    """Say which frames each row shows, and put the rows into the order in which they are stored."""
    last = samples.rows["frame_index"].to_numpy(np.int64) + length - 1
    back: dict[tuple[Drawn, ...] | int, Ints] = {}
    for drawn in transforms:
        if id(drawn) not in back:  # rows with one text share one tuple
            back[id(drawn)] = steps_back(length, drawn)
    steps = [back[id(drawn)] for drawn in transforms]
    frames = last[:, None] - (np.stack(steps) if steps else np.zeros((0, length), np.int64))
    sessions = samples.rows["session"].to_numpy(object)
    plans = []
    for name in sorted(set(sessions)):
        mine = np.flatnonzero(sessions == name)
        mine = mine[np.argsort(last[mine], kind="stable")]
        plan = _Plan(recordings[name], mine, frames[mine])
        _check(plan, samples)
        plans.append(plan)
    return plans


def _check(plan: _Plan, samples: Samples) -> None:
    segments = plan.recording.segments
    first = np.array([s.first_frame for s in segments], np.int64)
    stop = np.array([s.stop_frame for s in segments], np.int64)
    place = np.searchsorted(first, plan.frames[:, 0], side="right") - 1
    wrong = (place < 0) if len(first) else np.ones(len(place), bool)
    if len(first):
        wrong |= plan.frames[:, -1] >= stop[place]
    if wrong.any():
        row, frames = int(plan.rows[wrong][0]), plan.frames[wrong][0]
        raise BadDataError(
            f"row {row} ({samples.rows['sample_id'].iloc[row]}): frames {frames[0]} to {frames[-1]}"
            f" of {plan.recording.info.id}, which no segment holds whole",
            accepts="windows within one segment that is not marked invalid",
            fix="make the table anew from the session as it is now",
        )


def _batches(
    plans: list[_Plan],
    transforms: list[tuple[Drawn, ...]],
    shape: tuple[int, ...],
    batch: int,
    executor: Executor | None,
) -> Iterator[Pictures]:
    most = max(1, min(batch, _BATCH_BYTES // math.prod(shape)))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores, thread_name_prefix="transforms") as threads:
        decoders = executor or ThreadPoolExecutor(cores, thread_name_prefix="decoding")
        windows = _windows(plans, transforms, shape[1], decoders)
        under_way: deque[tuple[Pictures, list[Future[None]]]] = deque()
        try:
            while some := list(islice(windows, most)):
                rows = np.array([window.row for window in some], np.int64)
                pictures = Pictures(rows, np.empty((len(some), *shape), np.uint8))
                tasks = [
                    threads.submit(_fill, pictures.pixels, k, some[k : k + _ROWS_A_TASK])
                    for k in range(0, len(some), _ROWS_A_TASK)
                ]
                under_way.append((pictures, tasks))
                if len(under_way) > 1:
                    yield _done(*under_way.popleft())
            while under_way:
                yield _done(*under_way.popleft())
        finally:
            windows.close()
            for _, tasks in under_way:
                for task in tasks:
                    task.cancel()
            if executor is None:
                decoders.shutdown()


def _done(pictures: Pictures, tasks: list[Future[None]]) -> Pictures:
    for task in tasks:
        task.result()
    return pictures


def _windows(
    plans: list[_Plan], transforms: list[tuple[Drawn, ...]], size: int, executor: Executor
) -> Generator[_Window]:
    """Decode what is wanted, each frame once, and give the rows whose frames are all there."""
    for plan in plans:
        there: dict[int, Pixels] = {}
        wanted = np.unique(plan.frames)
        oldest = np.minimum.accumulate(plan.frames[::-1, 0])[::-1]  # that this row or a later one still needs
        at = done = 0
        for pictures in resized(plan.recording, wanted, size=size, executor=executor):
            there.update(zip(wanted[at : at + len(pictures)].tolist(), pictures, strict=True))
            at += len(pictures)
            reach = int(wanted[at - 1])
            while done < len(plan.rows) and plan.frames[done, -1] <= reach:
                row = int(plan.rows[done])
                yield _Window(row, [there[k] for k in plan.frames[done].tolist()], transforms[row])
                done += 1
            keep = int(oldest[done]) if done < len(plan.rows) else reach + 1
            for number in [k for k in there if k < keep]:
                del there[number]


def _fill(made: Pixels, first: int, windows: Sequence[_Window]) -> None:
    """Put windows together and transform them, into their places."""
    for k, window in enumerate(windows, first):
        for place, frame in zip(made[k], window.frames, strict=True):
            place[:] = frame
        if window.transforms:
            changed = apply(made[k], window.transforms)
            if changed is not made[k]:
                made[k] = changed
