"""Writing a folder of record files: each frame is decoded once, and no more is held than a window shows.

Example:
    >>> WINDOWS.format(0), REST.format(0)
    ('windows-00000.tfrecord', 'rest-00000.tfrecord')
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.formats.card import PAIRING, Job
from rushes.formats.tfrecord import tables
from rushes.formats.tfrecord.examples import Cutting, feature_table
from rushes.formats.tfrecord.options import Plan
from rushes.formats.tfrecord.pictures import decode, stored_pictures
from rushes.formats.tfrecord.shards import Shards
from rushes.formats.tfrecord.wire import Feature, encode_example
from rushes.model.actions import ActionSpace
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.recording import Recording
from rushes.model.session import SessionInfo
from rushes.store.clips import Clips
from rushes.store.entry import Entry
from rushes.store.pairing import delay_of
from rushes.store.statistics import Statistics
from rushes.store.validity import MARKED, Valid

Ints = npt.NDArray[np.int64]
Count = Callable[[int], Any]
"""Called now and then with how many frames are done."""

SCHEMA: Final = "rushes/tfrecord/1"
FEATURES: Final = "features.json"
WINDOWS: Final = "windows-{:05}.tfrecord"
REST: Final = "rest-{:05}.tfrecord"
NO_COLUMN: Final = "no_column_"
"""What stands before a control's name in the ledger's remark: its events are kept, and no feature shows them."""
OUTSIDE: Final = "outside_windows"
"""Reason in the ledger: no window shows the frame."""
_KINDS: Final = ("frames", "steps", "events", "sound", "telemetry")
_MB: Final = 1_000_000
_EVERY: Final = 256


@dataclass
class _Places:
    """Where the pictures of one stretch lie.

    Attributes:
        shown: (N,) bool, whether a window shows the frame.
        file: (N,) int64, number of the file; files of the rest count down from -2, and -1 is nowhere.
        offset: (N,) int64, at which byte of it the record begins.
        number: (N,) int64, which picture of the record.
    """

    shown: npt.NDArray[np.bool_]
    file: Ints = field(init=False)
    offset: Ints = field(init=False)
    number: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.offset, self.number = np.zeros(len(self.shown), np.int64), np.zeros(len(self.shown), np.int64)
        self.file = np.full(len(self.shown), -1)

    def note(self, frame: int, file: int, offset: int, number: int) -> None:
        """Note where a frame lies, where it is not known yet."""
        if self.file[frame] == -1:
            self.file[frame], self.offset[frame], self.number[frame] = file, offset, number


class Writing:
    """A folder under way.

    Args:
        job: The export.
        plan: What is written.
        clips: Decodes and scales.
        executor: Where to encode.
        count: Called now and then with the frames that are done.

    Attributes:
        windows: How many were written.
    """

    def __init__(self, job: Job, plan: Plan, clips: Clips, executor: Executor | None, count: Count) -> None:
        options = plan.options
        self._job, self._plan, self._clips, self._executor, self._count = job, plan, clips, executor, count
        size = options.shard_mb * _MB
        self._shards = Shards(job.partial, WINDOWS, most_records=options.examples_per_file, most_bytes=size)
        self._rest = Shards(job.partial, REST, most_bytes=size)
        self._recordings: list[dict[str, Any]] = []
        self._statistics = Statistics(plan.space, features=plan.hearing.features if plan.hearing else 0)
        self._statistics.sampled = True
        self.windows = self._done = 0

    def add(self, recording: Recording, entry: Entry) -> None:
        """Write one recording.

        Args:
            recording: With marks honoured.
            entry: What it is.

        Raises:
            BadInputError: Its actions have no place in the columns, or its pictures have several sizes.
            BadDataError: A picture cannot be read.
        """
        options, before = self._plan.options, self.windows
        found = [self._stretch(Cutting(recording, stretch, self._plan)) for stretch in entry.stretches]
        skip = 1 if options.rest else options.frame_skip
        kept = tables.keep(recording, [places.file != -1 for places in found], skip=skip)
        name = f"{tables.FOLDER}/{len(self._recordings):04}"
        counts = self._account(recording, kept)
        tables.write_tables(
            self._job.partial / name, recording, self._info(recording.info), kept, _table(kept, found), counts
        )
        info = recording.info
        self._recordings.append({"folder": name, "id": info.id, "game": info.game, "windows": self.windows - before})

    def _stretch(self, cutting: Cutting) -> _Places:
        """Write the windows of a stretch, and its other frames aside."""
        options, stretch = self._plan.options, cutting.stretch
        starts = cutting.starts.tolist()
        shown = np.zeros(stretch.frames, bool)
        shown[(cutting.starts[:, None] + np.asarray(cutting.shown(0))).ravel()] = True
        places, held, following = _Places(shown), {}, 0
        pictures = stored_pictures(
            cutting.recording, stretch.first_frame, stretch.first_frame + stretch.frames,
            plan=self._plan, clips=self._clips, executor=self._executor,
        )  # fmt: skip
        for frame, data in enumerate(pictures):
            if shown[frame]:
                held[frame] = data
            elif options.rest:
                places.note(frame, *self._aside(cutting, frame, data), 0)
            while following < len(starts) and cutting.shown(starts[following])[-1] == frame:
                start, following = starts[following], following + 1
                file, offset = self._window(cutting, start, [held[one] for one in cutting.shown(start)])
                for number, one in enumerate(cutting.shown(start)):
                    places.note(one, file, offset, number)
                until = starts[following] if following < len(starts) else stretch.frames
                held = {one: kept for one, kept in held.items() if one >= until}
            self._done += 1
            if self._done % _EVERY == 0:
                self._count(self._done)
        if len(starts):
            self._statistics.add_rows(cutting.rows(0)[0].inputs)
        return places

    def _window(self, cutting: Cutting, start: int, pictures: list[bytes]) -> tuple[int, int]:
        features = cutting.features(start, pictures)
        first = decode(pictures[0], self._plan.options.pictures, self._plan.size)
        self._statistics.add_pictures(first[None])
        if self._plan.hearing is not None:
            heard = np.asarray(features["audio_mask"], bool)
            self._statistics.add_sound(np.asarray(features["audio"], np.float32).reshape(len(heard), -1), heard)
        self.windows += 1
        return self._shards.write(encode_example(features))

    def _aside(self, cutting: Cutting, frame: int, data: bytes) -> tuple[int, int]:
        features: dict[str, Feature] = {
            "frames": [data],
            "frame_index": np.array([cutting.stretch.first_frame + frame], np.int64),
            "session": [cutting.recording.info.id.encode()],
            "segment": np.array([cutting.stretch.segment], np.int64),
        }
        file, offset = self._rest.write(encode_example(features))
        return -2 - file, offset

    def _account(self, recording: Recording, kept: tables.Kept) -> dict[str, int]:
        """Count what is written of a recording and what is not; returns what its reader will find."""
        job, frames, actions = self._job, len(kept.index), len(kept.steps)
        job.wrote(episodes=len(kept.segments), frames=frames, actions=actions)
        job.lose("frames", OUTSIDE, recording.frame_count - frames)
        job.lose("actions", OUTSIDE, len(recording.steps()) - actions)
        job.lose("episodes", OUTSIDE, max(0, len(recording.segments) - len(kept.segments)))
        counts = {"frames": frames}
        if recording.is_environment:
            counts["actions"] = actions
        if "events" in recording.ledger:
            counts["events"] = self._left(recording, "events")
            for control, count in _without_column(recording, self._plan.space).items():
                job.tally.mark("events", f"{NO_COLUMN}{control}", count)
        rows, known = len(kept.telemetry), recording.ledger.get("telemetry")
        if rows or known is not None:
            job.tally.offer("telemetry", rows)
            job.lose("telemetry", OUTSIDE, max(0, (known.kept if known is not None else 0) - rows))
        if rows:
            counts["telemetry"] = rows
        for spec in recording.sound_streams:
            if spec.name in recording.ledger:
                counts[spec.name] = self._left(recording, spec.name)
        if not recording.is_environment:
            job.delays_ms.append(delay_of(recording, self._plan.options.action_delay_ms))
        return counts

    def _left(self, recording: Recording, stream: str) -> int:
        """Count what is left of events or sound where stretches are marked invalid, and what lay in these."""
        known = left = recording.ledger[stream].kept
        if isinstance(recording, Valid):
            if stream == "events":
                left = min(known, int((recording.events()["kind"] != "state").sum()))
            else:
                left = sum(len(block.samples) for block in recording.sound(stream))
        self._job.tally.offer(stream, known)
        self._job.tally.lose(stream, MARKED, known - left)
        return left

    def _info(self, info: SessionInfo) -> SessionInfo:
        """Describe a recording as it stands in the folder: pictures as they are there."""
        height, width = self._plan.size
        kind = self._plan.options.pictures
        streams = [stream for stream in info.streams if stream.kind in _KINDS]
        for number, stream in enumerate(streams):
            if stream.kind == "frames":
                codec = "png-indexed" if stream.codec == "png-indexed" and not self._plan.resized else "png"
                exact = stream.exact and kind != "jpeg" and not self._plan.resized
                streams[number] = replace(stream, codec=codec, exact=exact, height=height, width=width)
        return replace(info, streams=tuple(streams))

    def _refuse_empty(self) -> None:
        options = self._plan.options
        if not self.windows and not options.rest:
            raise BadInputError(
                f"recordings without a stretch of {options.span} frames",
                accepts="at least one window",
                fix="take a smaller sequence_length",
            )

    def close(self) -> None:
        """Complete the files and say what they hold.

        Raises:
            BadInputError: There is not one window, and nothing else is kept.
        """
        options, (height, width) = self._plan.options, self._plan.size
        self._refuse_empty()
        self._shards.close()
        self._rest.close()
        self._job.counts["samples"] += self.windows
        self._job.statistics = self._statistics.to_json()
        self._count(self._done)
        found = {
            "schema": SCHEMA,
            "windows": self.windows,
            "sequence_length": options.sequence_length,
            "stride": options.step,
            "frame_skip": options.frame_skip,
            "pictures": {"kind": options.pictures, "height": height, "width": width},
            "features": feature_table(self._plan),
            "inputs": list(self._plan.space.names),
            "action_space": self._plan.space.to_json(),
            "encoding": options.encoding,
            "hearing": self._plan.hearing.to_json() if self._plan.hearing else None,
            "pairing": PAIRING,
            "action_delay_ms": options.action_delay_ms,
            "shards": [asdict(shard) for shard in self._shards.done],
            "rest": [asdict(shard) for shard in self._rest.done],
            "recordings": self._recordings,
            "statistics": self._job.statistics,
        }
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (self._job.partial / FEATURES).write_text(text + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        self._shards.drop()
        self._rest.drop()


def _without_column(recording: Recording, space: ActionSpace) -> Counter[str]:
    """Count the events that no column of the inputs shows: control -> events."""
    known = {control for slot in space.slots for control in (*slot.plus, *slot.minus)}
    if known & set(MOUSE_MOTIONS[:2]):
        known.add(POINTER)
    events = recording.events()
    done = events[(events["kind"] != "state") & (events["flag"] != "hotkey")]
    return Counter(done["control"][~done["control"].isin(known)].tolist())


def _table(kept: tables.Kept, found: list[_Places]) -> pd.DataFrame:
    """List where the frames that are kept lie: columns `PLACES_SCHEMA`."""
    file, offset, number = (
        np.concatenate([np.zeros(0, np.int64), *(getattr(places, name)[places.file != -1] for places in found)])
        for name in ("file", "offset", "number")
    )
    names = [WINDOWS.format(one) if one >= 0 else REST.format(-2 - one) for one in file.tolist()]
    return pd.DataFrame(
        {
            "frame_index": np.arange(len(kept.source_frames)),
            "source_frame": kept.source_frames,
            "file": np.array(names, object),
            "offset": offset,
            "number": number,
        }
    )
