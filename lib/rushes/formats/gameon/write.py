"""Recordings as a folder of GameOn: `data/gameon.db`, and a folder a segment with its video and sound.

A recording of several segments becomes several rows of `sessions`, for nothing there says that a video has a gap.
Videos are H.264 at a whole number of frames a second; when each frame was taken stands in `frame_timestamps`. A dropped
tick has a row with `dropped`, under the number of the frame behind it, at the time at which it was due. Sound is laid
on the segment's time, with silence where nothing was heard, since a WAV has no other clock.

Example:
    >>> slug("Elden Ring: Nightreign"), stamp(1_700_000_000_123_456_789)
    ('Elden_Ring_Nightreign', '2023-11-14T22:13:20.123456')
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.formats.card import Job
from rushes.formats.gameon import pads
from rushes.formats.gameon.codes import Codes
from rushes.formats.gameon.names import KEYBOARD
from rushes.formats.gameon.places import SESSIONS
from rushes.formats.gameon.read import SCHEMA
from rushes.formats.gameon.rows_write import places, rows_of_segment
from rushes.formats.gameon.schema import NAMES, TABLES, create_tables
from rushes.formats.gameon.tracks import FILES, chosen, write_track
from rushes.formats.imported import ASSUMED_HZ
from rushes.formats.inputs import NO_PLACE, Account
from rushes.formats.session import numbered
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.controls import CONTROLS, POINTER
from rushes.model.events import COLUMNS, cut_events
from rushes.model.readings import Event
from rushes.model.recording import Recording
from rushes.store.pairing import Pair, pairs
from rushes.store.video import write_video

Pixels = npt.NDArray[np.uint8]

DATABASE: Final = Path(NAMES[1])
"""Where the database lies in the folder that is written."""
_MS: Final = 1_000_000
_ZERO: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the original's times have no zone
_FASTEST_HZ: Final = 1000
_BAD: Final = re.compile(r'[\s/\x00-\x1f\x7f\\:*?"<>|\ud800-\udfff]+')
_LONGEST: Final = 100
_EVERY: Final = 64
_MOST_DROPPED: Final = 10_000
"""Rows of dropped ticks between two frames; numbers of ticks that leap are no ten thousand pictures."""

Tell = Callable[[int], None]


def slug(game: str) -> str:
    """Make the name of a game part of a folder's name, as the original does; what no folder may hold goes too."""
    return _BAD.sub("_", game)[:_LONGEST].strip("._") or "game"


def stamp(wall_ns: int) -> str:
    """Write a time as the original does: ISO without a zone; it is UTC."""
    return (_ZERO + timedelta(microseconds=wall_ns // 1000)).isoformat()


class Writer:
    """A database and its folders in the making.

    Args:
        root: A folder that is there.
        strict: The original's tables and words alone.
        codes: How inputs are numbered.
        job: Where to count.
    """

    def __init__(self, root: Path, *, strict: bool, codes: Codes, job: Job) -> None:
        self._root, self._strict, self._codes, self._job = root, strict, codes, job
        self._places = places(strict=strict)
        self._recordings = self._sessions = self._events = self._frames = self._numbered = 0
        self._folders: list[str] = []
        database = root / DATABASE
        database.parent.mkdir()
        self._connection = sqlite3.connect(database)
        create_tables(self._connection, own=not strict)

    def write(self, recording: Recording, tell: Tell) -> None:
        """Write one recording.

        Args:
            recording: At least one control of it has a place.
            tell: Called with the frames written since the last call.
        """
        account = Account(self._job.tally, self._places)
        frames = segments = 0
        self._recordings += 1
        sounds = chosen(stream.name for stream in recording.sound_streams)
        heard: Counter[str] = Counter()
        for pair in pairs(recording):
            heard += self._segment(recording, pair, sounds, tell)
            account.take(pair)
            frames, segments = frames + len(pair), segments + 1
        account.close(recording)
        self._job.wrote(episodes=segments, frames=frames, actions=frames)
        self._job.lose("frames", "without_action", recording.frame_count - frames)
        self._job.lose("episodes", "without_action", len(recording.segments) - segments)
        for stream in recording.sound_streams:
            there = recording.ledger.get(stream.name)
            count = sum(len(b.samples) for b in recording.sound(stream.name)) if there is None else there.kept
            reason = "outside_segment" if stream.name in sounds.values() else f"{NO_PLACE}{stream.name}"
            self._job.lose(stream.name, reason, max(count - heard[stream.name], 0))

    def close(self) -> None:
        """Check that all fits together, and close the database."""
        with closing(self._connection) as connection:
            connection.commit()
            assert not connection.execute("PRAGMA foreign_key_check").fetchall()

    def abandon(self) -> None:
        """Close the database as it is, after an error."""
        self._connection.close()

    def _segment(self, recording: Recording, pair: Pair, sounds: Mapping[str, str], tell: Tell) -> Counter[str]:
        """Write one segment: its files, then its rows; give the samples of each stream of sound."""
        segment = pair.segment
        wall_ns = segment.wall_ns if segment.wall_ns is not None else segment.start_ns
        began = stamp(wall_ns)
        folder = self._folder(recording.info.game, began)
        (self._root / folder).mkdir(parents=True)
        fps = min(max(round(recording.rate_hz or ASSUMED_HZ), 1), _FASTEST_HZ)
        first = segment.first_frame
        pictures = _told(recording.frames(first, first + len(pair)), tell)
        size, pictures = _size(pictures)
        video = write_video(self._root / folder / "video.mp4", pictures, rate_hz=fps)
        end_ns = int(pair.grid.ends_ns[-1])
        tracks = {
            column: write_track(
                recording,
                sounds[column],
                self._root / folder / name,
                start_ns=segment.start_ns,
                stop_ns=end_ns,
                job=self._job,
            )
            for column, name in FILES.items()
            if column in sounds
        }
        written = {column: FILES[column] for column, found in tracks.items() if found.samples}
        self._sessions += 1
        lasted_ns = end_ns - segment.start_ns
        events = _events(pair, self._places)
        told = {
            "id": self._sessions,
            "game_name": recording.info.game,
            "start_time": began,
            "end_time": stamp(wall_ns + lasted_ns),
            "duration_seconds": lasted_ns // NS,
            "video_path": f"{folder}/video.mp4",
            "system_audio_path": f"{folder}/{written['system']}" if "system" in written else None,
            "microphone_audio_path": f"{folder}/{written['mic']}" if "mic" in written else None,
            "input_type": _input_type(events),
            "fps": fps,
            "latency_offset_ms": 0,
            "status": "completed",
            "monitor_index": 0,
            "notes": f"{recording.info.id}, segment {segment.index}"
            + (": when it was recorded is not known" if segment.wall_ns is None else "; times are UTC"),
            "video_width": video.width,
            "video_height": video.height,
            "video_codec": "h264",
            "total_frames": len(pair),
            "file_size_bytes": video.size_bytes,
        }
        self._insert("sessions", [tuple(told.values())])
        if not self._strict:
            about = {
                "schema": SCHEMA,
                "recording": self._recordings,
                "session": _plain_session(recording),
                "segment": replace(segment, frames=len(pair), end_ns=end_ns).to_json(),
                "size": list(size),
                "sounds": {
                    column: {"stream": sounds[column], "silences": tracks[column].silences} for column in written
                },
            }
            self._insert("rushes_sessions", [(self._sessions, json.dumps(about, sort_keys=True, ensure_ascii=True))])
        self._frame_rows(pair)
        self._event_rows(pair, events)
        self._connection.commit()
        return Counter({sounds[column]: found.samples for column, found in tracks.items()})

    def _folder(self, game: str, began: str) -> str:
        name = f"{slug(game)}_{re.sub(r'[-:]', '', began[:19]).replace('T', '_')}"
        self._folders = numbered([*self._folders, name])
        return f"{DATABASE.parent.as_posix()}/{SESSIONS}/{self._folders[-1]}"

    def _frame_rows(self, pair: Pair) -> None:
        """Write when each frame was taken, and each tick that has none."""
        names = ["t_ns", "tick", "duplicate", "late", "dropped_before"]
        table = pair.index[names].to_numpy(np.int64)
        times = (table[:, 0] - table[0, 0]) // _MS
        rows, own = [], []
        for number, (t_ns, tick, duplicate, late, dropped) in enumerate(table.tolist()):
            told = min(dropped, _MOST_DROPPED) if number else 0
            self._job.tally.mark("frames", "dropped_without_row", dropped - told if number else 0)
            for k in range(told):
                self._frames += 1
                due = (table[number - 1, 0] * (dropped - k) + t_ns * (k + 1)) // (dropped + 1) - table[0, 0]
                rows.append((self._frames, self._sessions, number, int(due) // _MS, None, 1))
            self._frames += 1
            rows.append((self._frames, self._sessions, number, int(times[number]), None, 0))
            own.append((self._frames, t_ns, tick, duplicate, late, dropped))
        self._insert("frame_timestamps", rows)
        if not self._strict:
            self._insert("rushes_frames", own)

    def _event_rows(self, pair: Pair, events: Sequence[Event]) -> None:
        rows, own = [], []
        for values, event in rows_of_segment(events, pair.grid.t_ns):
            self._events += 1
            rows.append((self._events, self._sessions, *values, self._codes.row(*values[1:3])[0]))
            if event is not None:
                own.append((self._events, *event))
        new = self._codes.rows[self._numbered :]
        self._numbered += len(new)
        self._insert("action_codes", [(*row, None, None, None) for row in new])
        self._insert("input_events", rows)
        if not self._strict:
            self._insert("rushes_events", own)

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(TABLES[table]))
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our names


def _told(frames: Iterator[Pixels], tell: Tell) -> Iterator[Pixels]:
    done = 0
    for done, pixels in enumerate(frames, 1):
        yield pixels
        if done % _EVERY == 0:
            tell(_EVERY)
    tell(done % _EVERY)


def _size(frames: Iterator[Pixels]) -> tuple[tuple[int, int], Iterator[Pixels]]:
    """Look at the size of the first picture."""
    first = next(frames)
    return (first.shape[0], first.shape[1]), chain([first], frames)


def _events(pair: Pair, known: frozenset[str]) -> list[Event]:
    """Give the events of a segment that have a place, by time; those before it only as what is down."""
    start_ns, end_ns = int(pair.grid.t_ns[0]), int(pair.grid.ends_ns[-1])
    table = cut_events(pair.events.sort_values("t_ns", kind="stable"), start_ns, end_ns)
    placed = table["control"].isin([*known, POINTER]) & (table["flag"] != "hotkey")
    plain = table[placed][list(COLUMNS)].astype(object)
    return [Event(*row) for row in plain.where(plain.notna(), None).itertuples(index=False, name=None)]


def _input_type(events: Sequence[Event]) -> str:
    """Name the device that most was done with, in the original's words."""
    by_pad = sum(event.control in pads.CONTROLS for event in events)
    return pads.DEVICES[0] if by_pad > len(events) / 2 else KEYBOARD


def _plain_session(recording: Recording) -> dict[str, Any]:
    """Describe the session as recorded play: what an environment's steps say is not in this format."""
    info = recording.info
    if info.action_space.kind == "buttons":
        return info.to_json()
    names = sorted(set(recording.events()["control"]) & set(CONTROLS))
    return replace(info, action_space=ActionSpace.from_names(names)).to_json()
