"""Spreading games over workers: the pool, how far they are, and stopping them.

Progress is read off the disk and stopping is a mark on it, so both work with any executor whose workers see the same
file system.

Example:
    >>> with pool(None, workers=1, tasks=1) as executor:
    ...     executor.submit(sum, (1, 2)).result()
    3
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadInputError
from rushes.store.journal import count_records
from rushes.store.layout import JOURNAL_FILE, chunk_folders, is_sealed
from rushes.store.manifest import read_summary
from rushes.store.seal import FRAME

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what): frames stored, frames asked for, and a word for the bar."""
STOP_MARK: Final = ".rushes-stop"
"""File beside the sessions that tells workers to stop; it goes when they have."""
_POLL_S: Final = 0.2


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lanes(workers: int, tasks: int) -> int:
    """Say how many workers there will be.

    Args:
        workers: As users give it; 0 takes one a core.
        tasks: How many there is work for.

    Raises:
        BadInputError: `workers` is negative or no whole number.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise BadInputError(
            f"workers={workers!r}", accepts="a whole number from 0", fix="pass workers=0 for one a core"
        )
    return max(1, min(workers or available_cores(), tasks))


@contextmanager
def pool(executor: Executor | None, *, workers: int, tasks: int) -> Iterator[Executor]:
    """Give an executor for as long as the block runs.

    Args:
        executor: One of the caller's own, which is left open; None makes one.
        workers: Processes; 0 takes one a core.
        tasks: How many there is work for.
    """
    if executor is not None:
        yield executor
    elif (count := lanes(workers, tasks)) == 1:
        with ThreadPoolExecutor(1) as thread:  # one game needs no process; the thread leaves this one to the bar
            yield thread
    else:
        # spawn: a forked child of a notebook's kernel would inherit its threads' locks
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as processes:
            yield processes


@contextmanager
def stoppable(root: Path, futures: Sequence[Future[Any]]) -> Iterator[None]:
    """Stop the workers when the block ends by an error or by Ctrl-C; what they have stored stays.

    Args:
        root: Folder of the sessions.
        futures: Their tasks.
    """
    mark = root / STOP_MARK
    if root.is_dir():
        mark.unlink(missing_ok=True)
    try:
        yield
    except BaseException:
        for future in futures:
            future.cancel()
        if root.is_dir():
            mark.touch()
            wait([f for f in futures if not f.cancelled()])
            mark.unlink(missing_ok=True)
        raise


def watch(futures: Sequence[Future[Any]], sessions: Sequence[Path], total: int, progress: Progress | None) -> None:
    """Wait for tasks and report how many frames are stored.

    Args:
        futures: The tasks.
        sessions: The sessions that they write.
        total: Frames asked for.
        progress: Called from this thread; the last call tells what is there when all have ended.
    """
    meters = [_Meter(path) for path in sessions]
    pending: set[Future[Any]] = set(futures)
    while pending:
        _, pending = wait(pending, timeout=_POLL_S)
        if progress is not None:
            done = sum(meter.frames() for meter in meters)
            progress(done, total, f"{len(futures) - len(pending)}/{len(futures)} games")


class _Meter:
    """Counts the frames of a session that grows, and looks at nothing twice."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sealed: dict[str, int] = {}
        self._open = ("", 0, 0)

    def frames(self) -> int:
        """Return how many there are; what is being sealed at this moment may be counted as of before."""
        for chunk in chunk_folders(self._path):
            if chunk.name in self._sealed:
                continue
            try:
                if is_sealed(chunk):
                    self._sealed[chunk.name] = int(read_summary(chunk)["counts"]["frames"])
                else:
                    name, found, end = self._open if self._open[0] == chunk.name else (chunk.name, 0, 0)
                    more, end = count_records(chunk / JOURNAL_FILE, FRAME, end)
                    self._open = (name, found + more, end)
            except OSError:  # sealed or removed between two looks
                continue
        growing = self._open[1] if self._open[0] not in self._sealed else 0
        return sum(self._sealed.values()) + growing
