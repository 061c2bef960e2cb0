"""Timing of frames: their rate, how evenly they come, where they are missing, and what their rows say of it.

Only steps within a segment count; between two segments there is a pause, which is no gap. A step before which ticks
were dropped, and counted, is as long as it must be: it is no jitter, and does not change the rate.

Example:
    >>> import pandas as pd
    >>> table = pd.DataFrame({"t_ns": [0, 10, 20, 90], "segment": [0, 0, 0, 1], "dropped_before": 0})
    >>> steps_of(table).ns.tolist()
    [10, 10]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject

Ints = npt.NDArray[np.int64]

RULES: Final = rules_of(
    # Half of what the strictest public set bears: OWL takes an average of 54 of 60 frames a second.
    Rule("timing.rate", "frames that come at another rate than is stated", limit=5.0, unit="%", needs="a stated rate"),
    # A step off by half a step is in doubt as to which tick it shows; Cap reports 4 ms, which is 12 % at 30 Hz.
    Rule("timing.jitter", "steps that are uneven: 95th percentile of what they are off", limit=50.0, unit="%"),
    # What a person takes to react: in a longer gap something can have happened that no picture shows.
    Rule("timing.gap", "time without a frame inside a segment", limit=250.0, unit="ms", repair="invalid"),
    Rule("timing.duplicates", "frames with the time of the frame before", limit=0.0, unit="frames"),
    Rule("timing.non_monotonic", "times that run back", limit=0.0, unit="frames", severity="error"),
    # LeRobot calls 2 % normal, OWL bears 10 %.
    Rule("timing.dropped", "ticks without a picture", limit=5.0, unit="%"),
    # A frame is late that comes more than half a step behind its tick; a tenth of them is as much as OWL bears drops.
    Rule("timing.late", "frames that came late", limit=10.0, unit="%"),
    # Three of four frames show nothing new: a quarter of the rate would have held all of it.
    Rule("timing.repeated", "frames that repeat the picture before", limit=75.0, unit="%"),
    Rule("timing.tick", "numbers of ticks that do not go with what was dropped", limit=0.0, unit="frames"),
)

_FEW: Final = 3
"""So many frames are dropped or late in any recording, however short."""
_STEPS: Final = 20
"""Steps from which on a percentile of them, or a share, means something."""
_USUAL: Final = 3.0
"""A gap is longer than so many usual steps too: at 1 Hz a second is none."""
MOST: Final = 20
"""Gaps that are named with their stretch, the longest ones; all of them are counted."""


@dataclass(frozen=True)
class FrameSteps:
    """The steps from frame to frame within segments.

    Attributes:
        row: (S,) int64 position in the index of the later frame.
        ns: (S,) int64 length.
        ticks: (S,) int64 ticks that it spans: one, and those that were dropped.
    """

    row: Ints
    ns: Ints
    ticks: Ints


def steps_of(index: pd.DataFrame) -> FrameSteps:
    """Take the steps out of a table of frames.

    Args:
        index: Columns `INDEX_COLUMNS`, segment by segment.
    """
    segment = index["segment"].to_numpy(np.int64)
    row = np.flatnonzero(segment[1:] == segment[:-1]) + 1
    t_ns = index["t_ns"].to_numpy(np.int64)
    dropped = index["dropped_before"].to_numpy(np.int64)[row]
    return FrameSteps(row, t_ns[row] - t_ns[row - 1], 1 + np.maximum(dropped, 0))


def check_frames(subject: Subject) -> Iterator[Finding]:
    """Check the times of frames and what their rows say of them.

    Args:
        subject: Any recording.

    Yields:
        Findings of this module's `RULES`.
    """
    index = subject.index
    if not len(index):
        return
    steps = steps_of(index)
    yield from _order(subject, index, steps)
    yield from _flags(subject, index)
    if subject.recording.kept_at_moments:  # no film: nothing is missing between two pictures
        yield subject.cannot_tell(RULES["timing.rate"], "its pictures were kept at certain moments, at no rate")
        return
    yield from _rate(subject, steps)
    yield from _jitter(subject, index, steps)
    yield from _gaps(subject, index, steps)
    yield from _ticks(subject, index, steps)


def _rate(subject: Subject, steps: FrameSteps) -> Iterator[Finding]:
    rule, time = RULES["timing.rate"], int(steps.ns.sum())
    if time <= 0:
        return
    subject.figures["rate_hz"] = len(steps.ns) * NS / time
    stream = subject.recording.info.stream("frames")
    stated = subject.expected.rate_hz or (stream.rate_hz if stream is not None else 0.0)
    if stated <= 0:
        yield subject.cannot_tell(rule, "no rate is stated; give the one that you expect")
        return
    ticks = int(steps.ticks.sum())
    off = 100 * (ticks * NS / time / stated - 1)
    allowed = max(1, len(subject.recording.segments)) * NS / stated  # the first and the last frame come as they come
    if abs(off) > subject.limit(rule) and abs(time - ticks * NS / stated) > allowed:
        sentence = (
            f"{ticks * NS / time:.3f} ticks a second where {stated:g} are stated: {off:+.1f} %, more than "
            f"{subject.limit(rule):g} %; find out whether the rate or the times are wrong before anything is resampled"
        )
        yield subject.finding(rule, sentence, value=abs(off), stream="frames")


def _jitter(subject: Subject, index: pd.DataFrame, steps: FrameSteps) -> Iterator[Finding]:
    rule, plain = RULES["timing.jitter"], steps.ticks == 1
    if plain.sum() < _STEPS:
        return
    ns = steps.ns[plain]
    usual = float(np.median(ns))
    off = np.abs(ns - usual)
    value = 100 * float(np.percentile(off, 95)) / usual if usual > 0 else 0.0
    if value > subject.limit(rule):
        row = int(steps.row[plain][off.argmax()])
        sentence = (
            f"one step of 20 is off by more than {value:.0f} % of the usual {usual / 1e6:.1f} ms (limit "
            f"{subject.limit(rule):g} %), the worst by {off.max() / 1e6:.0f} ms at {_place(index, row)}: record with "
            "less load or at a lower rate; exports at a fixed rate move such frames"
        )
        yield _at(subject, rule, sentence, index, row, value=value)


def _gaps(subject: Subject, index: pd.DataFrame, steps: FrameSteps) -> Iterator[Finding]:
    rule = RULES["timing.gap"]
    usual = float(np.median(steps.ns)) if len(steps.ns) else 0.0
    found = np.flatnonzero((steps.ns > subject.limit(rule) * 1e6) & (steps.ns > _USUAL * usual))
    longest = np.sort(found[np.argsort(-steps.ns[found], kind="stable")[:MOST]])
    t_ns = index["t_ns"].to_numpy(np.int64)
    for number, at in enumerate(longest.tolist(), 1):
        row, ms = int(steps.row[at]), steps.ns[at] / 1e6
        count = f" ({number} of {len(longest)})" if len(longest) > 1 else ""
        if number == len(longest) < len(found):
            count += f" and {len(found) - len(longest)} shorter ones"
        sentence = (
            f"{ms:.0f} ms without a frame before {_place(index, row)}{count}, longer than {subject.limit(rule):g} ms: "
            "`rushes qa --fix` marks it, so that no window crosses it"
        )
        start, end = int(t_ns[row - 1]), int(t_ns[row])
        yield subject.finding(
            rule, sentence, value=ms, stream="frames", t_ns=start, t_end_ns=end,
            frame_index=int(index["frame_index"].iloc[row]),
        )  # fmt: skip


def _order(subject: Subject, index: pd.DataFrame, steps: FrameSteps) -> Iterator[Finding]:
    for name, wrong, what in (
        ("timing.duplicates", steps.ns == 0, "the time of the frame before"),
        ("timing.non_monotonic", steps.ns < 0, "a time before that of the frame before"),
    ):
        rule, count = RULES[name], int(wrong.sum())
        if count > subject.limit(rule):
            row = int(steps.row[np.flatnonzero(wrong)[0]])
            sentence = (
                f"{count} frames have {what}, the first is {_place(index, row)}: their inputs cannot be told apart; "
                "take the times from their source again, or leave these frames out"
            )
            yield _at(subject, rule, sentence, index, row, value=count)


def _flags(subject: Subject, index: pd.DataFrame) -> Iterator[Finding]:
    """Hold the shares of dropped, late and repeated frames against their limits."""
    dropped = np.maximum(index["dropped_before"].to_numpy(np.int64), 0)
    late, same = (index[name].to_numpy(bool) for name in ("late", "duplicate"))
    rows = len(index)
    for name, many, whole, what, fix in (
        ("timing.dropped", dropped, rows + int(dropped.sum()), "ticks have no picture", "record with less load"),
        ("timing.late", late, rows, "frames came late", "record with less load or at a lower rate"),
        ("timing.repeated", same, rows, "frames repeat the picture before", "record at the rate of the game"),
    ):  # fmt: skip
        rule, count = RULES[name], int(many.sum())
        share = 100 * count / whole
        enough = count > _FEW and (name != "timing.repeated" or rows >= _STEPS)
        if enough and share > subject.limit(rule):
            row = int(np.flatnonzero(many)[0])
            sentence = (
                f"{count} {what}, {share:.1f} % (limit {subject.limit(rule):g} %), first at {_place(index, row)}: {fix}"
            )
            yield _at(subject, rule, sentence, index, row, value=share)


def _ticks(subject: Subject, index: pd.DataFrame, steps: FrameSteps) -> Iterator[Finding]:
    if subject.recording.info.time_source == "assumed":  # numbers of a file that has no ticks
        return
    rule, tick = RULES["timing.tick"], index["tick"].to_numpy(np.int64)
    wrong = steps.row[tick[steps.row] - tick[steps.row - 1] != steps.ticks]
    if len(wrong) > subject.limit(rule):
        row = int(wrong[0])
        sentence = (
            f"{len(wrong)} frames have a tick that does not follow on the one before and what was dropped between, "
            f"the first is {_place(index, row)}: frames are missing that nobody counted, or rows were moved; restore "
            "the table from a copy"
        )
        yield _at(subject, rule, sentence, index, row, value=len(wrong))


def _place(index: pd.DataFrame, row: int) -> str:
    return f"frame {index['frame_index'].iloc[row]} ({index['t_ns'].iloc[row] / NS:.2f} s)"


def _at(subject: Subject, rule: Rule, sentence: str, index: pd.DataFrame, row: int, *, value: float) -> Finding:
    frame, t_ns = int(index["frame_index"].iloc[row]), int(index["t_ns"].iloc[row])
    return subject.finding(rule, sentence, value=value, stream="frames", frame_index=frame, t_ns=t_ns)
