"""Training files read as somebody without this program reads them: by h5py, NumPy, PyTorch, safetensors, TensorFlow.

Nothing of `rushes.formats` is used here, so that a recipe holds the files themselves against the sessions.

Example (a cell of a recipe):
    >>> def first_pictures(path):
    ...     found = read_file(path)
    ...     return found.pictures(np.arange(4))
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_NAMES: Final = ("inputs", "t_ns", "audio", "audio_mask")
_QUIET: Final = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
"""TensorFlow's remarks about the machine do not belong into a report; only parsing is done here."""
_ROWS: Final = frozenset({"frames", *_NAMES})


@dataclass
class Found:
    """What a reader found.

    Attributes:
        reader: By which library.
        rows: Array of the rows by name: `inputs` (N, A), `t_ns` (N,), perhaps `audio` (N, F), `audio_mask` (N,).
        session: (N,) the id of each row's session.
        columns: Names of the inputs' columns.
        shape: Of the pictures' array.
        pictures: Gives the pictures of some rows: (n,) to (n, H, W, 3) uint8.
        close: Closes the file.
    """

    reader: str
    rows: Mapping[str, npt.NDArray[Any]]
    session: npt.NDArray[np.str_]
    columns: tuple[str, ...]
    shape: tuple[int, ...]
    pictures: Callable[[npt.NDArray[np.int64]], Pixels]
    close: Callable[[], None] = field(default=lambda: None)

    def __repr__(self) -> str:
        return f"<Found by {self.reader}: {self.shape}, {len(self.columns)} columns>"


def read_file(path: Path) -> Found:
    """Read a training file by its ending; a folder is one of TensorFlow's record files.

    Args:
        path: `.h5`, `.npz`, `.pt`, `.safetensors`, or a folder.
    """
    if path.is_dir():
        return _records(path)
    return {".h5": _hdf5, ".npz": _npz, ".pt": _torch, ".safetensors": _safetensors}[path.suffix](path)


def _hdf5(path: Path) -> Found:
    import h5py

    file = h5py.File(path, "r")
    rows = {name: file[name][:] for name in _NAMES if name in file}
    ids = file["metadata"]["id"].astype(str)[file["session"][:]]

    def pictures(wanted: npt.NDArray[np.int64]) -> Pixels:
        found: Pixels = np.stack([file["video"][row] for row in wanted.tolist()])
        return found

    return Found("h5py", rows, ids, tuple(file.attrs["columns"]), file["video"].shape, pictures, file.close)


def _npz(path: Path) -> Found:
    file = np.load(path, allow_pickle=False)
    rows = {name: file[name] for name in _NAMES if name in file}
    video: Pixels = file["video"]
    ids = file["metadata"]["id"].astype(str)[file["session"]]
    columns = tuple(json.loads(file["about"].item())["columns"])
    return Found("numpy", rows, ids, columns, video.shape, video.__getitem__, file.close)


def _torch(path: Path) -> Found:
    import torch

    held = torch.load(path, weights_only=True, mmap=True)
    return _of_tensors("torch", {k: v.numpy() for k, v in held.items() if k != "about"}, held["about"])


def _safetensors(path: Path) -> Found:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        held = {name: file.get_tensor(name) for name in ("video", "session", *_NAMES) if name in file.keys()}  # noqa: SIM118 - it is no mapping
        return _of_tensors("safetensors", held, file.metadata()["about"])


def _of_tensors(reader: str, held: Mapping[str, npt.NDArray[Any]], about: str) -> Found:
    said = json.loads(about)
    ids = np.array([session["metadata"]["id"] for session in said["sessions"]])[held["session"]]
    rows = {name: held[name] for name in _NAMES if name in held}
    video = held["video"]
    return Found(reader, rows, ids, tuple(said["columns"]), video.shape, video.__getitem__)


def has_tensorflow() -> bool:
    """Say whether TensorFlow is installed, without loading it."""
    import importlib.util

    return importlib.util.find_spec("tensorflow") is not None


def _records(path: Path) -> Found:
    """Read windows by tf.data, and take them apart into rows again; the frames that no window shows are not here."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import tensorflow as tf

    said = json.loads((path / "features.json").read_text(encoding="utf-8"))
    kinds = {"bytes": tf.string, "int64": tf.int64, "float": tf.float32}
    wanted = {
        name: tf.io.FixedLenFeature(about["shape"], kinds[about["type"]])
        for name, about in said["features"].items()
        if name in _ROWS or name == "session"
    }
    records = tf.data.TFRecordDataset([str(path / shard["name"]) for shard in said["shards"]])
    parts: dict[str, list[Any]] = {name: [] for name in wanted}
    for row in records.map(lambda record: tf.io.parse_single_example(record, wanted)):
        for name, values in row.items():
            parts[name] += [values.numpy()] if name == "session" else list(values.numpy())
    length = len(parts["frames"]) // len(parts["session"])
    ids = np.repeat([np.ravel(one)[0].decode() for one in parts.pop("session")], length)
    files = parts.pop("frames")

    def pictures(chosen: npt.NDArray[np.int64]) -> Pixels:
        found: Pixels = np.stack([tf.io.decode_image(files[row], 3).numpy() for row in chosen.tolist()])
        return found

    shape = (len(files), *pictures(np.zeros(1, np.int64)).shape[1:])
    rows = {name: np.array(values) for name, values in parts.items()}
    return Found("tensorflow", rows, ids, tuple(said["inputs"]), shape, pictures)
