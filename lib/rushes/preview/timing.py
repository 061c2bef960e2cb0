"""Plots of recorded play: when its frames were taken, and what the hands did meanwhile.

The times are those of the session, in seconds since its first segment began; stretches between segments are shaded.

Example (any recording that has pictures):
    >>> def look(recording):
    ...     return frame_timing(recording), inputs_over_time(recording)
    >>> lateness_ms([0, 35_000_000, 100_000_000], [0, 1, 3], rate_hz=30.0).round(2).tolist()
    [0.0, 1.67, 0.0]
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.grid import Grid, to_grid
from rushes.model.recording import Recording
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.style import BLUE, INK, MUTED, ORANGE, RED, RULE, SHADE

MOST_CONTROLS: Final = 14
"""Controls that are shown at the most; the figure says how many are not."""
_MS: Final = 1e6
_BINS: Final = 40
_DOT: Final = 9
_STEPS: Final = [1, 2, 5, 10]
_NARROW: Final = 0.002
"""A hold is drawn at least this part of the whole wide, so that a tap can be seen."""


def lateness_ms(t_ns: npt.ArrayLike, ticks: npt.ArrayLike, *, rate_hz: float) -> npt.NDArray[np.float64]:
    """Tell how much later than its tick each frame of a segment was taken.

    Args:
        t_ns: (N,) int64, when.
        ticks: (N,) int64, numbers of the ticks.
        rate_hz: Ticks a second.

    Returns:
        (N,) float64 ms behind the grid of ticks on which the most punctual frame stands.
    """
    times, numbers = np.asarray(t_ns, np.int64), np.asarray(ticks, np.int64)
    if not len(times):
        return np.zeros(0)
    behind = (times - times[0]) - (numbers - numbers[0]) * (NS / rate_hz)
    return np.asarray((behind - behind.min()) / _MS, np.float64)


def frame_timing(recording: Recording) -> HouseFigure:
    """Show the intervals between frames over time, and how late after their ticks frames were taken.

    Args:
        recording: With frames and a nominal rate.

    Raises:
        BadInputError: No frame, or no rate to hold the frames against.
    """
    screen = recording.info.stream("frames")
    if not recording.frame_count or screen is None or not screen.rate_hz:
        raise BadInputError(
            "the timing of a recording without frames or without a rate",
            accepts="frames that were taken at so many ticks a second",
            fix="record first",
        )
    period_ms = NS / screen.rate_hz / _MS
    figure = new_figure(height_px=300)
    grid = figure.add_gridspec(1, 2, width_ratios=(3, 2))
    over_time, histogram = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    begin_ns = recording.segments[0].start_ns
    late, most = [], 2 * period_ms
    for segment in recording.segments:
        index = recording.index(segment.index)
        t_ns = index["t_ns"].to_numpy(np.int64)
        late.append(lateness_ms(t_ns, index["tick"], rate_hz=screen.rate_hz))
        between = np.diff(t_ns) / _MS
        if not len(between):
            continue
        most = max(most, float(between.max()) * 1.08)
        dropped = index["dropped_before"].to_numpy(np.int64)[1:] > 0
        tardy = index["late"].to_numpy(bool)[1:] & ~dropped
        for mine, colour in ((~dropped & ~tardy, BLUE), (tardy, ORANGE), (dropped, RED)):
            at = (t_ns[1:][mine] - begin_ns) / NS
            over_time.scatter(at, between[mine], s=_DOT, color=colour, linewidths=0, zorder=3)
    over_time.axhline(period_ms, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)
    over_time.set_ylim(0, most)
    _pauses(over_time, recording)
    over_time.set_xlim(0, max(1e-3, (recording.segments[-1].end_ns - begin_ns) / NS))
    over_time.xaxis.set_major_locator(MaxNLocator(10, steps=_STEPS))
    title = f"Interval between frames (dashed: {period_ms:.1f} ms)"
    dress(over_time, title=title, xlabel="seconds of the session", ylabel="ms", grid="y")
    flat = np.concatenate(late)
    top = max(1.0, float(flat.max()))
    histogram.hist(flat, bins=_BINS, range=(0.0, top), color=BLUE)
    p50, p99 = (float(np.percentile(flat, q)) for q in (50, 99))
    histogram.axvline(p99, color=ORANGE, linewidth=1.4)
    room = 0.62 * top
    side, shift = ("right", -0.015) if p99 > room else ("left", 0.015)
    where = histogram.get_xaxis_transform()
    histogram.text(
        p99 + shift * top, 0.96, f"99 % below\n{p99:.2f} ms", color=ORANGE, ha=side, va="top", fontsize=9.5,
        transform=where,
    )  # fmt: skip
    histogram.set_xlim(0, top)
    dress(histogram, title="How late after its tick", xlabel="ms", ylabel="frames", grid="y")
    figure.alt = (
        f"Intervals between frames, nominally {period_ms:.1f} ms; lateness after the tick: half of the frames below "
        f"{p50:.2f} ms, 99 % below {p99:.2f} ms"
    )
    _legend(over_time, recording)
    return figure


def inputs_over_time(recording: Recording) -> HouseFigure:
    """Show which controls were down when, and how the mouse moved from frame to frame.

    Args:
        recording: With frames and events.

    Raises:
        BadInputError: No frame to place inputs between.
    """
    if not recording.frame_count:
        raise BadInputError(
            "inputs of a recording without frames", accepts="frames and events", fix="record first, or look at events"
        )
    grids = [_grid(recording, segment.index) for segment in recording.segments]
    holds: dict[str, list[tuple[int, int]]] = {}
    for grid in grids:
        for control, spans in grid.holds.items():
            if len(spans):
                holds.setdefault(control, []).extend((int(a), int(b)) for a, b in spans)
    presses = {c: sum(int(g.pressed[c].sum()) for g in grids if c in g.pressed) for c in holds}
    shown = sorted(sorted(holds), key=lambda c: -presses[c])[:MOST_CONTROLS]
    rows = max(2, len(shown))
    figure = new_figure(height_px=96 + 24 * rows + 170)
    layout = figure.add_gridspec(2, 1, height_ratios=(24 * rows + 50, 170))
    keys = figure.add_subplot(layout[0])
    begin_ns, end_ns = recording.segments[0].start_ns, recording.segments[-1].end_ns
    whole_s = max(1e-3, (end_ns - begin_ns) / NS)
    for row, control in enumerate(shown):
        bars = [((a - begin_ns) / NS, max((b - a) / NS, _NARROW * whole_s)) for a, b in holds[control]]
        keys.broken_barh(bars, (row - 0.36, 0.72), facecolors=BLUE, linewidth=0, zorder=3)
        said = f"{presses[control]:,} press" + ("es" if presses[control] != 1 else "")
        keys.text(1.008, row, said, transform=keys.get_yaxis_transform(), va="center", fontsize=9, color=MUTED)
    if not shown:
        keys.text(0.5, 0.5, "no control was pressed", transform=keys.transAxes, ha="center", color=MUTED)
    keys.set_ylim(rows - 0.4, -0.6)
    left = f" ({len(holds) - len(shown)} rarer controls not shown)" if len(holds) > len(shown) else ""
    _time_axis(keys, recording, whole_s)
    dress(keys, title=f"Controls that were down{left}", grid="x")
    keys.set_yticks(range(len(shown)), shown)
    keys.tick_params(labelbottom=False)
    mouse = figure.add_subplot(layout[1])
    _mouse(mouse, grids, begin_ns)
    _time_axis(mouse, recording, whole_s)
    stream = recording.info.stream("events")
    unit = (stream.unit if stream else "") or "counts"
    title = "Mouse from frame to frame: right and left (blue), down and up (orange)"
    dress(mouse, title=title, xlabel="seconds of the session", ylabel=unit, grid="both")
    figure.alt = "Controls that were down over time: " + (
        ", ".join(f"{control} {presses[control]} presses" for control in shown) or "none"
    )
    return figure


def _grid(recording: Recording, segment: int) -> Grid:
    one = recording.segments[segment]
    return to_grid(recording.events(segment), recording.index(segment)["t_ns"].to_numpy(np.int64), end_ns=one.end_ns)


def _mouse(axes: Axes, grids: list[Grid], begin_ns: int) -> None:
    for grid in grids:
        at = (grid.t_ns - begin_ns) / NS
        for name, colour in (("MouseDX", BLUE), ("MouseDY", ORANGE)):
            if name in grid.motion and grid.motion[name].any():
                axes.plot(at, grid.motion[name], color=colour, linewidth=1, drawstyle="steps-post", zorder=3)
    if not axes.lines:
        axes.text(0.5, 0.5, "the mouse did not move", transform=axes.transAxes, ha="center", color=MUTED)
        axes.set_yticks([])


def _time_axis(axes: Axes, recording: Recording, whole_s: float) -> None:
    axes.set_xlim(0, whole_s)
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=_STEPS))
    _pauses(axes, recording)


def _pauses(axes: Axes, recording: Recording) -> None:
    begin_ns = recording.segments[0].start_ns
    for before, after in pairwise(recording.segments):
        axes.axvspan((before.end_ns - begin_ns) / NS, (after.start_ns - begin_ns) / NS, color=SHADE, zorder=1)
        axes.axvline((after.start_ns - begin_ns) / NS, color=RULE, linewidth=1, zorder=1)


def _legend(axes: Axes, recording: Recording) -> None:
    index = recording.index()
    words = []
    if index["late"].any():
        words.append(("orange: late", ORANGE))
    if (index["dropped_before"] > 0).any():
        words.append(("red: frames were dropped before it", RED))
    for k, (word, colour) in enumerate(words):
        axes.text(
            0.99, 0.95 - 0.08 * k, word, transform=axes.transAxes, ha="right", va="top", fontsize=9.5, color=colour
        )
