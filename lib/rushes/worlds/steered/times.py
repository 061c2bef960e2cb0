"""Times of a steered world: when pictures are grabbed, when the game drew them, and what their stamps say.

Example:
    >>> shown = Ticks.plan(np.random.default_rng(0), seconds=2.0, rate_hz=30.0)
    >>> len(shown), bool((shown.drawn_s == shown.grabbed_s).all())
    (60, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PAUSE_S: Final = 2.0
"""How long a pause is."""
_LATEST: Final = 0.9
"""A grab comes before the next one is due: the most of a period that it may be late."""
_BURST: Final = 2.5
"""Mean ticks that are dropped in a row."""
_UNEVEN: Final = 0.05
"""By which share of its period the game's own tick wobbles."""


def pauses_of(seconds: float, count: int) -> list[tuple[float, float]]:
    """Give when pauses begin and end, s since session start: evenly spread, two seconds each."""
    middles = [seconds * (k + 1) / (count + 1) for k in range(count)]
    return [(middle - PAUSE_S / 2, middle + PAUSE_S / 2) for middle in middles]


@dataclass(frozen=True)
class Ticks:
    """When things were shown.

    Attributes:
        tick: (N,) int64 number of the grab's tick; dropped ones leave holes.
        grabbed_s: (N,) float64 when the picture was grabbed, s since session start.
        drawn_s: (N,) float64 when the game drew it; two frames may show one drawing.
        stamp_s: (N,) float64 what its stamp says.
        segment: (N,) int64 in which segment it lies.
        dropped_before: (N,) int64 ticks without a picture before it, pauses left out.
    """

    tick: Ints
    grabbed_s: Floats
    drawn_s: Floats
    stamp_s: Floats
    segment: Ints
    dropped_before: Ints

    def __len__(self) -> int:
        """Count frames."""
        return len(self.tick)

    @property
    def repeats(self) -> npt.NDArray[np.bool_]:
        """Whether a frame shows the same drawing as the one before: (N,) bool."""
        return np.asarray(np.diff(self.drawn_s, prepend=-np.inf) == 0)

    @classmethod
    def plan(
        cls,
        rng: np.random.Generator,
        *,
        seconds: float,
        rate_hz: float,
        jitter_ms: float = 0.0,
        stamp_jitter_ms: float = 0.0,
        drop_share: float = 0.0,
        screen_hz: float = 0.0,
        pauses: int = 0,
    ) -> Self:
        """Plan them.

        Args:
            rng: Decides.
            seconds: How long.
            rate_hz: Grabs a second.
            jitter_ms: How late a grab is, in the mean; some are later by far.
            stamp_jitter_ms: Standard deviation of the stamps about the truth.
            drop_share: Share of the ticks without a picture, in bursts.
            screen_hz: Pictures a second of the game; 0 draws one for every grab.
            pauses: How often nothing is grabbed for a while.
        """
        number = np.arange(int(seconds * rate_hz))
        period = 1 / rate_hz
        late = np.minimum(rng.exponential(max(jitter_ms, 1e-9) / 1e3, len(number)), _LATEST * period)
        dropped, paused, segment = _dropped(rng, len(number), drop_share), np.zeros(len(number), bool), number * 0
        for start_s, end_s in pauses_of(seconds, pauses):
            paused |= (number * period >= start_s) & (number * period < end_s)
            segment = segment + (number * period >= end_s)
        kept = ~(dropped | paused)
        lost = np.diff(np.cumsum(dropped & ~paused)[kept], prepend=0)
        tick, grabbed = number[kept], (number * period + late * (jitter_ms > 0))[kept]
        noise = np.clip(rng.normal(0, 1, len(tick)), -3, 3) * stamp_jitter_ms / 1e3
        stamp = np.maximum.accumulate(np.maximum(grabbed + noise, 0)) + np.arange(len(tick)) * 1e-8
        if not screen_hz:
            return cls(tick, grabbed, grabbed, stamp, segment[kept], lost)
        count = int((seconds + 2) * screen_hz)
        own = (np.arange(count) + rng.random() - 2 + rng.uniform(-_UNEVEN, _UNEVEN, count)) / screen_hz
        return cls(tick, grabbed, own[np.searchsorted(own, grabbed, "right") - 1], stamp, segment[kept], lost)


def _dropped(rng: np.random.Generator, count: int, share: float) -> npt.NDArray[np.bool_]:
    """Choose ticks that are dropped, a few in a row; never the first."""
    gone = np.zeros(count, bool)
    while share and gone.mean() < share:
        start = int(rng.integers(1, count))
        gone[start : start + int(rng.geometric(1 / _BURST))] = True
    return gone
