"""What was done in a recording, in arrays by time: any stretch of frames, at any zoom, takes a few searches.

Holds, presses, motion and positions are those of the grid (`rushes.model.grid`): `Inputs.rows` gives for some frames
what `to_grid` gives for them, without going through all others. `later` moves everything by a delay, which costs an
addition, so that a correction can be tried with a slider.

Example:
    >>> from rushes.model.events import events_frame
    >>> from rushes.model.readings import Event
    >>> tap = [Event(12, "kbd", "Space", "press"), Event(14, "kbd", "Space", "release")]
    >>> found = read_inputs([(events_frame(tap), 0, 30)]).later(1e-5)
    >>> found.holds["Space"].tolist()
    [[22, 24]]
    >>> [row.down for row in found.rows(np.array([0, 10, 20]), np.array([10, 20, 30]))]
    [(), (), ('Space',)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.controls import MOUSE_MOTIONS, STICKS, TRIGGERS
from rushes.model.delay import moved
from rushes.model.events import edges
from rushes.model.grid import to_grid
from rushes.model.recording import Recording
from rushes.store.reader import Session
from rushes.store.validity import Valid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_WHEELS = MOUSE_MOTIONS[2:]


class Series(NamedTuple):
    """Numbers by time.

    Attributes:
        t_ns: (N,) int64 ns since session start, not falling.
        value: (N,) or (N, 2) float64.
    """

    t_ns: Ints
    value: Floats

    def later(self, delay_ms: float) -> Series:
        """Move it; what a delay that differs from place to place puts out of order is put in order."""
        times = moved(self.t_ns, delay_ms)
        if not (np.diff(times) < 0).any():
            return Series(times, self.value)
        order = np.argsort(times, kind="stable")
        return Series(times[order], self.value[order])

    def sums(self, starts: Ints, ends: Ints) -> Floats:
        """Sum what stands in each [start, end), which follow on each other: (n,) or (n, 2)."""
        first, last = (np.searchsorted(self.t_ns, edge, side="left") for edge in (starts, ends))
        low, high = (int(first.min()), int(last.max())) if len(first) else (0, 0)
        total = np.zeros((max(high - low, 0) + 1, *self.value.shape[1:]))
        np.cumsum(self.value[low:high], axis=0, out=total[1:])
        return np.asarray(total[np.maximum(first, last) - low] - total[first - low])

    def before(self, ends: Ints, rest: float) -> Floats:
        """Give the last value before each time, `rest` before the first: (n,) or (n, 2)."""
        place = np.searchsorted(self.t_ns, ends, side="left") - 1
        found = np.full((len(ends), *self.value.shape[1:]), rest)
        found[place >= 0] = self.value[place[place >= 0]]
        return found


class Done(NamedTuple):
    """What was done on one frame.

    Attributes:
        down: Controls that were down at any time.
        pressed: Controls that went down.
        mouse: Sum of the motion (dx, dy); None where it rested.
        pointer: Its place (x, y) px at the end; None where nothing tells.
        axes: Position of sticks and triggers at the end, by name.
        wheel: Notches, + away from the user.
    """

    down: tuple[str, ...]
    pressed: tuple[str, ...]
    mouse: tuple[float, float] | None
    pointer: tuple[float, float] | None
    axes: Mapping[str, float]
    wheel: float


@dataclass(frozen=True)
class Inputs:
    """Everything that was done.

    Attributes:
        holds: Control -> (H, 2) int64 ns, for which stretches it was down.
        presses: Control -> (P,) int64 ns, when it went down.
        motion: (M, 2) dx and dy.
        wheels: Wheel -> notches.
        axes: Stick axis or trigger -> position.
        pointer: (P, 2) x and y.
    """

    holds: Mapping[str, Ints] = field(default_factory=dict)
    presses: Mapping[str, Ints] = field(default_factory=dict)
    motion: Series = field(default_factory=lambda: _nothing(2))
    wheels: Mapping[str, Series] = field(default_factory=dict)
    axes: Mapping[str, Series] = field(default_factory=dict)
    pointer: Series = field(default_factory=lambda: _nothing(2))

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that were down at any time, in the order of their names."""
        return tuple(sorted(name for name in {*self.holds, *self.presses} if self._any(name)))

    def _any(self, name: str) -> bool:
        return bool(len(self.holds.get(name, ())) or len(self.presses.get(name, ())))

    def later(self, delay_ms: float) -> Inputs:
        """Give the same, moved later by ms (a `Delay` may drift)."""
        if not delay_ms:
            return self
        return replace(
            self,
            holds={name: np.sort(moved(holds, delay_ms), axis=0) for name, holds in self.holds.items()},
            presses={name: np.sort(moved(times, delay_ms)) for name, times in self.presses.items()},
            motion=self.motion.later(delay_ms),
            wheels={name: series.later(delay_ms) for name, series in self.wheels.items()},
            axes={name: series.later(delay_ms) for name, series in self.axes.items()},
            pointer=self.pointer.later(delay_ms),
        )

    def rows(self, starts: Ints, ends: Ints) -> Iterator[Done]:
        """Say what was done on frames of one unbroken stretch.

        Args:
            starts: (n,) int64 ns, not falling; of two equal ones the second has all events.
            ends: (n,) int64 ns, the end of each.
        """
        if not len(starts):
            return
        down = {name: _held(holds, starts, int(ends[-1])) for name, holds in self.holds.items()}
        pressed = {name: _counted(times, starts, int(ends[-1])) for name, times in self.presses.items()}
        for name, count in pressed.items():
            down[name] = down.get(name, np.zeros(len(starts), bool)) | (count > 0)
        motion, pointer = self.motion.sums(starts, ends), self.pointer.before(ends, np.nan)
        axes = {name: series.before(ends, 0.0) for name, series in self.axes.items()}
        wheel = self.wheels[_WHEELS[0]].sums(starts, ends) if _WHEELS[0] in self.wheels else np.zeros(len(starts))
        for k in range(len(starts)):
            yield Done(
                tuple(name for name, held in down.items() if held[k]),
                tuple(name for name, count in pressed.items() if count[k]),
                (float(motion[k, 0]), float(motion[k, 1])) if motion[k].any() else None,
                None if np.isnan(pointer[k]).any() else (float(pointer[k, 0]), float(pointer[k, 1])),
                {name: round(float(values[k]), 4) for name, values in axes.items()},
                float(wheel[k]),
            )


def inputs_of(recording: Recording) -> Inputs:
    """Read what was done in a recording, as its events have it.

    Args:
        recording: Any recording. A session of ours is read as one, so that a correction reaches beyond a segment;
            in others, and in views that move inputs, each segment stands for itself.
    """
    whole = recording.whole
    if isinstance(recording, Session | Valid) and isinstance(whole, Session):
        events = whole.events()
        end = max([s.end_ns for s in whole.segments] + ([int(events["t_ns"].max()) + 1] if len(events) else [1]))
        start = min([s.start_ns for s in whole.segments] + ([int(events["t_ns"].min())] if len(events) else [0]))
        return read_inputs([(events, start, end)])
    return read_inputs((recording.events(s.index), s.start_ns, s.end_ns) for s in recording.segments if s.frames)


def read_inputs(parts: Iterable[tuple[pd.DataFrame, int, int]]) -> Inputs:
    """Read tables of events.

    Args:
        parts: Table, start and end (ns since session start) of each unbroken stretch, in order of time.
    """
    found = [_read(*part) for part in parts if len(part[0])]
    if len(found) == 1:
        return found[0]
    return Inputs(
        _joined([one.holds for one in found]),
        _joined([one.presses for one in found]),
        _behind([one.motion for one in found], 2),
        {name: _behind([one.wheels[name] for one in found if name in one.wheels]) for name in _WHEELS}
        if any(one.wheels for one in found)
        else {},
        {
            name: _behind([one.axes[name] for one in found if name in one.axes])
            for name in dict.fromkeys(name for one in found for name in one.axes)
        },
        _behind([one.pointer for one in found], 2),
    )


def _read(events: pd.DataFrame, start_ns: int, end_ns: int) -> Inputs:
    if not events["t_ns"].is_monotonic_increasing:
        events = events.sort_values("t_ns", kind="stable", ignore_index=True)
    is_kind, is_control = _equal(events["kind"]), _equal(events["control"])
    reports = is_kind("axis") | is_kind("state")
    digital = events[is_kind("press") | is_kind("release") | reports]  # what moves is most of it, and holds nothing
    holds = to_grid(digital, [start_ns], end_ns=max(end_ns, start_ns)).holds
    edge = edges(digital)
    told = edge.told & edge.after & ~edge.before & (edge.t_ns >= start_ns) & (edge.t_ns < end_ns)
    names = np.array(edge.controls, object)[edge.stream] if len(edge.controls) else np.zeros(0, object)
    presses = {name: np.sort(edge.t_ns[told & (names == name)]) for name in sorted(set(edge.controls))}
    own = ~_equal(events["flag"])("hotkey")
    times = events["t_ns"].to_numpy(np.int64)
    number = {name: events[name].to_numpy(float, na_value=np.nan) for name in ("value", "x", "y", "dx", "dy")}

    def series(mine: npt.NDArray[np.bool_], *columns: str) -> Series:
        rows = np.flatnonzero(mine & own)
        values = [number[name][rows] for name in columns]
        return Series(times[rows], np.stack(values, axis=1) if len(values) > 1 else values[0])

    motion = series(is_kind("move"), "dx", "dy")
    wheels = {name: series(is_kind("scroll") & is_control(name), "value") for name in _WHEELS}
    axes = {name: series(reports & is_control(name), "value") for name in (*STICKS, *TRIGGERS)}
    return Inputs(
        holds,
        presses,
        Series(motion.t_ns, np.nan_to_num(motion.value)),
        {name: one for name, one in wheels.items() if len(one.t_ns)},
        {name: one for name, one in axes.items() if len(one.t_ns)},
        series(~np.isnan(number["x"]) & ~np.isnan(number["y"]), "x", "y"),
    )


def _equal(column: pd.Series[Any]) -> Callable[[str], npt.NDArray[np.bool_]]:
    """Compare a column of a few texts with one of them, as often as is wanted."""
    code, names = pd.factorize(column)
    known = {str(name): number for number, name in enumerate(names)}
    return lambda text: np.asarray(code == known.get(text, -2))


def _held(holds: Ints, starts: Ints, end_ns: int) -> npt.NDArray[np.bool_]:
    """Say on which frames a control was down, as the grid does."""
    if not len(holds):
        return np.zeros(len(starts), bool)
    place = np.searchsorted(holds[:, 0], starts, side="right") - 1
    at_start = (place >= 0) & (starts < holds[place, 1])
    return np.asarray(at_start | (_counted(holds[:, 0], starts, end_ns) > 0))


def _counted(times: Ints, starts: Ints, end_ns: int) -> Ints:
    first, last = np.searchsorted(times, [starts[0], end_ns], side="left")
    return np.bincount(np.searchsorted(starts, times[first:last], side="right") - 1, minlength=len(starts))


def _nothing(columns: int = 1) -> Series:
    return Series(np.zeros(0, np.int64), np.zeros((0, columns) if columns > 1 else 0))


def _behind(parts: list[Series], columns: int = 1) -> Series:
    if not parts:
        return _nothing(columns)
    return Series(np.concatenate([one.t_ns for one in parts]), np.concatenate([one.value for one in parts]))


def _joined(parts: list[Mapping[str, Ints]]) -> dict[str, Any]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.concatenate([part[name] for part in parts if name in part]) for name in names}
