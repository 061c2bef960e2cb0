"""Frames with what was done on each: the one place where pictures and inputs of a recording are put together.

`pairs` goes through the segments of any recording. Row k is a frame and what happened in [t_k, t_{k+1}); the last row
of recorded play ends with the segment, the last observation of an environment has no action and is counted. Programs
that note the inputs when the frame is taken have another interval, (t_{k-1}, t_k]: `before` gives the rows so, and
`snapshot` what was down at the instant t_k.

Example:
    >>> from rushes.store.reader import open_session
    >>> def jumps(path):
    ...     return [int(pair.grid.pressed["Space"].sum()) for pair in pairs(open_session(path))]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.delay import Delay, Piece, moved
from rushes.model.grid import Grid, to_grid
from rushes.model.recording import Recording
from rushes.model.session import Segment
from rushes.store.facts import Fact
from rushes.store.reader import Session
from rushes.store.validity import Valid

Ints = npt.NDArray[np.int64]

MEASURED: Final = "measured"
MOST_MS: Final = 86_400_000.0
"""The longest delay that is taken, either way: a day."""


@dataclass(frozen=True)
class Pair:
    """The N rows of one segment.

    Attributes:
        segment: The segment.
        index: One row a frame that has an action, columns `INDEX_COLUMNS`; frames are named by `frame_index`.
        grid: What was done on each of these frames.
        unpaired: Frames at the segment's end on which nothing was done (an environment's last observation).
        events: The segment's events, as `Recording.events` gives them.
    """

    segment: Segment
    index: pd.DataFrame
    grid: Grid
    unpaired: int
    events: pd.DataFrame

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def before(self) -> Grid:
        """The same frames with what happened in (t_{k-1}, t_k]; row 0 is the instant t_0."""
        t_ns = self.grid.t_ns
        starts = np.concatenate([t_ns[:1], t_ns[:-1] + 1])
        return to_grid(self.events, starts, end_ns=int(t_ns[-1]) + 1, action_delay_ms=self.grid.action_delay_ms)

    @cached_property
    def snapshot(self) -> Grid:
        """The same frames with what was down, and where sticks stood, at the instant t_k; motion means nothing here."""
        t_ns = self.grid.t_ns
        starts = np.repeat(t_ns, 2)
        starts[1::2] = np.minimum(t_ns + 1, np.append(t_ns[1:], t_ns[-1] + 1))  # two frames may have one time
        whole = to_grid(self.events, starts, end_ns=int(t_ns[-1]) + 1, action_delay_ms=self.grid.action_delay_ms)
        return _every_second(whole)

    def without_place(self, controls: Iterable[str]) -> Counter[str]:
        """Count the events in the segment that a set of controls has no place for.

        Args:
            controls: Physical controls that have one.

        Returns:
            Control -> events. A press and its release are two; motion of the pointer counts under `MouseDX` when
            neither of its directions has a place.
        """
        names, placed, _ = self._placed(controls)
        return Counter(names[~placed].tolist())

    def rows_with_place(self, controls: Iterable[str]) -> Ints:
        """Number the row of each event in the segment that a set of controls has a place for; see `without_place`."""
        _, placed, times = self._placed(controls)
        return np.searchsorted(self.grid.t_ns, times[placed], side="right") - 1

    def _placed(self, controls: Iterable[str]) -> tuple[pd.Series[str], npt.NDArray[np.bool_], Ints]:
        """Give name, whether it has a place, and time of each event that the grid counts."""
        known = set(controls)
        used = self._used()
        names = used["control"].where(used["control"] != POINTER, MOUSE_MOTIONS[0])
        if MOUSE_MOTIONS[1] in known:
            known.add(MOUSE_MOTIONS[0])
        times = moved(used["t_ns"].to_numpy(np.int64), self.grid.action_delay_ms)
        return names, names.isin(known).to_numpy(bool), times

    def _used(self) -> pd.DataFrame:
        """Give the rows that the grid counts: in the segment, no states, no chords of the recorder."""
        times = moved(self.events["t_ns"].to_numpy(np.int64), self.grid.action_delay_ms)
        inside = (times >= self.grid.t_ns[0]) & (times < self.grid.ends_ns[-1])
        found: pd.DataFrame = self.events[inside & (self.events["kind"] != "state") & (self.events["flag"] != "hotkey")]
        return found

    def __repr__(self) -> str:
        return f"Pair(segment {self.segment.index}, {len(self)} rows, {self.unpaired} frames without an action)"


def _every_second(grid: Grid) -> Grid:
    even = slice(None, None, 2)
    tables = {
        name: {control: values[even] for control, values in getattr(grid, name).items()}
        for name in ("held", "pressed", "released", "fraction", "motion", "axes")
    }
    return Grid(
        grid.t_ns[even],
        grid.ends_ns[even],
        holds=grid.holds,
        pointer=grid.pointer[even],
        action_delay_ms=grid.action_delay_ms,
        ledger=grid.ledger,
        **tables,
    )


def pairs(recording: Recording, *, action_delay_ms: float = 0.0) -> Iterator[Pair]:
    """Go through the segments of a recording that have at least one action.

    Args:
        recording: Any recording.
        action_delay_ms: Moves every event this much later first; see `delay_of`.

    Yields:
        One pair a segment, in order; the tables of one segment are held at a time.
    """
    for segment in recording.segments:
        index = recording.index(segment.index)
        count = len(recording.steps(segment.index)) if recording.is_environment else len(index)
        if not count:
            continue
        t_ns = index["t_ns"].to_numpy(np.int64)
        end_ns = segment.end_ns if count == len(index) else int(t_ns[count])
        events = recording.events(segment.index)
        grid = to_grid(events, t_ns[:count], end_ns=end_ns, action_delay_ms=action_delay_ms)
        yield Pair(segment, index.iloc[:count].reset_index(drop=True), grid, len(index) - count, events)


def _measured(recording: Recording, offsets: Sequence[Fact]) -> Delay:
    segments = (recording.session if isinstance(recording, Valid) else recording).segments
    start_ns, end_ns = (segments[0].start_ns, segments[-1].end_ns) if segments else (0, 0)
    pieces: list[Piece] = []
    for fact in offsets:
        if fact.t_start_ns is None and fact.t_end_ns is None:
            pieces.clear()
        first = start_ns if fact.t_start_ns is None else fact.t_start_ns
        last = end_ns if fact.t_end_ns is None else fact.t_end_ns
        value = fact.value
        drift_ppm = float(value["drift_ppm"] or 0.0)
        pieces.append(Piece(fact.t_start_ns, fact.t_end_ns, float(value["ms"]), drift_ppm, (first + last) // 2))
    return Delay(pieces[0].ms, tuple(pieces))


def asked_delay(recording: Recording, asked: str) -> float:
    """Read how much later inputs are wanted.

    Args:
        recording: The recording that it is for.
        asked: A number of ms as text, or `measured`: the offsets among the session's side facts. A fact about the whole
            session takes the place of all before it, one about a stretch counts there. Its `ms` holds in the middle of
            what it is about, and grows by its `drift_ppm`; where no fact reaches, the first one's `ms` is taken.

    Returns:
        ms by which inputs are moved later; a `Delay` where it was measured.

    Raises:
        BadInputError: No number, or nothing was measured.
    """
    if asked.strip().lower() == MEASURED:
        facts = recording.facts if isinstance(recording, Session | Valid) else ()
        offsets = [fact for fact in facts if fact.kind == "offset"]
        if not offsets:
            raise BadInputError(
                f"action_delay_ms=measured for {recording.info.id}, whose offset nobody measured",
                accepts="a session with an offset among its facts, or a number",
                fix="`rushes qa PATH --keep` measures a session and stores its offset, and `rushes convert --format "
                "session` makes one of other files; or pass a number of milliseconds",
            )
        return _measured(recording, offsets)
    try:
        found = float(asked)
    except ValueError:
        found = np.nan
    if not abs(found) <= MOST_MS:
        raise BadInputError(
            f"action_delay_ms={asked!r}",
            accepts=f"a number of milliseconds up to {MOST_MS:.0f} either way, or measured",
            fix="write action_delay_ms=0",
        )
    return found


def steps_of(recording: Recording, delay_ms: float) -> int:
    """Give the whole steps that are nearest to a delay: by so many the actions of an environment move."""
    return round(float(delay_ms) / 1000 * recording.rate_hz)


def delay_of(recording: Recording, asked: str) -> float:
    """Read an `action_delay_ms` option of what moves events by their times, which an environment's actions have not.

    Args:
        recording: The recording that it is for.
        asked: See `asked_delay`.

    Returns:
        ms by which events are moved later, see `asked_delay`; 0 for an environment.

    Raises:
        BadInputError: No number, nothing was measured, or an environment's actions would have to move by a step or
            more.
    """
    found = asked_delay(recording, asked)
    if not recording.is_environment:
        return found
    if by := steps_of(recording, found):
        raise BadInputError(
            f"action_delay_ms={asked} for {recording.info.id}, an environment: its actions would move by {by} steps",
            accepts=f"less than half a step, {500 / recording.rate_hz:.0f} ms, here",
            fix=f"move them first: `rushes convert PATH NEW --format session --action-delay-ms {asked}`",
        )
    return 0.0
