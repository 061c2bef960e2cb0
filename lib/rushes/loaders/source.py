"""What a dataset is made of: recordings by their entries, each with a way to open it in whatever process.

A source is a session, a folder of them, a library, a table of samples, any path that a format reads, a recording, or
several of these. A library gives its entries without opening a session; anything else is opened once and described.

Example:
    >>> def games(source):
    ...     return sorted({one.entry.game for one in sources(source).each})
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from rushes.errors import BadInputError, MissingError
from rushes.formats.base import open_any
from rushes.formats.options import Given
from rushes.loaders.packed import place_of
from rushes.model.ledger import Ledger, Tally
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.store.choose import games_named
from rushes.store.entry import Entry, describe
from rushes.store.library import LIBRARY_FILE, Library
from rushes.store.reader import Session, open_session
from rushes.store.validity import Valid, honour

Named = str | Path | Recording | Sessions | Library
"""What one recording or several go by."""
UNREADABLE: Final = "unreadable"
"""Reason in the ledger: a session of a library that cannot be read, or the copy of another one."""


@dataclass(frozen=True)
class Source:
    """One recording.

    Attributes:
        entry: What it is.
        path: What to open; None for a recording that has no path.
        number: Which recording of that path; None for a session of ours.
        options: Reading options of the path's format.
        itself: The recording, where there is no path; it must be picklable for workers that are not forked.
    """

    entry: Entry
    path: Path | None = None
    number: int | None = None
    options: Given = None
    itself: Recording | None = None

    def open(self) -> Recording:
        """Open it with its marks honoured; the same frames and segments as its entry says."""
        if self.path is None:
            assert self.itself is not None
            return self.itself
        if self.number is None:
            return honour(open_session(self.path))
        return honour(open_any(self.path, options=self.options)[self.number])


@dataclass(frozen=True)
class Found:
    """What a source holds.

    Attributes:
        each: Its recordings in order.
        samples: Labelled rows over them, where it has such.
        packs: Where packs of it may lie; None where there is no such place.
        ledger: How many sessions were there, and why some are left out.
    """

    each: tuple[Source, ...]
    samples: Samples | None = None
    packs: Path | None = None
    ledger: Ledger = field(default_factory=Ledger)


class _Part(NamedTuple):
    each: list[Source]
    samples: Samples | None = None
    packs: Path | None = None
    unreadable: int = 0


def sources(
    source: Named | Iterable[Named], *, game: str | Sequence[str] | None = None, options: Given = None
) -> Found:
    """Find the recordings of a source.

    Args:
        source: A session, a folder, a library, a table of samples, any path that can be read, a recording, or several.
        game: Only recordings of this game, or of these, as people say them; upper and lower case are one.
        options: Reading options of a path's format.

    Returns:
        What is there. A session of a library that cannot be read is left out, with a warning, and counted.

    Raises:
        MissingError: Nothing is there, or no recording is.
        BadDataError: A path is of no format, or damaged.
        BadNameError: No recording is of such a game; the message names those there are.
    """
    part = _each(source, options)
    found = part.each
    if not found:
        raise MissingError(
            f"{source}, which holds no recording", accepts="one or more recordings", fix="check the path"
        )
    games = games_named(game, (one.entry.game for one in found))
    kept = tuple(one for one in found if one.entry.game in games)
    tally = Tally()
    tally.offer("sessions", len(found) + part.unreadable)
    tally.lose("sessions", UNREADABLE, part.unreadable)
    tally.lose("sessions", "other_game", len(found) - len(kept))
    return Found(kept, part.samples, part.packs, tally.close())


def _each(source: Named | Iterable[Named], options: Given) -> _Part:
    if isinstance(source, Library):
        items = source.items()
        left = [item.problem for item in items if item.problem]
        if left:
            warnings.warn(f"{source.root}: {len(left)} of {len(items)} sessions left out: {left[0]}", stacklevel=2)
        made = [Source(item.entry, item.path) for item in items if not item.problem]
        return _Part(made, packs=place_of(source.root), unreadable=len(left))
    if isinstance(source, str | Path):
        path = Path(source)
        if (path / LIBRARY_FILE).is_file():
            return _each(Library(path), options)
        opened = open_any(path, options=options)
        made = [_of_recording(recording, path, number, options) for number, recording in enumerate(opened)]
        return _Part(made, opened.samples, place_of(path))
    if isinstance(source, Recording):
        made = [_of_recording(source, None, 0, None)]
        return _Part(made, packs=None if made[0].path is None else place_of(made[0].path))
    samples = source.samples if isinstance(source, Sessions) else None
    parts = [_each(one, options) for one in source]
    if any(part.samples is not None for part in parts):
        raise BadInputError(
            "several sources, one of them a table of samples",
            accepts="one table of samples alone, or recordings",
            fix="put tables together with `rushes prepare merge`",
        )
    packs = {part.packs for part in parts}
    return _Part(
        [one for part in parts for one in part.each],
        samples,
        packs.pop() if len(packs) == 1 else None,
        sum(part.unreadable for part in parts),
    )


def _of_recording(recording: Recording, path: Path | None, number: int, options: Given) -> Source:
    session = recording.session if isinstance(recording, Valid) else recording
    if isinstance(session, Session):
        return Source(describe(session), session.path)
    if path is None:
        return Source(describe(recording), itself=recording)
    return Source(describe(recording), path, number, options)
