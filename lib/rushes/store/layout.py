"""Names on the disk: what lies where in a session directory. `docs/architecture.md` shows the whole tree.

Example:
    >>> chunk_folder(Path("session"), 12).as_posix()
    'session/chunks/0012'
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

SESSION_FILE: Final = "session.json"
CHUNK_FILE: Final = "chunk.json"
FACTS_FILE: Final = "facts.jsonl"
JOURNAL_FILE: Final = "journal.bin"
DAMAGED_JOURNAL: Final = "journal.damaged"
"""The journal of a chunk in which something could not be read, kept beside its tables."""
LOCK_FILE: Final = ".session.json.lock"
"""On Windows alone, and only while a session is held; no part of it."""
CHUNKS: Final = "chunks"
IMAGES, INDEX, EVENTS, STEPS, TELEMETRY = (
    f"{name}.parquet" for name in ("images", "index", "events", "steps", "telemetry")
)
VIDEO: Final = "frames.mp4"
AUDIO: Final = "audio"
"""Folder of a chunk's sound: `NAME.flac` and its index `NAME.parquet`."""
CHUNK_SCHEMA: Final = "rushes/chunk/1"
"""Schema name and version in chunk.json."""
_NUMBER: Final = re.compile(r"\d+")


def chunk_folder(session: Path, number: int) -> Path:
    """Return the folder of a chunk; numbers are 1-based and never padded away beyond four digits."""
    return session / CHUNKS / f"{number:04d}"


def chunk_folders(session: Path) -> list[Path]:
    """List the chunk folders of a session in the order of their numbers, whatever order the disk gives."""
    root = session / CHUNKS
    if not root.is_dir():
        return []
    found = (p for p in root.iterdir() if p.is_dir() and _NUMBER.fullmatch(p.name))
    return sorted(found, key=lambda p: int(p.name))


def is_session(path: Path) -> bool:
    """Say whether a folder is a session of ours."""
    return (path / SESSION_FILE).is_file()


def is_sealed(chunk: Path) -> bool:
    """Say whether a chunk is whole: its chunk.json was written last."""
    return (chunk / CHUNK_FILE).is_file()
