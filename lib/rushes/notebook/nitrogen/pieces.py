"""The pieces of the official release, read back with pyarrow, and training samples of the official model from them.

Example (cells of a recipe, after `write_forms` and `reload_forms`):
    >>> def cell(forms, back):
    ...     return official_samples(forms, back.truth)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from rushes.formats.base import open_any
from rushes.formats.report import Report
from rushes.model.controls import STICKS
from rushes.model.nitrogen import COLUMNS
from rushes.notebook.nitrogen.compared import Compared, Line, equal_rows, line, said
from rushes.notebook.nitrogen.forms import Forms
from rushes.notebook.nitrogen.truth import Truth, take_part
from rushes.preview.choose import evenly

Floats = npt.NDArray[np.float32]

PAD_NAMES: Final = (*(name.upper() for name in COLUMNS), *STICKS)
"""Columns of the pieces: 17 buttons and 4 axes."""
_ITEMS: Final = 8
_SIDE_PX: Final = 256
_NUMBER: Final = re.compile(r"_chunk_(\d+)$")


@dataclass(frozen=True)
class Piece:
    """One piece.

    Attributes:
        video: Name of its video.
        number: Its number.
        stretch: A number that it shares with the pieces before it as long as each follows the last without a gap.
        rows: (R, 21) float32, columns `PAD_NAMES`.
        metadata: What metadata.json says.
    """

    video: str
    number: int
    stretch: int
    rows: Floats
    metadata: Mapping[str, Any]


def read_pieces(target: Path) -> list[Piece]:
    """Read the pieces of a folder, video by video, in the order of their numbers.

    Args:
        target: The root of the export.
    """
    folders = [(p.parent, m) for p in target.rglob("metadata.json") if (m := _NUMBER.search(p.parent.name))]
    found: list[Piece] = []
    for folder, match in sorted(folders, key=lambda one: (one[0].parent.name, int(one[1][1]))):
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        read = pq.read_table(folder / "actions_raw.parquet")
        columns = [np.asarray(read[c].to_numpy(zero_copy_only=False), np.float32) for c in COLUMNS]
        sticks = [np.array(read[c].to_pylist(), np.float32).reshape(-1, 2) for c in ("j_left", "j_right")]
        rows = np.column_stack([*columns, *sticks])
        video = folder.parent.name
        before = found[-1] if found else None
        follows = before is not None and _goes_on(before, video, metadata)
        stretch = (before.stretch if before is not None else -1) + (not follows)
        found.append(Piece(video, int(match[1]), stretch, rows, metadata))
    return found


def _goes_on(before: Piece, video: str, metadata: Mapping[str, Any]) -> bool:
    """Say whether a piece follows another one within a segment."""
    stop = int(before.metadata["original_video"]["start_frame"]) + len(before.rows)
    own = [told.get("rushes", {}).get("segment") for told in (before.metadata, metadata)]
    return before.video == video and stop == int(metadata["original_video"]["start_frame"]) and own[0] == own[1]


def compare_pieces(report: Report, pieces: Sequence[Piece], truth: Truth) -> Iterator[Line]:
    """Hold the pieces against the session.

    Args:
        report: Of the export.
        pieces: What `read_pieces` gave.
        truth: What the session says.
    """
    videos = list(dict.fromkeys(piece.video for piece in pieces))
    waiting, rows = list(truth.parts), 0
    for video in videos:
        every = np.concatenate([piece.rows for piece in pieces if piece.video == video])
        part = take_part(waiting, "release", every)
        rows += 0 if part is None else len(every)
    yield line(report.target.name, "recordings", len(truth.parts), len(videos))
    wanted = sum(len(part.release) for part in truth.parts)
    yield line(report.target.name, "rows that are the session's: what had been done when a frame showed", wanted, rows)
    right = sum(int(piece.metadata["chunk_size"]) == len(piece.rows) for piece in pieces)
    yield line(report.target.name, "pieces that are as long as their metadata says", len(pieces), right)


def official_samples(forms: Forms, truth: Truth) -> Compared:
    """Take training samples of the official model from the pieces of the release, and hold them against the session.

    Args:
        forms: What `write_forms` gave.
        truth: What the session says; see `Reloaded`.

    Raises:
        BadInputError: No segment is as long as the model's horizon.
        MissingError: The pieces have no video beside them.
    """
    from rushes.loaders.nitrogen import NitrogenSamples

    report = forms.reports["nitrogen_dataset"]
    samples = NitrogenSamples(report.target)
    length, wanted = samples.settings.horizon, evenly(len(samples), _ITEMS)
    parts = {part.recording.info.id: part for part in truth.parts}
    read = [parts.get(recording.info.id) for recording in open_any(report.target)]
    shapes, equal = set(), 0
    for k in wanted:
        item, (number, frame) = samples[k], samples.index_of(k)
        shapes.add(", ".join(said(tuple(item[name].shape)) for name in ("frames", "buttons", "j_left", "j_right")))
        found = np.hstack([item["buttons"][0], item["j_left"][0], item["j_right"][0]])
        part = read[number]
        if part is not None:
            equal += equal_rows(part.pad[frame : frame + length], found) == length
    due = f"1 x 3 x {_SIDE_PX} x {_SIDE_PX}, 1 x {length} x 21, 1 x {length} x 2, 1 x {length} x 2"
    lines = (
        line(
            report.target.name,
            f"samples of {length} rows for the official model",
            len(truth.starts(length)),
            len(samples),
        ),
        line(report.target.name, "shapes of frames, buttons, j_left, j_right", due, "; ".join(sorted(shapes))),
        line(report.target.name, "samples compared whose rows are the session's", len(wanted), equal),
    )
    return Compared(lines, {"training_samples": len(samples)})
