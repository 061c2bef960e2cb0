"""Reading a session: tables by segment, pictures by frame index.

Pictures and sound take the memory of one chunk, whatever the length. Tables are given whole, for a segment or for the
session: 94 MB a million events (two hours of a mouse at 125 Hz), 50 MB a million frames (nine hours at 30 Hz), and
twice that for a moment while they are put together.

Example:
    >>> def first_frame(path):
    ...     return open_session(path).frame(0)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from rushes.errors import MissingError
from rushes.model.events import cut_events, events_frame
from rushes.model.findings import Problem
from rushes.model.ledger import Ledger
from rushes.model.readings import Sound
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Picture, Recording, Sessions
from rushes.model.session import SessionInfo
from rushes.store import images, tables
from rushes.store.facts import Fact, read_facts
from rushes.store.layout import (
    DAMAGED_JOURNAL,
    EVENTS,
    IMAGES,
    INDEX,
    STEPS,
    TELEMETRY,
    VIDEO,
    chunk_folders,
    is_sealed,
    is_session,
)
from rushes.store.manifest import merge_segments, numbered_through, read_description, read_summary
from rushes.store.session_sound import SessionSound
from rushes.store.video_pictures import VideoPictures

_KEPT: Final = 4
"""Tables that a session keeps at hand; an episode's steps are asked for several times in a row."""


class Session(Recording):
    """A session directory, open for reading. It never changes what it reads.

    Args:
        path: The directory.

    Raises:
        MissingError: The path is no session.
        BadDataError: A manifest is damaged or of another schema.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.info = SessionInfo.from_json(read_description(self.path))
        folders = chunk_folders(self.path)
        sealed = [folder for folder in folders if is_sealed(folder)]
        self._chunks = list(zip(sealed, numbered_through(read_summary(folder) for folder in sealed), strict=True))
        self.segments = merge_segments(summary for _, summary in self._chunks)
        self.ledger = sum((Ledger.from_json(summary["ledger"]) for _, summary in self._chunks), Ledger())
        self.problems = tuple(
            Problem(
                "unfinished_chunk",
                str(folder),
                1,
                "a chunk without its chunk.json: it is still being written, or its writer died and "
                "`rushes recover` brings it back",
            )
            for folder in folders
            if folder not in sealed
        ) + tuple(
            Problem(
                "damaged_journal",
                str(folder / DAMAGED_JOURNAL),
                summary["damaged_bytes"],
                "bytes of its journal could not be read when the chunk was sealed: what stood there is lost, the "
                "ledger has it under `damaged`, and the journal is kept",
            )
            for folder, summary in self._chunks
            if "damaged_bytes" in summary
        )
        self._tables: OrderedDict[tuple[str, int | None], pd.DataFrame] = OrderedDict()
        self._group: tuple[Path, int, list[bytes], list[str]] | None = None
        self._video: tuple[Path, VideoPictures] | None = None
        self._sounds = SessionSound(self._chunks)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The side facts that hold now."""
        return read_facts(self.path)

    def _table(self, name: str, segment: int | None, columns: Sequence[str]) -> pd.DataFrame:
        key = (name, segment)
        if key not in self._tables:
            parts = [
                (tables.read_table(folder / name), summary)
                for folder, summary in self._chunks
                if name in summary["files"]
                and (segment is None or any(s["index"] == segment for s in summary["segments"]))
            ]
            whole = _below_each_other(parts) if parts else pd.DataFrame({c: [] for c in columns})
            if segment is not None and "segment" in whole:
                whole = whole[whole["segment"] == segment].reset_index(drop=True)
            self._tables[key] = whole
            while len(self._tables) > _KEPT:
                self._tables.popitem(last=False)
        return self._tables[key].copy(deep=False)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame; see `Recording.index`."""
        return self._table(INDEX, segment, INDEX_COLUMNS)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action; see `Recording.steps`."""
        return self._table(STEPS, segment, STEP_COLUMNS)

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return what the game reported; see `Recording.telemetry`."""
        return self._table(TELEMETRY, segment, ("t_ns", "segment", "frame_index"))

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an input event; see `Recording.events`.

        For one segment the rows begin with the state of what was down or moved away from rest at its start.
        """
        if self.is_environment and not any(EVENTS in summary["files"] for _, summary in self._chunks):
            return self.step_edges(segment)
        if segment is None:
            return self._events_of(self._chunks)
        chosen = self.segments[segment]
        around = [
            (folder, summary)
            for folder, summary in self._chunks
            if any(s["index"] == segment for s in summary["segments"])
            or _overlap(summary["event_times_ns"], chosen.start_ns, chosen.end_ns)
        ]
        return cut_events(self._events_of(around), chosen.start_ns, chosen.end_ns)

    def _events_of(self, chunks: Sequence[tuple[Path, dict[str, Any]]]) -> pd.DataFrame:
        """Put chunks' events in the order of time; what the heads of later chunks repeat is known already."""
        parts = [
            tables.read_table(folder / EVENTS).slice(summary["held"] if number else 0)
            for number, (folder, summary) in enumerate(chunks)
            if EVENTS in summary["files"]
        ]
        if not parts:
            return events_frame()
        whole = tables.in_one(parts)
        if not whole["t_ns"].is_monotonic_increasing:
            whole = whole.sort_values("t_ns", kind="stable", ignore_index=True)
        return whole

    def _picture_numbers(self, folder: Path, summary: dict[str, Any], start: int, stop: int) -> list[int]:
        first, counts = summary["first_frame"], summary["counts"]
        if counts["pictures"] == counts["frames"]:
            return list(range(start - first, stop - first))
        index = tables.read_table(folder / INDEX, ["frame_index", "picture"]).to_pandas()
        index = _renumbered(index, summary)
        inside = (index["frame_index"] >= start) & (index["frame_index"] < stop)
        return [int(p) for p in index["picture"][inside]]

    def stored(self, start: int, stop: int) -> Iterator[tuple[Path, bool, list[int]]]:
        """Say where frames lie.

        Args:
            start: First frame_index.
            stop: frame_index after the last.

        Yields:
            One a chunk: its folder, whether it holds a video, the number of each frame's picture there.

        Raises:
            IndexError: A frame index that the session does not have.
        """
        count = self.frame_count
        if not 0 <= start <= stop <= count:
            raise IndexError(f"frames {start} to {stop} of a session that has {count}")
        for folder, summary in self._chunks:
            first = summary["first_frame"]
            here = max(start, first), min(stop, first + summary["counts"]["frames"])
            if here[0] < here[1]:
                yield folder, VIDEO in summary["files"], self._picture_numbers(folder, summary, *here)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give pictures as they are stored, None for those of a video; see `Recording.pictures`.

        Raises:
            IndexError: A frame index that the session does not have.
            BadDataError: The table of pictures is damaged.
        """
        for folder, is_video, numbers in self.stored(start, stop):
            if is_video:
                yield from (None for _ in numbers)
            else:
                yield from self._from_chunk(folder, numbers)

    def _from_chunk(self, folder: Path, numbers: list[int]) -> Iterator[Picture]:
        path = folder / IMAGES
        with tables.open_table(path) as file:
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)]
            edges = np.cumsum([0, *sizes])
            for number in numbers:
                group = int(np.searchsorted(edges, number, side="right")) - 1
                if self._group is None or self._group[:2] != (path, group):
                    with tables.damage(path, f", pictures {edges[group]} to {edges[group + 1]}"):
                        table = file.read_row_group(group, columns=["codec", "data"])
                    self._group = (path, group, table["data"].to_pylist(), table["codec"].to_pylist())
                row = number - int(edges[group])
                yield Picture(self._group[3][row], self._group[2][row])

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order; see `Recording.frames`."""
        number = start
        for folder, is_video, numbers in self.stored(start, stop):
            if is_video:
                yield from self._from_video(folder, numbers)
                number += len(numbers)
                continue
            for picture in self._from_chunk(folder, numbers):
                yield images.decode(picture.data, where=f"{self.path}, frame {number}")
                number += 1

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """(height, width) of its pictures, where the session says so."""
        spec = self.info.stream("frames")
        return (spec.height, spec.width) if spec is not None else None

    def _from_video(self, folder: Path, numbers: list[int]) -> Iterator[npt.NDArray[np.uint8]]:
        if self._video is None or self._video[0] != folder:
            if self._video is not None:
                self._video[1].close()
            self._video = (folder, VideoPictures(folder / VIDEO, size=self.picture_size))
        decoded, at = self._video[1].frames(numbers[0], numbers[-1] + 1), numbers[0]
        pixels = next(decoded)
        for number in numbers:
            while at < number:
                pixels, at = next(decoded), at + 1
            yield pixels

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give what a sound stream holds, block by block in the order of the chunks; see `Recording.sound`.

        Raises:
            BadNameError: The session has no such stream.
            BadDataError: A file is cut or damaged.
        """
        return self._sounds.blocks(self.sound_stream(stream))

    def sound_between(self, stream: str, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Give the blocks of a stretch of time, and decode nothing else; see `Recording.sound_between`.

        Raises:
            BadNameError: The session has no such stream.
            BadDataError: A file is cut or damaged.
        """
        return self._sounds.between(self.sound_stream(stream), start_ns, stop_ns)


def _below_each_other(parts: Sequence[tuple[pa.Table, dict[str, Any]]]) -> pd.DataFrame:
    """Put the rows of chunks below each other, numbered through."""
    if any(summary.get("renumbered") for _, summary in parts):
        return pd.concat([_renumbered(table.to_pandas(), summary) for table, summary in parts], ignore_index=True)
    return tables.in_one([table for table, _ in parts])


def _renumbered(table: pd.DataFrame, summary: dict[str, Any]) -> pd.DataFrame:
    """Let the rows of a chunk follow on those of the chunks before it; see `manifest.numbered_through`."""
    changed = summary.get("renumbered")
    if changed:
        table["frame_index"] += changed["frames"]
        if "segment" in table:
            table["segment"] = table["segment"].map(lambda index: changed["segments"].get(index, index))
    return table


def _overlap(times_ns: Sequence[int], start_ns: int, end_ns: int) -> bool:
    return bool(times_ns) and times_ns[0] < end_ns and times_ns[-1] >= start_ns


def open_session(path: str | Path) -> Session:
    """Open a session directory.

    Args:
        path: The directory.

    Returns:
        The session; what cannot be read in it stands in `problems`.

    Raises:
        MissingError: The path is no session.
        BadDataError: A manifest is damaged or of another schema.
    """
    return Session(path)


def open_sessions(path: str | Path) -> Sessions:
    """Open one session, or all sessions that lie in a folder.

    Args:
        path: A session directory, a folder of them, or a folder with a `sessions` folder in it.

    Returns:
        The sessions, sorted by name.

    Raises:
        MissingError: There is no session.
        BadDataError: A manifest is damaged.
    """
    root = Path(path)
    if is_session(root):
        return Sessions([Session(root)], format="session")
    found = _find(root) or _find(root / "sessions")
    if not found:
        raise MissingError(
            f"{root}, which holds no session",
            accepts="a session directory or a folder of them",
            fix="`rushes info PATH` says what a path is",
        )
    return Sessions([Session(p) for p in found], format="session")


def _find(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and is_session(p)) if root.is_dir() else []
