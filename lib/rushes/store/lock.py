"""Locks: one writer a session, from its first byte to its last, chunks and the moments between them included.

The lock is the operating system's own and goes with the process that holds it; it adds no file to the session.

Example:
    >>> import tempfile
    >>> session = Path(tempfile.mkdtemp())
    >>> with hold(session):
    ...     print("nobody else writes here")
    nobody else writes here
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from rushes.errors import BusyError


class Hold:
    """A session that is held for writing.

    Attributes:
        path: The session.
        handle: File descriptor of the lock, -1 where there is none; a process that inherits it holds the session too.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self.handle = path, handle

    def release(self) -> None:
        """Let others write; a second call does nothing."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

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
    if os.name == "nt":  # a directory cannot be opened there; an open journal cannot be removed either
        return Hold(session, -1)
    handle = os.open(session, os.O_RDONLY)
    try:
        lock(handle, session)
    except BaseException:
        os.close(handle)
        raise
    return Hold(session, handle)


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
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BusyError(
            f"{session}, which is being written by another process,",
            accepts="a session at rest",
            fix="wait until that process ends, or stop it first",
        ) from error
