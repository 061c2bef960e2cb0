"""The timeline of the player as a figure: segments, marks, findings, and a lane for each thing that was done or heard.

Lanes come as the player's kernel sums them up for its page, in plain values (`holds`, `wave`, `line`, `ticks`), and
are drawn in the page's colours, so that a report shows what the player shows. Times are seconds since session start.

Example:
    >>> held = {"name": "Space", "kind": "holds", "spans": [[0, 500_000_000, 1]]}
    >>> timeline_plot([held], from_ns=0, to_ns=2_000_000_000).alt
    'Timeline of 2.0 s: 1 lane (Space), 0 segments, 0 marks, 0 findings'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.style import INK, MUTED, RULE, WIDTH_PX

Values = Mapping[str, Any]
Floats = npt.NDArray[np.float64]

HELD, WAVE, ACCENT, GOOD, WARN, BAD = "#e8952c", "#5b8f8a", "#1f6fb5", "#2f8a50", "#b2720f", "#c0392f"
"""Colours of the player's page in its light theme."""
SHADE: Final = "#e3e8ed"
LANE_PX: Final[Mapping[str, int]] = {"holds": 16, "wave": 36, "line": 32, "ticks": 16}
"""Height of a lane, as on the page."""
_STRIP: Final = 18
_GAP: Final = 3
_AROUND_PX: Final = 74  # title and axis
_LETTER_PX: Final = 6.4
_LETTERS: Final = 80
"""Of a title."""
_PLOT_PX: Final = WIDTH_PX - 150
_SEVERITY: Final[Mapping[str, str]] = {"error": BAD, "warning": WARN}


def timeline_plot(
    lanes: Sequence[Values],
    *,
    from_ns: int,
    to_ns: int,
    segments: Iterable[Values] = (),
    marks: Iterable[Values] = (),
    findings: Iterable[Values] = (),
    facts: Iterable[Values] = (),
    title: str = "Timeline",
    rest: str = "",
) -> HouseFigure:
    """Draw the timeline.

    Args:
        lanes: Each `name`, `kind` and what its kind holds: `spans` [start, end, how many] in ns; `low` and `high`, or
            `values`, one a column of the stretch, None where nothing is known; `t` in ns.
        from_ns: Start of the stretch, ns since session start.
        to_ns: Its end.
        segments: Each `t_start_ns`, `t_end_ns`.
        marks: Each these two, `valid` (True, False or None for a label) and `text`.
        findings: Each `t_ns` (None for one without a place), `t_end_ns`, `severity`.
        facts: Each `t_start_ns`, `t_end_ns`.
        title: Stands above; a long one is cut.
        rest: Stands below.

    Raises:
        BadInputError: No stretch.
    """
    if not from_ns < to_ns:
        raise BadInputError(f"a timeline from {from_ns} to {to_ns} ns", accepts="an end after the start", fix="swap")
    parts, noted = (list(segments), list(marks)), (list(findings), list(facts))
    heights = [LANE_PX.get(str(lane["kind"]), _STRIP) + _GAP for lane in lanes]
    top = 2 * (_STRIP + _GAP)
    figure = new_figure(height_px=top + sum(heights) + _AROUND_PX)
    axes = figure.add_subplot()
    axes.set_xlim(from_ns / NS, to_ns / NS)
    axes.set_ylim(top + sum(heights), 0)
    _draw_segments(axes, *parts, (to_ns - from_ns) / NS)
    _draw_notes(axes, *noted)
    places: list[tuple[float, str]] = [(_STRIP / 2, "segments, marks"), (_STRIP * 1.5 + _GAP, "findings, facts")]
    for lane, height in zip(lanes, heights, strict=True):
        axes.axhline(top, color=RULE, linewidth=0.6, zorder=1)
        _draw_lane(axes, lane, top, height - _GAP, (from_ns / NS, to_ns / NS))
        places.append((top + height / 2, str(lane["name"]).rpartition("/")[2]))
        top += height
    axes.set_yticks([y for y, _ in places], [name for _, name in places])
    shown = title if len(title) <= _LETTERS else f"{title[:_LETTERS]}…"
    dress(axes, title=shown, xlabel="; ".join(text for text in ("s since session start", rest) if text))
    axes.tick_params(axis="y", labelsize=8.5)
    placed = sum(one.get("t_ns") is not None for one in noted[0])
    names = f" ({', '.join(str(lane['name']) for lane in lanes)})" if lanes else ""
    counts = [_many(len(parts[0]), "segment"), _many(len(parts[1]), "mark"), _many(placed, "finding")]
    figure.alt = f"Timeline of {(to_ns - from_ns) / NS:.1f} s: {_many(len(lanes), 'lane')}{names}, {', '.join(counts)}"
    return figure


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


def _draw_segments(axes: Axes, segments: list[Values], marks: list[Values], span_s: float) -> None:
    for one in segments:
        _bar(axes, one["t_start_ns"], one["t_end_ns"], 0, _STRIP - 3, SHADE, edge="#ffffff")
    for one in marks:
        start, end = int(one["t_start_ns"]), int(one["t_end_ns"])
        colour = {True: GOOD, False: BAD}.get(one.get("valid"), ACCENT)  # type: ignore[arg-type]
        _bar(axes, start, end, 0, _STRIP - 3, colour, alpha=0.3)
        _bar(axes, start, end, _STRIP - 5, 2, colour)
        letters = int((end - start) / NS / span_s * _PLOT_PX / _LETTER_PX) - 1
        text = str(one.get("text", ""))
        shown = text if len(text) <= letters else text[: letters - 1] + "…"
        if letters > 4:  # noqa: PLR2004 - fewer say nothing
            axes.text(start / NS, 7, f" {shown}", fontsize=8, color=INK, va="center", clip_on=True, zorder=4)


def _draw_notes(axes: Axes, findings: list[Values], facts: list[Values]) -> None:
    middle = _STRIP * 1.5 + _GAP
    for one in facts:
        start, end = one["t_start_ns"], one.get("t_end_ns")
        _bar(axes, start, start if end is None else end, middle + 4, 3, ACCENT, alpha=0.35)
    for one in findings:
        if one.get("t_ns") is None:
            continue
        colour, end = _SEVERITY.get(str(one.get("severity")), ACCENT), one.get("t_end_ns")
        if end is not None:
            _bar(axes, one["t_ns"], end, middle - 3, 6, colour, alpha=0.3)
        axes.plot(one["t_ns"] / NS, middle, "v", color=colour, markersize=6, markeredgewidth=0, zorder=5)


def _bar(
    axes: Axes, start_ns: float, end_ns: float, top: float, height: float, colour: str, *,
    alpha: float = 1.0, edge: str = "none",
) -> None:  # fmt: skip
    span = [(start_ns / NS, (end_ns - start_ns) / NS)]
    axes.broken_barh(span, (top, height), facecolors=colour, edgecolors=edge, linewidth=0.8, alpha=alpha, zorder=3)


def _draw_lane(axes: Axes, lane: Values, top: float, height: float, ends: tuple[float, float]) -> None:
    kind = lane["kind"]
    if kind == "holds":
        spans = [(start / NS, (end - start) / NS) for start, end, *_ in lane["spans"]]
        # a line around them keeps what is thinner than a pixel in sight
        axes.broken_barh(spans, (top + 4, height - 8), facecolors=HELD, edgecolors=HELD, linewidth=0.7, zorder=3)
    elif kind == "ticks":
        times = np.asarray(lane["t"], np.float64) / NS
        axes.vlines(times, top + 3, top + height - 3, colors=ACCENT, linewidth=1.2, zorder=3)
    elif kind == "wave":
        low, high = _floats(lane["low"]), _floats(lane["high"])
        both = np.abs(np.concatenate([low, high]))
        largest = float(np.nanmax(both)) if np.isfinite(both).any() else 0.0
        scale = (height / 2 - 2) / max(largest, 1e-6)
        middle = top + height / 2
        at = np.linspace(*ends, len(low) + 1)
        top_y, bottom_y = middle - high * scale - 0.5, middle - low * scale + 0.5
        corners = [(at[:-1], bottom_y), (at[:-1], top_y), (at[1:], top_y), (at[1:], bottom_y)]
        boxes = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)[
            np.isfinite(high) & np.isfinite(low)
        ]
        axes.add_collection(PolyCollection(list(boxes), facecolors=WAVE, edgecolors="none", zorder=3))
    elif kind == "line":
        _draw_line(axes, _floats(lane["values"]), top, height, ends)


def _draw_line(axes: Axes, values: Floats, top: float, height: float, ends: tuple[float, float]) -> None:
    known = values[np.isfinite(values)]
    if not len(known):
        return
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    bottom, scale = top + height - 4, (height - 8) / ((high - low) or 1.0)
    edges = np.linspace(*ends, len(values) + 1)
    axes.plot((edges[:-1] + edges[1:]) / 2, bottom - (values - low) * scale, color=ACCENT, linewidth=1.1, zorder=3)
    said = f"{low:.4g} to {high:.4g}"
    axes.text(ends[1], top + height / 2, f" {said}", fontsize=7.5, color=MUTED, va="center", clip_on=False)


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)
