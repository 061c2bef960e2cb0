"""Sound in time: what the times of its blocks leave out, say twice, and say about the clock of the device.

Example:
    >>> blocks = (Sound(k * 20_010_000, np.zeros((160, 1), np.int16), 8000, "mic") for k in range(3000))
    >>> clock = clock_of(read_sound_signs(blocks))
    >>> round(clock.ppm), clock.low_ppm <= 500 <= clock.high_ppm
    (500, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.readings import Sound
from rushes.model.session import Segment
from rushes.qa.sound.signs import SoundSigns, read_sound_signs

Times = npt.NDArray[np.int64]

__all__ = ["Clock", "Sound", "clock_of", "holes", "overlaps", "read_sound_signs"]

_JUMP: Final = 0.2  # of a block's length, and 15 ms at the least: a step beyond that is no clock's
_JUMP_NS: Final = 15_000_000
_FEWEST: Final = 50  # blocks in a row that tell of a clock
_SHORTEST_NS: Final = 5 * NS
_OWN_NS: Final = 500_000.0  # what the place of a run's ends is uncertain by, whatever the blocks say


class Clock(NamedTuple):
    """How a device's clock runs against the session's.

    Attributes:
        ppm: Positive where its samples come slower than is stated.
        low_ppm: Lower end of the 90 % interval.
        high_ppm: Upper end.
    """

    ppm: float
    low_ppm: float
    high_ppm: float

    @property
    def one_sided(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low_ppm * self.high_ppm > 0


def holes(heard: SoundSigns, segments: Sequence[Segment]) -> Times:
    """Give where sound breaks off and goes on inside of segments: (K, 2) ns, start and end.

    What is missing before the first block and behind the last is no hole.
    """
    if not len(heard.blocks):
        return np.zeros((0, 2), np.int64)
    found = _without(heard, segments)
    inside = (found[:, 0] > heard.blocks["t_ns"].min()) & (found[:, 1] < heard.ends_ns.max())
    return np.asarray(found[inside])


def overlaps(heard: SoundSigns) -> Times:
    """Say by how much each block begins before all before it have ended: (B,) ns, 0 where it does not."""
    over = np.zeros(len(heard.blocks), np.int64)
    if len(over):
        over[1:] = np.maximum(np.maximum.accumulate(heard.ends_ns)[:-1] - heard.blocks["t_ns"][1:], 0)
    return over


def _without(heard: SoundSigns, segments: Sequence[Segment]) -> Times:
    """Give the stretches of segments without sound: (K, 2) ns."""
    order = np.argsort(heard.blocks["t_ns"], kind="stable")
    starts = np.asarray(heard.blocks["t_ns"])[order]
    ends = np.maximum.accumulate(heard.ends_ns[order]) if len(order) else starts
    found = []
    for segment in segments:
        first, stop = np.searchsorted(ends, segment.start_ns, "right"), np.searchsorted(starts, segment.end_ns)
        until = np.concatenate([starts[first:stop], [segment.end_ns]])
        since = np.concatenate([[segment.start_ns], ends[first:stop]])
        kept = until > since
        found.append(np.column_stack([since[kept], until[kept]]))
    return np.concatenate([np.zeros((0, 2), np.int64), *found]).astype(np.int64)


def clock_of(heard: SoundSigns) -> Clock | None:
    """Measure a device's clock by the times of its blocks.

    Blocks in a row give a line each, times against samples; a hole or a jump begins a new one. Times of blocks wander
    together, so what counts as independent follows from how alike neighbours are.

    Args:
        heard: A stream.

    Returns:
        None where no fifty blocks in a row last five seconds.
    """
    t_ns = np.asarray(heard.blocks["t_ns"])
    count = np.asarray(heard.blocks["count"])
    if len(t_ns) < _FEWEST:
        return None
    length = count * (NS / heard.rate_hz)
    step = np.diff(t_ns) - length[:-1]
    breaks = np.flatnonzero(np.abs(step) > np.maximum(_JUMP * length[:-1], _JUMP_NS)) + 1
    slopes, weights = [], []
    for run in np.split(np.arange(len(t_ns)), breaks):
        if len(run) >= _FEWEST and t_ns[run[-1]] - t_ns[run[0]] >= _SHORTEST_NS:
            slope, sd = _line(np.concatenate([[0.0], np.cumsum(length[run][:-1])]), t_ns[run] - t_ns[run[0]])
            slopes.append(slope)
            weights.append(1 / sd**2)
    if not slopes:
        return None
    ppm, sd = float(np.average(slopes, weights=weights)), float(np.sum(weights)) ** -0.5
    return Clock(ppm, ppm - 1.645 * sd, ppm + 1.645 * sd)


def _line(sound_ns: npt.NDArray[np.float64], t_ns: Times) -> tuple[float, float]:
    """Fit times against sound: the slope beyond 1 in ppm, and its standard deviation."""
    x = sound_ns - sound_ns.mean()
    y = t_ns - sound_ns
    y = y - y.mean()
    slope = float(x @ y / (x @ x))
    rest = y - slope * x
    spread = float(rest @ rest)
    alike = float(np.clip(rest[1:] @ rest[:-1] / spread, 0, 0.999)) if spread > 0 else 0.0
    independent = max(len(x) * (1 - alike) / (1 + alike), 3.0)
    variance = spread / len(x) / independent / float(np.mean(x**2)) + 2 * (_OWN_NS / np.ptp(x)) ** 2 / independent
    return slope * 1e6, 1e6 * float(np.sqrt(variance))
