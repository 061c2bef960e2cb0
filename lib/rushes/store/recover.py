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

from rushes.errors import BadDataError, BusyError, MissingError
from rushes.store.atomic import partial_name
from rushes.store.chunk import BEGIN, KILLED
from rushes.store.journal import HOLE, MAGIC, read_journal
from rushes.store.layout import (
    CHUNK_FILE,
    JOURNAL_FILE,
    LOCK_FILE,
    SESSION_FILE,
    chunk_folders,
    is_sealed,
    is_session,
)
from rushes.store.lock import Hold, hold
from rushes.store.manifest import list_segments, read_summary
from rushes.store.seal import let_go, seal

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
        damaged_bytes: Bytes in the middle that could not be read; the journals that hold them are kept.
    """

    path: Path
    chunks: int
    frames: int
    records: int
    cut_bytes: int
    damaged_bytes: int = 0


def recover(path: str | Path, *, patience_s: float = 1.0) -> Recovery:
    """Seal what a dead writer left open; a session at rest stays as it is.

    A folder in which a writer died at the very first write holds nothing; it is emptied, and nothing was found.

    Args:
        path: A session directory.
        patience_s: How long to wait for a process that is just ending: a recorder's others follow it within a second.

    Returns:
        What was found.

    Raises:
        MissingError: The path is no session.
        BusyError: The session is still being written.
        StorageError: The disk is full; nothing is lost by that.
        BadDataError: A journal is of another version; it stays as it is, and the rest of the session is recovered.
    """
    session = Path(path)
    if not is_session(session):
        if _is_begun(session):
            with _hold_soon(session, patience_s):
                partial_name(session / SESSION_FILE).unlink(missing_ok=True)
            return Recovery(session, 0, 0, 0, 0)
        raise MissingError(
            f"{session}, which is no session",
            accepts="a session directory",
            fix="name the folder that holds session.json",
        )
    with _hold_soon(session, patience_s):
        return _recover(session)


def _is_begun(session: Path) -> bool:
    """Say whether a folder holds the first half of a description and nothing else."""
    partial = partial_name(session / SESSION_FILE)
    return partial.is_file() and {p.name for p in session.iterdir()} <= {partial.name, LOCK_FILE}


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
    chunks = frames = records = cut = damaged = 0
    refused: BadDataError | None = None
    folders = chunk_folders(session)
    for chunk in folders:
        journal = chunk / JOURNAL_FILE
        if is_sealed(chunk):
            if journal.is_file():  # sealed, and killed before the journal went
                let_go(chunk, damaged="damaged_bytes" in read_summary(chunk))
        elif not journal.is_file():
            shutil.rmtree(chunk)  # made, and killed before anything was written
        else:
            try:
                found = _survey(journal)
            except BadDataError as error:
                refused = refused or error
                continue
            cut += found.cut_bytes
            if not found.records and not found.damaged_bytes:
                shutil.rmtree(chunk)
                continue
            later = next((c for c in folders if int(c.name) == int(chunk.name) + 1), None)
            summary = seal(chunk, killed=later is None or not _goes_on(later))
            records += found.records
            damaged += found.damaged_bytes
            frames += int(summary["counts"]["frames"])
            chunks += 1
    list_segments(session)
    if refused is not None:
        raise refused
    return Recovery(session, chunks, frames, records, cut, damaged)


def _survey(journal: Path) -> Recovery:
    """Read a journal through and count what it holds."""
    size, end, records, damaged = journal.stat().st_size, min(journal.stat().st_size, len(MAGIC)), 0, 0
    for record in read_journal(journal):
        end = record.end
        if record.kind == HOLE:
            damaged += record.text
        else:
            records += 1
    return Recovery(journal, 0, 0, records, size - end, damaged)


def _goes_on(chunk: Path) -> bool:
    """Say whether a chunk begins in the middle of the segment of the chunk before it, or with a damage that ends it."""
    if is_sealed(chunk):
        segments = read_summary(chunk)["segments"]
        return bool(segments) and not segments[0]["opens"]
    journal = chunk / JOURNAL_FILE
    try:
        first = next(read_journal(journal, BEGIN + HOLE), None) if journal.is_file() else None
    except BadDataError:  # told when it is its turn
        return False
    return first is not None and (first.kind == HOLE or not first.text[-1])


def discard_unfinished(path: str | Path) -> int:
    """Remove the chunks of episodes that a kill cut short, so that they can be played anew from their seeds.

    Only for sampled sessions, whose bytes follow from their seeds; a recording is never shortened.

    Args:
        path: A session directory.

    Returns:
        How many chunks were removed.

    Raises:
        BusyError: The session is still being written.
        BadDataError: A journal is of another version; nothing is removed.
    """
    with hold(Path(path)):
        return _discard(Path(path))


def _discard(session: Path) -> int:
    folders = chunk_folders(session)
    for chunk in folders:
        if not is_sealed(chunk) and (chunk / JOURNAL_FILE).is_file():
            next(read_journal(chunk / JOURNAL_FILE), None)  # refuses one of another version
    whole = next((k for k, chunk in enumerate(folders) if not _is_whole(chunk)), len(folders))
    for chunk in reversed(folders[whole:]):  # the numbers of what follows would not fit either
        (chunk / CHUNK_FILE).unlink(missing_ok=True)
        shutil.rmtree(chunk)
    for chunk in folders[:whole]:
        (chunk / JOURNAL_FILE).unlink(missing_ok=True)
    return len(folders) - whole


def _is_whole(chunk: Path) -> bool:
    summary = read_summary(chunk) if is_sealed(chunk) else {"segments": []}
    segments = summary["segments"]
    return bool(segments) and "damaged_bytes" not in summary and all(s["end_reason"] != KILLED for s in segments)
