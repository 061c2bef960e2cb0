"""The tables of `data/gameon.db`, and the one way in which somebody's database is opened: nothing in it changes.

The tables stand here in the order of their columns at 907d615, for the exporters of the original take rows by
position. Reading goes by name: a database of an earlier version lacks some columns (14 of `sessions` at first, 9 of
`input_events`), and one that its migration tool began has two.

```
sessions          one row a recording
input_events      one row an event; timestamp_ms since the recorder's input began, latency_offset_ms added
action_codes      number of each (device, name); input_events.action_code is its id
frame_timestamps  one row a frame, and one for each that was dropped; the original has the table and fills it never
session_health    measured while recording; likewise
```

Beside them stand, where the database is ours and not strict, `rushes_sessions`, `rushes_frames` and `rushes_events`:
times in ns, and what the columns above have no place for. The original's classes never look at them.

Example:
    >>> TABLES["sessions"][:3], len(TABLES["sessions"])
    (('id', 'game_name', 'start_time'), 19)
    >>> connection = sqlite3.connect(":memory:")
    >>> create_tables(connection, own=True)
    >>> [row[1] for row in connection.execute("PRAGMA table_info(input_events)")][-1]
    'action_code'
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from rushes.errors import BadDataError

_SESSION: Final = "session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE"
_KEY: Final = "id INTEGER PRIMARY KEY AUTOINCREMENT"

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sessions": (
            _KEY, "game_name TEXT NOT NULL", "start_time TIMESTAMP NOT NULL", "end_time TIMESTAMP",
            "duration_seconds INTEGER", "video_path TEXT", "system_audio_path TEXT", "microphone_audio_path TEXT",
            "input_type TEXT", "fps INTEGER DEFAULT 60", "latency_offset_ms INTEGER DEFAULT 0",
            "status TEXT DEFAULT 'recording'", "monitor_index INTEGER DEFAULT 0", "notes TEXT", "video_width INTEGER",
            "video_height INTEGER", "video_codec TEXT", "total_frames INTEGER", "file_size_bytes INTEGER",
        ),
        "action_codes": (
            _KEY, "input_device TEXT NOT NULL", "raw_input TEXT NOT NULL", "encoded_value INTEGER NOT NULL",
            "description TEXT", "category TEXT", "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        ),
        "input_events": (
            _KEY, _SESSION, "timestamp_ms INTEGER NOT NULL", "input_device TEXT", "button_key TEXT", "action TEXT",
            "value REAL", "x_position REAL", "y_position REAL", "action_code INTEGER REFERENCES action_codes(id)",
        ),
        "frame_timestamps": (
            _KEY, _SESSION, "frame_number INTEGER NOT NULL", "capture_timestamp_ms INTEGER NOT NULL",
            "write_timestamp_ms INTEGER", "dropped BOOLEAN DEFAULT 0",
        ),
        "session_health": (
            _KEY, _SESSION, "check_time TIMESTAMP NOT NULL", "disk_space_gb REAL", "cpu_percent REAL", "memory_mb REAL",
            "frames_captured INTEGER", "frames_dropped INTEGER",
        ),
    }
)  # fmt: skip
_OWN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "rushes_sessions": ("session_id INTEGER PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE", "about TEXT"),
        "rushes_frames": (
            "frame_id INTEGER PRIMARY KEY REFERENCES frame_timestamps(id) ON DELETE CASCADE", "t_ns INTEGER NOT NULL",
            "tick INTEGER NOT NULL", "duplicate INTEGER NOT NULL", "late INTEGER NOT NULL",
            "dropped_before INTEGER NOT NULL",
        ),
        "rushes_events": (
            "event_id INTEGER PRIMARY KEY REFERENCES input_events(id) ON DELETE CASCADE", "t_ns INTEGER NOT NULL",
            "device TEXT NOT NULL", "control TEXT NOT NULL", "kind TEXT NOT NULL", "value REAL", "x REAL", "y REAL",
            "dx REAL", "dy REAL", "flag TEXT NOT NULL",
        ),
    }
)  # fmt: skip
_UNIQUE: Final = {"action_codes": ("UNIQUE (input_device, raw_input)",)}
_INDEXES: Final = {
    "idx_game_name": "sessions(game_name)",
    "idx_start_time": "sessions(start_time)",
    "idx_status": "sessions(status)",
    "idx_session_events": "input_events(session_id, timestamp_ms)",
    "idx_timestamp": "input_events(timestamp_ms)",
    "idx_frame_timing": "frame_timestamps(session_id, frame_number)",
}

TABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {name: tuple(column.split()[0] for column in columns) for name, columns in {**_COLUMNS, **_OWN}.items()}
)
"""Columns of each table in their order."""

_MAGIC: Final = b"SQLite format 3\0"
_LOG_BYTE: Final = 18
"""Where a file says whether it has a write-ahead log: 2. Source: SQLite, Database File Format, 1.3.3."""
NAMES: Final = ("gameon.db", "data/gameon.db")
"""Where a database lies in a folder."""

Row = Mapping[str, Any]


def create_tables(connection: sqlite3.Connection, *, own: bool) -> None:
    """Make the tables of an empty database, and switch foreign keys on.

    Args:
        connection: An open database.
        own: Whether our tables stand beside the original's.
    """
    connection.execute("PRAGMA foreign_keys = ON")
    for name, columns in ({**_COLUMNS, **_OWN} if own else _COLUMNS).items():
        connection.execute(f"CREATE TABLE {name} ({', '.join((*columns, *_UNIQUE.get(name, ())))})")
    for name, place in _INDEXES.items():
        connection.execute(f"CREATE INDEX {name} ON {place}")


def find_database(path: Path) -> Path | None:
    """Find the database of a path: the file itself, or that of a folder.

    Args:
        path: A file or a folder.

    Returns:
        Its path; None where there is none of GameOn.

    Raises:
        BadDataError: A file called gameon.db that is empty, or no database.
    """
    files = [path] if path.is_file() else [place for name in NAMES if (place := path / name).is_file()]
    for file in files:
        named = file.name == "gameon.db"
        with file.open("rb") as opened:
            is_sqlite = opened.read(len(_MAGIC)) == _MAGIC
        if not is_sqlite:
            if named:
                raise _damaged(file, "empty" if not file.stat().st_size else "no SQLite database")
            continue
        try:
            with reading(file) as connection:
                if "game_name" in columns_of(connection, "sessions"):
                    return file
        except BadDataError:
            if named:
                raise
    return None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open somebody's database for reading; neither it nor anything beside it is changed.

    What a recorder did not finish lies beside it (`-wal`, `-journal`) and only SQLite can put it in its place: then a
    copy is opened, in a folder that goes away.

    Args:
        path: The file.

    Yields:
        A connection that gives rows by name.

    Raises:
        BadDataError: It is no database, or damaged.
    """
    beside = [path.with_name(path.name + ending) for ending in ("-wal", "-journal")]
    left = [file for file in beside if file.is_file() and file.stat().st_size]
    try:
        if left:
            with tempfile.TemporaryDirectory(prefix="rushes-gameon-") as folder:
                for file in (path, *left):
                    shutil.copyfile(file, Path(folder) / file.name)
                with closing(sqlite3.connect(Path(folder) / path.name)) as connection:
                    yield _by_name(connection)
            return
        with closing(_opened(path)) as connection:
            yield _by_name(connection)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # what SQLite says of a damaged file may be damaged itself
        raise _damaged(path, str(error)) from error


def _opened(path: Path) -> sqlite3.Connection:
    """Open read-only; as immutable where SQLite would have to write beside the file to read it."""
    place = f"file:{quote(str(path.absolute()))}?mode=ro"
    with path.open("rb") as opened:
        has_log = opened.read(_LOG_BYTE + 1)[_LOG_BYTE:] == b"\x02"
    if has_log:
        return sqlite3.connect(f"{place}&immutable=1", uri=True)
    connection = sqlite3.connect(place, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return sqlite3.connect(f"{place}&immutable=1", uri=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _by_name(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def columns_of(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Name the columns that a table has; none where it is not there.

    Args:
        connection: An open database.
        table: One of `TABLES`.
    """
    return frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def rows_of(connection: sqlite3.Connection, table: str, *, where: str = "", given: Sequence[Any] = ()) -> Iterator[Row]:
    """Give the rows of a table by the names of `TABLES`; columns that it lacks are None.

    Args:
        connection: An open database.
        table: One of `TABLES`.
        where: What follows behind FROM.
        given: Values for its question marks.

    Yields:
        One mapping a row.
    """
    there = columns_of(connection, table)
    if not there:
        return
    names = [name for name in TABLES[table] if name in there]
    every = (*names, *(name for name in TABLES[table] if name not in there))
    none = (None,) * (len(every) - len(names))
    for row in connection.execute(f"SELECT {', '.join(names)} FROM {table} {where}", given):  # noqa: S608 - our names
        yield dict(zip(every, (*row, *none), strict=True))


def _damaged(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path}: {what}",
        accepts="the database that GameOn writes, with a table of sessions",
        fix="restore it from the backup beside it (gameon.db.backup_...), or copy it again",
    )
