r"""Heads of `.npy` files, whole or damaged, read without running or unpickling anything.

The game wrote its heads as text: the first byte, 0x93, became C2 93, which is U+0093 in UTF-8, and Python's `False`
became JavaScript's `false`. NumPy refuses both. Here they are read for what was meant, and what was mended is told. A
file is never changed.

Source: gudlaa/ReActure numpy_writer.js at fb01649; the form itself: numpy.lib.format.

Example:
    >>> text = b"{'descr': '|u1', 'fortran_order': false, 'shape': (2, 4, 4, 3), }"
    >>> head = read_head(b"\xc2\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    >>> head.shape, head.place, head.mended
    ((2, 4, 4, 3), 76, ('first_byte', 'false'))
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rushes.errors import BadDataError

_MAGIC: Final = b"\x93NUMPY"
_DAMAGED: Final = b"\xc2\x93NUMPY"
_LENGTH: Final = {1: 2, 2: 4, 3: 4}
"""Bytes of the head's length by version."""
MOST_HEAD: Final = 1 << 16
"""Bytes of a file in which its head stands."""
_MOST: Final = 1 << 40
_SCRIPT: Final = {b"false": b"False", b"true": b"True"}
_MOST_AXES: Final = 8


@dataclass(frozen=True)
class Head:
    """What an array says of itself.

    Attributes:
        dtype: Its type.
        shape: Its shape.
        fortran: Whether the first index runs fastest.
        place: Byte of the file at which its values begin.
        mended: What had to be mended: `first_byte`, `false`.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    place: int
    mended: tuple[str, ...] = ()

    @property
    def item_bytes(self) -> int:
        """Bytes of one item along the first axis."""
        return int(math.prod(self.shape[1:]) * self.dtype.itemsize)

    def rows_in(self, size: int) -> int:
        """Say how many whole items along the first axis are there.

        Args:
            size: Bytes of the file.
        """
        return min(self.shape[0], max(size - self.place, 0) // self.item_bytes) if self.item_bytes else 0


def read_head(data: bytes, *, where: str = "an array") -> Head:
    """Read a head.

    Args:
        data: The first bytes of a file, `MOST_HEAD` or all there are.
        where: What to name in an error.

    Raises:
        BadDataError: It is no array of numbers, or its head cannot be read for anything.
    """
    magic = next((m for m in (_MAGIC, _DAMAGED) if data.startswith(m)), None)
    if magic is None:
        raise _bad(where, "a file that does not begin as an array does")
    mended = ["first_byte"] if magic is _DAMAGED else []
    at = len(magic) + 2
    digits = _LENGTH.get(data[len(magic)] if len(data) > len(magic) else 0, 0)
    length = int.from_bytes(data[at : at + digits], "little")
    text = data[at + digits : at + digits + length]
    if not digits or len(text) < length:
        raise _bad(where, "an array whose head is cut")
    for script, python in _SCRIPT.items():
        right = re.sub(rb"(:\s*)" + script + rb"\b", rb"\1" + python, text)
        mended += ["false"] if right != text and "false" not in mended else []
        text = right
    values = _values(text, where)
    try:
        dtype, shape, fortran = np.dtype(values["descr"]), values["shape"], values["fortran_order"]
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(where, f"an array whose head does not say what it is ({error})") from None
    whole = isinstance(shape, tuple) and all(type(n) is int and 0 <= n <= _MOST for n in shape)
    if dtype.kind not in "biuf" or not whole or not 1 <= len(shape) <= _MOST_AXES or not isinstance(fortran, bool):
        raise _bad(where, f"an array of {dtype} and the shape {str(shape)[:60]}")
    return Head(dtype, shape, fortran, at + digits + length, tuple(mended))


def _values(text: bytes, where: str) -> dict[str, Any]:
    """Read the literal in a head; nothing in it is run."""
    try:
        found = ast.literal_eval(text.decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise _bad(where, f"an array whose head cannot be read ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise _bad(where, "an array whose head is no dictionary")
    return found


def _bad(where: str, found: str) -> BadDataError:
    return BadDataError(
        f"{where}: {found}",
        accepts="a .npy file of numbers, also with a head that was damaged in the known way",
        fix="export the set again, or leave the file out",
    )
