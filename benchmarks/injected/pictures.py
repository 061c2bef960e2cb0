"""Faults of pictures: black, frozen, torn, damaged, in another order, with bars or of another size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from injected.files import chunk_of, damaged_picture, reseal
from injected.held import Held, Pixels
from injected.plan import Rng, fault
from injected.times import inner
from rushes.model.clock import NS
from rushes.qa.subject import Expected
from rushes.worlds.steered.recording import SteeredRecording

MOVES_PX = 0.25
"""A camera that moves less between two pictures does not move; px."""
BUSY = 10
"""Tenths of a second with inputs, so that a person would say that the picture should have moved."""


def stretch(held: Held, seconds: float, rng: Rng) -> tuple[int, int]:
    """Draw a stretch of frames inside of a segment."""
    long = [s for s in held.segments if s.duration_s > seconds + 1]
    segment = long[int(rng.integers(len(long)))]
    t_ns = held.index(segment.index)["t_ns"].to_numpy()
    count = int(np.searchsorted(t_ns, t_ns[0] + seconds * NS)) + 1
    first = int(rng.integers(2, len(t_ns) - count))
    return segment.first_frame + first, segment.first_frame + first + count


def in_motion(held: Held, count: int, rng: Rng, *, shift: int = 0) -> list[int]:
    """Draw so many frames as `inner` does, or all that there are, of those to which the camera moves.

    Args:
        held: Steered play.
        count: How many.
        rng: Draws.
        shift: 1 for those from which it moves to the next.
    """
    assert isinstance(held.source, SteeredRecording)
    camera = np.array([state.camera for state in held.source.world.states])
    moves = np.hypot(*np.diff(camera, axis=0, prepend=camera[:1]).T) >= MOVES_PX
    every = rng.permutation(inner(held, len(camera), rng))
    return sorted(every[moves[every + shift]][:count].tolist())


def cover(held: Held, first: int, stop: int, make: Any) -> None:
    """Show something else in a stretch."""
    held.paint(lambda k, pixels: make(k, pixels) if first <= k < stop else pixels)


def noisy(shape: tuple[int, ...], level: Any, rng: Rng, *, sigma: float = 0.6) -> Pixels:
    """Give a plain picture with an encoder's noise; the level is a number or a colour."""
    plain = np.broadcast_to(np.asarray(level, float), shape)
    return np.clip(plain + rng.normal(0, sigma, shape), 0, 255).astype(np.uint8)


@fault("content.black", base="view", strengths=(2, 4, 6, 8), stated=6, unit="s")
def black(held: Held, strength: float, rng: Rng) -> None:
    """The screen is black for a while: the capture lost its window."""
    level = rng.uniform(0, 10)
    cover(held, *stretch(held, strength, rng), lambda _, pixels: noisy(pixels.shape, level, rng))


@fault("content.white", base="view", strengths=(2, 4, 6, 8), stated=6, unit="s")
def white(held: Held, strength: float, rng: Rng) -> None:
    """The screen is white for a while."""
    level = rng.uniform(248, 255)
    cover(held, *stretch(held, strength, rng), lambda _, pixels: noisy(pixels.shape, level, rng))


@fault("content.flat", base="view", strengths=(2, 4, 6, 8), stated=6, unit="s")
def flat(held: Held, strength: float, rng: Rng) -> None:
    """The screen has one colour for a while."""
    colour = rng.uniform(60, 200, 3)
    cover(held, *stretch(held, strength, rng), lambda _, pixels: noisy(pixels.shape, colour, rng))


@fault("content.dark", base="view", strengths=(120, 80, 50, 25), stated=50, unit="levels at the brightest")
def dark(held: Held, strength: float, rng: Rng) -> None:
    """All of it is far too dark."""
    del rng
    held.paint(lambda _, pixels: (pixels.astype(np.float32) * (strength / 255)).astype(np.uint8))


@fault("content.flicker", base="view", strengths=(2, 3, 6, 12), stated=6, unit="levels")
def flicker(held: Held, strength: float, rng: Rng) -> None:
    """Brightness goes up and down with every picture."""
    turn = int(rng.integers(2))
    held.paint(lambda k, p: np.clip(p.astype(np.int16) + int(strength / 2) * (1 if (k + turn) % 2 else -1), 0, 255)
               .astype(np.uint8))  # fmt: skip


@fault("content.frozen", base="view", strengths=(3, 5, 7, 9), stated=7, unit="s with inputs")
def frozen(held: Held, strength: float, rng: Rng) -> None:
    """The picture stands while the player goes on."""
    times = held.events_table["t_ns"].to_numpy()
    t_ns = held.frames_table["t_ns"].to_numpy()
    for _ in range(200):
        first, stop = stretch(held, strength, rng)
        inside = times[(times >= t_ns[first]) & (times < t_ns[min(stop, len(t_ns) - 1)])]
        if len(np.unique(inside // 100_000_000)) >= BUSY:
            break
    held.shows[first:stop] = held.shows[first]


@fault("content.repeats", base="view", strengths=(15, 30, 50, 67, 75), stated=50, unit="% of the frames")
def repeats(held: Held, strength: float, rng: Rng) -> None:
    """The game is slower than the stated rate, evenly or not: pictures are shown again, and nothing says so."""
    number = np.arange(len(held.shows))
    each = round(1 / (1 - strength / 100))
    if strength >= 50 and rng.random() < 0.7:
        held.shows = held.shows[number // each * each]
        return
    again = rng.random(len(number)) < strength / 100
    again[0] = False
    held.shows = held.shows[np.maximum.accumulate(np.where(again, 0, number))]


@fault("content.out_of_order", base="view", strengths=(1, 2, 5, 15), stated=5, unit="% of the pictures, in motion")
def out_of_order(held: Held, strength: float, rng: Rng) -> None:
    """Pictures between which the camera moves stand the wrong way round.

    Where nothing moves, two that follow on each other look alike, and changing their places changes nothing.
    """
    pairs = max(1, round(strength / 100 * len(held.shows) / 2))
    for at in in_motion(held, pairs, rng, shift=1):
        held.shows[[at, at + 1]] = held.shows[[at + 1, at]]


@fault("content.blink", base="view", strengths=(0.5, 1.5, 3, 10), stated=3, unit="% of the pictures")
def blink(held: Held, strength: float, rng: Rng) -> None:
    """Single pictures are black, white or of one colour: the capture missed its window now and then."""
    at = set(inner(held, max(1, round(strength / 100 * len(held.shows))), rng).tolist())
    colour = ((0, 0, 0), (255, 255, 255), tuple(rng.integers(0, 256, 3).tolist()))[int(rng.integers(3))]
    held.paint(lambda k, pixels: noisy(pixels.shape, colour, rng) if k in at else pixels)


@fault("content.torn", base="view", strengths=(1, 3, 8, 25), stated=8, unit="% of the pictures, in motion")
def torn(held: Held, strength: float, rng: Rng) -> None:
    """Pictures are of two moments between which the camera moves, one above the other.

    Where nothing moves there is no seam to see.
    """
    at = set(in_motion(held, max(1, round(strength / 100 * len(held.shows))), rng))
    kept = {"k": -1, "pixels": None}

    def paint(k: int, pixels: Pixels) -> Pixels:
        before = kept["pixels"] if kept["k"] == k - 1 else pixels
        kept.update(k=k, pixels=pixels)
        if k not in at:
            return pixels
        seam = int(np.random.default_rng(k).uniform(0.25, 0.75) * len(pixels))
        return np.concatenate([pixels[:seam], before[seam:]])

    held.paint(paint)


@fault("content.bars", base="view", strengths=(3, 6, 12, 25), stated=12, unit="% of the height or width, both bars")
def bars(held: Held, strength: float, rng: Rng) -> None:
    """Black bars are burnt into the pictures."""
    across, level = bool(rng.random() < 0.5), rng.uniform(0, 8)

    def paint(_: int, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        size = (
            (width, round(height * (1 - strength / 100))) if across else (round(width * (1 - strength / 100)), height)
        )
        made = noisy(pixels.shape, level, rng, sigma=1.0)
        top, left = (height - size[1]) // 2, (width - size[0]) // 2
        made[top : top + size[1], left : left + size[0]] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return made

    held.paint(paint)


@fault("content.blurred", base="view", strengths=(0.7, 1.2, 2.0, 4.0), stated=2.0, unit="px sigma at 320x180")
def blurred(held: Held, strength: float, rng: Rng) -> None:
    """Pictures are blurred: scaled up from a small stream, or compressed too much."""
    small = rng.random() < 0.3

    def paint(_: int, pixels: Pixels) -> Pixels:
        if small and strength >= 2:  # a small picture made large again
            shrunk = cv2.resize(pixels, None, fx=0.5 / strength, fy=0.5 / strength, interpolation=cv2.INTER_AREA)
            return cv2.resize(shrunk, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return cv2.GaussianBlur(pixels, (0, 0), strength)

    held.paint(paint)


@fault("content.corrupt", base="view", strengths=(0.5, 2, 5, 15), stated=2, unit="% of the pictures")
def corrupt(held: Held, strength: float, rng: Rng) -> None:
    """Pictures hold blocks of grey or green, as a decoder leaves them."""
    at = set(inner(held, max(1, round(strength / 100 * len(held.shows))), rng).tolist())
    colour = ((128, 128, 128), (0, 135, 0), (0, 77, 0))[int(rng.integers(3))]

    def paint(k: int, pixels: Pixels) -> Pixels:
        if k not in at:
            return pixels
        draw = np.random.default_rng(k)
        made = pixels.copy()
        row = int(draw.uniform(0.1, 0.6) * len(made)) // 16 * 16
        made[row : row + 16 * int(draw.integers(2, 5)), int(draw.integers(0, made.shape[1] // 2)) // 16 * 16 :] = colour
        return made

    held.paint(paint)


@fault("content.unreadable", base="folders", strengths=(1, 4, 12), stated=1, unit="pictures damaged")
def unreadable(path: Path, strength: float, rng: Rng) -> None:
    """Pictures of a foreign set cannot be decoded."""
    damaged_picture(path, strength, rng)


@fault("content.unreadable", base="play_files", strengths=(30, 60), stated=30, unit="% of a film's bytes")
def cut_film(path: Path, strength: float, rng: Rng) -> None:
    """The end of a film is gone, overwritten with nothing."""
    film = chunk_of(path, rng, holding="frames.mp4") / "frames.mp4"
    data = bytearray(film.read_bytes())
    at = data.find(b"mdat")
    length = int(strength / 100 * (len(data) - at))
    data[at + 40 : at + 40 + length] = bytes(length)
    film.write_bytes(data)
    reseal(film.parent, film.name)


@fault("content.size", base="view", strengths=(2, 40, 160), stated=2, unit="px beside the expected height",
       expected=lambda base: Expected(size=size_of(base)))  # fmt: skip
def another_size(held: Held, strength: float, rng: Rng) -> None:
    """Another region was recorded than was meant."""
    height, width = size_of(held)
    wide = int(strength) if rng.random() < 0.5 else 0
    held.stream("frames", height=height - int(strength), width=width + wide)
    held.paint(lambda _, p: cv2.resize(p, (width + wide, height - int(strength))))


def size_of(recording: Any) -> tuple[int, int]:
    """Give the described (height, width)."""
    stream = recording.info.stream("frames")
    return stream.height, stream.width


@fault("content.true_size", base="view", strengths=(2, 40, 160), stated=2, unit="px beside the described height")
def untrue_size(held: Held, strength: float, rng: Rng) -> None:
    """Pictures have another size than is described, all of them or from somewhere on."""
    height, width = size_of(held)
    if rng.random() < 0.5:
        held.stream("frames", height=height + int(strength), width=width)
        return
    first = int(rng.integers(5, held.frame_count - 5))
    cover(held, first, held.frame_count, lambda _, p: cv2.resize(p, (width, height - int(strength) // 2 * 2)))
