"""Controls as sums over time: how far the mouse went, how long a key or a stick was held, up to each moment.

What a frame shows of a control is what its sum grew by since the frame before, taken at the frames' times less the
offset. Sums make that exact for frames at any times: nothing is put on a grid of frames first.

Example:
    >>> from rushes.model.events import events_frame
    >>> nan = float("nan")
    >>> moves = [(t * 8_000_000, "m", "Mouse", "move", nan, nan, nan, 2.0, 0.0, "") for t in range(50)]
    >>> sums = sums_of(events_frame(moves), 0, 1_000_000_000)
    >>> sums.groups, float(sums.at(np.array([1000.0]))[0, 0])
    (('Mouse',), 100.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.controls import POINTER, TRIGGERS
from rushes.model.events import edges

Floats = npt.NDArray[np.float64]

STEP_MS: Final = 2.0
"""Sums stand at every so many ms, straight between them."""
_AROUND_MS: Final = 1500.0  # before the start and behind the end
_MS: Final = 1e-6  # ns to ms
_LEAST_EDGES: Final = 4  # of a key, to be looked at
_MOST_KEYS: Final = 16  # the most used
_DEAD: Final = 0.25  # a usual dead zone of a stick
_LEAST_PATH: Final = 1.0  # what a stick has to travel in all


@dataclass(frozen=True)
class Sums:
    """Running sums of several controls.

    Attributes:
        names: Of each column.
        groups: What moves together: `Mouse`, a stick, `keys`.
        start_ms: Time of the first row.
        values: (G, C) float64, a row every `STEP_MS`.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    start_ms: float
    values: Floats

    def at(self, t_ms: Floats) -> Floats:
        """Give the sums at any times: (N, C)."""
        place = np.clip((t_ms - self.start_ms) / STEP_MS, 0, len(self.values) - 1.001)
        row = place.astype(np.int64)
        part = (place - row)[:, None]
        return np.asarray(self.values[row] * (1 - part) + self.values[row + 1] * part)

    def of(self, group: str) -> Sums:
        """Give the columns of one group."""
        which = [number for number, name in enumerate(self.groups) if name == group]
        return Sums(tuple(self.names[n] for n in which), (group,) * len(which), self.start_ms, self.values[:, which])

    def eased(self, tau_ms: float) -> Sums:
        """Give them as a camera follows that eases in with a time constant."""
        if tau_ms <= 0:
            return self
        share = 1 - np.exp(-STEP_MS / tau_ms)
        eased = pd.DataFrame(self.values - self.values[0]).ewm(alpha=share, adjust=False).mean()
        return Sums(self.names, self.groups, self.start_ms, eased.to_numpy())


def sums_of(events: pd.DataFrame, start_ns: int, end_ns: int) -> Sums:
    """Add up what was done with every control that moves cameras.

    Args:
        events: A table of events by time, of this stretch and a little around it.
        start_ns: Start of the stretch, ns since session start.
        end_ns: Its end.

    Returns:
        Sums from 1.5 s before to 1.5 s behind it.
    """
    start_ms, end_ms = start_ns * _MS - _AROUND_MS, end_ns * _MS + _AROUND_MS
    rows = int((end_ms - start_ms) / STEP_MS) + 2
    columns: list[tuple[str, str, Floats]] = []
    t_ms = events["t_ns"].to_numpy(np.int64) * _MS
    place = np.clip(np.ceil((t_ms - start_ms) / STEP_MS), 0, rows - 1).astype(np.int64)
    kind, control = events["kind"].to_numpy(object), events["control"].to_numpy(object)
    flag = events["flag"].to_numpy(object) == "hotkey"

    moves = np.flatnonzero((kind == "move") & (control == POINTER) & ~flag)
    for axis, by_place in (("dx", "x"), ("dy", "y")):
        step = events[axis].to_numpy(float, na_value=np.nan)[moves]
        if len(step) and np.isnan(step).all():
            step = np.diff(events[by_place].to_numpy(float, na_value=np.nan)[moves], prepend=np.nan)
        step = np.nan_to_num(step)
        if np.count_nonzero(step) >= _LEAST_EDGES:
            columns.append((f"{POINTER}.{axis}", POINTER, np.cumsum(np.bincount(place[moves], step, rows))))

    value = np.nan_to_num(events["value"].to_numpy(float, na_value=np.nan))
    axes = (kind == "axis") | ((kind == "state") & ~np.isin(control, [POINTER]))
    for name in sorted({c for c, k in zip(control, kind, strict=True) if k == "axis" and c not in TRIGGERS}):
        mine = np.flatnonzero(axes & (control == name))
        position = value[mine]
        if np.abs(np.diff(position, prepend=0.0)).sum() < _LEAST_PATH:
            continue
        stick = str(name)[:-2] if str(name).endswith(("_X", "_Y")) else str(name)
        beyond = np.sign(position) * np.maximum(np.abs(position) - _DEAD, 0)
        for power, bent in (("", position), (".dead", beyond), (".square", position * np.abs(position))):
            columns.append((f"{name}{power}", stick, _integral(t_ms[mine], bent, place[mine], start_ms, rows)))

    columns += _held(events, t_ms, place, start_ms, rows)
    values = np.stack([c[2] for c in columns], axis=1) if columns else np.zeros((rows, 0))
    return Sums(tuple(c[0] for c in columns), tuple(c[1] for c in columns), start_ms, values)


def _held(
    events: pd.DataFrame, t_ms: Floats, place: npt.NDArray[np.int64], start_ms: float, rows: int
) -> list[tuple[str, str, Floats]]:
    """Give how long each key was held; of those used most."""
    found = edges(events)
    keys = []
    for stream, name in enumerate(found.controls):
        mine = np.flatnonzero(found.stream == stream)
        changes = mine[found.before[mine] != found.after[mine]]
        if len(changes) >= _LEAST_EDGES:
            keys.append((len(changes), stream, name, changes))
    columns = []
    for _, stream, name, changes in sorted(keys, key=lambda key: -key[0])[:_MOST_KEYS]:
        row = found.row[changes]
        held = found.after[changes].astype(float)
        columns.append((f"{stream}:{name}", "keys", _integral(t_ms[row], held, place[row], start_ms, rows)))
    return columns


def _integral(t_ms: Floats, value: Floats, place: npt.NDArray[np.int64], start_ms: float, rows: int) -> Floats:
    """Integrate what keeps its value from each time on, in seconds."""
    change = np.diff(value, prepend=0.0)
    late = start_ms + place * STEP_MS - np.maximum(t_ms, start_ms)
    rate = np.cumsum(np.bincount(place, change, rows))
    whole = np.cumsum(np.bincount(place, change * late, rows)) + STEP_MS * (np.cumsum(rate) - rate)
    return np.asarray(whole / 1000)


def grew_of(sums: Sums, t_ms: Floats, frames: int = 1, *, stepped: bool = False) -> Floats:
    """By how much sums grew since so many frames before: (N, C), 0 for the first.

    Stepped, as in a game that moves on with every picture by what is held then: at the pace of the end.
    """
    there = sums.at(t_ms)
    if stepped:
        return np.asarray((there - sums.at(t_ms - 1)) * np.diff(t_ms, prepend=t_ms[0])[:, None])
    grew = np.zeros_like(there)
    grew[frames:] = there[frames:] - there[:-frames]
    return grew
