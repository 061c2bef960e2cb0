"""The contact sheet: evenly spaced pictures of everything that was recorded, each with its number, action and score.

One look says whether the right game was played, whether pictures are whole, and whether something happens in them.
A row is an episode while there are few of them, and a whole game when there are many.

Example (any recordings):
    >>> def look(sessions):
    ...     return contact_sheet(sessions, "contact_sheet.png", columns=6)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rushes.errors import BadInputError
from rushes.model.recording import Episode, Recording
from rushes.preview.choose import episodes_of, evenly, spread
from rushes.preview.html import rounded
from rushes.preview.notes import LAST_PICTURE, NO_ACTION, Note, end_sentence, episode_number, notes
from rushes.preview.overlay import fit_scale, scaled
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, RED, RULE, font
from rushes.store.atomic import new_file
from rushes.store.images import encode_rgb

Pixels = npt.NDArray[np.uint8]
Rows = Literal["auto", "episodes", "games"]

_PICTURE_PX: Final = 210  # height that pictures are brought to, about
_NARROWEST, _WIDEST = 160, 250
_PAGE: Final = 1250
_LEAST: Final = 2
_MARGIN, _GAP, _LABEL, _UNDER, _HEAD = 8, 14, 178, 50, 82
_FEW: Final = 8  # episodes: up to here each has a row of its own


@dataclass(frozen=True)
class _Cell:
    pixels: Pixels
    note: Note


@dataclass(frozen=True)
class _Row:
    title: str
    lines: tuple[str, ...]
    cells: tuple[_Cell, ...]


def contact_sheet(
    source: Recording | Episode | Iterable[Recording | Episode],
    path: str | Path | None = None,
    *,
    columns: int | None = None,
    rows: Rows = "auto",
    most_rows: int = 12,
) -> Pixels:
    """Lay out evenly spaced pictures with their labels.

    Args:
        source: A recording, an episode, `Sessions`, or any number of either.
        path: Where to write it as a PNG file, new; None for nowhere.
        columns: Pictures a row; None for as many as fit a page (6 of Atari).
        rows: `episodes`, `games`, or `auto`: episodes while there are at most 8 of them.
        most_rows: Rows at the most; games are thinned evenly and the sheet says so.

    Returns:
        (H, W, 3) uint8 RGB, about 1,250 px wide unless `columns` is given.

    Raises:
        BadInputError: Nothing to show, or a number below 1.
        OccupiedError: `path` exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    for name, value in (("columns", 1 if columns is None else columns), ("most_rows", most_rows)):
        if value < 1:
            raise BadInputError(f"{name}={value!r}", accepts="a whole number from 1", fix=f"leave {name} out")
    if rows not in ("auto", "episodes", "games"):
        raise BadInputError(f"rows={rows!r}", accepts="auto, episodes or games", fix="leave rows out")
    episodes = episodes_of(source)
    if not episodes:
        raise BadInputError(
            "a contact sheet of recordings without pictures",
            accepts="at least one picture",
            fix="record or sample first",
        )
    groups = _groups(episodes, rows, most_rows)
    games = len({e.recording.info.game for e in episodes})
    pictures = sum(e.segment.frames for e in episodes)
    shown = sum(len(g) for g in groups)
    head = f"{_count(games, 'game')}, {_count(len(episodes), 'episode')}, {pictures:,} pictures"
    left_out = f"; {_count(len(episodes) - shown, 'episode')} not shown" if shown < len(episodes) else ""
    sheet = _paint(head, f"evenly spaced{left_out}", [_row(g, columns) for g in groups])
    if path is not None:
        with new_file(Path(path)) as partial:
            partial.write_bytes(encode_rgb(sheet))
    return sheet


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("s" if number != 1 else "")


def _groups(episodes: list[Episode], rows: Rows, most: int) -> list[list[Episode]]:
    if rows == "episodes" or (rows == "auto" and len(episodes) <= min(_FEW, most)):
        return [[e] for e in spread(episodes, most)]
    by_game: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_game.setdefault(episode.recording.info.game, []).append(episode)
    groups = list(by_game.values())
    return [groups[k] for k in evenly(len(groups), most)]


def _row(group: list[Episode], columns: int | None) -> _Row:
    first = group[0]
    pictures = sum(e.segment.frames for e in group)
    score = sum(e.score for e in group) if first.recording.is_environment else None
    lines = [f"episode {episode_number(first.segment)}"] if len(group) == 1 else [f"{len(group)} episodes"]
    lines.append(f"{pictures:,} frames, {sum(e.segment.duration_s for e in group):.1f} s")
    if score is not None:
        lines.append(f"score {score:g}" if len(group) == 1 else f"score {rounded(score / len(group))} on average")
    if len(group) == 1:
        lines.append(end_sentence(first.segment.end_reason))
    attrs = first.segment.attrs
    if attrs.get("policy"):
        lines.append(f"policy {attrs['policy']}")
    if isinstance(attrs.get("randomness"), int | float):
        lines.append(f"randomness {attrs['randomness']:g}")
    width = max(_NARROWEST, _fitted(next(first.frames())).shape[1])
    if columns is None:
        columns = max(_LEAST, (_PAGE - 2 * _MARGIN - _LABEL + _GAP) // (width + _GAP))
    return _Row(first.recording.info.game, tuple(lines), tuple(_cells(group, evenly(pictures, columns), width)))


def _cells(group: list[Episode], wanted: list[int], most_px: int) -> Iterator[_Cell]:
    start = 0
    for episode in group:
        inside = [k - start for k in wanted if start <= k < start + episode.segment.frames]
        said = {note.frame: note for note in notes(episode) if note.frame in inside}
        for k in inside:
            yield _Cell(_fitted(episode.recording.frame(episode.segment.first_frame + k), most_px), said[k])
        start += episode.segment.frames


def _fitted(pixels: Pixels, most_px: int | None = None) -> Pixels:
    """Bring a picture to the size of a sheet; `most_px` wide at the most, as the first one of its row is."""
    height, width = pixels.shape[:2]
    most = min(_WIDEST, most_px or _WIDEST)
    if height > 2 * _PICTURE_PX or width > most:
        import cv2

        factor = min(_PICTURE_PX / height, most / width)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = fit_scale(height, width, to=_PICTURE_PX)
    return scaled(pixels, min(scale, (most_px or width * scale) // width or 1))


def _paint(head: str, rest: str, rows: list[_Row]) -> Pixels:
    heights = [_height(row) for row in rows]
    columns = [max(_NARROWEST, *(cell.pixels.shape[1] for cell in row.cells)) for row in rows]
    widths = [len(row.cells) * (column + _GAP) - _GAP for row, column in zip(rows, columns, strict=True)]
    width = 2 * _MARGIN + _LABEL + max(*widths, 500)
    image = Image.new("RGB", (width, _HEAD + sum(h + 2 * _GAP for h in heights)), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, 34), head, INK, font(19, bold=True), anchor="ls")
    draw.text((_MARGIN + font(19, bold=True).getlength(head) + 14, 34), rest, MUTED, font(15), anchor="ls")
    _legend(draw, 60)
    y = _HEAD
    for row, height, column in zip(rows, heights, columns, strict=True):
        draw.line((_MARGIN, y, width - _MARGIN, y), fill=RULE)
        top = y + _GAP
        for line in _wrapped(row.title, 19):
            draw.text((_MARGIN, top), line, INK, font(19, bold=True))
            top += 25
        for line in (part for words in row.lines for part in _wrapped(words, 15, bold=False)):
            draw.text((_MARGIN, top + 6), line, MUTED, font(15))
            top += 22
        for number, cell in enumerate(row.cells):
            x = _MARGIN + _LABEL + number * (column + _GAP)
            image.paste(Image.fromarray(cell.pixels), (x, y + _GAP))
            _label(draw, x, y + _GAP + cell.pixels.shape[0] + 6, column, cell.note)
        y += height + 2 * _GAP
    return np.asarray(image, np.uint8)


def _height(row: _Row) -> int:
    lines = sum(len(_wrapped(line, 15, bold=False)) for line in row.lines)
    text = 25 * len(_wrapped(row.title, 19)) + 22 * lines
    return int(max(text, max(cell.pixels.shape[0] for cell in row.cells) + _UNDER))


def _legend(draw: ImageDraw.ImageDraw, y: int) -> None:
    x: float = _MARGIN
    for text, colour in (
        ("under each picture: the action done on it", BLUE),
        ("(drawn by chance)", ORANGE),
        ("and the sum of rewards so far", INK),
        ("+ the action's reward", GREEN),
    ):
        draw.text((x, y), text, colour, font(14), anchor="ls")
        x += font(14).getlength(text + " ")


def _wrapped(text: str, size_px: int, *, bold: bool = True) -> list[str]:
    face, lines = font(size_px, bold=bold), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and face.getlength(longer) > _LABEL - 14:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _label(draw: ImageDraw.ImageDraw, x: int, y: int, room: int, note: Note) -> None:
    name = note.action
    while name and font(14, bold=True).getlength(name) > room:
        name = name[:-2] + "…" if name.endswith("…") else name[:-1] + "…"
    colour = MUTED if note.action in (LAST_PICTURE, NO_ACTION) else ORANGE if note.random else BLUE
    draw.text((x, y), f"episode {note.episode}, frame {note.frame}", MUTED, font(14))
    draw.text((x, y + 21), name, colour, font(14, bold=True))
    if note.score is None:
        return
    text = f"{note.score:g}" + (f" {note.reward:+g}" if note.reward else "")
    colour = INK if not note.reward else GREEN if note.reward > 0 else RED
    beside = font(14, bold=True).getlength(name) + font(14).getlength(text) + 6 <= room
    draw.text((x + room, y + (21 if beside else 0)), text, colour, font(14), anchor="ra")
