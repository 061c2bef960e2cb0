"""Arrays of the NitroGen Capture program: `.npy` files that are read without running anything, and written in pieces.

| array | in the files | meaning |
| --- | --- | --- |
| `actions` | int8 (n, A) | 1 where the key is down |
| `mouse_deltas` | float32 (n, 2) | dx, dy, +y down |
| `frame_indices` | int64 (n,) | counter of saved frames, or of ticks |
| `t_ns` | int64 (n,) | ours alone: ns since session start |

Rows are read by their numbers, so that a file of any length takes the memory of the rows that are asked for.

Example:
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "frame_indices.npy"
    >>> write_pieces(path, [np.array([1, 2]), np.array([3])], kind="frame_indices", rows=3, width=0)
    >>> np.load(path).tolist(), open_array(path, "frame_indices").read(1, 3).tolist()
    ([1, 2, 3], [2, 3])
"""

from __future__ import annotations

import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError

Array = npt.NDArray[Any]

BLOCK_ROWS: Final = 1 << 16
"""Rows that are in memory at a time."""


@dataclass(frozen=True)
class Kind:
    """What an array holds.

    Attributes:
        dtype: Its type in the files.
        accepts: Kinds of NumPy types that are read.
        dimensions: 1 or 2.
        what: For messages.
    """

    dtype: str
    accepts: str
    dimensions: int
    what: str


KINDS: Final = {
    "actions": Kind("<i1", "biuf", 2, "numbers 0 or 1 of shape (rows, actions)"),
    "mouse_deltas": Kind("<f4", "iuf", 2, "numbers of shape (rows, 2)"),
    "frame_indices": Kind("<i8", "iu", 1, "whole numbers of shape (rows,)"),
    "t_ns": Kind("<i8", "iu", 1, "whole numbers of shape (rows,)"),
}
_HEADERS: Final = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_READ: Final = (
    ValueError, OSError, EOFError, SyntaxError, TypeError, OverflowError, MemoryError, RecursionError,
    tokenize.TokenError,
)  # fmt: skip
"""What NumPy may say to a file that is no array."""


@dataclass(frozen=True)
class Stored:
    """An array in a file.

    Attributes:
        path: The file.
        dtype: Its type.
        shape: Its shape.
        offset: Where its values begin.
        by_columns: Whether they stand column after column (Fortran's order).
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    by_columns: bool

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def width(self) -> int:
        """Values a row."""
        return self.shape[1] if len(self.shape) > 1 else 1

    def read(self, start: int, stop: int) -> Array:
        """Read rows.

        Args:
            start: First row.
            stop: Row after the last.

        Raises:
            BadDataError: The file is shorter than it was.
        """
        first, rows = (0, len(self)) if self.by_columns else (start, stop - start)
        count = rows * self.width
        skip = self.offset + first * self.width * self.dtype.itemsize
        values = np.fromfile(self.path, self.dtype, count, offset=skip)
        if len(values) < count:
            raise BadDataError(
                f"{self.path}, row {first + len(values) // max(self.width, 1)}: the file ends there",
                accepts="a file that nobody changes",
                fix="open the set again",
            )
        table = values.reshape((rows, *self.shape[1:]), order="F" if self.by_columns else "C")
        return table[start:stop] if self.by_columns else table


def open_array(path: Path, kind: str) -> Stored:
    """Read an array's header; a file that holds Python objects is refused, nothing in it is run.

    Args:
        path: The file.
        kind: A key of `KINDS`.

    Raises:
        BadDataError: It is cut, no `.npy` file, or of another type or shape; the message names the file.
    """
    wanted = KINDS[kind]
    try:
        with path.open("rb") as file:
            shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
            offset = file.tell()
            length = file.seek(0, 2)
    except (*_READ, KeyError) as error:
        raise _no_array(path, kind, str(error).split("\n", 1)[0]) from error
    fits = len(shape) == wanted.dimensions and (kind != "mouse_deltas" or shape[1] == 2)  # noqa: PLR2004 - dx, dy
    if dtype.kind not in wanted.accepts or not fits:
        raise BadDataError(
            f"{path}: {dtype} of shape {shape}",
            accepts=wanted.what,
            fix="restore the file, or move its chunk away",
        )
    size = dtype.itemsize
    for side in shape:
        size *= int(side)
    if min(shape) < 0 or offset + size > length:
        raise _no_array(path, kind, f"{length - offset} bytes where {size} are said to be")
    return Stored(path, dtype, tuple(int(side) for side in shape), offset, by_columns and len(shape) > 1)


def _no_array(path: Path, kind: str, reason: str) -> BadDataError:
    return BadDataError(
        f"{path}: no array that can be read ({reason})",
        accepts=f"a whole .npy file with {KINDS[kind].what}",
        fix="restore the file, or move its chunk away",
    )


def blocks(rows: int) -> Iterator[tuple[int, int]]:
    """Go through rows in pieces of `BLOCK_ROWS`: first row, and the one after the last."""
    for first in range(0, rows, BLOCK_ROWS):
        yield first, min(first + BLOCK_ROWS, rows)


def as_stored(block: Array, kind: str, *, where: str, first: int) -> Array:
    """Give rows in the type of the files.

    Args:
        block: Rows.
        kind: A key of `KINDS`.
        where: The file, for the message.
        first: Number of the block's first row there.

    Raises:
        BadDataError: A value does not fit; the message names file and row.
    """
    if block.dtype == np.dtype(KINDS[kind].dtype):
        return block
    with np.errstate(all="ignore"):
        found = block.astype(KINDS[kind].dtype)
    if kind == "mouse_deltas":
        return found
    wrong = np.flatnonzero((found != block).reshape(len(block), -1).any(axis=1))
    if len(wrong):
        raise BadDataError(
            f"{where}, row {first + int(wrong[0])}: {block[wrong[0]].tolist()}",
            accepts=KINDS[kind].what,
            fix="correct the row",
        )
    return found


def write_pieces(path: Path, pieces: Iterable[Array], *, kind: str, rows: int, width: int) -> None:
    """Write an array of which only a piece is in memory.

    Args:
        path: The file.
        pieces: Its rows in order.
        kind: A key of `KINDS`.
        rows: How many there will be.
        width: How many columns; 0 for an array of one dimension.
    """
    dtype = np.dtype(KINDS[kind].dtype)
    shape = (rows, width) if width else (rows,)
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)  # as np.save writes it
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype).data)
