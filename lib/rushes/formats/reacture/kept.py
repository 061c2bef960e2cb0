"""Rows of frames with their pictures, times and keys: which can be frames of a recording, and why the others cannot.

Example:
    >>> from rushes.formats.reacture.album import Album
    >>> rows = [Row(1, 0.0, True, 0, "", None, {}), Row(2, 99.0, True, 1, "", None, {})]
    >>> kept = keep(rows, Album({0: "a"}, {}, (2, 2), None), None, Notes("set"), Tally())
    >>> kept.good.tolist(), kept.t_ns.tolist()
    ([True, False], [0, 99000000])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.formats.reacture.album import Album
from rushes.formats.reacture.cut import STEP_NS
from rushes.formats.reacture.lines import KEYS, Row
from rushes.formats.reacture.own import Own, row_time
from rushes.formats.reacture.pairing import join
from rushes.formats.reacture.remarks import Notes
from rushes.model.ledger import Tally

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MS: Final = 1_000_000
_GRID_MS: Final = 100.0
_ENOUGH: Final = 3
"""Frames from which on times of number x 100 exactly are no accident."""


@dataclass(frozen=True)
class Kept:
    """Rows of frames.

    Attributes:
        good: (N,) bool, whether a row is a frame of the recording.
        number: (N,) int64, the number of its picture; -1 where there is none.
        t_ns: (N,) int64 ns since session start; 0 where it is not known.
        keys: (N, 11) what its row says, in the order of `KEYS`.
        measured: Whether the times are.
    """

    good: Bools
    number: Ints
    t_ns: Ints
    keys: npt.NDArray[np.float64]
    measured: bool


def keep(rows: Sequence[Row], album: Album, own: Own | None, notes: Notes, tally: Tally) -> Kept:
    """Say which rows are frames, and count the others.

    Args:
        rows: Rows of frames, one or more, in the order of the file.
        album: The pictures.
        own: What this program says of the set; None for a set of the game.
        notes: Where to say what was wrong.
        tally: Where to count what is left out.
    """
    keeper = _Keeper(rows, notes, tally)
    t_ns, known, measured = keeper.times(own)
    number = keeper.pair(album)
    keeper.lose(~known, "missing_time")
    without = np.array([row.keys is None for row in rows], bool)
    if without.all():
        notes.add("no_keys", len(rows))
    else:
        keeper.lose(without, "missing_keys")
    keeper.lose(_falls(t_ns, keeper.good), "time_not_rising")
    if own is not None:
        keeper.lose(np.array([own.segment_of(int(n)) is None for n in number], bool), "time_not_rising")
    values = np.array([row.keys or (0.0,) * len(KEYS) for row in rows], np.float64)
    return Kept(keeper.good, number, t_ns, values, measured)


class _Keeper:
    """Rows on their way: those that are good so far."""

    def __init__(self, rows: Sequence[Row], notes: Notes, tally: Tally) -> None:
        self._rows, self._notes, self._tally = rows, notes, tally
        self.good = np.ones(len(rows), bool)

    def lose(self, wrong: Bools, reason: str) -> None:
        """Leave rows out for a reason."""
        now = np.flatnonzero(self.good & wrong)
        if len(now):
            self._notes.add(reason, len(now), f"line {self._rows[int(now[0])].line}")
            self._tally.offer("frames", len(now))
            self._tally.lose("frames", reason, len(now))
            self.good[now] = False

    def times(self, own: Own | None) -> tuple[Ints, Bools, bool]:
        """Give each row's time in ns, whether it is known, and whether times are measured."""
        if own is not None:
            exact = [row_time(row.own) for row in self._rows]
            return (
                np.array([one[0] if one else 0 for one in exact], np.int64),
                np.array([one is not None for one in exact], bool),
                True,
            )
        t_ms = [row.t_ms for row in self._rows]
        if all(t is None for t in t_ms):
            self._notes.add("regenerated_times", len(t_ms))
            numbers = [k if row.number is None else row.number for k, row in enumerate(self._rows)]
            return np.array(numbers, np.int64) * STEP_NS, np.ones(len(t_ms), bool), False
        made = len(t_ms) >= _ENOUGH and all(t is None or t % _GRID_MS == 0 for t in t_ms)
        self._notes.add("regenerated_times", len(t_ms) if made else 0)
        known = np.array([t is not None for t in t_ms], bool)
        return np.array([0 if t is None else round(t * _MS) for t in t_ms], np.int64), known, not made

    def pair(self, album: Album) -> Ints:
        """Give each row the number of its picture."""
        if not album.stored:
            self._notes.add("missing_pictures", len(self._rows))
            return np.array([k if row.number is None else row.number for k, row in enumerate(self._rows)], np.int64)
        pictures = {number: album.t_ms.get(number) for number in album.numbers}
        joined = join([row.number for row in self._rows], [row.t_ms for row in self._rows], pictures)
        self._notes.add("paired_by_time", joined.by_time)
        self._notes.add("paired_by_order", joined.by_order)
        self._notes.add("frame_without_row", len(joined.unused), f"picture {(*joined.unused, 0)[0]}")
        self._tally.offer("frames", len(joined.unused))
        self._tally.lose("frames", "frame_without_row", len(joined.unused))
        found = np.array([-1 if n is None else n for n in joined.picture], np.int64)
        self.lose(found < 0, "row_without_picture")
        return found


def _falls(t_ns: Ints, good: Bools) -> Bools:
    """Say which good rows do not stand behind the good ones before them."""
    wrong, last = np.zeros(len(t_ns), bool), None
    for row in np.flatnonzero(good).tolist():
        if last is not None and t_ns[row] <= last:
            wrong[row] = True
        else:
            last = t_ns[row]
    return wrong
