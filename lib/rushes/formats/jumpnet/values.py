"""What stands in a pickle of arrays: values, arrays by their place, and what stands for them while it is read.

Example:
    >>> import io
    >>> from rushes.formats.jumpnet.members import Stream
    >>> array = Stored(np.dtype("<u2"), (2,), place=1, size=4)
    >>> array.load(Stream(io.BytesIO(bytes([9, 1, 0, 2, 0])), 5, "demo")).tolist()
    [1, 2]
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.jumpnet.members import Stream

MOST_DEPTH: Final = 16
"""Levels of tuples and lists, one in the other; a row has two."""
_MOST_DIMENSIONS: Final = 32
_MOST_VALUES: Final = 1 << 62
_LAST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = (0xD800, 0xE000)
_DTYPE: Final = re.compile(r"[<>|=]?(?:[biuf]\d{1,2}|[SU][1-9]\d{0,3}|O8?|\?|b1)")


@dataclass(frozen=True)
class Stored:
    """An array whose bytes lie in a member.

    Attributes:
        dtype: Its type.
        shape: Its shape.
        place: Byte of the member where it begins.
        size: Bytes there.
        fortran: Whether the first index runs fastest.
        text: Whether the bytes stand as UTF-8 of Latin-1 (protocol 2).
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    place: int
    size: int
    fortran: bool = False
    text: bool = False

    def load(self, stream: Stream) -> npt.NDArray[Any]:
        """Read it from a stream that has not passed it.

        Raises:
            BadDataError: The member is damaged.
        """
        stream.to(self.place)
        data = stream.read(self.size)
        if self.text:
            try:
                data = data.decode("utf-8").encode("latin-1")
            except UnicodeError as error:
                raise damaged(stream, f"bytes that are no Latin-1 ({error})") from error
        if len(data) != math.prod(self.shape) * self.dtype.itemsize:
            raise damaged(stream, f"{len(data)} bytes for an array of {self.shape} {self.dtype}")
        return np.frombuffer(data, self.dtype).reshape(self.shape, order="F" if self.fortran else "C")


class Objects:
    """An array of objects: its shape, and its items in C order."""

    def __init__(self, shape: tuple[int, ...], items: list[Any]) -> None:
        self.shape, self.items = shape, items

    def __repr__(self) -> str:
        return f"Objects({self.shape})"


class Enough(Exception):  # noqa: N818 - no error: the beginning was asked for
    """The first objects of the longest list are there.

    Attributes:
        items: They.
    """

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        super().__init__()


@dataclass(frozen=True)
class Token:
    """A name that is known; nothing is imported for it."""

    name: str


@dataclass(frozen=True)
class Span:
    """Bytes that are not kept; see `Stored`."""

    place: int
    size: int
    text: bool = False


class Tuple(tuple[Any, ...]):  # noqa: SLOT001 - a tuple has no room for a slot
    """A tuple that knows how deep it is."""

    depth = 1


class List(list[Any]):
    """A list that knows how deep it is."""

    depth = 1


class Pending:
    """What stands for an array until its state is known."""

    depth = 1

    def __init__(self) -> None:
        self.value: Any = None


class Dtype:
    """What stands for a type until its byte order is known."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype


def damaged(stream: Stream, found: str) -> BadDataError:
    """Make the error for a pickle that makes no sense."""
    return BadDataError(
        f"{stream.where}: a member with {found}",
        accepts="an object array as NumPy writes it",
        fix="copy the file again; it is cut, damaged or made to deceive",
    )


def dtype_of(stream: Stream, said: Any) -> np.dtype[Any]:
    """Make a type of its name; numbers, texts and objects alone."""
    if not isinstance(said, str) or not _DTYPE.fullmatch(said):
        raise damaged(stream, f"the type {word(said)!r}")
    return np.dtype("O" if said.lstrip("<>|=") in {"O", "O8"} else said)


def can_be(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Say whether NumPy can have an array of a shape; also a side beside one of 0 has its limit."""
    sides = math.prod(max(n, 1) for n in shape[:_MOST_DIMENSIONS])
    small = len(shape) <= _MOST_DIMENSIONS and all(n >= 0 for n in shape) and sides * dtype.itemsize < _MOST_VALUES
    return small and dtype.itemsize > 0


def values_of(
    stream: Stream, shape: tuple[int, ...], dtype: np.dtype[Any], data: bytes, *, fortran: bool
) -> npt.NDArray[Any]:
    """Make an array of its bytes; NumPy makes texts of numbers that are no characters, and fails later."""
    if dtype.kind == "U":
        code = np.frombuffer(data, np.dtype("u4").newbyteorder(dtype.byteorder))
        if ((code > _LAST_CHARACTER) | ((code >= _SURROGATES[0]) & (code < _SURROGATES[1]))).any():
            raise damaged(stream, "texts of characters that there are not")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def array_of(stream: Stream, shape: Any, dtype: np.dtype[Any], data: Any, *, fortran: bool) -> Any:
    """Make an array, or say where it lies; its shape is held against its bytes first."""
    if not isinstance(shape, Tuple) or any(type(n) is not int for n in shape) or not can_be(shape, dtype):
        raise damaged(stream, "an array whose shape is none")
    count = math.prod(shape)
    if dtype.hasobject:
        if not isinstance(data, List) or len(data) != count:
            raise damaged(stream, f"an array of the shape {tuple(shape)} with other objects")
        return Objects(tuple(shape), data)
    size = data.size if isinstance(data, Span) else len(data)
    if size != count * dtype.itemsize and not (isinstance(data, Span) and data.text and size > count):
        raise damaged(stream, f"an array of the shape {tuple(shape)} {dtype} in {size} bytes")
    if isinstance(data, Span):
        return Stored(dtype, tuple(shape), data.place, data.size, fortran, data.text)
    return values_of(stream, tuple(shape), dtype, data, fortran=fortran)


class Finish:
    """Puts arrays in the place of what stands for them; what stands in several places is made once."""

    def __init__(self, stream: Stream) -> None:
        self._in = stream
        self._made: dict[int, Any] = {}
        self._under_way: set[int] = set()

    def of(self, value: Any) -> Any:
        """Give the value that something stands for."""
        if not isinstance(value, Pending | Tuple | List | Objects):
            return value
        number = id(value)  # all of them are held by the first one for as long as this runs
        if number not in self._made:
            if number in self._under_way or len(self._under_way) > 2 * MOST_DEPTH:
                raise damaged(self._in, "a value that holds itself")
            self._under_way.add(number)
            self._made[number] = self._of(value)
            self._under_way.remove(number)
        return self._made[number]

    def _of(self, value: Any) -> Any:
        if isinstance(value, Pending):
            return self.of(value.value)
        if isinstance(value, Objects):
            return Objects(value.shape, [self.of(one) for one in value.items])
        items = [self.of(one) for one in value]
        return tuple(items) if isinstance(value, Tuple) else items


def word(value: Any) -> str:
    """Name a value shortly; one that is no text may be very large."""
    return value[:80] if isinstance(value, str) else f"a {type(value).__name__.strip('_').lower()}"
