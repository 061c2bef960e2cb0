"""Pace: the k-th step is due at start + k / rate, however long the ones before it took, so nothing drifts.

The thread sleeps until shortly before a step is due and then looks at the clock. A step that comes late is made up for:
the next ones follow at no more than double speed, so that a person sees every one of them. No step is ever left out.
What cannot be made up for is said: a single hold-up longer than `STALL_NS` is a stall (the segment ends there), and a
world that is too slow for its rate has its beginning moved on (`slips`).

Example (a clock that only moves when it is slept on, and a step that takes 30 ms at 50 Hz):
    >>> class Planted:
    ...     now = 0
    ...     def __call__(self): return self.now
    ...     def sleep(self, seconds): self.now += round(seconds * NS) or 100_000
    >>> clock = Planted()
    >>> pace = Pace(50.0, clock, sleep=clock.sleep)
    >>> pace.begin()
    >>> first = pace.tick().at_ns; clock.sleep(0.030)
    >>> [first, pace.tick().at_ns, pace.tick().at_ns, pace.tick().at_ns]
    [20000000, 50000000, 60000000, 80000000]
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from rushes.model.clock import NS

STALL_NS: Final = NS // 4
"""A hold-up that is longer, and longer than three steps, ends the segment."""
_STEPS: Final = 3
_SPIN_NS: Final = 400_000
"""How long before a step is due the thread stops sleeping; Linux wakes a thread up to so much late."""
_RECENT: Final = 600


class Tick(NamedTuple):
    """A step that is to be taken now.

    Attributes:
        due_ns: When it was due, ns since session start.
        at_ns: When it is, ns since session start.
        stalled_ns: How long it was held up where that is a stall, else 0.
    """

    due_ns: int
    at_ns: int
    stalled_ns: int = 0


class Pace:
    """The beat of the steps.

    Args:
        rate_hz: Steps a second.
        now_ns: Gives ns since session start.
        sleep: Sleeps for seconds.

    Attributes:
        period_ns: Time between two steps.
        late: Steps that came later than half a period.
        slips: How often the beginning was moved on.
    """

    def __init__(
        self, rate_hz: float, now_ns: Callable[[], int], *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.rate_hz, self.period_ns = rate_hz, round(NS / rate_hz)
        self.late = self.slips = 0
        self._now_ns, self._sleep = now_ns, sleep
        self._start_ns = self._count = self._last_ns = 0
        self._stall_ns = max(STALL_NS, _STEPS * self.period_ns)
        self._recent: deque[int] = deque(maxlen=_RECENT)

    def begin(self, start_ns: int | None = None) -> None:
        """Begin anew; the first step is due a period later.

        Args:
            start_ns: ns since session start; None for now.
        """
        self._start_ns = self._last_ns = self._now_ns() if start_ns is None else start_ns
        self._count = 0
        self._recent.clear()

    def tick(self) -> Tick:
        """Wait until the next step is due.

        Returns:
            The step. After a stall the pace begins anew, and the step is the last of the old one.
        """
        self._count += 1
        due_ns = self._start_ns + round(self._count * NS / self.rate_hz)
        at_ns = self._wait(max(due_ns, self._last_ns + self.period_ns // 2))
        late_ns, held_up_ns = at_ns - due_ns, at_ns - self._last_ns
        self.late += late_ns > self.period_ns // 2
        if held_up_ns > self._stall_ns + self.period_ns:
            self.begin(at_ns)
            return Tick(due_ns, at_ns, held_up_ns)
        if late_ns > self._stall_ns:
            self.slips += 1
            self._start_ns, self._count = at_ns, 0
        self._last_ns = at_ns
        self._recent.append(at_ns)
        return Tick(due_ns, at_ns)

    def _wait(self, until_ns: int) -> int:
        while (now_ns := self._now_ns()) < until_ns:
            left_ns = until_ns - now_ns
            self._sleep((left_ns - _SPIN_NS) / NS if left_ns > _SPIN_NS else 0)  # 0 lets other threads have a turn
        return now_ns

    @property
    def measured_hz(self) -> float:
        """Steps a second over the last ten seconds of sixty a second, 0 before there are two."""
        recent = list(self._recent)
        return (len(recent) - 1) * NS / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0
