"""What a training file says of each session in a row of `metadata`, and how it writes JSON.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> entry = Entry("take_1", "Doom", (), ActionSpace.from_names(["KeyW"]), rate_hz=30.0)
    >>> row = session_row(entry, {"start": 0, "stop": 90}, session_dtype([entry]))
    >>> as_plain(row[0])["game"], as_text({"rate_hz": row["rate_hz"].tolist(), "score": float("nan")})
    ('Doom', '{"rate_hz":[30.0],"score":null}')
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from rushes.formats.training.tables import Records, text_bytes
from rushes.store.entry import Entry

COLUMNS: Final[Mapping[str, str]] = {
    "id": "S", "game": "S", "start": "<i8", "stop": "<i8", "rows": "<i8", "frames": "<i8", "height": "<i8",
    "width": "<i8", "source_height": "<i8", "source_width": "<i8", "dropped": "<i8", "rate_hz": "<f8",
    "duration_s": "<f8", "started_ns": "<i8", "action_delay_ms": "<f8", "is_environment": "?", "time_source": "S",
    "codec": "S",
}  # fmt: skip
"""Columns of `metadata`: start and stop among the file's rows; frames with those that have no row; size in the file
and as recorded; frames that were dropped in recording; rate as measured; Unix time of the first frame, -1 where nobody
noted it; by how much inputs were moved."""


def session_dtype(entries: Sequence[Entry]) -> np.dtype[np.void]:
    """Make the type of a row that all these sessions fit into; texts are UTF-8."""
    return np.dtype(
        [
            (name, f"S{text_bytes(getattr(entry, name) for entry in entries)}" if kind == "S" else kind)
            for name, kind in COLUMNS.items()
        ]
    )


def session_row(entry: Entry, more: Mapping[str, Any], dtype: np.dtype[np.void]) -> Records:
    """Make the row of a session.

    Args:
        entry: The session.
        more: What it does not know: where it stands in the file, and how large its pictures are there.
        dtype: See `session_dtype`.

    Returns:
        (1,) records.
    """
    known = {"source_height": entry.height, "source_width": entry.width, "started_ns": entry.started_ns}
    values = {**vars(entry), "rows": entry.rows, **known, **more}
    made = np.zeros(1, dtype)
    for name in COLUMNS:
        value = values.get(name)
        made[name] = value.encode() if isinstance(value, str) else -1 if value is None else value
    return made


def as_plain(row: np.void) -> dict[str, Any]:
    """Give a row as plain values."""
    return {name: v.decode() if isinstance(v := row[name], bytes) else v.item() for name in row.dtype.names or ()}


def as_text(value: Any) -> str:
    """Write JSON as it stands in the files; numbers that are none become null."""
    return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
