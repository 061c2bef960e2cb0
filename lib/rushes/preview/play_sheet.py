"""The sheet of one recorded play: evenly spaced pictures, and beside each what the hands did until the next frame.

`rushes.preview.contact_sheet` shows many episodes with their rewards; this one shows one session from its beginning to
its end, line after line, with the seconds, the controls that were down and the mouse's motion.

Example (any recording with frames and events):
    >>> def look(recording):
    ...     return play_sheet(recording, "play_sheet.png", pictures=12)
    >>> mouse_words({"MouseDX": 3.0, "MouseDY": -12.0})
    'mouse right 3, up 12'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.preview.choose import evenly
from rushes.preview.notes import Note, notes
from rushes.preview.style import BLUE, INK, MUTED, PAPER, RULE, font
from rushes.store.atomic import new_file
from rushes.store.images import encode_rgb

Pixels = npt.NDArray[np.uint8]

COLUMNS: Final = 4
_PICTURE_PX: Final = 294
_GAP, _MARGIN, _HEAD, _UNDER = 18, 8, 60, 72
_WAYS: Final = {"MouseDX": ("right", "left"), "MouseDY": ("down", "up")}
NO_KEY: Final = "no key"


@dataclass(frozen=True)
class _Cell:
    pixels: Pixels
    note: Note
    frame_index: int
    at_s: float


def play_sheet(
    recording: Recording, path: str | Path | None = None, *, pictures: int = 12, begin_ns: int | None = None
) -> Pixels:
    """Lay out evenly spaced pictures of one session with the inputs of each.

    Args:
        recording: With frames.
        path: Where to write it as a PNG file, new; None for nowhere.
        pictures: How many, about; the first and the last frame are among them.
        begin_ns: Where seconds are told from, ns since session start; None takes where the recording begins.

    Returns:
        (H, W, 3) uint8 RGB, four pictures a line.

    Raises:
        BadInputError: No frame to show, or a number below 1.
        OccupiedError: `path` exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    if pictures < 1:
        raise BadInputError(f"pictures={pictures!r}", accepts="a whole number from 1", fix="leave pictures out")
    if not recording.frame_count:
        raise BadInputError("a sheet of a recording without frames", accepts="at least one frame", fix="record first")
    cells = list(_cells(recording, evenly(recording.frame_count, pictures), begin_ns))
    sheet = _paint(recording, cells)
    if path is not None:
        with new_file(Path(path)) as partial:
            partial.write_bytes(encode_rgb(sheet))
    return sheet


def mouse_words(motion: Mapping[str, float]) -> str:
    """Say a motion of the mouse in words.

    Args:
        motion: `MouseDX`, `MouseDY` -> sum over a frame; +y is down.
    """
    said = [
        f"{_WAYS[name][value < 0]} {abs(value):g}" for name, value in motion.items() if name in _WAYS and round(value)
    ]
    return f"mouse {', '.join(said)}" if said else ""


def _cells(recording: Recording, wanted: list[int], begin_ns: int | None) -> Iterator[_Cell]:
    begin_ns = recording.segments[0].start_ns if begin_ns is None else begin_ns
    for episode in recording.episodes():
        segment = episode.segment
        inside = [k for k in wanted if segment.first_frame <= k < segment.stop_frame]
        if not inside:
            continue
        said = {segment.first_frame + note.frame: note for note in notes(episode)}
        for k in inside:
            note = said[k]
            yield _Cell(_small(recording.frame(k)), note, k, (segment.start_ns - begin_ns) / NS + note.t_s)


def _small(pixels: Pixels) -> Pixels:
    import cv2

    height = max(1, round(pixels.shape[0] * _PICTURE_PX / pixels.shape[1]))
    way = cv2.INTER_AREA if pixels.shape[1] > _PICTURE_PX else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, (_PICTURE_PX, height), interpolation=way), np.uint8)


def _paint(recording: Recording, cells: list[_Cell]) -> Pixels:
    lines = [cells[k : k + COLUMNS] for k in range(0, len(cells), COLUMNS)]
    heights = [max(cell.pixels.shape[0] for cell in line) + _UNDER for line in lines]
    width = 2 * _MARGIN + COLUMNS * (_PICTURE_PX + _GAP) - _GAP
    image = Image.new("RGB", (width, _HEAD + sum(heights)), PAPER)
    draw = ImageDraw.Draw(image)
    head = recording.info.game
    draw.text((_MARGIN, 28), head, INK, font(19, bold=True), anchor="ls")
    many = len(recording.segments)
    rest = f"{recording.frame_count:,} frames, {recording.duration_s:.1f} s, {many} segment{'s' if many != 1 else ''}"
    draw.text((_MARGIN + font(19, bold=True).getlength(head) + 14, 28), rest, MUTED, font(15), anchor="ls")
    draw.line((_MARGIN, 42, width - _MARGIN, 42), fill=RULE)
    y = _HEAD
    for line, height in zip(lines, heights, strict=True):
        for column, cell in enumerate(line):
            x = _MARGIN + column * (_PICTURE_PX + _GAP)
            image.paste(Image.fromarray(cell.pixels), (x, y))
            _label(draw, x, y + cell.pixels.shape[0] + 6, cell)
        y += height
    return np.asarray(image, np.uint8)


def _label(draw: ImageDraw.ImageDraw, x: int, y: int, cell: _Cell) -> None:
    draw.text((x, y), f"{cell.at_s:.2f} s", INK, font(14))
    draw.text((x + _PICTURE_PX, y), f"frame {cell.frame_index:,}", MUTED, font(14), anchor="ra")
    down = " + ".join(sorted(cell.note.down))
    moved = mouse_words({bar.name: bar.value for bar in cell.note.bars})
    draw.text((x, y + 20), _cut(down) or NO_KEY, BLUE if down else MUTED, font(14, bold=bool(down)))
    draw.text((x, y + 39), moved, MUTED, font(14))


def _cut(text: str) -> str:
    face, cut = font(14, bold=True), text
    while face.getlength(cut) > _PICTURE_PX:
        cut = cut.removesuffix("…")[:-1] + "…"
    return cut
