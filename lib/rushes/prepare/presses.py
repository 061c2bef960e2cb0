"""When a target is down: the stretches of any control, axis threshold or set of them, with the frame of each press.

Each control is followed by itself, so a release belongs to the control that went down, whatever else is held; a target
of several controls is down from the first that goes down to the last that goes up. Nothing here looks at pixels.

Example:
    >>> import numpy as np
    >>> from rushes.model.events import events_frame
    >>> from rushes.model.readings import Event
    >>> from rushes.model.targets import parse_targets
    >>> rows = [Event(10, "k", "KeyW", "press"), Event(15, "k", "KeyA", "release"), Event(40, "k", "KeyW", "release")]
    >>> found = stretches(events_frame(rows), parse_targets("w")[0])
    >>> found.down_ns.tolist(), found.up_ns.tolist()
    ([10], [40])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.delay import moved
from rushes.model.events import edges
from rushes.model.recording import Recording
from rushes.model.session import Segment
from rushes.model.targets import Part, Target
from rushes.store.pairing import Pair, pairs

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

OPEN: Final = int(np.iinfo(np.int64).max)
"""up_ns of a stretch that nothing ends."""


@dataclass(frozen=True)
class Stretches:
    """When a target is down, in order and disjoint.

    Attributes:
        down_ns: (P,) int64 ns since session start.
        up_ns: (P,) int64; `OPEN` where no release was seen.
        told: (P,) bool; False where it was down before the events begin, so that its press was not seen.
        events: How many rows were about its controls, `state` rows and hotkeys not counted.
        presses: Presses (or crossings of a threshold) among them that changed something.
        releases: Releases among them that changed something.
        malformed: Presses and releases that changed nothing: a press of what was down (auto-repeat), a release of what
            was up. A stick that moves on one side of its threshold is none.
    """

    down_ns: Ints
    up_ns: Ints
    told: Bools
    events: int
    presses: int
    releases: int
    malformed: int

    def __len__(self) -> int:
        return len(self.down_ns)

    @property
    def hold_s(self) -> npt.NDArray[np.float64]:
        """(P,) float64 seconds, NaN where it is open."""
        closed = self.up_ns != OPEN
        return np.where(closed, (np.where(closed, self.up_ns, 0) - self.down_ns) / 1e9, np.nan)


@dataclass(frozen=True)
class Pressed:
    """A target in one segment of N rows.

    Attributes:
        pair: The segment with its grid.
        found: When the target is down; times are the events' own.
        delay_ms: By how much events are moved later before they meet the frames.
        row: (P,) int64 row of the frame on which each press falls: the last one at or before it; -1 or N outside.
    """

    pair: Pair
    found: Stretches
    delay_ms: float
    row: Ints

    def down_in_rows(self) -> Bools:
        """Say for each row whether the target is down at any time in [t_k, t_{k+1}): (N,) bool."""
        starts, ends = self.pair.grid.t_ns, self.pair.grid.ends_ns
        down = moved(self.found.down_ns, self.delay_ms)
        closed = self.found.up_ns != OPEN
        up = np.where(closed, moved(np.where(closed, self.found.up_ns, 0), self.delay_ms), OPEN)
        first = np.searchsorted(down, starts, side="right")  # stretches that began at or before the row
        before = np.zeros(len(starts), bool)
        known = first > 0
        before[known] = up[first[known] - 1] > starts[known]
        return np.asarray(before | (np.searchsorted(down, ends, side="left") > first), bool)


def stretches(events: pd.DataFrame, target: Target) -> Stretches:
    """Find when a target is down.

    Args:
        events: A table with `events.COLUMNS`, in any order; `state` rows say what was down before.
        target: What to look for.

    Returns:
        Its stretches. Two devices that hold one control count as one.
    """
    plain = events.reset_index(drop=True)
    return _united([_part(plain, part) for part in target.parts])


def box_stretches(t_ns: Ints, values: npt.NDArray[np.float64], target: Target) -> Stretches:
    """Find when numbers of a box are beyond their thresholds.

    Args:
        t_ns: (N,) int64 times of the steps.
        values: (N, A) their actions.
        target: Parts named by the number of their slot.
    """
    parts = []
    for part in target.parts:
        level = values[:, int(part.control)]
        after = level > part.threshold if part.way == ">" else level < part.threshold
        parts.append(_levels(t_ns, np.asarray(after, bool), np.ones(len(t_ns), bool), np.arange(len(t_ns))))
    return _united(parts)


Stream = tuple[Ints, Ints, Bools]
"""down_ns, up_ns and told of one control of one device."""


class _Followed(NamedTuple):
    """What following one control gave.

    Attributes:
        streams: One a device.
        rows: Rows about it that tell something.
        idle: Presses and releases among them that changed nothing.
        presses: How many went down.
        releases: How many went up.
    """

    streams: list[Stream]
    rows: Ints
    idle: Ints
    presses: int
    releases: int


def _part(events: pd.DataFrame, part: Part) -> _Followed:
    """Follow one control through a table with a plain index."""
    mine = events[events["control"] == part.control]
    if not part.way:
        return _edges(mine)
    mine = mine[(mine["flag"] != "hotkey") & mine["kind"].isin(["axis", "state"])].sort_values("t_ns", kind="stable")
    parts = []
    for _, one in mine.groupby("device", sort=True):
        value = one["value"].to_numpy(float)
        after = value > part.threshold if part.way == ">" else value < part.threshold
        told = (one["kind"] == "axis").to_numpy()
        parts.append(_levels(one["t_ns"].to_numpy(np.int64), after, told, one.index.to_numpy(np.int64)))
    return _together(parts)


def _edges(events: pd.DataFrame) -> _Followed:
    found = edges(events)
    streams = []
    real = found.before != found.after
    for number in range(len(found.controls)):
        changed = np.flatnonzero((found.stream == number) & real)
        streams.append(_pair_up(found.t_ns[changed], found.after[changed], found.told[changed]))
    rows = events.index.to_numpy(np.int64)[found.row]
    digital = events["kind"].isin(["press", "release"]).to_numpy()[found.row]
    down, up = (int((found.told & real & way).sum()) for way in (found.after, ~found.after))
    return _Followed(streams, rows[found.told], rows[found.told & digital & ~real], down, up)


def _levels(t_ns: Ints, after: Bools, told: Bools, rows: Ints) -> _Followed:
    """Read a level that is down or up after each row."""
    before = np.concatenate([[False], after[:-1]])
    changed = np.flatnonzero(before != after)
    real = changed[told[changed]]
    downs = int(after[real].sum())
    stream = _pair_up(t_ns[changed], after[changed], told[changed])
    return _Followed([stream], rows[told], rows[:0], downs, len(real) - downs)


def _together(parts: Sequence[_Followed]) -> _Followed:
    """Sum up parts; a row about two of them is one row."""
    none = np.zeros(0, np.int64)
    return _Followed(
        [stream for part in parts for stream in part.streams],
        np.unique(np.concatenate([none, *(part.rows for part in parts)])),
        np.unique(np.concatenate([none, *(part.idle for part in parts)])),
        sum(part.presses for part in parts),
        sum(part.releases for part in parts),
    )


def _pair_up(t_ns: Ints, after: Bools, told: Bools) -> Stream:
    """Pair each going down with the next going up; changes of one stream come in turns."""
    down = np.flatnonzero(after)
    ups = np.append(t_ns, np.int64(OPEN))[down + 1]
    return t_ns[down], ups, told[down]


def _united(parts: Sequence[_Followed]) -> Stretches:
    """Unite the stretches of all streams; those that touch stay two, those that overlap become one."""
    whole = _together(parts)
    down, up, told = (np.concatenate([s[k] for s in whole.streams] or [np.zeros(0, np.int64)]) for k in range(3))
    real = told.astype(bool) | (up > down)  # let go during a pause: the state at the start takes itself back
    order = np.flatnonzero(real)[np.argsort(down[real], kind="stable")]
    down, up, told = down[order].astype(np.int64), up[order].astype(np.int64), told[order].astype(bool)
    reach = np.maximum.accumulate(up) if len(up) else up
    first = np.ones(len(down), bool)
    first[1:] = down[1:] >= reach[:-1]
    last = np.roll(first, -1) if len(first) else first
    sums = (len(whole.rows), whole.presses, whole.releases, len(whole.idle))
    return Stretches(down[first], reach[last], told[first], *sums)


def pressed(recording: Recording, target: Target, *, action_delay_ms: float = 0.0) -> Iterator[Pressed]:
    """Go through the segments of a recording that have at least one action, and find a target in each.

    Args:
        recording: Any recording; pass it through `store.validity.honour` to leave out what is marked invalid.
        target: What to look for.
        action_delay_ms: Moves every event this much later first; see `store.pairing.delay_of`.

    Yields:
        One a segment, in order.

    Raises:
        BadInputError: A number of a box that the recording's actions do not have, or another target than such a
            number for an environment whose actions are vectors.
    """
    for pair in pairs(recording, action_delay_ms=action_delay_ms):
        found = _in_segment(recording, pair, pair.segment, target)
        down_ns = moved(found.down_ns, action_delay_ms)
        row = np.searchsorted(pair.grid.t_ns, down_ns, side="right") - 1
        row[down_ns >= pair.grid.ends_ns[-1]] = len(pair)
        yield Pressed(pair, found, action_delay_ms, row.astype(np.int64))


def _in_segment(recording: Recording, pair: Pair, segment: Segment, target: Target) -> Stretches:
    space = recording.info.action_space
    numbers = [part for part in target.parts if part.control.isdecimal()]
    if space.kind == "box" or numbers:
        if (
            space.kind != "box"
            or len(numbers) != len(target.parts)
            or any(int(p.control) >= len(space) for p in numbers)
        ):
            raise BadInputError(
                f"target {target} for {recording.info.id}, whose actions are {space!r}",
                accepts=f"numbers 0 to {len(space) - 1} with a threshold, such as 0>0.5"
                if space.kind == "box"
                else "names of controls",
                fix="name what the recording has; `rushes info PATH` shows it",
            )
        values = np.array([np.asarray(v, float) for v in recording.steps(segment.index)["action"]], float)
        return box_stretches(pair.grid.t_ns, values.reshape(len(pair), -1), target)
    return stretches(pair.events, target)
