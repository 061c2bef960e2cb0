"""A look at the folders of a library: which sessions are new, changed or gone since the table was written.

To look opens no session that is known; one that is new or changed is read, and its row stored. A table that cannot be
read or written hides nothing: the sessions are then read anew each time, and a remark says so.

Example:
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> look(root, LibraryTable(root / "rushes.db"))
    ([], Looked(new=0, changed=0, gone=0, sessions=0))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rushes.errors import StorageError
from rushes.store.layout import SESSION_FILE
from rushes.store.library_item import Item, examine, recorded_stamp, stamp_of
from rushes.store.library_table import LibraryTable

SESSIONS: Final = "sessions"
"""Folder of a library that holds its sessions, where they do not lie in it directly."""
Progress = Callable[[int, int, str], None]
"""Called with (done, total, what)."""
_BATCH: Final = 32
"""Sessions that are read before their rows are stored: a first look that is interrupted has not been for nothing."""


@dataclass(frozen=True)
class Looked:
    """What a look found.

    Attributes:
        new: Sessions that were not known.
        changed: Sessions that were read anew.
        gone: Sessions that are no longer there.
        sessions: Sessions that are there.
    """

    new: int = 0
    changed: int = 0
    gone: int = 0
    sessions: int = 0


def look(root: Path, table: LibraryTable, progress: Progress | None = None) -> tuple[list[Item], Looked]:
    """List all sessions as they lie there now, and bring the table up to that.

    Args:
        root: The library.
        table: Its table.
        progress: Called for each session that has to be read.

    Returns:
        One row a session, sorted by place, those with a problem included; and what was new to the table.

    Raises:
        BusyError: Another process has been writing the table for half a minute.
    """
    known: dict[str, Item] = {}
    try:
        known = table.read()  # before the folders: what is not there then is gone
    except StorageError as error:
        table.remark(str(error))
    stands = {place: stamp_of(root / place) for place in places(root)}
    stale = [place for place, stamp in stands.items() if place not in known or known[place].stamp != stamp]
    gone = [place for place in known if place not in stands]
    fresh: dict[str, Item] = {}
    for first in range(0, len(stale), _BATCH):
        batch = stale[first : first + _BATCH]
        for number, place in enumerate(batch, first):
            fresh[place] = _still_checked(examine(root / place, place, stands[place]), known.get(place))
            if progress:
                progress(number + 1, len(stale), "sessions read")
        _store(table, [fresh[place] for place in batch], ())
    _store(table, (), gone)
    new = sum(place not in known for place in stale)
    merged = known | fresh
    items = told_apart(replace(merged[place], root=root) for place in stands)
    return list(items), Looked(new, len(stale) - new, len(gone), len(stands))


def places(root: Path) -> Iterator[str]:
    """Name the folders of a library's sessions, relative to it, sorted; links that lead nowhere among them."""
    for above in ("", f"{SESSIONS}/"):
        try:
            with os.scandir(root / above) as found:
                names = sorted(entry.name for entry in found if not entry.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            path = root / above / name
            if (path / SESSION_FILE).is_file() or (path.is_symlink() and not path.exists()):
                yield above + name


def told_apart(items: Iterable[Item]) -> Iterator[Item]:
    """Say of a session whose id stood before that it is a copy: data sets tell sessions apart by their ids."""
    first: dict[str, Item] = {}
    for item in items:
        other = item if item.problem else first.setdefault(item.id, item)
        if other is item:
            yield item
        else:
            yield replace(item, problem=f"{item.path}: its id {item.id} is that of {other.path}; keep one of them")


def _still_checked(item: Item, before: Item | None) -> Item:
    """Keep what `verify` found where only side facts changed."""
    if before is None or recorded_stamp(before.stamp) != recorded_stamp(item.stamp):
        return item
    return replace(item, checked=before.checked, checked_at=before.checked_at)


def _store(table: LibraryTable, items: Sequence[Item], gone: Sequence[str]) -> None:
    try:
        table.store(items, gone)
    except StorageError as error:
        table.remark(str(error))
