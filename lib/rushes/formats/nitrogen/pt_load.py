"""A training file opened as a trainer opens it, and with nothing in it run: its tensors mapped, its `meta` checked.

`.pt` goes through `torch.load(weights_only=True, mmap=True)`, which refuses every pickle that would call something;
`.safetensors` through its own library. What a file is, is told by its header alone.

Example:
    >>> from rushes.errors import MissingError
    >>> def shapes(path):
    ...     found = load_file(path)
    ...     return found.obs.shape, found.actions.shape, sorted(found.meta)
"""

from __future__ import annotations

import json
import pickletools
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.model.recording import Picture

_ZIP: Final = b"PK\x03\x04"
_OLD: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How a file of `torch.save(_use_new_zipfile_serialization=False)` begins: its magic number, pickled."""
_OLD_PICKLES: Final = 4
_MOST: Final = 64_000_000
"""Bytes of a header that are looked through."""
_KEYS: Final = frozenset({"obs", "actions"})
_TEXTS: Final = frozenset({"actions_layout", "source_root", "mapping_mode"})
_PICTURES: Final = frozenset({"float16", "float32", "float64", "uint8"})
_AXES: Final = {"obs": 4, "actions": 3}
_WHITE: Final = 255
_SLACK: Final = 0.01
"""How far a float picture may go beyond 0 and 1."""


Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Loaded:
    """The content of a file.

    Attributes:
        obs: (M, 3, H, W), floats from 0 to 1 or uint8; mapped, not read.
        actions: (M', T, A) floats; mapped.
        meta: What the file says of them; empty where it has none.
    """

    obs: npt.NDArray[Any]
    actions: npt.NDArray[Any]
    meta: Mapping[str, Any]


def looks_like(path: Path) -> bool:
    """Say whether a file holds obs and actions.

    Args:
        path: A file.

    Raises:
        BadDataError: A .pt that is cut.
    """
    with path.open("rb") as file:
        head = file.read(max(len(_OLD), 8))
        if head.startswith(_ZIP):
            return _zip_holds_them(path)
        if head.startswith(_OLD):
            file.seek(0)
            return texts_of(file.read(_MOST), pickles=_OLD_PICKLES) >= _KEYS
        if path.suffix != ".safetensors" or len(head) < 8:  # noqa: PLR2004 - the length stands in 8 bytes
            return False
        (length,) = struct.unpack("<Q", head[:8])
        if length > min(_MOST, path.stat().st_size - 8):
            raise _cut(path)
        file.seek(8)
        try:
            said = json.loads(file.read(length))
        except ValueError:
            return False
        return isinstance(said, dict) and set(said) >= _KEYS


def _zip_holds_them(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as file:
            pickles = [i for i in file.infolist() if i.filename.endswith("/data.pkl") and i.file_size <= _MOST]
            return len(pickles) == 1 and texts_of(file.read(pickles[0])) >= _KEYS
    except Exception as error:  # the library has many for what is damaged: zlib.error, UnicodeDecodeError ...
        if path.suffix == ".pt":
            raise _cut(path) from error
        return False


def texts_of(data: bytes, *, pickles: int = 1) -> set[str]:
    """List the texts in pickles without running them."""
    found: set[str] = set()
    at = 0
    try:
        for _ in range(pickles):
            for code, value, place in pickletools.genops(data[at:] if at else data):
                if isinstance(value, str) and "UNICODE" in code.name:
                    found.add(value)
                end = (place or 0) + 1
            at += end
    except (ValueError, IndexError, EOFError, UnicodeDecodeError):
        pass
    return found


def _cut(path: Path) -> BadDataError:
    return BadDataError(
        f"{path}: a file of tensors that is cut or damaged", accepts="a whole file", fix="write it again, or copy it"
    )


def load_file(path: Path) -> Loaded:
    """Open a file; nothing in it is run, and the pictures are not read.

    Args:
        path: A .pt or .safetensors file.

    Raises:
        BadDataError: It is cut, hostile, or does not hold obs and actions of the right shapes; the message says which.
    """
    held = _load_safetensors(path) if path.suffix == ".safetensors" else _load_torch(path)
    for name, axes in _AXES.items():
        if name not in held:
            raise BadDataError(
                f"{path}: no {name}", accepts="a dict with obs, actions and meta", fix="convert the source again"
            )
        array = held[name]
        if not isinstance(array, np.ndarray) or array.ndim != axes or str(array.dtype) not in _PICTURES:
            said = f"shape {array.shape}, {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
            raise BadDataError(
                f"{path}: {name} of {said}",
                accepts="obs (M, 3, H, W) and actions (M, T, A), floats or uint8",
                fix="convert the source again",
            )
    obs, actions = held["obs"], held["actions"]
    if obs.shape[1] != 3 or 0 in obs.shape or 0 in actions.shape:  # noqa: PLR2004 - RGB
        raise BadDataError(
            f"{path}: obs {obs.shape}, actions {actions.shape}",
            accepts="(M, 3, H, W) and (M, T, A) with at least one row",
            fix="convert the source again",
        )
    size = path.stat().st_size
    for name, array in (("obs", obs), ("actions", actions)):
        if array.nbytes > size:  # one number that is said to stand everywhere fills the memory of whoever counts on it
            raise BadDataError(
                f"{path}: {name} of shape {array.shape}, which is more than the {size:,} bytes of the file",
                accepts="tensors whose numbers all stand in the file",
                fix="convert the source again",
            )
    meta = held.get("meta")
    return Loaded(obs, actions, meta if isinstance(meta, dict) else {})


def _load_torch(path: Path) -> dict[str, Any]:
    import torch

    with path.open("rb") as file:
        mapped = file.read(len(_ZIP)) == _ZIP
    try:
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # whatever a hostile or damaged file brings about
        first = str(error).strip().splitlines()[:1]
        raise BadDataError(
            f"{path}: torch does not load it as plain tensors ({type(error).__name__}: {''.join(first)[:200]})",
            accepts="tensors, numbers, texts, lists and dicts; nothing that would be run",
            fix="restore it from a copy; do not load it in another way unless you trust who made it",
        ) from error
    if not isinstance(held, dict):
        raise BadDataError(f"{path}: a {type(held).__name__}", accepts="a dict", fix="convert the source again")
    return {key: _as_array(path, key, value) if key in _AXES else value for key, value in held.items()}


def _as_array(path: Path, key: str, value: Any) -> Any:
    try:
        return value.detach().numpy()
    except Exception as error:  # no tensor, or one without plain numbers
        raise BadDataError(
            f"{path}: {key} is no array of plain numbers ({type(value).__name__}, {getattr(value, 'dtype', '')})",
            accepts="a dense tensor of float16, float32, float64 or uint8",
            fix="convert the source again",
        ) from error


def _load_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy") as file:  # checks that the header fits the file
            names, texts = set(file.keys()), file.metadata() or {}
        with path.open("rb") as raw:
            (length,) = struct.unpack("<Q", raw.read(8))
            header = json.loads(raw.read(length))
        held: dict[str, Any] = {
            name: np.memmap(
                path,
                dtype={"F16": "<f2", "F32": "<f4", "F64": "<f8", "U8": "u1"}[header[name]["dtype"]],
                mode="r",
                offset=8 + length + header[name]["data_offsets"][0],
                shape=tuple(header[name]["shape"]),
            )
            for name in names & _KEYS
        }
    except Exception as error:  # the library's own class, and whatever else does not fit
        raise BadDataError(
            f"{path}: no file of tensors ({error})", accepts="a whole .safetensors file", fix="convert the source again"
        ) from error
    return {**held, "meta": {key: text if key in _TEXTS else _value(text) for key, text in texts.items()}}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class TensorFrames:
    """Frames that lie in a tensor; see `imported.Frames`.

    Attributes:
        where: The file.
        obs: (M, 3, H, W), mapped.
        numbers: Which window each frame is.
    """

    where: str
    obs: npt.NDArray[Any]
    numbers: Ints

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Read pictures in order: (H, W, 3) uint8 RGB.

        Raises:
            BadDataError: A picture that is no numbers from 0 to 1; the message names the row.
        """
        for number in self.numbers[start:stop].tolist():
            planes = self.obs[number]
            if planes.dtype != np.uint8:
                low, high = float(planes.min()), float(planes.max())
                if not -_SLACK <= low <= high <= 1 + _SLACK:
                    raise BadDataError(
                        f"{self.where}, obs row {number}: values from {low:g} to {high:g}",
                        accepts="a picture with values from 0 to 1",
                        fix="convert the source again",
                    )
                planes = np.rint(planes.clip(0, 1) * _WHITE).astype(np.uint8)
            yield np.ascontiguousarray(planes.transpose(1, 2, 0))

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file."""
        return iter([None] * (stop - start))
