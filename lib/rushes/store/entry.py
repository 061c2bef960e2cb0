"""Entries: all that is to be known of a recording without reading its tables or decoding a picture.

A library keeps one a session, so that a thousand sessions open in no time; a dataset counts its windows by them.
Stretches marked invalid are left out already.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> one = Stretch(segment=0, first_frame=0, frames=31, rows=30)
    >>> entry = Entry("take_1", "Doom", stretches=(one,), action_space=ActionSpace.from_names(["KeyW"]))
    >>> Entry.from_json(entry.to_json()) == entry, entry.rows
    (True, 30)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.model.session import Segment
from rushes.store.reader import Session
from rushes.store.validity import Valid, honour

LAST_ROW: Final = "last_row"
"""Attribute of a segment; `assumed` where nobody knows what was done on its last frame."""


@dataclass(frozen=True)
class Stretch:
    """The frames of one segment that may be used.

    Attributes:
        segment: Its index in the recording with marks honoured (`store.validity.honour`).
        first_frame: frame_index of its first frame.
        frames: How many frames.
        rows: How many of them have an action, from the first on.
    """

    segment: int
    first_frame: int
    frames: int
    rows: int


@dataclass(frozen=True)
class Entry:
    """What a recording is.

    Attributes:
        id: Its id.
        game: Name of the game as people say it.
        stretches: Its segments, marks honoured.
        action_space: What can be done in it.
        path: Where it lies; None for a recording that has no path of its own.
        started_ns: Unix time in ns of its first frame, None where nobody noted it.
        duration_s: Seconds in segments, marked ones included.
        frames: How many, marked ones included.
        rate_hz: Frames a second as measured: frames over the time from the first to the last of each segment.
        dropped: Frames that were offered and lost.
        height: Pixels, 0 where that is not said.
        width: Pixels, 0 where that is not said.
        codec: Of the pictures.
        time_source: How its times are known.
        is_environment: Whether it has steps.
        sounds: Names of its sound streams.
    """

    id: str
    game: str
    stretches: tuple[Stretch, ...]
    action_space: ActionSpace
    path: Path | None = None
    started_ns: int | None = None
    duration_s: float = 0.0
    frames: int = 0
    rate_hz: float = 0.0
    dropped: int = 0
    height: int = 0
    width: int = 0
    codec: str = ""
    time_source: str = ""
    is_environment: bool = False
    sounds: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Frames that may be used and have an action."""
        return sum(stretch.rows for stretch in self.stretches)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as plain JSON values; stretches as lists of four numbers."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **plain,
            "stretches": [list(asdict(stretch).values()) for stretch in self.stretches],
            "action_space": self.action_space.to_json(),
            "path": None if self.path is None else str(self.path),
            "sounds": list(self.sounds),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Entry:
        """Rebuild an entry from `to_json()`.

        Raises:
            BadDataError: A key is missing or unknown.
        """
        try:
            return cls(
                **{
                    **value,
                    "stretches": tuple(Stretch(*numbers) for numbers in value["stretches"]),
                    "action_space": _space(json.dumps(value["action_space"])),
                    "path": None if value["path"] is None else Path(value["path"]),
                    "sounds": tuple(value["sounds"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise BadDataError(
                f"an entry that does not read ({error})",
                accepts="what Entry.to_json wrote",
                fix="`rushes library rebuild` writes the entries anew from the folders",
            ) from error

    def __repr__(self) -> str:
        return f"<Entry {self.id}: {self.game}, {self.frames} frames, {self.rows} rows in {len(self.stretches)} parts>"


@lru_cache(maxsize=256)
def _space(text: str) -> ActionSpace:
    """Make an action space once for all the recordings that have it."""
    return ActionSpace.from_json(json.loads(text))


def describe(recording: Recording) -> Entry:
    """Make the entry of a recording; its table of frames is read once.

    Args:
        recording: Any recording, marks honoured or not.
    """
    info, valid = recording.info, honour(recording)
    session = recording.session if isinstance(recording, Valid) else recording
    spec = info.stream("frames")
    return Entry(
        info.id,
        info.game,
        tuple(_stretch(valid, segment) for segment in valid.segments),
        info.action_space,
        path=session.path if isinstance(session, Session) else None,
        started_ns=recording.segments[0].wall_ns if recording.segments else None,
        duration_s=recording.duration_s,
        frames=recording.frame_count,
        rate_hz=_measured_hz(recording),
        dropped=sum(recording.ledger["frames"].lost.values()) if "frames" in recording.ledger else 0,
        height=spec.height if spec else 0,
        width=spec.width if spec else 0,
        codec=spec.codec if spec else "",
        time_source=info.time_source,
        is_environment=recording.is_environment,
        sounds=tuple(stream.name for stream in info.streams if stream.kind == "sound"),
    )


def _stretch(valid: Recording, segment: Segment) -> Stretch:
    if valid.is_environment:
        rows = len(valid.steps(segment.index))
    else:
        rows = segment.frames - (segment.attrs.get(LAST_ROW) == "assumed")
    return Stretch(segment.index, segment.first_frame, segment.frames, rows)


def _measured_hz(recording: Recording) -> float:
    """Divide the steps from frame to frame by the time that they took."""
    steps = time_ns = 0
    for segment in recording.segments:
        t_ns = recording.index(segment.index)["t_ns"].to_numpy()
        if len(t_ns) > 1:
            steps, time_ns = steps + len(t_ns) - 1, time_ns + int(t_ns[-1] - t_ns[0])
    return steps * NS / time_ns if time_ns else 0.0
