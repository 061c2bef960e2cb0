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


class Shelf:
    """Open films of one process.

    Args:
        most: How many stay open while nobody reads them.
    """

    def __init__(self, *, most: int = KEPT) -> None:
        self._most, self._lock = most, threading.Lock()
        self._idle: list[Film] = []  # the one used last stands last
        self._contents: OrderedDict[Path, Contents] = OrderedDict()

    @contextmanager
    def borrowed(self, path: Path) -> Iterator[Film]:
        """Give a film to one thread; after an error it is closed and not kept.

        Raises:
            MissingError: No such file.
            BadDataError: No video, or damaged.
        """
        film = self._take(path)
        try:
            yield film
        except BaseException:
            film.close()
            raise
        with self._lock:
            self._idle.append(film)
            over = [self._idle.pop(0) for _ in range(len(self._idle) - self._most)]
        for one in over:
            one.close()

    def _take(self, path: Path) -> Film:
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place].path == path:
                    return self._idle.pop(place)
            known = self._contents.get(path)
        film = Film(path, contents=known)
        self._keep(path, film.contents)
        return film

    def contents(self, path: Path) -> Contents:
        """Give the table of a film, from the film where it is not known yet.

        Raises:
            MissingError: No such file.
            BadDataError: No video, or damaged.
        """
        with self._lock:
            known = self._contents.get(path)
        if known is None:
            with self.borrowed(path) as film:
                known = film.contents
        self._keep(path, known)
        return known

    def _keep(self, path: Path, contents: Contents) -> None:
        with self._lock:
            self._contents[path] = contents
            self._contents.move_to_end(path)
            while len(self._contents) > _TABLES:
                self._contents.popitem(last=False)

    def close(self) -> None:
        """Close all that nobody reads."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._contents.clear()
        for film in idle:
            film.close()

    def __repr__(self) -> str:
        return f"<Shelf: {len(self._idle)} films open, {len(self._contents)} known>"
