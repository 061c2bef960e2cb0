"""A foreign set as a recording: its tables at hand, its pictures read when they are asked for.

A reader of a format fills `Imported` with one part a segment: the times of its frames and the events that its rows
stand for (`rushes.model.rows`). Where the pictures lie is a `Frames`; sets of labels alone have `NoFrames`.

Example:
    >>> import numpy as np
    >>> from rushes.model.events import events_frame
    >>> part = Part(t_ns=np.array([0, 100]), end_ns=200, tick=np.array([7, 8]), events=events_frame(), end_reason="gap")
    >>> [segment.frames for segment in segments_of([part, part])], index_of([part])["tick"].tolist()
    ([2, 2], [7, 8])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import MissingError
from rushes.model.events import events_frame
from rushes.model.findings import Problem
from rushes.model.ledger import Ledger
from rushes.model.recording import STEP_COLUMNS, Picture, Recording
from rushes.model.session import Segment, SessionInfo

Pixels = npt.NDArray[np.uint8]


ASSUMED_HZ: Final = 30.0
"""Frames a second where nothing tells: the NitroGen Capture program's default."""


class Frames(Protocol):
    """Where the pictures of a set lie; frames are numbered as the set's recording numbers them."""

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Decode pictures in order: (H, W, 3) uint8 RGB, one a frame from `start` to `stop` - 1."""

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored; None where a frame has no file of its own."""


@dataclass(frozen=True)
class NoFrames:
    """Labels without pictures.

    Attributes:
        where: The set, for the message.
        fix: How to get pictures.
    """

    where: str
    fix: str

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Refuse.

        Raises:
            MissingError: Always.
        """
        del start, stop
        raise MissingError(f"{self.where}: labels without pictures", accepts="a set with its pictures", fix=self.fix)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file."""
        return iter([None] * (stop - start))


@dataclass(frozen=True)
class Part:
    """One segment of a foreign set.

    Attributes:
        t_ns: (N,) int64 ns since session start of its frames, rising.
        end_ns: End of its last row.
        tick: (N,) int64, numbers of its ticks; a gap within a segment is `dropped_before` of the frame behind it.
        events: Its events, columns `events.COLUMNS`.
        end_reason: Why it ends.
        attrs: What holds for all of it.
        duplicate: (N,) bool where it is known.
        late: (N,) bool where it is known.
    """

    t_ns: npt.NDArray[np.int64]
    end_ns: int
    tick: npt.NDArray[np.int64]
    events: pd.DataFrame
    end_reason: str
    attrs: Mapping[str, Any] = field(default_factory=dict)
    duplicate: npt.NDArray[np.bool_] | None = None
    late: npt.NDArray[np.bool_] | None = None

    def __repr__(self) -> str:
        return f"Part({len(self.t_ns)} frames, {len(self.events)} events, {self.end_reason})"


def segments_of(parts: Sequence[Part]) -> tuple[Segment, ...]:
    """Number the segments of a set."""
    firsts = np.cumsum([0, *(len(part.t_ns) for part in parts)]).tolist()
    return tuple(
        Segment(number, int(p.t_ns[0]), p.end_ns, first, len(p.t_ns), p.end_reason, p.attrs)
        for number, (p, first) in enumerate(zip(parts, firsts, strict=False))
    )


def index_of(parts: Sequence[Part]) -> pd.DataFrame:
    """Make the table of a set's frames: columns `INDEX_COLUMNS`."""
    count = sum(len(part.t_ns) for part in parts)
    flags = {
        name: np.concatenate([
            np.zeros(0, bool),
            *(np.zeros(len(p.t_ns), bool) if getattr(p, name) is None else getattr(p, name) for p in parts),
        ])
        for name in ("duplicate", "late")
    }  # fmt: skip
    none = np.zeros(0, np.int64)
    return pd.DataFrame(
        {
            "frame_index": np.arange(count),
            "tick": np.concatenate([none, *(p.tick for p in parts)]),
            "picture": np.arange(count),
            "t_ns": np.concatenate([none, *(p.t_ns for p in parts)]),
            "segment": np.repeat(np.arange(len(parts)), [len(p.t_ns) for p in parts]),
            **flags,
            "dropped_before": np.concatenate([none, *(np.diff(p.tick, prepend=p.tick[0] - 1) - 1 for p in parts)]),
        }
    )


def told_in(telemetry: pd.DataFrame, segment: int | None) -> pd.DataFrame:
    """Give the rows of a table of telemetry that lie in a segment; all where it is None."""
    if segment is None:
        return telemetry.copy(deep=False)
    return telemetry[telemetry["segment"] == segment].reset_index(drop=True)


class Imported(Recording):
    """A foreign set of recorded play.

    Args:
        info: Its description.
        parts: Its segments.
        frames: Where its pictures lie.
        ledger: What was offered, kept and lost in reading.
        problems: What reading had to work around.
        telemetry: What the game reported; see `Recording.telemetry`.
    """

    def __init__(
        self,
        info: SessionInfo,
        parts: Sequence[Part],
        frames: Frames,
        *,
        ledger: Ledger,
        problems: Iterable[Problem] = (),
        telemetry: pd.DataFrame | None = None,
    ) -> None:
        self.info, self.ledger, self.problems = info, ledger, tuple(problems)
        self.segments = segments_of(parts)
        self._events = [part.events for part in parts]
        self._index, self._frames = index_of(parts), frames
        self._telemetry = super().telemetry() if telemetry is None else telemetry

    @property
    def source_of_frames(self) -> Frames:
        """Where its pictures lie: all that a worker needs that only shows them, without the tables."""
        return self._frames

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame; see `Recording.index`."""
        if segment is None:
            return self._index.copy(deep=False)
        one = self.segments[segment]
        return self._index.iloc[one.first_frame : one.stop_frame].reset_index(drop=True)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return nothing: nobody stepped an environment."""
        del segment
        return pd.DataFrame({column: [] for column in STEP_COLUMNS})

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return the events that the rows stand for; see `Recording.events`.

        For all segments, what is still down where one ends is let go there: what follows is not known.
        """
        if segment is not None:
            return self._events[segment].copy(deep=False)
        parts = [events_frame()]
        for one, events in zip(self.segments, self._events, strict=True):
            parts += [events, _let_go(events, one.end_ns)]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return what the game reported; see `Recording.telemetry`. What lies in no segment has none."""
        return told_in(self._telemetry, segment)

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Decode pictures in order; see `Recording.frames`.

        Raises:
            MissingError: The set has labels alone, or a file went away.
        """
        self._check(start, stop)
        return self._frames.frames(start, stop)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored; see `Recording.pictures`."""
        self._check(start, stop)
        return self._frames.pictures(start, stop)

    def _check(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.frame_count:
            raise IndexError(f"frames {start} to {stop} of a session that has {self.frame_count}")


def _let_go(events: pd.DataFrame, end_ns: int) -> pd.DataFrame:
    """Release what is down, and bring sticks home, at the end of a segment."""
    last = events[events["kind"].isin(["press", "release", "state", "axis"])]
    last = last.drop_duplicates(["device", "control"], keep="last")
    sticks, held = last["kind"] == "axis", last["value"].fillna(0.0) != 0  # a state without a value is a place
    down = last[(last["kind"] == "press") | ((last["kind"] == "state") & held) | (sticks & held)]
    axis = down["kind"] == "axis"
    return down.assign(
        t_ns=np.int64(end_ns), kind=np.where(axis, "axis", "release"), value=np.where(axis, 0.0, np.nan)
    ).astype(events.dtypes.to_dict())
