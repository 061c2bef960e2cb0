"""Locks: one writer a session, from its first byte to its last, chunks and the moments between them included.

The lock is the operating system's own and goes with the process that holds it. It adds no file to the session, but on
Windows, where a folder cannot be locked: there a file of its own is, as long as the session is held.

Example:
    >>> import tempfile
    >>> session = Path(tempfile.mkdtemp())
    >>> with hold(session):
    ...     print("nobody else writes here")
    nobody else writes here
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from rushes.errors import BusyError
from rushes.store.atomic import storage_errors
from rushes.store.layout import LOCK_FILE


class Hold:
    """A session that is held for writing.

    Attributes:
        path: The session.
        handle: File descriptor of the lock, -1 on Windows; a process that inherits it holds the session too.
    """

    def __init__(self, path: Path, handle: int, *, own_file: int = -1) -> None:
        self.path, self.handle, self._own_file = path, handle, own_file

    def release(self) -> None:
        """Let others write; a second call does nothing."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        if self._own_file >= 0:
            os.close(self._own_file)  # its lock goes with it
            self._own_file = -1
            with suppress(OSError):  # somebody else has just opened it
                (self.path / LOCK_FILE).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def hold(session: Path) -> Hold:
    """Hold a session for writing until it is released or this process ends.

    Args:
        session: Its directory, which must be there.

    Raises:
        BusyError: Another process, or another writer of this one, holds it.
    """
    if sys.platform == "win32":  # a directory cannot be opened there
        return Hold(session, -1, own_file=_lock_file(session))
    handle = os.open(session, os.O_RDONLY)
    try:
        lock(handle, session)
    except BaseException:
        os.close(handle)
        raise
    return Hold(session, handle)


def _lock_file(session: Path) -> int:
    """Hold a file in the session, for Windows: its lock is for this process alone and ends with it."""
    with storage_errors(session):
        handle = os.open(session / LOCK_FILE, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOINHERIT", 0))
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        os.close(handle)
        raise _busy(session) from error
    return handle


def lock(handle: int, session: Path) -> None:
    """Lock an open file or directory, or refuse.

    Args:
        handle: The open file.
        session: What to name in the message.

    Raises:
        BusyError: Somebody else holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, whose locks would keep readers out too
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _busy(session) from error


def _busy(session: Path) -> BusyError:
    return BusyError(
        f"{session}, which is being written by another process,",
        accepts="a session at rest",
        fix="wait until that process ends, or stop it first",
    )
