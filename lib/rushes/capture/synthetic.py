"""The synthetic backend: the planted world of `rushes.worlds.synthetic` as a recording, as fast as it can be written.

Example:
    >>> with SyntheticBackend(frames=2).open(Clock()) as readings:
    ...     sum(type(r).__name__ == "Frame" for r in readings)
    2
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rushes.model.clock import Clock
from rushes.model.readings import Reading
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.synthetic import Synthetic


class SyntheticBackend:
    """Frames that carry their number, and inputs that are known.

    Args:
        frames: How many frames.
        rate_hz: Frames a second of nominal time.
        seed: Seed of the inputs.
        segments: Into how many segments the frames fall, with a pause of a second between them.
    """

    def __init__(self, *, frames: int = 300, rate_hz: float = 30.0, seed: int = 0, segments: int = 1) -> None:
        self._world = Synthetic(frames=frames, rate_hz=rate_hz, seed=seed, segments=segments)

    def describe(self) -> SessionInfo:
        """Describe the session; the same parameters give the same bytes."""
        world = self._world
        return SessionInfo(
            id=world.id,
            game="Synthetic",
            source={"kind": "synthetic", "name": "synthetic"},
            time_source="nominal",
            streams=self.specs(),
            action_space=world.action_space,
            provenance=world.parameters(),
        )

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams: the screen and the events."""
        height, width = self._world.size
        return (
            StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=self._world.rate_hz),
            StreamSpec("events", "events", unit="counts"),
        )

    @contextmanager
    def open(self, clock: Clock) -> Iterator[Iterator[Reading]]:
        """Begin; times are planted, so the clock is not asked."""
        del clock
        yield self._world.readings()
