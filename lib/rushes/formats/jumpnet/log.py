"""The recorder's key log as events: presses at their row's time, releases a hold after their press.

A row says which keys are down after it; what changed since the row before is the event. A release belongs to the key
that went up, whatever other key the log speaks of, and lies its own hold after its press, to the nanosecond. What
changes nothing (key repeats of the system, a release of what was up) is counted and makes no event; what changed
without a row of its own becomes an event at the row where it is seen.

Example:
    >>> import numpy as np
    >>> up, down, none = np.zeros(1), np.ones(1), np.zeros(1)
    >>> rows = [Row(0, none, 0.0, down, none, "press", 30), Row(1, none, 0.0, up, np.array([0.25]), "release", 40)]
    >>> log = read_log(rows, times_of(rows), ("KeyW",))
    >>> log.events["t_ns"].tolist()
    [1000000000, 1250000000]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.formats.jumpnet.rows import PRESS, Row
from rushes.model.clock import NS
from rushes.model.events import events_frame
from rushes.model.ledger import Tally
from rushes.model.readings import Event

Ints = npt.NDArray[np.int64]

RATE_HZ: Final = 30
"""Frames a second that the recorder's numbers stand for."""
PERIOD_NS: Final = NS // RATE_HZ
_DOWN: Final = 0.5
LONGEST_S: Final = 1e6
"""No hold is so long."""
NOTHING: Final = ("key_repeat", "unmatched_release")
"""Rows that change nothing; the other remarks are about events that are there."""


@dataclass(frozen=True)
class Log:
    """Events of a stretch.

    Attributes:
        events: By time.
        rows: How many rows were read.
        remarks: `key_repeat`, `unmatched_release`; `press_not_logged`, `release_not_logged`, `hold_not_a_number`,
            `hold_negative`, `hold_clipped` -> how often.
    """

    events: pd.DataFrame
    rows: int
    remarks: Counter[str]

    def account(self, tally: Tally) -> None:
        """Write what became of the rows as events: each is one, changes nothing, or is more than one."""
        made = int((self.events["kind"] != "state").sum())
        extra = made - (self.rows - sum(self.remarks[name] for name in NOTHING))
        tally.offer("events", self.rows + extra)
        for name, count in self.remarks.items():
            (tally.lose if name in NOTHING else tally.mark)("events", name, count)


def frame_ns(frame: int) -> int:
    """Give the time of a frame by its number, in ns."""
    return (2 * frame * NS + RATE_HZ) // (2 * RATE_HZ)


def times_of(rows: Sequence[Row]) -> Ints:
    """Give the times of rows by their frames; those of one frame stand 1 ns apart, in their order.

    Args:
        rows: Whose frames do not fall.

    Returns:
        (N,) int64 ns, rising.
    """
    times = np.array([frame_ns(row.frame) for row in rows], np.int64)
    steps = np.arange(len(times))
    return np.asarray(np.maximum.accumulate(times - steps) + steps, np.int64)


def stretches(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Split rows where their frames fall: there a second recording was put behind the first."""
    cuts = [0, *(k for k in range(1, len(rows)) if rows[k].frame < rows[k - 1].frame), len(rows)]
    return [rows[start:stop] for start, stop in pairwise(cuts) if stop > start]


def read_log(
    rows: Sequence[Row], t_ns: Ints, controls: Sequence[str], *, exact: bool = False, begun: Sequence[str] = ()
) -> Log:
    """Read events.

    Args:
        rows: In the order of the file.
        t_ns: (N,) their times, rising.
        controls: What each column of their key vectors is.
        exact: Whether a release lies at its row's time and not a hold after its press.
        begun: What is down before the first row: `state` rows at its time.
    """
    found: list[tuple[int, str, str]] = []
    remarks: Counter[str] = Counter()
    down = np.isin(list(controls), list(begun))
    pressed: dict[int, int] = {}  # key -> time of its press
    released: dict[int, int] = {}  # key -> place of its last release in `found`
    for row, time in zip(rows, t_ns.tolist(), strict=True):
        now = row.keys >= _DOWN
        new, gone = np.flatnonzero(now & ~down).tolist(), np.flatnonzero(down & ~now).tolist()
        if not new and not gone:
            remarks.update([NOTHING[row.phase != PRESS]])
        elif row.phase == PRESS:
            remarks.update(press_not_logged=max(0, len(new) - 1), release_not_logged=len(gone))
        else:
            remarks.update(press_not_logged=len(new), release_not_logged=max(0, len(gone) - 1))
        for key in gone:
            hold = float(row.holds[key]) if row.phase != PRESS and not exact else 0.0
            remarks.update(hold_not_a_number=int(not hold < LONGEST_S), hold_negative=int(hold < 0))
            known = 0 < hold < LONGEST_S
            released[key] = len(found)
            found.append((pressed.pop(key) + round(hold * NS) if known else time, controls[key], "release"))
        for key in new:
            last = released.get(key)
            if last is not None and found[last][0] > time:
                found[last] = (time, controls[key], "release")
                remarks.update(hold_clipped=1)
            pressed[key] = time
            found.append((time, controls[key], "press"))
        down = now
    found.sort(key=lambda event: event[0])
    states = [Event(int(t_ns[0]), "keyboard", control, "state", 1.0) for control in begun]
    events = [*states, *(Event(time, "keyboard", control, kind) for time, control, kind in found)]
    return Log(events_frame(events), len(rows), +remarks)
