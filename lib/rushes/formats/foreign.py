"""One environment of an Atari file as a recording: tables at hand, pictures read when they are asked for.

Example:
    >>> # open_any("atari_training_data.parquet")[0].frame(0).shape
    >>> AtariRecording.__mro__[1].__name__
    'Recording'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.formats.found import Found
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.recording import Picture, Recording
from rushes.model.session import Segment, SessionInfo
from rushes.store import images


class Piece(NamedTuple):
    """A segment and where its pictures lie.

    Attributes:
        segment: The segment.
        found: The episode that it is of.
        start: Position of its first frame there.
        stop: Position after its last.
    """

    segment: Segment
    found: Found
    start: int
    stop: int


class AtariRecording(Recording):
    """One environment of an Atari file; pictures are read when they are asked for.

    Args:
        info: Its description.
        pieces: Its segments with where their pictures lie.
        index: Columns `INDEX_COLUMNS`.
        steps: Columns `STEP_COLUMNS`.
        tally: What was counted.
        problems: What reading had to work around.
    """

    def __init__(
        self,
        info: SessionInfo,
        pieces: list[Piece],
        index: pd.DataFrame,
        steps: pd.DataFrame,
        *,
        tally: Tally,
        problems: Iterable[Problem],
    ) -> None:
        self.info = info
        self._pieces, self._index, self._steps = pieces, index, steps
        self.segments = tuple(piece.segment for piece in pieces)
        self.ledger = tally.close()
        self.problems = tuple(problems)

    def _part(self, table: pd.DataFrame, segment: int | None) -> pd.DataFrame:
        if segment is None:
            return table.copy(deep=False)
        first, last = np.searchsorted(table["segment"].to_numpy(), [segment, segment + 1])
        return table.iloc[first:last].reset_index(drop=True)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame; see `Recording.index`."""
        return self._part(self._index, segment)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action; see `Recording.steps`."""
        return self._part(self._steps, segment)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return the edges that follow from the steps; see `Recording.events`."""
        return self.step_edges(segment)

    def _data(self, start: int, stop: int) -> Iterator[tuple[bytes, str]]:
        if not 0 <= start <= stop <= self.frame_count:
            raise IndexError(f"frames {start} to {stop} of a session that has {self.frame_count}")
        for segment, found, first, last in self._pieces:
            here = max(start, segment.first_frame), min(stop, segment.stop_frame)
            if here[0] < here[1]:
                shift = first - segment.first_frame
                assert here[1] + shift <= last
                yield from ((data, found.where) for data in found.fetch(here[0] + shift, here[1] + shift))

    def pictures(self, start: int, stop: int) -> Iterator[Picture]:
        """Give pictures as they are stored; see `Recording.pictures`."""
        for data, _ in self._data(start, stop):
            yield Picture("png-indexed" if images.is_indexed(data) else "png", data)

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order; see `Recording.frames`."""
        for number, (data, where) in enumerate(self._data(start, stop), start):
            yield images.decode(data, where=f"{where}, frame {number} of {self.info.id}")
