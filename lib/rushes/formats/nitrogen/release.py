"""What one chunk of the NitroGen release says: its table and its metadata, read row by row without trust.

A table has 17 columns of buttons (bool, or 0 and 1) and `j_left`, `j_right` (lists of two, -1 to 1). Row i is what the
controller shows on frame start_frame + i of the video. A row that says nothing sensible keeps its place and is named
with its reason; a chunk of which nothing can be used is an error that names the file.

Source: card of the data set nvidia/NitroGen, and loaders that others wrote for it.

Example:
    >>> number_of(2.5), number_of(True), number_of("2")
    (2.5, None, None)
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rushes.errors import BadDataError
from rushes.formats.nitrogen.shards import ACTIONS, METADATA, Chunk
from rushes.model.findings import Problem
from rushes.model.nitrogen import COLUMNS

OWN: Final = ("t_ns", "frame_index", "segment", "tick", "duplicate", "late")
"""Columns that we add unless strict."""
_OWN_TYPES: Final = (pa.int64(), pa.bool_())
PIECE_S: Final = 20.0
"""Seconds of a chunk."""
_STICKS: Final = ("j_left", "j_right")
_MOST_FRAMES: Final = 1 << 28  # 1,200 hours at 60 Hz; times of such numbers fit into 64 bits
_LONGEST_S: Final = 20.5
_MOST_HZ: Final = 1000.0
_ROUNDING: Final = 1e-6
_MOST_ROWS: Final = 1 << 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """What one chunk says.

    Attributes:
        where: Its table, for messages.
        start_frame: Number of its first row's frame in the video.
        rate_hz: Frames a second, as its size and its times say.
        table: (n, 21) float64 in the order of `nitrogen21`; anything where `reason` is not empty.
        reason: (n,) why a row cannot be used, `""` where it can.
        meta: Its metadata.
        own: Our columns, name -> (n,); empty where it is not of ours.
    """

    where: str
    start_frame: int
    rate_hz: Fraction
    table: Floats
    reason: npt.NDArray[np.object_]
    meta: Mapping[str, Any]
    own: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Piece({len(self)} rows from frame {self.start_frame}, {int((self.reason != '').sum())} bad)"


def read_piece(chunk: Chunk, actions: str, problems: list[Problem]) -> Piece:
    """Read a chunk.

    Args:
        chunk: The chunk.
        actions: `raw` or `processed`.
        problems: What had to be worked around is added here.

    Raises:
        BadDataError: Nothing of it can be used; the message names the file and, where it can, the row.
    """
    name = ACTIONS[actions]
    where = f"{chunk.where}/{name}"
    found = chunk.read_all(METADATA, name)
    meta = _metadata(chunk, found[METADATA])
    table = _table(found[name], where)
    names = table.column_names
    missing = [column for column in (*COLUMNS, *_STICKS) if column not in names]
    if missing:
        raise BadDataError(
            f"{where}: no column {', '.join(missing)}",
            accepts="17 buttons, j_left and j_right",
            fix="write the chunk again, or leave it out",
        )
    values, reason = _values(table, where)
    size, video = meta.get("chunk_size"), _mapping(meta.get("original_video"))
    if size != len(values) and actions == "processed":
        raise BadDataError(
            f"{where}: {len(values)} rows of a chunk of {size!r}, and nothing says which frames they are of",
            accepts="a processed table with a row for every frame of its chunk",
            fix="read the raw one: actions=raw",
        )
    if size != len(values):
        text = f"chunk_size is {size!r} and the table has {len(values)} rows: its rows are used"
        problems.append(Problem("chunk_size_differs", where, 1, text))
    size = size if isinstance(size, int) and 0 < size < _MOST_FRAMES else len(values)
    start = video.get("start_frame")
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < _MOST_FRAMES:
        text = f"start_frame is {start!r}: chunks are taken to follow each other"
        problems.append(Problem("start_frame_assumed", f"{chunk.where}/{METADATA}", 1, text))
        start = chunk.number * size
    own = {}
    if "rushes" in meta and all(n in names and table[n].type in _OWN_TYPES and not table[n].null_count for n in OWN):
        own = {column: table[column].to_numpy() for column in OWN}
    return Piece(where, start, _rate(size, video), values, reason, meta, own)


def _table(data: bytes, where: str) -> pa.Table:
    """Read the columns that are known; a few bytes can say that they are thousands of millions of rows."""
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        count = file.metadata.num_rows  # its columns are not asked: where they are damaged, that ends the process
        if count > _MOST_ROWS:
            raise BadDataError(
                f"{where}: {count} rows",
                accepts=f"up to {_MOST_ROWS}: a chunk is {PIECE_S:g} s",
                fix="leave the chunk out",
            )
        return file.read([name for name in (*COLUMNS, *_STICKS, *OWN) if name in file.schema_arrow.names])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadDataError(
            f"{where}: no Parquet file ({error})", accepts="a whole table", fix="fetch it again"
        ) from error


def _metadata(chunk: Chunk, data: bytes) -> Mapping[str, Any]:
    where = f"{chunk.where}/{METADATA}"
    try:
        meta = json.loads(data)
        json.dumps(meta, ensure_ascii=False).encode()  # half a character can be read and not written
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        raise BadDataError(f"{where}: no JSON ({error})", accepts="a whole JSON file", fix="fetch it again") from error
    if not isinstance(meta, dict):
        raise BadDataError(f"{where}: {type(meta).__name__}", accepts="a JSON object", fix="fetch it again")
    return meta


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def number_of(value: Any) -> float | None:
    """Read a JSON number: None where it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:
        return None


def _rate(size: int, video: Mapping[str, Any]) -> Fraction:
    """Take the rate of a chunk's size and times; the release's chunks are 20 s long."""
    start, end = number_of(video.get("start_time")), number_of(video.get("end_time"))
    length = end - start if start is not None and end is not None else 0.0
    rate = size / (length if 0 < length <= _LONGEST_S else PIECE_S)
    return Fraction(min(max(rate, 1 / PIECE_S), _MOST_HZ)).limit_denominator(1001)


def _values(table: pa.Table, where: str) -> tuple[Floats, npt.NDArray[np.object_]]:
    count = table.num_rows
    values, reason = np.zeros((count, len(COLUMNS) + 4)), np.full(count, "", object)

    def blame(wrong: Any, why: str) -> None:
        reason[wrong & (reason == "")] = why

    for column, name in enumerate(COLUMNS):
        found = _numbers(table[name], f"{where}: column {name}")
        blame(~np.isin(found, (0.0, 1.0)), "button_value")
        values[:, column] = found
    for number, name in enumerate(_STICKS):
        sides, whole = _pairs(table[name], f"{where}: column {name}")
        blame(~whole, "stick_length")
        blame(~np.isfinite(sides).all(1), "stick_nan")
        blame((np.abs(sides) > 1 + _ROUNDING).any(1), "stick_range")
        first = len(COLUMNS) + 2 * number
        values[:, first : first + 2] = np.clip(sides, -1, 1)
    return values, reason


def _numbers(column: pa.ChunkedArray, where: str) -> Floats:
    try:
        kind = column.type
        cast = column.cast(pa.int8()) if pa.types.is_boolean(kind) else column
        found: Floats = cast.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    except pa.ArrowException as error:
        raise BadDataError(f"{where}: {error}", accepts="bool or 0 and 1", fix="write the chunk again") from error
    return found


def _pairs(column: pa.ChunkedArray, where: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Read lists of two: (n, 2) with NaN where there are not two, and where there are."""
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists:
        raise BadDataError(f"{where}: {kind}", accepts="lists of two numbers", fix="write the chunk again")
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    inner = _numbers(pc.list_flatten(column), where)
    starts, whole = np.cumsum(lengths) - lengths, lengths == len(_STICKS)
    sides = np.full((len(column), 2), np.nan)
    sides[whole] = inner[starts[whole][:, None] + np.arange(2)]
    return sides, whole
