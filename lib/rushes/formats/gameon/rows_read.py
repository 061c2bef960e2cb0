"""Rows of `input_events` as events of a session: every row is one, or is counted with its reason.

| reason | what |
| --- | --- |
| `key_without_name` | button_key is NULL: a key without a character, such as one of the numeric keypad |
| `unknown_key`, `unknown_button`, `unknown_code` | a name that no table knows |
| `unknown_device`, `unknown_action`, `time_unreadable`, `value_unreadable` | what the recorder never writes |
| `key_repeat` | presses of what is down already, as keyboards repeat them |
| `first_position` | the first place of the pointer: kept as where it stands; what it moved is not known |
| `scroll_sideways` | a scroll of 0: the recorder keeps the vertical part alone |
| `changes_nothing` | the d-pad where it was; a pad tells one axis for two directions |
| `sync_report` | the end of a pad's report |
| `before_video`, `behind_video` | outside of the frames |

Motion is what lies between two places of the pointer, in px. The recorder keeps a move only while the number of inputs
that it holds is a multiple of ten (so after one that is kept none, until nine others came), and what the others moved
stands in the next one that it kept: sums are right, the instant is late, by seconds where few keys are used.

Example:
    >>> row = dict.fromkeys(("value", "x_position", "y_position"))
    >>> rows = [{**row, "timestamp_ms": 5, "input_device": "keyboard", "button_key": "w", "action": "press"},
    ...         {**row, "timestamp_ms": 9, "input_device": "keyboard", "button_key": None, "action": "press"}]
    >>> found = read_rows(rows)
    >>> found.events[["t_ns", "control", "kind"]].values.tolist(), dict(found.lost)
    ([[5000000, 'KeyW', 'press']], {'key_without_name': 1})
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from rushes.formats.gameon.names import KEYBOARD, MOUSE, MOVE, SCROLL, control_of
from rushes.formats.gameon.pads import DEVICES, STICKS, SWAPPED, SYNC, Pad, is_byte_wide
from rushes.formats.gameon.schema import Row
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.events import drop_auto_repeat, events_frame
from rushes.model.readings import Event

_MS: Final = 1_000_000
_LATEST_MS: Final = 1 << 42
"""139 years: what is later is no time since a start."""
_EDGES: Final = ("press", "release")


@dataclass(frozen=True)
class FoundEvents:
    """The events of one recording.

    Attributes:
        events: A table with `events.COLUMNS`, by time; ns since its input began.
        offered: How many rows there were.
        lost: Reason -> rows that are no events.
        swapped: Rows of START and BACK, whose codes mean each other.
        byte_wide: Whether sticks were taken as eight bits wide.
    """

    events: pd.DataFrame
    offered: int
    lost: Counter[str]
    swapped: int = 0
    byte_wide: bool = False

    def __repr__(self) -> str:
        return f"FoundEvents({len(self.events)} of {self.offered} rows)"


def read_rows(rows: Iterable[Row]) -> FoundEvents:
    """Read the rows of one recording.

    Args:
        rows: Its `input_events` by name.

    Returns:
        What they mean.
    """
    lost: Counter[str] = Counter()
    timed: list[tuple[float, Row]] = []
    for row in rows:
        time_ms = _number(row["timestamp_ms"])
        if time_ms is None or abs(time_ms) > _LATEST_MS:
            lost["time_unreadable"] += 1
        else:
            timed.append((time_ms, row))
    timed.sort(key=lambda one: one[0])
    known = [row for _, row in timed]
    sticks = [number for row in known if row["button_key"] in STICKS and (number := _number(row["value"])) is not None]
    reader = _Reader(lost, byte_wide=is_byte_wide(sticks))
    for time_ms, row in timed:
        reader.take(round(time_ms * _MS), row)
    events, repeats = drop_auto_repeat(events_frame(reader.events))
    lost += Counter(key_repeat=repeats)
    offered = sum(lost.values()) + int((events["kind"] != "state").sum()) - reader.more
    return FoundEvents(events, offered, lost, reader.swapped, reader.byte_wide)


class _Reader:
    """Goes through rows by time."""

    def __init__(self, lost: Counter[str], *, byte_wide: bool) -> None:
        self.lost, self.byte_wide = lost, byte_wide
        self.events: list[Event] = []
        self.swapped = self.more = 0
        self._pads = {device: Pad(byte_wide) for device in DEVICES}
        self._at: tuple[float, float] | None = None

    def take(self, t_ns: int, row: Row) -> None:
        device = row["input_device"]
        if device == MOUSE and row["action"] in (MOVE, SCROLL):
            self._motion(t_ns, row)
        elif device in (KEYBOARD, MOUSE):
            self._edge(t_ns, str(device), row)
        elif device in DEVICES:
            self._pad(t_ns, str(device), row)
        else:
            self.lost["unknown_device"] += 1

    def _edge(self, t_ns: int, device: str, row: Row) -> None:
        name, action = row["button_key"], row["action"]
        control = control_of(device, name)
        if action not in _EDGES:
            self.lost["unknown_action"] += 1
        elif name is None or name == "":
            self.lost["key_without_name"] += 1
        elif not control:
            self.lost["unknown_key" if device == KEYBOARD else "unknown_button"] += 1
        else:
            self.events.append(Event(t_ns, device, control, action, None, *self._place(row)))

    def _motion(self, t_ns: int, row: Row) -> None:
        x, y = self._place(row)
        if row["action"] == SCROLL:
            notches = _number(row["value"])
            if notches is None:
                self.lost["value_unreadable"] += 1
            elif not notches:
                self.lost["scroll_sideways"] += 1
            else:
                wheel = MOUSE_MOTIONS[3] if row["button_key"] == MOUSE_MOTIONS[3] else MOUSE_MOTIONS[2]
                self.events.append(Event(t_ns, MOUSE, wheel, "scroll", notches, x, y))
            return
        if x is None or y is None:
            self.lost["value_unreadable"] += 1
        elif self._at is None:
            self.lost["first_position"] += 1
            self.events.append(Event(t_ns, MOUSE, POINTER, "state", None, x, y))
            self._at = x, y
        else:
            self.events.append(Event(t_ns, MOUSE, POINTER, "move", None, x, y, x - self._at[0], y - self._at[1]))
            self._at = x, y

    def _pad(self, t_ns: int, device: str, row: Row) -> None:
        code, value = row["button_key"], _number(row["value"])
        if code == SYNC:
            self.lost["sync_report"] += 1
            return
        if value is None:
            self.lost["value_unreadable"] += 1
            return
        told = self._pads[device].events(code, value) if isinstance(code, str) else None
        if told is None:
            self.lost["unknown_code"] += 1
            return
        if not told:
            self.lost["changes_nothing"] += 1
        self.more += max(len(told) - 1, 0)
        self.swapped += code in SWAPPED
        self.events += [Event(t_ns, device, control, kind, number) for control, kind, number in told]

    @staticmethod
    def _place(row: Row) -> tuple[float | None, float | None]:
        x, y = _number(row["x_position"]), _number(row["y_position"])
        return (None, None) if x is None or y is None else (x, y)


def _number(value: Any) -> float | None:
    """Read a number; SQLite keeps any value in any column."""
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
