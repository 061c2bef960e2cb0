"""Outputs that are whole or absent: written beside their place under another name, then renamed.

Example:
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a" / "figures.json"
    >>> with new_file(target) as partial:
    ...     _ = partial.write_text("{}")
    >>> target.read_text()
    '{}'
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rushes.errors import BusyError, OccupiedError, StoppedError, StorageError


def partial_name(target: Path) -> Path:
    """Return the name under which an output is written until it is whole: `.NAME.partial` beside it."""
    return target.with_name(f".{target.name}.partial")


def progress_name(target: Path) -> Path:
    """Return where a long output notes how far it is, beside its partial file: `.NAME.progress.partial`."""
    return target.with_name(f".{target.name}.progress.partial")


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a place that cannot be written into a `StorageError` that says what to do.

    Args:
        path: What is being written; stands in the message.

    Raises:
        StorageError: The disk is full, writing is not allowed, something stands in the way, or the place cannot be
            made; other errors pass.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, OccupiedError | StorageError):
            raise
        if _number(error) in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"{path}: the disk is full",
                accepts="a disk with room for it",
                fix="free some space; nothing half-written counts; a sampling goes on with --resume (resume=True), "
                "anything else is run again",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise StorageError(
                f"{path}: the folder cannot be written ({error.strerror})",
                accepts="a folder that you may write to",
                fix="choose another output folder, or ask for the right to write there",
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise StorageError(
                f"{path}: {_in_the_way(path)} stands in the way ({error.strerror})",
                accepts="a path where nothing is, below folders",
                fix="choose another output, or move away what stands there",
            ) from error
        if error.errno == errno.ENOENT and _is_place_of(path, error.filename):
            raise StorageError(
                f"{path}: nothing can be made at this place ({error.strerror})",
                accepts="a folder on a disk",
                fix="choose an output folder that you may write to",
            ) from error
        raise


def _number(error: OSError) -> int | None:
    """Give an error's number; what `shutil.copytree` met stands as text in it."""
    said = re.search(r"\[Errno (\d+)\]", str(error)) if isinstance(error, shutil.Error) else None
    return int(said[1]) if said else error.errno


def _in_the_way(path: Path) -> str:
    """Name the file where a folder is needed, or what stands where `path` shall."""
    for place in (*reversed(path.parents), path):
        if place.exists() and (place == path or not place.is_dir()):
            return f"the {'folder' if place.is_dir() else 'file'} {place}"
    return "another file"


def _is_place_of(path: Path, missing: object) -> bool:
    """Say whether what is missing is the place of an output, not something that was to be read for it."""
    return isinstance(missing, str | os.PathLike) and Path(missing) in (path, partial_name(path), *path.parents)


def refuse_occupied(target: Path) -> None:
    """Refuse an output that already holds something; an empty folder is free.

    Raises:
        OccupiedError: The path exists and is not an empty folder.
    """
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists():
        raise OccupiedError(
            f"{target} (which exists already)",
            accepts="a new path or an empty folder",
            fix="choose another name or move it away",
        )


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Write a file that appears only when it is whole and on the disk.

    Args:
        target: Where it shall stand; its folder is made.

    Yields:
        The path to write to; it becomes `target` when the block ends without an error and vanishes otherwise.

    Raises:
        OccupiedError: `target` exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    refuse_occupied(target)
    partial = partial_name(target)
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            sync(partial)
            partial.replace(target)
            sync(target.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def resumed_file(target: Path) -> Iterator[Path]:
    """Write a long file in such a way that a later try can go on where this one was killed or interrupted.

    The block keeps its notes in `progress_name(target)` and decides from them whether what `partial_name(target)` holds
    is the beginning of the same output.

    Args:
        target: Where it shall stand; its folder is made.

    Yields:
        The path to write to, which may exist. It becomes `target` when the block ends without an error; an error
        removes it with the notes. An interruption (Ctrl+C) and a kill leave both, and so does a disk that is too full
        to go on with what an earlier try left.

    Raises:
        OccupiedError: `target` exists.
        BusyError: Another process is writing it.
        StorageError: The disk is full or the folder cannot be written.
        StoppedError: Somebody interrupted it; the same call goes on.
    """
    refuse_occupied(target)
    partial, progress = partial_name(target), progress_name(target)
    known = progress.exists()
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(partial, target):
            try:
                yield partial
                sync(partial)
                partial.replace(target)
                sync(target.parent)
                _forget(progress)
            except KeyboardInterrupt as stop:
                raise StoppedError(
                    f"{target}: stopped before it was complete",
                    accepts="the same source and options, to go on",
                    fix=f"run the same again; what is done stands beside it in {partial.name} and {progress.name}",
                ) from stop
            except BaseException as error:
                full = isinstance(error, StorageError) or (
                    isinstance(error, OSError) and _number(error) == errno.ENOSPC
                )
                if not (full and known):
                    partial.unlink(missing_ok=True)
                    _forget(progress)
                raise


@contextmanager
def _alone(partial: Path, target: Path) -> Iterator[None]:
    """Keep other processes from the file that this one goes on with; not on Windows, where it could not be renamed."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with partial.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(
                f"{target}, which another process is writing,",
                accepts="a name of its own for each output",
                fix="wait until that process ends, or choose another name",
            ) from error
        yield


def _forget(progress: Path) -> None:
    """Remove the notes, and what a kill left while they were written."""
    for path in (progress, partial_name(progress)):
        path.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Write a folder that appears only when it is whole.

    Args:
        target: Where it shall stand; must be absent or empty. Its parent is made.

    Yields:
        An empty folder to fill; it becomes `target` when the block ends without an error and vanishes otherwise.

    Raises:
        OccupiedError: `target` exists and is not empty.
        StorageError: The disk is full or the folder cannot be written.
    """
    refuse_occupied(target)
    partial = partial_name(target)
    with storage_errors(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            partial.replace(target)
            sync(target.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def replace_text(target: Path, text: str) -> None:
    """Put a new text in a file's place in one step: a reader sees the old or the new one, never a part."""
    partial = partial_name(target)
    with storage_errors(target):
        try:
            partial.write_text(text, encoding="utf-8")
            sync(partial)
            partial.replace(target)
        except BaseException:  # what is half-written fills a full disk for good
            partial.unlink(missing_ok=True)
            raise
        sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk; Windows has no such call for a folder, and none is made there."""
    windows = os.name == "nt"
    if windows and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)  # it waits only for what may be written
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
