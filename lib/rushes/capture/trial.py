"""The trial: does this machine keep up with a codec at a rate? Asked before a recording begins, answered within 2 s.

PNG costs what the picture costs, and a machine that falls behind drops frames for as long as the play lasts. So the
screen is watched for a moment, then grabbed at the asked rate while its newest picture is encoded over and over on
every core: what comes out in a second is the rate that can be kept up beside the game, the grabbing included. It is
held against the pictures that have to be encoded: a game that shows 35 new ones a second asks no more of a recording
at 60, whose other ticks repeat. A menu that stands still says nothing of that, so one that passes only because of it
is told as a warning.

Example:
    >>> from rushes.capture.live_synthetic import LiveSynthetic
    >>> backend = LiveSynthetic(codec="png")
    >>> trial(backend, rate_hz=1.0, seconds=0.2).keeps_up
    True
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.capture.encoding import Encoding
from rushes.capture.merge import Merge
from rushes.capture.source import LiveBackend
from rushes.errors import BadInputError, UnavailableError
from rushes.model.clock import Clock
from rushes.model.readings import Encoded, Frame

SECONDS: Final = 0.8
"""How long to encode."""
WATCH_S: Final = 0.4
"""How long to watch before that, while nothing is encoded and the game is not slowed down by it."""
MARGIN: Final = 1.25
"""What is offered instead stays below what was measured by this factor: a game has heavier moments."""
_FIRST_S: Final = 5.0
_WARM: Final = 2


@dataclass(frozen=True)
class Trial:
    """What came out.

    Attributes:
        rate_hz: What was asked for.
        sustained_hz: Pictures that were encoded in a second while the screen was grabbed.
        new_share: Part of the ticks that showed a new picture.
        seconds: How long it took in all.
    """

    rate_hz: float
    sustained_hz: float
    new_share: float
    seconds: float

    @property
    def keeps_up(self) -> bool:
        """Whether the machine keeps up with the new pictures that this screen shows."""
        return self.sustained_hz >= self.rate_hz * self.new_share

    @property
    def warning(self) -> str:
        """What to know where it keeps up only as long as the screen changes no faster, else `""`."""
        if not self.keeps_up or self.sustained_hz >= self.rate_hz:
            return ""
        return (
            f"this machine encodes {self.sustained_hz:.0f} pictures a second; should the game show more new ones than "
            "that, ticks are dropped and counted"
        )

    @property
    def possible_hz(self) -> int:
        """A rate that the machine keeps up with if every tick shows a new picture."""
        return max(1, int(self.sustained_hz / MARGIN))


def trial(backend: LiveBackend, *, rate_hz: float, codec: str = "png", seconds: float = SECONDS) -> Trial:
    """Try how many pictures of a backend's screen can be encoded in a second.

    Args:
        backend: Its first source is the screen; opened for the trial and closed again.
        rate_hz: What is asked for.
        codec: One of `rushes.capture.encoding.CODECS`.
        seconds: How long to encode.

    Raises:
        UnavailableError: The screen cannot be opened, or shows nothing.
    """
    started = time.perf_counter()
    screen = backend.describe().stream("frames")
    assert screen is not None
    merge = Merge(backend.sources()[:1], Clock(), hold_ns=0)
    merge.start()
    try:
        picture = _first_picture(merge)
        share = _new_share(merge)
        waiting: deque[Future[Encoded]] = deque()
        with Encoding(codec, width=screen.width, height=screen.height, rate_hz=rate_hz) as encoding:
            lanes = _WARM * encoding.workers
            done, begun = -lanes, time.perf_counter()
            while (now := time.perf_counter()) - begun < seconds or done < 1:
                while len(waiting) < lanes:
                    waiting.append(encoding.submit(picture))
                waiting.popleft().result()
                for reading in merge.take(0.0):
                    if isinstance(reading, Frame) and isinstance(reading.pixels, np.ndarray):
                        picture = reading.pixels
                done += 1
                if done == 0:  # the threads are warm
                    begun = time.perf_counter()
            return Trial(rate_hz, done / (now - begun), share, time.perf_counter() - started)
    finally:
        merge.stop()


def require_rate(backend: LiveBackend, *, rate_hz: float, codec: str = "png") -> Trial:
    """Refuse a rate that this machine does not keep up with.

    Raises:
        BadInputError: It does not; the message says what it does keep up with.
    """
    found = trial(backend, rate_hz=rate_hz, codec=codec)
    if not found.keeps_up:
        spec = backend.describe().stream("frames")
        assert spec is not None
        raise BadInputError(
            f"{codec} of {spec.width}x{spec.height} at {rate_hz:g} fps, of which {found.new_share:.0%} show a new "
            f"picture and this machine encodes {found.sustained_hz:.0f} a second beside what is running",
            accepts=f"up to {found.possible_hz} fps",
            fix=f"pass --fps {found.possible_hz}, or --codec lossless, which is exact too and much faster",
        )
    return found


def _new_share(merge: Merge) -> float:
    """Watch for a while: which part of the ticks shows a new picture?"""
    seen = new = 0
    until = time.perf_counter() + WATCH_S
    while time.perf_counter() < until:
        for reading in merge.take(0.05):
            if isinstance(reading, Frame):
                seen += 1 + reading.dropped_before
                new += isinstance(reading.pixels, np.ndarray)
    return new / seen if seen else 1.0


def _first_picture(merge: Merge) -> npt.NDArray[np.uint8]:
    until = time.perf_counter() + _FIRST_S
    while time.perf_counter() < until:
        for reading in merge.take(0.05):
            if isinstance(reading, Frame) and isinstance(reading.pixels, np.ndarray):
                return reading.pixels
        for end in merge.ends():
            if end.error is not None:
                raise end.error
    raise UnavailableError(
        f"a screen that shows nothing for {_FIRST_S:g} s", accepts="a screen with a picture", fix="start the game first"
    )
