"""What a training file will hold, known before the first picture is decoded: every array with its shape and type.

All rows of all recordings stand one behind the other. Row k is a frame and what was done on it, in [t_k, t_{k+1}).
Frames without a row, such as an environment's last observation, are kept aside and never become rows.

| array | shape | what |
| --- | --- | --- |
| `video` | (N, H, W, 3) uint8 | RGB, the picture of each row |
| `inputs` | (N, A) float32 | what was done, in the order of the columns |
| `t_ns`, `ends_ns` | (N,) int64 | when the row begins and ends, ns since session start |
| `session`, `segment`, `frame_index` | (N,) int64 | where it is from; `session` is a row of `metadata` |
| `audio`, `audio_mask` | (N, F) float32, (N,) bool | where there is sound: of the row, and whether it was heard |
| `action`, `rewards`, `terminated`, `truncated`, `is_human` | (N,) | of steps; recorded play has -1, nan, false, true |
| `last_video` | (M, H, W, 3) uint8 | the frames without a row |
| `metadata` | (S,) records | a row a session: id, game, start and stop among the rows ...: `training.described` |
| `telemetry` | records | where the games told anything: a row a record, a field a column; see `training.told` |
| `frames`, `steps`, `events`, `sound_blocks` | records | what is needed to read the recordings back as they were |
| `sound` | (K,) int16 | the sound itself, blocks one behind the other, channels interleaved |

Example:
    >>> Array("inputs", (20,), "float32").row_bytes
    80
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from rushes.formats.training import tables
from rushes.formats.training.described import as_plain, session_dtype, session_row
from rushes.formats.training.options import TrainingOptions, target_size
from rushes.formats.training.told import Told
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.recording import Recording, Sessions
from rushes.store.aligned import common_space
from rushes.store.entry import Entry, describe
from rushes.store.hearing import hearing_of
from rushes.store.pairing import delay_of
from rushes.store.statistics import Statistics
from rushes.store.validity import MARKED, honour

SCHEMA: Final = "rushes/training/1"
BLOCKS: Final = np.dtype(
    [("stream", "<i8"), ("t_ns", "<i8"), ("rate_hz", "<i8"), ("channels", "<i8"), ("first", "<i8"), ("count", "<i8")]
)
"""A row a block of sound; `first` is its place among the session's values, `count` its sample times."""
ROWS: Final = ("video", "inputs", "t_ns", "ends_ns", "session", "segment", "frame_index", "audio", "audio_mask",
               "action", "rewards", "terminated", "truncated", "is_human")  # fmt: skip
"""Arrays with a row a row."""


@dataclass(frozen=True)
class Array:
    """An array of the file.

    Attributes:
        name: Its name.
        tail: Its shape without the rows.
        dtype: As NumPy names it, or the type of a record.
    """

    name: str
    tail: tuple[int, ...]
    dtype: Any

    @property
    def row_bytes(self) -> int:
        """Bytes a row."""
        return math.prod(self.tail) * int(np.dtype(self.dtype).itemsize)


@dataclass(frozen=True)
class Take:
    """One recording, marks honoured.

    Attributes:
        number: Its place in the file.
        recording: The recording.
        entry: What it is; height and width are known.
        delay_ms: By how much its inputs are moved.
        first_row: Rows of the file before its first.
        counts: Rows of each array that are its own.
        blocks: Its blocks of sound, as `BLOCKS`.
        used: Control -> its events in the segments, without those that say what was down before.
        outside: Events that lie outside of its segments.
    """

    number: int
    recording: Recording
    entry: Entry
    delay_ms: float
    first_row: int
    counts: Mapping[str, int]
    blocks: tables.Records
    used: Counter[str]
    outside: int

    @property
    def rows(self) -> int:
        """Frames with an action."""
        return self.counts["video"]

    def __repr__(self) -> str:
        return f"Take({self.number}: {self.entry.id}, {self.rows} rows)"


class Plan:
    """What a training file will hold.

    Args:
        source: The recordings, in their order.
        options: What was asked.

    Attributes:
        takes: The recordings.
        space: What the columns of `inputs` are.
        size: (height, width) of the pictures.
        hearing: How sound becomes numbers; None where it does not.
        features: Numbers of sound a row.
        arrays: Every array by name.

    Raises:
        BadInputError: Pictures of several sizes, or actions that have no columns in common.
    """

    def __init__(self, source: Sessions, options: TrainingOptions) -> None:
        recordings = [honour(recording) for recording in source]
        entries = [_with_size(recording, _as_recorded(recording, describe(recording))) for recording in recordings]
        self.options = options
        self.space = common_space([entry.action_space for entry in entries], options.layout or None)
        self.size = target_size(entries, options)
        self.hearing = hearing_of(None if options.audio == "none" else options.audio, entries)
        self.features = self.hearing.features if self.hearing else 0
        self._widths, self._told = tables.Widths(), Told()
        self.takes: list[Take] = []
        first = 0
        for recording, entry in zip(recordings, entries, strict=True):
            take = self._take(recording, entry, first)
            self.takes.append(take)
            first += take.rows
        self.arrays = {array.name: array for array in self._arrays()}

    def _take(self, recording: Recording, entry: Entry, first: int) -> Take:
        blocks = _blocks(recording)
        frames = sum(stretch.frames for stretch in entry.stretches)
        counts = dict.fromkeys(ROWS, entry.rows)
        counts |= {"frames": frames, "last_video": frames - entry.rows, "metadata": 1, "steps": 0, "events": 0}
        counts["telemetry"] = 0
        counts |= {"sound_blocks": len(blocks), "sound": int((blocks["count"] * blocks["channels"]).sum())}
        used: Counter[str] = Counter()
        for segment in recording.segments:
            told = recording.telemetry(segment.index)
            self._told.see(told)
            counts["telemetry"] += len(told)
            if recording.is_environment:
                steps = recording.steps(segment.index)
                self._widths.see_steps(steps)
                counts["steps"] += len(steps)
            if recording.has_events:
                events = recording.events(segment.index)
                self._widths.see_events(events)
                counts["events"] += len(events)
                used.update(events.loc[events["kind"] != "state", "control"].tolist())
        known = recording.ledger.get("events")
        outside = max(0, known.kept - used.total()) if known is not None and recording.has_events else 0
        delay_ms = delay_of(recording, self.options.action_delay_ms)
        return Take(len(self.takes), recording, entry, delay_ms, first, counts, blocks, used, outside)

    def _arrays(self) -> Iterator[Array]:
        height, width = self.size
        yield Array("video", (height, width, 3), "uint8")
        yield Array("inputs", (len(self.space),), "float32")
        for name in ("t_ns", "ends_ns", "session", "segment", "frame_index"):
            yield Array(name, (), "int64")
        if self.features:
            yield Array("audio", (self.features,), "float32")
            yield Array("audio_mask", (), "bool")
        if any(take.entry.is_environment for take in self.takes):
            numbers = self._widths.numbers
            yield Array("action", (numbers,) if numbers else (), "float32" if numbers else "int64")
            yield Array("rewards", (), "float32")
            for name in ("terminated", "truncated", "is_human"):
                yield Array(name, (), "bool")
        yield Array("last_video", (height, width, 3), "uint8")
        yield Array("metadata", (), session_dtype([take.entry for take in self.takes]))
        yield Array("frames", (), tables.FRAMES)
        yield Array("steps", (), self._widths.steps())
        yield Array("events", (), self._widths.events())
        if self._told.rows:
            yield Array("telemetry", (), self._told.dtype())
        yield Array("sound_blocks", (), BLOCKS)
        yield Array("sound", (), "int16")

    def total(self, name: str) -> int:
        """Give how many rows an array has."""
        return sum(take.counts[name] for take in self.takes)

    @property
    def frames(self) -> int:
        """How many pictures are written."""
        return self.total("frames")

    def without_column(self, take: Take) -> dict[str, int]:
        """Count the events of a recording that no column of `inputs` shows: control -> events."""
        known = {control for slot in self.space.slots for control in (*slot.plus, *slot.minus)}
        if known & set(MOUSE_MOTIONS[:2]):
            known.add(POINTER)
        return {control: count for control, count in sorted(take.used.items()) if control not in known}

    def resizes(self, take: Take) -> bool:
        """Say whether the pictures of a recording are made another size."""
        return (take.entry.height, take.entry.width) != self.size

    def statistics(self) -> Statistics:
        """Begin to count."""
        return Statistics(self.space, features=self.features)

    def about(self) -> dict[str, Any]:
        """Say what holds for the whole file: plain JSON values."""
        return {
            "schema": SCHEMA,
            "pairing": "row k = what happened in [t_k, t_{k+1}); inputs[k] was done on video[k]",
            "encoding": self.options.encoding,
            "columns": list(self.space.names),
            "action_space": self.space.to_json(),
            "action_delay_ms": [take.delay_ms for take in self.takes],
            "height": self.size[0],
            "width": self.size[1],
            "resized": any(map(self.resizes, self.takes)),
            "hearing": self.hearing.to_json() if self.hearing else None,
        }

    def about_take(self, take: Take) -> dict[str, Any]:
        """Say what holds for one recording: its description and its segments as they stand in the file."""
        info, first, segments = take.recording.info, 0, []
        streams = []
        for stream in info.streams:
            if stream.kind == "frames":
                exact = stream.exact and not self.resizes(take)
                height, width = self.size
                streams.append(replace(stream, codec="png", exact=exact, height=height, width=width))
            else:
                streams.append(stream)
        for segment, stretch in zip(take.recording.segments, take.entry.stretches, strict=True):
            segments.append(replace(segment, first_frame=first).to_json())
            first += stretch.frames
        counts = {name: take.counts[name] for name in self.arrays}
        described = replace(info, streams=tuple(streams)).to_json()
        said = as_plain(self.metadata(take)[0])
        return {"metadata": said, "info": described, "segments": segments, "counts": counts}

    def metadata(self, take: Take) -> tables.Records:
        """Make the row of a session; see `described.COLUMNS`."""
        more = {
            "start": take.first_row,
            "stop": take.first_row + take.rows,
            "frames": take.counts["frames"],
            "height": self.size[0],
            "width": self.size[1],
            "action_delay_ms": take.delay_ms,
        }
        return session_row(take.entry, more, self.arrays["metadata"].dtype)

    def __repr__(self) -> str:
        return f"<Plan: {self.total('video')} rows of {len(self.takes)} recordings, {len(self.space)} columns>"


def _as_recorded(recording: Recording, entry: Entry) -> Entry:
    """Leave what somebody marked out of what recording dropped."""
    marked = recording.ledger["frames"].lost.get(MARKED, 0) if "frames" in recording.ledger else 0
    return replace(entry, dropped=entry.dropped - marked)


def _with_size(recording: Recording, entry: Entry) -> Entry:
    """Look at a picture where nobody says how large they are."""
    if (entry.height and entry.width) or not entry.stretches:
        return entry
    height, width, _ = recording.frame(entry.stretches[0].first_frame).shape
    return replace(entry, height=height, width=width)


def _blocks(recording: Recording) -> tables.Records:
    """List the blocks of sound that begin in a recording's segments' span."""
    rows: list[tuple[int, ...]] = []
    at = 0
    for number, spec in enumerate(recording.sound_streams):
        for block in recording.sound(spec.name):
            count, channels = block.samples.reshape(len(block.samples), -1).shape
            rows.append((number, block.t_ns, block.rate_hz, channels, at, count))
            at += count * channels
    return np.array(rows, BLOCKS)
