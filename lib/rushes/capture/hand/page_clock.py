"""The clocks of the pages that a person plays in, kept on the session's clock while they play.

The recorder asks every second, a page answers with what it shows (`capture/browser/clock_join`). The quickest of the
last half minute's answers counts, so a page on another machine, whose clock runs a little faster or slower, stays
within a few milliseconds. A page that reloads has a new clock, and two windows have two: each says its name with its
times, and a new one is asked a few times in quick succession. Times never run back, and nothing happened later than it
was received.

Example (asked at 10 ms, the page shows 1000 ms, answered at 12 ms; a key at 1500 ms of the page):
    >>> clock = PageClock()
    >>> clock.answered(10_000_000, 1000.0, 12_000_000, page="first")
    >>> clock.at(1500.0, received_ns=515_000_000, page="first")
    511000000
    >>> clock.at(7.0, received_ns=600_000_000, page="second")
    600000000
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Final

from rushes.capture.browser.clock_join import Join, Sample, join
from rushes.model.clock import NS

_ANSWERS: Final = 30
_SLOWEST_NS: Final = 2 * NS
"""An answer that took longer says nothing."""
_FEW: Final = 5
"""Answers until a page's clock counts as known; a page that is being loaded answers slowly at first."""
_PAGES: Final = 8


class PageClock:
    """Brings times of pages to the session's clock."""

    def __init__(self) -> None:
        self._pages: dict[str, deque[Sample]] = {}  # the one that spoke last stands last
        self._joins: dict[str, Join] = {}
        self._lock = threading.Lock()
        self._last_ns = 0

    def _turn(self, page: str) -> deque[Sample]:
        samples = self._pages.pop(page, None) or deque(maxlen=_ANSWERS)
        self._pages[page] = samples
        while len(self._pages) > _PAGES:
            oldest = next(iter(self._pages))
            del self._pages[oldest]
            self._joins.pop(oldest, None)
        return samples

    def spoke(self, page: str) -> None:
        """Note that a page is there."""
        with self._lock:
            self._turn(page)

    def answered(self, sent_ns: int, told_ms: float, received_ns: int, *, page: str = "") -> None:
        """Take an answer.

        Args:
            sent_ns: When it was asked, ns since session start.
            told_ms: What the page's clock showed, ms.
            received_ns: When the answer was there, ns since session start.
            page: Which page it is.
        """
        if not 0 <= received_ns - sent_ns <= _SLOWEST_NS:
            return
        with self._lock:
            samples = self._turn(page)
            samples.append(Sample(sent_ns, told_ms, received_ns))
            self._joins[page] = join(samples)

    def at(self, t_ms: float | None, *, received_ns: int, page: str = "") -> int:
        """Say when something happened.

        Args:
            t_ms: Time on the page's clock, ms; None where the page said none.
            received_ns: When it was received, ns since session start.
            page: Which page it is.

        Returns:
            ns since session start; `received_ns` as long as the page's clock is not known.
        """
        with self._lock:
            self._turn(page)
            known = self._joins.get(page)
            found = received_ns if t_ms is None or known is None else min(known.at(t_ms), received_ns)
            self._last_ns = max(found, self._last_ns, 0)
            return self._last_ns

    @property
    def is_new(self) -> bool:
        """Whether the page that spoke last has answered too rarely to be known."""
        with self._lock:
            return len(next(reversed(self._pages.values()), ())) < _FEW

    def attrs(self) -> dict[str, Any]:
        """Say how well that page's clock is known, as attributes of a segment, ms; empty where it is not."""
        with self._lock:
            known = self._joins.get(next(reversed(self._pages), ""))
            return {} if known is None else known.attrs()
