"""Pacing: ticks on an absolute grid, what happens to those that were missed, and a sleep that ends on time.

Tick k stands at start + k / rate, computed from k with integers, so that no error adds up. `Ticks.take` says which tick
a picture that is taken now belongs to:

- on time, or less than one interval behind: the next tick in turn;
- behind, and `skip_late`: the newest tick that is due; those between are counted as dropped;
- behind, and not `skip_late`: the next tick in turn, so that pictures follow each other without a rest until they have
  caught up; more than `GIVE_UP_NS` behind it skips to the present all the same.

Every tick is either taken or counted: the number of the last tick + 1 == ticks taken + ticks dropped.

Example:
    >>> ticks = Ticks(0, 10, skip_late=True)
    >>> ticks.take(3), ticks.take(100_000_200), ticks.take(455_000_000)
    (Tick(number=0, due_ns=0, dropped=0), Tick(number=1, due_ns=100000000, dropped=0),
     Tick(number=4, due_ns=400000000, dropped=2))
    >>> ticks.next_ns, ticks.is_late(ticks.last, 455_000_000)
    (500000000, True)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Final, NamedTuple

from rushes.errors import BadInputError
from rushes.model.clock import NS

GIVE_UP_NS: Final = NS
"""So far behind, missed ticks are skipped even where they should be caught up with."""
NAP_NS: Final = 50_000_000
"""The longest single sleep: how long a stop may go unnoticed."""
SPIN_NS: Final = 150_000
"""What is left of a wait after the last sleep: Linux wakes 60 to 100 us late."""
LOWEST_HZ: Final = 0.01
HIGHEST_HZ: Final = 1000


class Tick(NamedTuple):
    """One tick that is taken.

    Attributes:
        number: 0-based number on the grid.
        due_ns: When it stands on the grid.
        dropped: Ticks skipped just before it.
    """

    number: int
    due_ns: int
    dropped: int


class Ticks:
    """A grid of ticks and how far it has been worked off.

    Args:
        start_ns: Time of tick 0.
        rate_hz: Ticks a second, 0.01 to 1000.
        skip_late: Whether missed ticks are skipped rather than caught up with.

    Raises:
        BadInputError: The rate is no rate.
    """

    def __init__(self, start_ns: int, rate_hz: float, *, skip_late: bool = False) -> None:
        if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
            raise BadInputError(
                f"{rate_hz} pictures a second", accepts=f"{LOWEST_HZ} to {HIGHEST_HZ}", fix="pass --fps 30"
            )
        self.start_ns, self.skip_late = start_ns, skip_late
        self._period = NS / Fraction(rate_hz).limit_denominator(10_000)
        self._next = 0
        self.last = Tick(-1, start_ns, 0)

    @property
    def period_ns(self) -> int:
        """The interval, rounded."""
        return round(self._period)

    @property
    def next_ns(self) -> int:
        """When the next tick stands."""
        return self.due_ns(self._next)

    def due_ns(self, number: int) -> int:
        """Say when a tick stands."""
        return self.start_ns + number * self._period.numerator // self._period.denominator

    def take(self, now_ns: int) -> Tick:
        """Take the tick that a picture of this moment belongs to.

        Args:
            now_ns: The present, at or after `next_ns`.
        """
        behind = now_ns - self.next_ns
        number = self._next
        if behind > (self.period_ns if self.skip_late else GIVE_UP_NS):
            number = max(number, int((now_ns - self.start_ns) / self._period))
        self.last = Tick(number, self.due_ns(number), number - self._next)
        self._next = number + 1
        return self.last

    def is_late(self, tick: Tick, t_ns: int) -> bool:
        """Say whether a picture stamped `t_ns` stands more than half an interval after its tick."""
        return 2 * (t_ns - tick.due_ns) > self.period_ns


def sleep_until(
    due_ns: int,
    stop: threading.Event,
    *,
    now: Callable[[], int],
    sleep: Callable[[float], object] = time.sleep,
) -> bool:
    """Sleep until a moment, about 0.1 ms exact, without burning a core.

    It sleeps in naps of 50 ms at the most (`time.sleep`, which is exact on every system; waiting for an event is not on
    Windows), once more up to 0.15 ms before the moment, and gives way to other threads for the rest.

    Args:
        due_ns: When to return, on the clock of `now`.
        stop: Ends the sleep within a nap.
        now: The clock.
        sleep: Sleeps for seconds.

    Returns:
        True at the moment, False when `stop` was set before it.
    """
    while not stop.is_set():
        left_ns = due_ns - now()
        if left_ns <= 0:
            return True
        sleep(min(left_ns - SPIN_NS, NAP_NS) / NS if left_ns > SPIN_NS else 0)
    return False
