"""A steered world as a recording in memory: nothing is written, and pictures are drawn when they are asked for.

Example:
    >>> from rushes.worlds.steered.world import Steered
    >>> recording = Steered(kind="mixed", seconds=20.0, pauses=1).recording()
    >>> [segment.frames for segment in recording.segments]
    [270, 270]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.clock import NS
from rushes.model.events import cut_events
from rushes.model.ledger import Tally
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Picture, Recording
from rushes.model.session import Segment
from rushes.worlds.steered.times import pauses_of

if TYPE_CHECKING:
    from rushes.worlds.steered.world import Steered


class SteeredRecording(Recording):
    """A steered world as a recording.

    Args:
        world: The world.

    Attributes:
        world: The same.
    """

    def __init__(self, world: Steered) -> None:
        self.world = world
        self.info = world.describe()
        self.problems = ()
        ticks = world.ticks
        dropped, repeats = ticks.dropped_before, ticks.repeats
        tally = Tally()
        tally.offer("frames", len(ticks) + int(dropped.sum()))
        tally.lose("frames", "dropped_tick", int(dropped.sum()))
        tally.mark("frames", "duplicate", int(repeats.sum()))
        tally.offer("events", len(world.events))
        self.ledger = tally.close()
        columns: dict[str, Any] = {
            "frame_index": np.arange(len(ticks)),
            "tick": ticks.tick,
            "picture": np.cumsum(~repeats) - 1,
            "t_ns": np.rint(ticks.stamp_s * NS).astype(np.int64),
            "segment": ticks.segment,
            "duplicate": repeats,
            "late": np.zeros(len(ticks), bool),
            "dropped_before": dropped,
        }
        self._index = pd.DataFrame(columns)[list(INDEX_COLUMNS)]
        self.segments = tuple(self._segments())

    def _segments(self) -> Iterator[Segment]:
        ends_s = [start_s for start_s, _ in pauses_of(self.world.seconds, self.world.pauses)]
        for number, end_s in enumerate([*ends_s, self.world.seconds]):
            rows = self._index[self._index["segment"] == number]
            first, last = int(rows["t_ns"].iloc[0]), int(rows["t_ns"].iloc[-1])
            reason = "end" if number == len(ends_s) else "pause"
            yield Segment(
                number, first, max(round(end_s * NS), last + 1), int(rows["frame_index"].iloc[0]), len(rows), reason
            )

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame; see `Recording.index`."""
        found = self._index
        return found if segment is None else found[found["segment"] == segment].reset_index(drop=True)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return nothing: it is recorded play."""
        del segment
        return pd.DataFrame({name: [] for name in STEP_COLUMNS})

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return what hands did, as it was stamped; of one segment begun with what is down at its start."""
        if segment is None:
            return self.world.events
        chosen = self.segments[segment]
        return cut_events(self.world.events, chosen.start_ns, chosen.end_ns)

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Draw pictures in order."""
        for number in range(start, stop):
            yield self.world.picture(number)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give nothing a frame: none is stored."""
        yield from [None] * (stop - start)
