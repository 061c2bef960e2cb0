"""A steered world as a recording on the disk: what `rushes.worlds.steered` plants, written as a desktop session is.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rushes.capture.recorder import record
    >>> world = Steered(kind="keys_local", seconds=1.0, offset_ms=60.0)
    >>> session = record(SteeredBackend(world), Path(tempfile.mkdtemp()) / "take")
    >>> session.frame_count, session.info.stream("frames").codec
    (30, 'h264')
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from rushes.capture.encoding import Encoding
from rushes.model.clock import Clock
from rushes.model.readings import Encoded, Frame, Reading, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.steered.world import Steered


class SteeredBackend:
    """The readings of a steered world, its pictures encoded.

    Args:
        world: The world.
        codec: `h264`, `h265`, `lossless` or `png`.
    """

    def __init__(self, world: Steered, *, codec: str = "h264") -> None:
        self.world, self.codec = world, codec

    def describe(self) -> SessionInfo:
        """Describe the session; the same world gives the same description."""
        return self.world.describe(self.codec)

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams: the screen and the events."""
        return self.describe().streams

    @contextmanager
    def open(self, clock: Clock) -> Iterator[Iterator[Reading]]:
        """Begin; times are planted, so the clock is not asked."""
        del clock
        height, width = self.world.size
        with Encoding(self.codec, width=width, height=height, rate_hz=self.world.rate_hz) as encoding:
            yield self._encoded(encoding)

    def _encoded(self, encoding: Encoding) -> Iterator[Reading]:
        """Hand pictures to the encoder some ahead of when they are asked for."""
        waiting: list[tuple[Reading, Future[Encoded] | None]] = []
        begins = True
        for reading in self.world.readings():
            future = None
            begins = begins or isinstance(reading, Start)
            if isinstance(reading, Frame) and reading.pixels is not None and not isinstance(reading.pixels, Encoded):
                future = encoding.submit(reading.pixels, key=begins)
                begins = False
            waiting.append((reading, future))
            if len(waiting) >= 4 * encoding.room:
                yield _finished(*waiting.pop(0))
        for held in waiting:
            yield _finished(*held)


def _finished(reading: Reading, future: Future[Encoded] | None) -> Reading:
    if future is None or not isinstance(reading, Frame):
        return reading
    return reading._replace(pixels=future.result())
