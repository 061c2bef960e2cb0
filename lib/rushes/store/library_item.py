"""One session of a library: what stands in its row, how it is read from the folder, and when the row is stale.

A row holds the session's `Entry` and what people ask for first. Everything in it comes from the folder, so it can be
read anew at any time. It is stale when the folder's `stamp` differs: sizes and times of session.json, of facts.jsonl
and of each chunk.json, which a sealed chunk gets last. To take a stamp opens no file.

Example:
    >>> def length_of(folder):
    ...     return examine(folder, "sessions/take", stamp_of(folder)).duration_s
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rushes.errors import RushesError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.controls import CONTROLS, KEYS, MOUSE_BUTTONS, MOUSE_MOTIONS
from rushes.store.entry import Entry, describe
from rushes.store.layout import CHUNK_FILE, CHUNKS, FACTS_FILE, SESSION_FILE
from rushes.store.reader import Session
from rushes.store.tags import tags_of

_UNFINISHED: Final = "unfinished_chunk"
_MOUSE: Final = frozenset((*MOUSE_BUTTONS, *MOUSE_MOTIONS))
_KEYBOARD: Final = frozenset(KEYS)


@dataclass(frozen=True)
class Item:
    """One session of a library.

    Attributes:
        place: Path relative to the library, with `/`.
        stamp: By what a stale row is known.
        id: Its id.
        game: Name of the game as people say it.
        started: ISO 8601 UTC time of its first frame, `""` where nobody noted it.
        duration_s: Seconds in segments.
        frames: How many.
        rate_hz: Frames a second as measured.
        dropped: Frames that were offered and lost.
        height: Pixels.
        width: Pixels.
        size_bytes: Of all its files.
        inputs: Device -> how many of its controls can be told: `{"keyboard": 6, "mouse": 5}`.
        codec: Of the pictures.
        sounds: Names of its sound streams.
        time_source: How its times are known.
        verdict: PASS, WARN or FAIL as the last side fact says, `""` where none does.
        tags: In alphabetical order.
        notes: Texts of its notes.
        unfinished: Chunks that are being written, or whose writer died.
        problem: Why it cannot be read, `""` where it can.
        checked: `whole` or `damaged` as the last `verify` found it, `""` where none looked at these chunks.
        checked_at: When that was, ISO 8601 UTC.
        entry_json: Its `Entry` as JSON, without the path.
        root: The library's folder.
    """

    place: str
    stamp: str
    id: str = ""
    game: str = ""
    started: str = ""
    duration_s: float = 0.0
    frames: int = 0
    rate_hz: float = 0.0
    dropped: int = 0
    height: int = 0
    width: int = 0
    size_bytes: int = 0
    inputs: dict[str, int] = field(default_factory=dict)
    codec: str = ""
    sounds: tuple[str, ...] = ()
    time_source: str = ""
    verdict: str = ""
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unfinished: int = 0
    problem: str = ""
    checked: str = ""
    checked_at: str = ""
    entry_json: str = ""
    root: Path = Path()

    @property
    def path(self) -> Path:
        """Where the session lies."""
        return self.root / self.place

    @cached_property
    def entry(self) -> Entry:
        """All that is to be known of it without reading its tables."""
        return replace(Entry.from_json(json.loads(self.entry_json)), path=self.path)

    def to_json(self) -> dict[str, Any]:
        """Return what people and programs ask for, as plain JSON values."""
        left = ("stamp", "entry_json", "root", "place")
        rest = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in left}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in rest.items()}
        return {"path": str(self.path), **plain}

    def __repr__(self) -> str:
        return f"<Item {self.place}: {self.problem or f'{self.game}, {self.frames} frames, {self.duration_s:.1f} s'}>"


def stamp_of(folder: Path) -> str:
    """Say in a few words how a session's folder stands: facts, a bar, and what the recording itself is."""
    chunks = []
    try:
        with os.scandir(folder / CHUNKS) as found:
            chunks = sorted(f"{entry.name}:{_stand(entry.path + os.sep + CHUNK_FILE)}" for entry in found)
    except (FileNotFoundError, NotADirectoryError):
        pass
    return f"{_stand(folder / FACTS_FILE)}|{_stand(folder / SESSION_FILE)} {' '.join(chunks)}"


def recorded_stamp(stamp: str) -> str:
    """Give the part of a stamp that side facts do not change."""
    return stamp.partition("|")[2]


def _stand(path: str | Path) -> str:
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them, and a Path costs more than the call
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    return f"{found.st_size},{found.st_mtime_ns}"


def examine(folder: Path, place: str, stamp: str) -> Item:
    """Read what a session's row holds.

    Args:
        folder: The session.
        place: Its path relative to the library.
        stamp: How the folder stood before it was read.

    Returns:
        The row; one with a `problem` where the session cannot be read.
    """
    if folder.is_symlink() and not folder.exists():
        return Item(place, stamp, id=folder.name, problem=f"{folder}: the link leads nowhere ({folder.readlink()})")
    try:
        return _read(folder, place, stamp)
    except (RushesError, OSError) as error:
        return Item(place, stamp, id=folder.name, problem=str(error))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return Item(place, stamp, id=folder.name, problem=f"{folder}: not as sessions are ({error!r})")


def _read(folder: Path, place: str, stamp: str) -> Item:
    session = Session(folder)
    entry, facts = describe(session), session.facts
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Item(
        place,
        stamp,
        entry.id,
        entry.game,
        started=_when(entry.started_ns),
        duration_s=round(entry.duration_s, 6),
        frames=entry.frames,
        rate_hz=entry.rate_hz,
        dropped=entry.dropped,
        height=entry.height,
        width=entry.width,
        size_bytes=size,
        inputs=devices(entry.action_space),
        codec=entry.codec,
        sounds=entry.sounds,
        time_source=entry.time_source,
        verdict=next((str(f.value["verdict"]) for f in reversed(facts) if f.kind == "verdict"), ""),
        tags=tags_of(facts),
        notes=tuple(str(f.value["text"]) for f in facts if f.kind == "note"),
        unfinished=sum(problem.kind == _UNFINISHED for problem in session.problems),
        entry_json=json.dumps(replace(entry, path=None).to_json(), ensure_ascii=False, separators=(",", ":")),
    )


def _when(started_ns: int | None) -> str:
    return "" if started_ns is None else datetime.fromtimestamp(started_ns // NS, UTC).isoformat()


def devices(space: ActionSpace) -> dict[str, int]:
    """Count the controls of an action space by the device that has them.

    Args:
        space: Any; a control of a world is its world's, a number without a name is a `number`.
    """
    controls = dict.fromkeys(control for slot in space.slots for control in (*slot.plus, *slot.minus))
    return dict(Counter(_device(control) for control in controls) or Counter(number=len(space)))


def _device(control: str) -> str:
    world, is_of_world, _ = control.partition("/")
    if is_of_world:
        return world
    if control in _KEYBOARD:
        return "keyboard"
    return "mouse" if control in _MOUSE else "pad" if control in CONTROLS else "number"
