"""Rows of a set in the making: one JSON object a frame, and the rows that belong to none.

`key_presses` says what was down at any time in [t_k, t_{k+1}) and how far the mouse went, so that sums over rows are
the sums over events. `inspect` and `destroy` are what the game reported, or were controls of their own; where neither
is known they are left out, as is all telemetry that is not there.

Example:
    >>> Clock(origin_ns=500_000_000, start_ns=500_000_000, wall_ns=0).stamps(1_250_000_000)["timestamp"]
    '1970-01-01T00:00:00.750Z'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from rushes.formats.inputs import Rows
from rushes.formats.reacture.actions import is_games, name_of
from rushes.formats.reacture.fields import nested
from rushes.formats.reacture.names import PERIODIC
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.events import COLUMNS
from rushes.model.grid import Grid
from rushes.model.layouts import slot

KEYS: Final = ("W", "A", "S", "D", "Space", "E", "R")
MOTION: Final = ("mouse_dx", "mouse_dy")
MODES: Final[Mapping[str, str]] = {"inspect": "ReActure/inspect", "destroy": "ReActure/destroy"}
SPACE: Final = ActionSpace("buttons", tuple(slot(name) for name in (*KEYS, *MOTION)))
_MS: Final = 1_000_000
_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Clock:
    """How times of a segment are written.

    Attributes:
        origin_ns: ns since session start at which `timestamp_ms` is 0.
        start_ns: ns since session start of the segment's start.
        wall_ns: Unix time in ns there, or None.
    """

    origin_ns: int
    start_ns: int
    wall_ns: int | None

    def stamps(self, t_ns: int) -> dict[str, Any]:
        """Write a time as the game's rows have it: date where it is known, ms and s since the first frame."""
        since = t_ns - self.origin_ns
        ms = since // _MS if since % _MS == 0 else since / _MS
        stamp = {} if self.wall_ns is None else {"timestamp": iso(self.wall_ns + t_ns - self.start_ns)}
        return {**stamp, "timestamp_ms": ms, "time_elapsed_s": since / NS}


def iso(wall_ns: int) -> str:
    """Write Unix time in ns as JavaScript writes a date: UTC, whole ms."""
    made = _ZERO + timedelta(milliseconds=wall_ns // _MS)
    return made.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def keys_of(rows: Rows, grid: Grid, *, modes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Say what was down in each step, and how far the mouse went.

    Args:
        rows: Reads steps in `SPACE`.
        grid: The steps.
        modes: Which of `MODES` the session has as controls.
    """
    table = rows.vectors(grid)
    still = np.zeros(len(grid))
    moved = [np.asarray(grid.motion.get(name, still)) for name in ("MouseDX", "MouseDY")]
    by_stick = bool(grid.axes)
    found: list[dict[str, Any]] = []
    for k in range(len(grid)):
        made: dict[str, Any] = {name: bool(table[k, column] > 0) for column, name in enumerate(KEYS)}
        for column, (name, exact) in enumerate(zip(MOTION, moved, strict=True)):
            value = float(table[k, len(KEYS) + column]) if by_stick else exact[k].item()
            made[name] = int(value) if float(value).is_integer() else value
        made |= {name: bool(grid.held.get(MODES[name], still)[k]) for name in modes}
        found.append(made)
    return found


def frame_row(
    stamps: Mapping[str, Any],
    keys: Mapping[str, Any],
    telemetry: Mapping[str, Any] | None,
    *,
    picture: str,
    own: Mapping[str, Any] | None,
    number: int,
) -> dict[str, Any]:
    """Make the row of a frame.

    Args:
        stamps: Its times.
        keys: Its keys.
        telemetry: What the game reported with it, or None.
        picture: What stands in `visual_frame_path`.
        own: What this program adds; None for a strict row.
        number: Its number.
    """
    told = dict(telemetry or {})
    event = told.pop("event", None)
    row: dict[str, Any] = {**stamps, "type": "robot_state", "event": event if isinstance(event, str) else PERIODIC}
    objects = nested(told, strict=own is None)
    modes = objects.pop("key_presses", {})
    row["key_presses"] = {**keys, **{name: keys.get(name, False) or value for name, value in modes.items()}}
    row |= {**objects, "visual_frame_path": picture}
    if own is not None:
        row |= {"frame_index": number, "rushes": {**own, **({} if telemetry is not None else {"silent": True})}}
    return row


def game_row(stamps: Mapping[str, Any], telemetry: Mapping[str, Any], *, t_ns: int | None) -> dict[str, Any]:
    """Make the row of something that belongs to no frame.

    Args:
        stamps: Its times.
        telemetry: What the game reported.
        t_ns: Its exact time; None for a strict row.
    """
    told = dict(telemetry)
    event = told.pop("event", None)
    row = {**stamps, "type": "robot_state", "event": event if isinstance(event, str) else ""}
    row |= nested(told, strict=t_ns is None)
    return row if t_ns is None else {**row, "rushes": {"t_ns": t_ns}}


def input_row(event: tuple[Any, ...], stamps: Mapping[str, Any], *, strict: bool) -> dict[str, Any] | None:
    """Make the row of an input event; None where a strict set has no word for it.

    Args:
        event: The values of `events.COLUMNS`, None where there is none.
        stamps: Its times.
        strict: The game's actions alone.
    """
    values = dict(zip(COLUMNS, event, strict=True))
    action = name_of(values["control"], values["kind"])
    row = {"timestamp": stamps["timestamp_ms"], "type": "player_action", "action": action}
    if strict:
        return row if is_games(action) else None
    return {**row, "input": {name: value for name, value in values.items() if value not in (None, "")}}


def as_line(row: Mapping[str, Any]) -> bytes:
    """Write a row."""
    return json.dumps(row, allow_nan=False, separators=(",", ":")).encode() + b"\n"
