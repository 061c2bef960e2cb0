"""A look at a stretch of play: its pictures' times and signs, its inputs, and what each kind of evidence has to say.

A stretch is a segment or ten minutes of it, so that a session of any length needs little memory. Every kind of evidence
searches its stretch by itself (`Hint`), then says how likely each offset near the best is, a row of log-likelihoods for
each few seconds (`Rows`), so that drift can slant them and a bootstrap can weigh them.

Example:
    >>> look = Look(np.arange(0, 60_000, 100.0), np.zeros(600, bool), events=None, signs=None)
    >>> look.middle_ms, look.blocks, look.block_ms[:2].tolist()
    (29950.0, 20, [1497.0, 4492.0])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REACH_MS: Final = 400.0
"""Offsets are looked for up to this, either way."""
MOST_PPM: Final = 400.0
"""Drifts are looked for up to this, either way; clocks of computers stay below 200."""
NEAR_MS: Final = 200
"""How far from the best offset of a stretch its rows reach, either way, in steps of 1 ms."""
BLOCK_S: Final = 3.0
"""Seconds of a row: what lies within is one draw of the bootstrap."""


@dataclass(frozen=True)
class Look:
    """A stretch of play.

    Attributes:
        t_ms: (N,) times of its frames, ms since session start.
        usable: (N,) bool, frames with a picture and a picture before.
        events: Events of the stretch and a little around it.
        signs: (N,) rows of signs.
        segment: Its segment.
    """

    t_ms: Floats
    usable: npt.NDArray[np.bool_]
    events: pd.DataFrame
    signs: Any
    segment: int = 0

    @property
    def middle_ms(self) -> float:
        """Middle of its time."""
        return float(self.t_ms[0] + self.t_ms[-1]) / 2

    @cached_property
    def frame_ms(self) -> float:
        """Median time from frame to frame."""
        return float(np.median(np.diff(self.t_ms)))

    @cached_property
    def blocks(self) -> int:
        """How many rows of log-likelihoods it has."""
        return max(1, int((self.t_ms[-1] - self.t_ms[0]) / (1000 * BLOCK_S) + 0.5))

    def block_of(self, t_ms: Floats) -> Ints:
        """Give the block of each time."""
        share = (t_ms - self.t_ms[0]) / max(self.t_ms[-1] - self.t_ms[0], 1e-9)
        return np.asarray(np.clip(share * self.blocks, 0, self.blocks - 1).astype(np.int64))

    @cached_property
    def block_ms(self) -> Floats:
        """Middle of each block, whole ms: (B,)."""
        length = (self.t_ms[-1] - self.t_ms[0]) / self.blocks
        return np.asarray(np.floor(self.t_ms[0] + (np.arange(self.blocks) + 0.5) * length))


@dataclass(frozen=True)
class Line:
    """An offset that grows: d(t) = ms + ppm * (t - at).

    Attributes:
        ms: The offset at `at_ms`.
        ppm: By how much it grows, us each second.
        at_ms: Where `ms` holds.
    """

    ms: float
    ppm: float = 0.0
    at_ms: float = 0.0

    def at(self, t_ms: Floats) -> Floats:
        """Give the offset at any times."""
        return np.asarray(self.ms + self.ppm * 1e-6 * (t_ms - self.at_ms))


@dataclass(frozen=True)
class Rows:
    """How likely each offset near the best is.

    Attributes:
        centre_ms: Offset of the middle column; columns are 1 ms apart, `NEAR_MS` to either side.
        ways: (V, B, 2 * NEAR_MS + 1) float32 log-likelihoods: of each way in which it can be (how a camera eases in,
            how wide stamps scatter), each block.
    """

    centre_ms: float
    ways: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hint:
    """What one kind of evidence found in a stretch.

    Attributes:
        name: Of the evidence: `Mouse`, `keys`, `LEFT_STICK`, `edges` ...
        ms: The best offset of its coarse search.
        chance: How likely it is that chance reaches as much, 0 to 1.
        lag_ms: (L,) where it searched.
        score: (L,) how well each offset explains what was seen.
        rows: Gives its rows near an offset, once the others have been heard.
        counts: What it rests on.
    """

    name: str
    ms: float
    chance: float
    lag_ms: Floats
    score: Floats
    rows: Callable[[float], Rows]
    counts: Mapping[str, float] = field(default_factory=dict)


def columns() -> Floats:
    """Give the offsets of the columns of `Rows`, from their centre."""
    return np.arange(-NEAR_MS, NEAR_MS + 1, dtype=np.float64)
