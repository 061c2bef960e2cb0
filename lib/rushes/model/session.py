"""What a session is: its description, its streams and its segments.

Example:
    >>> Segment(index=0, start_ns=0, end_ns=2_000_000_000, first_frame=0, frames=31, end_reason="budget").duration_s
    2.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS, TIME_SOURCES, TimeSource

SCHEMA: Final = "rushes/session/1"
"""Schema name and version in session.json; a reader refuses a newer one."""


@dataclass(frozen=True)
class StreamSpec:
    """One stream of a session.

    Attributes:
        name: `screen`, `steps`, `events`, `telemetry`, or the name of a sound stream.
        kind: `frames`, `steps`, `events`, `telemetry` or `sound`.
        codec: For frames: `png-indexed`, `png`, `h264`, `h265`, `lossless`; for sound `flac` or `wav`; else `""`.
        exact: Whether what is read back is bit for bit what was offered.
        width: Pixels, 0 where it does not apply.
        height: Pixels, 0 where it does not apply.
        rate_hz: Nominal rate, 0.0 where there is none.
        unit: Unit of motion (`counts` or `px`) for events, else `""`.
    """

    name: str
    kind: str
    codec: str = ""
    exact: bool = True
    width: int = 0
    height: int = 0
    rate_hz: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class Segment:
    """An unbroken stretch; no window crosses its edge.

    Attributes:
        index: 0-based over the session.
        start_ns: ns since session start of its first frame.
        end_ns: ns since session start of its end; the last row of a recorded grid ends here.
        first_frame: frame_index of its first frame.
        frames: How many frames it has (observations, for environments).
        end_reason: Why it ended (`terminated`, `truncated`, `budget`, `killed`, `pause`, `unknown` ...).
        attrs: What holds for all of it (environments: env_id, episode, seed, frameskip, sticky, full_action_space,
            randomness, policy, score).
        wall_ns: Unix time in ns at start_ns, or None.
        clock: `""`, or `"rejoined"` after a restart.
    """

    index: int
    start_ns: int
    end_ns: int
    first_frame: int
    frames: int
    end_reason: str
    attrs: Mapping[str, Any] = field(default_factory=dict)
    wall_ns: int | None = None
    clock: str = ""

    @property
    def duration_s(self) -> float:
        """Seconds from start to end."""
        return (self.end_ns - self.start_ns) / NS

    @property
    def stop_frame(self) -> int:
        """frame_index after its last frame."""
        return self.first_frame + self.frames

    def to_json(self) -> dict[str, Any]:
        """Return the segment as plain JSON values."""
        return {**asdict(self), "attrs": dict(self.attrs)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Segment:
        """Rebuild a segment from `to_json()`."""
        return cls(**value)


@dataclass(frozen=True)
class SessionInfo:
    """The description of a session: what session.json holds beside its segments.

    Attributes:
        id: Unique; deterministic for sampled sessions.
        game: Name of the game as people say it.
        source: How it came about: `{"kind": "env" | "desktop" | "browser" | "synthetic" | "import", "name": ...}`.
        time_source: How its times are known.
        streams: Its streams.
        action_space: What can be done in it.
        provenance: Parameters and parents as JSON values; no wall time, host or version for sampled sessions.
    """

    id: str
    game: str
    source: Mapping[str, str]
    time_source: TimeSource
    streams: tuple[StreamSpec, ...]
    action_space: ActionSpace
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def stream(self, kind: str) -> StreamSpec | None:
        """Return the first stream of a kind, or None."""
        return next((s for s in self.streams if s.kind == kind), None)

    def without(self, kind: str) -> SessionInfo:
        """Return the description without the streams of a kind, as a format leaves it that has no place for them."""
        return replace(self, streams=tuple(s for s in self.streams if s.kind != kind))

    def with_size(self, height: int, width: int) -> SessionInfo:
        """Return the description with frames of another size, px."""
        streams = (replace(s, height=height, width=width) if s.kind == "frames" else s for s in self.streams)
        return replace(self, streams=tuple(streams))

    def to_json(self) -> dict[str, Any]:
        """Return the description as plain JSON values, schema name first."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "game": self.game,
            "source": dict(self.source),
            "time_source": self.time_source,
            "streams": [asdict(s) for s in self.streams],
            "action_space": self.action_space.to_json(),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SessionInfo:
        """Rebuild a description from `to_json()`.

        Raises:
            BadDataError: The schema is not one that this version reads, or a key is missing.
        """
        if value.get("schema") != SCHEMA:
            raise BadDataError(
                f"schema {value.get('schema')!r}",
                accepts=repr(SCHEMA),
                fix="open it with the version of rushes that wrote it",
            )
        if value.get("time_source") not in TIME_SOURCES:
            raise BadDataError(
                f"time_source {value.get('time_source')!r}",
                accepts="one of " + ", ".join(TIME_SOURCES),
                fix="restore session.json from a copy",
            )
        try:
            return cls(
                id=value["id"],
                game=value["game"],
                source=value["source"],
                time_source=value["time_source"],
                streams=tuple(StreamSpec(**s) for s in value["streams"]),
                action_space=ActionSpace.from_json(value["action_space"]),
                provenance=value["provenance"],
            )
        except (KeyError, TypeError) as error:
            raise BadDataError(
                f"a session description without a valid {error}",
                accepts="what session.json of this schema holds",
                fix="restore session.json from a copy",
            ) from error
