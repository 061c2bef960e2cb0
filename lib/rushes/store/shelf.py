"""Films that a process has open, a handful of them, so that the next read need not open them again.

A decoder of 640 x 360 takes about 8 MB and a film of ten minutes 10 ms to open, so neither one a film nor one a read
will do. What was taken is the taker's alone until it is given back; a film that is wanted by two threads is opened
twice. The tables of films (`Contents`) are small and shared.

Example:
    >>> shelf = Shelf(most=2)
    >>> def first_picture(path):
    ...     with shelf.borrowed(path) as film:
    ...         return [film.pixels(picture).copy() for _, picture in film.pictures([0])][0]
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rushes.store.video_film import Contents, Film

KEPT: Final = 6
"""Films that stay open while nobody reads them."""
_TABLES: Final = 32
"""Tables of films that are kept, open or not: 16 bytes a picture at most."""

Stamp = tuple[Path, int, int, int]
"""Path, inode, size and time of change: another file in the same place has another one."""


def stamp(path: Path) -> Stamp:
    """Say which file stands at a path; zeros where none does."""
    try:
        about = path.stat()
    except OSError:
        return path, 0, 0, 0
    return path, about.st_ino, about.st_size, about.st_mtime_ns


class Shelf:
    """Open films of one process.

    Args:
        most: How many stay open while nobody reads them.
    """

    def __init__(self, *, most: int = KEPT) -> None:
        self._most, self._lock = most, threading.Lock()
        self._idle: list[tuple[Stamp, Film]] = []  # the one used last stands last
        self._contents: OrderedDict[Stamp, Contents] = OrderedDict()

    @contextmanager
    def borrowed(self, path: Path) -> Iterator[Film]:
        """Give a film to one thread; after an error it is closed and not kept.

        Raises:
            MissingError: No such file.
            BadDataError: No video, or damaged.
        """
        file = stamp(path)
        film = self._idle_one(file) or self._opened(file)
        try:
            yield film
        except BaseException:
            film.close()
            raise
        with self._lock:
            self._idle.append((file, film))
            over = [self._idle.pop(0) for _ in range(len(self._idle) - self._most)]
        for _, one in over:
            one.close()

    def _idle_one(self, file: Stamp) -> Film | None:
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == file:
                    return self._idle.pop(place)[1]
        return None

    def _opened(self, file: Stamp) -> Film:
        with self._lock:
            known = self._contents.get(file)
        film = Film(file[0], contents=known)
        with self._lock:
            self._contents[file] = film.contents
            self._contents.move_to_end(file)
            while len(self._contents) > _TABLES:
                self._contents.popitem(last=False)
        return film

    def known(self, path: Path) -> Contents | None:
        """Give the table of a film, where it was read before."""
        with self._lock:
            return self._contents.get(stamp(path))

    def contents(self, path: Path) -> Contents:
        """Give the table of a film, from the film where it is not known yet.

        Raises:
            MissingError: No such file.
            BadDataError: No video, or damaged.
        """
        known = self.known(path)
        if known is None:
            with self.borrowed(path) as film:
                known = film.contents
        return known

    def close(self) -> None:
        """Close all that nobody reads."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._contents.clear()
        for _, film in idle:
            film.close()

    def __repr__(self) -> str:
        return f"<Shelf: {len(self._idle)} films open, {len(self._contents)} known>"
