"""Events: the raw edges and motions of input devices, stamped when they happened; they are the truth.

One row an event (`COLUMNS`). What a row means depends on its kind:

| kind | control | carries |
| --- | --- | --- |
| `press`, `release` | a button or trigger | nothing more; x, y where the pointer is known |
| `move` | `Mouse` | dx, dy in the session's motion unit (+y down), x, y in px where known |
| `scroll` | `MouseWheel`, `MouseWheelX` | value: notches, + away from the user or to the right |
| `axis` | a stick axis or trigger | value: -1 to 1 (up = -1), 0 to 1 |
| `state` | a button, stick, trigger or `Mouse` | value: the position now (1 down, 0 up), or x, y; no edge |

Rows may stand in any order; whoever reads them sorts by t_ns and keeps the order of equal ones. Numbers that
a row does not carry are NaN, `flag` is empty or `hotkey`.

Example:
    >>> frame = edges_from_actions([0, 100, 200], ["NOOP", "UPFIRE", "UP"], world="ALE")
    >>> list(zip(frame["t_ns"], frame["kind"], frame["control"]))
    [(100, 'press', 'ALE/FIRE'), (100, 'press', 'ALE/UP'), (200, 'release', 'ALE/FIRE')]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError, BadNameError
from rushes.model.controls import (
    MOUSE_MOTIONS,
    POINTER,
    TRIGGER_THRESHOLD,
    TRIGGERS,
    action_buttons,
    kind_of,
)

EventKind = Literal["press", "release", "move", "axis", "scroll", "state"]
EVENT_KINDS: Final[tuple[EventKind, ...]] = ("press", "release", "move", "axis", "scroll", "state")
FLAGS: Final = ("", "hotkey")

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {"t_ns": "int64", "device": "str", "control": "str", "kind": "str"}
    | dict.fromkeys(("value", "x", "y", "dx", "dy"), "float64")
    | {"flag": "str"}
)
"""Columns of events and their types, in order; times are ns since session start."""

_WHEELS: Final = MOUSE_MOTIONS[2:]


def events_frame(rows: Iterable[Sequence[Any]] = ()) -> pd.DataFrame:
    """Make a table of events.

    Args:
        rows: `readings.Event`s, or other rows with the values of `COLUMNS`; None where there is none.

    Returns:
        A table with `COLUMNS` and their types, in the order given.
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return _typed(dict(zip(COLUMNS, columns, strict=True)))


def _typed(columns: Mapping[str, Any]) -> pd.DataFrame:
    frame = {}
    for name, kind in COLUMNS.items():
        values = list(columns[name]) if kind == "str" else np.asarray(columns[name], kind)
        frame[name] = pd.Series(values, dtype="str" if kind == "str" else None)
    return pd.DataFrame(frame)


def validate_events(events: pd.DataFrame) -> None:
    """Check that a table holds events that mean something.

    Args:
        events: A table with `COLUMNS`.

    Raises:
        BadDataError: A column is missing or unknown, or rows say what cannot be; the message counts them and
            names the first (row numbers from 0, by position).
    """
    if list(events.columns) != list(COLUMNS):
        raise BadDataError(
            f"a table of events with the columns {', '.join(map(str, events.columns))}",
            accepts=", ".join(COLUMNS),
            fix="make it with events_frame",
        )
    for name in ("t_ns", "value", "x", "y", "dx", "dy"):
        kinds = "iu" if name == "t_ns" else "iuf"
        if events[name].dtype.kind not in kinds or (name == "t_ns" and events[name].isna().any()):
            raise BadDataError(
                f"column {name} of type {events[name].dtype}",
                accepts=COLUMNS[name],
                fix="make the table with events_frame",
            )
    kind, control = events["kind"].to_numpy(object), events["control"].to_numpy(object)
    _refuse(~np.isin(kind, EVENT_KINDS), kind, "kind {!r}", "one of " + ", ".join(EVENT_KINDS))
    flag = events["flag"].to_numpy(object)
    _refuse(~np.isin(flag, FLAGS), flag, "flag {!r}", "'' or 'hotkey'")
    names = {name: _group(name) for name in pd.unique(events["control"])}
    group = np.array([names[name] for name in control], object)
    for wanted, groups in _GROUPS.items():
        wrong = (kind == wanted) & ~np.isin(group, groups)
        _refuse(wrong, control, f"a {wanted} of {{!r}}", f"a control for which {wanted} means something")
    numbers = {name: events[name].to_numpy(float, na_value=np.nan) for name in ("value", "x", "y", "dx", "dy")}
    for name, values in numbers.items():
        _refuse(np.isinf(values), values, f"{name} {{}}", "a finite number, or none")
    value = numbers["value"]
    bare = np.isnan(value)
    pointer = group == "pointer"
    _refuse(np.isin(kind, ("axis", "scroll", "state")) & ~pointer & bare, kind, "a {} without value", "a value")
    place = np.isnan(numbers["x"]) | np.isnan(numbers["y"])
    step = np.isnan(numbers["dx"]) | np.isnan(numbers["dy"])
    _refuse(
        pointer & place & (step | (kind == "state")),
        kind,
        "a {} of the pointer without a place or a motion",
        "x and y, or dx and dy",
    )
    low = np.where(group == "stick", -1.0, 0.0)
    limited = np.isin(group, ("stick", "trigger", "button")) & ~bare
    _refuse(limited & ((value < low) | (value > 1)), value, "value {}", "-1 to 1 for sticks, else 0 to 1")


_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "press": ("button", "trigger"),
    "release": ("button", "trigger"),
    "move": ("pointer",),
    "axis": ("stick", "trigger"),
    "scroll": ("wheel",),
    "state": ("button", "trigger", "stick", "pointer"),
}


def _group(control: Any) -> str:
    """Tell what kind of rows a control may have; an empty string where it is none."""
    if control in TRIGGERS:
        return "trigger"
    if control == POINTER or control in _WHEELS:
        return "pointer" if control == POINTER else "wheel"
    try:
        return {"button": "button", "axis": "stick", "motion": "motion"}[kind_of(str(control))]
    except BadNameError:
        return ""


def _refuse(wrong: npt.NDArray[np.bool_], values: npt.NDArray[Any], given: str, accepts: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        raise BadDataError(
            f"row {rows[0]}: {given.format(values[rows[0]])}{more}",
            accepts=accepts,
            fix="correct or leave out those rows where they are made",
        )


@dataclass(frozen=True)
class Edges:
    """The rows of an event table that tell whether a control is down, with what they change.

    Rows are ordered by stream (device and control), then by time. Arrays are (E,).

    Attributes:
        row: int64 position in the table.
        t_ns: int64.
        stream: int64 number of device and control.
        controls: Control of each stream.
        before: bool, down before the row.
        after: bool, down after it.
        told: bool, the row is an edge of its own (press, release, trigger) and not a `state` or a hotkey's.
    """

    row: npt.NDArray[np.int64]
    t_ns: npt.NDArray[np.int64]
    stream: npt.NDArray[np.int64]
    controls: tuple[str, ...]
    before: npt.NDArray[np.bool_]
    after: npt.NDArray[np.bool_]
    told: npt.NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"Edges({len(self.row)} of {len(self.controls)} streams)"


def edges(events: pd.DataFrame) -> Edges:
    """Follow each control of each device through its rows.

    A press is an edge where the control was up, a release where it was down: repeats change nothing. A
    trigger is down from `TRIGGER_THRESHOLD` on. Rows flagged `hotkey` are left out, except that a release
    ends the hold of a modifier that went down before the chord was complete, or it would stay stuck.

    Args:
        events: A table with `COLUMNS`, in any order.
    """
    kind, control = events["kind"].to_numpy(object), events["control"].to_numpy(object)
    hotkey = events["flag"].to_numpy(object) == "hotkey"
    digital = np.isin(kind, ("press", "release"))
    trigger = np.isin(control, TRIGGERS) & (kind == "axis")
    buttons = {name for name in pd.unique(events["control"]) if _group(name) in {"button", "trigger"}}
    state = (kind == "state") & np.isin(control, list(buttons))
    rows = np.flatnonzero((digital | trigger | state) & (~hotkey | (kind == "release")))
    t_ns = events["t_ns"].to_numpy(np.int64)[rows]
    pairs = pd.MultiIndex.from_arrays([events["device"].to_numpy(object)[rows], control[rows]])
    stream, found = pairs.factorize()
    order = np.lexsort((t_ns, stream))
    rows, t_ns, stream = rows[order], t_ns[order], stream[order].astype(np.int64)
    high = np.nan_to_num(events["value"].to_numpy(float, na_value=np.nan)[rows]) >= TRIGGER_THRESHOLD
    after = np.where(digital[rows], kind[rows] == "press", high).astype(bool)
    before = np.zeros(len(rows), bool)
    before[1:] = after[:-1] & (stream[1:] == stream[:-1])
    told = ~state[rows] & ~hotkey[rows]
    return Edges(rows, t_ns, stream, tuple(name for _, name in found), before, after, told)


def drop_auto_repeat(events: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Leave out presses of what is down already, as keyboards repeat them.

    Args:
        events: A table with `COLUMNS`.

    Returns:
        The table without them, its order kept and its index new, and how many were left out.
    """
    found = edges(events)
    pressed = events["kind"].to_numpy(object)[found.row] == "press"
    repeats = found.row[pressed & found.before]
    keep = np.ones(len(events), bool)
    keep[repeats] = False
    return events[keep].reset_index(drop=True), len(repeats)


def cut_events(events: pd.DataFrame, start_ns: int, end_ns: int) -> pd.DataFrame:
    """Give the events of one stretch, begun with the state of what was down or moved away from rest at its start.

    Args:
        events: A table with `COLUMNS` by time, which reaches back far enough to know the state.
        start_ns: Start of the stretch.
        end_ns: Its end, which is no part of it.

    Returns:
        A table with `COLUMNS`: `state` rows at the start, then what happened in [start, end).
    """
    inside = events[(events["t_ns"] >= start_ns) & (events["t_ns"] < end_ns)]
    before = events[(events["t_ns"] < start_ns) & events["kind"].isin(["press", "release", "axis", "state"])]
    state = before.drop_duplicates(["device", "control"], keep="last")
    state = state[(state["kind"] != "release") & (state["value"] != 0)]
    value = state["value"].mask(state["kind"] == "press", 1.0)
    return pd.concat([state.assign(kind="state", t_ns=start_ns, value=value), inside], ignore_index=True)


def edges_from_actions(t_ns: npt.ArrayLike, actions: Sequence[str], *, world: str, device: str = "env") -> pd.DataFrame:
    """Derive button edges from the steps of one segment of an environment; the steps remain the truth.

    Step k holds its action's buttons from t_ns[k] to t_ns[k + 1]. A button is pressed where it was not held
    in the step before, released where it is no longer held; what the last step holds stays open.

    Args:
        t_ns: (N,) int64 ns since session start of the observations acted on, rising.
        actions: (N,) names of the actions, bare or `WORLD/NAME`.
        world: What stands before a bare name (`ALE`).
        device: What to write into the column.

    Returns:
        A table with `COLUMNS`, by time, releases before presses, then by name.

    Raises:
        BadInputError: The lengths differ or times do not rise.
        BadNameError: ALE has no such action.
    """
    times = np.asarray(t_ns, np.int64)
    if times.shape != (len(actions),) or (np.diff(times) <= 0).any():
        raise BadInputError(
            f"{len(actions)} actions with {times.size} times, rising {bool((np.diff(times) > 0).all())}",
            accepts="one rising time an action",
            fix="derive the edges of each segment by itself",
        )
    code, names = pd.factorize(np.array(actions, object))
    held = [action_buttons(name if "/" in name else f"{world}/{name}") for name in names]
    buttons = sorted(frozenset[str]().union(*held))
    table = np.array([[button in one for button in buttons] for one in held], bool).reshape(len(held), len(buttons))
    change = np.diff(table[code].astype(np.int8), axis=0, prepend=np.int8(0))
    step, button = np.nonzero(change)
    way = change[step, button]
    order = np.lexsort((button, way, step))
    step, button, way = step[order], button[order], way[order]
    blank = np.full(len(step), np.nan)
    columns: dict[str, Any] = dict.fromkeys(COLUMNS, blank)
    columns |= {"t_ns": times[step], "device": [device] * len(step), "control": [buttons[b] for b in button]}
    columns |= {"kind": ["press" if w > 0 else "release" for w in way], "flag": [""] * len(step)}
    return _typed(columns)
