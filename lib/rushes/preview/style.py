"""The house style of everything that is looked at: one palette, one typeface.

The typeface is DejaVu Sans, which comes with matplotlib, so that pictures are the same on every machine.

Example:
    >>> font(14).getlength("WW") > font(14).getlength("ii")
    True
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

INK: Final = "#1c2733"
MUTED: Final = "#5f6c7b"
RULE: Final = "#dde3e9"
PAPER: Final = "#ffffff"
SHADE: Final = "#f4f6f8"
BLUE: Final = "#2f6690"
ORANGE: Final = "#d9822b"
GREEN: Final = "#3b7d4f"
RED: Final = "#b3404a"
SERIES: Final = (BLUE, ORANGE, GREEN, RED, "#7a5ba6", "#3a9a9c", "#8c6d46", "#5f6c7b")
"""Colours of series in the order in which they are used."""

WIDTH_PX: Final = 900
"""Width of a report page's text column; figures are made for it."""


@cache
def font(size_px: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Give the typeface for drawing on pictures.

    Args:
        size_px: Height of the letters' box in pixels.
        bold: The bold cut.
    """
    import matplotlib as mpl

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size_px)
