"""A recording held in memory, that may be spoilt: tables to change, pictures to paint over, sound to cut.

`Held.of` takes all that a recording has; a fault then changes the copy and no disk. Pictures stay where they are until
somebody asks for them: a frame shows one of the source's pictures, perhaps painted over.

Example:
    >>> from rushes.worlds.steered.world import Steered
    >>> def without_the_last(recording):
    ...     held = Held.of(recording)
    ...     held.drop(np.array([recording.frame_count - 1]))
    ...     return held
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.events import cut_events
from rushes.model.ledger import Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Picture, Recording
from rushes.model.session import StreamSpec

Pixels = npt.NDArray[np.uint8]
Paint = Callable[[int, Pixels], Pixels]
"""(number of the frame, its picture) -> what it shows instead."""
_AHEAD = 64


class Held(Recording):
    """A copy of a recording that may be changed.

    Attributes:
        source: What it was taken from; its pictures are read from there.
        frames_table: Columns `INDEX_COLUMNS`; assign to change it.
        events_table: Columns `EVENT_COLUMNS`.
        steps_table: Columns `STEP_COLUMNS`.
        shows: (N,) int64: the picture of the source that each frame shows.
        paints: What is done to every picture, in order.
        blocks: Stream of sound -> its blocks.
    """

    def __init__(self, source: Recording) -> None:
        self.source, self.info, self.segments = source, source.info, source.segments
        self.ledger, self.problems = Ledger(dict(source.ledger)), source.problems
        self.frames_table = source.index().copy()
        self.events_table = source.events().copy()
        self.steps_table = source.steps().copy()
        self.shows = self.frames_table["frame_index"].to_numpy(np.int64).copy()
        self.paints: list[Paint] = []
        self.blocks = {stream.name: list(source.sound(stream.name)) for stream in source.sound_streams}

    @classmethod
    def of(cls, source: Recording) -> Held:
        """Take a copy of all that a recording has; its pictures stay where they are."""
        return cls(source)

    # --- what a recording gives ---

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """See `Recording`."""
        return _of(self.frames_table, segment)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """See `Recording`."""
        return _of(self.steps_table, segment)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """See `Recording`; those of an environment follow from its steps."""
        if self.is_environment:
            return self.step_edges(segment)
        if segment is None:
            return self.events_table
        one = self.segments[segment]
        return cut_events(self.events_table, one.start_ns, one.end_ns)

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """See `Recording`."""
        at = start
        while at < stop:  # runs of pictures that follow on each other are read in one go
            run = 1
            while at + run < stop and self.shows[at + run] == self.shows[at] + run:
                run += 1
            for picture in self.source.frames(int(self.shows[at]), int(self.shows[at]) + run):
                shown = picture
                for paint in self.paints:
                    shown = paint(at, shown)
                yield shown
                at += 1

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """See `Recording`; none is stored as a file of its own."""
        return iter([None] * (stop - start))

    def sound(self, stream: str) -> Iterator[Sound]:
        """See `Recording`."""
        self.sound_stream(stream)
        return iter(self.blocks[stream])

    # --- what faults change ---

    @property
    def same_pictures(self) -> bool:
        """Whether every frame still shows at its time what it shows in the source."""
        mine, theirs = self.frames_table, self.source.index()
        return (
            not self.paints
            and len(mine) == len(theirs) == len(self.shows)
            and bool((mine["t_ns"].to_numpy() == theirs["t_ns"].to_numpy()).all())
            and bool((self.shows == theirs["frame_index"].to_numpy()).all())
            and [s.frames for s in self.segments] == [s.frames for s in self.source.segments]
        )

    def drop(self, rows: npt.NDArray[np.int64], *, counted: bool = False) -> None:
        """Take frames out, as if they had never been grabbed.

        Args:
            rows: Their numbers.
            counted: Whether the frames behind say so in `dropped_before`, and the ledger too.
        """
        table = self.frames_table
        keep = ~table["frame_index"].isin(rows).to_numpy()
        lost = np.zeros(len(table), np.int64)
        if counted:
            behind = np.cumsum(keep)[~keep]  # how many of those that stay come before each that goes
            there = behind[behind < keep.sum()]
            np.add.at(lost, np.flatnonzero(keep)[there], 1)
        left = table[keep].reset_index(drop=True)
        left["dropped_before"] += lost[keep]
        left["frame_index"] = np.arange(len(left))
        left["picture"] = np.arange(len(left))
        self.frames_table, self.shows = left, self.shows[keep]
        counts = left.groupby("segment").size()
        first, segments = 0, []
        for segment in self.segments:
            frames = int(counts.get(segment.index, 0))
            segments.append(replace(segment, first_frame=first, frames=frames))
            first += frames
        self.segments = tuple(segments)
        if "frames" in self.ledger:
            account = self.ledger["frames"]
            gone = int((~keep).sum())
            offered = account.offered if counted else account.offered - gone
            more = dict(account.lost) | ({"dropped": account.lost.get("dropped", 0) + gone} if counted else {})
            self.ledger = Ledger(
                dict(self.ledger) | {"frames": replace(account, offered=offered, kept=len(left), lost=more)}
            )

    def paint(self, paint: Paint) -> None:
        """Do something to every picture."""
        self.paints.append(paint)

    def stream(self, kind: str, **changes: object) -> None:
        """Change what the description says of the first stream of a kind."""
        old = self.info.stream(kind)
        assert old is not None
        new: StreamSpec = replace(old, **changes)  # type: ignore[arg-type]
        self.info = replace(self.info, streams=tuple(new if s is old else s for s in self.info.streams))

    def segment(self, number: int, **changes: object) -> None:
        """Change what a segment says of itself."""
        every = list(self.segments)
        every[number] = replace(every[number], **changes)  # type: ignore[arg-type]
        self.segments = tuple(every)

    def __repr__(self) -> str:
        return f"<Held: {self.frame_count} frames of {self.source!r}>"


def _of(table: pd.DataFrame, segment: int | None) -> pd.DataFrame:
    return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)
