"""Large Parquet files in bounded memory: row groups by bytes, parts by size, one row at a time on reading.

Nested binary columns are where Parquet files of pictures break: 32-bit offsets overflow at 2 GiB
(apache/arrow#47169), and a reader that takes a whole row group needs it all in memory. Here the types are
large, a row group ends at 16 MiB of pictures, and reading streams through a row group, however large the
writer made it.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.parquet"
    >>> writer = PartWriter(path, pa.schema([("n", pa.int64())]), plain=[])
    >>> writer.add((1,), 8)
    >>> writer.close()
    >>> PartReader(path).rows
    1
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import StrictOptions
from rushes.model.findings import Problem
from rushes.store import images
from rushes.store.tables import damage

ROW_GROUP_BYTES: Final = 16 << 20
"""Bytes of pictures after which a row group ends."""
_STREAM_BYTES: Final = 1 << 20
"""Bytes that reading takes from a file at a time."""
_MAGIC: Final = b"PAR1"  # Parquet format specification, "File format"
_PART: Final = re.compile(r"part-(\d+)\.parquet")
_PAGE_VALUES: Final = 64
"""Values that are encoded at a time; a page ends between two such batches, but never within a row (Arrow C++ 26,
`DoInBatchesRepeated`), so that writing a row of one episode takes about four times its pictures."""
_PLACE: Final = b"rushes.part"
"""Key of a part's footer that says whether it is the last one: `{"number": 0, "last": false}`."""


@dataclass(frozen=True)
class ParquetOptions(StrictOptions):
    """Options of the Parquet formats.

    Attributes:
        shard_mb: MiB of pictures a part; the target is then a folder of `part-00000.parquet` ... and an
            episode is never cut in two. 0 writes one file.
    """

    shard_mb: int = 0

    def __post_init__(self) -> None:
        if self.shard_mb < 0:
            raise BadInputError(
                f"shard_mb={self.shard_mb}", accepts="0 for one file, or MiB a part", fix="pass shard_mb=512"
            )


def part_name(number: int) -> str:
    """Name a part of a folder."""
    return f"part-{number:05d}.parquet"


class PartWriter:
    """A Parquet file, or a folder of parts, that grows row by row.

    Args:
        path: The file; with `shard_mb` the folder, which must exist.
        schema: Columns.
        plain: Columns of pictures, by Parquet path (`images.list.element`): neither statistics nor a
            dictionary.
        shard_mb: MiB of pictures after which a new part begins at the next `may_split`; 0 writes one file.
    """

    def __init__(self, path: Path, schema: pa.Schema, *, plain: Sequence[str], shard_mb: int = 0) -> None:
        self._path, self._schema, self._shard_bytes = path, schema, shard_mb << 20
        paths = _leaves(schema)
        self._lean = [p for p in paths if p not in plain]
        self._rows: list[Sequence[Any]] = []
        self._held = self._in_part = self._part = 0
        self._full = False
        self._writer: Any = None

    def _open(self) -> Any:
        if self._writer is None:
            path = self._path / part_name(self._part) if self._shard_bytes else self._path
            self._writer = pq.ParquetWriter(
                path,
                self._schema,
                compression="snappy",  # as the reference's files
                write_page_checksum=True,  # a flipped bit is found when it is read
                write_batch_size=_PAGE_VALUES,
                use_dictionary=self._lean or False,
                write_statistics=self._lean or False,
            )
        return self._writer

    def add(self, row: Sequence[Any], size: int) -> None:
        """Append a row: one value a column, in the schema's order.

        Args:
            row: The values; a large one may be an Arrow array of one row, which is written without a copy.
            size: Bytes of its pictures.
        """
        if self._full:  # only now it is known that another part follows
            self._close_part(last=False)
            self._part += 1
        self._rows.append(row)
        self._held += size
        self._in_part += size
        if self._held >= ROW_GROUP_BYTES:
            self._flush()

    def may_split(self) -> None:
        """Say that a new part may begin here."""
        if self._shard_bytes and self._in_part >= self._shard_bytes:
            self._full = True

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [
                pa.chunked_array(c, f.type) if isinstance(c[0], pa.Array) else pa.array(c, f.type)
                for c, f in zip(columns, self._schema, strict=True)
            ]
            self._rows, self._held = [], 0
            self._open().write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def _close_part(self, *, last: bool) -> None:
        self._flush()
        writer, self._writer = self._open(), None
        if self._shard_bytes and self._schema.metadata:  # the reference's columns alone carry nothing of ours
            writer.add_key_value_metadata({_PLACE: json.dumps({"number": self._part, "last": last})})
        writer.close()
        self._in_part, self._full = 0, False

    def close(self) -> None:
        """Write what is held and the footer."""
        self._close_part(last=True)

    @contextmanager
    def closing(self) -> Iterator[PartWriter]:
        """Close at the end of the block; after an error only the file handle is let go."""
        try:
            yield self
            self.close()
        finally:
            if self._writer is not None:
                self._writer.close()


def _leaves(schema: pa.Schema) -> list[str]:
    """Name the columns as Parquet does: `inputs.list.element.text`."""

    def walk(name: str, kind: pa.DataType) -> Iterator[str]:
        if pa.types.is_struct(kind):
            for field in kind:
                yield from walk(f"{name}.{field.name}", field.type)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            yield from walk(f"{name}.list.element", kind.value_type)
        else:
            yield name

    return [leaf for field in schema for leaf in walk(field.name, field.type)]


def part_files(path: Path) -> list[Path]:
    """List the Parquet files of a path: itself, or the parts of a folder by number; empty for all else."""
    if path.is_file():
        with path.open("rb") as file:
            is_parquet = file.read(len(_MAGIC)) == _MAGIC
        return [path] if is_parquet or path.suffix == ".parquet" else []
    if not path.is_dir():
        return []
    parts = [(int(m[1]), p) for p in path.iterdir() if (m := _PART.fullmatch(p.name))]
    return [p for _, p in sorted(parts)]


def columns_of(path: Path) -> frozenset[str]:
    """Name the columns of a Parquet file or folder of parts; empty where it is none.

    Raises:
        BadDataError: It is a Parquet file that is cut or damaged.
    """
    files = part_files(path)
    if not files:
        return frozenset()
    with _opened(files[0]) as file:
        return frozenset(file.schema_arrow.names)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    with (
        damage(path),
        pq.ParquetFile(path, buffer_size=_STREAM_BYTES, pre_buffer=False, page_checksum_verification=True) as file,
    ):
        yield file


def _gaps(files: Sequence[Path], place: bytes | None) -> tuple[str, ...]:
    """Name the parts that are not there: numbers left out, and the one after the last where its footer says so."""
    matches = [_PART.fullmatch(path.name) for path in files]
    numbers = {int(match[1]) for match in matches if match}
    if not numbers or len(numbers) < len(files):
        return ()
    stop = max(numbers) + 1
    with suppress(KeyError, TypeError, ValueError):  # somebody else's words: then the numbers alone count
        stop += bool(place) and not json.loads(place or b"")["last"]
    return tuple(part_name(number) for number in range(stop) if number not in numbers)


def pictures_of(array: pa.Array) -> pa.Array:
    """Give the files of a column of pictures: itself, or the field `bytes` of {bytes, path}.

    Hugging Face's `datasets` stores images as such structs (its documentation, "Image" feature).

    Args:
        array: Binary values, or structs.

    Raises:
        BadDataError: It holds something else.
    """
    if pa.types.is_struct(array.type) and array.type.get_field_index("bytes") >= 0:
        array = pc.struct_field(array, "bytes")
    if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type) or pa.types.is_null(array.type)):
        raise BadDataError(
            f"pictures of type {array.type}",
            accepts="PNG files as binary, or as structs {bytes, path}",
            fix="write the column again as binary",
        )
    return array


def flaws(array: pa.Array) -> dict[int, str]:
    """Look at a column of pictures.

    Args:
        array: What `pictures_of` takes.

    Returns:
        Position -> `missing_image` where there is none, `truncated_png` where it is no whole PNG file.
    """
    found = {}
    for position, value in enumerate(pictures_of(array)):
        if not value.is_valid:
            found[position] = "missing_image"
        elif not images.is_whole(value.as_py()):
            found[position] = "truncated_png"
    return found


class PartReader:
    """A Parquet file or a folder of parts as one long table, read row by row.

    Args:
        path: What `part_files` knows.

    Attributes:
        columns: Names of the columns.
        rows: How many rows there are.
        schema: The Arrow schema of the first part.
        gaps: Names of the parts that are missing.

    Raises:
        BadDataError: A part is cut or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._files = part_files(path)
        self._groups: list[tuple[int, int, int, int]] = []  # first row, rows, file, row group
        self.rows = 0
        place = None
        for number, name in enumerate(self._files):
            with _opened(name) as file:
                place = (file.metadata.metadata or {}).get(_PLACE)
                if not number:
                    self.schema, self.columns = file.schema_arrow, tuple(file.schema_arrow.names)
                for group in range(file.metadata.num_row_groups):
                    count = file.metadata.row_group(group).num_rows
                    self._groups.append((self.rows, count, number, group))
                    self.rows += count
        self.gaps = _gaps(self._files, place)
        self._stream: tuple[str, int, Iterator[tuple[int, pa.Array]]] | None = None
        self._batch: tuple[str, int, pa.Array] | None = None

    def place(self, row: int) -> str:
        """Name a row for a person: `part-00000.parquet, row 5`."""
        for first, count, file, _ in reversed(self._groups):
            if first <= row < first + count:
                start = next(f for f, _, n, _ in self._groups if n == file)
                return f"{self._files[file].name}, row {row - start}"
        return f"row {row}"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What concerns the whole set: parts that are missing."""
        if not self.gaps:
            return ()
        sentence = f"a part of the set is missing ({', '.join(self.gaps[:5])}), and its episodes with it"
        return (Problem("missing_part", self.gaps[0], len(self.gaps), sentence),)

    def metadata(self, key: bytes) -> bytes | None:
        """Return a value of the first part's metadata, None where it has none."""
        found: bytes | None = (self.schema.metadata or {}).get(key)
        return found

    def batches(
        self, columns: Sequence[str], *, batch_rows: int, start: int = 0
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Stream some columns from a row group's start on.

        Args:
            columns: Their names.
            batch_rows: Rows a batch at the most.
            start: A row; streaming begins at the start of its row group.

        Yields:
            Number of the batch's first row, and the batch.
        """
        wanted = [g for g in self._groups if g[0] + g[1] > start]
        for first, _, number, group in wanted:
            row = first
            path = self._files[number]
            with _opened(path) as file:
                found = file.iter_batches(batch_rows, row_groups=[group], columns=list(columns), use_threads=False)
                while True:
                    with damage(path, f", row group {group}"):
                        batch = next(found, None)
                    if batch is None:
                        break
                    count = batch.num_rows
                    yield row, batch
                    del batch  # not held beside the next one
                    row += count

    def value(self, column: str, row: int, *, batch_rows: int) -> pa.Scalar:
        """Fetch one value; rows that rise are streamed, others begin anew at their row group.

        Args:
            column: Its name.
            row: Its row.
            batch_rows: Rows to decode at a time.
        """
        while self._batch is None or self._batch[0] != column or not self._holds(row):
            at = self._stream[1] if self._stream is not None and self._stream[0] == column else None
            if at is None or not self._group_start(row) <= at <= row:
                self._stream = (column, self._group_start(row), self._arrays(column, batch_rows, row))
            assert self._stream is not None
            stream, self._stream = self._stream[2], None  # after an error it is of no more use
            self._batch = None
            first, array = next(stream, (0, None))
            if array is None:
                raise BadDataError(
                    f"{self.place(row)}: a row that is not there",
                    accepts="a file with as many rows as it announces",
                    fix="copy or write the file again",
                )
            self._batch = (column, first, array)
            self._stream = (column, first + len(array), stream)
        return self._batch[2][row - self._batch[1]]

    def _arrays(self, column: str, batch_rows: int, start: int) -> Iterator[tuple[int, pa.Array]]:
        for number, batch in self.batches([column], batch_rows=batch_rows, start=start):
            yield number, batch.column(0)
            del batch

    def _holds(self, row: int) -> bool:
        assert self._batch is not None
        return self._batch[1] <= row < self._batch[1] + len(self._batch[2])

    def _group_start(self, row: int) -> int:
        return max(first for first, _, _, _ in self._groups if first <= row)
