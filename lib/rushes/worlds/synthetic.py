"""A planted world: every frame carries its number in its pixels, and every input is known beforehand.

The number is drawn as 24 black and white cells, so that it can be read back from a picture that went through any
codec; a ball moves by the mouse's motion, so that a picture shows what the inputs did.

Example:
    >>> world = Synthetic(frames=10)
    >>> read_counter(world.picture(7))
    7
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Event, Frame, Gap, Reading, Start

CELLS: Final = 24
"""Bits of the counter, most significant first, in one row of cells at the top of the picture."""
CELL_PX: Final = 6
_HALF: Final = 127
_TAPS: Final = 0.3
"""Part of the presses that are shorter than a frame."""
_KEYS: Final = ("KeyW", "KeyA", "KeyS", "KeyD", "Space")
_PAUSE_NS: Final = NS


def draw_counter(picture: npt.NDArray[np.uint8], number: int) -> None:
    """Draw a number into the top of a picture, in place.

    Args:
        picture: (H, W, 3) uint8 with W >= CELLS * CELL_PX.
        number: 0 to 2**CELLS - 1.
    """
    bits = [(number >> (CELLS - 1 - i)) & 1 for i in range(CELLS)]
    row = np.repeat(np.array(bits, np.uint8) * 255, CELL_PX)
    picture[:CELL_PX, : CELLS * CELL_PX] = row[None, :, None]


def read_counter(picture: npt.NDArray[np.uint8]) -> int:
    """Read the number back from the middles of the cells.

    Args:
        picture: (H, W, 3) uint8, as drawn or after any codec.
    """
    middle = CELL_PX // 2
    cells = picture[middle, middle : CELLS * CELL_PX : CELL_PX].mean(axis=-1) > _HALF
    return int("".join("1" if c else "0" for c in cells), 2)


@dataclass(frozen=True)
class Synthetic:
    """A stretch of play whose every frame and input is known.

    Attributes:
        frames: Frames in all.
        rate_hz: Frames a second.
        seed: Seed of the inputs.
        segments: Stretches with a pause of one second between them.
        size: (height, width) in pixels.
    """

    frames: int = 300
    rate_hz: float = 30.0
    seed: int = 0
    segments: int = 1
    size: tuple[int, int] = (120, 160)

    def __post_init__(self) -> None:
        if not 1 <= self.segments <= self.frames:
            raise BadInputError(
                f"segments={self.segments} for frames={self.frames}",
                accepts="1 to as many as frames",
                fix="pass segments=1",
            )

    @property
    def id(self) -> str:
        """Deterministic id."""
        return f"synthetic-{self.frames}-{self.rate_hz:g}-{self.seed}-{self.segments}"

    @property
    def action_space(self) -> ActionSpace:
        """Five keys, a mouse button and the mouse's motion."""
        return ActionSpace.from_names([*_KEYS, "MouseLeft", "MouseDX", "MouseDY"])

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return {"frames": self.frames, "rate_hz": self.rate_hz, "seed": self.seed, "segments": self.segments}

    def times_ns(self) -> npt.NDArray[np.int64]:
        """Return the time of every frame: (frames,) int64 ns, with the pauses."""
        number = np.arange(self.frames)
        pauses = number * self.segments // self.frames
        return (number * NS / self.rate_hz).astype(np.int64) + pauses * _PAUSE_NS

    def events(self) -> tuple[Event, ...]:
        """Return every input: holds, taps shorter than a frame, and mouse motion, in the order of time."""
        rng = np.random.default_rng([self.seed, 0])
        times = self.times_ns()
        period = int(NS / self.rate_hz)
        found: list[Event] = []
        for number, key in enumerate(_KEYS):
            for start in range(3 + 2 * number, self.frames - 12, 17 + number):
                at = int(times[start]) + int(rng.integers(period))
                hold = period // 5 if rng.random() < _TAPS else int(rng.integers(period, 8 * period))
                found += [Event(at, "keyboard", key, "press", 1.0), Event(at + hold, "keyboard", key, "release", 0.0)]
        for t_ns in times:
            for _ in range(int(rng.integers(3))):
                dx, dy = (float(v) for v in rng.integers(-9, 10, 2))
                found.append(Event(int(t_ns) + int(rng.integers(period)), "mouse", "Mouse", "move", dx=dx, dy=dy))
        return tuple(sorted(found, key=lambda e: e.t_ns))

    def picture(self, number: int) -> npt.NDArray[np.uint8]:
        """Draw a frame: (H, W, 3) uint8 RGB with its number at the top and a moving square below."""
        height, width = self.size
        picture = np.full((height, width, 3), (32, 40, 56), np.uint8)
        x, y = (number * 3) % (width - 16), 20 + (number * 2) % (height - 40)
        picture[y : y + 16, x : x + 16] = (232, 180, 60)
        draw_counter(picture, number)
        return picture

    def readings(self) -> Iterator[Reading]:
        """Yield everything in the order of time; inputs in a pause are yielded too and belong to no segment."""
        times, waiting = self.times_ns(), list(reversed(self.events()))
        edges = [-(-k * self.frames // self.segments) for k in range(self.segments + 1)]
        for first, stop in pairwise(edges):
            yield from _until(waiting, int(times[first]))
            yield Start(int(times[first]), {})
            for number in range(first, stop):
                yield from _until(waiting, int(times[number]))
                yield Frame(int(times[number]), self.picture(number))
            end = int(times[stop - 1]) + int(NS / self.rate_hz)
            yield from _until(waiting, end)
            yield Gap(end, "end" if stop == self.frames else "pause")
        yield from reversed(waiting)


def _until(waiting: list[Event], t_ns: int) -> Iterator[Event]:
    while waiting and waiting[-1].t_ns < t_ns:
        yield waiting.pop()
