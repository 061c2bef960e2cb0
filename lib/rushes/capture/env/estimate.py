"""About how long and how large a sampling will be, from a short trial of what it will do.

Example:
    >>> from rushes.capture.env.play import Play
    >>> estimate([Play("ALE/Pong-v5", frames_per_env=300, policy="uniform")], workers=1).frames
    300
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rushes.capture.env.backend import EnvBackend
from rushes.capture.env.play import Play
from rushes.capture.env.work import lanes
from rushes.model.clock import Clock
from rushes.model.readings import Frame, Sound
from rushes.store.images import encode_indexed, encode_rgb

_GB: Final = 1e9
_LONG_S: Final = 120
"""From here on an estimate is told in minutes."""
_ROW_BYTES: Final = 64
"""About what a step and a row of the index take, compressed."""
_SOUND_BYTES: Final = 180
"""About what the sound of a step takes: a chip's square waves in FLAC, and a row of its table."""
_START_S: Final = 1.5
"""About what a process of a pool takes to start and import what it needs."""


@dataclass(frozen=True)
class Estimate:
    """How long and how large a job will be.

    Attributes:
        frames: Frames in all.
        seconds: Wall time on this machine; None where no game could be tried.
        bytes: Size of the sessions; None where no game could be tried.
    """

    frames: int
    seconds: float | None = None
    bytes: int | None = None

    def __str__(self) -> str:
        if self.seconds is None or self.bytes is None:
            return f"{self.frames} frames; no game could be tried, so how long is not known"
        size = f"{self.bytes / 1e6:.1f} MB" if self.bytes < _GB else f"{self.bytes / _GB:.1f} GB"
        seconds = f"{self.seconds:.0f} s" if self.seconds < _LONG_S else f"{self.seconds / 60:.0f} min"
        return f"{self.frames} frames, about {seconds} and {size}"


def estimate(plays: Sequence[Play], *, workers: int = 0, trial_steps: int = 24) -> Estimate:
    """Try a few steps of the first game that works; nothing is stored.

    Args:
        plays: As `plan` gives them.
        workers: As `sample` takes them.
        trial_steps: How many steps to try.

    Raises:
        BadInputError: `workers` is negative.
    """
    total, count = sum(play.frames_per_env for play in plays), lanes(workers, len(plays))
    for play in plays:
        try:
            start_s, frame_s, size = _try(play, trial_steps)
        except Exception:  # noqa: BLE001, S112 - a game that fails is reported when it is sampled; the next one is tried here
            continue
        start_s = start_s * len(plays) / count + _START_S * (count > 1)
        return Estimate(total, start_s + frame_s * total / count, int(size * total))
    return Estimate(total)


def _try(play: Play, steps: int) -> tuple[float, float, float]:
    """Return the seconds that making the world takes, the seconds a frame, and the bytes a frame."""
    made = time.perf_counter()
    world = play.world()
    try:
        trial = replace(play, frames_per_env=min(steps, play.frames_per_env), max_episodes=1)
        size = frames = 0
        started = time.perf_counter()
        with EnvBackend(world, trial).open(Clock()) as readings:
            for reading in readings:
                if isinstance(reading, Frame) and isinstance(reading.pixels, np.ndarray):
                    pixels, palette = reading.pixels, reading.palette
                    coded = encode_rgb(pixels) if palette is None else encode_indexed(pixels, palette)
                    frames, size = frames + 1, size + len(coded) + _ROW_BYTES
                elif isinstance(reading, Sound):
                    size += _SOUND_BYTES
        return started - made, (time.perf_counter() - started) / frames, size / frames
    finally:
        world.close()
