"""The training file as tensors: a `.pt` that `torch.load(path, weights_only=True)` reads, or a `.safetensors`.

The tensors are those of `formats.training.plan` and `statistics_...`; `about` is a JSON text (in `__metadata__` of a
.safetensors). Tables of records (`metadata`, `frames`, `steps`, `events` ...) stand as bytes, a row a record, and
`about` says in `tables` what NumPy type a row is: `np.dtype([tuple(f) for f in tables["metadata"]])`. With `mmap=True`
nothing is read before it is used. Writing takes little memory, whatever the length.

Example:
    >>> TorchFile().Options(size="64").layout
    ''
    >>> # convert("data/sessions", "game.pt", format="torch", options=["size=224"])
    >>> # data = torch.load("game.pt", weights_only=True, mmap=True); data["video"][:16], data["inputs"][:16]
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.base import Progress
from rushes.formats.card import export
from rushes.formats.nitrogen.pt_load import texts_of
from rushes.formats.report import Report
from rushes.formats.tensor_file import DTYPES, Blueprint, Tensor, blueprint
from rushes.formats.tensor_writer import TensorWriter
from rushes.formats.training.file import TrainingFile
from rushes.formats.training.fill import fill, settle
from rushes.formats.training.flat import ABOUT, NEEDED, Flat, about_file, small_arrays
from rushes.formats.training.plan import Plan, Take
from rushes.formats.training.reread import read_json, recordings_of
from rushes.model.recording import Sessions

SAFE: Final = ".safetensors"
TABLES: Final = "tables"
_MAGIC: Final = b"PK\x03\x04"
_MOST: Final = 64_000_000
"""Bytes of a header that are looked through."""
_OF_SAFE: Final = {short: np.dtype(name) for name, (_, short) in DTYPES.items()}


class TorchFile(TrainingFile):
    """One file of tensors."""

    name: ClassVar[str] = "torch"
    looks_for: ClassVar[str] = "a .pt or .safetensors file with video, inputs, metadata and about"

    def sniff(self, path: Path) -> bool:
        """Say whether a file holds our tensors, by its header alone; nothing in it is run."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(8)
            if head.startswith(_MAGIC):
                return _zip_holds_them(path)
            if len(head) < 8 or (size := struct.unpack("<Q", head)[0]) > min(_MOST, path.stat().st_size - 8):  # noqa: PLR2004 - the length stands in 8 bytes
                return False
            try:
                said = json.loads(file.read(size))
            except (ValueError, RecursionError):
                return False
            return isinstance(said, dict) and set(said) >= NEEDED - {ABOUT}

    def read(self, path: Path, options: Any) -> Sessions:
        """Open a file; nothing in it is run, and pictures are read when they are asked for."""
        del options
        return Sessions(recordings_of(Flat(str(path), partial(_load, path))), format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: Any,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write all rows of all recordings; see `Format.write`. Without the ending .safetensors it is a .pt."""
        del executor  # one thread writes what others decode
        plan = Plan(source, options)
        form = _blueprint(plan, path)
        with export(self, source, path, options, folder=False) as job:
            with TensorWriter(job.partial, None, form, plan="") as writer:
                statistics = fill(plan, _Tensors(writer, plan), progress=progress)
                for name, values in small_arrays(statistics).items():
                    writer.write(name, values)
                writer.finish()
            settle(plan, job, statistics)
        return job.report


def _is_table(dtype: Any) -> bool:
    return np.dtype(dtype).names is not None


def _blueprint(plan: Plan, path: Path) -> Blueprint:
    """Lay the file out: wide numbers first, so that every tensor begins where its numbers can be read in place."""
    tensors = []
    for array in plan.arrays.values():
        count = plan.total(array.name)
        if _is_table(array.dtype):
            tensors.append(Tensor(array.name, (count, array.row_bytes), "uint8"))
        else:
            tensors.append(Tensor(array.name, (count, *array.tail), array.dtype))
    for name, values in small_arrays(plan.statistics()).items():
        tensors.append(Tensor(name, values.shape, str(values.dtype)))  # type: ignore[arg-type]
    tensors.sort(key=lambda tensor: -np.dtype(tensor.dtype).itemsize)
    types = {array.name: _fields(np.dtype(array.dtype)) for array in plan.arrays.values() if _is_table(array.dtype)}
    suffix = SAFE if path.suffix == SAFE else ".pt"
    return blueprint(suffix, tensors, {ABOUT: about_file(plan, **{TABLES: types})})


def _fields(dtype: np.dtype[Any]) -> list[list[Any]]:
    """Say what a record is, as JSON: name, type, and shape where there is one."""
    return [[name, one.base.str, *([list(one.shape)] if one.shape else [])] for name, (one, *_) in _items(dtype)]


def _items(dtype: np.dtype[Any]) -> list[tuple[str, tuple[Any, ...]]]:
    assert dtype.names is not None
    assert dtype.fields is not None
    return [(name, tuple(dtype.fields[name])) for name in dtype.names]


class _Tensors:
    """See `training.fill.Sink`."""

    def __init__(self, writer: TensorWriter, plan: Plan) -> None:
        self._writer, self._plan = writer, plan

    def write(self, take: Take, name: str, rows: npt.NDArray[Any]) -> None:
        del take
        if not len(rows) or not rows.nbytes:
            return
        if _is_table(rows.dtype):
            rows = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
        self._writer.write(name, rows)


def _zip_holds_them(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [i for i in archive.infolist() if i.filename.endswith("/data.pkl") and i.file_size <= _MOST]
            return len(pickles) == 1 and texts_of(archive.read(pickles[0])) >= NEEDED
    except Exception:  # noqa: BLE001 - the library has many for what is damaged
        return False  # the formats before this one have told what is wrong


def _load(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        is_zip = file.read(len(_MAGIC)) == _MAGIC
    held = _load_torch(path) if is_zip else _load_safe(path)
    size = path.stat().st_size
    for name, array in held.items():  # one number that is said to stand everywhere fills the memory of whoever reads it
        if isinstance(array, np.ndarray) and array.nbytes > size:
            raise _damage(path, f"{name} of {array.nbytes:,} bytes in a file of {size:,}")
    said = read_json(str(held.get(ABOUT, "{}")), str(path))
    types = said.get(TABLES, {})
    return {name: _records(path, name, array, types) for name, array in held.items()}


def _records(path: Path, name: str, array: Any, types: Any) -> Any:
    """Give a table its type again."""
    if not isinstance(types, dict) or name not in types or not isinstance(array, np.ndarray):
        return array
    try:
        dtype = np.dtype([(one[0], one[1], *map(tuple, one[2:])) for one in types[name]])
        if array.size and not dtype.hasobject:
            return np.ascontiguousarray(array).reshape(-1).view(dtype)
        return np.zeros(0, dtype)
    except (TypeError, ValueError, IndexError) as error:
        raise _damage(path, f"{name}: {error}") from error


def _damage(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path}: {what}", accepts="plain tensors, as rushes writes them", fix="write it again, or copy it again"
    )


def _load_torch(path: Path) -> dict[str, Any]:
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in held.items()}
    except Exception as error:  # whatever a hostile or damaged file brings about
        first = "".join(str(error).strip().splitlines()[:1])[:200]
        raise _damage(path, f"torch does not load it as plain tensors ({type(error).__name__}: {first})") from error


def _load_safe(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy") as file:  # checks that the header fits the file
            names, texts = list(file.keys()), file.metadata() or {}
        with path.open("rb") as raw:
            (length,) = struct.unpack("<Q", raw.read(8))
            header = json.loads(raw.read(length))
        held: dict[str, Any] = {}
        for name in names:
            said = header[name]
            dtype, shape = _OF_SAFE[said["dtype"]], tuple(said["shape"])
            at = 8 + length + said["data_offsets"][0]
            held[name] = np.zeros(shape, dtype) if 0 in shape else np.memmap(path, dtype, "r", at, shape)
    except Exception as error:  # the library's own class, and whatever else does not fit
        raise _damage(path, f"no file of tensors ({error})") from error
    return {**held, **texts}
