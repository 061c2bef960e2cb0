"""Filling a training file: every recording is read once, stretch by stretch, into whatever container there is.

Example:
    >>> from rushes.formats.training.options import TrainingOptions
    >>> class Counts(dict):
    ...     def write(self, take, name, rows):
    ...         self[name] = self.get(name, 0) + len(rows)
    >>> def rows_of(source):
    ...     plan, sink = Plan(source, TrainingOptions(size="64")), Counts()
    ...     fill(plan, sink)
    ...     return sink["inputs"]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from rushes.formats.card import Job
from rushes.formats.training import tables, told
from rushes.formats.training.pictures import pictures
from rushes.formats.training.plan import Plan, Take
from rushes.model.session import Segment
from rushes.store.aligned import Aligned, aligned
from rushes.store.clips import Clips
from rushes.store.entry import Stretch
from rushes.store.hearing import hear
from rushes.store.sound import to_int16
from rushes.store.statistics import Statistics
from rushes.store.validity import MARKED, Valid

_HEARD: Final = 4096
"""Rows whose sound is made at a time."""
_STEPS: Final = {"action": "action", "rewards": "rewards", "terminated": "terminated", "truncated": "truncated",
                 "is_human": "is_human"}  # fmt: skip
"""Name in the file -> in the rows of a recording."""
_ABSENT: Final = {"action": -1, "rewards": np.nan, "terminated": False, "truncated": False, "is_human": True}
"""What stands there for recorded play in a file that holds environments as well."""

Progress = Callable[[int, int, str], None]


class Sink(Protocol):
    """A container that takes arrays piece by piece."""

    def write(self, take: Take, name: str, rows: npt.NDArray[Any]) -> None:
        """Take the next rows of an array, which are of a recording."""


def fill(plan: Plan, sink: Sink, *, progress: Progress | None = None) -> Statistics:
    """Write everything.

    Args:
        plan: What is written.
        sink: Where.
        progress: Called with (done, total, what).

    Returns:
        What was counted on the way: all rows and all pictures with a row.
    """
    counted = plan.statistics()
    done = 0
    for take in plan.takes:
        sink.write(take, "metadata", plan.metadata(take))
        _sound(take, sink)
        places = _Places(take)
        with Clips(plan.size if plan.resizes(take) else None) as clips:
            for stretch in take.entry.stretches:
                _tables(plan, take, take.recording.segments[stretch.segment], places, sink)
                _rows(plan, take, stretch, places, sink, counted)
                at = 0
                for block in pictures(clips, take.recording, stretch, plan.size):
                    paired = block[: max(0, stretch.rows - at)]
                    if len(paired):
                        sink.write(take, "video", paired)
                        counted.add_pictures(paired)
                    if len(paired) < len(block):
                        sink.write(take, "last_video", block[len(paired) :])
                    at, done = at + len(block), done + len(block)
                    if progress:
                        progress(done, plan.frames, "frames written")
                places.go_on(stretch)
    return counted


class _Places:
    """Where the next stretch of a recording begins in the file."""

    def __init__(self, take: Take) -> None:
        self.frames = self.rows = 0
        self.aside = take.rows

    def go_on(self, stretch: Stretch) -> None:
        self.frames += stretch.frames
        self.rows += stretch.rows
        self.aside += stretch.frames - stretch.rows


def _tables(plan: Plan, take: Take, segment: Segment, places: _Places, sink: Sink) -> None:
    """Write what is needed to read a segment back; frames get the numbers that they have in the file."""
    recording, stretch = take.recording, take.entry.stretches[segment.index]
    moved = places.frames - segment.first_frame
    index = recording.index(segment.index)
    number = np.arange(len(index))
    at = np.where(number < stretch.rows, places.rows + number, places.aside + number - stretch.rows)
    frames = index.assign(frame_index=index["frame_index"] + moved, at=at, segment=segment.index)
    sink.write(take, "frames", tables.to_records(frames, tables.FRAMES))
    if "telemetry" in plan.arrays:
        rows = recording.telemetry(segment.index).assign(segment=segment.index)
        sink.write(take, "telemetry", told.to_records(rows, plan.arrays["telemetry"].dtype, moved=moved))
    if recording.is_environment:
        steps = recording.steps(segment.index)
        steps = steps.assign(frame_index=steps["frame_index"] + moved, segment=segment.index)
        sink.write(take, "steps", tables.to_records(steps, plan.arrays["steps"].dtype))
    if recording.has_events:
        events = recording.events(segment.index).assign(segment=segment.index)
        sink.write(take, "events", tables.to_records(events, plan.arrays["events"].dtype))


def _rows(plan: Plan, take: Take, stretch: Stretch, places: _Places, sink: Sink, counted: Statistics) -> None:
    rows = aligned(
        take.recording,
        stretch,
        space=plan.space,
        encoding=plan.options.encoding,
        action_delay_ms=take.delay_ms,
    )
    counted.add_rows(rows.inputs)
    sink.write(take, "inputs", rows.inputs)
    sink.write(take, "t_ns", rows.t_ns)
    sink.write(take, "ends_ns", rows.ends_ns)
    sink.write(take, "session", np.full(len(rows), take.number, np.int64))
    sink.write(take, "segment", np.full(len(rows), stretch.segment, np.int64))
    sink.write(take, "frame_index", places.frames + np.arange(len(rows), dtype=np.int64))
    if plan.hearing is not None:
        for start in range(0, len(rows), _HEARD):
            part = slice(start, start + _HEARD)
            features, heard = hear(take.recording, None, rows.t_ns[part], rows.ends_ns[part], plan.hearing)
            counted.add_sound(features, heard)
            sink.write(take, "audio", features)
            sink.write(take, "audio_mask", heard)
    for name, own in _STEPS.items():
        if name in plan.arrays:
            sink.write(take, name, _step_column(plan, rows, name, own))


def _step_column(plan: Plan, rows: Aligned, name: str, own: str) -> npt.NDArray[Any]:
    array, values = plan.arrays[name], getattr(rows, own)
    if values is None:
        return np.full((len(rows), *array.tail), _ABSENT[name], array.dtype)
    found: npt.NDArray[Any] = np.asarray(values, array.dtype)
    return found


def _sound(take: Take, sink: Sink) -> None:
    if not len(take.blocks):
        return
    sink.write(take, "sound_blocks", take.blocks)
    for spec in take.recording.sound_streams:
        for block in take.recording.sound(spec.name):
            sink.write(take, "sound", to_int16(block.samples)[0].reshape(-1))


def settle(plan: Plan, job: Job, statistics: Statistics) -> None:
    """Enter what was written, what was not, and its figures in the account of an export."""
    job.statistics = statistics.to_json()
    job.delays_ms = [take.delay_ms for take in plan.takes]
    for take in plan.takes:
        job.wrote(episodes=len(take.entry.stretches), frames=take.counts["frames"], actions=take.rows)
        why = MARKED if isinstance(take.recording, Valid) else "outside_segment"
        if take.recording.has_events:
            job.tally.offer("events", take.outside + take.used.total())
            job.tally.lose("events", why, take.outside)
            for control, count in plan.without_column(take).items():
                job.tally.mark("events", f"no_column_{control}", count)
        kept = take.counts["telemetry"]
        there = take.recording.ledger.get("telemetry")
        if kept or there is not None:
            offered = max(kept, there.kept if there is not None else 0)
            job.tally.offer("telemetry", offered)
            job.tally.lose("telemetry", why, offered - kept)
        for number, spec in enumerate(take.recording.sound_streams):
            if spec.name in take.recording.ledger:
                known = take.recording.ledger[spec.name].kept
                written = int(take.blocks["count"][take.blocks["stream"] == number].sum())
                job.tally.offer(spec.name, known)
                job.tally.lose(spec.name, why, max(0, known - written))
