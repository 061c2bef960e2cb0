"""The merge: sources on threads of their own, their readings in the order of time.

A device's reading arrives a few milliseconds after it happened, and from several threads. Each is held until it is
`hold_ns` old, so that one that comes late from another thread still takes its place. What comes later than that is
passed on when it comes; its time is right all the same, and readers of a session sort by time.

Example:
    >>> merge = Merge([], Clock(), hold_ns=0)
    >>> merge.put(Gap(20, "b")), merge.put(Gap(10, "a"))
    (None, None)
    >>> [gap.reason for gap in merge.take(0.0)]
    ['a', 'b']
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from rushes.capture.priority import urgent
from rushes.capture.source import Source
from rushes.model.clock import NS, Clock
from rushes.model.readings import Gap, Reading

__all__ = ["HOLD_NS", "Command", "End", "Gap", "Merge"]

HOLD_NS: Final = 30_000_000
"""How long a reading waits for earlier ones; inputs arrive within a few ms of their stamps."""
_POLL_S: Final = 0.004
_JOIN_S: Final = 1.0


class Command(NamedTuple):
    """Something that a person or the recorder itself wants, in its place in time.

    Attributes:
        t_ns: ns since session start.
        name: `resume`, `pause`, `toggle`, `stop`, or the reason why the session has to end.
    """

    t_ns: int
    name: str


class End(NamedTuple):
    """A source that ended by itself.

    Attributes:
        source: Which.
        error: Why; None where it just returned.
    """

    source: Source
    error: Exception | None


class Merge:
    """Readings of several sources in the order of time.

    Args:
        sources: Started by `start`, each on a thread of its own.
        clock: What they stamp on.
        hold_ns: How long a reading waits for earlier ones.
    """

    def __init__(self, sources: Sequence[Source], clock: Clock, *, hold_ns: int = HOLD_NS) -> None:
        self._sources, self._clock, self._hold_ns = sources, clock, hold_ns
        self._heap: list[tuple[int, int, Reading | Command]] = []
        self._lock = threading.Lock()
        self._number = itertools.count()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ends: list[End] = []

    def start(self) -> None:
        """Open the devices."""
        for source in self._sources:
            thread = threading.Thread(target=self._run, args=(source,), name=f"rushes-{source.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, source: Source) -> None:
        error: Exception | None = None
        urgent()
        try:
            source.run(self._clock, self.put, self._stop)
        except Exception as caught:  # noqa: BLE001 - a driver may raise anything; it is told by `ends`
            error = caught
        if not self._stop.is_set():
            with self._lock:
                self._ends.append(End(source, error))

    def put(self, reading: Reading | Command) -> None:
        """Add a reading from any thread."""
        with self._lock:
            heapq.heappush(self._heap, (reading.t_ns, next(self._number), reading))

    def take(self, timeout_s: float) -> list[Reading | Command]:
        """Give what has waited long enough.

        Args:
            timeout_s: How long to wait for something at most.

        Returns:
            Readings in the order of time; empty when none was due.
        """
        until = time.perf_counter() + timeout_s
        while True:
            due = self._due(self._clock.now_ns() - self._hold_ns)
            if due or time.perf_counter() >= until:
                return due
            time.sleep(_POLL_S)

    def _due(self, t_ns: int) -> list[Reading | Command]:
        found = []
        with self._lock:
            while self._heap and self._heap[0][0] <= t_ns:
                found.append(heapq.heappop(self._heap)[2])
        return found

    def ends(self) -> list[End]:
        """Give the sources that ended by themselves since the last call."""
        with self._lock:
            found, self._ends = self._ends, []
        return found

    def stop(self) -> list[Reading | Command]:
        """Close the devices.

        Returns:
            What had not been taken, in the order of time.
        """
        self._stop.set()
        until = time.perf_counter() + _JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.perf_counter()))
        return self._due(self._clock.now_ns() + NS)
