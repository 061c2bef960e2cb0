"""The recorder: readings from one backend into one session, nothing else.

Example:
    >>> from rushes.capture.synthetic import SyntheticBackend
    >>> import tempfile
    >>> session = record(SyntheticBackend(frames=3), Path(tempfile.mkdtemp()) / "take")
    >>> session.frame_count
    3
"""

from __future__ import annotations

from pathlib import Path

from rushes.capture.base import Backend
from rushes.model.clock import Clock
from rushes.store.reader import Session, open_session
from rushes.store.writer import SessionWriter


def record(backend: Backend, path: str | Path, *, chunk_frames: int = 0, resume: bool = False) -> Session:
    """Record until the backend ends.

    Args:
        backend: Where readings come from.
        path: A new or empty directory; with `resume` a session at rest.
        chunk_frames: Frames a chunk; 0 makes one chunk a segment.
        resume: Go on after the last chunk.

    Returns:
        The finished session. When the backend or the disk fails, what was written so far stays for `recover`.

    Raises:
        OccupiedError: The directory holds something.
        StorageError: The disk is full or the folder cannot be written.
    """
    with (
        SessionWriter(path, backend.describe(), chunk_frames=chunk_frames, resume=resume) as writer,
        backend.open(Clock()) as readings,
    ):
        write = writer.write
        for reading in readings:
            write(reading)
    return open_session(path)
