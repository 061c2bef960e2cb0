"""What a pickle of arrays may name: NumPy's own constructors, known by their names and never called.

Example:
    >>> import io
    >>> from rushes.formats.jumpnet.members import Stream
    >>> stream = Stream(io.BytesIO(b""), 0, "demo")
    >>> made_by(stream, token_of(stream, "numpy", "dtype"), Tuple(["f4"])).dtype
    dtype('float32')
    >>> token_of(stream, "os", "system")
    Traceback (most recent call last):
    ...
    rushes.errors.BadDataError: demo: a pickle that asks for os.system; it was not run, for safety; accepted: ...
"""

from __future__ import annotations

from typing import Any, Final

from rushes.errors import BadDataError
from rushes.formats.jumpnet.members import Stream
from rushes.formats.jumpnet.values import (
    Dtype,
    Pending,
    Span,
    Token,
    Tuple,
    array_of,
    damaged,
    dtype_of,
    values_of,
    word,
)

_CORES: Final = ("numpy.core", "numpy._core")
_TOKENS: Final = {
    **{(f"{core}.multiarray", "_reconstruct"): "reconstruct" for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): "scalar" for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): "frombuffer" for core in _CORES},
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("_codecs", "encode"): "encode",
    ("__builtin__", "bytes"): "bytes",
}
"""The names that are known: what NumPy and the pickler write for arrays, scalars and bytes."""


def refused(stream: Stream, found: str) -> BadDataError:
    """Make the error for what is not run."""
    return BadDataError(
        f"{stream.where}: a pickle that asks for {found}; it was not run, for safety",
        accepts="NumPy arrays, numbers and strings",
        fix="do not load this file with allow_pickle=True; ask for one whose rows hold nothing else",
    )


def token_of(stream: Stream, module: Any, name: Any) -> Token:
    """Give what stands for a name.

    Raises:
        BadDataError: No other name than those of NumPy's constructors is known.
    """
    token = _TOKENS.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
    if token is None:
        raise refused(stream, f"{word(module)}.{word(name)}")
    return Token(token)


def made_by(stream: Stream, call: Any, given: Any) -> Any:
    """Make what a known constructor would have made.

    Args:
        stream: What is read.
        call: What the pickle wants to call.
        given: With what.

    Raises:
        BadDataError: It is no known constructor, or is given what it does not take.
    """
    if not isinstance(call, Token) or not isinstance(given, Tuple):
        raise refused(stream, f"a call of {type(call).__name__.strip('_').lower()}")
    return _made(stream, call.name, given)


def _made(stream: Stream, name: str, given: Tuple) -> Any:
    if name == "reconstruct":
        kind, *_ = given
        if not (isinstance(kind, Token) and kind.name == "ndarray"):
            raise refused(stream, "an array of another class than numpy.ndarray")
        return Pending()
    if name == "dtype":
        return Dtype(dtype_of(stream, given[0]))
    if name == "scalar":
        dtype, data = given
        if dtype.dtype.hasobject or len(data) != dtype.dtype.itemsize:
            raise damaged(stream, f"{len(data)} bytes for a {dtype.dtype}")
        return values_of(stream, (1,), dtype.dtype, data, fortran=False)[0]
    if name == "encode":
        data, code = given
        if not isinstance(code, str) or code not in {"latin1", "latin-1"}:
            raise refused(stream, f"text in {word(code)}")
        return data if isinstance(data, Span) else data.encode("latin-1")
    if name == "frombuffer":
        data, dtype, shape, order = given
        made = Pending()
        made.value = array_of(stream, shape, dtype.dtype, data, fortran=order == "F")
        return made
    if name == "bytes" and not given:  # as protocol 2 writes none
        return b""
    raise refused(stream, f"a call of {name}")


def fill(stream: Stream, target: Any, state: Any) -> None:
    """Give a type its byte order, or an array its content.

    Raises:
        BadDataError: Nothing else has a state, and this is none that these have.
    """
    if isinstance(target, Dtype) and isinstance(state, Tuple):
        order = state[1]
        if not isinstance(order, str) or order not in {"<", ">", "=", "|"}:
            raise damaged(stream, f"the byte order {word(order)!r}")
        if order != "|":
            target.dtype = target.dtype.newbyteorder(order)  # type: ignore[arg-type]
        if any(one is not None for one in state[2:5]):
            raise refused(stream, "an array of records")
    elif isinstance(target, Pending) and isinstance(state, Tuple):
        _, shape, dtype, fortran, data = state
        target.value = array_of(stream, shape, dtype.dtype, data, fortran=bool(fortran))
    else:
        raise refused(stream, f"a state for {type(target).__name__.strip('_').lower()}")
