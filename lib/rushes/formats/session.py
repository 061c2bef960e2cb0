"""Our own session directory as a format: read as it lies, written by copying any recording into the store.

A target is always a folder of sessions (`<target>/atari_alien/`), named as sampled sessions are, whether it
holds one or many. A session of ours is copied file by file, sound and video included; another recording is written
anew, exactly: pictures of palette screens stay indexed, times, segments, actions, events, telemetry, sound are the
same. Sound outside of segments has no place in a session: it is counted, and lost.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("session").keeps.frames
    'exact'
    >>> # convert("alien.parquet", "sessions", format="session")
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import export
from rushes.formats.options import NoOptions
from rushes.formats.playback import readings
from rushes.formats.report import Keeps, Report
from rushes.model.games import session_name
from rushes.model.readings import Frame, Lost, Sound, Step
from rushes.model.recording import Recording, Sessions
from rushes.model.session import SessionInfo
from rushes.store.checked import facts_of
from rushes.store.facts import write_facts
from rushes.store.layout import CHUNKS, FACTS_FILE, JOURNAL_FILE, SESSION_FILE, chunk_folders, is_sealed, is_session
from rushes.store.manifest import list_segments
from rushes.store.reader import Session, open_sessions
from rushes.store.video_stream import CODECS as VIDEO_CODECS
from rushes.store.writer import SessionWriter

_EVERY: Final = 256
"""Frames between two calls of `progress`."""
_COUNTED: Final = ("frames", "actions", "segments", "episodes")
"""Accounts that the export makes itself."""
_OF_THE_INPUTS: Final = ("offset", "verdict")
"""Kinds of facts that are no longer so where inputs were moved."""
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]+')
_LONGEST_NAME: Final = 200
"""Bytes of a folder's name; file systems take 255."""


class SessionFormat(Format):
    """The session directory."""

    name: ClassVar[str] = "session"
    looks_for: ClassVar[str] = "session.json, in the folder itself, in its folders, or in those of its folder sessions/"
    Options: ClassVar[type[Any]] = NoOptions
    honours_facts: ClassVar[bool] = False
    keeps: ClassVar[Keeps] = Keeps(
        "exact", times=True, audio=True, rewards=True, names=True, events=True, telemetry=True, human=True
    )
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
                actions, heard = 0, Counter[str]()
                with SessionWriter(job.partial / name, _as_stored(recording.info)) as writer:
                    for reading in readings(recording):
                        writer.write(reading)
                        actions += type(reading) is Step
                        done += type(reading) is Frame
                        if isinstance(reading, Sound):
                            heard[reading.stream] += len(reading.samples)
                        elif isinstance(reading, Lost):
                            heard[reading.stream] += reading.count
                            job.tally.lose(reading.stream, reading.reason, reading.count)
                        if progress and type(reading) is Frame and done % _EVERY == 0:
                            progress(done, total, "frames copied")
                write_facts(job.partial / name, (f for f in facts_of(recording) if f.kind not in _OF_THE_INPUTS))
                self._count(job, recording, actions, heard)
            if progress:
                progress(done, total, "frames copied")
        return job.report

    @staticmethod
    def _count(job: Any, recording: Recording, actions: int, heard: Mapping[str, int] = _NOTHING) -> None:
        job.wrote(episodes=len(recording.segments), frames=recording.frame_count, actions=actions)
        others = {name: account.kept for name, account in recording.ledger.items() if name not in _COUNTED}
        for stream, number in {**others, **heard}.items():
            job.tally.offer(stream, number)


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
    """Describe a recording as it is written anew: pictures that came out of a video as PNG, sound as FLAC."""
    streams = (replace(s, codec="png", exact=True) if s.codec in VIDEO_CODECS else s for s in info.streams)
    return replace(info, streams=tuple(replace(s, codec="flac") if s.kind == "sound" else s for s in streams))


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
