"""What the rules about pictures have in common: the readable rows, their times, stretches and words for places.

Example:
    >>> stretches(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.qa.pictures.signs import Signs
from rushes.qa.rules import Rule
from rushes.qa.subject import Subject

_NAMED: Final = 20
"""Stretches of one kind that are named, so that each can be marked as not valid."""
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Seen:
    """What was seen of a recording.

    Args:
        subject: The recording.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @cached_property
    def signs(self) -> Signs:
        """The signs of all frames."""
        return self.subject.signs

    @cached_property
    def readable(self) -> Bools:
        """(N,) whether each frame could be decoded."""
        return self.signs["readable"].astype(bool)

    @cached_property
    def any_readable(self) -> bool:
        """Whether there is a picture at all."""
        return bool(self.readable.any())

    @cached_property
    def fresh(self) -> Bools:
        """(N,) frames that follow on nothing: the first of a segment, and behind one that is missing."""
        segment = self.signs["segment"]
        first = np.ones(len(segment), bool)
        first[1:] = (segment[1:] != segment[:-1]) | ~self.readable[:-1]
        return first | ~self.readable

    @cached_property
    def end_ns(self) -> npt.NDArray[np.int64]:
        """(N,) until when each frame stands: the next one's time, or the end of its segment."""
        ends = np.empty(len(self.signs), np.int64)
        times, segment = self.signs["t_ns"], self.signs["segment"]
        ends[:-1] = times[1:]
        for one in self.subject.recording.segments:
            stop = int(np.searchsorted(segment, one.index, side="right"))
            if stop and segment[stop - 1] == one.index:
                ends[stop - 1] = max(one.end_ns, times[stop - 1])
        return ends

    def column(self, name: str) -> npt.NDArray[Any]:
        """Give a column of the signs."""
        return self.signs[name]

    def seconds(self, start: int, stop: int) -> float:
        """Say how long rows `start` to `stop` - 1 stand."""
        return float(self.end_ns[stop - 1] - self.signs["t_ns"][start]) / NS

    def longest(self, mask: Bools, *, least_s: float = 0.0) -> Iterator[tuple[int, int, str]]:
        """Find the stretches of time in which something holds without a break.

        Args:
            mask: (N,) where it holds.
            least_s: Leave shorter ones out.

        Yields:
            First row, the row behind the last, and words for how many more there are, or `""`: at most 20 a
            recording, the longest ones, in the order of time.
        """
        found = [run for run in stretches(mask, self.signs["segment"]) if self.seconds(*run) >= least_s]
        named = sorted(sorted(found, key=lambda run: -self.seconds(*run))[:_NAMED])
        for number, (start, stop) in enumerate(named):
            more = len(found) - len(named) if number == len(named) - 1 else 0
            yield start, stop, f", and {more} shorter stretches" if more else ""

    def finding(
        self, rule: Rule, sentence: str, *, row: int, stop: int | None = None, value: float | None = None
    ) -> Finding:
        """Make a finding about a frame, or about a stretch of them.

        Args:
            rule: The rule.
            sentence: What was found, where, and what to do.
            row: Its row, or the first.
            stop: The row behind the last one of a stretch.
            value: What was measured.
        """
        return self.subject.finding(
            rule,
            sentence,
            value=value,
            stream="frames",
            frame_index=int(self.signs["frame_index"][row]),
            t_ns=int(self.signs["t_ns"][row]),
            t_end_ns=None if stop is None else int(self.end_ns[stop - 1]),
        )

    def place(self, row: int) -> str:
        """Say where a row is, for people."""
        return f"frame {int(self.signs['frame_index'][row])} ({self.signs['t_ns'][row] / NS:.2f} s)"


def stretches(mask: Bools, groups: npt.NDArray[Any] | None = None) -> list[tuple[int, int]]:
    """Find where something holds without a break.

    Args:
        mask: (N,) where it holds.
        groups: (N,) what no stretch may cross the border of, such as segments; or None.

    Returns:
        (first, behind the last) of each stretch, in order.
    """
    if not len(mask):
        return []
    starts = mask.copy()
    starts[1:] &= ~mask[:-1] if groups is None else (~mask[:-1] | (groups[1:] != groups[:-1]))
    stops = mask.copy()
    stops[:-1] &= ~mask[1:] if groups is None else (~mask[1:] | (groups[1:] != groups[:-1]))
    return list(zip(np.flatnonzero(starts).tolist(), (np.flatnonzero(stops) + 1).tolist(), strict=True))


Look = Callable[[Seen, Rule], Iterator[Finding]]
"""How a rule looks."""
Looks = Mapping[str, tuple[Rule, Look]]
"""Rules by their ids, each with how it looks."""


def looks_of(*rules: tuple[Rule, Look]) -> Looks:
    """Name rules by their ids."""
    return {rule.id: (rule, look) for rule, look in rules}
