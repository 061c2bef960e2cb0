"""Figures that fit a report page: sharp, as wide as the text, in the house style.

They are made with matplotlib's object interface and never touch pyplot, so nothing global changes and nothing
needs a display.

Example:
    >>> figure = new_figure(height_px=300)
    >>> axes = dress(figure.add_subplot(), title="Length", xlabel="frames")
    >>> figure
    <figure, 900 x 300 px, 1 panels>
"""

from __future__ import annotations

import io
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rushes.preview.style import INK, MUTED, PAPER, RULE, WIDTH_PX

_DPI: Final = 100
_SHARP: Final = 2  # pixels a CSS pixel, for the sharp screens of today
_TEXT: Final = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.5,
}


class HouseFigure(Figure):
    """A figure that shows itself in a notebook without pyplot, sharp and as wide as the page's text.

    Attributes:
        alt: What it shows, in words, for somebody who does not see it.
    """

    alt: str = ""

    def _repr_png_(self) -> tuple[bytes, dict[str, int | str]]:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=_SHARP * _DPI, metadata={"Software": None})
        width, height = (self.get_size_inches() * _DPI).round().astype(int).tolist()
        return file.getvalue(), {"width": width, "height": height, "alt": self.alt or repr(self)}

    def __repr__(self) -> str:
        width, height = (self.get_size_inches() * _DPI).round().astype(int).tolist()
        return f"<figure, {width} x {height} px, {len(self.axes)} panels>"


def new_figure(*, height_px: float, width_px: float = WIDTH_PX) -> HouseFigure:
    """Make an empty figure in the house style.

    Args:
        height_px: Height on the page, CSS pixels.
        width_px: Width on the page, CSS pixels.
    """
    return HouseFigure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI, facecolor=PAPER, layout="constrained")


def dress(axes: Axes, *, title: str = "", xlabel: str = "", ylabel: str = "", grid: str = "x") -> Axes:
    """Give axes the house style; call it last.

    Args:
        axes: What was drawn on.
        title: Stands above, at the left.
        xlabel: With its unit.
        ylabel: With its unit.
        grid: `x`, `y`, `both` or `""`.
    """
    axes.set_facecolor(PAPER)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("bottom", "left"))
        spine.set_color(RULE)
    axes.tick_params(colors=MUTED, labelcolor=INK, length=0)
    if grid:
        axes.grid(visible=True, axis=grid, color=RULE, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    size: dict[str, Any] = _TEXT
    axes.set_title(title, loc="left", fontsize=size["axes.titlesize"], fontweight="bold", color=INK)
    axes.set_xlabel(xlabel, fontsize=size["axes.labelsize"], color=MUTED)
    axes.set_ylabel(ylabel, fontsize=size["axes.labelsize"], color=MUTED)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontfamily("DejaVu Sans")
    axes.tick_params(axis="x", labelsize=size["xtick.labelsize"])
    axes.tick_params(axis="y", labelsize=size["ytick.labelsize"])
    return axes
