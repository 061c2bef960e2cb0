"""The database as recordings, each read when it is asked for.

Times: events have ms since the recorder's input began, `latency_offset_ms` added. That offset is its owner's guess of
how late inputs stand against the video; the original's exporters take the sum as it is, and so does this (moving events
by `action_delay_ms=-N` undoes it). Frames have no times there: frame k stands at k / fps, `time_source` is `assumed`
and a problem says so. Where `frame_timestamps` is filled, which the original never does, they are `measured`.

The recorder keeps the last 10,000 events and no more. Where a session has so many, the frames in front of the first
one are left out: what was done on them is not known. It stores them by the thousand, and from the batch on in which a
key has no name it stores none: where a session has whole thousands, the frames from the last event on are left out.

Example:
    >>> def lengths(path):
    ...     return {take.id: read_take(path, take).frame_count for take in list_takes(path)}
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError
from rushes.formats.gameon.places import Places
from rushes.formats.gameon.recording import Films, GameOnRecording
from rushes.formats.gameon.remarks import FPS, rate_of
from rushes.formats.gameon.row_read import Piece, RowReader
from rushes.formats.gameon.schema import Row, columns_of, reading, rows_of
from rushes.formats.gameon.wav import look_at
from rushes.formats.imported import Frames, NoFrames
from rushes.model.actions import ActionSpace
from rushes.model.controls import CONTROLS
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec

SCHEMA: Final = "rushes/gameon/1"
_KEPT: Final = 8


@dataclass(frozen=True)
class Take:
    """A recording of a database.

    Attributes:
        id: Its id.
        rows: Its rows of `sessions`; more than one only where we wrote them.
        abouts: What we wrote beside each of them; None where others did.
    """

    id: str
    rows: tuple[Row, ...]
    abouts: tuple[Mapping[str, Any] | None, ...]

    def row_at(self, t_ns: int) -> int:
        """Say which row of `sessions` a time belongs to: its id.

        Args:
            t_ns: ns since session start, of one of its frames.
        """
        starts = [about["segment"]["start_ns"] if about else 0 for about in self.abouts]
        return int(self.rows[max(bisect_right(starts, t_ns) - 1, 0)]["id"])


def count_events(path: Path) -> dict[int, int]:
    """Count the events of a database by the ids of their sessions.

    Args:
        path: The database.

    Raises:
        BadDataError: The database is damaged.
    """
    with reading(path) as connection:
        if not columns_of(connection, "input_events"):
            return {}
        found = connection.execute("SELECT session_id, count(*) FROM input_events GROUP BY session_id")
        return {row[0]: row[1] for row in found}


def list_takes(path: Path, wanted: Sequence[int] = ()) -> list[Take]:
    """List the recordings of a database.

    Args:
        path: The database.
        wanted: ids of rows of `sessions`; empty for all.

    Raises:
        BadDataError: The database is damaged.
    """
    with reading(path) as connection:
        rows = list(rows_of(connection, "sessions", where="ORDER BY id"))
        own = {row["session_id"]: _about(row["about"]) for row in rows_of(connection, "rushes_sessions")}
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        if not wanted or row["id"] in wanted:
            about = own.get(row["id"])
            groups.setdefault(row["id"] if about is None else ("own", about["recording"]), []).append(row)
    found = [(_name(some[0], own), some) for some in groups.values()]
    names = [name for name, _ in found]
    return [
        Take(
            name if names.count(name) == 1 else f"{name}-{some[0]['id']}",
            tuple(some),
            tuple(own.get(row["id"]) for row in some),
        )
        for name, some in found
    ]


def _about(text: Any) -> Mapping[str, Any] | None:
    """Read what we wrote; None where it is not whole."""
    try:
        about = json.loads(text)
        SessionInfo.from_json(about["session"])
        segment = Segment.from_json(about["segment"])
        numbers = (segment.start_ns, segment.end_ns, segment.wall_ns or 0)
        if not all(isinstance(number, int) for number in numbers):
            return None
        int(about["recording"])
    except (TypeError, ValueError, KeyError, RecursionError, AttributeError):
        return None
    return dict(about) if about.get("schema") == SCHEMA else None


def _name(row: Row, own: Mapping[int, Mapping[str, Any] | None]) -> str:
    about = own.get(row["id"])
    if about is not None:
        return str(about["session"]["id"])
    video = row["video_path"]
    parts = video.replace("\\", "/").split("/") if isinstance(video, str) else []
    return parts[-2] if len(parts) > 1 and parts[-2].strip(". ") else f"gameon-{row['id']}"


class Takes(Sequence[Recording]):
    """The recordings of a database; those asked for last stay at hand.

    Args:
        path: The database.
        takes: Which.
        outside: Whether paths that lead out of its folders are followed.
    """

    def __init__(self, path: Path, takes: Sequence[Take], *, outside: bool = False) -> None:
        self._path, self._takes, self._outside = path, list(takes), outside
        self._held: dict[int, Recording] = {}

    def __len__(self) -> int:
        return len(self._takes)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number not in self._held:
            if len(self._held) >= _KEPT:
                self._held.pop(next(iter(self._held)))
            self._held[number] = self._read(self._takes[number])
        return self._held[number]

    def _read(self, take: Take) -> Recording:
        """Read a recording; one that cannot be read, beside others, is one without a segment that says why."""
        try:
            return read_take(self._path, take, outside=self._outside)
        except BadDataError as error:
            if len(self) == 1:
                raise
            tally = Tally()
            tally.offer("episodes", len(take.rows))
            tally.lose("episodes", "unreadable", len(take.rows))
            said = Problem("unreadable_session", take.id, len(take.rows), f"nothing of it is read: {error.given}")
            frames = NoFrames(take.id, "restore the folder from a copy")
            return GameOnRecording(_info(take, [], []), [], frames, ledger=tally.close(), problems=[said])

    def __repr__(self) -> str:
        return f"Takes({len(self)} in {self._path.name})"


def read_take(path: Path, take: Take, *, outside: bool = False) -> Recording:
    """Read a recording.

    Args:
        path: The database.
        take: Which.
        outside: Whether paths that lead out of its folders are followed.

    Raises:
        BadDataError: The database is damaged.
    """
    tally = Tally()
    problems: list[Problem] = []
    pieces: list[Piece] = []
    numbers: list[int] = []
    with reading(path) as connection:
        for row, about in zip(take.rows, take.abouts, strict=True):
            reader = RowReader(connection, row, about, Places(path, outside), tally, problems)
            piece = reader.read()
            if piece is not None:
                pieces.append(piece)
                numbers.append(row["id"])
    tally.offer("episodes", len(take.rows))
    tally.lose("episodes", "without_frames", len(take.rows) - len(pieces))
    no_frames = NoFrames(take.id, "record it again; nothing of its video can be read")
    frames: Frames = Films(tuple(piece.film for piece in pieces)) if pieces else no_frames
    found = GameOnRecording(
        _info(take, pieces, problems),
        [piece.part for piece in pieces],
        frames,
        ledger=tally.close(),
        problems=problems,
        numbers=numbers,
        tracks=[track for piece in pieces for track in piece.tracks],
    )
    found.tell_dropped([piece.dropped for piece in pieces])
    found.segments = tuple(
        replace(segment, wall_ns=piece.segment.wall_ns, clock=piece.segment.clock) if piece.segment else segment
        for segment, piece in zip(found.segments, pieces, strict=True)
    )
    return found


def _info(take: Take, pieces: Sequence[Piece], problems: list[Problem]) -> SessionInfo:
    """Describe a recording: by what we wrote of it, else by what was found."""
    about, row = take.abouts[0], take.rows[0]
    size = pieces[0].size if pieces else (0, 0)
    sounds = _sound_streams(pieces, problems)
    if about is not None:
        info = SessionInfo.from_json(about["session"])
        others = tuple(s for s in info.streams if s.kind == "events")
        screen = StreamSpec("screen", "frames", "h264", exact=False, width=size[1], height=size[0], rate_hz=_rate(info))
        return SessionInfo(
            take.id, info.game, info.source, info.time_source, (screen, *others, *sounds), info.action_space,
            info.provenance,
        )  # fmt: skip
    measured = bool(pieces) and all(piece.measured for piece in pieces)
    codec = row["video_codec"] if isinstance(row["video_codec"], str) else ""
    fps = rate_of(row["fps"]) or FPS
    streams = (
        StreamSpec("screen", "frames", codec, exact=False, width=size[1], height=size[0], rate_hz=fps),
        StreamSpec("events", "events", unit="px"),
        *sounds,
    )
    told = (
        "id",
        "start_time",
        "end_time",
        "input_type",
        "fps",
        "latency_offset_ms",
        "status",
        "monitor_index",
        "notes",
    )
    controls = dict.fromkeys(control for piece in pieces for control in piece.controls)
    names = [name for name in CONTROLS if name in controls]
    return SessionInfo(
        take.id,
        row["game_name"] if isinstance(row["game_name"], str) and row["game_name"] else "unknown",
        {"kind": "import", "name": "gameon"},
        "measured" if measured else "assumed",
        streams,
        ActionSpace.from_names(names),
        {"gameon": {name: row[name] for name in told if isinstance(row[name], str | int | float)}},
    )


def _rate(info: SessionInfo) -> float:
    stream = info.stream("frames")
    return stream.rate_hz if stream is not None else 0.0


def _sound_streams(pieces: Sequence[Piece], problems: list[Problem]) -> tuple[StreamSpec, ...]:
    found: dict[str, StreamSpec] = {}
    for track in (track for piece in pieces for track in piece.tracks):
        wav = look_at(track.path)
        stream = found.setdefault(track.stream, StreamSpec(track.stream, "sound", "wav", rate_hz=float(wav.rate_hz)))
        if stream.rate_hz != wav.rate_hz:
            text = f"{wav.rate_hz} Hz, where the first file of {track.stream} has {stream.rate_hz:g}"
            problems.append(Problem("sound_rates_differ", str(track.path), 1, text))
    return tuple(found.values())
