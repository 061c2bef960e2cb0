"""Training files as recordings: one frame a window, row i of the recording is actions[i, 0].

Windows overlap, so the rows of a segment are put together again from the first row of each; the rows of the last window
behind its first have no frame and are counted. Where a segment ends, `meta.rushes` says, or else that a window does not
go on with the rows of the one before. Columns go by `meta.action_names`, or by their number (20, 25).

A file without `meta.rushes` has the rows of the reference program, `strict` ones of ours too: motion is of (t_{k-1},
t_k] and is moved back by one row, that of wheels as well.

Example:
    >>> def presses(path):
    ...     return [int((one.events()["kind"] == "press").sum()) for one in read_file(path, fps=60)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.imported import Imported, Part
from rushes.formats.nitrogen.capture_names import wheel_columns
from rushes.formats.nitrogen.pt_columns import columns_of, scaled
from rushes.formats.nitrogen.pt_load import Loaded, TensorFrames, load_file
from rushes.model.clock import NS
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.recording import Sessions
from rushes.model.rows import events_from_rows
from rushes.model.session import SessionInfo, StreamSpec

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_BLOCK: Final = 4096
_LATEST_NS: Final = 2**61
_MOST_STRIDE: Final = 1_000_000
_RATES: Final = (1e-3, 1e4)
_NUMBERS: Final = (1e-6, 1e9)
"""What is believed of a file: the rest of what would fit into an int or a float is damage."""
_LONGEST_TEXT: Final = 200
FALLBACK_FPS: Final = 30.0


def read_file(path: Path, *, fps: float = FALLBACK_FPS) -> Sessions:
    """Open a training file.

    Args:
        path: A .pt or .safetensors file.
        fps: Frames a second to assume where the file does not say.

    Returns:
        A recording for each one that went into the file; a single one where it does not say.

    Raises:
        BadInputError: A rate that is not above 0.
        BadDataError: See `pt_load.load_file`; or columns without names.
    """
    if not _RATES[0] <= fps <= _RATES[1]:
        raise BadInputError(f"fps={fps}", accepts="frames a second, 0.001 to 10,000", fix="pass fps=30")
    reader = _Reader(path, load_file(path), fps=fps)
    return Sessions([reader.recording(number) for number in reader.numbers], format="nitrogen_pt")


@dataclass(frozen=True)
class _Run:
    """Windows of one segment, by their numbers."""

    source: int
    first: int
    count: int
    start_ns: int
    end_reason: str


class _Reader:
    def __init__(self, path: Path, loaded: Loaded, *, fps: float) -> None:
        self._path, self._obs, self._meta = path, loaded.obs, loaded.meta
        self._windows = min(len(loaded.obs), len(loaded.actions))
        self._surplus = abs(len(loaded.obs) - len(loaded.actions))
        self._actions = loaded.actions[: self._windows]
        self._problems: list[Problem] = []
        own = self._meta.get("rushes")
        self._own: Mapping[str, Any] = own if isinstance(own, dict) else {}
        self._stride = self._whole(self._own, "stride", default=1)
        runs = self._said_runs() if self._own else None
        self._runs = runs if runs is not None else self._found_runs()
        sources = self._own.get("sources")
        told = runs is not None and isinstance(sources, list) and all(isinstance(s, dict) for s in sources)
        self.sources: list[Mapping[str, Any]] = list(sources) if told and isinstance(sources, list) else [{}]
        self.numbers = sorted({run.source for run in self._runs})
        space, self._columns, unknown = columns_of(path, self._meta, loaded.actions.shape[2])
        for name in unknown:
            self._tell("unknown_column", f"meta.action_names: {name}", 1, "nothing goes by this name; it is left out")
        scale, clip = (self._number(name, fallback) for name, fallback in (("mouse_scale", 300.0), ("mouse_clip", 1.0)))
        self._space = scaled(space, mouse_scale=scale, mouse_clip=clip)
        if self._surplus:
            row = f"row {self._windows}"
            self._tell("unequal_lengths", row, self._surplus, "obs and actions differ in length; the rest is left out")
        self._fps = fps
        moved = [k for k, s in enumerate(self._space.slots) if s.role == "motion"] + wheel_columns(self._space)
        self._moved = np.array([] if self._own else moved, np.int64)

    def _tell(self, kind: str, where: str, count: int, sentence: str) -> None:
        self._problems.append(Problem(kind, f"{self._path}, {where}", count, sentence))

    def _whole(self, said: Mapping[str, Any], name: str, *, default: int) -> int:
        value = said.get(name, default)
        return value if type(value) is int and 1 <= value <= _MOST_STRIDE else default

    def _number(self, name: str, fallback: float) -> float:
        value = self._meta.get(name, fallback)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _NUMBERS[0] <= value <= _NUMBERS[1]:
            self._tell("bad_number", f"meta.{name}", 1, f"it is {value!r}; {fallback:g} is taken")
            return fallback
        return float(value)

    def _said_runs(self) -> list[_Run] | None:
        """Read the segments that our own files name; None where they do not fit."""
        runs: list[_Run] = []
        at = 0
        try:
            sources = len(self._own["sources"])
            for one in self._own["segments"]:
                source, first, count, start_ns = (one[k] for k in ("source", "first_window", "windows", "start_ns"))
                whole = all(type(v) is int and v <= _LATEST_NS for v in (source, first, count, start_ns))
                if whole and first == at and count >= 1 and (runs[-1].source if runs else 0) <= source < sources:
                    runs.append(_Run(source, first, count, max(start_ns, 0), _text(one, "end_reason") or "unknown"))
                    at += count
        except (KeyError, TypeError):
            at = -1
        if at not in (self._windows, self._windows + self._surplus):
            text = "the segments in it do not fit the tensors; they are told by the rows"
            self._tell("bad_segments", "meta.rushes", 1, text)
            return None
        return [replace(r, count=min(r.count, self._windows - r.first)) for r in runs if r.first < self._windows]

    def _found_runs(self) -> list[_Run]:
        """Find the segments: a window that does not go on with the rows of the one before begins one."""
        stride = self._stride
        breaks: list[int] = []
        for start in range(0, self._windows - 1, _BLOCK):
            block = np.asarray(self._actions[start : start + _BLOCK + 1])
            one, other = block[:-1, stride:], block[1:, : max(block.shape[1] - stride, 0)]
            differ = (one != other) & ~(np.isnan(one) & np.isnan(other))
            breaks += (np.flatnonzero(differ.any((1, 2))) + start + 1).tolist()
        edges = [0, *breaks, self._windows]
        return [_Run(0, a, b - a, 0, "unknown") for a, b in pairwise(edges)]

    def recording(self, number: int) -> Imported:
        """Make one recording."""
        said = self.sources[number]
        rate = said.get("fps", self._own.get("fps"))
        source_meta = self._meta.get("source_meta")
        if rate is None and isinstance(source_meta, dict):
            rate = source_meta.get("fps")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not _RATES[0] <= rate <= _RATES[1]:
            rate = self._fps
            self._tell("assumed_rate", "meta", 1, f"no rate of the frames is known; {rate:g} a second are taken")
        tally = Tally()
        parts: list[Part] = []
        numbers: list[Ints] = []
        latest = max(run.start_ns for run in self._runs) + self._after(self._windows, rate)
        if latest > _LATEST_NS:
            raise BadDataError(
                f"{self._path}, meta.rushes: rows up to {latest / NS:,.0f} s",
                accepts="times, strides and rates of a recording",
                fix="convert the source again",
            )
        at_ns = tick = 0
        for run in self._split([run for run in self._runs if run.source == number], rate):
            for good, values, reason in self._good(run, tally):
                start_ns = max(run.start_ns + self._after(good[0] - run.first, rate), at_ns)
                part = self._part(values, len(good), rate, start_ns, tick, reason)
                parts.append(part)
                numbers.append(good)
                at_ns, tick = part.end_ns, tick + len(good)
        if number == self.numbers[-1] and self._surplus:
            tally.offer("frames", self._surplus)
            tally.lose("frames", "unequal_lengths", self._surplus)
        tally.offer("episodes", len(parts))
        problems, self._problems = self._problems, []
        if not parts:
            raise BadDataError(
                f"{self._path}: no row of numbers", accepts="actions that are numbers", fix="convert the source again"
            )
        frames = TensorFrames(str(self._path), self._obs, np.concatenate(numbers))
        return Imported(self._info(said, float(rate)), parts, frames, ledger=tally.close(), problems=problems)

    def _split(self, runs: Iterable[_Run], rate: float) -> Iterator[_Run]:
        """Take windows apart between which there are rows that nobody knows."""
        for run in runs:
            if self._stride <= self._actions.shape[1]:
                yield run
            else:
                for k in range(run.count):
                    reason = "gap" if k < run.count - 1 else run.end_reason
                    yield _Run(run.source, run.first + k, 1, run.start_ns + self._after(k, rate), reason)

    def _after(self, windows: int, rate: float) -> int:
        return round(windows * self._stride * NS / rate)

    def _good(self, run: _Run, tally: Tally) -> Iterator[tuple[Ints, Floats, str]]:
        """Put the rows of a segment together, and cut it where they are no numbers."""
        step = min(self._stride, self._actions.shape[1])
        windows = self._actions[run.first : run.first + run.count]
        head = np.asarray(windows[:-1, :step, self._columns], np.float64).reshape(-1, len(self._columns))
        values = np.concatenate([head, np.asarray(windows[-1][:, self._columns], np.float64)])
        behind = len(values) - run.count * step
        if len(self._moved):
            tally.mark("actions", "motion_before_first_frame", int(values[0, self._moved].any()))
            tally.mark("actions", "motion_behind_not_recorded", int(not behind))
            values[:-1, self._moved], values[-1, self._moved] = values[1:, self._moved], 0.0
        values = values[: run.count * step]
        bad = ~(np.abs(values) <= _NUMBERS[1]).all(1).reshape(run.count, step).all(1)
        tally.offer("frames", run.count)
        tally.offer("actions", run.count * step + behind)
        tally.lose("actions", "without_frame", behind)
        tally.lose("frames", "not_a_number", int(bad.sum()))
        tally.lose("actions", "not_a_number", int(bad.sum()) * step)
        if bad.any():
            row = run.first + int(np.flatnonzero(bad)[0])
            text = "rows that are no numbers are left out with their frames"
            self._tell("not_a_number", f"actions row {row}", int(bad.sum()), text)
        edges = np.flatnonzero(np.diff(np.concatenate([[True], bad, [True]]).astype(np.int8)))
        for start, stop in edges.reshape(-1, 2).tolist():
            good = np.arange(run.first + start, run.first + stop)
            rows = values[start * step : stop * step]
            tally.mark("actions", "clipped", self._clipped(rows))
            yield good, rows, run.end_reason if stop == run.count else "gap"

    def _clipped(self, rows: Floats) -> int:
        over = np.zeros(len(rows), bool)
        for column, one in enumerate(self._space.slots):
            if one.role == "motion" and one.high is not None:
                over |= np.abs(rows[:, column]) >= one.high - 1e-6
        return int(over.sum())

    def _part(self, values: Floats, count: int, rate: float, start_ns: int, tick: int, reason: str) -> Part:
        times = start_ns + np.rint(np.arange(len(values) + 1) * (NS / rate)).astype(np.int64)
        found = events_from_rows(values, times[:-1], end_ns=int(times[-1]), space=self._space)
        step = len(values) // count
        return Part(times[:-1:step], int(times[-1]), tick + np.arange(count), found.events, reason)

    def _info(self, said: Mapping[str, Any], rate: float) -> SessionInfo:
        height, width = self._obs.shape[2:]
        return SessionInfo(
            id=_text(said, "id") or self._path.stem,
            game=_text(said, "game") or "unknown",
            source={"kind": "import", "name": "nitrogen_pt"},
            time_source="assumed",
            streams=(
                StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=rate / self._stride),
                StreamSpec("events", "events", unit=_text(said, "motion_unit") or "px"),
            ),
            action_space=self._space,
            provenance={"format": "nitrogen_pt", "seq_len": int(self._actions.shape[1]), "stride": self._stride},
        )


def _text(said: Mapping[str, Any], name: str) -> str:
    """Give what a file says of itself, where that is a text as names have it; else an empty one."""
    value = said.get(name)
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_TEXT else ""
