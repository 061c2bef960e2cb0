"""Rows as the NitroGen Capture program notes them, and what they do not show.

It notes a row when it takes a frame. Taps between two frames are in no row, nor is what comes behind the last one.

Example:
    >>> from rushes.store.reader import open_session
    >>> from rushes.store.pairing import pairs
    >>> def taps(path):
    ...     return [unseen(pair, frozenset({"Space"})) for pair in pairs(open_session(path))]
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from rushes.formats.inputs import Account, Floats, Rows
from rushes.formats.nitrogen.capture_names import wheel_columns
from rushes.model.controls import kind_of
from rushes.model.delay import moved
from rushes.store.pairing import Pair

STRICT_PAIRING: Final = "row k = keys as they were at t_k, motion of (t_{k-1}, t_k]"


def as_noted(rows: Rows, pair: Pair) -> Floats:
    """Read a segment as the program does: keys at t_k, motion and wheels of (t_{k-1}, t_k].

    Args:
        rows: How steps are read.
        pair: A segment of N rows.

    Returns:
        (N, len(rows.target)) float32.
    """
    found = rows.vectors(pair.snapshot)
    since = [k for k, one in enumerate(rows.target.slots) if one.role == "motion"] + wheel_columns(rows.target)
    found[:, since] = rows.vectors(pair.before)[:, since]
    return found


def lose_unseen(account: Account, rows: Rows, pair: Pair) -> None:
    """Count the events that rows read so do not show."""
    behind, between = unseen(pair, rows.controls)
    account.lose("behind_last_frame", behind)
    account.lose("tap_between_frames", between)


def unseen(pair: Pair, controls: frozenset[str]) -> tuple[int, int]:
    """Count the events that a snapshot a frame does not show.

    Args:
        pair: A segment.
        controls: Controls that have a place.

    Returns:
        Events behind the last frame, and edges of buttons between two frames that cancel each other.
    """
    upto, shown, whole = pair.before, pair.snapshot, pair.grid
    behind = between = 0
    for control in sorted(controls & set(whole.pressed)):
        every, seen = (int(g.pressed[control].sum() + g.released[control].sum()) for g in (whole, upto))
        behind += every - seen
        at_start = int(upto.pressed[control][0] + upto.released[control][0])
        changes = int(np.count_nonzero(np.diff(shown.held[control])))
        between += max(seen - at_start - changes, 0)
    return behind + _moves_behind(pair, controls), between


def _moves_behind(pair: Pair, controls: frozenset[str]) -> int:
    """Count what moved behind the last frame."""
    events: pd.DataFrame = pair.events
    times = moved(events["t_ns"].to_numpy(np.int64), pair.grid.action_delay_ms)
    late = events[(times > pair.grid.t_ns[-1]) & (times < pair.grid.ends_ns[-1]) & (events["flag"] != "hotkey")]
    placed = {name for name in controls if kind_of(name) == "axis"}
    motion = bool({"MouseDX", "MouseDY"} & controls)
    counted = late["control"].isin(placed) & (late["kind"] == "axis")
    counted |= (late["kind"] == "move") & motion
    counted |= (late["kind"] == "scroll") & late["control"].isin(controls)
    return int(counted.sum())
