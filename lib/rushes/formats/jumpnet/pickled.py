"""Pickled object arrays, read without running anything: NumPy arrays, numbers, strings, bytes, tuples and lists.

A pickle is a program. This is an interpreter of the few instructions that such arrays need (protocols 2 to 5); it
imports nothing and calls nothing, the names of NumPy's own constructors are tokens that it knows. Every other name and
every other instruction ends reading with an error that says which it was. Long bytes, the pictures, are not kept: a
`Stored` says where in the member they lie, and they are read from there when they are asked for.

Limits hold before anything is made: a size against the bytes that are there, the depth, the number of objects.

Example:
    >>> import io, os, pickle
    >>> import numpy as np
    >>> from rushes.formats.jumpnet.members import Stream
    >>> def read(data):
    ...     return read_pickle(Stream(io.BytesIO(data), len(data), "demo"))
    >>> read(pickle.dumps((1, "w", np.float32([0.5]))))
    (1, 'w', array([0.5], dtype=float32))
    >>> read(pickle.dumps(os.system))
    Traceback (most recent call last):
    ...
    rushes.errors.BadDataError: demo: a pickle that asks for posix.system; it was not run, for safety; accepted: ...
"""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any, Final

from rushes.errors import BadDataError
from rushes.formats.jumpnet.constructors import fill, made_by, refused, token_of
from rushes.formats.jumpnet.members import Stream
from rushes.formats.jumpnet.values import (
    MOST_DEPTH,
    Enough,
    Finish,
    List,
    Pending,
    Span,
    Tuple,
    damaged,
)

_KEPT_BYTES: Final = 4096
"""Longer bytes are not kept but found again by their place."""
_MOST_STEPS: Final = 40_000_000
"""Instructions; a row of NumPy's takes about 60."""
_MOST_HELD: Final = 4_000_000
"""Tuples, lists and arrays, each time that one is named, and values that are remembered; a row takes about 12."""
_MOST_MARKS: Final = 1000
_MOST_KEPT: Final = 1 << 28
_EACH: Final = 64
"""Bytes that Python takes for a value beside its own; a file of 200 KB can unpack to 40 million numbers."""
_MOST_TEXT: Final = 1 << 16
_NAMES: Final = {ord(op.code): op.name for op in pickletools.opcodes}


def read_pickle(stream: Stream, *, most: int | None = None) -> Any:
    """Read a pickle without running it.

    Args:
        stream: Where it begins.
        most: Stop when a list has so many items, for a look at the beginning.

    Returns:
        Numbers, texts, bytes, tuples, lists, small arrays, `Stored` for large ones, `Objects` for arrays of objects.

    Raises:
        BadDataError: It asks for anything else, or is damaged; the message names file, key and what was found.
        Enough: `most` was given and is reached.
    """
    try:
        return Finish(stream).of(_Machine(stream, most).run())
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error, AttributeError) as error:
        if isinstance(error, BadDataError):
            raise
        raise damaged(stream, f"an instruction that makes no sense at byte {stream.place} ({error})") from error


class _Machine:
    """Goes through the instructions of one pickle."""

    def __init__(self, stream: Stream, most: int | None) -> None:
        self._in, self._most = stream, most
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._kept = self._held = 0
        self._do: dict[int, Callable[[], None]] = {
            code[0]: getattr(self, f"_{name}") for name, codes in _WORK.items() for code in codes
        }

    def run(self) -> Any:
        """Run to the end."""
        for _ in range(_MOST_STEPS):
            code = self._in.read(1)[0]
            if code == pickle.STOP[0]:
                return self._stack.pop()
            work = self._do.get(code)
            if work is None:
                raise refused(self._in, f"the instruction {_NAMES.get(code, f'0x{code:02x}')}")
            work()
        raise damaged(self._in, f"more than {_MOST_STEPS} instructions")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _hold(self, value: Any) -> None:
        """Push a tuple, a list or an array."""
        self._held += 1
        if self._held > _MOST_HELD:
            raise damaged(self._in, f"more than {_MOST_HELD} tuples, lists and arrays")
        self._stack.append(value)

    def _remember(self, number: int) -> None:
        self._memo[number] = self._stack[-1]
        if len(self._memo) > _MOST_HELD:
            raise damaged(self._in, f"more than {_MOST_HELD} values to remember")

    def _again(self, number: int) -> None:
        """Push what is remembered; a row that stands in a list a million times is a million rows."""
        found = self._memo[number]
        (self._hold if isinstance(found, Tuple | List | Pending) else self._push)(found)

    def _keep(self, value: Any, size: int = 0) -> None:
        """Push a number, a text or bytes, so many bytes of it beside what every value takes."""
        self._kept += size + _EACH
        if self._kept > _MOST_KEPT:
            raise damaged(self._in, f"more than {_MOST_KEPT} bytes of small values")
        self._stack.append(value)

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._in.read(struct.calcsize(form)))[0]

    def _popped(self) -> list[Any]:
        start = self._marks.pop()
        found = self._stack[start:]
        del self._stack[start:]
        return found

    def _deep(self, items: Any) -> int:
        depth: int = 1 + max((getattr(one, "depth", 0) for one in items), default=0)
        if depth > MOST_DEPTH:
            raise damaged(self._in, f"more than {MOST_DEPTH} levels, one in the other,")
        return depth

    def _proto(self) -> None:
        version = self._in.read(1)[0]
        if version not in range(2, 6):
            raise damaged(self._in, f"protocol {version}")

    def _frame(self) -> None:
        self._in.read(8)

    def _none(self) -> None:
        self._push(None)

    def _true(self) -> None:
        self._push(value=True)

    def _false(self) -> None:
        self._push(value=False)

    def _int4(self) -> None:
        self._keep(self._number("<i"))

    def _int1(self) -> None:
        self._push(self._number("<B"))

    def _int2(self) -> None:
        self._keep(self._number("<H"))

    def _long(self) -> None:
        data = self._in.read(self._in.read(1)[0])
        self._keep(int.from_bytes(data, "little", signed=True), len(data))

    def _float(self) -> None:
        self._keep(self._number(">d"))

    def _bytes_1(self) -> None:
        self._bytes("<B")

    def _bytes_4(self) -> None:
        self._bytes("<I")

    def _bytes_8(self) -> None:
        self._bytes("<Q")

    def _text_1(self) -> None:
        self._bytes("<B", text=True)

    def _text_4(self) -> None:
        self._bytes("<I", text=True)

    def _text_8(self) -> None:
        self._bytes("<Q", text=True)

    def _bytes(self, form: str, *, text: bool = False) -> None:
        size = self._number(form)
        if size > _KEPT_BYTES:
            self._keep(Span(self._in.place, size, text))
            self._in.to(self._in.place + size)
            return
        data = self._in.read(size)
        self._keep(data.decode("utf-8") if text else data, size)

    def _mark(self) -> None:
        self._marks.append(len(self._stack))
        if len(self._marks) > _MOST_MARKS:
            raise damaged(self._in, f"more than {_MOST_MARKS} marks")

    def _pop(self) -> None:
        self._stack.pop()

    def _pop_mark(self) -> None:
        self._popped()

    def _list(self) -> None:
        self._hold(List())

    def _append(self) -> None:
        self._extend([self._stack.pop()])

    def _appends(self) -> None:
        self._extend(self._popped())

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, List):
            raise refused(self._in, f"an append to {type(target).__name__.strip('_').lower()}")
        target.extend(items)
        target.depth = max(target.depth, self._deep(items))
        if self._most is not None and len(target) >= self._most:
            raise Enough([Finish(self._in).of(one) for one in target])

    def _tuple(self) -> None:
        self._tupled(self._popped())

    def _tuple_0(self) -> None:
        self._tupled([])

    def _tuple_1(self) -> None:
        self._tupled(self._taken(1))

    def _tuple_2(self) -> None:
        self._tupled(self._taken(2))

    def _tuple_3(self) -> None:
        self._tupled(self._taken(3))

    def _taken(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise damaged(self._in, "a tuple of more than is there")
        found = self._stack[-count:]
        del self._stack[-count:]
        return found

    def _tupled(self, items: list[Any]) -> None:
        made = Tuple(items)
        made.depth = self._deep(items)
        self._hold(made)

    def _put_1(self) -> None:
        self._remember(self._number("<B"))

    def _put_4(self) -> None:
        self._remember(self._number("<I"))

    def _memoize(self) -> None:
        self._remember(len(self._memo))

    def _get_1(self) -> None:
        self._again(self._number("<B"))

    def _get_4(self) -> None:
        self._again(self._number("<I"))

    def _global(self) -> None:
        self._known(self._line(), self._line())

    def _line(self) -> str:
        found = bytearray()
        while (one := self._in.read(1)) != b"\n":
            found += one
            if len(found) > _MOST_TEXT:
                raise damaged(self._in, "a name without an end")
        return found.decode("utf-8", "replace")

    def _stack_global(self) -> None:
        module, name = self._taken(2)
        self._known(module, name)

    def _known(self, module: Any, name: Any) -> None:
        self._push(token_of(self._in, module, name))

    def _reduce(self) -> None:
        self._hold(made_by(self._in, *self._taken(2)))

    def _build(self) -> None:
        target, state = self._taken(2)
        self._push(target)
        fill(self._in, target, state)


_WORK: Final = {
    "proto": [pickle.PROTO],
    "frame": [pickle.FRAME],
    "none": [pickle.NONE],
    "true": [pickle.NEWTRUE],
    "false": [pickle.NEWFALSE],
    "int4": [pickle.BININT],
    "int1": [pickle.BININT1],
    "int2": [pickle.BININT2],
    "long": [pickle.LONG1],
    "float": [pickle.BINFLOAT],
    "bytes_1": [pickle.SHORT_BINBYTES],
    "bytes_4": [pickle.BINBYTES],
    "bytes_8": [pickle.BINBYTES8, pickle.BYTEARRAY8],
    "text_1": [pickle.SHORT_BINUNICODE],
    "text_4": [pickle.BINUNICODE],
    "text_8": [pickle.BINUNICODE8],
    "mark": [pickle.MARK],
    "pop": [pickle.POP],
    "pop_mark": [pickle.POP_MARK],
    "list": [pickle.EMPTY_LIST],
    "append": [pickle.APPEND],
    "appends": [pickle.APPENDS],
    "tuple": [pickle.TUPLE],
    "tuple_0": [pickle.EMPTY_TUPLE],
    "tuple_1": [pickle.TUPLE1],
    "tuple_2": [pickle.TUPLE2],
    "tuple_3": [pickle.TUPLE3],
    "put_1": [pickle.BINPUT],
    "put_4": [pickle.LONG_BINPUT],
    "memoize": [pickle.MEMOIZE],
    "get_1": [pickle.BINGET],
    "get_4": [pickle.LONG_BINGET],
    "global": [pickle.GLOBAL],
    "stack_global": [pickle.STACK_GLOBAL],
    "reduce": [pickle.REDUCE],
    "build": [pickle.BUILD],
}
"""The instructions that are known, and what does each."""
