"""Timing of segments, of the wall clock, and of inputs against segments and frames.

Example:
    >>> spans = Spans(np.array([0, 100]), np.array([40, 150]))
    >>> spans.inside(np.array([10, 40, 120])).tolist(), spans.recorded(np.array([10, 60, 120])).tolist()
    ([True, False, True], [10, 40, 60])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.model.session import Segment
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Numbered, Subject

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RULES: Final = rules_of(
    Rule("timing.pause_map", "segments that overlap, or end before they begin", severity="error", sees="metadata"),
    # chrony steps the clock from 1 s on (its usual `makestep 1.0 3`) and slews it below, as session time is slewed too.
    Rule("timing.wall_clock", "wall clock and session time that went apart", limit=1000.0, unit="ms", sees="metadata"),
    Rule("timing.rejoined", "a segment that goes on after a restart", severity="info", sees="metadata"),
    # 15 frames at 30 Hz: fewer than what most policies look back on.
    Rule("timing.short_segment", "a recording cut into short segments", limit=0.5, unit="s", sees="metadata"),
    Rule("timing.time_source", "times that nobody measured", severity="info", sees="metadata"),
    # A mouse of 8 kHz gives 8 reports a millisecond, and two hands have ten fingers to let go at once.
    Rule("timing.event_burst", "inputs of one device with one and the same time", limit=16.0, unit="events"),
    Rule("timing.event_grid", "inputs that are known by the frame only", severity="info"),
    # What comes before the first picture and after the last; a pause keeps nothing.
    Rule("timing.events_outside", "inputs outside of every segment", limit=20.0, unit="%"),
)

_FEW: Final = 10
"""So many inputs may lie outside in any recording, however short."""
_CUTS: Final = 3
"""Short segments from which on a recording is called cut up, where they are a quarter of all."""
_GRID: Final = 0.9
"""Share of inputs on the times of frames, or half way between them, from which on they are known by the frame only."""


@dataclass(frozen=True)
class Spans:
    """The stretches that segments cover, in the order of time.

    Attributes:
        start_ns: (S,) int64.
        end_ns: (S,) int64, each after its start and none after the next start.
    """

    start_ns: Ints
    end_ns: Ints

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> Spans:
        """Take the stretches of segments; where they overlap, the earlier one ends."""
        start = np.array([s.start_ns for s in segments], np.int64)
        end = np.array([s.end_ns for s in segments], np.int64)
        order = np.argsort(start, kind="stable")
        start, end = start[order], end[order]
        end[:-1] = np.minimum(end[:-1], start[1:])
        return cls(start, np.maximum(start, end))

    def inside(self, t_ns: Ints) -> Bools:
        """Say which times lie in a segment: (N,) bool."""
        if not len(self.start_ns):
            return np.zeros(len(t_ns), bool)
        at = np.searchsorted(self.start_ns, t_ns, side="right") - 1
        return np.asarray((at >= 0) & (t_ns < self.end_ns[at]))

    def recorded(self, t_ns: Ints) -> Ints:
        """Give the ns that lie in segments until each time: (N,) int64."""
        if not len(self.start_ns):
            return np.zeros(len(t_ns), np.int64)
        before = np.concatenate([[0], np.cumsum(self.end_ns - self.start_ns)])
        at = np.maximum(np.searchsorted(self.start_ns, t_ns, side="right") - 1, 0)
        here = np.clip(t_ns, self.start_ns[at], self.end_ns[at]) - self.start_ns[at]
        return np.asarray(before[at] + here, np.int64)


def check_segments(subject: Subject) -> Iterator[Finding]:
    """Check segments, clocks, and inputs against both.

    Args:
        subject: Any recording.

    Yields:
        Findings of this module's `RULES`.
    """
    recording = subject.recording
    yield from _map(subject)
    yield from _wall(subject)
    yield from _short(subject)
    if recording.info.time_source in ("nominal", "assumed"):
        how = "a declared rate" if recording.info.time_source == "nominal" else "a rate that was taken for granted"
        sentence = f"nobody measured its times: they follow from {how}, and say nothing about alignment"
        yield subject.finding(RULES["timing.time_source"], sentence)
    if recording.is_environment or not recording.segments:
        return
    events = subject.events
    happened = _is(subject.numbered("kind"), "state", no=True) & _is(subject.numbered("flag"), "")
    if happened.any():
        t_ns = events["t_ns"].to_numpy(np.int64)[happened]
        yield from _outside(subject, t_ns)
        if on_grid(subject.index, t_ns):
            sentence = "inputs stand on the times of frames: when within a frame they happened is not known"
            yield subject.finding(RULES["timing.event_grid"], sentence, stream="events")
        else:
            yield from _bursts(subject, t_ns, subject.numbered("device")[0][happened])


def _is(column: Numbered, word: str, *, no: bool = False) -> Bools:
    """Say where a column of few different texts has one, or has it not: (N,) bool."""
    codes, texts = column
    return np.isin(codes, np.flatnonzero(np.asarray(texts, object) == word), invert=no)


def on_grid(index: pd.DataFrame, t_ns: Ints) -> bool:
    """Say whether inputs are known by the frame only: as rows of foreign sets, or polled once a frame.

    Args:
        index: The frames.
        t_ns: (N,) int64 times of inputs.
    """
    frames = np.sort(index["t_ns"].to_numpy(np.int64))
    if not len(frames) or not len(t_ns):
        return False
    step = int(np.median(np.diff(frames))) if len(frames) > 1 else 0
    at = np.searchsorted(frames, t_ns, side="right") - 1
    start = frames[np.maximum(at, 0)]
    width = np.append(np.diff(frames), step)[np.maximum(at, 0)]
    since = t_ns - start
    # Motion of a row stands in its middle (rushes.model.rows); what is still down is let go at the segment's end.
    on = (since == 0) | (since == width // 2) | (np.abs(since - step) <= 1)
    return float(on.mean()) >= _GRID


def _map(subject: Subject) -> Iterator[Finding]:
    rule, segments = RULES["timing.pause_map"], subject.recording.segments
    wrong = [s for s in segments if s.end_ns < s.start_ns]
    told = [f"segment {s.index} ends {(s.start_ns - s.end_ns) / 1e6:.0f} ms before it begins" for s in wrong]
    for one, other in pairwise(segments):
        if other.start_ns < one.end_ns:
            wrong.append(other)
            told.append(f"segment {other.index} begins {(one.end_ns - other.start_ns) / 1e6:.0f} ms before the end of "
                        f"segment {one.index}")  # fmt: skip
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        sentence = f"{told[0]}{more}: what happened there belongs to two segments; restore the session from a copy"
        yield subject.finding(rule, sentence, value=len(wrong), stream="frames", t_ns=wrong[0].start_ns)


def _wall(subject: Subject) -> Iterator[Finding]:
    rule = RULES["timing.wall_clock"]
    anchored = [s for s in subject.recording.segments if s.wall_ns is not None]
    zero = np.array([(s.wall_ns or 0) - s.start_ns for s in anchored], np.int64)
    step = np.diff(zero) / 1e6
    if len(step) and np.abs(step).max() > subject.limit(rule):
        worst = int(np.abs(step).argmax())
        segment, ms = anchored[worst + 1], float(step[worst])
        sentence = (
            f"the wall clock went {abs(ms):.0f} ms {'ahead of' if ms > 0 else 'behind'} session time before segment "
            f"{segment.index} ({segment.start_ns / NS:.2f} s; limit {subject.limit(rule):g} ms, {len(step)} pauses): "
            "the clock was set or the machine slept; hold it against nothing else by wall time"
        )
        yield subject.finding(rule, sentence, value=abs(ms), stream="frames", t_ns=segment.start_ns)
    rejoined = [s for s in subject.recording.segments if s.clock == "rejoined"]
    if rejoined:
        first = rejoined[0]
        sentence = (
            f"{len(rejoined)} segments go on after a restart and are placed by wall time, the first {first.index}"
        )
        yield subject.finding(RULES["timing.rejoined"], sentence, t_ns=first.start_ns, value=len(rejoined))


def _short(subject: Subject) -> Iterator[Finding]:
    if subject.recording.is_environment:  # an episode may be short
        return
    rule, segments = RULES["timing.short_segment"], subject.recording.segments
    short = [s for s in segments if s.duration_s < subject.limit(rule)]
    if len(short) >= _CUTS and 4 * len(short) >= len(segments):
        least = min(short, key=lambda s: s.duration_s)
        sentence = (
            f"{len(short)} of {len(segments)} segments are shorter than {subject.limit(rule):g} s, the shortest has "
            f"{least.duration_s:.3f} s (segment {least.index}, {least.start_ns / NS:.2f} s): no window fits into them; "
            "see what paused the recording or dropped its frames"
        )
        yield subject.finding(
            rule, sentence, value=least.duration_s, stream="frames", t_ns=least.start_ns, frame_index=least.first_frame
        )


def _outside(subject: Subject, t_ns: Ints) -> Iterator[Finding]:
    rule = RULES["timing.events_outside"]
    outside = ~Spans.of(subject.recording.segments).inside(t_ns)
    share = 100 * float(outside.mean())
    if outside.sum() > _FEW and share > subject.limit(rule):
        first = int(t_ns[outside.argmax()])
        sentence = (
            f"{outside.sum()} of {len(t_ns)} inputs, {share:.0f} %, lie in no segment (limit {subject.limit(rule):g} %)"
            f", the first at {first / NS:.2f} s: inputs and frames are not on one clock, or pauses kept what they "
            "should not"
        )
        yield subject.finding(rule, sentence, value=share, stream="events", t_ns=first)


def _bursts(subject: Subject, t_ns: Ints, device: Ints) -> Iterator[Finding]:
    rule = RULES["timing.event_burst"]
    order = np.lexsort((t_ns, device))
    t_ns, device = t_ns[order], device[order]
    first = np.flatnonzero(np.concatenate([[True], (np.diff(t_ns) != 0) | (np.diff(device) != 0)]))
    count = np.diff(first, append=len(t_ns))
    many = count > subject.limit(rule)
    if many.any():
        worst = int(count.argmax())
        at = int(t_ns[first[worst]])
        sentence = (
            f"{many.sum()} times inputs of one device came in one lump with the same time, the most {count[worst]} at "
            f"{at / NS:.2f} s (limit {subject.limit(rule):g}): they were stamped when they were fetched and not when "
            "they happened; stamp them at the device"
        )
        yield subject.finding(rule, sentence, value=float(count[worst]), stream="events", t_ns=at)
