"""Faults that need a reference: upside down, mirrored, colours swapped or lost, levels, something burnt in.

The reference of one half is the unspoilt recording, of the other a screenshot: one of its pictures, drawn by the seed.
What is upside down is told by a screenshot only where pictures have an up: there the base has a sky over ground.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from injected.held import Held, Pixels
from injected.plan import Rng, Spoil, fault
from rushes.qa.subject import Expected

_SHOTS = tempfile.TemporaryDirectory(prefix="rushes-shots-")


@lru_cache(maxsize=32)
def _shot(base: Any) -> Path:
    rng = np.random.default_rng([base.frame_count, len(base.info.id), *base.info.id.encode()])
    picture = base.frame(int(rng.integers(base.frame_count)))
    path = Path(_SHOTS.name) / f"{id(base)}.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def by_screenshot(base: Any) -> Expected:
    """A screenshot from another moment."""
    return Expected(picture=_shot(base))


def by_source(base: Any) -> Expected:
    """The recording that it was made from."""
    return Expected(reference=base)


def both(rule: str, **how: Any) -> Any:
    """Enter a fault twice: against the source, and against a screenshot."""

    def enter(spoil: Spoil) -> Spoil:
        return fault(rule, expected=by_screenshot, **how)(fault(rule, expected=by_source, **how)(spoil))

    return enter


WHOLE = {"base": "view", "strengths": (1.0,), "stated": 1.0, "unit": "of the recording"}


@fault("content.upside_down", expected=by_screenshot, **WHOLE | {"base": "play"})
@fault("content.upside_down", expected=by_source, **WHOLE)
def upside_down(held: Held, strength: float, rng: Rng) -> None:
    """Pictures stand on their head."""
    del strength, rng
    held.paint(lambda _, pixels: np.ascontiguousarray(pixels[::-1]))


@fault("content.mirrored", expected=by_source, **WHOLE)
def mirrored(held: Held, strength: float, rng: Rng) -> None:
    """Left and right are exchanged."""
    del strength, rng
    held.paint(lambda _, pixels: np.ascontiguousarray(pixels[:, ::-1]))


@both("content.swapped_colours", **WHOLE)
def swapped_colours(held: Held, strength: float, rng: Rng) -> None:
    """Red and blue are exchanged."""
    del strength, rng
    held.paint(lambda _, pixels: np.ascontiguousarray(pixels[:, :, ::-1]))


@both("content.greyscale", base="view", strengths=(30, 50, 75, 100), stated=75, unit="% of the colour lost")
def greyscale(held: Held, strength: float, rng: Rng) -> None:
    """Colours are gone or washed out."""
    del rng

    def paint(_: int, pixels: Pixels) -> Pixels:
        grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return cv2.addWeighted(pixels, 1 - strength / 100, grey, strength / 100, 0)

    held.paint(paint)


@fault("content.levels", base="view", strengths=(6, 10, 16, 32), stated=16, unit="levels", expected=by_source)
def levels(held: Held, strength: float, rng: Rng) -> None:
    """Black is grey and white is not white: limited levels taken for full ones, or the other way."""
    wider = rng.random() < 0.5

    def paint(_: int, pixels: Pixels) -> Pixels:
        if wider:
            return np.clip((pixels.astype(np.float32) - strength) * 255 / (255 - 2 * strength), 0, 255).astype(np.uint8)
        return (strength + pixels.astype(np.float32) * (255 - 2 * strength) / 255).astype(np.uint8)

    held.paint(paint)


@fault(
    "content.overlay",
    base="view",
    strengths=(0.2, 0.5, 1.0, 3.0),
    stated=1.0,
    unit="% of the picture",
    expected=by_source,
)
def overlay(held: Held, strength: float, rng: Rng) -> None:
    """Something is burnt in: a recorder's mark, a counter, a text."""
    height, width = next(held.frames(0, 1)).shape[:2]
    area = strength / 100 * height * width
    tall = max(3, round((area / 4) ** 0.5))
    wide = max(3, round(area / tall))
    top, left = (int(rng.integers(0, limit - size)) for limit, size in ((height, tall), (width, wide)))
    mark = rng.choice([0, 255], (tall, wide, 1), p=[0.3, 0.7]).astype(np.uint8).repeat(3, axis=2)

    def paint(_: int, pixels: Pixels) -> Pixels:
        made = pixels.copy()
        made[top : top + tall, left : left + wide] = mark
        return made

    held.paint(paint)
