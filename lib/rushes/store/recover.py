"""Recovery: what a killed writer left becomes a session again, with every whole record.

Example (the command line says the same: `rushes recover SESSION`):
    >>> def bring_back(path):
    ...     return recover(path).frames
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rushes.errors import BusyError, MissingError
from rushes.store.journal import read_journal
from rushes.store.layout import CHUNK_FILE, JOURNAL_FILE, chunk_folders, is_sealed, is_session
from rushes.store.lock import Hold, hold
from rushes.store.manifest import list_segments, read_summary
from rushes.store.seal import BEGIN, KILLED, seal

_AGAIN_S: Final = 0.02


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


def recover(path: str | Path, *, patience_s: float = 1.0) -> Recovery:
    """Seal what a dead writer left open; a session at rest stays as it is.

    Args:
        path: A session directory.
        patience_s: How long to wait for a process that is just ending: a recorder's others follow it within a second.

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
    with _hold_soon(session, patience_s):
        return _recover(session)


def _hold_soon(session: Path, patience_s: float) -> Hold:
    until = time.monotonic() + patience_s
    while True:
        try:
            return hold(session)
        except BusyError:
            if time.monotonic() >= until:
                raise
            time.sleep(_AGAIN_S)


def _recover(session: Path) -> Recovery:
    chunks = frames = records = cut = 0
    folders = chunk_folders(session)
    for chunk in folders:
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
            later = next((c for c in folders if int(c.name) == int(chunk.name) + 1), None)
            summary = seal(chunk, killed=later is None or not _goes_on(later))
            frames += int(summary["counts"]["frames"])
            chunks += 1
    list_segments(session)
    return Recovery(session, chunks, frames, records, cut)


def _goes_on(chunk: Path) -> bool:
    """Say whether a chunk begins in the middle of the segment of the chunk before it."""
    if is_sealed(chunk):
        segments = read_summary(chunk)["segments"]
        return bool(segments) and not segments[0]["opens"]
    journal = chunk / JOURNAL_FILE
    first = next(read_journal(journal, BEGIN), None) if journal.is_file() else None
    return first is not None and not first.text[-1]


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
