"""The planted rescue as a recording on the disk: what `rushes.worlds.rescue` plants, written as a browser's session is.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> session = record_rescue(Path(tempfile.mkdtemp()) / "play", seconds=5.0, seed=7)
    >>> session.frame_count, session.info.stream("frames").codec, int(session.telemetry()["frame_index"].max())
    (50, 'png', 49)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rushes.capture.encoding import Encoding, encoded
from rushes.capture.recorder import record
from rushes.model.clock import Clock
from rushes.model.readings import Reading
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import Session
from rushes.worlds.rescue.world import Rescue


class RescueBackend:
    """The readings of a planted rescue, its pictures encoded.

    Args:
        world: The world.
    """

    def __init__(self, world: Rescue) -> None:
        self.world = world

    def describe(self) -> SessionInfo:
        """Describe the session; the same world gives the same description."""
        return self.world.describe()

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams: the screen, the events and the telemetry."""
        return self.describe().streams

    @contextmanager
    def open(self, clock: Clock) -> Iterator[Iterator[Reading]]:
        """Begin; times are planted, so the clock is not asked."""
        del clock
        height, width = self.world.size
        with Encoding("png", width=width, height=height, rate_hz=self.world.rate_hz) as encoding:
            yield encoded(self.world.readings(), encoding)


def record_rescue(path: str | Path, *, seconds: float = 48.0, seed: int = 7, offset_ms: float = 0.0) -> Session:
    """Write a planted rescue, as fast as it can be drawn.

    Args:
        path: A new or empty directory.
        seconds: How long is played, 5 or more.
        seed: Decides city, hand and times.
        offset_ms: How long after an input its effect comes.

    Returns:
        The session; the same numbers give the same one.

    Raises:
        BadInputError: A number out of its range.
        OccupiedError: The directory holds something.
        StorageError: The folder cannot be written.
    """
    return record(RescueBackend(Rescue(seconds=seconds, seed=seed, offset_ms=offset_ms)), path)
