"""What this program says of itself in meta.json, under the key `rushes`: all that the reference's keys cannot say.

```
schema            rushes/nitrogen_capture/1
interval          [t_k, t_{k+1}): row k is what happened from frame k to the next one
session game source time_source fps motion_unit action_delay_ms pad_map
segments          as in session.json, with first_row, rows, and tick_shift: frame_indices less ticks
late duplicate    [first row, count] of each run of such frames
```

Example:
    >>> runs(np.array([False, True, True, False, True]))
    [[1, 2], [4, 1]]
    >>> flags([[1, 2], [4, 1]], np.array([0, 1, 2, 3, 4, 5])).tolist()
    [False, True, True, False, True, False]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.formats.nitrogen.chunks_meta import OURS
from rushes.model.clock import TIME_SOURCES
from rushes.model.recording import Recording
from rushes.model.session import Segment

SCHEMA: Final = "rushes/nitrogen_capture/1"
INTERVAL: Final = "[t_k, t_{k+1})"
_MOST: Final = 1 << 62
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Own:
    """The description of a set that this program wrote.

    Attributes:
        values: What stands there.
        segments: The segments of the session, numbered by rows: first_frame and frames are first row and rows.
        shifts: One a segment: what was added to its ticks so that they rise.
    """

    values: Mapping[str, Any]
    segments: tuple[Segment, ...]
    shifts: tuple[int, ...]

    def segment_of(self, *, row: npt.NDArray[np.int64], t_ns: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
        """Say to which segment each row belongs, -1 for none: by its time, else by its number."""
        if t_ns is None:
            firsts = [segment.first_frame for segment in self.segments]
            stops = np.array([segment.stop_frame for segment in self.segments])
            found = np.searchsorted(firsts, row, side="right") - 1
            return np.where((found >= 0) & (row < stops[found]), found, -1)
        starts = [segment.start_ns for segment in self.segments]
        ends = np.array([segment.end_ns for segment in self.segments])
        found = np.searchsorted(starts, t_ns, side="right") - 1
        return np.where((found >= 0) & (t_ns < ends[found]), found, -1)


def runs(marked: Bools) -> list[list[int]]:
    """Give the runs of marked rows: [first, count] each."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return [[int(first), int(stop - first)] for first, stop in edges.reshape(-1, 2)]


def flags(said: Any, row: npt.NDArray[np.int64]) -> Bools:
    """Say which rows are in the runs."""
    if not len(said):
        return np.zeros(len(row), bool)
    first, count = np.array(sorted(said), np.int64).T
    stop = np.maximum.accumulate(first + count)
    at = np.searchsorted(first, row, side="right") - 1
    return np.asarray((at >= 0) & (row < stop[at]))


def describe(
    recording: Recording,
    segments: Sequence[Mapping[str, Any]],
    *,
    fps: float,
    unit: str,
    action_delay_ms: float,
    pad_map: str,
    marked: Mapping[str, Bools],
) -> dict[str, Any]:
    """Say what the reference's keys cannot.

    Args:
        recording: What is written.
        segments: `Segment.to_json` each, with `first_row`, `rows` and `tick_shift`.
        fps: Frames a second.
        unit: Unit of motion, `px` or `counts`.
        action_delay_ms: By how much events were moved later.
        pad_map: Name of the map that was used.
        marked: `late` and `duplicate`, one value a row.
    """
    info = recording.info
    return {
        "schema": SCHEMA,
        "interval": INTERVAL,
        "session": info.id,
        "game": info.game,
        "source": dict(info.source),
        "time_source": info.time_source,
        "fps": fps,
        "motion_unit": unit,
        "action_delay_ms": action_delay_ms,
        "pad_map": pad_map,
        "segments": [dict(segment) for segment in segments],
        **{name: runs(values) for name, values in marked.items()},
    }


def read_own(meta: Mapping[str, Any]) -> Own | None:
    """Read it back.

    Args:
        meta: What stands in meta.json.

    Returns:
        None where nothing stands there that this version reads.
    """
    values = meta.get(OURS)
    try:
        return _read(values) if isinstance(values, dict) else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _read(values: dict[str, Any]) -> Own | None:
    told = [dict(segment) for segment in values["segments"]]
    shifts = tuple(int(segment.pop("tick_shift")) for segment in told)
    firsts = [(int(segment.pop("first_row")), int(segment.pop("rows"))) for segment in told]
    segments = tuple(
        Segment.from_json({**segment, "first_frame": first, "frames": rows, "index": number})
        for number, (segment, (first, rows)) in enumerate(zip(told, firsts, strict=True))
    )
    edges = [edge for segment in segments for edge in (segment.start_ns, segment.end_ns)]
    right = (
        values["schema"] == SCHEMA
        and values["interval"] == INTERVAL
        and values["time_source"] in TIME_SOURCES
        and isinstance(values["source"], dict)
        and all(isinstance(values[key], str) for key in ("session", "game", "motion_unit"))
        and all(isinstance(edge, int) for edge in edges)
        and all(abs(n) < _MOST for n in (*edges, *shifts, *(n for first in firsts for n in first)))
        and edges == sorted(edges)
        and bool(segments)
        and all(isinstance(s.attrs, dict) and isinstance(s.end_reason, str) for s in segments)
        and all(isinstance(n, int) and abs(n) < _MOST for run in (*values["late"], *values["duplicate"]) for n in run)
        and all(len(run) == len(("first", "count")) for run in (*values["late"], *values["duplicate"]))
    )
    return Own(values, segments, shifts) if right else None
