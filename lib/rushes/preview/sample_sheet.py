"""Laying out pictures of samples: lines of cells, each a picture with what is said about it beneath.

The grid of kinds, the strips of augmentations and the pairs of neighbours are all laid out by it, so that they look
alike. A cell keeps its words within its own width; what is too long is broken into lines, and cut after the last one.

Example:
    >>> grey = np.full((227, 227, 3), 128, np.uint8)
    >>> row = Row("uniform", ("2 rows",), (Cell(grey, (Line("KeyW"),)), Cell(grey, (Line("KeyA"),), arrow=(1.0, 0.0))))
    >>> paint("Kinds", "one line each", [row]).shape[2]
    3
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rushes.errors import BadInputError
from rushes.preview.html import Shown, picture
from rushes.preview.style import INK, MUTED, ORANGE, PAPER, RULE, font
from rushes.store.atomic import new_file
from rushes.store.images import encode_rgb

Pixels = npt.NDArray[np.uint8]

COLUMNS: Final = 6
"""Cells that fit on a page beside the title of their row."""
PAGE_PX: Final = 1250
"""Widest a sheet gets, unless a row has more cells; a report shows it 980 px wide."""
_SHOWN_PX: Final = 980
_SMALLEST_PX, _LARGEST_PX = 168, 227  # longer side of a picture
_MARGIN, _GAP, _LABEL, _HEAD, _FRAME = 8, 12, 160, 50, 3
_LEAST_PX: Final = 620
_TEXT_PX, _LINE_PX, _TITLE_PX = 14, 19, 18
_MOST_LINES: Final = 6
_ARROW_PX: Final = 36  # side of the square that an arrow stands in
_HALF: Final = 2
_HEAD_SHARE, _HEAD_WIDE, _THICK = 0.4, 0.5, 3
_LEAST_LENGTH: Final = 0.5
_DIMS: Final = 3


@dataclass(frozen=True)
class Line:
    """Words under a picture.

    Attributes:
        text: What is said; broken into lines where it is long.
        colour: Of the words.
        bold: Whether they are bold.
    """

    text: str
    colour: str = INK
    bold: bool = False


@dataclass(frozen=True)
class Cell:
    """A picture with what is said about it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        lines: What stands beneath, from the top.
        arrow: (right, down) from -1 to 1, drawn at the right beneath the picture; None for none.
        frame: Colour of a frame around the picture, `""` for none.
    """

    pixels: Pixels
    lines: tuple[Line, ...] = ()
    arrow: tuple[float, float] | None = None
    frame: str = ""


@dataclass(frozen=True)
class Row:
    """A line of cells.

    Attributes:
        title: Stands at the left.
        notes: Stand below the title.
        cells: From the left; an empty row shows its notes alone.
        together: So many cells belong together and stand closer to each other; 0 where each stands by itself.
    """

    title: str
    notes: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    together: int = 0


def paint(head: str, rest: str, rows: Sequence[Row], path: str | Path | None = None) -> Pixels:
    """Lay rows out.

    Args:
        head: Title of the sheet.
        rest: What stands beside it.
        rows: At least one.
        path: Where to write it as a PNG file, new; None for nowhere.

    Returns:
        (H, W, 3) uint8 RGB, as wide as its widest row, about `PAGE_PX` at the most.

    Raises:
        BadInputError: No row, or something that is no picture.
        OccupiedError: `path` exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    if not rows:
        raise BadInputError("a sheet without rows", accepts="at least one row", fix="check that there are samples")
    most = max(1, *(len(row.cells) for row in rows))
    room = PAGE_PX - 2 * _MARGIN - _LABEL + _GAP
    side = max(_SMALLEST_PX, min(_LARGEST_PX, room // most - _GAP))
    needed = 2 * _MARGIN + _LABEL + most * (side + _GAP) - _GAP
    width = max(_LEAST_PX, needed)
    beside = _broken(rest, width - 2 * _MARGIN, bold=False)
    top = _HEAD + _LINE_PX * len(beside)
    heights = [_height(row, side) for row in rows]
    image = Image.new("RGB", (width, top + sum(h + 2 * _GAP for h in heights)), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, 30), head, INK, font(20, bold=True), anchor="ls")
    for k, text in enumerate(beside):
        draw.text((_MARGIN, 40 + k * _LINE_PX), text, MUTED, font(_TEXT_PX))
    y = top
    for row, height in zip(rows, heights, strict=True):
        draw.line((_MARGIN, y, width - _MARGIN, y), fill=RULE)
        _title(draw, row, y + _GAP)
        for k, cell in enumerate(row.cells):
            near = _GAP // 2 * (k % row.together) if row.together else 0
            _cell(image, draw, cell, (_MARGIN + _LABEL + k * (side + _GAP) - near, y + _GAP), side)
        y += height + 2 * _GAP
    sheet = np.asarray(image, np.uint8)
    if path is not None:
        with new_file(Path(path)) as partial:
            partial.write_bytes(encode_rgb(sheet))
    return sheet


def shown(sheet: Pixels, *, alt: str) -> Shown:
    """Show a sheet in a notebook, its words as large as those of any other.

    Args:
        sheet: As `paint` gives it.
        alt: What it shows, for somebody who does not see it.
    """
    return picture(sheet, width_px=round(sheet.shape[1] * _SHOWN_PX / PAGE_PX), alt=alt)


def fitted(pixels: Pixels, side: int) -> Pixels:
    """Bring a picture to the size of a cell.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        side: Its longer side, px.

    Raises:
        BadInputError: Something that is no picture.
    """
    import cv2

    if pixels.ndim != _DIMS or pixels.shape[2] != _DIMS or not pixels.size or pixels.dtype != np.uint8:
        raise BadInputError(
            f"a picture of the shape {pixels.shape} and type {pixels.dtype}",
            accepts="(H, W, 3) uint8 RGB",
            fix="take one picture of a window",
        )
    scale = side / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)


def _height(row: Row, side: int) -> int:
    title = (_LINE_PX + 3) * len(_broken(row.title, _LABEL - _GAP, bold=True, size_px=_TITLE_PX)) + 8
    notes = sum(_LINE_PX * len(_broken(text, _LABEL - _GAP, bold=False)) for text in row.notes)
    return max([title + notes, *(_cell_height(cell, side) for cell in row.cells)])


def _cell_height(cell: Cell, side: int) -> int:
    text = _LINE_PX * sum(len(lines) for _, lines in _lines(cell, side))
    height, width = (int(n) for n in cell.pixels.shape[:2])
    high = round(side * height / max(height, width))
    return high + 8 + max(text, _ARROW_PX if cell.arrow else 0)


def _lines(cell: Cell, side: int) -> list[tuple[Line, list[str]]]:
    found, used = [], 0
    for line in cell.lines:
        room = side - (_ARROW_PX + 4 if cell.arrow and used < _HALF else 0)
        words = _broken(line.text, room, bold=line.bold)
        used += len(words)
        found.append((line, words))
    return found


def _title(draw: ImageDraw.ImageDraw, row: Row, y: int) -> None:
    for text in _broken(row.title, _LABEL - _GAP, bold=True, size_px=_TITLE_PX):
        draw.text((_MARGIN, y), text, INK, font(_TITLE_PX, bold=True))
        y += _LINE_PX + 3
    for text in (part for note in row.notes for part in _broken(note, _LABEL - _GAP, bold=False)):
        draw.text((_MARGIN, y + 5), text, MUTED, font(_TEXT_PX))
        y += _LINE_PX


def _cell(image: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, at: tuple[int, int], side: int) -> None:
    x, y = at
    pixels = fitted(cell.pixels, side)
    height, width = pixels.shape[:2]
    image.paste(Image.fromarray(pixels), (x, y))
    if cell.frame:
        box = (x - _FRAME, y - _FRAME, x + width + _FRAME - 1, y + height + _FRAME - 1)
        draw.rectangle(box, outline=cell.frame, width=_FRAME)
    if cell.arrow is not None:
        _arrow(draw, x + side - _ARROW_PX, y + height + 6, cell.arrow)
    below = y + height + 6
    for line, words in _lines(cell, side):
        for text in words:
            draw.text((x, below), text, line.colour, font(_TEXT_PX, bold=line.bold))
            below += _LINE_PX


def _arrow(draw: ImageDraw.ImageDraw, x: int, y: int, way: tuple[float, float]) -> None:
    """Draw where something moves: an arrow through the middle of a circle, a dot at rest."""
    reach = _ARROW_PX / 2 - 2
    middle = (x + _ARROW_PX / 2, y + _ARROW_PX / 2)
    draw.ellipse((x, y, x + _ARROW_PX - 1, y + _ARROW_PX - 1), outline=RULE)
    length = math.hypot(*way)
    if not length:
        draw.ellipse((middle[0] - 2, middle[1] - 2, middle[0] + 2, middle[1] + 2), fill=MUTED)
        return
    half = reach * min(1.0, max(_LEAST_LENGTH, length))
    right, down = way[0] / length, way[1] / length
    tip = (middle[0] + right * half, middle[1] + down * half)
    tail = (middle[0] - right * half, middle[1] - down * half)
    size = max(8.0, 2 * half * _HEAD_SHARE)
    base = (tip[0] - right * size, tip[1] - down * size)
    draw.line((*tail, *base), fill=ORANGE, width=_THICK)
    wide = size * _HEAD_WIDE
    side = ((base[0] - down * wide, base[1] + right * wide), (base[0] + down * wide, base[1] - right * wide))
    draw.polygon((tip, *side), fill=ORANGE)


def _broken(text: str, room_px: float, *, bold: bool, size_px: int = _TEXT_PX) -> list[str]:
    """Break a text into lines of a width; a word that is longer than a line is broken within."""
    face = font(size_px, bold=bold)
    lines: list[str] = []
    for word in text.split():
        part = word
        if lines and face.getlength(f"{lines[-1]} {part}") <= room_px:
            lines[-1] = f"{lines[-1]} {part}"
            continue
        while face.getlength(part) > room_px:
            cut = next(k for k in range(len(part) - 1, 0, -1) if k == 1 or face.getlength(part[:k]) <= room_px)
            lines.append(part[:cut])
            part = part[cut:]
        lines.append(part)
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = [lines[_MOST_LINES - 1].rstrip(",;") + " …"]
    return lines
