"""Our own session directory as a format: read as it lies, written by copying any recording into the store.

A target is always a folder of sessions (`<target>/atari_alien/`), named as sampled sessions are, whether it
holds one or many. A session of ours is copied file by file, sound and video included; another recording is written
anew, exactly: pictures of palette screens stay indexed, times, segments, actions, events, telemetry are the same.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("session").keeps.frames
    'exact'
    >>> # convert("alien.parquet", "sessions", format="session")
"""

from __future__ import annotations

import heapq
import io
import re
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from itertools import count, starmap
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.base import Format, Keeps, Progress, Report, Takes
from rushes.formats.card import export
from rushes.formats.options import NoOptions
from rushes.model.games import session_name
from rushes.model.readings import Event, Frame, Gap, Reading, Start, Step, Telemetry
from rushes.model.recording import EVENT_COLUMNS, Picture, Recording, Sessions
from rushes.model.session import Segment, SessionInfo
from rushes.store import images
from rushes.store.layout import CHUNKS, FACTS_FILE, JOURNAL_FILE, SESSION_FILE, chunk_folders, is_sealed, is_session
from rushes.store.manifest import list_segments
from rushes.store.reader import Session, open_sessions
from rushes.store.video_stream import CODECS as VIDEO_CODECS
from rushes.store.writer import SessionWriter

_STEP_FIELDS: Final = list(Step._fields)
_EVERY: Final = 256
"""Frames between two calls of `progress`."""
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]+')
_LONGEST_NAME: Final = 200
"""Bytes of a folder's name; file systems take 255."""


class SessionFormat(Format):
    """The session directory."""

    name: ClassVar[str] = "session"
    looks_for: ClassVar[str] = "session.json, in the folder itself, in its folders, or in those of its folder sessions/"
    Options: ClassVar[type[Any]] = NoOptions
    honours_facts: ClassVar[bool] = False
    keeps: ClassVar[Keeps] = Keeps("exact", times=True, audio=True, rewards=True, names=True, events=True)
    takes: ClassVar[Takes] = "any"

    def sniff(self, path: Path) -> bool:
        """Say whether a folder is a session or holds some."""
        if not path.is_dir():
            return False
        return is_session(path) or any(
            is_session(p) for root in (path, path / "sessions") if root.is_dir() for p in root.iterdir()
        )

    def read(self, path: Path, options: Any) -> Sessions:
        """Open one session or all of a folder; see `store.reader.open_sessions`."""
        del options
        return open_sessions(path)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: Any,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Copy recordings into a new folder of sessions; see `Format.write`."""
        del executor  # a session is written in order by one writer
        total = sum(recording.frame_count for recording in source)
        done = 0
        with export(self, source, path, options, folder=True) as job:
            for recording, name in zip(source, folder_names(source), strict=True):
                if isinstance(recording, Session):
                    _copy(recording, job.partial / name)
                    actions = recording.ledger["actions"].kept if "actions" in recording.ledger else 0
                    done += recording.frame_count
                    self._count(job, recording, actions)
                    if progress:
                        progress(done, total, "frames copied")
                    continue
                actions = 0
                with SessionWriter(job.partial / name, _as_stored(recording.info)) as writer:
                    for reading in readings(recording):
                        writer.write(reading)
                        actions += type(reading) is Step
                        done += type(reading) is Frame
                        if progress and type(reading) is Frame and done % _EVERY == 0:
                            progress(done, total, "frames copied")
                self._count(job, recording, actions)
            if progress:
                progress(done, total, "frames copied")
        return job.report

    @staticmethod
    def _count(job: Any, recording: Recording, actions: int) -> None:
        job.wrote(episodes=len(recording.segments), frames=recording.frame_count, actions=actions)
        for stream, account in recording.ledger.items():
            if stream not in ("frames", "actions", "segments", "episodes"):
                job.tally.offer(stream, account.kept)


def _copy(session: Session, target: Path) -> None:
    """Copy what is sealed; a chunk that is still open is a problem that the session tells."""
    for folder in chunk_folders(session.path):
        if is_sealed(folder):
            left = shutil.ignore_patterns(JOURNAL_FILE)
            shutil.copytree(folder, target / CHUNKS / folder.name, ignore=left)
    for name in (FACTS_FILE, SESSION_FILE):
        if (session.path / name).is_file():
            shutil.copyfile(session.path / name, target / name)
    list_segments(target)


def _as_stored(info: SessionInfo) -> SessionInfo:
    """Describe a recording as it is written anew: pictures that came out of a video are stored as PNG."""
    png = tuple(replace(s, codec="png", exact=True) if s.codec in VIDEO_CODECS else s for s in info.streams)
    return replace(info, streams=png)


def folder_names(source: Iterable[Recording]) -> list[str]:
    """Name the folders of sessions by their games, by their ids where a game comes twice, copies with a number.

    Args:
        source: The recordings. What foreign files say of themselves is made a plain name: it leads nowhere else.
    """
    recordings = list(source)
    names = [_as_name(_game_name(r)) for r in recordings]
    names = [_as_name(r.info.id) if names.count(n) > 1 else n for r, n in zip(recordings, names, strict=True)]
    return numbered(names)


def numbered(names: Iterable[str]) -> list[str]:
    """Give what stands in a list again a number behind it: `take`, `take-2`."""
    found: list[str] = []
    for name in names:
        free = (f"{name}-{number}" for number in count(2))
        found.append(name if name not in found else next(other for other in free if other not in found))
    return found


def _as_name(text: str) -> str:
    """Make a name of a folder of any text."""
    return _NOT_IN_NAMES.sub("_", text).encode()[:_LONGEST_NAME].decode(errors="ignore").strip(". ") or "session"


def _game_name(recording: Recording) -> str:
    first = recording.segments[0].attrs if recording.segments else {}
    env_id = first.get("env_id") or recording.info.provenance.get("env_id")
    if env_id:
        return session_name(env_id)
    return recording.path.name if isinstance(recording, Session) else recording.info.id


def readings(recording: Recording) -> Iterator[Reading]:
    """Play a recording back as the readings that would record it again.

    Args:
        recording: Any recording.

    Yields:
        For each segment `Start`, what happened in it by time, and `Gap`; events outside of segments between
        them.
    """
    steps_are_truth = recording.is_environment
    outside = iter(() if steps_are_truth else _events(recording))
    pending = next(outside, None)
    for segment in recording.segments:
        while pending is not None and pending.t_ns < segment.start_ns:
            yield pending
            pending = next(outside, None)
        yield Start(segment.start_ns, segment.attrs, segment.wall_ns, segment.clock)
        inside = []
        while pending is not None and pending.t_ns < segment.end_ns:
            inside.append(pending)
            pending = next(outside, None)
        streams = (
            _frames(recording, segment),
            _steps(recording, segment),
            inside,
            _telemetry(recording, segment),
        )
        merged: Iterator[Reading] = heapq.merge(*streams, key=_time)
        yield from merged
        yield Gap(segment.end_ns, segment.end_reason)
    while pending is not None:
        yield pending
        pending = next(outside, None)


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


def _steps(recording: Recording, segment: Segment) -> Iterator[Step]:
    if not recording.is_environment:
        return
    columns = recording.steps(segment.index)[_STEP_FIELDS]
    for row in columns.itertuples(index=False, name=None):
        values = [v.tolist() if isinstance(v, np.ndarray | np.generic) else v for v in row]
        yield Step(*values)


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


def _telemetry(recording: Recording, segment: Segment) -> Iterator[Telemetry]:
    table = recording.telemetry(segment.index)
    names = [c for c in table.columns if c not in ("t_ns", "segment", "frame_index")]
    for row in table.to_dict("records"):
        fields = {name: _plain(row[name]) for name in names}
        frame_index = _plain(row["frame_index"])
        yield Telemetry(int(row["t_ns"]), fields, None if frame_index is None else int(frame_index))


def _plain(value: Any) -> Any:
    """Give a Python value; None where there is none."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | dict | np.ndarray | str):
        return value
    return None if pd.isna(value) else value
