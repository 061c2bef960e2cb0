"""Whether the files of a session are those that were recorded: every one there, every hash as its chunk.json has it.

Example:
    >>> def is_whole(session):
    ...     return not check_files(session)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rushes.errors import RushesError
from rushes.model.findings import Problem
from rushes.store.fingerprint import of_file
from rushes.store.layout import chunk_folders, is_sealed
from rushes.store.manifest import read_description, read_summary


def check_files(session: Path) -> tuple[Problem, ...]:
    """Hold every file of a session against the hash that was taken when it was written; memory stays small.

    Args:
        session: Its directory.

    Returns:
        What is `missing`, `changed`, `unfinished` or `unreadable`; nothing where it is whole.
    """
    return tuple(_problems(session))


def _problems(session: Path) -> Iterator[Problem]:
    try:
        read_description(session)
    except (RushesError, OSError) as error:
        yield Problem("unreadable", str(session), 1, str(error))
    folders = chunk_folders(session)
    numbers = {int(folder.name) for folder in folders}
    for number in sorted(set(range(1, max(numbers, default=0))) - numbers):
        yield Problem("missing", f"{session}, chunk {number}", 1, "a whole chunk is missing; restore it from a copy")
    for folder in folders:
        if not is_sealed(folder):
            yield Problem(
                "unfinished",
                str(folder),
                1,
                "a chunk without its chunk.json: it is being written, or `rushes recover` brings it back",
            )
            continue
        try:
            stated = read_summary(folder)["files"]
            for name, said in stated.items():
                yield from _file(folder / name, said["bytes"], said["sha256"])
        except (RushesError, OSError, KeyError, TypeError, AttributeError) as error:
            yield Problem("unreadable", str(folder), 1, f"{error}; restore it from a copy")


def _file(path: Path, size: int, sha256: str) -> Iterator[Problem]:
    if not path.is_file():
        yield Problem("missing", str(path), 1, "the file is missing; restore it from a copy")
    elif path.stat().st_size != size or of_file(path) != sha256:
        yield Problem("changed", str(path), 1, "changed after it was written; restore it from a copy")
