"""Files of tensors laid out before a row is there: what `torch.load` or `safetensors` reads, without ever holding it.

Where every byte stands follows from the names, shapes and dtypes, so a file of any size is laid out first and filled in
place by `rushes.formats.tensor_writer`. The headers, with the CRC32 of each record of a .pt, come when all
rows are there.

| suffix | form | source |
| --- | --- | --- |
| `.pt` | a ZIP without compression: data.pkl with a dict, each tensor a record | `torch.save` since 1.6 |
| `.safetensors` | length, JSON header, data; the dict's other values as texts in `__metadata__` | its README |

Example:
    >>> form = blueprint(".pt", [Tensor("obs", (1000, 3, 256, 256), "float32")], {"meta": {"img_size": 256}})
    >>> form.offsets["obs"] % 4096, form.size - form.tensors["obs"].size < 40_000
    (0, True)
"""

from __future__ import annotations

import io
import json
import math
import pickle
import struct
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from rushes.errors import BadInputError

DType = Literal["float32", "float64", "int64", "int16", "uint8", "bool"]
SUFFIXES: Final = (".pt", ".safetensors")

_ROOT: Final = "archive"
_ALIGNED: Final = 4096
"""Where data begin in the file: at a page, so that they can be mapped."""
_FITS: Final = 0xFFFFFFFF
"""From here on ZIP takes 64 bits (APPNOTE 4.4.8, 4.4.9)."""
_DATE: Final = 0x21  # 1 January 1980: the same bytes whenever it is written
_PADDING: Final = 0x4246  # the extra field that torch pads with, "FB"
DTYPES: Final = {
    "float32": ("FloatStorage", "F32"),
    "float64": ("DoubleStorage", "F64"),
    "int64": ("LongStorage", "I64"),
    "int16": ("ShortStorage", "I16"),
    "uint8": ("ByteStorage", "U8"),
    "bool": ("BoolStorage", "BOOL"),
}
"""NumPy's name -> torch's class of storage, and the name in safetensors."""


@dataclass(frozen=True)
class Tensor:
    """A tensor to be written.

    Attributes:
        name: Its key.
        shape: Rows first.
        dtype: As NumPy names it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType

    @property
    def row_bytes(self) -> int:
        """Bytes a row."""
        return math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize

    @property
    def size(self) -> int:
        """Bytes."""
        return self.shape[0] * self.row_bytes


class _Record(NamedTuple):
    """One file of the ZIP: its bytes, or the tensor that they are."""

    name: str
    head: int
    data: int
    size: int
    content: bytes | str


@dataclass(frozen=True)
class Blueprint:
    """Where everything stands in a file.

    Attributes:
        tensors: Name -> tensor.
        offsets: Name -> its first byte.
        size: Bytes of the file.
    """

    tensors: Mapping[str, Tensor]
    offsets: Mapping[str, int]
    size: int
    _records: tuple[_Record, ...] = ()
    _header: bytes = b""

    def around(self, crcs: Mapping[str, int]) -> list[tuple[int, bytes]]:
        """Make what is not data.

        Args:
            crcs: Name -> CRC32 of the tensor's bytes.

        Returns:
            Offsets with the bytes that stand there.
        """
        if not self._records:
            return [(0, self._header)]
        parts, directory = [], b""
        for r in self._records:
            crc = zlib.crc32(r.content) if isinstance(r.content, bytes) else crcs[r.content]
            parts.append((r.head, _local(r, crc)))
            if isinstance(r.content, bytes):
                parts.append((r.data, r.content))
            directory += _central(r, crc)
        last = self._records[-1]
        at = last.data + last.size
        return [*parts, (at, directory + _end(len(self._records), len(directory), at))]

    def __repr__(self) -> str:
        return f"Blueprint({', '.join(self.tensors)}: {self.size} bytes)"


def blueprint(suffix: str, tensors: Sequence[Tensor], rest: Mapping[str, Any]) -> Blueprint:
    """Lay a file out.

    Args:
        suffix: `.pt` or `.safetensors`.
        tensors: In their order.
        rest: What else the dict holds: plain values, dicts and lists.

    Returns:
        Where everything stands.

    Raises:
        BadInputError: Another suffix.
    """
    if suffix == ".pt":
        return _torch_file(tensors, rest)
    if suffix == ".safetensors":
        return _safetensors_file(tensors, rest)
    raise BadInputError(
        f"a file of tensors that ends in {suffix!r}",
        accepts=" or ".join(SUFFIXES),
        fix="name it so that it ends in .pt",
    )


def _torch_file(tensors: Sequence[Tensor], rest: Mapping[str, Any]) -> Blueprint:
    contents: list[tuple[str, bytes | str]] = [("data.pkl", _pickled(tensors, rest)), ("byteorder", b"little")]
    contents += [(f"data/{number}", tensor.name) for number, tensor in enumerate(tensors)]
    contents.append(("version", b"3\n"))
    sizes = {tensor.name: tensor.size for tensor in tensors}
    records, at = [], 0
    for name, content in contents:
        size = len(content) if isinstance(content, bytes) else sizes[content]
        plain = _Record(f"{_ROOT}/{name}", at, 0, size, content)
        least = at + len(_local(plain, 0, padded=False)) + 4
        record = plain._replace(data=-(-least // _ALIGNED) * _ALIGNED)
        records.append(record)
        at = record.data + size
    size = at + sum(len(_central(r, 0)) for r in records)
    size += len(_end(len(records), size - at, at))
    offsets = {r.content: r.data for r in records if isinstance(r.content, str)}
    return Blueprint({t.name: t for t in tensors}, offsets, size, tuple(records))


class _Stored(NamedTuple):
    """Stands for a storage; pickled by its persistent id."""

    key: str
    kind: Any
    numbers: int


class _Pickler(pickle.Pickler):
    """Pickles tensors as `torch.save` does, without data."""

    def persistent_id(self, obj: Any) -> Any:
        return ("storage", obj.kind, obj.key, "cpu", obj.numbers) if isinstance(obj, _Stored) else None

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, Tensor):
            return NotImplemented
        import torch

        number = self.order.index(obj.name)
        kind = getattr(torch, DTYPES[obj.dtype][0])
        steps = [math.prod(obj.shape[place + 1 :]) for place in range(len(obj.shape))]
        stored = _Stored(str(number), kind, math.prod(obj.shape))
        return torch._utils._rebuild_tensor_v2, (stored, 0, obj.shape, tuple(steps), False, OrderedDict())  # noqa: SLF001 - the name that files hold

    order: list[str]


def _pickled(tensors: Sequence[Tensor], rest: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    pickler = _Pickler(out, protocol=2)
    pickler.order = [tensor.name for tensor in tensors]
    pickler.dump({**{tensor.name: tensor for tensor in tensors}, **rest})
    return out.getvalue()


def _local(r: _Record, crc: int, *, padded: bool = True) -> bytes:
    """Write a local file header (APPNOTE 4.3.7), padded so that the data begin where they shall."""
    wide = r.size >= _FITS
    shown, extra = (_FITS, struct.pack("<HHQQ", 1, 16, r.size, r.size)) if wide else (r.size, b"")
    name = r.name.encode()
    if padded:
        room = r.data - r.head - 30 - len(name) - len(extra) - 4
        extra += struct.pack("<HH", _PADDING, room) + b"Z" * room
    version = 45 if wide else 20
    return (
        struct.pack("<IHHHHHIIIHH", 0x04034B50, version, 0, 0, 0, _DATE, crc, shown, shown, len(name), len(extra))
        + name
        + extra
    )


def _central(r: _Record, crc: int) -> bytes:
    """Write an entry of the central directory (APPNOTE 4.3.12)."""
    wide = [value for value in (r.size, r.size, r.head) if value >= _FITS]
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size, head = min(r.size, _FITS), min(r.head, _FITS)
    name, version = r.name.encode(), 45 if wide else 20
    fixed = (0x02014B50, version, version, 0, 0, 0, _DATE, crc, size, size, len(name), len(extra), 0, 0, 0, 0, head)
    return struct.pack("<IHHHHHHIIIHHHHHII", *fixed) + name + extra


def _end(count: int, size: int, at: int) -> bytes:
    """Write the end of the central directory (APPNOTE 4.3.14 to 4.3.16)."""
    wide = b""
    if at >= _FITS:
        wide = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, at)
        wide += struct.pack("<IIQI", 0x07064B50, 0, at + size, 1)
    return wide + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, min(at, _FITS), 0)


def _safetensors_file(tensors: Sequence[Tensor], rest: Mapping[str, Any]) -> Blueprint:
    text = {key: json.dumps(value) if not isinstance(value, str) else value for key, value in _flat(rest).items()}
    header: dict[str, Any] = {"__metadata__": text} if text else {}
    starts, at = {}, 0
    for tensor in tensors:
        starts[tensor.name] = at
        about = {"dtype": DTYPES[tensor.dtype][1], "shape": list(tensor.shape)}
        header[tensor.name] = {**about, "data_offsets": [at, at + tensor.size]}
        at += tensor.size
    said = json.dumps(header, separators=(",", ":")).encode()
    begin = -(-(8 + len(said)) // _ALIGNED) * _ALIGNED
    said = said.ljust(begin - 8)
    offsets = {name: begin + start for name, start in starts.items()}
    return Blueprint({t.name: t for t in tensors}, offsets, begin + at, _header=struct.pack("<Q", len(said)) + said)


def _flat(rest: Mapping[str, Any]) -> dict[str, Any]:
    """Take dicts of the first level apart: the form knows one level of texts."""
    found: dict[str, Any] = {}
    for key, value in rest.items():
        found |= value if isinstance(value, Mapping) else {key: value}
    return found
