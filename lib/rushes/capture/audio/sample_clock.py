"""When a block of sound was heard: the count of samples gives the steps, the measured times give the place.

The time at which a block is handed over jitters with the scheduler, while the samples themselves are evenly spaced. So
the time of sample n is `zero + n / rate`, and `zero` follows the middle of the last measurements, slowly enough (0.1 %)
that times never run back and quickly enough for any sound card (theirs differ by 0.02 % at the most). When several
measurements in a row lie beyond a limit and agree, samples are missing: they are counted and time begins anew.

Example:
    >>> heard = SampleClock(48_000)
    >>> [heard.place(t, 480) for t in (1_000_000, 11_900_000, 21_000_000)]  # the second was handed over late
    [(1000000, 0), (11450000, 0), (21000000, 0)]
"""

from __future__ import annotations

import statistics
from collections import deque
from typing import Final

from rushes.model.clock import NS

_KEPT: Final = 50  # measurements whose middle counts: a second of 20 ms blocks
_SURE: Final = 3  # measurements in a row that prove a jump; one alone is a thread that had to wait
_SLEW: Final = 0.001  # most that the zero moves, ns a ns of sound
JUMP_NS: Final = 50_000_000
"""From here on samples are missing, below it is jitter."""


class SampleClock:
    """Times for the blocks of one stream.

    Args:
        rate_hz: Samples a second.

    Attributes:
        last_ns: Time of the last block, -1 before the first.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._count = 0  # samples since the zero
        self._zero_ns = 0.0
        self._measured: deque[float] = deque(maxlen=_KEPT)  # where the zero is, by each of the last blocks
        self._far: list[float] = []  # the last ones that lie beyond the limit
        self._settled = False
        self.last_ns = -1

    def place(self, measured_ns: int, count: int) -> tuple[int, int]:
        """Say when a block was heard.

        Args:
            measured_ns: Time of its first sample as it was measured, ns.
            count: Its samples.

        Returns:
            Its time in ns, later than that of the block before; and how many samples are missing before it.
        """
        since_ns = self._count * NS / self._rate_hz
        lost = self._take(measured_ns - since_ns)
        if not self._settled:
            self._zero_ns = statistics.median(self._measured)
            self._settled = len(self._measured) == _KEPT
        else:
            most = _SLEW * count * NS / self._rate_hz
            self._zero_ns += min(max(statistics.median(self._measured) - self._zero_ns, -most), most)
        t_ns = max(round(self._zero_ns + since_ns), self.last_ns + 1)
        self.last_ns, self._count = t_ns, self._count + count
        return t_ns, lost

    def _take(self, zero_ns: float) -> int:
        """Take a measurement of the zero; return how many samples are missing where it is proved that some are."""
        off_ns = zero_ns - self._zero_ns
        if not self._measured or abs(off_ns) <= JUMP_NS:
            self._measured.append(zero_ns)
            self._far.clear()
            return 0
        if self._far and (self._far[-1] > self._zero_ns) != (off_ns > 0):
            self._far.clear()
        self._far.append(zero_ns)
        while max(self._far) - min(self._far) > JUMP_NS:  # a thread that had to wait, and then a true jump
            self._far.pop(0)
        if len(self._far) < _SURE:
            return 0
        lost = max(0, round((min(self._far) - self._zero_ns) * self._rate_hz / NS))
        self._measured = deque(self._far, maxlen=_KEPT)
        self._far, self._settled = [], False
        return lost
