"""A recording played back: the readings that would record it again, exactly.

Any recording will do, ours or a foreign one. Pictures of palette screens stay indexed; a picture that repeats the one
before is said to; sound is cut where a segment begins or ends, for there is no place for it in between.

Example:
    >>> from rushes.store.writer import SessionWriter
    >>> def record_again(recording, path):
    ...     with SessionWriter(path, recording.info) as writer:
    ...         for reading in readings(recording):
    ...             writer.write(reading)
"""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import starmap
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.model.readings import Event, Frame, Gap, Lost, Reading, Start, Step, Telemetry
from rushes.model.recording import EVENT_COLUMNS, Picture, Recording
from rushes.model.session import Segment
from rushes.model.sounds import Cursor
from rushes.store import images

OUTSIDE: Final = "outside_segment"
"""Reason in the ledger for sound between segments."""
_STEP_FIELDS: Final = list(Step._fields)
_EVER: Final = int(np.iinfo(np.int64).max)


def readings(recording: Recording) -> Iterator[Reading]:
    """Play a recording back as the readings that would record it again.

    Args:
        recording: Any recording.

    Yields:
        For each segment `Start`, what happened in it by time, and `Gap`; events outside of segments between
        them; at the end of the last segment, for each stream of sound, how many samples lie outside of segments
        and were not given.
    """
    steps_are_truth = recording.is_environment
    outside = iter(() if steps_are_truth else _events(recording))
    pending = next(outside, None)
    sounds = {spec.name: Cursor(recording.sound(spec.name)) for spec in recording.sound_streams}
    unplaced = Counter[str]()
    last, frames = len(recording.segments) - 1, 0
    for segment in recording.segments:
        while pending is not None and pending.t_ns < segment.start_ns:
            yield pending
            pending = next(outside, None)
        _skip(sounds, segment.start_ns, unplaced)
        yield Start(segment.start_ns, segment.attrs, segment.wall_ns, segment.clock)
        inside = []
        while pending is not None and pending.t_ns < segment.end_ns:
            inside.append(pending)
            pending = next(outside, None)
        streams: tuple[Iterable[Reading], ...] = (
            _frames(recording, segment),
            _steps(recording, segment, frames - segment.first_frame),
            inside,
            _telemetry(recording, segment, frames - segment.first_frame),
            *(sound.until(segment.end_ns) for sound in sounds.values()),
        )
        yield from heapq.merge(*streams, key=_time)
        if segment.index == last:  # what stands behind a segment would begin a chunk
            _skip(sounds, _EVER, unplaced)
            yield from (Lost(segment.end_ns, name, OUTSIDE, count) for name, count in unplaced.items() if count)
        yield Gap(segment.end_ns, segment.end_reason)
        frames += segment.frames
    while pending is not None:
        yield pending
        pending = next(outside, None)


def _skip(sounds: Mapping[str, Cursor], stop_ns: int, unplaced: Counter[str]) -> None:
    """Pass over the sound before a time, and count it."""
    for name, sound in sounds.items():
        unplaced[name] += sum(len(block.samples) for block in sound.until(stop_ns))


def _time(reading: Reading) -> int:
    return reading.t_ns


def _frames(recording: Recording, segment: Segment) -> Iterator[Frame]:
    index = recording.index(segment.index)
    names = ["frame_index", "t_ns", "duplicate", "tick", "late", "dropped_before"]
    columns = [index[name].tolist() for name in names]
    pictures = recording.pictures(segment.first_frame, segment.stop_frame)
    for position, (row, picture) in enumerate(zip(zip(*columns, strict=True), pictures, strict=True)):
        frame_index, t_ns, duplicate, *flags = row
        pixels, palette = None, None
        if not duplicate or not position:
            pixels, palette = _pixels(recording, frame_index, picture)
        yield Frame(t_ns, pixels, palette, *flags)


def _pixels(
    recording: Recording, frame_index: int, picture: Picture | None
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]:
    if picture is None:
        return recording.frame(frame_index), None
    where = f"{recording.info.id}, frame {frame_index}"
    if not images.is_indexed(picture.data):
        return images.decode(picture.data, where=where), None
    return indices(picture.data, where=where)


def indices(data: bytes, *, where: str = "a picture") -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Take an indexed PNG apart, exactly.

    Args:
        data: The file.
        where: What to name in an error.

    Returns:
        (H, W) uint8 indices and their (n, 3) uint8 RGB palette.

    Raises:
        BadDataError: The file is cut or is no picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as opened:
            pixels, palette = np.array(opened, np.uint8), opened.getpalette("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise BadDataError(
            f"{where}: a PNG file that is cut or damaged ({error})",
            accepts="a whole PNG file",
            fix="restore the file, or leave it out",
        ) from error
    return pixels, np.array(palette, np.uint8).reshape(-1, 3)


def _steps(recording: Recording, segment: Segment, renumbered: int) -> Iterator[Step]:
    """Give the steps; a view that leaves frames out keeps their numbers, and what is recorded again counts anew."""
    if not recording.is_environment:
        return
    columns = recording.steps(segment.index)[_STEP_FIELDS]
    for row in columns.itertuples(index=False, name=None):
        values = [v.tolist() if isinstance(v, np.ndarray | np.generic) else v for v in row]
        step = Step(*values)
        yield step._replace(frame_index=step.frame_index + renumbered)


def _events(recording: Recording) -> Iterator[Event]:
    """Give stored events, without the repeated states that open a chunk: the writer makes its own."""
    held: dict[tuple[str, str], float | None] = {}
    rows = recording.events()[list(EVENT_COLUMNS)].itertuples(index=False, name=None)
    for event in starmap(Event, (tuple(_plain(v) for v in row) for row in rows)):
        key = (event.device, event.control)
        if event.kind == "state" and key in held:
            continue
        if event.kind in ("press", "axis", "state"):
            held[key] = event.value
        elif event.kind == "release":
            held.pop(key, None)
        yield event


def _telemetry(recording: Recording, segment: Segment, renumbered: int) -> Iterator[Telemetry]:
    table = recording.telemetry(segment.index)
    names = [c for c in table.columns if c not in ("t_ns", "segment", "frame_index")]
    for row in table.to_dict("records"):
        fields = {name: _plain(row[name]) for name in names}
        frame_index = _plain(row["frame_index"])
        yield Telemetry(int(row["t_ns"]), fields, None if frame_index is None else int(frame_index) + renumbered)


def _plain(value: Any) -> Any:
    """Give a Python value; None where there is none."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | dict | np.ndarray | str):
        return value
    return None if pd.isna(value) else value
