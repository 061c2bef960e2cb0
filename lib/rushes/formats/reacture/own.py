"""What this program says of itself in a set's metadata, under the key `rushes`: all that the game's keys cannot say.

```
schema             rushes/reacture/1
pairing            row k = what happened in [t_k, t_{k+1})
session            the description of the session, as session.json has it
segments           as in session.json, with first_row and rows
origin_ns          ns since session start at which timestamp_ms is 0
action_delay_ms    by how much inputs were moved later
inputs             how many input events stand in _events.jsonl
files              file -> bytes and sha256; a PNG file's sha256 stands in its row
```

A row has `rushes: {t_ns, tick}` beside the game's keys, exact in ns; an input event has `input`.

Example:
    >>> read_own({"rushes": {"schema": "rushes/reacture/9"}}) is None
    True
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rushes.errors import BadDataError
from rushes.model.events import COLUMNS, events_frame, validate_events
from rushes.model.session import Segment, SessionInfo

SCHEMA: Final = "rushes/reacture/1"
REPEATS_SCHEMA: Final = "rushes/reacture_repeats/1"
KEY: Final = "rushes"
_MOST: Final = 1 << 62


@dataclass(frozen=True)
class Own:
    """The description of a set that this program wrote.

    Attributes:
        info: The session.
        segments: Its segments, numbered by rows: first_frame and frames are first row and rows.
        origin_ns: ns since session start at which `timestamp_ms` is 0.
        inputs: How many input events were written.
        files: File -> bytes.
        delay_ms: By how much inputs were moved later.
    """

    info: SessionInfo
    segments: tuple[Segment, ...]
    origin_ns: int
    inputs: int
    files: Mapping[str, int]
    delay_ms: float

    def segment_of(self, row: int) -> int | None:
        """Say to which segment a row belongs; None for a row beyond them."""
        place = int(np.searchsorted([s.first_frame for s in self.segments], row, side="right")) - 1
        return place if place >= 0 and row < self.segments[place].stop_frame else None


def read_own(metadata: Mapping[str, Any]) -> Own | None:
    """Read it back.

    Args:
        metadata: What stands in the metadata file.

    Returns:
        None where nothing stands there that this version reads.
    """
    values = metadata.get(KEY)
    try:
        return _read(values) if isinstance(values, dict) else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _read(values: dict[str, Any]) -> Own | None:
    told = [dict(segment) for segment in values["segments"]]
    places = [(_int(segment.pop("first_row")), _int(segment.pop("rows"))) for segment in told]
    segments = tuple(
        Segment.from_json({**segment, "first_frame": first, "frames": rows, "index": number})
        for number, (segment, (first, rows)) in enumerate(zip(told, places, strict=True))
    )
    edges = [_int(edge) for s in segments for edge in (s.start_ns, s.end_ns)]
    rows = [edge for s in segments for edge in (s.first_frame, s.stop_frame)]
    walls = [s.wall_ns is None or abs(_int(s.wall_ns)) < _MOST for s in segments]
    right = (
        values["schema"] == SCHEMA
        and bool(segments)
        and all(walls)
        and edges == sorted(edges)
        and rows == sorted(rows)
        and all(isinstance(s.attrs, dict) and isinstance(s.end_reason, str) for s in segments)
    )
    files = {str(name): _int(about["bytes"]) for name, about in values["files"].items()}
    info = SessionInfo.from_json(values["session"])
    whole = isinstance(info.id, str) and isinstance(info.game, str) and isinstance(info.provenance, dict)
    if not right or not whole or not isinstance(info.source, dict):
        return None
    delay_ms = float(values["action_delay_ms"])
    if not math.isfinite(delay_ms):
        return None
    return Own(info, segments, _int(values["origin_ns"]), _int(values["inputs"]), files, delay_ms)


def _int(value: Any) -> int:
    if type(value) is not int or abs(value) >= _MOST:
        raise ValueError(value)
    return value


def row_time(own: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read t_ns and tick of a row; None where they are not whole. A row of the game alone has no tick: -1."""
    try:
        return _int(own["t_ns"]), _int(own.get("tick", -1))
    except (KeyError, ValueError):
        return None


def given_event(values: Mapping[str, Any]) -> list[Any]:
    """Put an input event's values in the order of `events.COLUMNS`."""
    return [values.get(name, "" if name == "flag" else None) for name in COLUMNS]


def events_of(given: Sequence[Mapping[str, Any]]) -> pd.DataFrame | None:
    """Read input events; None where one of them is none.

    Args:
        given: What stands under `input`.

    Returns:
        A table with `events.COLUMNS`, in the order given.
    """
    try:
        rows = [given_event(values) for values in given]
        for row in rows:
            _int(row[0])
            if not all(isinstance(row[k], str) for k in (1, 2, 3, 9)):
                return None
            if any(isinstance(n, bool) or not isinstance(n, int | float | None) for n in row[4:9]):
                return None
        table = events_frame(rows)
        validate_events(table)
    except (BadDataError, ValueError, TypeError, OverflowError):
        return None
    return table
