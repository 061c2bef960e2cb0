"""What a measurement of alignment says.

An input stamped t takes effect at t + d; d is the offset. The first frame that can show it is the first with
t_k >= t + d. A positive d says that the picture comes later than the input, which is what a game's own latency does;
`action_delay_ms = d` moves the inputs to where they take effect.

Example:
    >>> offset = Offset("input_picture", ms=52.0, low_ms=48.0, high_ms=57.0, confidence=0.99, at_ns=30_000_000_000)
    >>> offset.known, offset.half_width_ms, str(offset)
    (True, 4.5, '+52.0 ms (90 % within +48.0 to +57.0)')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Between = Literal["input_picture", "sound_picture", "input_sound"]
"""What lags behind what: the second behind the first by d; for `sound_picture` d > 0 says that the picture comes after
the sound that belongs to it."""

_WORDS: Final = {
    "motion_s": "s of motion",
    "edges": "edges",
    "onsets": "onsets",
    "stimuli": "inputs or sounds",
    "answered": "of them answered",
    "steps": "steps",
    "replayed_steps": "steps played again",
    "odd_controls": "controls that say something else",
}


@dataclass(frozen=True)
class Curve:
    """How well each shift explains what was seen, for plots.

    Attributes:
        lag_ms: (L,) float64, rising.
        score: (L,) float64; the higher the better, 1 at the best.
    """

    lag_ms: Floats
    score: Floats


@dataclass(frozen=True)
class Offset:
    """An offset, or why it cannot be told.

    Attributes:
        between: What it lies between.
        ms: The offset at `at_ns`; None where it cannot be told.
        low_ms: Lower end of its 90 % interval.
        high_ms: Upper end of it.
        drift_ppm: By how much it grows: us each second. None where that cannot be told.
        drift_low_ppm: Lower end of its 90 % interval.
        drift_high_ppm: Upper end of it.
        at_ns: Where `ms` holds: the middle of what it was measured over, ns since session start.
        start_ns: Start of what it was measured over.
        end_ns: End of it.
        segment: The segment, or None for the whole recording.
        confidence: 0 to 1, how likely it is that there is such an offset at all.
        frames: `ms` in frames of the recording (steps of an environment), or None.
        game_latency_ms: What was taken off for the game's own latency.
        reason: Why it cannot be told, or `""`.
        evidence: What it rests on: edges, seconds of motion, controls ...
        curve: For plots, or None.
    """

    between: Between
    ms: float | None = None
    low_ms: float | None = None
    high_ms: float | None = None
    drift_ppm: float | None = None
    drift_low_ppm: float | None = None
    drift_high_ppm: float | None = None
    at_ns: int = 0
    start_ns: int = 0
    end_ns: int = 0
    segment: int | None = None
    confidence: float = 0.0
    frames: float | None = None
    game_latency_ms: float = 0.0
    reason: str = ""
    evidence: Mapping[str, float] = field(default_factory=dict)
    curve: Curve | None = None

    @property
    def known(self) -> bool:
        """Whether it could be told."""
        return self.ms is not None

    @property
    def half_width_ms(self) -> float | None:
        """Half of the interval's width, or None."""
        return None if self.low_ms is None or self.high_ms is None else (self.high_ms - self.low_ms) / 2

    @property
    def rests_on(self) -> str:
        """What it was told by, in words."""
        told = [f"{self.evidence[name]:.4g} {words}" for name, words in _WORDS.items() if self.evidence.get(name)]
        sources = [
            name.removeprefix("of_") for name, value in self.evidence.items() if name.startswith("of_") and value
        ]
        return ", ".join(told) + (f" ({', '.join(sources)})" if sources else "")

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, without the curve."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in vars(self).items()
            if name != "curve"
        }

    def __str__(self) -> str:
        if self.ms is None:
            return f"cannot tell: {self.reason}"
        drift = "" if self.drift_ppm is None else f", drift {self.drift_ppm:+.1f} ppm"
        return f"{self.ms:+.1f} ms (90 % within {self.low_ms:+.1f} to {self.high_ms:+.1f}){drift}"


@dataclass(frozen=True)
class Measured:
    """The alignment of a recording.

    Attributes:
        offset: Inputs against pictures, over the whole recording.
        segments: The same for each segment, in order.
        segments_differ: Whether they have offsets of their own, further apart than chance would have it.
        sounds: Sound against pictures and inputs against sound: (stream's name, offset), over the whole recording.
    """

    offset: Offset
    segments: tuple[Offset, ...] = ()
    sounds: tuple[tuple[str, Offset], ...] = ()
    segments_differ: bool = False
