"""Plots of the frames' clock with the limits that it is held against: intervals, lateness, and the rate over time.

Counts stand on a logarithmic scale, because the one gap among ten thousand frames is what somebody looks for. Intervals
are taken inside segments only; what lies between two segments is a pause and is shaded.

Example (any recording with frames):
    >>> def look(recording, limits):
    ...     return interval_histogram(recording, limits), rate_over_time(recording, limits)
    >>> t_ns, hz = rates([0, 100_000_000, 200_000_000, 400_000_000], window_s=0.2)
    >>> hz.round(1).tolist()
    [10.0, 5.0]
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, note
from rushes.preview.qa_damage import or_why
from rushes.preview.qa_limits import from_zero, limit_line, limit_of, limit_words
from rushes.preview.style import BLUE, INK, MUTED, RED, RULE, SHADE
from rushes.preview.timing import lateness_ms
from rushes.qa.rules import Limits

GAP: Final = "timing.gap"
RATE: Final = "timing.rate"
JITTER: Final = "timing.jitter"
LATE: Final = "timing.late"
_MS: Final = 1e6
_BINS: Final = 60
_FAR: Final = 12
"""So many periods, and the intervals are drawn on a logarithmic scale."""
_STEPS: Final = [1, 2, 5, 10]
_POINTS: Final = 300
_ROOM: Final = 1.12
_PERCENT: Final = 100.0
_NOTHING: Final = "No segment has two frames: there is no clock to look at; `rushes info PATH` says what is there."

Floats = npt.NDArray[np.float64]


def rates(t_ns: npt.ArrayLike, *, window_s: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """Tell how many frames came a second, window by window.

    Args:
        t_ns: (N,) int64, when the frames of one segment were taken.
        window_s: Length of a window, s; each takes the intervals that end in it.

    Returns:
        (W,) int64 middles of the windows in ns, (W,) float64 Hz. A window without a frame is not there: the interval
        over it counts where it ends.
    """
    times = np.asarray(t_ns, np.int64)
    if len(times) < 2:  # noqa: PLR2004 - one frame has no interval
        return np.zeros(0, np.int64), np.zeros(0)
    between, ends = np.diff(times), times[1:] - times[0]
    number = (ends - 1) // max(1, round(window_s * NS))
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    spans = np.add.reduceat(between, starts)
    counts = np.diff(np.append(starts, len(between)))
    middles = times[1:][starts] - between[starts] + spans // 2
    return middles, counts * NS / np.maximum(spans, 1)


@or_why
def interval_histogram(recording: Recording, limits: Limits) -> HouseFigure | Html:
    """Show how often each interval between frames occurs, and how late after their ticks frames were taken.

    Args:
        recording: With frames.
        limits: What is held against them.

    Returns:
        The figure, or a sentence where no segment has two frames.
    """
    between = _intervals(recording)
    if not len(between):
        return note(_NOTHING)
    period_ms = 1000.0 / recording.rate_hz if recording.rate_hz else float(np.median(between))
    figure = new_figure(height_px=310)
    grid = figure.add_gridspec(1, 2, width_ratios=(3, 2))
    left, right = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    _draw_intervals(left, between, period_ms, limits)
    late = _lateness(recording)
    _draw_lateness(right, late, period_ms, limits)
    p99 = float(np.percentile(late, 99)) if len(late) else 0.0
    figure.alt = (
        f"Intervals between frames: nominally {period_ms:.1f} ms, from {between.min():.1f} to {between.max():.1f} ms, "
        f"{_words(GAP, limits)}; 99 % of the frames less than {p99:.2f} ms after their tick"
    )
    return figure


@or_why
def rate_over_time(recording: Recording, limits: Limits, *, expect_hz: float = 0.0) -> HouseFigure | Html:
    """Show frames a second over the recording, with how far the rate may be off.

    Args:
        recording: With frames.
        limits: What is held against them.
        expect_hz: What the rate should be; 0 takes what the recording says.

    Returns:
        The figure, or a sentence where no segment has two frames.
    """
    between = _intervals(recording)
    if not len(between):
        return note(_NOTHING)
    nominal = expect_hz or recording.rate_hz or 1000.0 / float(np.median(between))
    segments = recording.segments
    begin_ns, end_ns = segments[0].start_ns, segments[-1].end_ns
    whole_s = max(1e-3, (end_ns - begin_ns) / NS)
    start_s = from_zero(begin_ns / NS, whole_s)
    window_s = max(1.0, 8 / nominal, whole_s / _POINTS)
    figure = new_figure(height_px=250)
    axes = figure.add_subplot()
    every = [np.array([nominal])]
    for segment in segments:
        t_ns = recording.index(segment.index)["t_ns"].to_numpy(np.int64)
        at, hz = rates(t_ns, window_s=window_s)
        every.append(hz)
        axes.plot(at / NS, hz, color=BLUE, linewidth=1.4, marker="o", markersize=2.5, zorder=3)
    flat = np.concatenate(every)
    share = limit_of(RATE, limits)
    off = nominal * (share if share is not None else 0.0) / _PERCENT
    room = max(1.7 * off, 1.25 * float(np.abs(flat - nominal).max()), 0.02 * nominal)
    axes.set_ylim(max(0.0, nominal - room), nominal + room)
    axes.set_xlim(start_s, begin_ns / NS + whole_s)
    axes.axhline(nominal, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)
    if share is not None:
        limit_line(axes, nominal + off, f"{limit_words(RATE, limits)} more", across="y")
        limit_line(axes, nominal - off, f"{limit_words(RATE, limits)} less", across="y", below=True)
    _pauses(axes, recording)
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=_STEPS))
    title = f"Frames a second, in windows of {window_s:.3g} s (dashed: {nominal:.4g})"
    dress(axes, title=title, xlabel="seconds of the session", ylabel="Hz", grid="y")
    figure.alt = (
        f"Frames a second over time: nominally {nominal:.4g} Hz, windows of {window_s:.3g} s from "
        f"{flat[1:].min():.4g} to {flat[1:].max():.4g} Hz, {_words(RATE, limits)}"
    )
    return figure


def _draw_lateness(axes: Axes, late: Floats, period_ms: float, limits: Limits) -> None:
    """Draw how late frames came; from half a tick on one counts as late."""
    half_ms = period_ms / 2
    top = max(1.1 * period_ms, float(late.max(initial=0.0)) * _ROOM)
    axes.hist([late[late <= half_ms], late[late > half_ms]], bins=_BINS // 2, range=(0.0, top), stacked=True,
              color=[BLUE, RED], zorder=3)  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlim(0, top)
    _counts(axes)
    limit = limit_of(LATE, limits)
    share = _PERCENT * float((late > half_ms).mean()) if len(late) else 0.0
    limit_line(axes, half_ms, "late from here" if limit is None else f"{LATE}: at most {limit:g} % beyond")
    dress(axes, title=f"How late after its tick: {share:.2g} % late", xlabel="ms", ylabel="frames", grid="y")


def _draw_intervals(axes: Axes, between: Floats, period_ms: float, limits: Limits) -> None:
    gap = limit_of(GAP, limits)
    most = max(float(between.max()), 2 * period_ms, gap or 0.0) * _ROOM
    far = most > _FAR * period_ms
    low = min(float(between.min()), period_ms) * 0.8 if far else 0.0
    edges = np.geomspace(max(low, 1e-3), most, _BINS + 1) if far else np.linspace(0.0, most, _BINS + 1)
    beyond = between > gap if gap is not None else np.zeros(len(between), bool)
    axes.hist([between[~beyond], between[beyond]], bins=edges.tolist(), stacked=True, color=[BLUE, RED], zorder=3)
    axes.set_yscale("log")
    axes.set_xscale("log" if far else "linear")
    axes.set_xlim(edges[0], most)
    _counts(axes)
    if far:
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    limit_line(axes, period_ms, f"one tick, {period_ms:.1f} ms", colour=MUTED)
    jitter = limit_of(JITTER, limits)
    if jitter is not None and 0 < jitter < _PERCENT:
        off = period_ms * jitter / _PERCENT
        axes.axvspan(period_ms - off, period_ms + off, color=SHADE, zorder=1)
        limit_line(axes, period_ms + off, f"{JITTER} {jitter:g} %", row=1)
        axes.axvline(period_ms - off, color=RED, linewidth=1.0, linestyle=(0, (5, 3)), zorder=4)
    if gap is not None:
        limit_line(axes, gap, limit_words(GAP, limits), row=2, left=True)
    said = f", {int(beyond.sum())} beyond the limit" if beyond.any() else ""
    dress(axes, title=f"Intervals between frames{said}", xlabel="ms", ylabel="how often", grid="y")


def _counts(axes: Axes) -> None:
    """Put whole counts on a logarithmic axis, with room above for words."""
    _, high = axes.get_ylim()
    axes.set_ylim(0.7, max(20.0, high * 6))
    axes.yaxis.set_major_locator(LogLocator(base=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _intervals(recording: Recording) -> Floats:
    parts = [np.diff(recording.index(s.index)["t_ns"].to_numpy(np.int64)) / _MS for s in recording.segments]
    flat = np.concatenate([np.zeros(0), *parts])
    return np.asarray(flat, np.float64)


def _lateness(recording: Recording) -> Floats:
    if not recording.rate_hz:
        return np.zeros(0)
    parts = []
    for segment in recording.segments:
        index = recording.index(segment.index)
        parts.append(lateness_ms(index["t_ns"], index["tick"], rate_hz=recording.rate_hz))
    return np.concatenate(parts) if parts else np.zeros(0)


def _pauses(axes: Axes, recording: Recording) -> None:
    for before, after in zip(recording.segments, recording.segments[1:], strict=False):
        axes.axvspan(before.end_ns / NS, after.start_ns / NS, color=SHADE, zorder=1)
        axes.axvline(after.start_ns / NS, color=RULE, linewidth=1, zorder=1)


def _words(name: str, limits: Limits) -> str:
    return "no limit" if limit_of(name, limits) is None else f"limit {limit_words(name, limits)}"
