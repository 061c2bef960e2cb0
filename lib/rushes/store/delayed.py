"""A recording whose inputs are moved to where they take effect, for everything that knows of no delay of its own.

The raw streams stay; this is a view. Events are moved by the delay, which may drift. The actions of an environment are
moved by whole steps: what moves out of an episode is left out with its observations, so that N actions still have N+1
observations; rewards and ends stay with the pictures that they belong to.

Example:
    >>> from rushes.store.reader import open_session
    >>> def as_they_took_effect(path):
    ...     return delayed(open_session(path), "measured").events()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.delay import Delay, moved
from rushes.model.events import cut_events
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Picture, Recording, Sessions
from rushes.model.session import Segment
from rushes.store.pairing import asked_delay, steps_of

MOVED_OUT: Final = "moved_out"
"""Reason in the ledger: an action, or an observation, that has no partner once actions are moved."""
_ACTION: Final = ("action", "action_name", "random_action", "is_human")


def delayed(recording: Recording, asked: str | float) -> Recording:
    """Move the inputs of a recording.

    Args:
        recording: Any recording.
        asked: ms by which inputs are moved later, or `measured`; see `store.pairing.asked_delay`.

    Returns:
        The recording itself where nothing is to be moved.

    Raises:
        BadInputError: No number, or nothing was measured.
    """
    delay_ms = asked_delay(recording, str(asked))
    told = delay_ms or isinstance(delay_ms, Delay)
    return Delayed(recording, delay_ms) if told else recording


def delayed_all(sessions: Sessions, asked: str | float) -> Sessions:
    """Move the inputs of every recording of a set; see `delayed`."""
    return sessions.over([delayed(recording, asked) for recording in sessions])


class Delayed(Recording):
    """A view of a recording with its inputs moved later.

    Args:
        recording: The recording.
        delay_ms: By how much, ms; a `Delay` may drift. Of an environment the nearest whole number of steps is taken.

    Attributes:
        delay_ms: The same.
        steps_moved: By how many steps the actions of an environment were moved; 0 for recorded play.

    Raises:
        BadInputError: An environment whose episodes are all shorter than that.
    """

    def __init__(self, recording: Recording, delay_ms: float) -> None:
        self._given, self.delay_ms = recording, delay_ms
        self.problems = recording.problems
        self.kept_at_moments = recording.kept_at_moments
        by = steps_of(recording, delay_ms) if recording.is_environment else 0
        self.steps_moved = by
        self.info = replace(recording.info, provenance={**recording.info.provenance, **_told(delay_ms, recording, by)})
        cut = [self._cut(segment) for segment in recording.segments]
        self._source = [segment.index for segment in cut if segment is not None]
        self.segments = tuple(replace(s, index=k) for k, s in enumerate(s for s in cut if s is not None))
        if recording.segments and not self.segments:
            raise BadInputError(
                f"{recording.info.id}: actions moved by {by} steps",
                accepts="fewer steps than its longest episode has",
                fix="look at the measured offset: `rushes qa PATH`",
            )
        self.ledger = self._account(recording.ledger)

    @property
    def whole(self) -> Recording:
        """What it is a view of, without any view between; see `Recording.whole`."""
        return self._given.whole

    def _cut(self, segment: Segment) -> Segment | None:
        """Leave out the observations whose actions moved in from nowhere, or out."""
        by = self.steps_moved
        if not by:
            return segment
        if segment.frames <= abs(by) + 1:
            return None
        t_ns = self._given.index(segment.index)["t_ns"].to_numpy(np.int64)
        attrs = {k: v for k, v in segment.attrs.items() if k != "score"} | {"actions_moved": by}
        if by > 0:
            return replace(
                segment,
                start_ns=int(t_ns[by]),
                first_frame=segment.first_frame + by,
                frames=segment.frames - by,
                attrs=attrs | {"from_step": int(segment.attrs.get("from_step", 0)) + by},
            )
        frames = segment.frames + by
        return replace(segment, end_ns=int(t_ns[frames]), frames=frames, end_reason=MOVED_OUT, attrs=attrs)

    def _account(self, ledger: Ledger) -> Ledger:
        if not self.steps_moved:
            return ledger
        kept = {"frames": self.frame_count, "actions": sum(len(self.steps(s.index)) for s in self.segments)}
        if "episodes" in ledger:
            kept["episodes"] = len(self.segments)
        return Ledger({stream: _less(account, kept.get(stream)) for stream, account in ledger.items()})

    def _each(self, segment: int | None) -> tuple[Segment, ...]:
        return self.segments if segment is None else (self.segments[segment],)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame that is left; see `Recording.index`."""
        if not self.steps_moved:
            return self._given.index(segment)
        parts = [self._inside(self._given.index(self._source[s.index]), s) for s in self._each(segment)]
        return pd.concat(parts, ignore_index=True)

    def _inside(self, table: pd.DataFrame, segment: Segment) -> pd.DataFrame:
        inside = (table["frame_index"] >= segment.first_frame) & (table["frame_index"] < segment.stop_frame)
        return table[inside].assign(segment=segment.index).reset_index(drop=True)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action, each at the observation that it was moved to; see `Recording.steps`."""
        by = self.steps_moved
        if not by:
            return self._given.steps(segment)
        parts = []
        for one in self._each(segment):
            table = self._given.steps(self._source[one.index])
            stay, move = (table.iloc[by:], table.iloc[:-by]) if by > 0 else (table.iloc[:by], table.iloc[-by:])
            columns = {name: move[name].to_numpy() for name in _ACTION}
            parts.append(stay.assign(segment=one.index, **columns).reset_index(drop=True))
        return pd.concat(parts, ignore_index=True)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return the events, moved; see `Recording.events`."""
        if self.is_environment:
            return self.step_edges(segment) if self.steps_moved else self._given.events(segment)
        whole = self._given.events()
        times = moved(whole["t_ns"].to_numpy(np.int64), self.delay_ms)
        whole = whole.assign(t_ns=times).sort_values("t_ns", kind="stable", ignore_index=True)
        if segment is None:
            return whole
        return cut_events(whole, self.segments[segment].start_ns, self.segments[segment].end_ns)

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return what the game reported within what is left; see `Recording.telemetry`."""
        if not self.steps_moved:
            return self._given.telemetry(segment)
        whole = self._given.telemetry()
        parts = [
            whole[(whole["t_ns"] >= s.start_ns) & (whole["t_ns"] < s.end_ns)].assign(segment=s.index)
            for s in self._each(segment)
        ]
        return pd.concat(parts, ignore_index=True)

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give the sound, which is not moved; see `Recording.sound`."""
        return self._given.sound(stream)

    def sound_between(self, stream: str, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Give blocks of the sound, which is not moved; see `Recording.sound_between`."""
        return self._given.sound_between(stream, start_ns, stop_ns)

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures by their frame_index; see `Recording.frames`."""
        return self._given.frames(start, stop)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored; see `Recording.pictures`."""
        return self._given.pictures(start, stop)


def _told(delay_ms: float, recording: Recording, steps: int) -> dict[str, Any]:
    """Say by how much inputs were moved, for whoever finds what is made of it."""
    if recording.is_environment:
        return {"actions_moved_steps": steps} if steps else {}
    pieces = [asdict(piece) for piece in delay_ms.pieces] if isinstance(delay_ms, Delay) else []
    return {"inputs_moved_ms": float(delay_ms)} | ({"inputs_moved_pieces": pieces} if pieces else {})


def _less(account: Account, kept: int | None) -> Account:
    """Count what was left out."""
    if kept is None or kept >= account.kept:
        return account
    lost = Counter(account.lost) + Counter({MOVED_OUT: account.kept - kept})
    return replace(account, kept=kept, lost=dict(lost))
