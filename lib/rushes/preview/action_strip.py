"""Training samples to look at: a picture as the trainer gets it, and beside it the actions that follow it.

Each sample is a line: the picture at the left, and at its right a roll of its T rows, the first of which begins when
the picture was taken. A bar is a button that is held, an arrow is where a stick stands (up is up; the longest arrow of
all lines fills its lane, and the lane says how far that is). Whether picture and actions belong together is seen at a
glance: in a good sample what the picture asks for is what the hand does next.

A window of a training file lies within one segment, so no line crosses an edge.

Example (a .pt file, as a trainer loads it):
    >>> def look(data):
    ...     chosen = [0, 40, 80]
    ...     return action_strip(data["obs"][chosen], data["actions"][chosen], data["meta"]["action_names"], rate_hz=30)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from rushes.errors import BadInputError
from rushes.preview.action_columns import HELD, Columns, Floats, Stick, checked, columns_of
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.style import BLUE, INK, MUTED, ORANGE, RULE, SERIES, SHADE

Pixels = npt.NDArray[np.uint8]

MOST_BUTTONS: Final = 10
"""Buttons a line at the most; the line says how many others were held."""
_LEAST_PX, _LANE_PX, _STICK_PX, _UNDER_PX, _HEAD_PX, _FOOT_PX = 190, 15, 30, 26, 44, 22
_STICK: Final = _STICK_PX / _LANE_PX
"""Height of a stick's lane in lanes of a button."""
_PICTURE: Final = 0.24  # of the width
_REST: Final = 0.03  # below this a stick stands at rest
_ARROW: Final = 0.86
_BYTE: Final = 255
_RGB: Final = 3
_COLOURS: Final = {"Left stick": SERIES[2], "Right stick": ORANGE, "Mouse": ORANGE}


@dataclass(frozen=True)
class _Sample:
    pixels: Pixels
    rows: Floats
    caption: str
    buttons: tuple[str, ...]
    left_out: int


def action_strip(
    pictures: npt.ArrayLike,
    actions: npt.ArrayLike,
    names: Sequence[str],
    *,
    captions: Sequence[str] = (),
    rate_hz: float = 0.0,
    title: str = "Samples",
) -> HouseFigure:
    """Show samples, a line each: a picture and the rows of actions from it on.

    Args:
        pictures: (K, 3, H, W) float from 0 to 1 or uint8, or (K, H, W, 3) uint8 RGB: as the trainer gets them.
        actions: (K, T, A), row 0 begins with the picture.
        names: Of the A columns, as the layout has them.
        captions: What stands under each picture, such as its number and time.
        rate_hz: Rows a second, for the length of a row; 0 where it is not known.
        title: Of the figure.

    Returns:
        A figure of K lines.

    Raises:
        BadInputError: Shapes that do not fit, no sample, or values that are no numbers.
    """
    rows, shown = checked(actions, names, dims=3), _pictures(pictures)
    if len(shown) != len(rows) or (captions and len(captions) != len(rows)):
        raise BadInputError(
            f"{len(shown)} pictures and {len(captions)} captions for {len(rows)} samples",
            accepts="a picture a sample, and a caption for each or for none",
            fix="choose pictures, actions and captions by the same numbers",
        )
    columns = columns_of(names)
    reach = {stick: _farthest(rows, columns, stick) for stick in columns.sticks}
    said = list(captions) or [f"sample {k}" for k in range(len(rows))]
    samples = [_sample(*one, columns) for one in zip(shown, rows, said, strict=True)]
    lanes = [max(2, len(s.buttons)) + len(columns.sticks) * _STICK for s in samples]
    height = max(_LEAST_PX, max(lanes) * _LANE_PX + 16)
    figure = new_figure(height_px=_HEAD_PX + len(samples) * (height + _UNDER_PX) + _FOOT_PX)
    grid = figure.add_gridspec(len(samples), 2, width_ratios=(_PICTURE, 1 - _PICTURE))
    for k, sample in enumerate(samples):
        _picture(figure.add_subplot(grid[k, 0]), sample)
        axes = figure.add_subplot(grid[k, 1])
        _roll(axes, sample, columns, reach, most=max(lanes))
        last = k == len(samples) - 1
        length = f" of {1000 / rate_hz:.3g} ms" if rate_hz else ""
        dress(axes, xlabel=f"rows{length} after the picture" if last else "", grid="")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", labelsize=8.5)
    _head(figure, title, columns, rows.shape[1])
    figure.alt = f"{title}: " + "; ".join(
        f"{s.caption}: {', '.join(s.buttons) or 'no button'} within {rows.shape[1]} rows" for s in samples
    )
    return figure


def _pictures(given: npt.ArrayLike) -> Pixels:
    """Bring pictures to (K, H, W, 3) uint8."""
    found = np.asarray(given)
    if found.ndim == _RGB + 1 and found.shape[-1] != _RGB and found.shape[1] == _RGB:
        found = np.moveaxis(found, 1, -1)
    if found.ndim != _RGB + 1 or found.shape[-1] != _RGB or not found.size:
        raise BadInputError(
            f"pictures of the shape {np.shape(given)}",
            accepts="(K, 3, H, W) float from 0 to 1 or uint8, or (K, H, W, 3) uint8",
            fix="pass obs as it was loaded",
        )
    if found.dtype != np.uint8:
        found = np.rint(np.clip(found, 0, 1) * _BYTE)
    return np.asarray(found, np.uint8)


def _sample(pixels: Pixels, rows: Floats, caption: str, columns: Columns) -> _Sample:
    held = {name: int((rows[:, columns.place(name)] >= HELD).sum()) for name in columns.buttons}
    used = [name for name in columns.buttons if held[name]]
    kept = set(sorted(used, key=lambda name: -held[name])[:MOST_BUTTONS])
    return _Sample(pixels, rows, caption, tuple(name for name in used if name in kept), len(used) - len(kept))


def _farthest(rows: Floats, columns: Columns, stick: Stick) -> float:
    both = rows[..., [columns.place(stick.x), columns.place(stick.y)]]
    return float(np.abs(both).max()) or stick.limit or 1.0


def _picture(axes: Axes, sample: _Sample) -> None:
    axes.imshow(sample.pixels, interpolation="nearest")
    axes.set_anchor("NW")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel(sample.caption, fontsize=9.5, color=INK, loc="left", labelpad=4)


def _roll(axes: Axes, sample: _Sample, columns: Columns, reach: dict[Stick, float], *, most: float) -> None:
    """Draw the lanes of one sample from above: sticks, then buttons."""
    count = len(sample.rows)
    places, labels, y = [], [], 0.0
    for stick in columns.sticks:
        _arrows(axes, sample.rows, columns, stick, y + _STICK / 2, reach[stick])
        places.append(y + _STICK / 2)
        labels.append(stick.title.lower() + ("" if reach[stick] == stick.limit else f"\nto {reach[stick]:.2g}"))
        y += _STICK
    for name in sample.buttons:
        spans = _spans(sample.rows[:, columns.place(name)] >= HELD)
        axes.broken_barh(spans, (y + 0.14, 0.72), facecolors=BLUE, linewidth=0, zorder=3)
        places.append(y + 0.5)
        labels.append(name)
        y += 1
    if not sample.buttons:
        axes.text(0.15, y + 0.9, "no button is held", fontsize=8.5, color=MUTED, va="center")
    if sample.left_out:
        said = f"{sample.left_out} more button" + ("s" if sample.left_out > 1 else "")
        axes.text(count, -0.05, said, fontsize=8.5, color=MUTED, ha="right", va="bottom")
    for k in range(0, count, 2):
        axes.axvspan(k, k + 1, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=1.6, zorder=4)
    axes.set_xlim(0, count)
    axes.set_ylim(max(most, (_LEAST_PX - 16) / _LANE_PX), 0)
    axes.set_yticks(places, labels)
    step = max(1, round(count / 8))
    axes.set_xticks([k + 0.5 for k in range(0, count, step)], [str(k) for k in range(0, count, step)])


def _arrows(axes: Axes, rows: Floats, columns: Columns, stick: Stick, y: float, reach: float) -> None:
    """Draw where a stick stands in each row: an arrow from the middle of the row, a small dot at rest."""
    right = rows[:, columns.place(stick.x)] / reach
    up = rows[:, columns.place(stick.y)] * stick.up / reach
    at = np.arange(len(rows)) + 0.5
    moved = np.hypot(right, up) >= _REST
    colour = _COLOURS[stick.title]
    axes.plot(at[~moved], np.full((~moved).sum(), y), ".", color=RULE, markersize=4, zorder=2)
    inches: Any = _STICK_PX / 2 * _ARROW / 100
    axes.quiver(
        at[moved], np.full(moved.sum(), y), right[moved], up[moved], angles="uv", scale_units="inches",
        scale=1 / inches, units="inches", width=0.018, headwidth=3.4, headlength=3.6, headaxislength=3.2,
        minlength=0.5, color=colour, zorder=3,
    )  # fmt: skip


def _spans(held: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    spans, at = [], 0
    for down, group in groupby(held.tolist()):
        length = len(list(group))
        if down:
            spans.append((float(at), float(length)))
        at += length
    return spans


def _head(figure: HouseFigure, title: str, columns: Columns, length: int) -> None:
    width, height = figure.get_size_inches() * figure.dpi
    y = 1 - 24 / height
    figure.text(10 / width, y, title, fontsize=13, fontweight="bold", color=INK)
    parts = [f"{length} rows a sample", "bars: buttons that are held"]
    parts += ["arrows: sticks, up is up; a dot at rest"] if columns.sticks else []
    figure.text(1 - 10 / width, y, "; ".join(parts), ha="right", fontsize=9.5, color=MUTED)
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, 0, 1, 1 - 36 / height), h_pad=0.05, w_pad=0.08, hspace=0.02, wspace=0.03)
