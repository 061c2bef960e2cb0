"""The page's clock on the session's: questions and answers give an offset, and how far it may be off.

The recorder asks at `sent_ns`, the page answers with its own time, the answer is there at `received_ns`. The page read
its clock somewhere in between, so the middle is off by at most half the round trip. The quickest answer knows best.

Example (asked at 10 ms, the page's clock shows 1000 ms, the answer is there at 12 ms):
    >>> found = join([Sample(10_000_000, 1000.0, 12_000_000)])
    >>> found.offset_ns, found.uncertainty_ns
    (-989000000, 1000000)
    >>> found.at(1000.5)
    11500000
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from rushes.errors import BadInputError
from rushes.model.clock import NS

MS: Final = 1_000_000
"""Nanoseconds in a millisecond."""
DRIFT_NS: Final = 20 * NS
"""From here on a drift is told: in 20 s even 50 ppm are 1 ms, as much as a slow answer leaves open."""
_QUICK: Final = 2
"""Answers count as good up to so many times the quickest round trip."""


class Sample(NamedTuple):
    """One question and its answer.

    Attributes:
        sent_ns: When it was asked, ns on the recorder's clock.
        told_ms: What the page's clock showed, ms.
        received_ns: When the answer was there, ns on the recorder's clock.
    """

    sent_ns: int
    told_ms: float
    received_ns: int

    @property
    def round_trip_ns(self) -> int:
        """From question to answer."""
        return self.received_ns - self.sent_ns

    @property
    def offset_ns(self) -> int:
        """Recorder's time minus page's, if the page answered midway."""
        return (self.sent_ns + self.received_ns) // 2 - round(self.told_ms * MS)


@dataclass(frozen=True)
class Join:
    """How to bring times of the page to the recorder's clock.

    Attributes:
        offset_ns: Recorder's time minus page's.
        round_trip_ns: Of the quickest answer.
        spread_ns: How far the offsets of the good answers lie apart.
        drift_ppm: How much faster the recorder's clock runs, in millionths; None where the answers do not lie far
            enough apart in time to say.
    """

    offset_ns: int
    round_trip_ns: int
    spread_ns: int
    drift_ppm: float | None = None

    @property
    def uncertainty_ns(self) -> int:
        """How far the offset may be off at the most: half the round trip."""
        return self.round_trip_ns // 2

    def at(self, t_ms: float) -> int:
        """Bring a time of the page, ms, to the recorder's clock, ns; intervals stay exact."""
        return round(t_ms * MS) + self.offset_ns

    def attrs(self) -> dict[str, Any]:
        """Say it as attributes of a segment, ms."""
        drift = {} if self.drift_ppm is None else {"clock_drift_ppm": round(self.drift_ppm, 2)}
        return {"round_trip_ms": self.round_trip_ns / MS, "clock_spread_ms": self.spread_ns / MS, **drift}


def join(samples: Sequence[Sample]) -> Join:
    """Find the offset.

    Args:
        samples: Questions and answers in the order of time, at least one.

    Raises:
        BadInputError: There is none.
    """
    if not samples:
        raise BadInputError("no answer of the page's clock", accepts="at least one", fix="ask before the first frame")
    best = min(samples, key=lambda sample: sample.round_trip_ns)
    good = [s for s in samples if s.round_trip_ns <= _QUICK * max(best.round_trip_ns, 1)]
    offsets = [s.offset_ns for s in good]
    return Join(best.offset_ns, best.round_trip_ns, max(offsets) - min(offsets), _drift(good))


def _drift(samples: Sequence[Sample]) -> float | None:
    """Compare the quickest of the first and of the last third."""
    third = max(1, len(samples) // 3)
    first = min(samples[:third], key=lambda sample: sample.round_trip_ns)
    last = min(samples[-third:], key=lambda sample: sample.round_trip_ns)
    between_ns = last.sent_ns - first.sent_ns
    if between_ns < DRIFT_NS:
        return None
    return (last.offset_ns - first.offset_ns) / between_ns * 1e6
