"""One row of `sessions` as a segment: its video, its events, its sound, and what had to be worked around.

Example:
    >>> nominal_ns(3, 30).tolist()
    [0, 33333333, 66666667]
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.gameon.places import SOUND_ENDINGS, VIDEO_ENDINGS, Places
from rushes.formats.gameon.recording import Track
from rushes.formats.gameon.remarks import BATCH, FPS, MOST_EVENTS, NEAR, rate_of, remarks, short
from rushes.formats.gameon.rows_read import FoundEvents, read_rows
from rushes.formats.gameon.schema import Row, columns_of, rows_of
from rushes.formats.gameon.wav import look_at
from rushes.formats.imported import Part
from rushes.formats.nitrogen.video import Film
from rushes.model.clock import NS
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.events import COLUMNS, cut_events, events_frame, validate_events
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.session import Segment
from rushes.store.video import probe
from rushes.store.video_film import Film as VideoFilm

Ints = npt.NDArray[np.int64]

SOUNDS: Final[Mapping[str, str]] = {"system": "system_audio_path", "mic": "microphone_audio_path"}
"""Stream of sound -> the column that names its file."""
_MS: Final = 1_000_000
_LATEST_MS: Final = 1 << 40


def nominal_ns(count: int, rate_hz: float) -> Ints:
    """Give the times of frames at a rate: (count,) int64 ns."""
    return np.asarray(np.rint(np.arange(count) * (NS / rate_hz)), np.int64)


@dataclass(frozen=True)
class Piece:
    """A row of `sessions` that was read.

    Attributes:
        part: Its frames and events.
        film: Its video.
        size: (height, width) of its pictures.
        tracks: Its sound.
        measured: Whether the times of its frames are.
        controls: Physical controls in its events.
        segment: What we wrote of it.
        dropped: (N,) int64, ticks without a picture before each frame, where we wrote them.
    """

    part: Part
    film: Film
    size: tuple[int, int]
    tracks: tuple[Track, ...]
    measured: bool
    controls: tuple[str, ...] = ()
    segment: Segment | None = None
    dropped: Ints | None = None


class RowReader:
    """Reads one row of `sessions`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        row: Row,
        about: Mapping[str, Any] | None,
        places: Places,
        tally: Tally,
        problems: list[Problem],
    ) -> None:
        self._connection, self._row, self._about, self._places = connection, row, about, places
        self._tally, self._problems = tally, problems
        self._where = f"{places.database.name}, session {row['id']}"

    def _tell(self, kind: str, count: int, sentence: str, where: str = "") -> None:
        if count:
            self._problems.append(Problem(kind, where or self._where, count, sentence))

    def read(self) -> Piece | None:
        """Read frames, events and sound; None where there are no frames."""
        stored = self._events() if self._about is None else None
        film = self._film()
        if film is None:
            lost = stored.offered if stored is not None else self._count_events()
            self._tally.offer("events", lost)
            self._tally.lose("events", "without_video", lost)
            return None
        if stored is not None:
            return self._foreign(*film, stored)
        try:
            return self._own(*film)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            said = error.given if isinstance(error, BadDataError) else f"{type(error).__name__} {error}"
            raise BadDataError(
                f"{self._where}: what stands in our own tables does not read ({said})",
                accepts="a database and videos as they were written together",
                fix="restore the folder from a copy",
            ) from error

    def _count_events(self) -> int:
        where = "SELECT count(*) FROM input_events WHERE session_id = ?"
        return int(self._connection.execute(where, (self._row["id"],)).fetchone()[0])

    def _film(self) -> tuple[Path, int, tuple[int, int], float] | None:
        """Open the video: where it is, how many pictures, their size, their rate."""
        given = self._row["video_path"]
        path = self._places.find(given, VIDEO_ENDINGS)
        if path is None:
            why = "the row names no video" if not given else f"{short(given)} is not beside the database"
            if given and not self._places.outside and Places(self._places.database, outside=True).find(given, ()):
                why += "; it lies elsewhere on this machine: read with outside=true to follow that path"
            self._tell("without_video", 1, f"no frame of it can be shown: {why}")
            return None
        try:
            said = probe(path)
            with VideoFilm(path) as film:
                return path, len(film.contents), (said.height, said.width), said.rate_hz
        except ValueError as error:  # BadDataError is one; PyAV raises others
            why = error.given if isinstance(error, BadDataError) else str(error)
            self._tell("unreadable_video", 1, f"a recorder that was killed leaves an MP4 without its table: {why}")
            return None

    def _events(self) -> FoundEvents:
        if not columns_of(self._connection, "input_events"):
            return read_rows([])
        return read_rows(
            rows_of(
                self._connection,
                "input_events",
                where="WHERE session_id = ? ORDER BY timestamp_ms, id",
                given=(self._row["id"],),
            )
        )

    def _foreign(self, path: Path, count: int, size: tuple[int, int], film_hz: float, stored: FoundEvents) -> Piece:
        fps = self._fps(film_hz)
        measured = self._measured(count)
        t_ns, tick = measured if measured is not None else (nominal_ns(count, fps), np.arange(count))
        step = round(NS / fps) if count == 1 or measured is None else round(float(np.median(np.diff(t_ns))))
        end_ns = int(t_ns[-1]) + max(step, 1)
        first = self._first_known(stored, t_ns)
        stop = max(self._behind_known(stored, t_ns, end_ns), first + 1)
        start_ns, end_ns = int(t_ns[first]), int(t_ns[stop]) if stop < count else end_ns
        events = cut_events(stored.events, start_ns, end_ns)
        real = stored.events["kind"] != "state"
        early, late = stored.events["t_ns"] < start_ns, stored.events["t_ns"] >= end_ns
        lost = stored.lost.copy()
        lost["before_video"], lost["behind_video"] = int((real & early).sum()), int((real & late).sum())
        self._tally.offer("events", stored.offered)
        for reason, number in lost.items():
            self._tally.lose("events", reason, number)
        self._tally.offer("frames", count)
        self._tally.lose("frames", "inputs_overwritten", first)
        self._tally.lose("frames", "inputs_not_stored", count - stop)
        dropped = int(tick[-1]) + 1 - count
        self._tally.offer("frames", dropped)
        self._tally.lose("frames", "dropped_tick", dropped)
        problems = remarks(
            self._row, stored, lost, where=self._where, count=count, fps=fps, measured=measured is not None
        )
        self._problems += problems
        reason = "end" if self._row["status"] == "completed" else "killed"
        attrs = {"gameon_session": self._row["id"]}
        part = Part(t_ns[first:stop], end_ns, tick[first:stop], events, reason, attrs)
        none = np.full(stop - first, -1, np.int64)
        film = Film(path, None, np.arange(first, stop), [], none)
        tracks = self._tracks(0, end_ns)
        names = set(stored.events["control"])
        names |= {MOUSE_MOTIONS[0], MOUSE_MOTIONS[1]} if POINTER in names else set()
        return Piece(part, film, size, tracks, measured=measured is not None, controls=tuple(sorted(names - {POINTER})))

    def _fps(self, film_hz: float) -> float:
        fps = rate_of(self._row["fps"])
        if fps is None:
            fps = film_hz if rate_of(film_hz) else FPS
            self._tell("without_fps", 1, f"no rate in the row: the video's own, {fps:g} a second, is taken")
        elif film_hz and abs(film_hz / fps - 1) > NEAR:
            self._tell("rates_differ", 1, f"fps is {fps:g} in the row, {film_hz:g} in the video; the row's is taken")
        return fps

    def _measured(self, count: int) -> tuple[Ints, Ints] | None:
        """Give times and ticks by `frame_timestamps`; None where they do not fit the video."""
        where = "WHERE session_id = ? ORDER BY frame_number, dropped DESC, id"
        rows = list(rows_of(self._connection, "frame_timestamps", where=where, given=(self._row["id"],)))
        if not rows:
            return None
        kept = np.array([not row["dropped"] for row in rows], bool)
        said = [row["capture_timestamp_ms"] for row in rows]
        good = all(isinstance(ms, int | float) and 0 <= ms < _LATEST_MS for ms in said)
        times = np.rint(np.array([ms if good else 0 for ms in said], np.float64)[kept] * _MS).astype(np.int64)
        if not good or kept.sum() != count or (np.diff(times) < 0).any():
            text = f"{int(kept.sum())} times of frames for {count} pictures, or times that do not rise: none is used"
            self._tell("frame_timestamps_do_not_fit", len(rows), text)
            return None
        ticks = np.flatnonzero(kept)
        return times, ticks - ticks[0]

    def _first_known(self, stored: FoundEvents, t_ns: Ints) -> int:
        if stored.offered != MOST_EVENTS or not len(stored.events):
            return 0
        first = int(np.searchsorted(t_ns, int(stored.events["t_ns"].iloc[0])))
        first = min(first, len(t_ns) - 1)
        text = (
            f"frames in front of the first input are left out: the recorder keeps the last {MOST_EVENTS:,} and this "
            "session has as many, so what was done before is not known"
        )
        self._tell("inputs_overwritten", first, text)
        return first

    def _behind_known(self, stored: FoundEvents, t_ns: Ints, end_ns: int) -> int:
        """Say from which frame on it is not known what was done: that of the last input, where whole batches are."""
        is_whole = stored.offered % BATCH or stored.offered >= MOST_EVENTS or stored.lost["key_without_name"]
        if is_whole or not len(stored.events) or "action_code" not in columns_of(self._connection, "input_events"):
            return len(t_ns)  # a table without codes takes keys without a name
        last_ns = int(stored.events["t_ns"].iloc[-1])
        stop = len(t_ns) if last_ns >= end_ns else max(int(np.searchsorted(t_ns, last_ns, side="right")) - 1, 0)
        text = (
            f"frames from the last input on are left out: the recorder stores inputs by the {BATCH:,}, none from a key "
            f"without a name on, and this session has {stored.offered:,}: what was done after is not known"
        )
        self._tell("inputs_not_stored", len(t_ns) - stop, text)
        return stop

    def _tracks(self, start_ns: int, stop_ns: int) -> tuple[Track, ...]:
        found = []
        for stream, column in SOUNDS.items():
            given = self._row[column]
            if not given:
                continue
            path = self._places.find(given, SOUND_ENDINGS)
            if path is None:
                self._tell("without_sound", 1, f"{short(given)} is not beside the database")
                continue
            try:
                wav = look_at(path)
            except BadDataError as error:
                self._tell("unreadable_sound", 1, error.given, where=str(path))
                continue
            if not wav.count:
                self._tell("empty_sound", 1, "a WAV file without a sample: its device gave nothing", where=str(path))
                continue
            text = "a header that claims another length, as a killed recorder leaves it; all that is there is read"
            self._tell("sound_header", int(wav.cut), text, where=str(path))
            told = (self._about or {}).get("sounds", {}).get(stream, {})
            silences = tuple((int(first), int(count)) for first, count in told.get("silences", ()))
            name = str(told.get("stream", stream))
            self._tally.offer(name, wav.count - sum(count for _, count in silences))
            found.append(Track(name, path, start_ns, stop_ns, silences))
        if found and self._about is None:
            text = (
                "sound begins when its device does and has no clock in common with the video; it is laid from frame 0"
            )
            self._tell("sound_without_times", len(found), text)
        return tuple(found)

    def _own(self, path: Path, count: int, size: tuple[int, int], _: float) -> Piece:
        """Read what we wrote, by our own tables."""
        assert self._about is not None
        segment = Segment.from_json(self._about["segment"])
        said = (
            "SELECT t_ns, tick, duplicate, late, dropped_before FROM rushes_frames "
            "JOIN frame_timestamps ON frame_id = id WHERE session_id = ? ORDER BY frame_number"
        )
        table = np.array([tuple(row) for row in self._connection.execute(said, (self._row["id"],))], np.int64)
        if table.shape != (count, 5) or (np.diff(table[:, 0], append=segment.end_ns) < 0).any() or table.min() < 0:
            raise BadDataError(
                f"{self._where}: {len(table)} times of frames for {count} pictures",
                accepts="a database and videos as they were written together",
                fix="restore the folder from a copy",
            )
        columns = ", ".join(f"e.{name}" for name in COLUMNS)
        said = (
            f"SELECT {columns} FROM rushes_events e "  # noqa: S608 - our names
            "JOIN input_events i ON e.event_id = i.id WHERE session_id = ? ORDER BY i.id"
        )
        events = events_frame([tuple(row) for row in self._connection.execute(said, (self._row["id"],))])
        validate_events(events)
        self._tally.offer("events", int((events["kind"] != "state").sum()))
        dropped = int(table[:, 4].sum())
        self._tally.offer("frames", count + dropped)
        self._tally.lose("frames", "dropped_tick", dropped)
        part = Part(
            table[:, 0], segment.end_ns, table[:, 1], events, segment.end_reason, segment.attrs,
            duplicate=table[:, 2] != 0, late=table[:, 3] != 0,
        )  # fmt: skip
        height, width = (min(int(a), b) for a, b in zip(self._about.get("size", size), size, strict=True))
        film = Film(path, (height, width), np.arange(count), [], np.full(count, -1, np.int64))
        tracks = self._tracks(segment.start_ns, segment.end_ns)
        return Piece(part, film, (height, width), tracks, measured=True, segment=segment, dropped=table[:, 4])
