"""What was exported against the session: every row by its time, its keys, what the game told, and every picture.

What a row should hold is worked out here from the session's own events, telemetry and frames, not by what wrote it.

Example (a cell of the recipe, after `write_exports`):
    >>> def cell(exports, take):
    ...     return compare_exports(exports, take.recording)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.formats.base import open_any
from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.model.recording import Recording
from rushes.notebook.browser_10hz.exports import ARRAYS, FILM, SET, Exports
from rushes.notebook.browser_10hz.readers import KEYS, Found, read_arrays, read_film, read_pngs, read_set
from rushes.preview.html import Html, table
from rushes.store.pairing import pairs

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

OF_KEYS: Final = {name: name if name == "Space" else f"Key{name}" for name in KEYS}
"""Key of a set -> control."""
LEVELS: Final = 4.0
"""How far a resized picture may be from OpenCV's INTER_AREA, in levels of 255 on the mean."""
FILM_LEVELS: Final = 10.0
"""The same of a picture of a lossy film."""
_MS: Final = 1e6
_HALF_NS_MS: Final = 5e-7


@dataclass(frozen=True)
class Truth:
    """What the session says of each row that has an action.

    Attributes:
        recording: The session.
        frame_index: (N,) int64.
        t_ns: (N,) int64.
        keys: Name -> (N,) float64: whether a control was down, or the motion's sum, until the next frame.
        inputs: (N, A) float64 in the order of the action space.
    """

    recording: Recording
    frame_index: npt.NDArray[np.int64]
    t_ns: npt.NDArray[np.int64]
    keys: dict[str, Floats]
    inputs: Floats

    @classmethod
    def of(cls, recording: Recording) -> Truth:
        """Work it out."""
        found = list(pairs(recording))
        space = recording.info.action_space
        keys = {
            name: np.concatenate([p.grid.held.get(control, np.zeros(len(p), bool)) for p in found]).astype(np.float64)
            for name, control in OF_KEYS.items()
        }
        for name, motion in (("mouse_dx", "MouseDX"), ("mouse_dy", "MouseDY")):
            keys[name] = np.concatenate([p.grid.motion.get(motion, np.zeros(len(p))) for p in found]).astype(np.float64)
        return cls(
            recording,
            np.concatenate([p.index["frame_index"].to_numpy(np.int64) for p in found]),
            np.concatenate([p.grid.t_ns for p in found]),
            keys,
            np.concatenate([p.grid.vector(space) for p in found]).astype(np.float64),
        )

    @cached_property
    def telemetry(self) -> dict[str, list[Any]]:
        """Column -> a value a row, None where the game told nothing."""
        told = self.recording.telemetry()
        of_frames = told[told["frame_index"].notna()].drop_duplicates("frame_index").set_index("frame_index")
        placed = of_frames.reindex(self.frame_index)
        return {str(name): placed[name].tolist() for name in placed.columns}

    def pictures(self) -> Iterator[Pixels]:
        """Give the picture of each row."""
        wanted = set(self.frame_index.tolist())
        for number, pixels in enumerate(self.recording.frames(0, self.recording.frame_count)):
            if number in wanted:
                yield pixels


@dataclass(frozen=True)
class Line:
    """One output as one reader found it.

    Attributes:
        output: Its name.
        reader: By what it was read.
        expected: Rows that the session has.
        rows: Rows that are there.
        pictures: Of these, with the session's picture.
        apart: The largest mean distance of a picture, in levels of 255.
        times: Rows with the session's time; None where the output tells none.
        keys: Rows with the session's inputs; None likewise.
        told: Values of telemetry that are the session's, of how many; None likewise.
    """

    output: str
    reader: str
    expected: int
    rows: int
    pictures: int
    apart: float
    times: int | None = None
    keys: int | None = None
    told: tuple[int, int] | None = None

    @property
    def equal(self) -> bool:
        """Whether everything that the output tells is as the session has it."""
        counts = [self.rows, self.pictures, *(n for n in (self.times, self.keys) if n is not None)]
        return all(n == self.expected for n in counts) and (self.told is None or self.told[0] == self.told[1])


@dataclass(frozen=True)
class Compared:
    """All outputs, held against the session.

    Attributes:
        lines: One an output and reader.
    """

    lines: tuple[Line, ...]

    @property
    def findings(self) -> list[Finding]:
        """A remark for an output that holds what it should, an error for one that does not."""
        return [
            Finding(
                f"exports.{'equal' if x.equal else 'differs'}",
                "info" if x.equal else "error",
                f"{x.output}, read by {x.reader}: of {x.expected} rows {x.rows} are there, {x.pictures} with the "
                f"session's picture" + "".join(
                    f", {count} with its {what}"
                    for what, count in (("time", x.times), ("inputs", x.keys))
                    if count is not None
                ) + (f", {x.told[0]} of {x.told[1]} values of telemetry are equal" if x.told else ""),
            )
            for x in self.lines
        ]  # fmt: skip

    def show(self) -> Html:
        """Show the outputs, a row each."""
        rows = [
            [x.output, x.reader, f"{x.rows} of {x.expected}", x.pictures, f"{x.apart:.2f}", x.times, x.keys,
             None if x.told is None else f"{x.told[0]:,} of {x.told[1]:,}", "yes" if x.equal else "NO"]
            for x in self.lines
        ]  # fmt: skip
        columns = ["output", "read by", "rows", "pictures alike", "levels apart", "times equal", "inputs equal",
                   "telemetry equal", "equal"]  # fmt: skip
        return table(columns, rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def compare_exports(exports: Exports, recording: Recording) -> Compared:
    """Read each output back, as its users do and as this program does, and hold it against the session.

    Args:
        exports: What was written.
        recording: From what.
    """
    truth, paths = Truth.of(recording), exports.paths
    began = int(truth.t_ns[0]) / _MS
    lines = [
        _line(SET, read_set(paths[SET]), truth, began),
        _line(SET, read_pngs(paths[SET]), truth, began),
        _own(paths[SET], truth),
        _line(ARRAYS, read_arrays(paths[ARRAYS]), truth, 0.0),
        _film(read_film(paths[FILM]), recording),
    ]
    return Compared(tuple(lines))


def _line(output: str, found: Found, truth: Truth, began_ms: float) -> Line:
    """Hold one reader's rows against the session; times are ms after `began_ms`."""
    expected, n = len(truth.t_ns), min(found.rows, len(truth.t_ns))
    alike, apart = _alike(found.pictures(), truth.pictures())
    times = keys = told = None
    if found.t_ms is not None:
        wanted = truth.t_ns[:n] / _MS - began_ms
        room = np.abs(np.spacing(wanted.astype(np.float32))) if found.single else np.full(n, _HALF_NS_MS)
        times = int((np.abs(found.t_ms[:n] - wanted) <= room).sum())
    if found.keys is not None:
        names = truth.recording.info.action_space.names
        should = truth.inputs if found.columns == names else np.stack([truth.keys[c] for c in found.columns], axis=1)
        keys = int((np.abs(found.keys[:n] - should[:n]) < 1e-4).all(axis=1).sum())  # noqa: PLR2004 - float32
    if found.telemetry is not None:
        there = {name: values for name, values in found.telemetry.items() if name in truth.telemetry}
        told = _told(there, truth, n) if there else None
    return Line(output, found.reader, expected, found.rows, alike, apart, times, keys, told)


def _told(found: dict[str, list[Any]], truth: Truth, rows: int) -> tuple[int, int]:
    """Count values of telemetry that are equal, and all of them."""
    same = [
        _same(mine, its)
        for name, values in found.items()
        for mine, its in zip(values[:rows], truth.telemetry[name][:rows], strict=True)
    ]
    return sum(same), len(same)


def _same(one: Any, other: Any) -> bool:
    gone = [value is None or (isinstance(value, float) and math.isnan(value)) for value in (one, other)]
    return all(gone) if any(gone) else bool(one == other)


def _own(path: Any, truth: Truth) -> Line:
    """Read the set by this program's own reader."""
    back = open_any(path)[0]
    again = Truth.of(back)
    n = min(len(again.t_ns), len(truth.t_ns))
    alike, apart = _alike(again.pictures(), truth.pictures())
    keys = np.stack([again.keys[c][:n] == truth.keys[c][:n] for c in truth.keys], axis=1).all(axis=1)
    names = [name for name in truth.telemetry if name in again.telemetry and name not in ("t_ns", "segment")]
    told = _told({name: again.telemetry[name] for name in names}, truth, n) if names else None
    return Line(
        SET, "rushes", len(truth.t_ns), len(again.t_ns), alike, apart, int((again.t_ns[:n] == truth.t_ns[:n]).sum()),
        int(keys.sum()), told,
    )  # fmt: skip


def _film(found: Found, recording: Recording) -> Line:
    """Hold a film against all frames: it shows frame k at k / rate."""
    count = recording.frame_count
    alike, apart = _alike(found.pictures(), recording.frames(0, count), lossy=FILM_LEVELS)
    assert found.t_ms is not None
    even = np.abs(found.t_ms - np.arange(found.rows) * NS / _MS / recording.rate_hz) < 1.0
    return Line(FILM, found.reader, count, found.rows, alike, apart, int(even.sum()))


def _alike(found: Iterator[Pixels], true: Iterator[Pixels], *, lossy: float = 0.0) -> tuple[int, float]:
    """Count pictures that are as they should be, and give the largest mean distance, in levels.

    Args:
        found: What was read.
        true: The session's own; what was resized is held against OpenCV's INTER_AREA.
        lossy: Levels that a picture of the same size may be off.
    """
    apart, alike = [], 0
    for mine, its in zip(found, true, strict=False):
        here, most = its, lossy
        if its.shape != mine.shape:
            here = np.asarray(cv2.resize(its, mine.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
            most = max(lossy, LEVELS)
        apart.append(float(np.abs(mine.astype(np.int16) - here).mean()))
        alike += apart[-1] <= most
    return alike, max(apart, default=0.0)
