"""The lanes of a player's timeline, summed up to the columns of a screen at any zoom: what was held, moved, gained.

A lane is one of four kinds, in plain JSON values; times are ns since session start:

- `holds`: `spans` [start, end, how many]; what would touch in one column is one span.
- `wave`: `low` and `high` of each column (sticks, sound).
- `line`: `values`, one a column, null where nothing is known (speed of the mouse, score, lives, telemetry).
- `ticks`: `t`, at most one a column (rewards, late frames, labels).

Example:
    >>> spans(np.array([[0, 4], [5, 6], [90, 95]]), 0, 100, 10)
    [[0, 6, 2], [90, 95, 1]]
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.widgets.player_inputs import Series
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_sound import Wave

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Maker = Callable[[Ints, float], dict[str, Any]]
"""Makes a lane for the edges of columns (px + 1,) int64 ns, and a delay in ms."""

MOST_PX: Final = 4_000
MOST_CONTROLS: Final = 16
"""Lanes of controls; those that were used most often."""
MOST_NUMBERS: Final = 6
"""Lanes of telemetry."""
_KEYS: Final = ("t_ns", "segment", "frame_index")
_LATENCY: Final = ("edge_t_ns", "step_t_ns")
"""Telemetry of play by hand: when a key moved, and when the step that used it began."""
_DIGITS: Final = 5


class Lines:
    """The lanes of a source.

    Args:
        rows: What was done on its frames.
        lock: Held while its sound is read.
    """

    def __init__(self, rows: Rows, *, lock: AbstractContextManager[Any] | None = None) -> None:
        self._rows, self._shown, self._lock = rows, rows.shown, lock
        ends = [stretch.end_ns for stretch in self._shown.stretches]
        self._from, self._to = int(self._shown.t_ns[0]), max(ends)

    @cached_property
    def _waves(self) -> dict[str, Wave]:
        if self._shown.samples is not None:
            return {}
        recording = self._shown.recording
        names = [stream.name for stream in recording.sound_streams]
        return {name: Wave(recording, name, self._from, self._to, lock=self._lock) for name in names}

    @cached_property
    def _makers(self) -> dict[tuple[str, str], Maker]:
        """(name, kind) -> what makes the lane for the edges of columns and a delay."""
        if self._shown.samples is not None:
            return self._of_samples()
        found: dict[tuple[str, str], Maker] = {}
        for name in self._most_used():
            found[name, "holds"] = partial(self._holds, name)
        if len(self._rows.inputs.motion.t_ns):
            found["mouse", "line"] = self._speed
        for name in self._rows.inputs.axes:
            found[name, "wave"] = partial(self._axis, name)
        if len(self._rows.steps.row[self._rows.steps.row >= 0]):
            found |= self._of_steps()
        for name, series in self._telemetry.items():
            found[name, "line"] = partial(_line, series)
        for name in self._waves:
            found[name, "wave"] = partial(self._heard, name)
        bad = self._shown.t_ns[self._shown.late | (self._shown.dropped > 0)]
        if len(bad):
            found["late or dropped", "ticks"] = partial(_ticks, bad)
        return found

    @property
    def lanes(self) -> list[dict[str, str]]:
        """Names and kinds of the lanes, in order."""
        return [{"name": name, "kind": kind} for name, kind in self._makers]

    def summary(self, from_ns: int, to_ns: int, px: int, delay_ms: float = 0.0) -> list[dict[str, Any]]:
        """Sum up a stretch.

        Args:
            from_ns: ns since session start.
            to_ns: Its end, later.
            px: Columns.
            delay_ms: Moves inputs later by ms.

        Raises:
            BadInputError: No stretch, or more columns than a screen has.
        """
        if not from_ns < to_ns or not 1 <= px <= MOST_PX:
            raise BadInputError(
                f"from {from_ns} to {to_ns} ns in {px} columns",
                accepts=f"an end after the start, and 1 to {MOST_PX} columns",
                fix="ask for a stretch that can be seen",
            )
        edges = np.linspace(from_ns, to_ns, px + 1).astype(np.int64)
        with self._rows.lock:
            made = [(name, kind, make(edges, delay_ms)) for (name, kind), make in self._makers.items()]
        return [{"name": name, "kind": kind, **lane} for name, kind, lane in made]

    def fill(self, from_ns: int, to_ns: int, px: int) -> bool:
        """Sum up some more of the sound of a stretch; say whether there was some left."""
        some = [wave.fill(from_ns, to_ns, px) for wave in self._waves.values()]
        return any(some)

    def _most_used(self) -> list[str]:
        inputs, controls = self._rows.inputs, self._rows.controls
        count = {name: len(inputs.holds.get(name, ())) + len(inputs.presses.get(name, ())) for name in controls}
        kept = sorted(controls, key=lambda name: -count[name])[:MOST_CONTROLS]
        return [name for name in controls if name in kept]

    def _holds(self, name: str, edges: Ints, delay_ms: float) -> dict[str, Any]:
        holds = self._rows.inputs_at(delay_ms).holds.get(name)
        if holds is None:
            holds = self._step_holds(self._rows.steps_moved(delay_ms)).get(name, np.zeros((0, 2), np.int64))
        return _spans(holds, edges)

    def _axis(self, name: str, edges: Ints, delay_ms: float) -> dict[str, Any]:
        return _wave(self._rows.inputs_at(delay_ms).axes[name], edges)

    def _step_holds(self, by: int) -> dict[str, Ints]:
        if self._held is None or self._held[0] != by:
            self._held = (by, self._rows.steps.holds(self._shown.t_ns, self._shown.ends_ns, by))
        return self._held[1]

    _held: tuple[int, dict[str, Ints]] | None = None

    def _speed(self, edges: Ints, delay_ms: float) -> dict[str, Any]:
        """Give the speed of the mouse: counts or px a second, mean of each column."""
        motion = self._rows.inputs_at(delay_ms).motion
        first, last = np.searchsorted(motion.t_ns, [edges[0], edges[-1]])
        way = Series(motion.t_ns[first:last], np.hypot(*motion.value[first:last].T))
        seconds = np.maximum(np.diff(edges), 1) / NS
        return {"values": _numbers(way.sums(edges[:-1], edges[1:]) / seconds)}

    def _of_steps(self) -> dict[tuple[str, str], Maker]:
        steps, shown = self._rows.steps, self._shown
        has = steps.row >= 0
        times = shown.t_ns[has]
        found: dict[tuple[str, str], Maker] = {}
        for column, name in enumerate(steps.slots if len(steps.vectors) else ()):
            found[name, "wave"] = partial(self._number, column)
        if steps.human[steps.row[has]].any():
            found["by hand", "holds"] = self._by_hand
        gained = times[steps.reward[steps.row[has]] != 0]
        if len(gained):
            found["reward", "ticks"] = partial(_ticks, gained)
            found["score", "line"] = partial(self._by_frame, steps.score)
        if (steps.lives >= 0).any():
            lives = np.where(steps.lives >= 0, steps.lives, np.nan).astype(float)
            found["lives", "line"] = partial(self._by_frame, lives)
        return found

    def _number(self, column: int, edges: Ints, delay_ms: float) -> dict[str, Any]:
        """Give a number of the actions."""
        step = self._rows.steps.moved(self._rows.steps_moved(delay_ms))
        has = step >= 0
        return _wave(Series(self._shown.t_ns[has], self._rows.steps.vectors[step[has], column]), edges)

    def _by_hand(self, edges: Ints, delay_ms: float) -> dict[str, Any]:
        step = self._rows.steps.moved(self._rows.steps_moved(delay_ms))
        human = (step >= 0) & self._rows.steps.human[step]
        return _spans(_runs(human, self._shown.t_ns, self._shown.ends_ns), edges)

    def _by_frame(self, values: Floats, edges: Ints, _delay_ms: float) -> dict[str, Any]:
        """Give the value at the last frame of each column; nothing between stretches."""
        frame = np.maximum(np.searchsorted(self._shown.t_ns, edges[1:], side="left") - 1, 0)
        there = (self._shown.t_ns[frame] < edges[1:]) & (self._shown.ends_ns[frame] > edges[:-1])
        return {"values": _numbers(np.where(there, values[frame], np.nan))}

    @cached_property
    def _telemetry(self) -> dict[str, Series]:
        table = self._shown.recording.telemetry()
        times = table["t_ns"].to_numpy(np.int64)
        found: dict[str, Series] = {}
        if set(_LATENCY) <= set(table.columns):
            edge, step = (pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in _LATENCY)
            found["key to step, ms"] = Series(times, (step - edge) / (NS // 1000))
        for name in table.columns:
            numeric = pd.api.types.is_numeric_dtype(table[name]) and not pd.api.types.is_bool_dtype(table[name])
            if name in _KEYS or str(name).endswith("_ns") or not numeric or len(found) >= MOST_NUMBERS:
                continue
            values = table[name].to_numpy(float, na_value=np.nan)
            if len(np.unique(values[np.isfinite(values)])) > 1:
                found[str(name)] = Series(times, values)
        return {name: _in_order(series) for name, series in found.items()}

    def _heard(self, name: str, edges: Ints, _delay_ms: float) -> dict[str, Any]:
        found = self._waves[name].columns(int(edges[0]), int(edges[-1]), len(edges) - 1)
        return {"low": found.low, "high": found.high}

    def _of_samples(self) -> dict[tuple[str, str], Maker]:
        samples = self._shown.samples
        assert samples is not None
        positive = samples.rows["label"].to_numpy(float) > 0
        parts = {"positive": self._shown.t_ns[positive], "negative": self._shown.t_ns[~positive]}
        return {(name, "ticks"): partial(_ticks, times) for name, times in parts.items() if len(times)}


def spans(holds: Ints, from_ns: int, to_ns: int, px: int) -> list[list[int]]:
    """Give the stretches of a part, those that meet in one column as one: [[start, end, how many], ...].

    Args:
        holds: (H, 2) int64 ns, in order and disjoint.
        from_ns: Start of the part.
        to_ns: Its end.
        px: Its columns.
    """
    some = holds[np.searchsorted(holds[:, 1], from_ns, "right") : np.searchsorted(holds[:, 0], to_ns, "left")]
    if not len(some):
        return []
    column = (some - from_ns) * px // max(to_ns - from_ns, 1)
    first = np.flatnonzero(np.append(True, column[1:, 0] > column[:-1, 1]))
    last = np.append(first[1:], len(some)) - 1
    found: list[list[int]] = np.stack([some[first, 0], some[last, 1], last - first + 1], axis=1).tolist()
    return found


def ticks(times: Ints, edges: Ints) -> list[int]:
    """Give times of a part, of several in one column the first."""
    some = times[np.searchsorted(times, edges[0]) : np.searchsorted(times, edges[-1])]
    column = np.searchsorted(edges, some, side="right")
    found: list[int] = some[np.append(True, np.diff(column) > 0)[: len(some)]].tolist()
    return found


def _spans(holds: Ints, edges: Ints) -> dict[str, Any]:
    return {"spans": spans(holds, int(edges[0]), int(edges[-1]), len(edges) - 1)}


def _ticks(times: Ints, edges: Ints, _delay_ms: float) -> dict[str, Any]:
    return {"t": ticks(times, edges)}


def _wave(series: Series, edges: Ints) -> dict[str, Any]:
    """Give least and largest of each column, with what it began with."""
    begin = series.before(edges[:-1], 0.0)
    low, high = begin.copy(), begin.copy()
    at = np.searchsorted(series.t_ns, edges, side="left")
    filled = np.flatnonzero(at[1:] > at[:-1])
    if len(filled):
        values, starts = series.value[at[0] : at[-1]], at[filled] - at[0]
        low[filled] = np.fmin(low[filled], np.fmin.reduceat(values, starts))
        high[filled] = np.fmax(high[filled], np.fmax.reduceat(values, starts))
    return {"low": _numbers(low), "high": _numbers(high)}


def _line(series: Series, edges: Ints, _delay_ms: float) -> dict[str, Any]:
    return {"values": _numbers(series.before(edges[1:], np.nan))}


def _in_order(series: Series) -> Series:
    known = np.isfinite(series.value)
    return Series(series.t_ns[known], series.value[known]).later(0.0)


def _runs(flags: npt.NDArray[np.bool_], starts: Ints, ends: Ints) -> Ints:
    change = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    return np.stack([starts[np.flatnonzero(change > 0)], ends[np.flatnonzero(change < 0) - 1]], axis=1)


def _numbers(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in np.round(values, _DIGITS).tolist()]  # noqa: PLR0124 - NaN
