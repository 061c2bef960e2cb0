"""How the actions of a data set are spread: where the sticks stood, and for how much of the time buttons were held.

It takes rows as a trainer has them, from any of the layouts: 20 or 25 columns with sticks, 28 keys with the motion of
the mouse beside them, or the pad's own. So it shows what a model will learn to do, after every conversion.

Example (the rows of a .pt file):
    >>> def look(values, meta):
    ...     return action_histograms(values[:, 0], meta["action_names"], title="What the trainer sees")
    >>> presses([[0.0], [1.0], [1.0], [1.0]], segment=[0, 0, 0, 1]).tolist()
    [2]
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import MaxNLocator

from rushes.errors import BadInputError
from rushes.preview.action_columns import HELD, Floats, Stick, checked, columns_of
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.style import BLUE, INK, MUTED, RULE

BINS: Final = 41
"""Cells from one end of a stick to the other; rest, half and full stand in the middle of one."""
_DENSITY: Final = LinearSegmentedColormap.from_list("density", ["#cfdfeb", BLUE, "#0c2233"])
_MOST_OUT: Final = 0.005  # of the mouse's motions, that may lie outside of the picture
_MOTION_TITLE: Final = ("MouseDX", "MouseDY")
_PER_CENT: Final = 100.0
_SQUARE_PX, _BAR_PX, _HEAD_PX = 350, 20, 44
_LETTERS: Final = 128
_LINE_PX: Final = 16
_LEAST_BARS: Final = 8
_FEW: Final = 9  # positions of a stick, up to which each is named: what two pairs of keys can give
_DOT_AREA: Final = 1500.0  # points squared, of all rows
_ROOM: Final = 1.34
_TICKS: Final = (-1, -0.5, 0, 0.5, 1)
_TICK_LABELS: Final = ("-1", "", "0", "", "+1")
_LEFT_PX: Final = 10


def presses(values: npt.ArrayLike, *, segment: npt.ArrayLike | None = None) -> npt.NDArray[np.int64]:
    """Count how often each column goes down.

    Args:
        values: (N, A), held from 0.5 on.
        segment: (N,) segment of each row: what is down in the first row of one counts as a press of its own.

    Returns:
        (A,) int64; several presses within one row are one.
    """
    held = np.asarray(values, np.float32) >= HELD
    first = np.ones(len(held), bool)
    first[1:] = False if segment is None else np.diff(np.asarray(segment)) != 0
    before = np.vstack([np.zeros((1, held.shape[1]), bool), held[:-1]])
    before[first] = False
    return np.asarray((held & ~before).sum(0), np.int64)


def action_histograms(
    values: npt.ArrayLike,
    names: Sequence[str],
    *,
    motion: npt.ArrayLike | None = None,
    segment: npt.ArrayLike | None = None,
    unit: str = "counts",
    title: str = "Actions",
) -> HouseFigure:
    """Show where sticks stood and how long buttons were held.

    Args:
        values: (N, A), a row a frame.
        names: Of the A columns, as the layout has them.
        motion: (N, 2) right and down, motion of the mouse in each row, where it stands beside the columns.
        segment: (N,) segment of each row; a press is not counted across an edge.
        unit: Of `motion`.
        title: Of the figure.

    Returns:
        A square a stick, on which the number of rows is a colour and up is up, and a bar a button.

    Raises:
        BadInputError: Shapes that do not fit, no row, or values that are no numbers.
    """
    rows = checked(values, names, dims=2)
    every = tuple(names)
    if motion is not None:
        beside = checked(motion, _MOTION_TITLE, dims=2)
        if len(beside) != len(rows):
            raise BadInputError(
                f"{len(beside)} motions for {len(rows)} rows", accepts="one motion a row", fix="pass both uncut"
            )
        rows, every = np.hstack([rows, beside]), (*every, *_MOTION_TITLE)
    columns = columns_of(every)
    down = presses(rows, segment=segment)
    share = {n: _PER_CENT * float((rows[:, columns.place(n)] >= HELD).mean()) for n in columns.buttons}
    used = sorted((n for n in columns.buttons if share[n]), key=lambda n: (-share[n], columns.place(n)))
    idle = [n for n in columns.buttons if not share[n]]
    foot = textwrap.wrap("Never held: " + ", ".join(idle), _LETTERS) if idle else []
    bars_px = 76 + _BAR_PX * max(_LEAST_BARS, len(used))
    figure = new_figure(height_px=_HEAD_PX + max(_SQUARE_PX if columns.sticks else 0, bars_px) + _LINE_PX * len(foot))
    widths = [1.0 for _ in columns.sticks] + [0.8] * bool(columns.buttons)
    grid = figure.add_gridspec(1, max(2, len(widths)), width_ratios=widths if len(widths) > 1 else [1.0, 1.0])
    squares, said = [], []
    for k, stick in enumerate(columns.sticks):
        axes = figure.add_subplot(grid[0, k])
        said.append(_square(axes, stick, rows[:, columns.place(stick.x)], rows[:, columns.place(stick.y)], unit))
        squares.append(axes)
    if columns.buttons:
        axes = figure.add_subplot(grid[0, len(columns.sticks) :])
        _bars(axes, used, [share[n] for n in used], [int(down[columns.place(n)]) for n in used])
    if squares:
        _scale(figure, squares, len(rows))
    _frame(figure, title, f"n = {len(rows):,} rows" + _of_segments(segment), foot)
    figure.alt = f"{title}: " + "; ".join([*said, *(f"{n} held {share[n]:.1f} % of the rows" for n in used[:6])])
    return figure


def _of_segments(segment: npt.ArrayLike | None) -> str:
    many = 0 if segment is None else 1 + int(np.count_nonzero(np.diff(np.asarray(segment))))
    return f" in {many:,} segments" if many > 1 else ""


def _square(axes: Axes, stick: Stick, right: Floats, vertical: Floats, unit: str) -> str:
    """Draw the density of one stick, up on the picture being up; say in words what it shows."""
    limit = stick.limit or _reach(right, vertical)
    cell = limit / ((BINS - 1) // 2)
    edges = (np.arange(BINS + 1) - BINS / 2) * cell
    positions, counts = np.unique(np.stack([right, vertical], 1), axis=0, return_counts=True)
    few = bool(stick.limit) and len(positions) <= _FEW
    if few:
        _dots(axes, positions, counts / len(right))
    else:
        density, _, _ = np.histogram2d(vertical, right, bins=(edges, edges))
        shown: Any = np.ma.masked_equal(density, 0)
        axes.pcolormesh(edges, edges, shown, cmap=_DENSITY, norm=LogNorm(1, max(2, len(right))), zorder=3)
    reach = edges[-1] * (_ROOM if few else 1)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach * stick.up, reach * stick.up)
    axes.set_aspect("equal", anchor="N")
    rest = _PER_CENT * float(((np.abs(right) < cell / 2) & (np.abs(vertical) < cell / 2)).mean())
    if stick.limit:
        full = _PER_CENT * float((np.maximum(np.abs(right), np.abs(vertical)) >= stick.limit).mean())
        words = f"rest {rest:.1f} %, full {full:.1f} % of rows"
        sides = ("left -1, right +1", "up +1, down -1" if stick.up > 0 else "up -1, down +1")
        axes.set_xticks(_TICKS, _TICK_LABELS)
        axes.set_yticks(_TICKS, _TICK_LABELS)
    else:
        out = int(((np.abs(right) > edges[-1]) | (np.abs(vertical) > edges[-1])).sum())
        words = f"rest {rest:.1f} % of rows" + (f"; {out} farther out" if out else "")
        sides = (f"{unit} a row, right +", f"{unit} a row, down +")
    dress(
        axes, title=stick.title, xlabel=f"{stick.x}: {sides[0]}\n{words}", ylabel=f"{stick.y}: {sides[1]}", grid="both"
    )
    axes.axhline(0, color=MUTED, linewidth=0.6, zorder=2)
    axes.axvline(0, color=MUTED, linewidth=0.6, zorder=2)
    return f"{stick.title.lower()} {words}"


def _dots(axes: Axes, positions: Floats, shares: npt.NDArray[np.float64]) -> None:
    """Draw the few positions that keys can give: a dot whose area is the share of the rows, with the number."""
    axes.scatter(positions[:, 0], positions[:, 1], s=_DOT_AREA * shares, color=BLUE, linewidths=0, alpha=0.85, zorder=3)
    for (x, y), share in zip(positions, shares, strict=True):
        below = 4 + float(np.sqrt(_DOT_AREA * share)) / 2
        axes.annotate(
            f"{_PER_CENT * share:.1f} %", (x, y), (0, -below), textcoords="offset points", ha="center", va="top",
            fontsize=8.5, color=INK, zorder=4,
        )  # fmt: skip


def _reach(right: Floats, vertical: Floats) -> float:
    """Give a round number that nearly all motions stay below."""
    far = float(np.quantile(np.maximum(np.abs(right), np.abs(vertical)), 1 - _MOST_OUT))
    if not far:
        return 1.0
    step = 10.0 ** np.floor(np.log10(far))
    return float(next(step * k for k in (1, 2, 3, 5, 10) if step * k >= far * (1 - 1e-6)))


def _scale(figure: HouseFigure, squares: list[Axes], rows: int) -> None:
    meshes = [c for axes in squares for c in axes.collections if isinstance(c, QuadMesh)]
    if not meshes:
        return
    bar = figure.colorbar(meshes[0], ax=squares, orientation="horizontal", shrink=0.55, aspect=36)
    bar.set_label("rows in a cell (logarithmic; white: none)", fontsize=9.5, color=MUTED)
    bar.ax.tick_params(labelsize=9, colors=MUTED, labelcolor=INK, length=0, which="both")
    bar.outline.set_visible(False)
    top = max(2, rows)
    ticks = [10**k for k in range(int(np.log10(top)) + 1)]
    bar.set_ticks(ticks, labels=[f"{t:,}" for t in ticks])
    bar.ax.minorticks_off()


def _bars(axes: Axes, names: list[str], shares: list[float], counts: list[int]) -> None:
    places = range(len(names))
    axes.barh(places, shares, color=BLUE, height=0.66, zorder=3)
    for k, count in zip(places, counts, strict=True):
        said = f"{count:,}"
        axes.text(1.01, k, said, transform=axes.get_yaxis_transform(), va="center_baseline", fontsize=9, color=MUTED)
    axes.set_ylim(max(_LEAST_BARS, len(names)) - 0.4, -0.6)
    axes.set_xlim(0, max([*shares, 1e-6]) * 1.04 if names else 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    dress(axes, title="Buttons", xlabel="held, % of rows", grid="x")
    axes.set_yticks(places, names)
    axes.text(1.01, 1.012, "presses", transform=axes.transAxes, fontsize=9, color=MUTED, va="bottom")
    axes.spines["left"].set_color(RULE)
    if not names:
        axes.text(0.5, 0.5, "no button was held", transform=axes.transAxes, ha="center", color=MUTED)


def _frame(figure: HouseFigure, title: str, note: str, foot: list[str]) -> None:
    """Write title and note above the panels, and lines below them."""
    width, height = figure.get_size_inches() * figure.dpi
    y = 1 - 24 / height
    figure.text(_LEFT_PX / width, y, title, fontsize=13, fontweight="bold", color=INK)
    figure.text(1 - _LEFT_PX / width, y, note, ha="right", fontsize=9.5, color=MUTED)
    for k, line in enumerate(reversed(foot)):
        figure.text(_LEFT_PX / width, (6 + _LINE_PX * k) / height, line, fontsize=9.5, color=MUTED)
    below = (8 + _LINE_PX * len(foot)) / height if foot else 0.0
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, below, 1, 1 - 36 / height - below), h_pad=0.06, w_pad=0.08, hspace=0.04, wspace=0.05)
