"""The library: what is in a folder of sessions, known at once, whatever their number.

A library is a folder with sessions in it, or with a folder `sessions/` that holds them. Beside them stands `rushes.db`,
an SQLite file with one row a session. It is a memory and never the only copy of anything: what people say about a
session lies in the session (`store.facts`), so the file may be deleted at any time. Every question first looks which
folders are new, changed or gone, by a few sizes and times, and reads only those.

    library = Library("data")
    library.entries(game="Doom", tag="tutorial")     # what a data set needs, without opening a session
    library.add("elsewhere/take_7")                  # copied in, every file held against its hash
    library.tag(["take_7"], add=["boss"])            # a side fact of the session
    library.verify()                                 # the hash of every file

Example:
    >>> import tempfile
    >>> library = Library(tempfile.mkdtemp())
    >>> library.items(), library.entries()
    ([], [])
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rushes.errors import BadInputError, BadNameError, MissingError, StorageError, near
from rushes.model.findings import Problem
from rushes.store.choose import games_named, listed, tags_named, verdicts_named
from rushes.store.entry import Entry
from rushes.store.integrity import check_files
from rushes.store.layout import is_session
from rushes.store.library_copy import Added, bring_in, sessions_at
from rushes.store.library_item import Item
from rushes.store.library_look import SESSIONS, Looked, Progress, look, places
from rushes.store.library_table import LibraryTable
from rushes.store.tags import check_tags, retag

LIBRARY_FILE: Final = "rushes.db"
ADD_WAIT_S: Final = 600.0
"""How long an addition waits for another one, whose copy may be large."""
THREADS: Final = 4
"""On which files are hashed."""
WHOLE, DAMAGED = "whole", "damaged"


@dataclass(frozen=True)
class Checked:
    """What a look at every file of a session found.

    Attributes:
        item: The session.
        problems: What is missing, changed or unfinished; none where it is whole.
    """

    item: Item
    problems: tuple[Problem, ...]

    @property
    def state(self) -> str:
        """`whole` or `damaged`."""
        return DAMAGED if self.problems else WHOLE


class Library:
    """The sessions of a folder.

    Args:
        root: The folder.

    Attributes:
        root: The folder.
        looked: What the last look at the folders found.

    Raises:
        MissingError: There is no such folder.
        BadInputError: It is itself a session.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise MissingError(
                f"{self.root}: no such folder",
                accepts="a folder with sessions in it, or with a folder sessions/",
                fix="check the path; `rushes library add FOLDER SESSION` makes a new library",
            )
        if is_session(self.root):
            raise BadInputError(
                f"{self.root}, which is a session",
                accepts="a folder with sessions in it",
                fix=f"name the folder that holds it: {self.root.parent}",
            )
        self._table = LibraryTable(self.root / LIBRARY_FILE)
        self.looked = Looked()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What had to be done about the table, as sentences; nothing where all is well."""
        return tuple(self._table.remarks)

    def items(self, *, progress: Progress | None = None) -> list[Item]:
        """List all sessions as they lie there now, those with a `problem` included.

        Args:
            progress: Called for each session that has to be read.

        Returns:
            One row a session, sorted by place. What had to be read stands in `looked`.

        Raises:
            BusyError: Another process has been writing the table for half a minute.
        """
        items, self.looked = look(self.root, self._table, progress)
        return items

    def entries(
        self,
        *,
        game: str | Sequence[str] | None = None,
        tag: str | Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[Entry]:
        """Give what data sets need to know of each session that can be read.

        Args:
            game: Only these games, exact names in any case; none means all.
            tag: Only sessions with all of these tags.
            progress: Called for each session that has to be read.

        Returns:
            One entry a session, sorted by place; `items` says which have a problem.

        Raises:
            BadNameError: A game or tag that no session has; the message lists those that are there.
        """
        return [item.entry for item in self.find(game=game, tag=tag, progress=progress) if not item.problem]

    def find(
        self,
        text: str = "",
        *,
        game: str | Sequence[str] | None = None,
        tag: str | Sequence[str] | None = None,
        verdict: str | Sequence[str] | None = None,
        min_duration_s: float = 0.0,
        progress: Progress | None = None,
    ) -> list[Item]:
        """List the sessions that fit.

        Args:
            text: Stands in the id, the folder, the game, a tag or a note, in any case.
            game: One of these games, exact names in any case.
            tag: All of these tags.
            verdict: One of these verdicts; `""` finds those that nobody judged.
            min_duration_s: Seconds that it lasts at least.
            progress: Called for each session that has to be read.

        Returns:
            The rows that fit everything asked for, sorted by place.

        Raises:
            BadNameError: A game or tag that no session has, or a verdict that there is not.
        """
        items = self.items(progress=progress)
        games = games_named(game, {item.game for item in items if not item.problem}) if listed(game) else None
        tags = tags_named(tag, {name for item in items for name in item.tags})
        verdicts = None if verdict is None else verdicts_named(verdict, {item.verdict for item in items})
        return [
            item
            for item in items
            if (games is None or item.game in games)
            and tags <= set(item.tags)
            and (verdicts is None or item.verdict in verdicts)
            and item.duration_s >= min_duration_s
            and text.casefold() in "\n".join((item.id, item.place, item.game, *item.tags, *item.notes)).casefold()
        ]

    def add(self, path: str | Path, *, link: bool = False, progress: Progress | None = None) -> list[Added]:
        """Bring sessions in from elsewhere; nothing is ever overwritten and the source is left as it is.

        Args:
            path: A session, a folder of sessions, or another library.
            link: Make a symbolic link to each in place of a copy. The library then needs the session where it is, and
                side facts are written there.
            progress: Called for each session.

        Returns:
            What became of each session that was found.

        Raises:
            MissingError: No session is there.
            OccupiedError: The library has another recording under the same id.
            BadDataError: A file is not what was recorded, or the recording did not come to its end.
            BusyError: It is being written.
            StorageError: The disk is full or the folder cannot be written.
        """
        sources = sessions_at(Path(path))
        with self._table.turn(wait_s=ADD_WAIT_S):
            there = {item.id: item.path for item in self.items() if not item.problem}
            added = []
            for number, source in enumerate(sources):
                if progress:
                    progress(number, len(sources), f"sessions added, {source.name}")
                added.append(bring_in(source, self._home(), there, link=link))
            if progress:
                progress(len(sources), len(sources), "sessions added")
            self.items()
        return added

    def tag(
        self,
        sessions: str | Sequence[str],
        *,
        add: str | Sequence[str] = (),
        remove: str | Sequence[str] = (),
        author: str = "library",
    ) -> list[Item]:
        """Put tags on sessions and take them off, as side facts that every copy of the session carries.

        Args:
            sessions: Ids, or names of their folders.
            add: Tags to put on; one that is there already stays once.
            remove: Tags to take off.
            author: Who says so.

        Returns:
            The rows of these sessions as they are now.

        Raises:
            BadNameError: A session that is not in the library.
            BadInputError: A tag without a letter, or one to add and to remove at once.
            BusyError: Somebody else is writing side facts of it at this moment.
        """
        wanted, unwanted = ({name.strip() for name in listed(names)} for names in (add, remove))
        check_tags(wanted, unwanted)
        with self._table.turn():
            named = [item.place for item in self._named(sessions)] if listed(sessions) else []
            for place in named:
                retag(self.root / place, add=wanted, remove=unwanted, author=author)
        return [item for item in self.items() if item.place in named]

    def verify(self, sessions: str | Sequence[str] = (), *, progress: Progress | None = None) -> list[Checked]:
        """Hold every file against the hash that was taken when it was written, and remember the outcome.

        Args:
            sessions: Ids, or names of folders; none means all.
            progress: Called for each session.

        Returns:
            What was found, a session each, sorted by place.

        Raises:
            BadNameError: A session that is not in the library.
        """
        items, found = self._named(sessions), []
        with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
            for number, problems in enumerate(pool.map(check_files, [item.path for item in items])):
                checked, now = Checked(items[number], problems), datetime.now(UTC).isoformat(timespec="seconds")
                try:
                    self._table.note_check(items[number], checked.state, at=now)
                except StorageError as error:
                    self._table.remark(str(error))
                found.append(replace(checked, item=replace(items[number], checked=checked.state, checked_at=now)))
                if progress:
                    progress(number + 1, len(items), "sessions checked")
        return found

    def rebuild(self, *, progress: Progress | None = None) -> list[Item]:
        """Read every session anew and write the table from the folders alone.

        What `verify` found is forgotten: it stands nowhere else.

        Args:
            progress: Called for each session.

        Returns:
            The rows, as `items` gives them.
        """
        self._table.clear()
        return self.items(progress=progress)

    def _named(self, sessions: str | Sequence[str]) -> list[Item]:
        items = self.items()
        if not (names := listed(sessions)):
            return items
        known = {key: None for item in items for key in (item.id, item.path.name)}
        for name in names:
            if name not in known:
                raise BadNameError(
                    f"session {name!r}",
                    accepts="the id of a session of the library, or the name of its folder",
                    fix=near(name, known) or f"`rushes library list {self.root}` lists them",
                )
        return [item for item in items if {item.id, item.path.name} & set(names)]

    def _home(self) -> Path:
        """Say where new sessions go: beside those that lie in the root itself, else into its folder `sessions`."""
        return self.root if any("/" not in place for place in places(self.root)) else self.root / SESSIONS

    def __reduce__(self) -> tuple[type[Library], tuple[Path]]:
        return Library, (self.root,)

    def __repr__(self) -> str:
        return f"<Library {self.root}>"
