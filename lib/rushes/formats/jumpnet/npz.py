"""NPZ files written member by member in bounded memory, typed ones and the pickled rows of the reference.

`np.savez` wants every array at once. Here pictures go into the file as they come: typed ones one behind the other,
and rows of objects as the pickle that NumPy itself would make, put together row by row from the pickler's documented
instructions. NumPy reads both; the same content gives the same bytes.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npz"
    >>> with NpzWriter(path) as npz:
    ...     npz.array("keys", np.array(["w"]))
    ...     with npz.objects("data", (2, 2)) as rows:
    ...         rows.write([np.float32([0.5]), 1.0])
    ...         rows.write([np.float32([0.7]), "press"])
    >>> np.load(path, allow_pickle=True)["data"].tolist()
    [[array([0.5], dtype=float32), 1.0], [array([0.7], dtype=float32), 'press']]
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.formats.jumpnet.members import ENDING

_DATE: Final = (1980, 1, 1, 0, 0, 0)
_UNPICKLE: Final = b"cnumpy.core.multiarray\n_reconstruct\n"
"""By this name NumPy 1 and NumPy 2 know it."""
_SMALL: Final = 256


class NpzWriter:
    """Writes an NPZ file.

    Args:
        path: A new file.
        deflated: Compress the arrays; otherwise they are stored.
    """

    def __init__(self, path: Path, *, deflated: bool = False) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED)

    def array(self, name: str, values: npt.NDArray[Any]) -> None:
        """Write a small array; objects are pickled by NumPy."""
        with self._member(name) as file:
            np.lib.format.write_array(file, values, allow_pickle=values.dtype.hasobject)

    @contextmanager
    def rows(self, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
        """Write a typed array piece by piece: what is given to `write` stands in it in that order.

        Args:
            name: Of the member.
            dtype: Of its numbers.
            shape: Of the whole.
        """
        with self._member(name) as file:
            header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            yield file

    @contextmanager
    def objects(self, name: str, shape: tuple[int, int]) -> Iterator[ObjectRows]:
        """Write an array of objects row by row.

        Args:
            name: Of the member.
            shape: Rows, and values a row.
        """
        with self._member(name) as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": shape})
            rows = ObjectRows(file, shape)
            yield rows
            rows.end()

    @contextmanager
    def _member(self, name: str) -> Iterator[Any]:
        info = zipfile.ZipInfo(name + ENDING, _DATE)
        info.external_attr = 0o600 << 16
        info.compress_type = self._zip.compression
        with self._zip.open(info, "w", force_zip64=True) as file:
            yield file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()


class ObjectRows:
    """The pickle of an (N, M) array of objects, as NumPy's own reading takes it.

    Args:
        file: Where to write, behind the array's header.
        shape: N, M.
    """

    def __init__(self, file: IO[bytes], shape: tuple[int, int]) -> None:
        self._file = file
        self._dtypes: dict[str, int] = {}
        file.write(pickle.PROTO + b"\x03")
        # what every array begins with: _reconstruct(ndarray, (0,), b"b"); its parts are kept under 0 and 1
        file.write(_UNPICKLE + pickle.BINPUT + b"\x00")
        begin = b"cnumpy\nndarray\n" + _int(0) + pickle.TUPLE1 + pickle.SHORT_BINBYTES + b"\x01b" + pickle.TUPLE3
        file.write(begin + pickle.BINPUT + b"\x01" + pickle.REDUCE)
        self._state(shape, np.dtype(object))
        file.write(pickle.EMPTY_LIST)

    def write(self, values: Sequence[Any]) -> None:
        """Write one row: arrays of numbers, numbers and texts."""
        self._file.write(pickle.MARK)
        for value in values:
            self._value(value)
        self._file.write(pickle.APPENDS)

    def end(self) -> None:
        """Write what stands behind the last row."""
        self._file.write(pickle.TUPLE + pickle.BUILD + pickle.STOP)

    def _value(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            whole = np.ascontiguousarray(value)
            self._file.write(pickle.BINGET + b"\x00" + pickle.BINGET + b"\x01" + pickle.REDUCE)
            self._state(whole.shape, whole.dtype)
            self._file.write(pickle.BINBYTES + struct.pack("<I", whole.nbytes))
            self._file.write(whole.data)
            self._file.write(pickle.TUPLE + pickle.BUILD)
        elif isinstance(value, str):
            text = value.encode()
            self._file.write(pickle.BINUNICODE + struct.pack("<I", len(text)) + text)
        elif isinstance(value, int):
            self._file.write(_int(value))
        else:
            self._file.write(pickle.BINFLOAT + struct.pack(">d", value))

    def _state(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Begin the state of an array: version, shape, type and order; its content follows."""
        self._file.write(pickle.MARK + _int(1) + pickle.MARK + b"".join(map(_int, shape)) + pickle.TUPLE)
        place = self._dtypes.get(dtype.str)
        if place is None:
            place = self._dtypes[dtype.str] = len(self._dtypes) + 2
            text = dtype.str[1:].encode()
            plain = dtype.byteorder == "|"
            made = b"cnumpy\ndtype\n" + pickle.BINUNICODE + struct.pack("<I", len(text)) + text
            made += pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE
            rest = pickle.NONE * 3 + _int(-1) * 2 + _int(63 if dtype.hasobject else 0)
            order = pickle.BINUNICODE + struct.pack("<I", 1) + (b"|" if plain else dtype.str[:1].encode())
            made += pickle.MARK + _int(3) + order + rest + pickle.TUPLE + pickle.BUILD
            self._file.write(made + pickle.BINPUT + bytes([place]))
        else:
            self._file.write(pickle.BINGET + bytes([place]))
        self._file.write(pickle.NEWFALSE)


def _int(value: int) -> bytes:
    if 0 <= value < _SMALL:
        return pickle.BININT1 + bytes([value])
    if -(1 << 31) <= value < 1 << 31:
        return pickle.BININT + struct.pack("<i", value)
    data = value.to_bytes(8, "little", signed=True)
    return pickle.LONG1 + bytes([len(data)]) + data
