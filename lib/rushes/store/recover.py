"""Recovery: what a killed writer left becomes a session again, with every whole record.

Example (the command line says the same: `rushes recover SESSION`):
    >>> def bring_back(path):
    ...     return recover(path).frames
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from rushes.errors import MissingError
from rushes.store.journal import read_journal
from rushes.store.layout import CHUNK_FILE, JOURNAL_FILE, chunk_folders, is_sealed, is_session
from rushes.store.lock import hold
from rushes.store.manifest import list_segments, read_summary
from rushes.store.seal import KILLED, seal


@dataclass(frozen=True)
class Recovery:
    """What a recovery found.

    Attributes:
        path: The session.
        chunks: Chunks that were sealed now.
        frames: Frames in them.
        records: Whole records in their journals.
        cut_bytes: Bytes of a last record that was cut, which are lost.
    """

    path: Path
    chunks: int
    frames: int
    records: int
    cut_bytes: int


def recover(path: str | Path) -> Recovery:
    """Seal what a dead writer left open; a session at rest stays as it is.

    Args:
        path: A session directory.

    Returns:
        What was found.

    Raises:
        MissingError: The path is no session.
        BusyError: The session is still being written.
        StorageError: The disk is full; nothing is lost by that.
    """
    session = Path(path)
    if not is_session(session):
        raise MissingError(
            f"{session}, which is no session",
            accepts="a session directory",
            fix="name the folder that holds session.json",
        )
    with hold(session):
        return _recover(session)


def _recover(session: Path) -> Recovery:
    chunks = frames = records = cut = 0
    for chunk in chunk_folders(session):
        journal = chunk / JOURNAL_FILE
        if is_sealed(chunk):
            journal.unlink(missing_ok=True)  # sealed, and killed before the journal went
        elif not journal.is_file():
            shutil.rmtree(chunk)  # made, and killed before anything was written
        else:
            size, end = journal.stat().st_size, 0
            for record in read_journal(journal):
                records, end = records + 1, record.end
            cut += max(0, size - max(end, min(size, 8)))
            if not end:
                shutil.rmtree(chunk)
                continue
            frames += int(seal(chunk, killed=True)["counts"]["frames"])
            chunks += 1
    list_segments(session)
    return Recovery(session, chunks, frames, records, cut)


def discard_unfinished(path: str | Path) -> int:
    """Remove the chunks of episodes that a kill cut short, so that they can be played anew from their seeds.

    Only for sampled sessions, whose bytes follow from their seeds; a recording is never shortened.

    Args:
        path: A session directory.

    Returns:
        How many chunks were removed.

    Raises:
        BusyError: The session is still being written.
    """
    with hold(Path(path)):
        return _discard(Path(path))


def _discard(session: Path) -> int:
    removed = 0
    for chunk in chunk_folders(session):
        segments = read_summary(chunk)["segments"] if is_sealed(chunk) else []
        whole = bool(segments) and all(s["end_reason"] != KILLED for s in segments)
        if not whole:
            (chunk / CHUNK_FILE).unlink(missing_ok=True)
            shutil.rmtree(chunk)
            removed += 1
        else:
            (chunk / JOURNAL_FILE).unlink(missing_ok=True)
    return removed
