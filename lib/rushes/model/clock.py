"""Time: int64 ns since the session's start on one monotonic clock.

A recorded session measures its time; an emulator's session computes it from the step count with integers, so
that the same play gives the same bytes on any machine.

Example:
    >>> emulated_ns(15, frameskip=4)
    1000000000
"""

from __future__ import annotations

import time
from typing import Final, Literal, get_args

TimeSource = Literal["measured", "emulated", "nominal", "assumed"]
"""How a session knows its times: `measured` on a clock, `emulated` from an emulator's own frame count, `nominal`
from a declared rate, `assumed` for imports that carry none (never certified as aligned)."""

TIME_SOURCES: Final[tuple[str, ...]] = get_args(TimeSource)
NS: Final = 1_000_000_000
"""Nanoseconds in a second."""
ALE_RATE_HZ: Final = 60
"""Frames that the emulator counts as one second (ale-py's `render_fps` metadata is 60 for frameskip 1)."""


def emulated_ns(step: int, *, frameskip: int = 1, rate_hz: float = ALE_RATE_HZ) -> int:
    """Give the time of an observation from its step count.

    Args:
        step: Steps since the session's start.
        frameskip: Emulated frames a step.
        rate_hz: Emulated frames a second.

    Returns:
        ns since session start, rounded down; exact integer arithmetic for whole rates.
    """
    if float(rate_hz).is_integer():
        return step * frameskip * NS // int(rate_hz)
    return int(step * frameskip * NS / rate_hz)


class Clock:
    """A monotonic clock that starts at zero, or where a session that goes on has come to.

    Args:
        start_ns: What it shows at first, ns since session start.

    Attributes:
        zero_ns: The `time.perf_counter_ns()` at which it showed, or would have shown, 0.
    """

    def __init__(self, *, start_ns: int = 0) -> None:
        self.zero_ns = time.perf_counter_ns() - start_ns

    def now_ns(self) -> int:
        """Return ns since session start."""
        return time.perf_counter_ns() - self.zero_ns

    def at(self, perf_counter_ns: int) -> int:
        """Translate a `time.perf_counter_ns()` reading to this clock.

        Args:
            perf_counter_ns: A reading taken in this process, or on Linux in any process since the machine's start.

        Returns:
            ns since session start.
        """
        return perf_counter_ns - self.zero_ns

    def wall_ns(self, t_ns: int) -> int:
        """Say what the wall clock, as it is set now, showed at a time of this clock.

        Args:
            t_ns: ns since session start.

        Returns:
            Unix time in ns.
        """
        return time.time_ns() - (self.now_ns() - t_ns)
