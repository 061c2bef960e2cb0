"""The table of a library: an SQLite file that remembers what its folders hold, and is never the only copy of it.

A damaged file, and one of another version, is put aside as `rushes.db.old` and written anew. Each call opens the file
and closes it, so nothing crosses a fork; writers wait for each other.

Example:
    >>> import tempfile
    >>> table = LibraryTable(Path(tempfile.mkdtemp()) / "rushes.db")
    >>> table.store([Item("sessions/take", "stamp", "take_1", "Doom")], gone=[])
    >>> table.read()["sessions/take"].game
    'Doom'
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

from rushes.errors import BusyError, StorageError
from rushes.store.library_item import Item, recorded_stamp
from rushes.store.lock import hold

APPLICATION: Final = 0x52555348
"""`application_id` of the file: RUSH."""
VERSION: Final = 1
"""`user_version`: of the columns below."""
WAIT_S: Final = 30.0
"""How long a writer waits for another one."""
_BESIDE: Final = ("-journal", "-wal", "-shm")
"""What SQLite may leave beside its file."""
_ELSEWHERE: Final = ("checked", "checked_at", "root")
_COLUMNS: Final = tuple(f.name for f in fields(Item) if f.name not in _ELSEWHERE)
_JSON: Final = {"inputs": dict, "sounds": tuple, "tags": tuple, "notes": tuple}
_TYPES: Final = {"duration_s": "REAL", "rate_hz": "REAL"} | dict.fromkeys(
    ("frames", "dropped", "height", "width", "size_bytes", "unfinished"), "INTEGER"
)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS sessions ("
    + ", ".join(f"{name} {_TYPES.get(name, 'TEXT')} NOT NULL" for name in _COLUMNS)
    + ", PRIMARY KEY (place))",
    "CREATE TABLE IF NOT EXISTS checks (place TEXT PRIMARY KEY, recorded TEXT, state TEXT, time TEXT)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

_ASK_S: Final = 0.05
"""Between two tries to have a folder for oneself."""
T = TypeVar("T")


class _OtherError(Exception):
    """The file is an SQLite file, but not one of this version."""


class LibraryTable:
    """The rows of one library.

    Args:
        path: Its file; made when the first row is stored.

    Attributes:
        remarks: What had to be done about the file, as sentences.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.remarks: list[str] = []
        self._mine, self._turns = threading.RLock(), 0

    def remark(self, sentence: str) -> None:
        """Note what has to be known of the file, once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def read(self) -> dict[str, Item]:
        """Read all rows.

        Returns:
            Place -> row, sorted by place; none where there is no file yet, or where it cannot be opened.

        Raises:
            BusyError: Another process has been writing for half a minute.
        """
        return self._do(_read) if self.path.exists() else {}

    def store(self, items: Iterable[Item], gone: Iterable[str]) -> None:
        """Put rows in and take others out, all or nothing.

        Args:
            items: What to put in place of what stands there.
            gone: Places to take out.

        Raises:
            BusyError: Another process has been writing for half a minute.
            StorageError: The disk is full or the folder cannot be written.
        """
        rows, places = [_row(item) for item in items], [(place,) for place in gone]
        if not rows and not places:
            return
        marks = ", ".join("?" * len(_COLUMNS))

        def put(connection: sqlite3.Connection) -> None:
            connection.executemany(f"INSERT OR REPLACE INTO sessions ({', '.join(_COLUMNS)}) VALUES ({marks})", rows)  # noqa: S608 - names of columns
            connection.executemany("DELETE FROM sessions WHERE place = ?", places)
            connection.executemany("DELETE FROM checks WHERE place = ?", places)

        self._do(put, writes=True)

    def note_check(self, item: Item, state: str, *, at: str) -> None:
        """Remember what a look at every file of a session found; see `store`."""
        row = (item.place, recorded_stamp(item.stamp), state, at)

        def put(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?)", row)

        self._do(put, writes=True)

    def clear(self) -> None:
        """Forget all rows; see `store`."""

        def forget(connection: sqlite3.Connection) -> None:
            for table in ("sessions", "checks"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours

        self._do(forget, writes=True)

    @contextmanager
    def turn(self, *, wait_s: float = WAIT_S) -> Iterator[None]:
        """Wait until nobody else changes the library, and keep others from it while the block runs.

        Reading and storing rows need no turn. Within one, the same thread may take another.

        Args:
            wait_s: How long to wait for another process.

        Raises:
            BusyError: Another process still holds it.
        """
        end = time.monotonic() + wait_s
        with self._mine, ExitStack() as stack:
            while not self._turns:
                try:
                    stack.enter_context(hold(self.path.parent))
                    break
                except BusyError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(_ASK_S)
            self._turns += 1
            try:
                yield
            finally:
                self._turns -= 1

    def put_aside(self, why: str) -> None:
        """Rename the file, unless another process has done so already and there is a good one."""
        with self.turn():
            if not self.path.exists() or self._is_good():
                return
            old = self.path.with_name(f"{self.path.name}.old")
            try:
                for ending in _BESIDE:  # a new file would take them for its own
                    self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
                self.path.replace(old)
            except OSError as error:
                raise _no_place(self.path, error) from error
        self.remark(f"{self.path.name} ({why}) was put aside as {old.name}; what it held is read anew from the folders")

    def _is_good(self) -> bool:
        try:
            with self._open() as connection:
                _read(connection)
                return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
        except (sqlite3.DatabaseError, _OtherError, ValueError):
            return False

    def _do(self, work: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        """Do something in one transaction; once more with a new file where the old one is no good."""
        try:
            return self._once(work, writes=writes)
        except _OtherError as error:
            self.put_aside(str(error))
        try:
            return self._once(work, writes=writes)
        except _OtherError as error:
            raise _no_place(self.path, error) from error

    def _once(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        try:
            with self._open(writes=writes) as connection:
                return work(connection)
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):  # a table or column of ours that is not there
                raise self._said(error) from error
            raise _OtherError(str(error)) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            raise _OtherError(str(error)) from error

    @contextmanager
    def _open(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)) as connection:
            marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
            is_new = marks == [0, 0] and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if marks != [APPLICATION, VERSION] and not is_new:
                raise _OtherError(f"of another version or another program: {marks[0]:#x}, {marks[1]}")
            connection.execute("BEGIN IMMEDIATE" if is_new or writes else "BEGIN")
            if is_new:
                for line in _SCHEMA:
                    connection.execute(line)
            yield connection
            connection.execute("COMMIT")

    def _said(self, error: sqlite3.OperationalError) -> Exception:
        if "locked" in str(error) or "busy" in str(error):
            return BusyError(
                f"{self.path}, which another process has been writing for {WAIT_S:g} s,",
                accepts="a table that is free",
                fix="wait until that process ends, or stop it",
            )
        return _no_place(self.path, error)


def _no_place(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"{path}: the table of the library cannot be written ({error})",
        accepts="a folder that you may write to, with room for it",
        fix="free some space, or ask for the right to write there; until then what changed is read anew each time",
    )


def _row(item: Item) -> tuple[Any, ...]:
    values = ((name, getattr(item, name)) for name in _COLUMNS)
    return tuple(json.dumps(v, ensure_ascii=False) if name in _JSON else v for name, v in values)


def _read(connection: sqlite3.Connection) -> dict[str, Item]:
    checks = {place: rest for place, *rest in connection.execute("SELECT place, recorded, state, time FROM checks")}
    found = {}
    for row in connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM sessions ORDER BY place"):  # noqa: S608 - columns
        values = dict(zip(_COLUMNS, row, strict=True))
        values |= {name: kind(json.loads(values[name])) for name, kind in _JSON.items()}
        recorded, state, at = checks.get(values["place"], ("", "", ""))
        if recorded == recorded_stamp(values["stamp"]):
            values |= {"checked": state, "checked_at": at}
        found[values["place"]] = Item(**values)
    return found
