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
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rushes.errors import OccupiedError, StorageError


def partial_name(target: Path) -> Path:
    """Return the name under which an output is written until it is whole: `.NAME.partial` beside it."""
    return target.with_name(f".{target.name}.partial")


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a folder without write access into a `StorageError` that says what to do.

    Args:
        path: What is being written; stands in the message.

    Raises:
        StorageError: For ENOSPC, EDQUOT, EROFS, EACCES, EPERM and ENOTDIR; other errors pass.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, OccupiedError | StorageError):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"{path}: the disk is full",
                fix="free some space and run the same command again; nothing half-written counts",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise StorageError(
                f"{path}: the folder cannot be written ({error.strerror})",
                fix="choose an output folder that you may write to",
            ) from error
        raise


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
        partial.write_text(text, encoding="utf-8")
        sync(partial)
        partial.replace(target)
        sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
