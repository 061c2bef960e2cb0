"""The grid: events as per-step actions. Row k is what happened in [t_k, t_{k+1}).

The last row ends with the segment. For each step and control: was it down at any time (`held`), how often did
it go down and up (`pressed`, `released`), for which part of the step was it down (`fraction`); for motion the
sum over the step, so that the sums of all steps equal the sums of the events exactly; for sticks, triggers
and the pointer the position at the step's end.

Sums are exact for whole counts and for the fixed-point fractions that XInput2 reports (multiples of 2**-32 as
long as the sum stays below 2**20); integer columns stay integers.

Example:
    >>> from rushes.model.events import events_frame
    >>> from rushes.model.readings import Event
    >>> tap = [Event(12, "kbd", "Space", "press"), Event(14, "kbd", "Space", "release")]
    >>> found = to_grid(events_frame(tap), [0, 10, 20], end_ns=30)
    >>> found.held["Space"].tolist(), found.fraction["Space"].tolist()
    ([False, True, False], [0.0, 0.2, 0.0])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.controls import MOUSE_MOTIONS, STICKS, TRIGGER_THRESHOLD, TRIGGERS
from rushes.model.delay import moved
from rushes.model.events import COLUMNS, Edges, edges

Encoding = Literal["held", "pressed", "released", "fraction"]
ENCODINGS: Final[tuple[str, ...]] = get_args(Encoding)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """Per-step actions of one segment of N steps. Controls that no event names are absent from the tables.

    Attributes:
        t_ns: (N,) int64 ns since session start, start of each step.
        ends_ns: (N,) int64, end of each step.
        held: Control -> (N,) bool, down at any time in the step.
        pressed: Control -> (N,) int64, how often it went down.
        released: Control -> (N,) int64, how often it went up.
        fraction: Control -> (N,) float64, part of the step for which it was down, 0 to 1.
        holds: Control -> (H, 2) int64 ns, the stretches for which it was down, cut at the segment's edges.
        motion: `MOUSE_MOTIONS` -> (N,) int64 or float64, sum in the unit of the events.
        axes: Stick axis or trigger -> (N,) float64, position at the step's end, 0 before the first report.
        pointer: (N, 2) float64 px, x and y at the step's end, NaN before the first report.
        action_delay_ms: By how much events were moved later.
        ledger: Where each event went: `used`, `state`, `hotkey`, `outside_segment`, `repeat` (a press of what
            was down, a release of what was up). The counts add up to the number of events.
    """

    t_ns: Ints
    ends_ns: Ints
    held: Mapping[str, Bools]
    pressed: Mapping[str, Ints]
    released: Mapping[str, Ints]
    fraction: Mapping[str, Floats]
    holds: Mapping[str, Ints]
    motion: Mapping[str, npt.NDArray[Any]]
    axes: Mapping[str, Floats]
    pointer: Floats
    action_delay_ms: float
    ledger: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.t_ns)

    def vector(self, space: ActionSpace, encoding: Encoding = "held") -> npt.NDArray[np.float32]:
        """Write the steps as action vectors.

        Args:
            space: What the columns are; controls without events are 0.
            encoding: What a button's column holds: `held` (0 or 1), `pressed` or `released` (1 where it
                happened in the step), `fraction` (0 to 1). Axes hold the position, motions the sum; both are
                scaled and clipped as their slots say.

        Returns:
            (N, A) float32.

        Raises:
            BadInputError: An encoding that does not exist, or a discrete space: the steps of an environment
                are the truth and are not guessed from buttons.
        """
        if encoding not in ENCODINGS:
            raise BadInputError(f"encoding={encoding!r}", accepts="one of " + ", ".join(ENCODINGS), fix="choose one")
        if space.kind == "discrete":
            raise BadInputError(
                f"a vector in {space!r}",
                accepts="a space of buttons",
                fix="take the action column of the steps, or convert to a space of buttons",
            )
        out = np.zeros((len(self), len(space)), np.float32)
        for column, slot in enumerate(space.slots):
            button = slot.role == "button"
            value = self._side(slot.plus, encoding, button=button)
            value -= self._side(slot.minus, encoding, button=button)
            out[:, column] = np.clip(value * slot.scale, *slot.limits)
        return out

    def _side(self, controls: tuple[str, ...], encoding: Encoding, *, button: bool) -> Floats:
        """Evaluate one side of a slot: any of several buttons, plus the positions and sums of the rest."""
        total = np.zeros(len(self))
        down = [c for c in controls if c in self.held and (button or c not in self.axes)]
        if len(down) > 1 and encoding == "fraction":
            total += _fraction(_union(np.concatenate([self.holds[c] for c in down])), self.t_ns, self.ends_ns)
        elif down:
            table: Mapping[str, npt.NDArray[Any]] = getattr(self, encoding)
            total += np.minimum(np.sum([table[c] for c in down], axis=0), 1)
        for control in controls:
            if control in self.motion:
                total += self.motion[control]
            elif control in self.axes and control not in down:
                total += self.axes[control] >= TRIGGER_THRESHOLD if button else self.axes[control]
        return total

    def __repr__(self) -> str:
        seconds = (int(self.ends_ns[-1]) - int(self.t_ns[0])) / 1e9
        return f"Grid({len(self)} steps, {seconds:.1f} s, {len(self.held)} buttons)"


def to_grid(events: pd.DataFrame, t_ns: npt.ArrayLike, *, end_ns: int, action_delay_ms: float = 0.0) -> Grid:
    """Sort the events of one segment into its steps.

    Events before the segment's start set what is down, where the sticks stand and where the pointer is, and
    so do `state` rows, which imply no edge; neither adds to a sum. Rows flagged `hotkey` count nowhere. Two
    devices may hold the same control: it is down while any of them holds it.

    Args:
        events: A table with `events.COLUMNS`, in any order. Rows from outside the segment may be in it.
        t_ns: (N,) int64 ns since session start of the steps' starts, not falling; of two equal ones the
            second has all events. N is at least 1.
        end_ns: ns since session start of the segment's end, at or after the last step's start.
        action_delay_ms: Moves every event this much later first, by a `model.delay.Delay` each by its own; a positive
            measured offset is cancelled by itself.

    Returns:
        The grid.

    Raises:
        BadInputError: No step, a time that falls (the message names the row), or columns missing from the
            events.
    """
    starts = _checked(t_ns, end_ns, events)
    ends = np.append(starts[1:], np.int64(end_ns))
    times = moved(events["t_ns"].to_numpy(np.int64), action_delay_ms)
    order = np.argsort(times, kind="stable")
    events = events.assign(t_ns=times).iloc[order]
    times, kind = times[order], events["kind"].to_numpy(object)
    row = np.searchsorted(starts, times, side="right") - 1
    inside = (row >= 0) & (times < end_ns)
    hotkey, state = events["flag"].to_numpy(object) == "hotkey", kind == "state"
    counted = inside & ~hotkey & ~state
    edge = edges(events)
    repeat = np.zeros(len(events), bool)
    repeat[edge.row[(edge.before == edge.after) & np.isin(kind[edge.row], ("press", "release"))]] = True
    ledger = {
        "used": int((counted & ~repeat).sum()),
        "state": int((state & ~hotkey).sum()),
        "hotkey": int(hotkey.sum()),
        "outside_segment": int((~inside & ~hotkey & ~state).sum()),
        "repeat": int((counted & repeat).sum()),
    }
    motion = _motion(events[counted], row[counted], len(starts))
    axes, pointer = _positions(events[~hotkey], ends)
    held, pressed, released, fraction, holds = _buttons(edge, row, inside, starts, ends)
    return Grid(starts, ends, held, pressed, released, fraction, holds, motion, axes, pointer, action_delay_ms, ledger)


def _checked(t_ns: npt.ArrayLike, end_ns: int, events: pd.DataFrame) -> Ints:
    starts = np.atleast_1d(np.asarray(t_ns, np.int64))
    falls = np.flatnonzero(np.diff(starts, append=np.int64(end_ns)) < 0)
    if len(falls) or not len(starts):
        raise BadInputError(
            f"row {falls[0]}, {starts[falls[0]]} ns, later than what follows it" if len(falls) else "no step",
            accepts="one or more times that do not fall, none after end_ns",
            fix="make one grid a segment, with its own frames and its own end",
        )
    if not set(COLUMNS) <= set(events.columns):
        raise BadInputError(
            f"a table of events without {', '.join(sorted(set(COLUMNS) - set(events.columns)))}",
            accepts=", ".join(COLUMNS),
            fix="make it with events_frame",
        )
    return starts


def _buttons(edge: Edges, row: Ints, inside: Bools, starts: Ints, ends: Ints) -> list[dict[str, Any]]:
    """Make held, pressed, released, fraction and holds."""
    found: list[dict[str, Any]] = [{}, {}, {}, {}, {}]
    changes = edge.before != edge.after
    told = changes & edge.told & inside[edge.row]
    names = np.array(edge.controls, object)[edge.stream]
    for control in sorted(set(edge.controls)):
        mine = names == control
        pressed, released = (
            np.bincount(row[edge.row[mine & told & (edge.after == way)]], minlength=len(starts))
            for way in (True, False)
        )
        stretches = _stretches(edge, np.flatnonzero(mine & changes), int(starts[0]), int(ends[-1]))
        began = np.bincount(np.searchsorted(starts, stretches[:, 0], side="right") - 1, minlength=len(starts))
        held = _down_at(stretches, starts) | (pressed > 0) | (began > 0)
        part = _fraction(stretches, starts, ends)
        for table, value in zip(found, (held, pressed, released, part, stretches), strict=True):
            table[control] = value
    return found


def _stretches(edge: Edges, at: Ints, start: int, end: int) -> Ints:
    """Pair each going down with the next going up of its stream; (H, 2), cut at the segment and united."""
    closed = np.zeros(len(at), bool)
    closed[:-1] = edge.stream[at[1:]] == edge.stream[at[:-1]]
    ups = np.where(closed, edge.t_ns[np.roll(at, -1)], end)
    both = np.stack([edge.t_ns[at], ups], axis=1)[edge.after[at]].clip(start, end)
    return _union(both[both[:, 0] < both[:, 1]])


def _union(stretches: Ints) -> Ints:
    """Unite stretches that overlap; the result is in order and disjoint."""
    stretches = stretches[np.argsort(stretches[:, 0], kind="stable")]
    reach = np.maximum.accumulate(stretches[:, 1])
    first = np.ones(len(stretches), bool)
    first[1:] = stretches[1:, 0] >= reach[:-1]
    last = np.roll(first, -1)
    return np.stack([stretches[first, 0], reach[last]], axis=1)


def _down_at(stretches: Ints, times: Ints) -> Bools:
    if not len(stretches):
        return np.zeros(len(times), bool)
    place = np.searchsorted(stretches[:, 0], times, side="right") - 1
    return np.asarray((place >= 0) & (times < stretches[place, 1]))


def _fraction(stretches: Ints, starts: Ints, ends: Ints) -> Floats:
    """Measure which part of each step disjoint stretches cover; without length its instant counts."""
    length = ends - starts
    first, last = (np.searchsorted(starts, stretches[:, side], side="right") - 1 for side in (0, 1))
    covered = np.zeros(len(starts), np.int64)
    # A stretch covers all of every step from that of its start up to and without that of its end ...
    whole = np.cumsum(np.bincount(first, minlength=len(starts)) - np.bincount(last, minlength=len(starts)))
    covered += whole * length
    # ... less what lies before its start, and with what lies before its end.
    np.subtract.at(covered, first, stretches[:, 0] - starts[first])
    np.add.at(covered, last, stretches[:, 1] - starts[last])
    instant = _down_at(stretches, starts).astype(np.float64)
    np.divide(covered, length, out=instant, where=length > 0)
    return instant


def _motion(events: pd.DataFrame, row: Ints, steps: int) -> dict[str, npt.NDArray[Any]]:
    """Sum what moved; `events` are those that count, `row` their steps."""
    kind, control = events["kind"].to_numpy(object), events["control"].to_numpy(object)
    found: dict[str, npt.NDArray[Any]] = {}
    for name, column in zip(MOUSE_MOTIONS, ("dx", "dy", "value", "value"), strict=True):
        mine = kind == "move" if column != "value" else (kind == "scroll") & (control == name)
        whole = events[column].dtype.kind in "iu"
        amount = events[column].to_numpy(np.int64 if whole else np.float64, na_value=0)[mine]
        found[name] = np.zeros(steps, amount.dtype)
        np.add.at(found[name], row[mine], np.nan_to_num(amount))
    return found


def _positions(events: pd.DataFrame, ends: Ints) -> tuple[dict[str, Floats], Floats]:
    """Find where sticks, triggers and the pointer stand at the end of each step."""
    times, control = events["t_ns"].to_numpy(), events["control"].to_numpy(object)
    reports = np.isin(events["kind"].to_numpy(object), ("axis", "state"))

    def last(column: str, mine: Bools, rest: float) -> Floats:
        values = np.append(rest, events[column].to_numpy(float, na_value=np.nan)[mine])
        return np.asarray(values[np.searchsorted(times[mine], ends, side="left")])

    axes = {
        name: last("value", reports & (control == name), 0.0)
        for name in (*STICKS, *TRIGGERS)
        if (reports & (control == name)).any()
    }
    known = (events["x"].notna() & events["y"].notna()).to_numpy()
    return axes, np.stack([last(column, known, np.nan) for column in ("x", "y")], axis=1)
