"""The panel beside a picture: what was done on it, what came of it, and where in the episode it stands.

Nothing is ever drawn over the picture. It is enlarged by a whole number, so a pixel stays a sharp square, and the
panel stands at its right: a joystick with its fire button for emulators, a list of names for other discrete actions,
bars for numbers, the keys that are down for recorded play.

Example:
    >>> import numpy as np
    >>> note = Note("Alien", 0, 3, 34, 0.2, "pad", "UPFIRE", frozenset({"UP", "FIRE"}), reward=10.0, score=0.0, lives=3)
    >>> overlay(np.zeros((210, 160, 3), np.uint8), note).shape
    (420, 560, 3)
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rushes.preview.notes import LAST_PICTURE, NO_ACTION, Note
from rushes.preview.style import font

Pixels = npt.NDArray[np.uint8]

PANEL_PX: Final = 240
HEIGHT_PX: Final = 420
"""Height that a small picture is enlarged to, about, and least height of the panel."""
_LARGEST: Final = (600, 1000)
BACK: Final = "#161c24"
_TEXT, _QUIET, _OFF, _ON, _GOOD, _BAD = "#eef2f6", "#93a0ae", "#2b3541", "#f2a33a", "#6cc287", "#ef7d85"
_LEFT: Final = 22
_RIGHT: Final = PANEL_PX - 22
_MIDDLE: Final = 162  # y of the joystick's hub
_NAME_Y: Final = 238
_ROWS_Y: Final = 300
_MOST: Final = 7  # names, bars or keys that fit
_ARROWS: Final = {"UP": (0, -1), "DOWN": (0, 1), "LEFT": (-1, 0), "RIGHT": (1, 0)}


def fit_scale(height: int, width: int, *, to: int = HEIGHT_PX) -> int:
    """Choose by which whole number to enlarge pictures (negative: to reduce them).

    Args:
        height: Pixels of the picture.
        width: Pixels of the picture.
        to: Wished height.

    Returns:
        2 for twice as large, -2 for half as large.
    """
    most = min(_LARGEST[0] / height, _LARGEST[1] / width)
    if most < 1:
        return -math.ceil(1 / most)
    return max(1, min(round(to / height), int(most)))


def scaled(pixels: Pixels, scale: int) -> Pixels:
    """Enlarge by a whole number with sharp pixels, or reduce by means over blocks.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        scale: As `fit_scale` gives it.
    """
    if scale > 0:
        return pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    import cv2

    size = (pixels.shape[1] // -scale, pixels.shape[0] // -scale)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def fitted(pixels: Pixels, field: tuple[int, int]) -> Pixels:
    """Enlarge by a whole number as `fit_scale` would, but no further than a field; reduce what is larger than it.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        field: Most (height, width).
    """
    height, width = pixels.shape[:2]
    room = min(field[0] / height, field[1] / width)
    scale = fit_scale(height, width)
    if room >= 1:
        return scaled(pixels, max(1, min(scale, int(room))))
    if scale < 0 and height // -scale <= field[0] and width // -scale <= field[1]:
        return scaled(pixels, scale)
    import cv2

    size = (max(1, int(width * room)), max(1, int(height * room)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def overlay(pixels: Pixels, note: Note, *, scale: int = 0, size: tuple[int, int] | None = None) -> Pixels:
    """Put the panel beside a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        note: What to say.
        scale: As `fit_scale` gives it; 0 lets it choose.
        size: (height, width) of the field in which the picture stands in the middle, so that pictures of several
            sizes make one video; a larger one is reduced to it. By default the picture's own.

    Returns:
        (H', W' + 240, 3) uint8 RGB, at least 420 high.
    """
    picture = fitted(pixels, size) if size and not scale else scaled(pixels, scale or fit_scale(*pixels.shape[:2]))
    height, width = size or picture.shape[:2]
    canvas = np.empty((max(height, HEIGHT_PX), width + PANEL_PX, 3), np.uint8)
    canvas[:, :width] = 0
    top, left = (len(canvas) - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    canvas[:, width:] = panel(note, len(canvas))
    return canvas


def panel(note: Note, height: int = HEIGHT_PX) -> Pixels:
    """Draw the panel alone.

    Args:
        note: What to say.
        height: Pixels, at least 420.

    Returns:
        (height, 240, 3) uint8 RGB.
    """
    image = Image.new("RGB", (PANEL_PX, height), BACK)
    draw = ImageDraw.Draw(image)
    size_px = largest_font(note.game, _RIGHT - _LEFT, sizes=range(20, 13, -1))
    draw.text((_LEFT, 34), _cut(note.game, size_px, bold=True), _TEXT, font(size_px, bold=True), anchor="ls")
    draw.text((_LEFT, 45), f"episode {note.episode} · frame {note.frame}", _QUIET, font(13))
    draw.text((_LEFT, 64), f"{note.t_s:.2f} s · {note.frames} frames in all", _QUIET, font(13))
    acted = note.action not in (NO_ACTION, LAST_PICTURE)
    if note.widget == "pad":
        _draw_pad(draw, note.down)
    elif note.widget == "choices":
        _draw_list(draw, note.choices, {note.action} if acted else set())
    elif note.widget == "keys" and not note.bars:
        _draw_list(draw, tuple(sorted(note.down)), set(note.down))
    else:
        _draw_bars(draw, note)
    if note.widget != "bars":
        draw.text((_LEFT, _NAME_Y), _cut(note.action, 18, bold=True), _TEXT if acted else _QUIET, font(18, bold=True))
    if note.random:
        draw.text((_LEFT, _NAME_Y + 25), "replaced by chance", _ON, font(13))
    if note.end:
        draw.text((_LEFT, _NAME_Y + 25), _cut(note.end, 13), _QUIET, font(13))
    _draw_rows(draw, note)
    return np.asarray(image, np.uint8)


def largest_font(text: str, room_px: int, *, sizes: range) -> int:
    """Choose the largest size of bold letters in which a text fits, or the last one.

    Args:
        text: One line.
        room_px: Width that there is.
        sizes: What to try, in order.
    """
    return next((size for size in sizes if font(size, bold=True).getlength(text) <= room_px), sizes[-1])


def _cut(text: str, size_px: int, *, bold: bool = False) -> str:
    face = font(size_px, bold=bold)
    if face.getlength(text) <= _RIGHT - _LEFT:
        return text
    while text and face.getlength(text + "…") > _RIGHT - _LEFT:
        text = text[:-1]
    return text + "…"


def _draw_pad(draw: ImageDraw.ImageDraw, down: frozenset[str]) -> None:
    hub_x, arm, half = _LEFT + 58, 58, 17
    for name, (dx, dy) in _ARROWS.items():
        tip = (hub_x + dx * arm, _MIDDLE + dy * arm)
        base = (hub_x + dx * 22, _MIDDLE + dy * 22)
        side = (dy * half, dx * half)
        points = [
            tip,
            (base[0] + side[0] * 1.25, base[1] + side[1] * 1.25),
            (base[0] - side[0] * 1.25, base[1] - side[1] * 1.25),
        ]
        draw.polygon(points, fill=_ON if name in down else _OFF)
    draw.ellipse((hub_x - 9, _MIDDLE - 9, hub_x + 9, _MIDDLE + 9), fill=_OFF)
    fire_x, radius = _RIGHT - 27, 27
    lit = "FIRE" in down
    draw.ellipse((fire_x - radius, _MIDDLE - radius, fire_x + radius, _MIDDLE + radius), fill=_ON if lit else _OFF)
    draw.text((fire_x, _MIDDLE), "FIRE", BACK if lit else _QUIET, font(13, bold=True), anchor="mm")


def _draw_list(draw: ImageDraw.ImageDraw, names: tuple[str, ...], lit: set[str]) -> None:
    shown = list(names)
    if len(shown) > _MOST:  # the ones that are lit stay in sight
        at = next((k for k, name in enumerate(shown) if name in lit), 0)
        start = min(max(0, at - _MOST // 2), len(shown) - _MOST)
        shown = shown[start : start + _MOST]
    for k, name in enumerate(shown):
        y = 94 + 20 * k
        draw.rounded_rectangle((_LEFT, y, _RIGHT, y + 17), 3, fill=_ON if name in lit else _OFF)
        draw.text((_LEFT + 8, y + 8), _cut(name, 14), BACK if name in lit else _QUIET, font(12), anchor="lm")


def _draw_bars(draw: ImageDraw.ImageDraw, note: Note) -> None:
    for k, bar in enumerate(note.bars[:_MOST]):
        y = 94 + 24 * k
        draw.text((_LEFT, y + 9), _cut(bar.name, 12)[:10], _QUIET, font(12), anchor="lm")
        draw.text((_RIGHT, y + 9), f"{bar.value:+.3g}", _TEXT, font(12), anchor="rm")
        left, right = _LEFT + 62, _RIGHT - 52
        draw.rectangle((left, y + 4, right, y + 14), fill=_OFF)
        share = (bar.value - bar.low) / ((bar.high - bar.low) or 1.0)
        zero = min(max(-bar.low / ((bar.high - bar.low) or 1.0), 0.0), 1.0)
        ends = sorted(left + (right - left) * min(max(s, 0.0), 1.0) for s in (share, zero))
        draw.rectangle((ends[0], y + 4, ends[1], y + 14), fill=_ON)


def _draw_rows(draw: ImageDraw.ImageDraw, note: Note) -> None:
    draw.line((_LEFT, _ROWS_Y, _RIGHT, _ROWS_Y), fill=_OFF)
    rows = []
    if note.score is not None:
        colour = _QUIET if not note.reward else _GOOD if note.reward > 0 else _BAD
        rows.append(
            ("reward", "\N{EN DASH}" if note.reward is None else f"{note.reward:+g}" if note.reward else "0", colour)
        )
        rows.append(("score", f"{note.score:g}", _TEXT))
    if note.lives is not None:
        rows.append(("lives", str(note.lives), _TEXT))
    for k, (label, value, colour) in enumerate(rows):
        y = _ROWS_Y + 22 + 30 * k
        draw.text((_LEFT, y), label, _QUIET, font(14), anchor="lm")
        draw.text((_RIGHT, y), value, colour, font(18, bold=True), anchor="rm")
