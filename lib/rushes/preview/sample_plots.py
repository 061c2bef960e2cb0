"""Plots of a table of samples: how many there are of each kind, before and after, and how long controls were held.

Example (sets of a preparation):
    >>> def look(found, balanced):
    ...     return class_balance({"found": found, "balanced": balanced}), hold_histogram(found)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.ticker import MaxNLocator

from rushes.errors import BadInputError
from rushes.model.sample_table import Samples
from rushes.model.samples import SampleKind
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, table
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE, PAPER

MOST_CONTROLS: Final = 6
"""Controls with a panel of their own; of more the most frequent are shown, and the figure says so."""
_STAGES: Final = ("#c3ccd6", BLUE, GREEN, ORANGE)
_BAR_PX, _HEAD_PX, _HOLD_PX = 14, 40, 210
_ABREAST: Final = 3
_BINS: Final = 24
_LEAST_S: Final = 0.05
_ROOM: Final = 1.07


def class_balance(stages: Mapping[str, Samples]) -> HouseFigure:
    """Show how many rows of each kind there are, stage beside stage, with their numbers.

    Args:
        stages: Name of a stage -> its samples, in order; at most four.

    Returns:
        A bar a class and stage, and below them one a kind of negative.

    Raises:
        BadInputError: No stage, more than four, or none with a row.
    """
    if not stages or len(stages) > len(_STAGES):
        raise BadInputError(f"{len(stages)} stages", accepts="one to four", fix="leave some out")
    present = [k for k in SampleKind if any((s.rows["kind"] == k).any() for s in stages.values())]
    if not present:
        raise BadInputError("stages without a row", accepts="at least one row", fix="look at what left them out")
    negatives = [kind for kind in present if kind is not SampleKind.POSITIVE]
    lanes = ["positives", "negatives", *(f"  {kind.value}" for kind in negatives)]
    counts = {
        name: [*_classes(s), *(int((s.rows["kind"] == k).sum()) for k in negatives)] for name, s in stages.items()
    }
    step = len(stages) + 0.8
    figure = new_figure(height_px=_HEAD_PX + 48 + _BAR_PX * step * len(lanes))
    axes = figure.add_subplot()
    most = max(max(values) for values in counts.values()) or 1
    for number, values in enumerate(counts.values()):
        y = np.arange(len(lanes)) * step + number
        axes.barh(y, values, height=0.86, color=_STAGES[number], zorder=2)
        for at, value in zip(y, values, strict=True):
            axes.text(value + most * 0.006, at, f"{value:,}", fontsize=8.5, color=INK, va="center")
    axes.set_yticks(np.arange(len(lanes)) * step + (len(stages) - 1) / 2, lanes)
    axes.set_ylim(len(lanes) * step - 1.2, -0.8)
    axes.set_xlim(0, most * _ROOM)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    dress(axes, xlabel="rows")
    for label in axes.get_yticklabels()[:2]:
        label.set_fontweight("bold")
    _head(figure, "Class balance", [(name, _STAGES[k]) for k, name in enumerate(stages)])
    figure.alt = "Rows: " + "; ".join(
        f"{stage}: " + ", ".join(f"{lane.strip()} {n}" for lane, n in zip(lanes, values, strict=True))
        for stage, values in counts.items()
    )
    return figure


def hold_histogram(samples: Samples) -> HouseFigure:
    """Show how long each control was held, in seconds; holds that were left open are counted beside.

    Args:
        samples: Any set; its positives that are no copies are taken.

    Returns:
        A panel a control on one scale, a line at the median.

    Raises:
        BadInputError: No positive.
    """
    rows = samples.rows
    own = rows[(rows["kind"] == SampleKind.POSITIVE) & (rows["parent"] == "")]
    if own.empty:
        raise BadInputError("holds of no positive", accepts="at least one positive", fix="look at what left them out")
    frequent = own["control"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    controls = sorted(frequent.index[:MOST_CONTROLS])
    holds = {c: own.loc[own["control"] == c, "hold_s"].to_numpy(float) for c in controls}
    known = np.concatenate([h[np.isfinite(h)] for h in holds.values()])
    longest = max(_LEAST_S, float(known.max()) if len(known) else 1.0)
    edges = np.linspace(0, longest * 1.02, _BINS + 1)
    across = min(_ABREAST, len(controls))
    down = -(-len(controls) // across)
    figure = new_figure(height_px=_HEAD_PX + down * _HOLD_PX)
    grid = figure.add_gridspec(down, across)
    most = max([1, *(int(np.histogram(h[np.isfinite(h)], edges)[0].max()) for h in holds.values())])
    said = []
    for k, control in enumerate(controls):
        axes = figure.add_subplot(grid[k // across, k % across])
        closed = holds[control][np.isfinite(holds[control])]
        left_open = int((~np.isfinite(holds[control])).sum())
        axes.hist(closed, edges.tolist(), color=BLUE, edgecolor="white", linewidth=0.6, zorder=2)
        words = f"{len(holds[control]):,} presses, {left_open:,} left open"
        if len(closed):
            middle = float(np.median(closed))
            axes.axvline(middle, ymax=0.72, color=ORANGE, linewidth=1.6, zorder=3)
            words += f"\nmedian {middle:.3f} s"
        axes.text(
            0.985, 0.965, words, transform=axes.transAxes, fontsize=8.5, color=MUTED, ha="right", va="top",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
        axes.set_xlim(0, edges[-1])
        axes.set_ylim(0, most * 1.45)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        last = k // across == down - 1 or k + across >= len(controls)
        ylabel = "presses" if k % across == 0 else ""
        dress(axes, title=control, xlabel="held, s" if last else "", ylabel=ylabel, grid="y")
        said.append(f"{control}: {words}".replace("\n", ", "))
    more = len(frequent) - len(controls)
    _head(
        figure, "How long controls were held", [("| median", ORANGE)], f"{more} more controls not shown" if more else ""
    )
    figure.alt = "How long controls were held: " + "; ".join(said)
    return figure


def splits_table(samples: Samples, *, caption: str = "Rows of each split") -> Html:
    """Show what each split holds: groups, classes, kinds, copies."""
    rows = samples.rows
    found = []
    for split in sorted(set(rows["split"]), key=lambda name: (["train", "val", "test", ""].index(name) if name in
                        ("train", "val", "test", "") else -1, name)):  # fmt: skip
        part = rows[rows["split"] == split]
        positive = int((part["label"] > 0).sum())
        groups = sorted(set(part["group"]))
        named = ", ".join(groups) if len(groups) <= _ABREAST + 1 else f"{', '.join(groups[:_ABREAST])} and more"
        copies = int((part["parent"] != "").sum())
        share = f"{100 * positive / len(part):.0f} %"
        found.append([split or "not decided", len(part), positive, len(part) - positive, share, copies, named])
    columns = ["split", "rows", "positives", "negatives", "positive", "of them augmented", "groups"]
    return table(columns, found, caption=caption)


def _classes(samples: Samples) -> list[int]:
    positive = int((samples.rows["label"] > 0).sum())
    return [positive, len(samples) - positive]


def _head(figure: HouseFigure, title: str, keys: list[tuple[str, str]], rest: str = "") -> None:
    width, height = figure.get_size_inches() * figure.dpi
    y = 1 - 22 / height
    figure.text(10 / width, y, title, fontsize=13, fontweight="bold", color=INK)
    x = width - 12
    for text, colour in reversed([*keys, *([(rest, MUTED)] if rest else [])]):
        shown = text if colour == MUTED or text.startswith("|") else f"\N{BLACK SQUARE} {text}"
        weight = "normal" if colour == MUTED else "bold"
        figure.text(x / width, y, shown, ha="right", fontsize=9.5, color=_dark(colour), fontweight=weight)
        x -= 8 * len(shown) + 16
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.set(rect=(0, 0, 1, 1 - 34 / height), h_pad=0.05, w_pad=0.06)  # type: ignore[call-arg]


def _dark(colour: str) -> str:
    return "#8794a3" if colour == _STAGES[0] else colour
