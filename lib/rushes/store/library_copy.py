"""Bringing a session into a library: as a copy whose every file is held against its hash, or as a link to where it is.

Example:
    >>> def keep(session, library):
    ...     copy_in(session, free_name(library / "sessions", session.name))
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError, MissingError, OccupiedError, StorageError
from rushes.store.atomic import new_folder
from rushes.store.layout import (
    CHUNK_FILE,
    CHUNKS,
    DAMAGED_JOURNAL,
    FACTS_FILE,
    SESSION_FILE,
    chunk_folders,
    is_sealed,
    is_session,
)
from rushes.store.library_look import SESSIONS
from rushes.store.lock import hold
from rushes.store.manifest import read_summary, summaries
from rushes.store.reader import Session

_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Added:
    """What became of a session that was to be added.

    Attributes:
        source: Where it was found.
        path: Where it lies in the library.
        is_new: Whether it was brought in; one that is there already, id and recording alike, is left as it is.
    """

    source: Path
    path: Path
    is_new: bool


def sessions_at(path: Path) -> list[Path]:
    """Find the sessions at a path: itself, those in it, and those of its folder `sessions`.

    Raises:
        MissingError: There is none.
    """
    if is_session(path):
        return [path]
    roots = (path, path / SESSIONS)
    found = sorted(p for root in roots if root.is_dir() for p in root.iterdir() if p.name[0] != "." and is_session(p))
    if not found:
        raise MissingError(
            f"{path}, which holds no session",
            accepts="a session, a folder of sessions, or a library",
            fix="`rushes info PATH` says what a path is; `rushes convert PATH FOLDER --format session` makes sessions "
            "of what can be read",
        )
    return found


def bring_in(source: Path, home: Path, there: dict[str, Path], *, link: bool = False) -> Added:
    """Copy or link a session into a library that does not have it.

    Args:
        source: The session.
        home: The folder for it.
        there: Id -> place of the sessions that the library has; the new one is put in.
        link: Whether to make a link in place of a copy.

    Raises:
        OccupiedError: The library has another recording under the same id.
        BadDataError: It cannot be read, a file is not what was recorded, or the recording did not come to its end.
        BusyError: It is being written.
        StorageError: The disk is full or the folder cannot be written.
    """
    found = Session(source).info.id
    if found in there:
        if _hashes(there[found]) == _hashes(source):
            return Added(source, there[found], is_new=False)
        raise OccupiedError(
            f"{source}: its id {found} is that of {there[found]}, which holds another recording",
            accepts="sessions with ids of their own",
            fix="record or sample it anew under another name or seed, or keep it in a library of its own",
        )
    target = free_name(home, source.resolve().name)
    (link_in if link else copy_in)(source, target)
    there[found] = target
    return Added(source, target, is_new=True)


def free_name(folder: Path, name: str) -> Path:
    """Give a path where nothing is yet: `take`, `take-2` ..."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(path for path in (folder / one for one in names) if not os.path.lexists(path))


def copy_in(session: Path, target: Path) -> None:
    """Copy a session at rest, whole or not at all.

    Args:
        session: Its directory.
        target: A new path.

    Raises:
        BusyError: It is being written.
        BadDataError: A file of it is missing or is not what was recorded, or its writer died.
        StorageError: The disk is full or the folder cannot be written.
    """
    with hold(session), new_folder(target) as partial:
        for folder in chunk_folders(session):
            if not is_sealed(folder):
                raise BadDataError(
                    f"{folder}, a chunk that is not finished,",
                    accepts="a session whose recording has come to its end",
                    fix=f"run `rushes recover {session}` first, or add it with --link",
                )
            _copy_chunk(folder, partial / CHUNKS / folder.name)
        for name in (FACTS_FILE, SESSION_FILE):  # the last makes it a session
            if (session / name).is_file():
                shutil.copyfile(session / name, partial / name)


def link_in(session: Path, target: Path) -> None:
    """Let a library show a session that stays where it is.

    Args:
        session: Its directory.
        target: A new path; becomes a symbolic link, the one place where the reference stands.

    Raises:
        StorageError: This system or this folder takes no symbolic links.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(session.resolve(), target_is_directory=True)
    except OSError as error:
        raise StorageError(
            f"{target}: a link cannot be made here ({error.strerror})",
            accepts="a folder that you may write to, on a system that lets you make symbolic links",
            fix="leave out --link: the session is then copied",
        ) from error


def _copy_chunk(folder: Path, target: Path) -> None:
    """Copy what chunk.json lists, and the chunk.json last."""
    stated = read_summary(folder)["files"]
    target.mkdir(parents=True)
    for name, said in stated.items():
        (target / name).parent.mkdir(exist_ok=True)
        if not (folder / name).is_file():
            raise _not_whole(folder / name, "is missing")
        if _copy_file(folder / name, target / name) != said["sha256"]:
            raise _not_whole(folder / name, "was changed after it was written")
    for name in (DAMAGED_JOURNAL, CHUNK_FILE):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)


def _copy_file(source: Path, target: Path) -> str:
    """Copy a file in small pieces and give its SHA-256."""
    total = hashlib.sha256()
    with source.open("rb") as old, target.open("xb") as new:
        while block := old.read(_BLOCK):
            total.update(block)
            new.write(block)
    return total.hexdigest()


def _not_whole(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path}, which {what},",
        accepts="a session whose files are those that were recorded",
        fix="restore it from a copy, or add it with --link and look at it with `rushes qa`",
    )


def _hashes(session: Path) -> list[dict[str, Any]]:
    """Give what the chunks of a session say of their files; alike for copies of one recording."""
    return [summary["files"] for summary in summaries(session)]
