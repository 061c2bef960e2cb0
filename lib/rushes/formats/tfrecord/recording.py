"""A recording out of record files: its tables as they were written, its pictures read where they lie.

Example:
    >>> TfRecording.__mro__[1].__name__
    'Recording'
    >>> # open_any("game_tfrecords")[0].frame(0).shape
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.imported import told_in
from rushes.formats.tfrecord.pictures import decode
from rushes.formats.tfrecord.shards import Reader
from rushes.formats.tfrecord.sound import KeptSound
from rushes.formats.tfrecord.tables import DESCRIPTION, EVENTS, INDEX, PLACES, STEPS, TELEMETRY, read_frame
from rushes.formats.tfrecord.wire import decode_example
from rushes.model.events import cut_events, events_frame
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Sound
from rushes.model.recording import STEP_COLUMNS, Picture, Recording
from rushes.model.session import Segment, SessionInfo
from rushes.store import images


class TfRecording(Recording):
    """One recording of a folder of record files.

    Args:
        folder: The folder.
        name: Folder of its tables within it.
        pictures: `kind`, `height` and `width` of features.json.

    Raises:
        BadDataError: Its description does not read.
    """

    def __init__(self, folder: Path, name: str, pictures: Mapping[str, Any]) -> None:
        self._folder, self._tables, self._pictures = folder, folder / name, pictures
        try:
            found = json.loads((self._tables / DESCRIPTION).read_text(encoding="utf-8"))
            self.info = SessionInfo.from_json(found["info"])
            self.segments = tuple(Segment.from_json(one) for one in found["segments"])
            accounts = {stream: Account(int(count), int(count)) for stream, count in found["kept"].items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadDataError(
                f"{self._tables / DESCRIPTION}: a description that does not read ({error})",
                accepts="a folder as it was written",
                fix="restore it from a copy; the record files alone are read by TensorFlow",
            ) from error
        self.ledger, self.problems = Ledger(accounts), ()
        self._sound = KeptSound(self._tables)

    @cached_property
    def _index(self) -> pd.DataFrame:
        return read_frame(self._tables / INDEX)

    @cached_property
    def _steps(self) -> pd.DataFrame:
        if not self.is_environment:
            return pd.DataFrame({column: [] for column in STEP_COLUMNS})
        return read_frame(self._tables / STEPS)

    @cached_property
    def _events(self) -> pd.DataFrame | None:
        has_events = self.info.stream("events") is not None
        return read_frame(self._tables / EVENTS).astype(events_frame().dtypes.to_dict()) if has_events else None

    @cached_property
    def _telemetry(self) -> pd.DataFrame:
        there = "telemetry" in self.ledger
        return read_frame(self._tables / TELEMETRY) if there else super().telemetry()

    @cached_property
    def _places(self) -> list[tuple[str, int, int]]:
        table = read_frame(self._tables / PLACES)
        return list(zip(table["file"].tolist(), table["offset"].tolist(), table["number"].tolist(), strict=True))

    def _part(self, table: pd.DataFrame, segment: int | None) -> pd.DataFrame:
        if segment is None:
            return table.copy(deep=False)
        first, last = np.searchsorted(table["segment"].to_numpy(np.int64), [segment, segment + 1])
        return table.iloc[first:last].reset_index(drop=True)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame; see `Recording.index`."""
        return self._part(self._index, segment)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action; see `Recording.steps`."""
        return self._part(self._steps, segment)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an event; see `Recording.events`."""
        if self._events is None:
            return self.step_edges(segment)
        if segment is None:
            return self._events.copy(deep=False)
        one = self.segments[segment]
        return cut_events(self._events, one.start_ns, one.end_ns)

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return what the game reported; see `Recording.telemetry`."""
        return told_in(self._telemetry, segment)

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give what a stream of sound holds; see `Recording.sound`."""
        return self._sound.between(self.sound_stream(stream))

    def sound_between(self, stream: str, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Give the blocks of a stretch of time; see `Recording.sound_between`."""
        return self._sound.between(self.sound_stream(stream), start_ns, stop_ns)

    def _data(self, start: int, stop: int) -> Iterator[tuple[bytes, str]]:
        if not 0 <= start <= stop <= self.frame_count:
            raise IndexError(f"frames {start} to {stop} of a session that has {self.frame_count}")
        last, pictures = ("", -1), [b""]
        with Reader(self._folder) as reader:
            for file, offset, number in self._places[start:stop]:
                where = f"{self._folder / file}, byte {offset}"
                if (file, offset) != last:
                    features = decode_example(reader.at(file, offset), where=where)
                    pictures, last = [bytes(one) for one in features.get("frames", ())], (file, offset)
                if number >= len(pictures):
                    raise BadDataError(
                        f"{where}: a record of {len(pictures)} pictures, without number {number}",
                        accepts="the record files that were written with these tables",
                        fix="restore the folder from a copy",
                    )
                yield pictures[number], where

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order; see `Recording.frames`."""
        size = self._pictures["height"], self._pictures["width"]
        for data, where in self._data(start, stop):
            yield decode(data, self._pictures["kind"], size, where=where)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored, where they are PNG; see `Recording.pictures`."""
        for data, _ in self._data(start, stop):
            if self._pictures["kind"] != "png":
                yield None
            else:
                yield Picture("png-indexed" if images.is_indexed(data) else "png", data)
