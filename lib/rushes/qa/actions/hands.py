"""Hands: the inputs of a recording as arrays, by device and control, and what was held from when to when.

Checks of actions work on these and never row by row.

Example:
    >>> from rushes.model.events import events_frame
    >>> rows = [(0, "keyboard", "KeyW", "press"), (5, "keyboard", "KeyW", "press"), (9, "keyboard", "KeyW", "release")]
    >>> hands = Hands.of(events_frame((*row, None, None, None, None, None, "") for row in rows))
    >>> [(hold.start_ns, hold.end_ns) for hold in [hands.holds]], hands.again.tolist()
    ([(array([0]), array([9]))], [1])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.controls import CONTROLS
from rushes.qa.subject import Numbered

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_KINDS: Final = ("press", "release", "move", "axis", "scroll", "state")
PRESS, RELEASE, MOVE, AXIS, SCROLL, STATE = range(6)
OPEN_NS: Final = int(np.iinfo(np.int64).max)
"""End of a hold that does not end."""
_CHORD: Final = "hotkey"
_DOWN: Final = 0.5


@dataclass(frozen=True)
class Holds:
    """What was held; by stream, then by time.

    Attributes:
        stream: (H,) int64 number of device and control.
        start_ns: (H,) int64.
        end_ns: (H,) int64, `OPEN_NS` where it never ends.
    """

    stream: Ints
    start_ns: Ints
    end_ns: Ints


@dataclass(frozen=True)
class Hands:
    """The inputs of a recording, in the order of its table; presses of a hotkey are left out.

    Attributes:
        table: The rows that count.
        t_ns: (E,) int64.
        kind: (E,) int64, a number of `PRESS`, `RELEASE` ...; -1 for others.
        stream: (E,) int64 number of device and control.
        names: (device, control) of each stream.
        chord: (E,) bool: a release that ends a hotkey.
    """

    table: pd.DataFrame
    t_ns: Ints
    kind: Ints
    stream: Ints
    names: tuple[tuple[str, str], ...]
    chord: Bools

    @classmethod
    def of(cls, events: pd.DataFrame, numbered: Callable[[str], Numbered] | None = None) -> Hands:
        """Take a table of events, columns `EVENT_COLUMNS`.

        Args:
            events: The table.
            numbered: Gives a column of it with its texts numbered, where that is done already.
        """
        codes = numbered or (lambda name: pd.factorize(events[name]))
        (kind, kinds), (flag, flags) = codes("kind"), codes("flag")
        (device, devices), (control, controls) = codes("device"), codes("control")
        kind = np.array([_KINDS.index(n) if n in _KINDS else -1 for n in kinds] or [-1], np.int64)[kind]
        chord = np.isin(flag, np.flatnonzero(np.asarray(flags, object) == _CHORD))
        if chord.any():  # a release still ends the hold of a modifier that went down before
            keep = ~chord | (kind == RELEASE)
            events, kind, chord, device, control = (each[keep] for each in (events, kind, chord, device, control))
        many = max(1, len(controls))
        pair, found = pd.factorize(device * many + control)
        both = tuple((str(devices[p // many]), str(controls[p % many])) for p in found.tolist())
        return cls(events, events["t_ns"].to_numpy(np.int64), kind, pair.astype(np.int64), both, chord)

    def numbers(self, name: str) -> Floats:
        """Give a column of numbers, NaN where a row has none: (E,) float64."""
        return np.asarray(self.table[name].to_numpy(np.float64, na_value=np.nan))

    @property
    def happened(self) -> Bools:
        """(E,) bool: not a `state`, which tells what is so and not what happened."""
        return np.asarray(self.kind != STATE)

    @cached_property
    def device(self) -> Ints:
        """(streams,) int64 number of the device of each stream."""
        return np.asarray(pd.factorize(np.array([name for name, _ in self.names], object))[0], np.int64)

    @cached_property
    def buttons(self) -> Bools:
        """(streams,) bool: it is a button, which is down or up."""
        return np.array([_is_button(control) for _, control in self.names], bool)

    @cached_property
    def _edges(self) -> tuple[Ints, Bools, Bools, Bools]:
        """Give the rows of buttons by stream and time, down after and before each, and whether it is the first."""
        if not len(self.t_ns):
            nothing = np.zeros(0, bool)
            return np.zeros(0, np.int64), nothing, nothing, nothing
        digital = (self.kind == PRESS) | (self.kind == RELEASE) | ((self.kind == STATE) & self.buttons[self.stream])
        rows = np.flatnonzero(digital)
        rows = rows[np.lexsort((self.t_ns[rows], self.stream[rows]))]
        stream = self.stream[rows]
        after = np.where(self.kind[rows] == STATE, self.numbers("value")[rows] >= _DOWN, self.kind[rows] == PRESS)
        first = np.ones(len(rows), bool)
        first[1:] = stream[1:] != stream[:-1]
        before = np.zeros(len(rows), bool)
        before[1:] = after[:-1] & ~first[1:]
        return rows.astype(np.int64), np.asarray(after, bool), before, first

    @cached_property
    def holds(self) -> Holds:
        """What was held."""
        rows, after, before, _ = self._edges
        start, end = np.flatnonzero(after & ~before), np.flatnonzero(~after & before)
        stream = self.stream[rows]
        at = np.searchsorted(end, start)
        behind = end[np.minimum(at, max(0, len(end) - 1))] if len(end) else np.zeros(len(start), np.int64)
        closed = (at < len(end)) & (stream[behind] == stream[start]) if len(start) else np.zeros(0, bool)
        t_ns = self.t_ns[rows]
        return Holds(stream[start], t_ns[start], np.where(closed, t_ns[behind] if len(t_ns) else 0, OPEN_NS))

    @cached_property
    def again(self) -> Ints:
        """Rows that press what is down already: (N,) int64 positions."""
        rows, _, before, _ = self._edges
        return np.asarray(rows[(self.kind[rows] == PRESS) & before])

    @cached_property
    def alone(self) -> Ints:
        """Rows that release what is up, but for the first row of a control, which may have been down before."""
        rows, _, before, first = self._edges
        return np.asarray(rows[(self.kind[rows] == RELEASE) & ~before & ~first & ~self.chord[rows]])

    def of_control(self, control: str) -> Ints:
        """Give the streams of a control, one a device that has it."""
        return np.array([k for k, (_, name) in enumerate(self.names) if name == control], np.int64)

    def said(self, stream: int) -> str:
        """Name a stream for people."""
        device, control = self.names[stream]
        return f"{control} of {device}" if device else control

    def __repr__(self) -> str:
        return f"Hands({len(self.t_ns)} inputs of {len(self.names)} controls)"


def _is_button(control: str) -> bool:
    """Say whether a control is one that is down or up; those that a world adds are, what nobody knows is not."""
    return CONTROLS.get(control, "button" if "/" in control else "") == "button"
