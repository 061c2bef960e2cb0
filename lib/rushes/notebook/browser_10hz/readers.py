"""What was exported, read as somebody without this program reads it: with json, NumPy, Pillow and OpenCV.

Nothing of `rushes.formats` is used here, so that the recipe holds the files themselves against the session.

Example (a cell of the recipe):
    >>> def first_keys(folder):
    ...     return read_set(folder).keys[0]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

KEYS: Final = ("W", "A", "S", "D", "Space", "E", "R")
"""Keys of a row of a set."""
_OF_ROW: Final = 3
"""Fields of a record that are no telemetry: its time, segment and frame."""


@dataclass(frozen=True)
class Found:
    """What a reader found.

    Attributes:
        reader: By which libraries.
        pictures: Gives them one after the other: (H, W, 3) uint8 RGB.
        rows: How many rows there are.
        t_ms: (N,) times of the rows, ms; None where the file tells none.
        keys: (N, K) what was done on each row; None where the file tells nothing.
        columns: Names of the keys.
        telemetry: Column -> a value a row, None where there is none.
        single: Whether times are of single precision.
    """

    reader: str
    pictures: Callable[[], Iterator[Pixels]]
    rows: int
    t_ms: Floats | None = None
    keys: Floats | None = None
    columns: tuple[str, ...] = ()
    telemetry: dict[str, list[Any]] | None = None
    single: bool = False

    def __repr__(self) -> str:
        return f"<Found by {self.reader}: {self.rows} rows, {len(self.columns)} columns>"


def read_set(folder: Path) -> Found:
    """Read a set as its guide does: the arrays by NumPy, the rows by json.

    Args:
        folder: The set.
    """
    (data,) = folder.glob("*_data.jsonl")
    rows = _rows(data)
    frames = np.load(data.with_name(data.name.replace("_data.jsonl", "_frames.npy")), mmap_mode="r")
    times = np.load(data.with_name(data.name.replace("_data.jsonl", "_timestamps.npy")))
    found = _of_rows("NumPy and json", rows, np.asarray(times, np.float64), lambda: iter(frames), len(frames))
    return replace(found, single=times.dtype == np.float32)


def read_pngs(folder: Path) -> Found:
    """Read a set as its guide does: the pictures one by one, times and keys from the rows.

    Args:
        folder: The set.
    """
    (data,) = folder.glob("*_data.jsonl")
    rows = _rows(data)
    files = sorted(folder.glob("*_frame_*.png"))
    times = np.array([row["timestamp_ms"] for row in rows], np.float64)
    return _of_rows("Pillow and json", rows, times, lambda: map(_png, files), len(files))


def _png(path: Path) -> Pixels:
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB"))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _of_rows(
    reader: str, rows: Sequence[dict[str, Any]], t_ms: Floats, pictures: Callable[[], Iterator[Pixels]], count: int
) -> Found:
    names = (*KEYS, "mouse_dx", "mouse_dy")
    keys = np.array([[row["key_presses"][name] for name in names] for row in rows], np.float64)
    robot = [row.get("robot", {}) for row in rows]
    telemetry: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in ("battery", "health", "zone")}
    for prefix, where in (("position", "position"), ("velocity", "velocity")):
        for axis in "xyz":
            telemetry[f"{prefix}_{axis}"] = [one.get(where, {}).get(axis) for one in robot]
    whole = count if count == len(rows) == len(t_ms) else min(count, len(rows), len(t_ms))
    return Found(reader, pictures, whole, t_ms, keys, names, telemetry)


def read_arrays(path: Path) -> Found:
    """Read an NPZ file.

    Args:
        path: The file.
    """
    file = np.load(path, allow_pickle=False)
    video, inputs = file["video"], file["inputs"].astype(np.float64)
    columns = tuple(json.loads(file["about"].item())["columns"])
    t_ms = np.asarray(file["t_ns"] / 1e6, np.float64)
    telemetry = _of_records(file["telemetry"], file["frame_index"]) if "telemetry" in file else None
    return Found("NumPy", lambda: iter(video), len(video), t_ms, inputs, columns, telemetry)


def _of_records(told: npt.NDArray[np.void], frames: npt.NDArray[np.int64]) -> dict[str, list[Any]] | None:
    """Give what the game told with each frame: of the fields behind the first three, those that a record has.

    Args:
        told: Records of telemetry, whose last field says which of the others are known.
        frames: (N,) the frame of each row.
    """
    *names, known = told.dtype.names or ("",)
    place = {int(told["frame_index"][k]): k for k in reversed(range(len(told)))}
    rows = [place.get(int(frame)) for frame in frames]
    found = {
        name: [None if k is None or not told[known][k, column] else told[name][k].item() for k in rows]
        for column, name in enumerate(names[_OF_ROW:])
    }
    texts = {name: [v.decode() if isinstance(v, bytes) else v for v in values] for name, values in found.items()}
    return texts if len(told) else None


def read_film(path: Path) -> Found:
    """Read a film by OpenCV, as the guide writes one.

    Args:
        path: The file.
    """

    def pictures() -> Iterator[Pixels]:
        film = cv2.VideoCapture(str(path))
        try:
            while (got := film.read())[0]:
                yield np.asarray(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB), np.uint8)
        finally:
            film.release()

    film = cv2.VideoCapture(str(path))
    count, rate = int(film.get(cv2.CAP_PROP_FRAME_COUNT)), film.get(cv2.CAP_PROP_FPS)
    film.release()
    return Found("OpenCV", pictures, count, np.asarray(np.arange(count) * 1000.0 / max(rate, 1e-9), np.float64))
