"""Taking a folder for a run, and giving it back; which folders may be taken is the rule of `rushes.store.runs`.

A run that ends without having written anything, as one with wrong parameters, takes its folder away with it.

Example:
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "new"
    >>> claim(folder, "tour", {"frames": 3}) is None, folder.is_dir()
    (True, True)
    >>> release(folder)
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rushes.store.atomic import storage_errors
from rushes.store.runs import LOCK_FILE, RUN_FILE, take, tidy, unfinished_run, wrote_nothing

_held: Final[dict[Path, int]] = {}


def claim(folder: Path, name: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Take a folder for a run; it stays taken until `release` or the end of this process.

    Args:
        folder: Made where it is not there.
        name: Of the notebook.
        parameters: All of them; `out_dir` is not compared.

    Returns:
        run.json of the unfinished run that lies there, or None for a fresh folder.

    Raises:
        OccupiedError: It holds something else.
        BusyError: Another process is running in it.
        StorageError: It cannot be made or written.
    """
    unfinished_run(folder, parameters, name=name, executing=True)  # refuse before anything is touched
    release(folder)  # a cell that is run again in the same notebook
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        take(handle, folder)
        former = unfinished_run(
            folder, parameters, name=name, executing=True
        )  # again: it may have been ended meanwhile
    except BaseException:
        os.close(handle)
        raise
    _held[folder] = handle
    return former


def release(folder: Path) -> None:
    """Give a folder back; nothing happens where this process does not hold it."""
    if (handle := _held.pop(folder, None)) is not None:
        with suppress(OSError):
            (folder / LOCK_FILE).unlink()
        os.close(handle)


@atexit.register
def _leave() -> None:
    """Give everything back when the process ends; what holds nothing is taken away."""
    for folder in list(_held):
        with suppress(OSError):
            if {p.name for p in folder.iterdir()} <= {RUN_FILE, LOCK_FILE} and wrote_nothing(folder):
                (folder / RUN_FILE).unlink(missing_ok=True)
        release(folder)
        tidy(folder)
