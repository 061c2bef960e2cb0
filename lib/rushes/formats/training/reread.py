"""Recordings out of a training file: as they were, with the pictures that the file has.

Where the arrays lie is a `Stored`; each container has its own. Nothing in a file is believed before it fits: a
description, segments or places that do not fit each other are damage, and the message says which.

Example:
    >>> def games(stored):
    ...     return [recording.info.game for recording in recordings_of(stored)]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.imported import Imported, Part, Pixels
from rushes.formats.training import tables
from rushes.formats.training.plan import BLOCKS, SCHEMA
from rushes.formats.training.told import telemetry_of
from rushes.model.events import events_frame
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Picture
from rushes.model.session import Segment, SessionInfo

Ints = npt.NDArray[np.int64]


class Stored(Protocol):
    """A file whose arrays can be read."""

    where: str

    def about(self) -> Mapping[str, Any]:
        """Say what holds for the whole file."""

    def sessions(self) -> int:
        """Count its recordings."""

    def about_session(self, number: int) -> Mapping[str, Any]:
        """Say what holds for a recording."""

    def table(self, number: int, name: str) -> npt.NDArray[Any]:
        """Read the rows of a small array that are of a recording."""

    def values(self, number: int, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        """Read some of them."""

    def pictures(self, number: int, at: Ints) -> Iterator[Pixels]:
        """Read pictures of a recording by their places: those with a row first, then the others."""


@dataclass(frozen=True)
class StoredFrames:
    """The frames of a recording in a file; see `imported.Frames`.

    Attributes:
        stored: The file.
        number: Which recording.
        at: (N,) the place of each frame's picture.
        shape: What each must be: (H, W, 3).
    """

    stored: Stored
    number: int
    at: Ints
    shape: tuple[int, int, int]

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Read pictures in order: (H, W, 3) uint8 RGB.

        Raises:
            BadDataError: One is not there, or of another shape than the file says.
        """
        for pixels in self.stored.pictures(self.number, self.at[start:stop]):
            if pixels.shape != self.shape or pixels.dtype != np.uint8:
                where = f"{self.stored.where}, session {self.number}"
                raise _damage(f"{where}: a picture of {pixels.shape} {pixels.dtype} instead of {self.shape} uint8")
            yield pixels

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file."""
        return iter([None] * (stop - start))


class Reread(Imported):
    """A recording of a training file.

    Args:
        stored: The file.
        number: Which recording.

    Raises:
        BadDataError: Its description and its tables do not fit each other.
    """

    def __init__(self, stored: Stored, number: int) -> None:
        self._stored, self._number = stored, number
        said = stored.about_session(number)
        try:
            info = SessionInfo.from_json(said["info"])
            segments = tuple(Segment.from_json(one) for one in said["segments"])
            frames, steps = stored.table(number, "frames"), stored.table(number, "steps")
            events = tables.events_of(stored.table(number, "events"))
            of_segment = stored.table(number, "events")["segment"]
            index, self._steps = tables.index_of(frames), tables.steps_of(steps)
            has_told = bool(said.get("counts", {}).get("telemetry", 0))
            telemetry = telemetry_of(stored.table(number, "telemetry")) if has_told else None
            fits = _fit(segments, frames)
            heard = [stream.name for stream in info.streams if stream.kind == "sound"]
            blocks = stored.table(number, "sound_blocks") if heard else np.zeros(0, BLOCKS)
            samples = [int(blocks["count"][blocks["stream"] == place].sum()) for place in range(len(heard))]
        except BadDataError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise _damage(f"{stored.where}, session {number}: {type(error).__name__} {error}") from error
        if not fits:
            raise _damage(f"{stored.where}, session {number}: segments and frames that do not fit each other")
        parts = [
            Part(
                index["t_ns"].to_numpy()[s.first_frame : s.stop_frame],
                s.end_ns,
                index["tick"].to_numpy()[s.first_frame : s.stop_frame],
                events[of_segment == s.index].reset_index(drop=True),
                s.end_reason,
            )
            for s in segments
        ]
        ledger = {"frames": Account(len(frames), len(frames)), "episodes": Account(len(segments), len(segments))}
        if len(steps):
            ledger["actions"] = Account(len(steps), len(steps))
        if len(events):
            edges = int((events["kind"] != "state").sum())
            ledger["events"] = Account(edges, edges)
        if told := 0 if telemetry is None else len(telemetry):
            ledger["telemetry"] = Account(told, told)
        ledger |= {name: Account(count, count) for name, count in zip(heard, samples, strict=True)}
        spec = info.stream("frames")
        shape = (spec.height, spec.width, 3) if spec else (0, 0, 3)
        pictures = StoredFrames(stored, number, frames["at"].copy(), shape)
        super().__init__(info, parts, pictures, ledger=Ledger(ledger), telemetry=telemetry)
        self.segments, self._index = segments, index

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action; see `Recording.steps`."""
        if segment is None:
            return self._steps.copy(deep=False)
        first, last = np.searchsorted(self._steps["segment"].to_numpy(), [segment, segment + 1])
        return self._steps.iloc[first:last].reset_index(drop=True)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return the events; for an environment that was not played by hand the edges that follow from its steps."""
        if self.is_environment and "events" not in self.ledger:
            return self.step_edges(segment) if self.info.action_space.kind == "discrete" else events_frame()
        return super().events(segment)

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give what a stream of sound holds; see `Recording.sound`."""
        self.sound_stream(stream)
        return self._sound(stream)

    def _sound(self, stream: str) -> Iterator[Sound]:
        place = [spec.name for spec in self.sound_streams].index(stream)
        for block in self._stored.table(self._number, "sound_blocks"):
            if block["stream"] == place:
                first, count, channels = (int(block[name]) for name in ("first", "count", "channels"))
                rate_hz = int(block["rate_hz"])
                if count < 0 or channels < 1 or rate_hz < 1:
                    said = f"sound of {count} samples, {channels} channels and {rate_hz} Hz"
                    raise _damage(f"{self._stored.where}, session {self._number}: {said}")
                values = self._stored.values(self._number, "sound", first, first + count * channels)
                yield Sound(int(block["t_ns"]), np.asarray(values, np.int16).reshape(count, channels), rate_hz, stream)


def _fit(segments: tuple[Segment, ...], frames: npt.NDArray[Any]) -> bool:
    stops = np.cumsum([segment.frames for segment in segments]).tolist()
    follow = [segment.first_frame for segment in segments] == [0, *stops][: len(segments)]
    counted = (stops[-1] if stops else 0) == len(frames)
    numbered = bool((frames["frame_index"] == np.arange(len(frames))).all())
    numbers = [segment.index for segment in segments] == list(range(len(segments)))
    own = bool((np.sort(frames["at"]) == np.arange(len(frames))).all())
    return all((follow, counted, numbered, numbers, own, *(s.frames > 0 for s in segments)))


def _damage(given: str) -> BadDataError:
    return BadDataError(given, accepts="a whole file, as rushes writes it", fix="write it again, or copy it again")


def recordings_of(stored: Stored) -> list[Reread]:
    """Open every recording of a file.

    Raises:
        BadDataError: It is damaged, or of another schema.
    """
    said = stored.about()
    if said.get("schema") != SCHEMA:
        raise BadDataError(
            f"{stored.where}: schema {said.get('schema')!r}",
            accepts=repr(SCHEMA),
            fix="read it with the version of rushes that wrote it",
        )
    return [Reread(stored, number) for number in range(stored.sessions())]


def read_json(text: str | bytes, where: str) -> Mapping[str, Any]:
    """Read what a file says of itself.

    Raises:
        BadDataError: It is no JSON object.
    """
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise _damage(f"{where}: {error}") from error
    if not isinstance(found, dict):
        raise _damage(f"{where}: a {type(found).__name__} instead of an object")
    return found
