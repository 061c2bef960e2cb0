"""The recorder: readings from one backend into one session, nothing else.

Example:
    >>> from rushes.capture.synthetic import SyntheticBackend
    >>> import tempfile
    >>> session = record(SyntheticBackend(frames=3), Path(tempfile.mkdtemp()) / "take")
    >>> session.frame_count
    3
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from rushes.capture.base import Backend
from rushes.errors import StoppedError
from rushes.model.clock import Clock
from rushes.store.reader import Session, open_session
from rushes.store.writer import SessionWriter

_ASK: Final = 16
"""Readings between two questions whether to stop."""


def record(
    backend: Backend,
    path: str | Path,
    *,
    chunk_frames: int = 0,
    resume: bool = False,
    stop: Callable[[], bool] | None = None,
) -> Session:
    """Record until the backend ends.

    Args:
        backend: Where readings come from.
        path: A new or empty directory; with `resume` a session at rest.
        chunk_frames: Frames a chunk; 0 makes one chunk a segment.
        resume: Go on after the last chunk.
        stop: Asked now and then; when it says yes the recording is left as a kill would leave it.

    Returns:
        The finished session. When the backend or the disk fails, what was written so far stays for `recover`.

    Raises:
        OccupiedError: The directory holds something.
        BusyError: Another process is writing the session.
        StoppedError: `stop` said yes; what was written stays.
        StorageError: The disk is full or the folder cannot be written.
    """
    with (
        SessionWriter(path, backend.describe(), chunk_frames=chunk_frames, resume=resume) as writer,
        backend.open(Clock()) as readings,
    ):
        write = writer.write
        for number, reading in enumerate(readings):
            write(reading)
            if stop is not None and not number % _ASK and stop():
                raise StoppedError(
                    f"{path}, which was stopped,",
                    accepts="a session that comes to its end",
                    fix="go on with resume=True",
                )
    return open_session(path)
