"""What a set says of the session as a whole: the game's metadata, and what this program adds.

What is not known is null: a player that nobody named, a date where no wall clock belongs to the session, a result that
the game did not tell. The result is read from what the game told last.

Example:
    >>> totals = Totals("reacture_1", None, 0)
    >>> totals.see({"event": "game_end", "victims_saved": 3.0, "health": 80.0})
    >>> totals.result("saved_all")["victims_saved"], totals.result("saved_all")["completion_status"]
    (3, 'success')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rushes.formats.reacture.fields import WHOLE, plain
from rushes.formats.reacture.own import SCHEMA
from rushes.formats.reacture.rows_write import iso
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.controls import CONTROLS
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo
from rushes.store.delayed import Delayed

PAIRING: Final = "row k = what happened in [t_k, t_{k+1})"
_RESULT: Final[Mapping[str, str]] = {
    "victims_total": "victims_total",
    "victims_saved": "victims_saved",
    "victims_died": "victims_died",
    "final_score": "score",
    "final_health": "health",
    "final_fuel": "fuel",
}
_STATUS: Final = {"saved_all": "success", "died": "failed"}


@dataclass
class Totals:
    """What is gathered while a set is written.

    Attributes:
        id: What its files' names begin with.
        wall_ns: Unix time in ns of its start, or None.
        origin_ns: ns since session start of its first frame.
        segments: Its segments so far, as JSON values.
        inputs: Input events so far.
        telemetry: Rows of telemetry so far.
    """

    id: str
    wall_ns: int | None
    origin_ns: int
    segments: list[dict[str, Any]] = field(default_factory=list)
    inputs: int = 0
    telemetry: int = 0
    _last: dict[str, Any] = field(default_factory=dict)
    _end: tuple[Segment, int] | None = None

    def see(self, telemetry: Mapping[str, Any] | None) -> None:
        """Take what the game told."""
        for name in (*_RESULT.values(), "player", "environment"):
            value = plain((telemetry or {}).get(name))
            if value is not None:
                self._last[name] = int(value) if name in WHOLE and isinstance(value, float) else value

    def end(self, segment: Segment, end_ns: int) -> None:
        """Take the end of a segment."""
        self._end = (segment, end_ns)

    def result(self, reason: str) -> dict[str, Any]:
        """Say how the game ended.

        Args:
            reason: Why the last segment ended.
        """
        return {
            **{name: self._last.get(column) for name, column in _RESULT.items()},
            "completion_status": _STATUS.get(reason),
        }

    def end_wall_ns(self) -> int | None:
        """Give Unix time in ns of the end; None where it is not known."""
        if self._end is None or self._end[0].wall_ns is None:
            return None
        return self._end[0].wall_ns + self._end[1] - self._end[0].start_ns

    @property
    def end_reason(self) -> str:
        """Why the last segment ended."""
        return self._end[0].end_reason if self._end is not None else ""

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end, pauses included."""
        return (self._end[1] - self.origin_ns) / NS if self._end is not None else 0.0

    def own(self, recording: Recording, *, size: tuple[int, int], files: Mapping[str, Any]) -> dict[str, Any]:
        """Say what the game's keys cannot; see `own`.

        Args:
            recording: What was written.
            size: (height, width) of the pictures.
            files: File -> bytes and sha256.
        """
        delay_ms = float(recording.delay_ms) if isinstance(recording, Delayed) else 0.0
        return {
            "schema": SCHEMA,
            "pairing": PAIRING,
            "session": _plain_session(recording).with_size(*size).to_json(),
            "segments": self.segments,
            "origin_ns": self.origin_ns,
            "action_delay_ms": delay_ms,
            "inputs": self.inputs,
            "files": files,
        }


def metadata(recording: Recording, totals: Totals, *, rows: int, rate_hz: float) -> dict[str, Any]:
    """Write the game's metadata.

    Args:
        recording: What was written.
        totals: What was gathered.
        rows: How many rows there are.
        rate_hz: Frames a second.
    """
    told = recording.info.provenance
    result = told.get("game_result")
    ends = totals.end_wall_ns()
    environment = plain(told.get("environment"))
    return {
        "session_id": totals.id,
        "start_time": None if totals.wall_ns is None else iso(totals.wall_ns),
        "end_time": None if ends is None else iso(ends),
        "duration_s": totals.duration_s,
        "sampling_rate_hz": int(rate_hz) if float(rate_hz).is_integer() else rate_hz,
        "player_id": plain(told.get("player_id")),
        "player_name": plain(told.get("player")),
        "robot_model": None,
        "environment": environment,
        "environment_name": plain(told.get("environment_name")) or environment,
        "game_result": dict(result) if isinstance(result, Mapping) else totals.result(totals.end_reason),
        "data_stats": {"total_samples": rows, "total_frames": rows, "actions_logged": totals.inputs},
    }


def _plain_session(recording: Recording) -> SessionInfo:
    """Describe the session as recorded play: what an environment's steps say is not in this format, nor is sound."""
    info = recording.info.without("sound").without("steps")
    if info.action_space.kind == "buttons":
        return info
    named = sorted(set(recording.events()["control"]) & set(CONTROLS))
    return replace(info, action_space=ActionSpace.from_names(named))
