"""What every session offers, whether it lies in our own directory or was read from a foreign file.

Formats, previews, checks and loaders are written against `Recording` and know nothing of where it lies. Frames
are addressed by `frame_index`, 0-based over the session, and every table carries it: keys join, positions never.

Example (any recording):
    >>> def mean_brightness(recording):
    ...     return [frame.mean() for frame in recording.frames(0, recording.frame_count)]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError, BadNameError
from rushes.model.clock import NS
from rushes.model.events import edges_from_actions, events_frame
from rushes.model.findings import Problem
from rushes.model.ledger import Ledger
from rushes.model.readings import Sound
from rushes.model.sample_table import Samples
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.model.sounds import overlapping

INDEX_COLUMNS = ("frame_index", "tick", "picture", "t_ns", "segment", "duplicate", "late", "dropped_before")
STEP_COLUMNS = (
    "frame_index", "t_ns", "segment", "action", "action_name", "reward", "terminated", "truncated", "lives",
    "random_action", "is_human",
)  # fmt: skip
EVENT_COLUMNS = ("t_ns", "device", "control", "kind", "value", "x", "y", "dx", "dy", "flag")


class Picture(NamedTuple):
    """One picture as it is stored.

    Attributes:
        codec: `png-indexed` or `png`.
        data: The encoded file.
    """

    codec: str
    data: bytes


class Recording(ABC):
    """A session that can be read.

    Attributes:
        info: Its description.
        segments: Its unbroken stretches in order.
        ledger: What was offered, kept and lost on the way here.
        problems: What reading had to work around.
        kept_at_moments: Whether pictures stand at certain moments only and are no film: what lies between two of them
            was not dropped, and says nothing about rates.
    """

    info: SessionInfo
    segments: tuple[Segment, ...]
    ledger: Ledger
    problems: tuple[Problem, ...]
    kept_at_moments: bool = False

    @abstractmethod
    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame.

        Args:
            segment: Only this segment; None for all.

        Returns:
            Columns `INDEX_COLUMNS`: frame_index, tick, picture int64, t_ns int64, segment int64, duplicate bool,
            late bool, dropped_before int64.
        """

    @abstractmethod
    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action of an environment; empty for recorded play.

        Args:
            segment: Only this segment; None for all.

        Returns:
            Columns `STEP_COLUMNS`; row (frame_index k) is the action taken on observation k, with what came of it.
        """

    @abstractmethod
    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an input event; for environments the edges that follow from their steps.

        Args:
            segment: Only this segment; None for all.

        Returns:
            Columns `EVENT_COLUMNS`.
        """

    @abstractmethod
    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order.

        Args:
            start: First frame_index.
            stop: frame_index after the last.

        Yields:
            (H, W, 3) uint8 RGB, one a frame.
        """

    @abstractmethod
    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored, without decoding.

        Args:
            start: First frame_index.
            stop: frame_index after the last.

        Yields:
            One a frame; None where a frame is not stored as a picture of its own (video).
        """

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return what the game reported: t_ns, segment, frame_index and its own fields; empty where nothing was.

        Args:
            segment: Only this segment; None for all.
        """
        del segment
        return pd.DataFrame({"t_ns": [], "segment": [], "frame_index": []}).astype("int64")

    @property
    def sound_streams(self) -> tuple[StreamSpec, ...]:
        """The streams of sound, in the order of the description; empty where nothing was heard."""
        return tuple(stream for stream in self.info.streams if stream.kind == "sound")

    def sound_stream(self, stream: str) -> StreamSpec:
        """Give a stream of sound by its name.

        Args:
            stream: Its name: `system`, `mic`, `game`.

        Raises:
            BadNameError: There is no such stream.
        """
        streams = {spec.name: spec for spec in self.sound_streams}
        if stream not in streams:
            raise BadNameError(
                f"sound stream {stream!r}",
                accepts=", ".join(streams) or "none: the session has no sound",
                fix="`rushes info PATH` lists the streams",
            )
        return streams[stream]

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give what a stream of sound holds.

        Args:
            stream: Its name: `system`, `mic`, `game`.

        Yields:
            Blocks in the order of time, samples (N, C) int16 or float32; where one does not follow on the one
            before, nothing was recorded between them.

        Raises:
            BadNameError: There is no such stream.
        """
        self.sound_stream(stream)
        return iter(())

    def sound_between(self, stream: str, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Give the blocks of a stream of which something lies in a stretch of time, each one whole.

        Args:
            stream: Its name.
            start_ns: ns since session start.
            stop_ns: ns since session start, behind the stretch.

        Yields:
            As `sound` does; the first may begin before the stretch and the last may end after it.

        Raises:
            BadNameError: There is no such stream.
        """
        return overlapping(self.sound(stream), start_ns, stop_ns)

    def step_edges(self, segment: int | None = None) -> pd.DataFrame:
        """Derive the button edges that follow from discrete steps; the steps are the truth.

        Args:
            segment: Only this segment; None for all.

        Returns:
            Columns `EVENT_COLUMNS`; empty where actions are vectors.
        """
        names = self.info.action_space.names
        if self.info.action_space.kind != "discrete":
            return events_frame()
        world, parts = names[0].partition("/")[0], []
        for one in self.segments if segment is None else (self.segments[segment],):
            steps = self.steps(one.index)
            said = zip(steps["action_name"], steps["action"], strict=True)
            parts.append(edges_from_actions(steps["t_ns"], [n or names[a] for n, a in said], world=world))
        return pd.concat(parts, ignore_index=True) if parts else events_frame()

    @property
    def whole(self) -> Recording:
        """The recording that this is a view of, whose frames have the same numbers; itself where it is none."""
        return self

    @property
    def frame_count(self) -> int:
        """How many frames the session has."""
        return sum(s.frames for s in self.segments)

    @property
    def duration_s(self) -> float:
        """Seconds in segments."""
        return sum(s.end_ns - s.start_ns for s in self.segments) / NS

    @property
    def rate_hz(self) -> float:
        """Frames a second: as its stream says, else by the median step of its frames; 0 where neither tells."""
        stream = self.info.stream("frames")
        if stream is not None and stream.rate_hz > 0:
            return float(stream.rate_hz)
        steps = [np.diff(self.index(segment.index)["t_ns"].to_numpy(np.int64)) for segment in self.segments]
        whole = np.concatenate([np.zeros(0, np.int64), *steps])
        middle = float(np.median(whole)) if len(whole) else 0.0
        return NS / middle if middle > 0 else 0.0

    @property
    def is_environment(self) -> bool:
        """Whether it has steps (N actions, N+1 observations an episode) rather than free-running input."""
        return self.info.stream("steps") is not None

    @property
    def has_events(self) -> bool:
        """Whether what hands did is known as events: of recorded play, and of an environment played by hand."""
        return not self.is_environment or self.info.stream("events") is not None

    def frame(self, frame_index: int) -> npt.NDArray[np.uint8]:
        """Decode one picture: (H, W, 3) uint8 RGB."""
        return next(iter(self.frames(frame_index, frame_index + 1)))

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a segment, in order."""
        for segment in self.segments:
            yield Episode(self, segment)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.info.id}: {self.info.game}, {len(self.segments)} segments, "
            f"{self.frame_count} frames, {self.duration_s:.1f} s {self.info.time_source}>"
        )


def by_id(recordings: Recording | Iterable[Recording]) -> dict[str, Recording]:
    """Name recordings by their ids.

    Args:
        recordings: One or several.

    Returns:
        Id -> recording, in the order given.

    Raises:
        BadInputError: Two of them have one id.
    """
    found: dict[str, Recording] = {}
    for recording in [recordings] if isinstance(recordings, Recording) else recordings:
        if recording.info.id in found:
            raise BadInputError(
                f"two recordings with the id {recording.info.id}",
                accepts="recordings, each once",
                fix="leave out the copy",
            )
        found[recording.info.id] = recording
    return found


@dataclass(frozen=True)
class Episode:
    """One segment of an environment: N+1 observations, N actions.

    Attributes:
        recording: The session it belongs to.
        segment: Its segment.
    """

    recording: Recording
    segment: Segment

    @property
    def name(self) -> str:
        """`episode_000_rand0.2` where the randomness is known, else `episode_000`."""
        number = self.segment.attrs.get("episode", self.segment.index)
        randomness = self.segment.attrs.get("randomness")
        return f"episode_{number:03d}" + (f"_rand{randomness:g}" if isinstance(randomness, int | float) else "")

    @property
    def observations(self) -> int:
        """How many pictures it has."""
        return self.segment.frames

    @property
    def steps(self) -> pd.DataFrame:
        """Its actions; columns `STEP_COLUMNS`."""
        return self.recording.steps(self.segment.index)

    @property
    def score(self) -> float:
        """Sum of its rewards."""
        return float(self.steps["reward"].sum())

    def frames(self) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode its pictures in order: (H, W, 3) uint8 RGB."""
        return self.recording.frames(self.segment.first_frame, self.segment.stop_frame)

    def pictures(self) -> Iterator[Picture | None]:
        """Give its pictures as they are stored."""
        return self.recording.pictures(self.segment.first_frame, self.segment.stop_frame)


class Sessions(Sequence[Recording]):
    """An ordered set of recordings, as reading a path gives.

    Args:
        recordings: In manifest order.
        format: Name of the format that they were read from.
        problems: What concerns the whole path rather than one recording.
        ledger: Sums that concern the whole path.
        samples: Labelled rows over these recordings, where the path holds such.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        *,
        format: str,  # noqa: A002 - the word that users know
        problems: Sequence[Problem] = (),
        ledger: Ledger | None = None,
        samples: Samples | None = None,
    ) -> None:
        self._recordings = recordings
        self.format = format
        self.samples = samples
        self._problems = tuple(problems)
        self._ledger = ledger or Ledger()

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Recording]: ...
    def __getitem__(self, index: int | slice) -> Recording | Sequence[Recording]:
        return self._recordings[index]

    def __len__(self) -> int:
        return len(self._recordings)

    @property
    def own_problems(self) -> tuple[Problem, ...]:
        """What concerns the whole path rather than one recording."""
        return self._problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What reading had to work around, in the path and in each recording."""
        return self._problems + tuple(p for r in self for p in r.problems)

    @property
    def ledger(self) -> Ledger:
        """The sum of all ledgers."""
        return sum((r.ledger for r in self), self._ledger)

    def over(self, recordings: Sequence[Recording]) -> Sessions:
        """Give the same set over other recordings, such as views of its own."""
        return Sessions(
            recordings, format=self.format, problems=self._problems, ledger=self._ledger, samples=self.samples
        )

    def episodes(self) -> Iterator[Episode]:
        """Yield every episode of every recording, in order."""
        for recording in self:
            yield from recording.episodes()

    def __repr__(self) -> str:
        return f"<Sessions from {self.format}: {len(self)} recordings, {sum(r.frame_count for r in self)} frames>"
