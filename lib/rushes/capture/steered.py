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
from contextlib import contextmanager

from rushes.capture.encoding import Encoding, encoded
from rushes.model.clock import Clock
from rushes.model.readings import Reading
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
            yield encoded(self.world.readings(), encoding)
