"""Pictures as the player shows them: under each its time, the controls with those that were down lit, and the score.

It is drawn from notes that were made elsewhere, so that a correction that is tried shows here as it does there.

Example:
    >>> import numpy as np
    >>> note = Note("Game", 0, 3, 34, 0.2, "keys", "KeyW", frozenset({"KeyW"}))
    >>> player_sheet([Tile(np.zeros((90, 160, 3), np.uint8), note, 3, 0.2, ("KeyA", "KeyW"))], title="Game").shape
    (324, 417, 3)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rushes.errors import BadInputError
from rushes.preview.notes import Note
from rushes.preview.overlay import scaled
from rushes.preview.play_sheet import mouse_words
from rushes.preview.style import INK, MUTED, PAPER, RULE, font
from rushes.store.atomic import new_file
from rushes.store.images import encode_rgb

Pixels = npt.NDArray[np.uint8]

TILE_PX: Final = 401
TALLEST_PX: Final = 320
BACK, TEXT, QUIET, OFF, ON, GOOD, LOST = "#161c24", "#eef2f6", "#93a0ae", "#2b3541", "#f2a33a", "#6cc287", "#ef7d85"
_MARGIN, _GAP, _HEAD, _STRIP = 8, 12, 52, 84
_CHIP, _LINE, _MORE = 20, 26, 16
_SAID_PX, _MOST_SAID = 17, 4


@dataclass(frozen=True)
class Tile:
    """One picture with what is said under it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        note: What was done, and what came of it.
        frame: Its number.
        at_s: Its time, s since session start.
        controls: Names of all controls that are drawn, in order.
        axes: Name -> value of sticks and triggers.
    """

    pixels: Pixels
    note: Note
    frame: int
    at_s: float
    controls: tuple[str, ...] = ()
    axes: Mapping[str, float] = field(default_factory=dict)


def player_sheet(
    tiles: Sequence[Tile], path: str | Path | None = None, *, title: str, rest: str = "", columns: int = 3
) -> Pixels:
    """Lay out pictures as the player shows them.

    Args:
        tiles: In order.
        path: Where to write it as a PNG file, new; None for nowhere.
        title: Stands above.
        rest: Stands behind it, quieter.
        columns: Pictures a line, at the most.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadInputError: No picture, or no column.
        OccupiedError: `path` exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    if not tiles or columns < 1:
        raise BadInputError(
            f"a sheet of {len(tiles)} pictures in {columns} columns", accepts="at least one of each", fix="ask for more"
        )
    pictures = [_small(tile.pixels) for tile in tiles]
    columns = min(columns, len(tiles))
    said = [_said(tile) for tile in tiles]
    strip = _STRIP + _SAID_PX * (max(1, *(len(lines) for lines in said)) - 1)
    wells = [max(p.shape[0] for p in pictures[k : k + columns]) for k in range(0, len(tiles), columns)]
    width = 2 * _MARGIN + columns * (TILE_PX + _GAP) - _GAP
    image = Image.new("RGB", (width, _HEAD + sum(h + strip + _GAP for h in wells) - _GAP + _MARGIN), PAPER)
    draw = ImageDraw.Draw(image)
    _write_head(draw, title, rest, width)
    y = _HEAD
    for line, height in enumerate(wells):
        for column, k in enumerate(range(line * columns, min((line + 1) * columns, len(tiles)))):
            x = _MARGIN + column * (TILE_PX + _GAP)
            draw.rectangle((x, y, x + TILE_PX - 1, y + height + strip - 1), fill=BACK)
            here = (x + (TILE_PX - pictures[k].shape[1]) // 2, y + (height - pictures[k].shape[0]) // 2)
            image.paste(Image.fromarray(pictures[k]), here)
            _write_strip(draw, x + 10, y + height, tiles[k], said[k])
        y += height + strip + _GAP
    sheet = np.asarray(image, np.uint8)
    if path is not None:
        with new_file(Path(path)) as partial:
            partial.write_bytes(encode_rgb(sheet))
    return sheet


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    room = min(TILE_PX / width, TALLEST_PX / height)
    if room >= 1:
        return scaled(pixels, int(room))
    import cv2

    size = (max(1, int(width * room)), max(1, int(height * room)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write_head(draw: ImageDraw.ImageDraw, title: str, rest: str, width: int) -> None:
    shown = _cut(title, font(17, bold=True), width - 2 * _MARGIN)
    draw.text((_MARGIN, 27), shown, INK, font(17, bold=True), anchor="ls")
    left = _MARGIN + font(17, bold=True).getlength(shown) + 14
    if rest and width - _MARGIN - left > _STRIP:
        draw.text((left, 27), _cut(rest, font(14), width - _MARGIN - left), MUTED, font(14), anchor="ls")
    draw.line((_MARGIN, 40, width - _MARGIN, 40), fill=RULE)


def _write_strip(draw: ImageDraw.ImageDraw, x: int, y: int, tile: Tile, said: Sequence[str]) -> None:
    note, right = tile.note, x + TILE_PX - 20
    draw.text((x, y + 8), f"{tile.at_s:.2f} s", TEXT, font(14, bold=True))
    at = x + font(14, bold=True).getlength(f"{tile.at_s:.2f} s") + 10
    draw.text((at, y + 8), f"frame {tile.frame:,}", QUIET, font(14))
    for text, colour in _outcome(note):
        draw.text((right, y + 8), text, colour, font(14), anchor="ra")
        right -= int(font(14).getlength(text)) + 10
    _draw_chips(draw, x, y + _LINE + 6, tile)
    for k, line in enumerate(said):
        draw.text((x, y + 2 * _LINE + 8 + k * _SAID_PX), line, QUIET, font(13))


def _said(tile: Tile) -> list[str]:
    """Say in lines how far mouse and sticks were, and what else is known; what has no room in four is cut."""
    note, face = tile.note, font(13)
    moved = mouse_words({bar.name: bar.value for bar in note.bars})
    sticks = ", ".join(f"{name} {value:+.2f}" for name, value in tile.axes.items() if abs(value) >= 0.005)  # noqa: PLR2004
    parts = [text for text in ("" if moved in note.end else moved, sticks, *note.end.split(" · ")) if text]
    lines: list[str] = []
    for part in parts:
        if lines and face.getlength(f"{lines[-1]} · {part}") <= TILE_PX - 20:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    rest = " · ".join(lines[_MOST_SAID - 1 :])
    return [_cut(line, face, TILE_PX - 20) for line in (*lines[: _MOST_SAID - 1], rest) if line]


def _outcome(note: Note) -> list[tuple[str, str]]:
    """Say from right to left what came of it."""
    found = [(f"score {note.score:g}", TEXT)] if note.score is not None else []
    if note.reward:
        found.append((f"{note.reward:+g}", GOOD if note.reward > 0 else LOST))
    return found + ([(f"lives {note.lives}", QUIET)] if note.lives is not None else [])


def _draw_chips(draw: ImageDraw.ImageDraw, x: int, y: int, tile: Tile) -> None:
    """Draw the controls, those that are down lit; where there is no room for all, those that are down come first."""
    face, end = font(13, bold=True), x + TILE_PX - 20
    short = [name.rpartition("/")[2] for name in tile.controls]
    widths = [face.getlength(name) + 18 for name in short]
    order = list(range(len(short)))
    if sum(widths) - 5 > end - x:
        order.sort(key=lambda k: (not _is_down(tile, k), k))
        end -= _MORE
    at: float = x
    for k in order:
        if at + widths[k] - 5 > end:
            draw.text((at, y + 1), "…", QUIET, face)
            break
        lit = _is_down(tile, k)
        draw.rounded_rectangle((at, y, at + widths[k] - 5, y + _CHIP), 4, fill=ON if lit else OFF)
        draw.text((at + (widths[k] - 5) / 2, y + _CHIP / 2), short[k], BACK if lit else QUIET, face, anchor="mm")
        at += widths[k]
    if not order and tile.note.action:
        draw.text((x, y + 2), _cut(tile.note.action, face, TILE_PX - 20), ON, face)


def _is_down(tile: Tile, k: int) -> bool:
    name = tile.controls[k]
    return name in tile.note.down or name.rpartition("/")[2] in tile.note.down


def _cut(text: str, face: object, room: float) -> str:
    length = face.getlength  # type: ignore[attr-defined]
    cut = text
    while cut and length(cut) > room:
        cut = cut.removesuffix("…")[:-1] + "…"
    return cut
