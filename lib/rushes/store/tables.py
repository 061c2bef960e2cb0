"""Parquet tables that grow row by row: bounded memory, one schema each, the same bytes for the same rows.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "index.parquet"
    >>> with Sheet(path, INDEX_SCHEMA) as sheet:
    ...     sheet.add((0, 0, 0, 0, 0, False, False, 0))
    >>> read_table(path).num_rows
    1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.errors import BadDataError, MissingError

ROWS: Final = 65_536
"""Rows that are held before a row group is written."""
BYTES: Final = 4 << 20
"""Bytes of pictures that are held before a row group is written."""

_MANY: Final = 200_000
"""Rows from which it takes less time to read a table on several threads than on one."""

INDEX_SCHEMA: Final = pa.schema(
    [
        ("frame_index", pa.int64()),
        ("tick", pa.int64()),
        ("picture", pa.int64()),
        ("t_ns", pa.int64()),
        ("segment", pa.int64()),
        ("duplicate", pa.bool_()),
        ("late", pa.bool_()),
        ("dropped_before", pa.int64()),
    ]
)
EVENT_SCHEMA: Final = pa.schema(
    [
        ("t_ns", pa.int64()),
        ("device", pa.string()),
        ("control", pa.string()),
        ("kind", pa.string()),
        *[(name, pa.float64()) for name in ("value", "x", "y", "dx", "dy")],
        ("flag", pa.string()),
    ]
)
IMAGE_SCHEMA: Final = pa.schema([("picture", pa.int64()), ("codec", pa.string()), ("data", pa.large_binary())])


def step_schema(*, discrete: bool) -> pa.Schema:
    """Return the schema of steps.parquet: int64 actions where they are discrete, lists of float64 elsewhere."""
    return pa.schema(
        [
            ("frame_index", pa.int64()),
            ("t_ns", pa.int64()),
            ("segment", pa.int64()),
            ("action", pa.int64() if discrete else pa.list_(pa.float64())),
            ("action_name", pa.string()),
            ("reward", pa.float64()),
            ("terminated", pa.bool_()),
            ("truncated", pa.bool_()),
            ("lives", pa.int64()),
            ("random_action", pa.bool_()),
            ("is_human", pa.bool_()),
        ]
    )


class Sheet:
    """A Parquet file that is open for appending.

    Args:
        path: Where it shall stand; an older one there is a remainder of a seal that was cut, and is replaced.
        schema: Its columns.
        images: Whether the last column holds encoded pictures, which gain nothing from compression.
    """

    def __init__(self, path: Path, schema: pa.Schema, *, images: bool = False) -> None:
        self._schema, self._images = schema, images
        self._rows: list[Sequence[Any]] = []
        self._bytes = 0
        self.count = 0
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression="none" if images else "zstd",
            use_dictionary=not images,
            write_statistics=not images,
        )

    def add(self, row: Sequence[Any]) -> None:
        """Append a row: one value a column, in the schema's order."""
        self._rows.append(row)
        self.count += 1
        if self._images:
            self._bytes += len(row[-1])
        if len(self._rows) >= ROWS or self._bytes >= BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
            self._rows, self._bytes = [], 0

    def close(self) -> None:
        """Write what is held and the file's footer."""
        with self._file:
            self._flush()
            self._writer.close()

    def drop(self) -> None:
        """Close the file as it is, after an error that is told already; what stands there is no table."""
        for one in (self._writer, self._file):
            with suppress(OSError, pa.ArrowException):
                one.close()
        self._rows = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.drop()


@contextmanager
def damage(path: Path, where: str = "") -> Iterator[None]:
    """Turn what pyarrow says about a cut or damaged file into an error that says what to do.

    Args:
        path: The file; stands in the message.
        where: A place in it, as it shall stand behind the path.

    Raises:
        BadDataError: The file is cut or is no Parquet file; one that is missing or may not be read is told as it is.
    """
    try:
        yield
    except (PermissionError, FileNotFoundError):
        raise
    except (pa.ArrowException, OSError) as error:
        raise BadDataError(
            f"{path}{where}: a Parquet file that is cut or damaged ({str(error).splitlines()[0]})",
            accepts="a whole Parquet file",
            fix="restore it from a copy, or write it again from its source; `rushes qa` names every damaged file",
        ) from error


def open_table(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        MissingError: There is no such file.
        BadDataError: The file is cut or is no Parquet file.
    """
    if not path.is_file():
        raise MissingError(
            f"{path}: no such file",
            accepts="a session with all files of its chunks",
            fix="restore the folder from a copy",
        )
    with damage(path):
        return pq.ParquetFile(path, memory_map=True)


def in_one(parts: Sequence[pa.Table]) -> pd.DataFrame:
    """Put tables of the same columns below each other and make one pandas table of them, which is quicker than many.

    Args:
        parts: At least one; where their columns differ, what one lacks is empty there.
    """
    if all(part.schema.equals(parts[0].schema) for part in parts):
        parts = [pa.concat_tables(parts)]
    whole: pd.DataFrame = pd.concat([part.to_pandas() for part in parts], ignore_index=True)
    return whole


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a whole table that is known to be small.

    Args:
        path: A Parquet file.
        columns: Only these.

    Raises:
        MissingError: There is no such file.
        BadDataError: The file is cut or is no Parquet file.
    """
    with open_table(path) as file, damage(path):
        return file.read(columns=columns, use_threads=file.metadata.num_rows > _MANY)
