"""The kinds of negatives: which frames of a scene may become one, and whose action each of them carries.

Example:
    >>> ORDER[0].value, ORDER[-1].value
    ('during_hold', 'uniform')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from rushes.model.samples import SampleKind
from rushes.prepare.negatives.amounts import KINDS
from rushes.prepare.negatives.scenes import Bools, Ints, Positives, Scene

ORDER: Final = (
    SampleKind.DURING_HOLD,
    SampleKind.SWAPPED,
    SampleKind.SHIFTED,
    SampleKind.HARD,
    SampleKind.NEAR_MISS,
    SampleKind.IDLE,
    SampleKind.CROSS_SESSION,
    SampleKind.UNIFORM,
)
"""Kinds in the order in which they choose: the rarest first, since a frame stands once for each control."""
BORROWED: Final = (SampleKind.SHIFTED, SampleKind.SWAPPED, SampleKind.CROSS_SESSION)
"""Kinds that carry the action of a positive: their pictures have to differ from those of it."""
OWN: Final = -1
"""Action of a row that carries the one of its own frame."""


@dataclass(frozen=True)
class Picks:
    """Frames of one session for one control, chosen or to be chosen.

    Attributes:
        scene: Where they lie.
        rows: (K,) int64 rows of its frames, each once.
        positive: (K,) int64 number of the positive that each has to do with, or `OWN`.
        value: (K,) float64, what is said of it beside: by how many frames it is shifted, the number of the positive
            of another control that it shows, how unlike it is.
    """

    scene: Scene
    rows: Ints
    positive: Ints
    value: npt.NDArray[np.float64]

    @classmethod
    def of(cls, scene: Scene, rows: Ints, positive: Ints | None = None, value: npt.ArrayLike | None = None) -> Picks:
        """Make some; without a positive they stand for themselves."""
        other = np.full(len(rows), OWN, np.int64) if positive is None else positive
        return cls(scene, rows, other, np.zeros(len(rows)) if value is None else np.asarray(value, float))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> Picks:
        return Picks(self.scene, self.rows[at], self.positive[at], self.value[at])

    def __add__(self, other: Picks) -> Picks:
        rows, positive = np.concatenate([self.rows, other.rows]), np.concatenate([self.positive, other.positive])
        return Picks(self.scene, rows, positive, np.concatenate([self.value, other.value]))

    @property
    def last(self) -> Ints:
        """(K,) int64 frame_index of each."""
        return np.asarray(self.scene.track.frames.frame_index[self.rows], np.int64)


def candidates(
    kind: SampleKind, scene: Scene, positives: Positives, *, seed: int, shifts: Sequence[int]
) -> tuple[Picks, Counter[str]]:
    """Find the frames of a scene that may become a kind of negative.

    Args:
        kind: Any but `positive`.
        scene: One session for one control.
        positives: All positives of the table.
        seed: Of the actions that are swapped or cross sessions.
        shifts: By how many frames shifted pixels lie apart from their action.

    Returns:
        Them, by rising row but for shifted and swapped ones; and for kinds that begin with a positive, how many of
        those cannot become one, by reason.
    """
    if kind == SampleKind.SHIFTED:
        return _shifted(scene, positives, shifts)
    if kind == SampleKind.SWAPPED:
        return _swapped(scene, positives, seed)
    if kind == SampleKind.CROSS_SESSION:
        return _crossed(scene, positives, seed), Counter()
    return Picks.of(scene, scene.rows_of(kind)), Counter()


def _shifted(scene: Scene, positives: Positives, shifts: Sequence[int]) -> tuple[Picks, Counter[str]]:
    """Move the frame of each positive, and leave its action where it is."""
    frames = scene.track.frames
    mine = positives.of_control(scene.control, [scene.session])
    base = frames.rows(positives.last[mine])
    positive = np.tile(mine[base >= 0], len(shifts))
    base = np.tile(base[base >= 0], len(shifts))
    by = np.repeat(np.asarray(shifts, np.int64), len(base) // max(len(shifts), 1))
    row = base + by
    inside = (row >= 0) & (row < len(frames))
    row = np.where(inside, row, base)
    inside &= frames.segment[row] == frames.segment[base]
    may, why = _sieve(scene, row, outside=~inside, same_pictures=scene.same_shown(row, base))
    return Picks.of(scene, row[may], positive[may], by[may]), why


def _swapped(scene: Scene, positives: Positives, seed: int) -> tuple[Picks, Counter[str]]:
    """Give each frame on which another target is pressed the action of a press of this one."""
    others = np.flatnonzero((positives.control != scene.control) & (positives.session == scene.session))
    row = scene.track.frames.rows(positives.last[others])
    shown, row = others[row >= 0], row[row >= 0]
    mine = positives.of_control(scene.control, [scene.session])
    if not len(mine):
        return Picks.of(scene, np.zeros(0, np.int64)), Counter(no_press_to_swap_in=len(row))
    may, why = _sieve(scene, row, outside=np.zeros(len(row), bool), same_pictures=np.zeros(len(row), bool))
    drawn = _actions(scene, SampleKind.SWAPPED, seed).integers(0, len(mine), int(may.sum()))
    return Picks.of(scene, row[may], mine[drawn], shown[may]), why


def _actions(scene: Scene, kind: SampleKind, seed: int) -> np.random.Generator:
    """Give the source of what a scene borrows for a kind; it depends on no other scene."""
    names = [crc32(text.encode()) for text in (scene.session, scene.control)]
    return np.random.default_rng([seed, *names, KINDS.index(kind), 1])


def _sieve(scene: Scene, row: Ints, *, outside: Bools, same_pictures: Bools) -> tuple[Bools, Counter[str]]:
    """Keep frames that are free and not taken, each once; count the others under the first reason that holds."""
    reasons = {
        "window_crosses_edge": outside | ~scene.fits[row],
        "within_exclusion": scene.excluded[row],
        "during_hold": scene.apart[row],
        "taken_by_another": scene.taken[row],
        "same_pictures": same_pictures,
    }
    may, why = np.ones(len(row), bool), Counter[str]()
    for name, mask in reasons.items():
        why[name] += int((may & mask).sum())
        may &= ~mask
    left = np.flatnonzero(may)
    first = left[np.unique(row[left], return_index=True)[1]]
    why["taken_by_another"] += len(left) - len(first)
    may = np.zeros(len(row), bool)
    may[first] = True
    return may, why


def _crossed(scene: Scene, positives: Positives, seed: int) -> Picks:
    """Give each free frame the action of a positive of another session."""
    own = positives.of_control(scene.control)
    foreign = own[positives.session[own] != scene.session]
    if not len(foreign):
        return Picks.of(scene, np.zeros(0, np.int64))
    rows = scene.rows_of(SampleKind.CROSS_SESSION)
    drawn = _actions(scene, SampleKind.CROSS_SESSION, seed).integers(0, len(foreign), len(rows))
    return Picks.of(scene, rows, foreign[drawn])
