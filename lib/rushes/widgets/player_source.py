"""What a player shows: frames numbered from 0, each with its time and with the recording that its picture lies in.

A path may be anything that `open_any` reads, or a link that a player made; of several sessions the first is shown,
unless another is asked for. An episode is shown alone. Labelled samples are shown row by row, four a second: the
picture as the row transforms it, and its label.

Example:
    >>> def frames(path):
    ...     return len(open_shown(path))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, MissingError, near
from rushes.formats.base import open_any
from rushes.formats.samples import open_sources
from rushes.model.clock import NS
from rushes.model.recording import Episode, Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.model.session import Segment
from rushes.store.reader import Session
from rushes.widgets.player_link import Link

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Given = str | Path | Recording | Episode | Sessions | Samples

SAMPLES_HZ: Final = 4.0
"""Rows of a table that are shown a second."""


@dataclass(frozen=True)
class Stretch:
    """A segment as it is shown.

    Attributes:
        start: Its first frame.
        stop: The frame behind its last one.
        start_ns: Time of its first frame, ns since session start.
        end_ns: Its end, behind the time of its last frame.
        segment: The segment; None for rows of a table.
    """

    start: int
    stop: int
    start_ns: int
    end_ns: int
    segment: Segment | None = None


@dataclass(frozen=True)
class Shown:
    """One source of a player.

    Attributes:
        name: What it is, in a few words.
        where: Path that it was opened from, from the root on, or `""`.
        session: Id, where it is one of several at this path, else `""`.
        recordings: What its pictures lie in; one, unless it is a table of samples.
        source: (N,) int64, the recording of each frame.
        frame_index: (N,) int64, its number there; -1 where the recording is not there.
        t_ns: (N,) int64 ns since session start.
        stretches: Its unbroken parts in order.
        late: (N,) bool.
        duplicate: (N,) bool, whether it shows the picture before it again.
        dropped: (N,) int64, frames that are missing before it.
        samples: The rows, where it is a table.
        rate_hz: Frames a second; 0 where nothing tells.
    """

    name: str
    where: str
    session: str
    recordings: tuple[Recording, ...]
    source: Ints
    frame_index: Ints
    t_ns: Ints
    stretches: tuple[Stretch, ...]
    late: Bools
    duplicate: Bools
    dropped: Ints
    samples: Samples | None = None
    rate_hz: float = 0.0

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def recording(self) -> Recording:
        """The recording that is shown, the first one of a table."""
        return self.recordings[0]

    @property
    def session_of_ours(self) -> Session | None:
        """The session directory that marks can be stored in; None where there is none."""
        whole = self.recordings[0].whole if self.samples is None else None
        return whole if isinstance(whole, Session) else None

    @cached_property
    def ends_ns(self) -> Ints:
        """(N,) int64 ns since session start: the end of each frame, the time of the next or the end of its stretch."""
        ends = np.append(self.t_ns[1:], np.int64(0))
        for stretch in self.stretches:
            ends[stretch.stop - 1] = stretch.end_ns
        return ends

    @cached_property
    def stretch_of(self) -> Ints:
        """(N,) int64, number of the stretch that each frame lies in."""
        return np.repeat(np.arange(len(self.stretches)), [s.stop - s.start for s in self.stretches])

    def place(self, frame: int) -> tuple[Recording, int]:
        """Say in which recording a frame lies, and its frame_index there.

        Raises:
            BadInputError: No such frame.
            MissingError: The recording of a sample is not there.
        """
        if not 0 <= frame < len(self):
            raise BadInputError(f"frame {frame}", accepts=f"0 to {len(self) - 1}", fix="ask for a frame that is there")
        if self.frame_index[frame] < 0 and self.samples is not None:
            raise MissingError(
                f"session {self.samples.rows['session'].iloc[frame]} of row {frame}",
                accepts="a table whose sessions are there",
                fix="put the session back where the table says, or make the table anew",
            )
        return self.recordings[int(self.source[frame])], int(self.frame_index[frame])

    @cached_property
    def reach_ns(self) -> tuple[float, float]:
        """What belongs here, ns since session start: up to its other frames, without end where there are none."""
        numbers, count = self.frame_index, self.recording.whole.frame_count
        first = float(self.t_ns[0]) if self.samples is None and numbers[0] > 0 else -np.inf
        last = float(self.ends_ns[-1]) if self.samples is None and numbers[-1] < count - 1 else np.inf
        return first, last

    def meets(self, start_ns: int, end_ns: int) -> bool:
        """Say whether a moment, or a stretch [start, end) of time, belongs to what is shown."""
        first, last = self.reach_ns
        return start_ns < last and (end_ns > first or start_ns >= first)

    def at(self, t_ns: int) -> int:
        """Give the frame that is shown at a time: the last one that began, 0 before the first."""
        return int(np.clip(np.searchsorted(self.t_ns, t_ns, side="right") - 1, 0, len(self) - 1))

    def frame_of(self, frame_index: int) -> int:
        """Give the frame with a frame_index, or the nearest one that is left."""
        at = int(np.searchsorted(self.frame_index, frame_index))
        return int(np.clip(at, 0, len(self) - 1))

    def link(self, frame: int) -> str:
        """Write a link to a frame.

        Raises:
            BadInputError: It was not opened from a path.
        """
        if not self.where:
            raise BadInputError(
                f"a link to {self.name}, which was passed as an object",
                accepts="what was opened from a path",
                fix="pass the path to player(), or write the session to one",
            )
        return Link(self.where, frame, self.session).text(int(self.t_ns[frame]) / NS)

    def __repr__(self) -> str:
        return f"<Shown {self.name}: {len(self)} frames>"


def open_shown(given: Given, session: int | str = "") -> Shown:
    """Open what a player is given.

    Args:
        given: See `rushes.widgets.player.player`.
        session: Number or id of one of several sessions; `""` for the first.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is of no format, or damaged.
        BadInputError: Nothing in it can be shown, or no such session.
    """
    if isinstance(given, str | Path):
        return replace(open_shown(open_any(given), session), where=str(Path(given).absolute()))
    if isinstance(given, Sessions):
        return _of_sessions(given, session)
    if isinstance(given, Samples):
        return _of_samples(given, open_sources(given)[0])
    if isinstance(given, Recording):
        return _of_recording(given, given.segments)
    if not isinstance(given, Episode):
        raise BadInputError(
            f"a player of {type(given).__name__}",
            accepts="a path, a recording, an episode, sessions or samples",
            fix="pass the path of a session",
        )
    shown = _of_recording(given.recording, (given.segment,))
    return replace(shown, name=f"{shown.name}, {given.name}", where="")


def _of_sessions(given: Sessions, session: int | str) -> Shown:
    if given.samples is not None:
        return _of_samples(given.samples, given)
    chosen = _chosen(given, session)
    shown = _of_recording(given[chosen], given[chosen].segments)
    if len(given) == 1:
        return shown
    told = f"{shown.name} (session {chosen + 1} of {len(given)})"
    return replace(shown, name=told, session=given[chosen].info.id)


def _chosen(sessions: Sessions, asked: int | str) -> int:
    names = [recording.info.id for recording in sessions]
    if not names:
        raise BadInputError(
            f"{sessions.format} without a recording", accepts="at least one session", fix="open another"
        )
    if asked == "":
        return 0
    if asked in names:
        return names.index(str(asked))
    if str(asked).isdigit() and int(asked) < len(names):
        return int(asked)
    raise BadInputError(
        f"session={asked!r}",
        accepts=f"0 to {len(names) - 1}, or one of {', '.join(names[:8])}{', ...' * (len(names) > 8)}",  # noqa: PLR2004
        fix=near(str(asked), names) or "leave session out for the first",
    )


def _of_recording(recording: Recording, segments: Iterable[Segment]) -> Shown:
    some = tuple(one for one in segments if one.frames)
    whole = some == tuple(one for one in recording.segments if one.frames)
    index = recording.index() if whole or not some else recording.index(some[0].index)
    if not len(index):
        raise BadInputError(f"{recording.info.id}, without a frame", accepts="at least one frame", fix="open another")
    t_ns = index["t_ns"].to_numpy(np.int64)
    stretches, start = [], 0
    for one in some:
        stop = start + one.frames
        stretches.append(Stretch(start, stop, int(t_ns[start]), max(one.end_ns, int(t_ns[stop - 1]) + 1), one))
        start = stop
    kind = recording.whole
    where = str(kind.path.absolute()) if isinstance(kind, Session) and kind is recording and whole else ""
    game = recording.info.game
    return Shown(
        f"{game}, {recording.info.id}" if game and game != recording.info.id else recording.info.id,
        where, "", (recording,), np.zeros(len(index), np.int64), index["frame_index"].to_numpy(np.int64), t_ns,
        tuple(stretches), index["late"].to_numpy(bool), index["duplicate"].to_numpy(bool),
        index["dropped_before"].to_numpy(np.int64), None, recording.rate_hz,
    )  # fmt: skip


def _of_samples(samples: Samples, recordings: Iterable[Recording]) -> Shown:
    several = tuple(recordings)
    if not len(samples) or not several:
        what = "a table without a row" if not len(samples) else "samples whose sessions are not there"
        raise BadInputError(what, accepts="rows, and the recordings of their pictures", fix="make the table anew")
    place = {recording.info.id: k for k, recording in enumerate(several)}
    source = np.array([place.get(name, -1) for name in samples.rows["session"]], np.int64)
    last = samples.rows["frame_index"].to_numpy(np.int64) + samples.rows["length"].to_numpy(np.int64) - 1
    t_ns = (np.arange(len(samples)) * (NS / SAMPLES_HZ)).astype(np.int64)
    no = np.zeros(len(samples), bool)
    return Shown(
        f"{len(samples):,} samples of {len(several)} session{'s' * (len(several) > 1)}", "", "", several,
        source, np.where(source < 0, -1, last), t_ns,
        (Stretch(0, len(samples), 0, round(len(samples) * NS / SAMPLES_HZ)),),
        no, no, np.zeros(len(samples), np.int64), samples, SAMPLES_HZ,
    )  # fmt: skip
