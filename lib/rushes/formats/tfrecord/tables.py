"""What stands beside the record files of each recording: its description, and its tables as Parquet files.

Record files hold what a trainer reads. That they can be opened as recordings again, with every time, event and step, is
the work of these tables:

    recordings/0000/recording.json      description and segments
                    index.parquet       a row a frame, as in a session
                    steps.parquet       of an environment
                    events.parquet      of recorded play
                    telemetry.parquet   where the game told anything
                    places.parquet      where each frame's picture lies: file, byte of the record, number in it
                    audio/              its sound as it was recorded, as in a session: FLAC with its times

Frames are numbered anew, without a gap; `source_frame` of places.parquet is the number that a frame had.

Example:
    >>> runs(np.array([True, True, False, False, True]), skip=1)
    [(0, 2), (2, 3)]
    >>> runs(np.array([True, False, True, False, True]), skip=2)
    [(0, 3)]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.formats.tfrecord.sound import write_sound
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo
from rushes.store import tables

Bools = npt.NDArray[np.bool_]

FOLDER: Final = "recordings"
DESCRIPTION: Final = "recording.json"
INDEX: Final = "index.parquet"
STEPS: Final = "steps.parquet"
EVENTS: Final = "events.parquet"
TELEMETRY: Final = "telemetry.parquet"
PLACES: Final = "places.parquet"
LEFT_OUT: Final = "left_out"
"""end_reason of a segment behind which frames were left out."""

PLACES_SCHEMA: Final = pa.schema(
    [
        ("frame_index", pa.int64()),
        ("source_frame", pa.int64()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("number", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Kept:
    """What is kept of a recording.

    Attributes:
        segments: Its segments, frames numbered anew.
        index: Columns `INDEX_COLUMNS`.
        steps: Columns `STEP_COLUMNS`.
        source_frames: (N,) int64, the number that each frame had.
        telemetry: What the game told with the frames, and between them in its segments.
    """

    segments: tuple[Segment, ...]
    index: pd.DataFrame
    steps: pd.DataFrame
    source_frames: npt.NDArray[np.int64]
    telemetry: pd.DataFrame

    def __repr__(self) -> str:
        return f"Kept({len(self.segments)} segments, {len(self.index)} frames, {len(self.steps)} steps)"


def runs(kept: Bools, *, skip: int) -> list[tuple[int, int]]:
    """Find the unbroken runs of kept frames.

    Args:
        kept: (N,) bool.
        skip: Frames from one to the next that still follow on each other.

    Returns:
        For each run the first kept frame and the one behind its last, as numbers among the kept ones.
    """
    places = np.flatnonzero(kept)
    if not len(places):
        return []
    edges = [0, *(np.flatnonzero(np.diff(places) > skip) + 1).tolist(), len(places)]
    return list(pairwise(edges))


def keep(recording: Recording, masks: Sequence[Bools], *, skip: int) -> Kept:
    """Make the tables of the frames that are kept.

    Args:
        recording: With marks honoured.
        masks: For each segment (N,) bool, which frames.
        skip: Frames from one that is kept to the next, where some between are left out on purpose. A step then tells
            what came of all of them: rewards are summed.
    """
    segments: list[Segment] = []
    indices, steps, numbers = [recording.index().iloc[:0]], [recording.steps().iloc[:0]], [np.zeros(0, np.int64)]
    first_frame = 0
    for segment, mask in zip(recording.segments, masks, strict=True):
        rows, places = recording.index(segment.index), np.flatnonzero(mask)
        t_ns = rows["t_ns"].to_numpy(np.int64)
        done = recording.steps(segment.index)
        for start, stop in runs(mask, skip=skip):
            taken = places[start:stop]
            made = _segment(segment, t_ns, taken, len(segments), first_frame, skip)
            segments.append(made)
            frames = np.arange(first_frame, first_frame + len(taken))
            indices.append(rows.iloc[taken].assign(frame_index=frames, picture=frames, segment=made.index))
            steps.append(_steps(done, taken, skip).assign(segment=made.index))
            steps[-1]["frame_index"] = frames[: len(steps[-1])]
            numbers.append(segment.first_frame + taken)
            first_frame += len(taken)
    index, source_frames = _joined(indices), np.concatenate(numbers)
    told = _told(recording.telemetry(), segments, index["segment"].to_numpy(np.int64), source_frames)
    return Kept(tuple(segments), index, _joined(steps), source_frames, told)


def _told(
    table: pd.DataFrame,
    segments: Sequence[Segment],
    of_segment: npt.NDArray[np.int64],
    source_frames: npt.NDArray[np.int64],
) -> pd.DataFrame:
    """Take the rows of frames that are kept, and those of no frame whose time lies in a segment."""
    if not len(table) or not segments:
        return table.iloc[:0]
    frames = pd.to_numeric(table["frame_index"])
    of_frame = frames.notna().to_numpy()
    number = frames.fillna(0).to_numpy(np.int64)
    place = np.searchsorted(source_frames, number).clip(max=len(source_frames) - 1)
    t_ns = table["t_ns"].to_numpy(np.int64)
    starts, ends = (np.array([getattr(s, edge) for s in segments]) for edge in ("start_ns", "end_ns"))
    around = np.searchsorted(starts, t_ns, side="right") - 1
    inside = (around >= 0) & (t_ns < ends[around.clip(min=0)])
    kept = np.where(of_frame, source_frames[place] == number, inside)
    segment = np.where(of_frame, of_segment[place], around)
    numbers = pd.array(np.where(of_frame, place, 0), dtype="Int64")
    numbers[~of_frame] = pd.NA
    found: pd.DataFrame = table.assign(frame_index=numbers, segment=segment)[kept]
    return found.reset_index(drop=True)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _segment(
    segment: Segment, t_ns: npt.NDArray[np.int64], taken: npt.NDArray[np.int64], index: int, first_frame: int, skip: int
) -> Segment:
    first, behind = int(taken[0]), int(taken[-1]) + skip
    begins, ends = first == 0, behind >= len(t_ns)
    start_ns = segment.start_ns if begins else int(t_ns[first])
    return replace(
        segment,
        index=index,
        start_ns=start_ns,
        end_ns=segment.end_ns if ends else int(t_ns[behind]),
        first_frame=first_frame,
        frames=len(taken),
        end_reason=segment.end_reason if ends else LEFT_OUT,
        wall_ns=None if segment.wall_ns is None else segment.wall_ns + start_ns - segment.start_ns,
    )


def _steps(steps: pd.DataFrame, taken: npt.NDArray[np.int64], skip: int) -> pd.DataFrame:
    """Take the steps of kept frames; over several frames rewards are summed and ends are those of any."""
    firsts = taken[taken < len(steps)]
    found = steps.iloc[firsts]
    if skip == 1:
        return found
    behind = np.minimum(np.append(firsts[1:], len(steps)), firsts + skip)
    spans = [slice(*pair) for pair in zip(firsts.tolist(), behind.tolist(), strict=True)]
    reward = steps["reward"].to_numpy(np.float64)
    ends = {name: steps[name].to_numpy(bool) for name in ("terminated", "truncated")}
    return found.assign(
        reward=[reward[span].sum() for span in spans],
        **{name: np.array([value[span].any() for span in spans], bool) for name, value in ends.items()},
    )


def write_tables(
    folder: Path, recording: Recording, info: SessionInfo, kept: Kept, places: pd.DataFrame, counts: Mapping[str, int]
) -> None:
    """Write what stands beside the record files of one recording.

    Args:
        folder: A new folder.
        recording: Where its events come from.
        info: Its description, as the record files hold it.
        kept: What is kept of it.
        places: Columns `PLACES_SCHEMA`.
        counts: Stream -> what of it is kept, for the ledger of who reads it.
    """
    folder.mkdir(parents=True)
    segments = [segment.to_json() for segment in kept.segments]
    description = {"info": info.to_json(), "segments": segments, "kept": dict(counts)}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _write(folder / INDEX, kept.index, tables.INDEX_SCHEMA)
    _write(folder / PLACES, places, PLACES_SCHEMA)
    if recording.is_environment:
        discrete = info.action_space.kind == "discrete"
        _write(folder / STEPS, kept.steps, tables.step_schema(discrete=discrete))
    write_sound(folder, recording)
    if len(kept.telemetry):
        made = pa.Table.from_pandas(kept.telemetry, preserve_index=False).replace_schema_metadata()
        pq.write_table(made, folder / TELEMETRY, compression="zstd")
    if info.stream("events") is not None:
        _write(folder / EVENTS, recording.events(), tables.EVENT_SCHEMA)


def _write(path: Path, table: pd.DataFrame, schema: pa.Schema) -> None:
    made = pa.Table.from_pandas(table[schema.names], schema, preserve_index=False)
    pq.write_table(made, path, compression="zstd")


def read_frame(path: Path) -> pd.DataFrame:
    """Read one of the tables.

    Raises:
        MissingError: It is not there.
        BadDataError: It is cut or damaged.
    """
    found: Any = tables.read_table(path).to_pandas()
    return pd.DataFrame(found)
