"""What the game told of itself, as figures: battery, health, damage, speed and acceleration over time, the path.

Zones lie as bands behind the lines, what happened stands as marks. A stretch between two segments is left open.

Example (any recording whose game tells something):
    >>> def look(recording):
    ...     return telemetry_plot(recording), path_plot(recording)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, note
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE, RED, RULE, SERIES, SHADE

Floats = npt.NDArray[np.float64]

ZONES: Final[Mapping[str, str]] = {"yellow": "#f6e3a1", "red": "#efb9b4"}
"""Zone -> colour of its band; a safe one has none."""
HAPPENED: Final[Mapping[str, tuple[str, str]]] = {
    "rescue": (GREEN, "*"),
    "refuel": (BLUE, "P"),
    "destroy_rubble": ("#8c6d46", "s"),
    "collision_damage": (RED, "x"),
    "damage_from_zone": (ORANGE, "v"),
    "victim_died": (INK, "X"),
}
"""Events that are marked -> colour and mark."""
_ABOVE: Final[dict[str, Any]] = {
    "loc": "lower right",
    "bbox_to_anchor": (1.0, 1.0),
    "frameon": False,
    "fontsize": 9.5,
    "borderaxespad": 0.1,
}
"""Where legends stand: on the line of the title, at the right."""
_PANEL_PX: Final = 150
_MAP_PX: Final = 600
_STEPS: Final = [1, 2, 5, 10]


def telemetry_plot(recording: Recording) -> HouseFigure | Html:
    """Show battery, health, damage, speed and acceleration over time, with zones and what happened.

    Args:
        recording: With telemetry.

    Returns:
        The figure, or a sentence where the game told none of it.
    """
    told = recording.telemetry()
    rows = _of_frames(told)
    panels = [panel for panel in _PANELS if any(line[0](rows) is not None for line in panel[2])]
    if not len(rows) or not panels:
        return note("The game told nothing of battery, health, speed or acceleration.")
    counts = _counts(told)
    strip_px = 26 * len(counts) + 34
    heights = [strip_px] * bool(counts) + [_PANEL_PX] * len(panels)
    figure = new_figure(height_px=sum(heights) + 50)
    every = list(figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])
    begin_ns = recording.segments[0].start_ns
    whole_s = max(1e-3, (recording.segments[-1].end_ns - begin_ns) / NS)
    for axes in every:
        _bands(axes, rows, begin_ns)
        _pauses(axes, recording)
        axes.set_xlim(0, whole_s)
        axes.xaxis.set_major_locator(MaxNLocator(10, steps=_STEPS))
    if counts:
        _happened(every[0], told, counts, begin_ns)
    _name_zones(every[0], rows)
    for axes, panel in zip(every[bool(counts) :], panels, strict=True):
        _draw(axes, rows, panel, begin_ns, last=axes is every[-1])
    for axes in every[:-1]:
        axes.tick_params(labelbottom=False)
    figure.alt = "Telemetry over time: " + ", ".join([panel[0] for panel in panels] + [
        f"{name} {count}" for name, count in counts.items()
    ])  # fmt: skip
    return figure


def path_plot(recording: Recording) -> HouseFigure | Html:
    """Show from above where the player went, coloured by time, with what happened where.

    Args:
        recording: With telemetry.

    Returns:
        The figure, or a sentence where the game told no position.
    """
    told = recording.telemetry()
    rows = _of_frames(told)
    x, z = _column("position_x")(rows), _column("position_z")(rows)
    if x is None or z is None or not len(rows):
        return note("The game told no position.")
    high = _MAP_PX * (float(np.nanmax(z) - np.nanmin(z)) + 8) / (float(np.nanmax(x) - np.nanmin(x)) + 8)
    figure = new_figure(height_px=min(max(high, 240), 560) + 130)
    layout = figure.add_gridspec(1, 2, width_ratios=(4, 1))
    axes, aside = figure.add_subplot(layout[0]), figure.add_subplot(layout[1])
    aside.set_axis_off()
    begin_ns = recording.segments[0].start_ns
    at = (rows["t_ns"].to_numpy(np.int64) - begin_ns) / NS
    _zones_along(axes, rows, x, z)
    lines = None
    for part in _stretches(rows):
        places = np.stack([x[part], z[part]], axis=1)
        pieces = [places[k : k + 2] for k in range(len(places) - 1)]
        lines = LineCollection(pieces, array=at[part][:-1], cmap="viridis", linewidths=2.2, zorder=3)
        lines.set_clim(0, float(at[-1]) or 1.0)
        axes.add_collection(lines)
    axes.autoscale_view()
    axes.margins(0.06)
    axes.invert_yaxis()  # north is up
    axes.set_aspect("equal", adjustable="datalim")
    for name, (colour, mark) in HAPPENED.items():
        there = told[told["event"] == name] if "event" in told else told[:0]
        if len(there):
            axes.scatter(there["position_x"], there["position_z"], s=70, color=colour, marker=mark, zorder=5,
                         label=f"{name} ({len(there)})", linewidths=1.6)  # fmt: skip
    axes.scatter(x[:1], z[:1], s=70, facecolors="white", edgecolors=INK, zorder=6, label="start", linewidths=1.6)
    axes.scatter(x[-1:], z[-1:], s=70, color=INK, zorder=6, label="end")
    handles, labels = axes.get_legend_handles_labels()
    aside.legend(handles, labels, loc="center left", frameon=False, fontsize=9.5, borderaxespad=0.0)
    if lines is not None:
        bar = figure.colorbar(lines, ax=axes, location="bottom", shrink=0.6, pad=0.03, aspect=45)
        bar.set_label("seconds of the session", color=MUTED, fontsize=10)
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=MUTED, labelcolor=INK, length=0, labelsize=9)
    gone = float(sum(np.hypot(np.diff(x[p]), np.diff(z[p])).sum() for p in _stretches(rows)))
    title, south = f"The path from above: {gone:.0f} units", "z, units to the south"
    dress(axes, title=title, xlabel="x, units to the east", ylabel=south, grid="both")
    figure.alt = f"The path from above, {gone:.0f} units long, with " + ", ".join(labels)
    return figure


def _of_frames(told: pd.DataFrame) -> pd.DataFrame:
    """Give the rows that belong to frames; all of them where none does."""
    chosen = told[told["frame_index"].notna()] if len(told) else told
    return (chosen if len(chosen) else told).reset_index(drop=True)


def _stretches(rows: pd.DataFrame) -> Iterator[npt.NDArray[np.int64]]:
    """Give the places of each segment's rows."""
    segment = rows["segment"].to_numpy(float, na_value=-1)
    for number in np.unique(segment).tolist():
        yield np.flatnonzero(segment == number)


def _column(name: str) -> Any:
    def of(rows: pd.DataFrame) -> Floats | None:
        if name not in rows:
            return None
        values = pd.to_numeric(rows[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return None if np.isnan(values).all() else values

    return of


def _length(name: str, axes: str = "xyz") -> Any:
    def of(rows: pd.DataFrame) -> Floats | None:
        parts = [_column(f"{name}_{axis}")(rows) for axis in axes]
        known = [part for part in parts if part is not None]
        return np.sqrt(np.sum(np.square(known), axis=0)) if known else None

    return of


_PANELS: Final = (
    ("Battery and health", "of 100", ((_column("battery"), BLUE, "battery"), (_column("health"), GREEN, "health"))),
    ("Damage", "0 to 1", ((_column("damage"), RED, "damage"),)),
    ("Speed over the ground", "units/s", ((_length("velocity", "xz"), SERIES[4], "speed"),)),
    ("Acceleration", "units/s\u00b2", ((_length("acceleration"), SERIES[5], "acceleration"),)),
)
"""Title, unit and lines (values, colour, name) of each panel."""


def _draw(axes: Axes, rows: pd.DataFrame, panel: tuple[str, str, Any], begin_ns: int, *, last: bool) -> None:
    """Draw the lines of a panel, each segment by itself."""
    title, unit, lines = panel
    at = (rows["t_ns"].to_numpy(np.int64) - begin_ns) / NS
    handles, highest = {}, 0.0
    for values_of, colour, name in lines:
        values = values_of(rows)
        if values is None:
            continue
        highest = max(highest, float(np.nanmax(values)))
        for part in _stretches(rows):
            (handles[name],) = axes.plot(at[part], values[part], color=colour, linewidth=1.5, zorder=3)
    if len(handles) > 1:
        axes.legend(handles.values(), handles.keys(), ncols=len(handles), **_ABOVE)
    axes.set_ylim(0, 1.12 * highest or 1.0)
    dress(axes, title=title, xlabel="seconds of the session" if last else "", ylabel=unit, grid="y")


def _bands(axes: Axes, rows: pd.DataFrame, begin_ns: int) -> None:
    """Lay zones behind the lines."""
    for zone, start, stop in _zones(rows):
        at = (rows["t_ns"].iloc[[start, stop]].to_numpy(np.int64) - begin_ns) / NS
        axes.axvspan(*at, color=ZONES[zone], linewidth=0, zorder=0)


def _zones(rows: pd.DataFrame) -> Iterator[tuple[str, int, int]]:
    """Give stretches in a zone that is not safe: its name, first and last row."""
    if "zone" not in rows:
        return
    for part in _stretches(rows):
        names = rows["zone"].to_numpy(object)[part]
        edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
        for start, stop in pairwise(edges):
            if names[start] in ZONES:
                yield str(names[start]), int(part[start]), int(part[min(stop, len(part) - 1)])


def _zones_along(axes: Axes, rows: pd.DataFrame, x: Floats, z: Floats) -> None:
    """Lay zones under the path."""
    for zone, start, stop in _zones(rows):
        axes.plot(x[start : stop + 1], z[start : stop + 1], color=ZONES[zone], linewidth=13, zorder=1,
                  solid_capstyle="round")  # fmt: skip
    for zone in dict.fromkeys(zone for zone, *_ in _zones(rows)):
        axes.plot([], [], color=ZONES[zone], linewidth=9, label=f"{zone} zone")


def _pauses(axes: Axes, recording: Recording) -> None:
    begin_ns = recording.segments[0].start_ns
    for before, after in pairwise(recording.segments):
        axes.axvspan((before.end_ns - begin_ns) / NS, (after.start_ns - begin_ns) / NS, color=SHADE, zorder=0)
        axes.axvline((after.start_ns - begin_ns) / NS, color=RULE, linewidth=1, zorder=1)


def _counts(told: pd.DataFrame) -> dict[str, int]:
    """Count what is marked."""
    counts = {name: int((told["event"] == name).sum()) for name in HAPPENED} if "event" in told else {}
    return {name: count for name, count in counts.items() if count}


def _happened(axes: Axes, told: pd.DataFrame, counts: Mapping[str, int], begin_ns: int) -> None:
    """Mark what happened, a row an event."""
    for row, name in enumerate(counts):
        colour, mark = HAPPENED[name]
        at = (told.loc[told["event"] == name, "t_ns"].to_numpy(np.int64) - begin_ns) / NS
        axes.scatter(at, np.full(len(at), row), s=46, color=colour, marker=mark, zorder=5, linewidths=1.4)
    axes.set_ylim(len(counts) - 0.4, -0.6)
    dress(axes, title="What happened", grid="")
    axes.set_yticks(range(len(counts)), [f"{name}, {count}" for name, count in counts.items()])


def _name_zones(axes: Axes, rows: pd.DataFrame) -> None:
    """Name the bands above the first panel."""
    zones = dict.fromkeys(zone for zone, *_ in _zones(rows))
    if zones:
        patches = [Patch(facecolor=ZONES[zone], label=f"{zone} zone") for zone in zones]
        axes.add_artist(axes.legend(handles=patches, ncols=len(zones), **_ABOVE))
