"""Rows as events: what a set that stores one action vector a frame says of the controls.

Foreign sets have no events, only the state at each frame. `events_from_rows` writes the events that give these rows
back when they are put on the same grid: a button that is down in row k and not in row k - 1 was pressed at t_k, a stick
that moved stood there from t_k on, motion of row k happened in the middle of the row. What was down in the first row
was down before. (Nobody knows when in its row motion happened; in the middle it is in the same row for whoever counts
[t_k, t_{k+1}) and for whoever counts (t_k, t_{k+1}].)

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.grid import to_grid
    >>> space = ActionSpace.from_names(["w", "lmb", "dx"])
    >>> found = events_from_rows([[0, 1, 5], [1, 1, 0]], [0, 10], end_ns=20, space=space)
    >>> list(zip(found.events["t_ns"], found.events["kind"], found.events["control"]))
    [(0, 'state', 'MouseLeft'), (5, 'move', 'Mouse'), (10, 'press', 'KeyW')]
    >>> to_grid(found.events, [0, 10], end_ns=20).vector(space).tolist()
    [[0.0, 1.0, 5.0], [1.0, 1.0, 0.0]]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.controls import CONTROLS, MOUSE_MOTIONS, POINTER, TRIGGER_THRESHOLD, kind_of
from rushes.model.conversions import conversion
from rushes.model.events import COLUMNS, events_frame

Floats = npt.NDArray[np.float64]

_WHOLE: Final = 1e-3
"""Motion that is this close to whole counts in every row is whole: float32 of dx / 300 is off by less than 1e-4."""


@dataclass(frozen=True)
class FoundRows:
    """Events made of rows.

    Attributes:
        events: A table with `events.COLUMNS`, by time.
        controls: Physical controls that the rows speak of, whether they move or not.
        assumed: What was taken for granted, as in `Conversion.assumed`: a `shift` that means either shift becomes the
            left one.
    """

    events: pd.DataFrame
    controls: tuple[str, ...]
    assumed: tuple[str, ...]

    def __repr__(self) -> str:
        return f"FoundRows({len(self.events)} events of {len(self.controls)} controls)"


def events_from_rows(
    values: npt.ArrayLike, t_ns: npt.ArrayLike, *, end_ns: int, space: ActionSpace, device: str = "rows"
) -> FoundRows:
    """Write the events of one segment that its rows follow from.

    Args:
        values: (N, A) numbers in the order of `space`; row k is what happened in [t_k, t_{k+1}). Buttons are down from
            0.5 on.
        t_ns: (N,) int64 ns since session start, rising.
        end_ns: End of the segment, after the last time; what is still down then stays open.
        space: What the columns are: physical names, aliases, or slots of a layout such as `lx` or `scroll_up`.
        device: What to write into the column.

    Returns:
        The events, and what was taken for granted.

    Raises:
        BadInputError: A width that is not the space's, times that do not rise, or a discrete space.
        BadDataError: A number that is not finite; the message names row and column.
    """
    rows, times = np.asarray(values, np.float64), np.asarray(t_ns, np.int64)
    _check(rows, times, end_ns, space)
    controls = _controls(space)
    target = ActionSpace.from_names(controls)
    found = conversion(space, target)
    table = found.vectors(rows)
    wheels = _wheels(space, rows)
    parts: list[dict[str, Any]] = []
    motion: dict[str, Floats] = {}
    middle = times + np.diff(times, append=np.int64(end_ns)) // 2
    for column, control in enumerate(controls):
        value = table[:, column].astype(np.float64)
        if kind_of(control) == "motion":
            motion[control] = _whole(wheels.get(control, value))
        elif kind_of(control) == "axis":
            parts.append(_positions(control, value, times))
        else:
            parts.append(_holds(control, value >= TRIGGER_THRESHOLD, times))
    if {"MouseDX", "MouseDY"} & set(motion):
        still = np.zeros(len(rows))
        parts.append(_moves(motion.get("MouseDX", still), motion.get("MouseDY", still), middle))
    parts += [_scrolls(name, motion[name], middle) for name in MOUSE_MOTIONS[2:] if name in motion]
    return FoundRows(_table(parts, device), controls, found.assumed)


def _check(rows: Floats, times: npt.NDArray[np.int64], end_ns: int, space: ActionSpace) -> None:
    if space.kind != "buttons":
        raise BadInputError(
            f"rows in {space!r}", accepts="a space of buttons", fix="name the columns by their controls"
        )
    if rows.shape != (len(times), len(space)):
        raise BadInputError(
            f"rows of shape {rows.shape} with {len(times)} times",
            accepts=f"({len(times)}, {len(space)}), a row a time and a column a slot",
            fix="check the space that the rows were written in",
        )
    if (np.diff(times, append=np.int64(end_ns)) <= 0).any():
        raise BadInputError(
            "times that do not rise up to the segment's end", accepts="one rising time a row", fix="sort them"
        )
    wrong = np.argwhere(~np.isfinite(rows))
    if len(wrong):
        row, column = wrong[0]
        raise BadDataError(
            f"row {row}, {space.names[column]}: {rows[row, column]}",
            accepts="a finite number",
            fix="leave the row out and begin a new segment after it",
        )


def _controls(space: ActionSpace) -> tuple[str, ...]:
    """Name the physical controls that a space speaks of; of several that mean the same, the first."""
    sides = [side[:1] for slot in space.slots if slot.role != "unused" for side in (slot.plus, slot.minus)]
    return tuple(dict.fromkeys(control for side in sides for control in side))


def _wheels(space: ActionSpace, rows: Floats) -> dict[str, Floats]:
    """Give the wheels that stand in two columns of impulses, one a direction."""
    found: dict[str, Floats] = {}
    for column, slot in enumerate(space.slots):
        for side, sign in ((slot.plus, 1.0), (slot.minus, -1.0)):
            if slot.role == "button" and side and CONTROLS.get(side[0]) == "motion":
                found[side[0]] = found.get(side[0], np.zeros(len(rows))) + sign * rows[:, column]
    return found


def _whole(motion: Floats) -> Floats:
    near = np.round(motion)
    return near if (np.abs(motion - near) < _WHOLE).all() else motion


def _holds(control: str, down: npt.NDArray[np.bool_], times: npt.NDArray[np.int64]) -> dict[str, Any]:
    change = np.flatnonzero(np.diff(down, prepend=False))
    kinds = np.where(down[change], "press", "release").astype(object)
    value = np.full(len(change), np.nan)
    if len(change) and change[0] == 0:
        kinds[0], value[0] = "state", 1.0
    return {"t_ns": times[change], "kind": kinds, "control": control, "value": value}


def _positions(control: str, value: Floats, times: npt.NDArray[np.int64]) -> dict[str, Any]:
    change = np.flatnonzero(np.diff(value, prepend=0.0))
    return {"t_ns": times[change], "kind": "axis", "control": control, "value": value[change]}


def _moves(dx: Floats, dy: Floats, times: npt.NDArray[np.int64]) -> dict[str, Any]:
    rows = np.flatnonzero((dx != 0) | (dy != 0))
    return {"t_ns": times[rows], "kind": "move", "control": POINTER, "dx": dx[rows], "dy": dy[rows]}


def _scrolls(control: str, value: Floats, times: npt.NDArray[np.int64]) -> dict[str, Any]:
    rows = np.flatnonzero(value)
    return {"t_ns": times[rows], "kind": "scroll", "control": control, "value": value[rows]}


def _table(parts: list[dict[str, Any]], device: str) -> pd.DataFrame:
    """Put events in order of time. Sets with drops have thousands of segments: no table is made a control."""
    blank: Mapping[str, Any] = dict.fromkeys(COLUMNS, np.nan) | {"device": device, "flag": ""}
    found = [part for part in parts if len(part["t_ns"])]
    if not found:
        return events_frame()
    order = np.argsort(np.concatenate([part["t_ns"] for part in found]), kind="stable")
    columns = {
        name: np.concatenate([_column(part.get(name, value), len(part["t_ns"])) for part in found])[order]
        for name, value in blank.items()
    }
    return pd.DataFrame(columns).astype(dict(COLUMNS))


def _column(value: Any, rows: int) -> npt.NDArray[Any]:
    if isinstance(value, np.ndarray):
        return value
    return np.full(rows, value, object if isinstance(value, str) else np.float64)
