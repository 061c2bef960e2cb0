"""Sealing: the one way from a journal to a chunk, for a clean end and for a recovery alike.

A sealed chunk is complete in itself. Its chunk.json is written last and forced to the disk, so its presence means that
the chunk is whole; only then the journal goes. A seal that is cut half-way is done again from the journal. Packets of
a video are put into frames.mp4 as they are, nothing is encoded twice.

A journal in which something could not be read (`rushes.store.chunk`) stays beside the tables as `journal.damaged`.

Example (after a crash; `rushes.store.recover` does it for a whole session):
    >>> def finish(chunk):
    ...     return seal(chunk, killed=True)["counts"]
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from rushes.model.session import SessionInfo
from rushes.store.atomic import partial_name, replace_text, storage_errors, sync
from rushes.store.chunk import FRAME, Chunk, needs_others
from rushes.store.fingerprint import of_file
from rushes.store.journal import HOLE, read_journal
from rushes.store.layout import (
    AUDIO,
    CHUNK_FILE,
    CHUNK_SCHEMA,
    DAMAGED_JOURNAL,
    EVENTS,
    IMAGES,
    INDEX,
    JOURNAL_FILE,
    STEPS,
    TELEMETRY,
    VIDEO,
    is_sealed,
)
from rushes.store.manifest import read_description
from rushes.store.video_stream import mux

__all__ = ["FRAME", "let_go", "seal"]
_TABLES: Final = (IMAGES, VIDEO, INDEX, EVENTS, STEPS, TELEMETRY)


def _packets(journal: Path) -> Iterator[tuple[bytes, int, bool]]:
    """Give what `mux` takes: the packets of a chunk with their times; the first is always one that decodes alone."""
    is_torn = False
    for record in read_journal(journal, FRAME + HOLE):
        is_torn = record.kind == HOLE or (is_torn and needs_others(record))
        if is_torn:
            continue
        _, t_ns, codec, *_, key = record.text
        if codec:
            yield record.data, t_ns, bool(key)


def _write_video(folder: Path, codec: str) -> None:
    info = SessionInfo.from_json(read_description(folder.parents[1]))
    spec = info.stream("frames")
    assert spec is not None
    (folder / VIDEO).unlink(missing_ok=True)  # a remainder of a seal that was cut
    mux(
        folder / VIDEO,
        _packets(folder / JOURNAL_FILE),
        codec=codec,
        width=spec.width,
        height=spec.height,
        rate_hz=spec.rate_hz,
    )


def _remove_tables(folder: Path) -> None:
    """Remove what a seal had written when it failed: it would fill the disk for good, and the journal has it all."""
    for name in _TABLES:
        (folder / name).unlink(missing_ok=True)
    partial_name(folder / VIDEO).unlink(missing_ok=True)
    shutil.rmtree(folder / AUDIO, ignore_errors=True)


def let_go(folder: Path, *, damaged: bool) -> None:
    """Remove the journal of a sealed chunk; one in which something could not be read is kept under another name."""
    journal = folder / JOURNAL_FILE
    if damaged and journal.is_file():
        journal.replace(folder / DAMAGED_JOURNAL)
    journal.unlink(missing_ok=True)
    sync(folder)


def seal(folder: Path, *, killed: bool = False) -> dict[str, Any]:
    """Turn a chunk's journal into its tables and remove the journal, or put it aside where it is damaged.

    Args:
        folder: A chunk with a journal.
        killed: Whether its writer died, so that an open segment ends here.

    Returns:
        What chunk.json holds.

    Raises:
        StorageError: The disk is full; the journal stays alone and nothing is lost.
        BadDataError: The journal is of another version; it stays as it is.
    """
    with storage_errors(folder):
        try:
            summary = _seal(folder, killed=killed)
        except BaseException:
            if not is_sealed(folder):
                _remove_tables(folder)
            raise
        let_go(folder, damaged="damaged_bytes" in summary)
    return summary


def _seal(folder: Path, *, killed: bool) -> dict[str, Any]:
    with ExitStack() as stack:
        chunk = Chunk(folder, stack)
        for record in read_journal(folder / JOURNAL_FILE):
            chunk.take(record)
        chunk.finish(killed=killed)
    if chunk.video_codec:
        _write_video(folder, chunk.video_codec)
    files = [path for name in _TABLES if (path := folder / name).is_file()]
    files += sorted(p for p in (folder / AUDIO).glob("*") if p.is_file())
    for path in files:
        sync(path)
    summary = {
        "schema": CHUNK_SCHEMA,
        "number": int(folder.name),
        "first_frame": chunk.first_frame or 0,
        "counts": chunk.counts,
        "segments": chunk.segments,
        "held": chunk.held,
        "event_times_ns": chunk.event_times,
        "ledger": chunk.tally.close().to_json(),
        "files": {p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": of_file(p)} for p in files},
    }
    if chunk.damaged_bytes:
        summary["damaged_bytes"] = chunk.damaged_bytes
    replace_text(folder / CHUNK_FILE, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    return summary
