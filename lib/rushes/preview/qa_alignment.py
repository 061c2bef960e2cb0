"""Plots of a measured alignment: how well each shift explains the pictures, and whether the offset stays.

The curve says how sure a measurement is at a glance: one narrow peak inside the band is an answer, a flat line or
several peaks are none. The second figure puts each segment's offset with its 90 % interval over time, with the line
that the drift of the whole makes through them.

Example:
    >>> from rushes.qa.alignment.measured import Measured, Offset
    >>> offset = Offset("input_picture", ms=52.0, low_ms=48.0, high_ms=57.0)
    >>> alignment_curve(offset, Limits()).alt[:46]
    'Inputs against pictures: +52.0 ms (90 % within'
    >>> drift_plot(Measured(Offset("input_picture", reason="nothing moves")), Limits())
    The drift cannot be told: nothing moves.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.ticker import MaxNLocator

from rushes.model.clock import NS
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, note
from rushes.preview.qa_limits import from_zero, limit_line, limit_of, limit_words, words_beside
from rushes.preview.style import BLUE, GREEN, ORANGE, RULE
from rushes.qa.alignment.measured import Curve, Floats, Measured, Offset
from rushes.qa.rules import Limits

OFFSET: Final = "alignment.offset"
DRIFT: Final = "alignment.drift"
_WIDEST_MS: Final = 420.0
_SAYS: Final = {
    "input_picture": "Inputs against pictures",
    "sound_picture": "Sound against pictures",
    "input_sound": "Inputs against sound",
}
_PPM: Final = 1e-6
_POINTS: Final = 61
_STEPS: Final = [1, 2, 5, 10]
_AROUND: Final = 2.2
_FEW: Final = 40
"""So few lags, as the steps of an environment, are dots on the line."""
_FAR: Final = 0.8
"""Words stand to the right of a line unless it is this far to the right itself."""


def alignment_curve(
    offset: Offset,
    limits: Limits,
    *,
    planted_ms: float | None = None,
    at_ms: float | None = None,
    name: str = OFFSET,
) -> HouseFigure | Html:
    """Show how well each shift explains what was seen, the offset with its interval, and the limit.

    Args:
        offset: What was measured.
        limits: What it is held against.
        planted_ms: What is true, where somebody planted it.
        at_ms: Another place to mark, as of a slider.
        name: The rule whose limit is drawn.
    """
    says = _SAYS[offset.between]
    if offset.curve is None and not offset.known:
        return note(f"{says}: cannot tell, {offset.reason}.")
    if offset.curve is None and not offset.half_width_ms and at_ms is None:
        rests = f", known from {offset.rests_on}" if offset.rests_on else ""
        return note(f"{says}: exactly {offset.ms:+.1f} ms{rests}; limit {limit_words(name, limits)}.")
    figure = new_figure(height_px=310)
    axes = figure.add_subplot()
    limit = limit_of(name, limits)
    low, high = _reach(offset, limit, planted_ms if at_ms is None else at_ms)
    far = low + _FAR * (high - low)
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.32)
    if offset.low_ms is not None and offset.high_ms is not None:
        axes.axvspan(offset.low_ms, offset.high_ms, color=BLUE, alpha=0.18, linewidth=0, zorder=1)
    if offset.curve is not None:
        score = np.asarray(offset.curve.score, np.float64)
        lag_ms = _lags(offset.curve, offset)
        inside = (lag_ms >= low) & (lag_ms <= high)
        bottom = float(np.nanmin(score[inside])) if inside.any() else 0.0
        axes.set_ylim(min(0.0, bottom) - 0.03, 1.32)
        few = "o" if len(score) <= _FEW else ""
        axes.plot(lag_ms, score, color=BLUE, linewidth=1.8, marker=few, markersize=4, zorder=3)
    axes.axvline(0.0, color=RULE, linewidth=1.2, zorder=2)
    if limit is not None:
        limit_line(axes, limit, limit_words(name, limits), row=2, left=_crowds(limit, offset.ms, high - low))
        limit_line(axes, -limit, f"-{limit:g}", row=2)
    if offset.ms is not None:
        axes.axvline(offset.ms, color=BLUE, linewidth=1.4, zorder=4)
        words_beside(axes, offset.ms, f"measured {offset.ms:+.1f} ms", colour=BLUE, left=offset.ms > far, bold=True)
    if planted_ms is not None:
        axes.axvline(planted_ms, color=GREEN, linewidth=1.4, linestyle=(0, (2, 2)), zorder=5)
        words_beside(
            axes, planted_ms, f"planted {planted_ms:+.1f} ms", colour=GREEN, row=1, left=planted_ms > far, bold=True
        )
    if at_ms is not None:
        axes.axvline(at_ms, color=ORANGE, linewidth=1.6, zorder=5)
        words_beside(axes, at_ms, f"{at_ms:+.0f} ms", colour=ORANGE, row=1, left=at_ms > far, bold=True)
    title = f"{says}: {offset}" if offset.known else f"{says}: cannot tell, {offset.reason}"
    label = "offset, ms: how much later than its stamp an input takes effect"
    dress(axes, title=title, xlabel=label, ylabel="explains (best is 1)", grid="y")
    axes.set_yticks([0, 0.5, 1])
    axes.xaxis.set_major_locator(MaxNLocator(12, steps=_STEPS))
    figure.alt = f"{title}; {limit_words(name, limits)}" + (
        "" if planted_ms is None else f"; planted {planted_ms:+.1f} ms"
    )
    return figure


def drift_plot(measured: Measured, limits: Limits, *, planted_ms: float | None = None) -> HouseFigure | Html:
    """Show the offset of each segment with its interval over time, and the line that the whole makes.

    Args:
        measured: What was measured.
        limits: What it is held against.
        planted_ms: What is true, where somebody planted it.
    """
    whole = measured.offset
    if whole.ms is None:
        return note(f"The drift cannot be told: {whole.reason}.")
    parts = [part for part in measured.segments if part.known] or [whole]
    figure = new_figure(height_px=270)
    axes = figure.add_subplot()
    start_s = min(part.start_ns for part in (whole, *parts)) / NS
    end_s = max(max(part.end_ns, part.at_ns) for part in (whole, *parts)) / NS
    end_s = max(end_s, start_s + 1e-3)
    at = np.linspace(start_s, end_s, _POINTS)
    line, low_line, high_line = _lines(whole, at)
    axes.plot(at, line, color=BLUE, linewidth=1.6, zorder=3)
    axes.fill_between(at, low_line, high_line, color=BLUE, alpha=0.15, linewidth=0)
    seen = [whole.ms, *line.tolist(), float(low_line.min()), float(high_line.max())]
    for part in parts:
        ms = whole.ms if part.ms is None else part.ms
        below = 0.0 if part.low_ms is None else max(0.0, ms - part.low_ms)
        above = 0.0 if part.high_ms is None else max(0.0, part.high_ms - ms)
        seen += [ms - below, ms + above]
        axes.hlines(ms, part.start_ns / NS, part.end_ns / NS, color=ORANGE, linewidth=1, alpha=0.7, zorder=3)
        bar = [[below], [above]]
        axes.errorbar([part.at_ns / NS], [ms], bar, fmt="o", color=ORANGE, capsize=3, markersize=5, zorder=4)
    if planted_ms is not None:
        axes.axhline(planted_ms, color=GREEN, linewidth=1.2, linestyle=(0, (2, 2)), zorder=4)
        axes.annotate(
            f"planted {planted_ms:+.1f} ms", (0, planted_ms), xycoords=axes.get_yaxis_transform(), xytext=(4, 3),
            textcoords="offset points", fontsize=9, color=GREEN, va="bottom",
        )  # fmt: skip
        seen.append(planted_ms)
    limit = limit_of(OFFSET, limits)
    low, high = min(seen), max(seen)
    if limit is not None:
        near = min((limit, -limit), key=lambda one: abs(one - seen[0]))
        low, high = min(low, near), max(high, near)
    room = max(5.0, 0.14 * (high - low))
    low, high = low - room, high + room
    for one in (limit, -limit) if limit is not None else ():
        if low <= one <= high:
            limit_line(axes, one, limit_words(OFFSET, limits), across="y")
    axes.set_ylim(low, high)
    axes.set_xlim(from_zero(start_s, end_s - start_s), end_s)
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=_STEPS))
    along = "seconds of the session (orange: each segment with its 90 % interval; blue: the whole)"
    dress(axes, title=_drift_words(whole, limits), xlabel=along, ylabel="offset, ms", grid="y")
    figure.alt = f"Offset over time: {len(parts)} segments; {_drift_words(whole, limits)}"
    return figure


def _lines(offset: Offset, at: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the offset over time with both ends of its interval, which widens where the drift is not known well."""
    ms, later_ms = offset.ms or 0.0, (at - offset.at_ns / NS) * 1000.0 * _PPM
    ppm = offset.drift_ppm or 0.0
    line = ms + ppm * later_ms
    ends = []
    for end, drift_end in ((offset.low_ms, offset.drift_low_ppm), (offset.high_ms, offset.drift_high_ppm)):
        own = abs(ms - (ms if end is None else end))
        ends.append(np.hypot(own, later_ms * (0.0 if drift_end is None else drift_end - ppm)))
    return line, line - ends[0], line + ends[1]


def _drift_words(offset: Offset, limits: Limits) -> str:
    if offset.drift_ppm is None:
        return "Offset over time; the drift cannot be told"
    said = f"Offset over time: drift {offset.drift_ppm:+.1f} ppm"
    if offset.drift_low_ppm is not None and offset.drift_high_ppm is not None:
        said += f" (90 % within {offset.drift_low_ppm:+.1f} to {offset.drift_high_ppm:+.1f})"
    limit = limit_of(DRIFT, limits)
    return said if limit is None else f"{said}, limit {limit:g} ppm"


def _reach(offset: Offset, limit: float | None, planted_ms: float | None) -> tuple[float, float]:
    """Choose the stretch of lags that is shown: all that matters, and no more than that."""
    wanted = [_AROUND * (limit or 0.0), 100.0]
    wanted += [abs(one) * 1.3 + 40 for one in (offset.low_ms, offset.high_ms, planted_ms) if one is not None]
    most = min(max(wanted), _WIDEST_MS)
    if offset.curve is None:
        return -most, most
    lag_ms = _lags(offset.curve, offset)
    return max(-most, float(lag_ms[0])), min(most, float(lag_ms[-1]))


def _lags(curve: Curve, offset: Offset) -> Floats:
    """Give the shifts of a curve less what the game itself takes, as the offset is."""
    return curve.lag_ms - offset.game_latency_ms


def _crowds(limit: float, ms: float | None, width: float) -> bool:
    """Whether words to the right of the limit would run into the measured line."""
    return ms is not None and 0 < ms - limit < 0.3 * width
