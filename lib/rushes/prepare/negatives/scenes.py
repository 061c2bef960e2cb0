"""What may become a negative: for each session and target the frames that are no positive, and why the others are not.

Example:
    >>> from rushes.model.targets import parse_targets
    >>> from rushes.prepare.negatives.tracks import tracks
    >>> from rushes.store.reader import open_session
    >>> def how_many_frames_are_free(path):
    ...     (track,) = tracks(open_session(path), parse_targets("Space"))
    ...     return int(Scene("Space", track, Reach(2), Reach(8)).free.sum())
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.sample_table import Samples
from rushes.model.samples import SampleKind
from rushes.prepare.negatives.reach import FAR, Reach
from rushes.prepare.negatives.tracks import Track

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass
class Scene:
    """The N frames of one session as they are for one target.

    Attributes:
        control: The target as the column `control` names it.
        track: Its presses and holds.
        exclusion: How near to a press no negative lies.
        band: How far from a press near misses reach.
        length: Frames a window.
        holds_count: Whether frames of a hold stand apart; else they are like any other.
        taken: (N,) bool, frames that stand in the table already; each stands there once a control.
    """

    control: str
    track: Track
    exclusion: Reach
    band: Reach
    length: int = 1
    holds_count: bool = True
    taken: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.taken = np.zeros(len(self.track.frames), bool)

    @property
    def session(self) -> str:
        """Id of the session."""
        return self.track.frames.session

    @cached_property
    def fits(self) -> Bools:
        """(N,) bool: a window that ends with the frame lies within its segment."""
        return np.asarray(self.track.frames.into >= self.length - 1)

    @cached_property
    def excluded(self) -> Bools:
        """(N,) bool: too near to a press."""
        return self.exclusion.covers(self.track.since, self.track.apart_ns)

    @cached_property
    def apart(self) -> Bools:
        """(N,) bool: of a hold, where holds stand apart."""
        return self.track.held & self.holds_count

    @cached_property
    def free(self) -> Bools:
        """(N,) bool: any kind but during_hold may take it."""
        return np.asarray(self.fits & ~self.excluded & ~self.apart)

    def rows_of(self, kind: SampleKind) -> Ints:
        """Give the frames that are left for a kind that keeps its own action: rising rows."""
        may = self.fits & ~self.excluded & self.track.held if kind == SampleKind.DURING_HOLD else self.free
        if kind == SampleKind.IDLE:
            may = may & self.track.frames.idle
        if kind == SampleKind.NEAR_MISS:
            may = may & self.band.covers(self.track.since, self.track.apart_ns)
        return np.flatnonzero(may & ~self.taken).astype(np.int64)

    def lost(self, *, holds_wanted: bool) -> dict[str, int]:
        """Count the frames that are not taken, by reason."""
        short, near = ~self.fits, self.fits & self.excluded
        held = self.fits & ~self.excluded & self.apart & ~self.taken & (not holds_wanted)
        left = self.fits & ~self.excluded & ~self.taken & ~held
        reasons = {"window_crosses_edge": short, "within_exclusion": near, "during_hold": held, "not_drawn": left}
        return {name: int(mask.sum()) for name, mask in reasons.items()}

    def same_shown(self, rows: Ints, others: Ints) -> Bools:
        """Say where the recorder noted both windows as the same pictures."""
        back = np.arange(1 - self.length, 1)
        shown = self.track.frames.shown
        return np.asarray((shown[rows[:, None] + back] == shown[others[:, None] + back]).all(axis=1))

    def words(self, rows: Ints) -> list[str]:
        """Say of each frame how far it is from the nearest press, and whether the target is down."""
        since, ns, held = (values[rows].tolist() for values in (self.track.since, self.track.since_ns, self.track.held))
        return [
            f"{_distance(frames, time, self.control)}; {self.control} {'held' if down else 'up'}"
            for frames, time, down in zip(since, ns, held, strict=True)
        ]


def _distance(frames: int, ns: int, control: str) -> str:
    if abs(frames) == FAR:
        return f"no press of {control} in its segment"
    many = "frame" if abs(frames) == 1 else "frames"
    side = "before" if frames < 0 else "after"
    return f"{abs(frames)} {many} ({abs(ns) / 1e6:.0f} ms) {side} the nearest press of {control}"


@dataclass(frozen=True)
class Positives:
    """The positives of a table, as plain columns in the order of control, session and action.

    Attributes:
        control: (P,) object.
        session: (P,) object.
        last: (P,) int64 frame_index of the last frame of the window.
        rows: The same rows of the table.
    """

    control: npt.NDArray[Any]
    session: npt.NDArray[Any]
    last: Ints
    rows: pd.DataFrame

    @classmethod
    def of(cls, samples: Samples) -> Positives:
        """Take the rows with a label above 0 that were made from no other."""
        rows = samples.rows
        own = (rows["kind"] == SampleKind.POSITIVE).to_numpy() & (rows["parent"] == "").to_numpy()
        chosen = rows[own].sort_values(["control", "session", "action_t_ns", "sample_id"], kind="stable")
        last = chosen["frame_index"].to_numpy(np.int64) + chosen["length"].to_numpy(np.int64) - 1
        chosen = chosen.reset_index(drop=True)
        return cls(chosen["control"].to_numpy(object), chosen["session"].to_numpy(object), last, chosen)

    def __len__(self) -> int:
        return len(self.rows)

    def of_control(self, control: str, sessions: Sequence[str] = ()) -> Ints:
        """Number those of a control, in some sessions or in all."""
        mine = self.control == control
        if sessions:
            mine &= np.isin(self.session, list(sessions))
        return np.flatnonzero(mine).astype(np.int64)
