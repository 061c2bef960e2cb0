"""`gameon`: the database of GameOn with its videos and WAV files.

```
<target>/data/gameon.db                                           sessions, input_events, action_codes, frame_timestamps
         data/sessions/<Game>_<YYYYmmdd_HHMMSS>/video.mp4         H.264
                                                system_audio.wav  where there is sound
                                                microphone_audio.wav
```

Opened by the database or by a folder that holds it; nothing in it is changed. Reading maps every input to the control
that was moved, or counts why it cannot (`rows_read`). Times are what they are: frames of the original have none, so
they are assumed at the nominal rate and said to be. The default form has times in ns and the original motion in tables
of its own, which the original's classes do not look at; `strict=true` leaves them out, and its times are whole ms.

Source of the layout: Luminare7/GameOn at 907d615, and 4a99236 for the first form of its tables.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("gameon").keeps.events
    True
    >>> # convert("sessions/doom", "doom_gameon", format="gameon", options=["strict=true"])
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import Format, Progress
from rushes.formats.base import Takes as Accepts
from rushes.formats.card import export
from rushes.formats.gameon.codes import Codes
from rushes.formats.gameon.read import Takes, list_takes
from rushes.formats.gameon.rows_write import places
from rushes.formats.gameon.schema import find_database
from rushes.formats.gameon.write import Writer
from rushes.formats.nitrogen.capture import has_rows, moved, spoken_of
from rushes.formats.report import Keeps, Report
from rushes.model.recording import Recording, Sessions


@dataclass(frozen=True)
class GameOnOptions:
    """Options of writing, then of reading.

    Attributes:
        strict: The original's tables and words alone, times in whole ms.
        codes: Numbers of inputs: `seeded`, as the original's migration gives them, or `first_seen`.
        sessions: Reading: only these ids of the table sessions, with commas between.
        outside: Reading: follow paths that lead out of the database's folder.
    """

    strict: bool = False
    codes: str = "seeded"
    sessions: str = ""
    outside: bool = False


class GameOn(Format):
    """GameOn's database and files."""

    name: ClassVar[str] = "gameon"
    looks_for: ClassVar[str] = "gameon.db, a folder that holds it, or one that holds data/gameon.db"
    Options: ClassVar[type[Any]] = GameOnOptions
    keeps: ClassVar[Keeps] = Keeps("lossy", times=True, audio=True, rewards=False, names=True, events=True)
    takes: ClassVar[Accepts] = "inputs"

    def sniff(self, path: Path) -> bool:
        """Look for a database with a table of sessions that have a game; see `Format.sniff`."""
        return find_database(path) is not None

    def read(self, path: Path, options: GameOnOptions) -> Sessions:
        """Open a database; see `Format.read`.

        Raises:
            BadInputError: `sessions` names none, or one that is not there.
            BadDataError: There is no database, or it is damaged.
        """
        database = find_database(path)
        if database is None:
            raise BadDataError(f"{path}, which holds no database", accepts=self.looks_for, fix="check the path")
        wanted = _ids(options.sessions)
        takes = list_takes(database, wanted)
        there = {row["id"] for take in takes for row in take.rows}
        gone = [number for number in wanted if number not in there]
        if gone:
            every = ", ".join(str(row["id"]) for take in list_takes(database) for row in take.rows)
            raise BadInputError(
                f"sessions={options.sessions}, of which {gone[0]} is not there",
                accepts=f"ids of {database.name}: {every or 'it has none'}",
                fix="leave it out for all",
            )
        return Sessions(Takes(database, takes, outside=options.outside), format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: GameOnOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write a folder; see `Format.write`.

        Raises:
            BadInputError: A recording of which no control has a place, or nothing could be done on any frame.
        """
        del executor  # x264 has threads of its own
        codes = Codes(options.codes)
        recordings = [recording for recording in source if has_rows(recording)]
        if not recordings:
            raise BadInputError(
                "a source without any action",
                accepts="at least one frame on which something could be done",
                fix="`rushes info PATH` says what it holds",
            )
        for recording in recordings:
            _refuse_without_place(recording, strict=options.strict)
        total, done = sum(recording.frame_count for recording in source), 0

        def tell(frames: int) -> None:
            nonlocal done
            done += frames
            if progress and frames:
                progress(done, total, "frames written")

        with export(self, source, path, options, folder=True) as job:
            writer = Writer(job.partial, strict=options.strict, codes=codes, job=job)
            try:
                for recording in source:
                    writer.write(recording, tell)
            except BaseException:
                writer.abandon()
                raise
            writer.close()
        return job.report


def _refuse_without_place(recording: Recording, *, strict: bool) -> None:
    known = spoken_of(recording)
    if not places(strict=strict) & (known | moved(recording)):
        raise BadInputError(
            f"{recording.info.id}: none of its controls ({', '.join(sorted(known)[:6]) or 'it has none'}) has a name "
            "in GameOn",
            accepts="play with keyboard, mouse or pad",
            fix="write another format; `rushes info PATH` lists what can be done in the session",
        )


def _ids(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in text.replace(",", " ").split())
    except ValueError:
        raise BadInputError(
            f"sessions={text!r}", accepts="ids with commas between, such as 1,3", fix="leave it out for all"
        ) from None
