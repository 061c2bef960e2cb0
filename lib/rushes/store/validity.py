"""Marks that hold: a session as its side facts leave it, without the stretches that somebody marked invalid.

The raw streams stay; this is a view. A marked stretch is cut out, so that no window crosses it: what is left of a
segment becomes segments of its own. Frames keep their `frame_index`, and the ledger counts what was left out.

Example:
    >>> from rushes.store.reader import open_session
    >>> def what_may_be_used(path):
    ...     return honour(open_session(path)).frame_count
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.events import cut_events
from rushes.model.ledger import Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Picture, Recording, Sessions
from rushes.model.session import Segment
from rushes.model.sounds import cut, overlapping
from rushes.store.facts import Fact
from rushes.store.reader import Session

INVALID: Final = "invalid"
"""end_reason of a segment that ends at a marked stretch."""
MARKED: Final = "marked_invalid"
"""Reason in the ledger."""
_EVER: Final = int(np.iinfo(np.int64).max)


def honour(recording: Recording) -> Recording:
    """Give a recording without the stretches that are marked invalid.

    Args:
        recording: Any recording; only a session of ours has marks.

    Returns:
        The recording itself where nothing is marked.
    """
    if not isinstance(recording, Session):
        return recording
    marks = [(f.t_start_ns, f.t_end_ns) for f in recording.facts if f.kind == "validity" and not f.value["valid"]]
    return Valid(recording, marks) if marks else recording


def honour_all(sessions: Sessions) -> Sessions:
    """Give every recording of a set without its marked stretches."""
    return sessions.over([honour(recording) for recording in sessions])


class Valid(Recording):
    """A view of a session without marked stretches.

    Args:
        session: The session.
        marks: Pairs of start and end, ns since session start; None reaches to the session's edge. A frame is marked
            when its time lies in [start, end).
    """

    def __init__(self, session: Session, marks: list[tuple[int | None, int | None]]) -> None:
        self._session, self.info, self.problems = session, session.info, session.problems
        self._marks = marks
        found = [part for segment in session.segments for part in self._cut(segment)]
        self.segments = tuple(replace(part, index=number) for number, (part, _) in enumerate(found))
        self._source = [index for _, index in found]
        kept = {"frames": self.frame_count, "actions": sum(len(self.steps(s.index)) for s in self.segments)}
        self.ledger = Ledger(
            {
                stream: replace(account, kept=kept[stream], lost={**account.lost, MARKED: account.kept - kept[stream]})
                if stream in kept and account.kept > kept[stream]
                else account
                for stream, account in session.ledger.items()
            }
        )

    @property
    def session(self) -> Session:
        """The session that it is a view of; a frame_index means the same in both."""
        return self._session

    @property
    def whole(self) -> Recording:
        """The session that it is a view of; see `Recording.whole`."""
        return self._session

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The side facts of the session."""
        return self._session.facts

    def _marked(self, t_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        marked = np.zeros(len(t_ns), bool)
        for start, end in self._marks:
            marked |= (t_ns >= (start if start is not None else -1)) & (
                t_ns < (end if end is not None else np.iinfo(np.int64).max)
            )
        return marked

    def _cut(self, segment: Segment) -> Iterator[tuple[Segment, int]]:
        t_ns = self._session.index(segment.index)["t_ns"].to_numpy()
        marked = self._marked(t_ns)
        if not marked.any():
            yield segment, segment.index
            return
        edges = np.flatnonzero(np.diff(np.concatenate([[True], marked, [True]]).astype(np.int8)))
        for first, stop in edges.reshape(-1, 2):
            last = stop == len(t_ns)
            before = int(segment.attrs.get("from_step", 0)) + int(first)
            attrs = dict(segment.attrs) | ({"from_step": before} if before else {})
            attrs.pop("score", None)
            yield (
                replace(
                    segment,
                    start_ns=int(t_ns[first]),
                    end_ns=segment.end_ns if last else int(t_ns[stop]),
                    first_frame=segment.first_frame + int(first),
                    frames=int(stop - first),
                    end_reason=segment.end_reason if last else INVALID,
                    attrs=attrs,
                ),
                segment.index,
            )

    def _rows(self, table: pd.DataFrame, segment: Segment, *, stop: int) -> pd.DataFrame:
        inside = (table["frame_index"] >= segment.first_frame) & (table["frame_index"] < stop)
        return table[inside].assign(segment=segment.index).reset_index(drop=True)

    def _each(self, segment: int | None) -> tuple[Segment, ...]:
        return self.segments if segment is None else (self.segments[segment],)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame that is left; see `Recording.index`."""
        parts = [
            self._rows(self._session.index(self._source[s.index]), s, stop=s.stop_frame) for s in self._each(segment)
        ]
        return pd.concat(parts, ignore_index=True) if parts else self._session.index().iloc[:0]

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action whose outcome is left too; see `Recording.steps`."""
        parts = []
        for one in self._each(segment):
            stop = one.stop_frame - (one.end_reason == INVALID)
            parts.append(self._rows(self._session.steps(self._source[one.index]), one, stop=stop))
        return pd.concat(parts, ignore_index=True) if parts else self._session.steps().iloc[:0]

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return the events within what is left, each part begun with what is down there; see `Recording.events`."""
        parts = [
            cut_events(self._session.events(self._source[one.index]), one.start_ns, one.end_ns)
            for one in self._each(segment)
        ]
        return pd.concat(parts, ignore_index=True) if parts else self._session.events().iloc[:0]

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return the telemetry within what is left; see `Recording.telemetry`."""
        whole = self._session.telemetry()
        parts = [
            whole[(whole["t_ns"] >= s.start_ns) & (whole["t_ns"] < s.end_ns)].assign(segment=s.index)
            for s in self._each(segment)
        ]
        return pd.concat(parts, ignore_index=True) if parts else whole.iloc[:0]

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give the sound within what is left, cut to the sample; see `Recording.sound`."""
        self.sound_stream(stream)
        return self._sound(stream, self.segments)

    def sound_between(self, stream: str, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Give blocks of the sound within what is left; see `Recording.sound_between`."""
        self.sound_stream(stream)
        near = [s for s in self.segments if s.start_ns < stop_ns and s.end_ns > start_ns]
        return overlapping(self._sound(stream, near, start_ns, stop_ns), start_ns, stop_ns)

    def _sound(
        self, stream: str, segments: Iterable[Segment], start_ns: int = 0, stop_ns: int = _EVER
    ) -> Iterator[Sound]:
        for segment in segments:
            within = max(segment.start_ns, start_ns), min(segment.end_ns, stop_ns)
            for block in self._session.sound_between(stream, *within):
                left = cut(block, segment.start_ns, segment.end_ns)
                if left is not None:
                    yield left

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures by their frame_index; see `Recording.frames`."""
        return self._session.frames(start, stop)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored; see `Recording.pictures`."""
        return self._session.pictures(start, stop)
