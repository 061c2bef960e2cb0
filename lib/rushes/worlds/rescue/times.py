"""When a page captures: in the first animation frame after each tick, so up to 17 ms late; some ticks pass unused.

The game draws about 60 times a second, a little unevenly, and now and then an animation frame takes too long. A tick
is due at start + k / rate; the first animation frame at or after it is captured. Two ticks that one frame would have to
serve leave one picture, and the other tick is dropped. While the game pauses nothing is drawn and its own time stands.

Example:
    >>> captured = Captured.plan(np.random.default_rng(0), seconds=20.0, rate_hz=10.0, pauses=1)
    >>> captured.segment[[0, -1]].tolist(), bool((captured.late_ms < 17).mean() > 0.97)
    ([0, 1], True)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PAUSE_S: Final = 3.0
"""How long a pause is."""
QUIET_S: Final = 0.6
"""The hand rests this long before and after a pause, s of the game."""
DRAWN_HZ: Final = 59.94
"""Animation frames a second."""
_UNEVEN_S: Final = 0.0004
_STALLS: Final = 4
"""Animation frames a minute that take far too long."""
_STALL_S: Final = (0.10, 0.14)


@dataclass(frozen=True)
class Captured:
    """The captured frames.

    Attributes:
        t_s: (N,) float64 s since session start.
        tick: (N,) int64 number of its tick in the segment.
        segment: (N,) int64.
        dropped_before: (N,) int64 ticks without a picture before it.
        late_ms: (N,) float64 how much later than its tick.
        starts_s: Of each segment, s since session start.
        ends_s: Of each segment.
        paused_s: How long the game has stood before each segment began.
    """

    t_s: Floats
    tick: Ints
    segment: Ints
    dropped_before: Ints
    late_ms: Floats
    starts_s: tuple[float, ...]
    ends_s: tuple[float, ...]
    paused_s: tuple[float, ...]

    @classmethod
    def plan(cls, rng: np.random.Generator, *, seconds: float, rate_hz: float, pauses: int = 0) -> Self:
        """Plan them.

        Args:
            rng: Decides the unevenness.
            seconds: How long is played, s of the game.
            rate_hz: Ticks a second.
            pauses: How often the player pauses.
        """
        found: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in ("t", "tick", "seg", "drop", "late")}
        starts, ends, paused = [], [], []
        edges = [0.0, *pauses_at(seconds, pauses), seconds]
        for number, (begin, end) in enumerate(pairwise(edges)):
            stood = number * PAUSE_S
            drawn = _drawn(rng, end - begin)
            ticks = np.arange(int((end - begin) * rate_hz))
            shown = drawn[np.minimum(np.searchsorted(drawn, drawn[0] + ticks / rate_hz - 1e-9), len(drawn) - 1)]
            kept = np.append(np.diff(shown) > 0, True) & (shown - drawn[0] < end - begin)
            # of several ticks that one animation frame would serve, the last one is
            lost = np.diff(np.cumsum(~kept)[kept], prepend=0)
            late = (shown - drawn[0] - ticks / rate_hz)[kept]
            for name, values in zip(found, (shown[kept] + begin + stood, ticks[kept], np.full(kept.sum(), number), lost,
                                            late * 1e3), strict=True):  # fmt: skip
                found[name].append(values)
            starts.append(float(found["t"][-1][0]))
            ends.append(end + stood)
            paused.append(stood)
        t, tick, segment, drop, late = (np.concatenate(parts) for parts in found.values())
        return cls(
            np.asarray(t, np.float64), np.asarray(tick, np.int64), np.asarray(segment, np.int64),
            np.asarray(drop, np.int64), np.asarray(late, np.float64), tuple(starts), tuple(ends), tuple(paused),
        )  # fmt: skip


def pauses_at(seconds: float, count: int) -> list[float]:
    """Give when the player pauses, s of the game: unevenly, so that segments have lengths of their own."""
    return [round(seconds * (k + 1.25) / (count + 1), 3) for k in range(count)]


def _drawn(rng: np.random.Generator, seconds: float) -> Floats:
    """Give the animation frames of a stretch: s since its start."""
    count = int((seconds + 1.0) * DRAWN_HZ)
    steps = np.full(count, 1 / DRAWN_HZ) + rng.normal(0, _UNEVEN_S, count)
    stalls = max(1, round(_STALLS * seconds / 60)) if seconds > 5 else 0  # noqa: PLR2004 - short ones run smoothly
    steps[rng.integers(20, max(count - 90, 21), stalls)] += rng.uniform(*_STALL_S, stalls)
    return np.asarray(float(rng.random()) / DRAWN_HZ + np.cumsum(steps) - steps[0], np.float64)
