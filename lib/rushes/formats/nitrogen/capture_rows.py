"""The rows of a set of the NitroGen Capture program, held against what a row can be.

Each row is kept, or has one reason why not: `bad_value`, `bad_motion`, `index_not_rising`, `time_not_rising`,
`missing_png`, `cut_png`. Nothing is bridged: the segment ends before such a row.

Example:
    >>> falls(np.array([1, 2, 2, 3, 1, 4])).tolist()
    [False, False, True, False, True, False]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.nitrogen.capture_names import Columns, columns_of
from rushes.formats.nitrogen.capture_pictures import PngFiles, list_pictures, size_of
from rushes.formats.nitrogen.chunks import Chunk, Chunks
from rushes.formats.nitrogen.chunks_notes import Notes
from rushes.model.ledger import Tally

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LARGEST: Final = 1 << 53
_LATEST_NS: Final = 1 << 62
REASONS: Final = (
    "", "bad_value", "bad_motion", "index_not_rising", "time_not_rising", "missing_png", "cut_png",
)  # fmt: skip
"""Why a row is left out; the first means that it is not."""


@dataclass(frozen=True)
class RowTable:
    """All rows that a set offers, in order. Arrays are (N, ...).

    Attributes:
        columns: What the actions are.
        actions: int8, columns of `columns.space`.
        motion: (N, 2) float64 dx, dy as they stand in the file; NaN and infinite where the row is bad.
        tick: int64 frame indices.
        t_ns: int64 ns since session start; None where the set has no times.
        row: int64 number in the set as it was written, from 0.
        chunk: int64 number of the chunk.
        size: (N, 2) int64 height, width of the picture; 0 where there is none.
        reason: int8 place in `REASONS`.
        files: Where the pictures lie.
        unknown_edges: How often columns that mean nothing changed.
    """

    columns: Columns
    actions: npt.NDArray[np.int8]
    motion: npt.NDArray[np.float64]
    tick: Ints
    t_ns: Ints | None
    row: Ints
    chunk: Ints
    size: Ints
    reason: npt.NDArray[np.int8]
    files: PngFiles
    unknown_edges: int

    @property
    def kept(self) -> Bools:
        """Rows without a reason against them."""
        return np.asarray(self.reason == 0)

    def __len__(self) -> int:
        return len(self.tick)


def falls(values: Ints) -> Bools:
    """Say which values do not rise above all before them."""
    found = np.zeros(len(values), bool)
    found[1:] = values[1:] <= np.maximum.accumulate(values)[:-1]
    return found


def gather_rows(chunks: Chunks, notes: Notes, tally: Tally) -> RowTable:
    """Read the rows of a set and look at its pictures.

    Args:
        chunks: The set.
        notes: Where to say what is wrong, with file and row.
        tally: Where frames are counted.

    Raises:
        BadDataError: Nothing says what the columns are, or no chunk has a row.
    """
    width = chunks.chunks[0].width
    columns = columns_of(width, chunks.manifest.values.get("actions") if chunks.manifest else None)
    _note_names(chunks, columns, notes)
    readers = []
    for chunk in chunks.chunks:
        if chunk.width != width:
            notes.add("other_width", chunk.file("actions"), chunk.offered)
            tally.offer("frames", chunk.offered)
            tally.lose("frames", "other_width", chunk.offered)
        else:
            readers.append(_ChunkRows(chunk, chunks, columns, notes, tally))
    for reason, rows in chunks.left_out.values():
        tally.offer("frames", rows)
        tally.lose("frames", reason, rows)
    _count_loose_pictures(chunks, notes, tally)
    parts = [reader.read(place) for place, reader in enumerate(readers)]
    if not sum(len(part["tick"]) for part in parts):
        raise BadDataError(
            f"{chunks.root}: chunks without any row",
            accepts="a row a picture",
            fix="look into actions_chunk_001.npy; record again",
        )
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    _note_order(table, chunks, notes, has_times=chunks.has_times)
    for code, reason in enumerate(REASONS[1:], 1):
        tally.lose("frames", reason, int((table["reason"] == code).sum()))
    folders = [reader.chunk.folder or chunks.root for reader in readers]
    wide = {(place, k): name for place, r in enumerate(readers) for k, name in r.wide.items()}
    files = PngFiles(folders, table["place"].astype(np.int32), table["local"].astype(np.int32), wide)
    actions = table["actions"]
    unknown = [column for column in range(width) if column not in columns.places]
    edges = sum(int(np.count_nonzero(np.diff(actions[:, column] != 0, prepend=False))) for column in unknown)
    return RowTable(
        columns,
        actions[:, list(columns.places)],
        table["motion"],
        table["tick"],
        table["t_ns"] if chunks.has_times else None,
        table["row"],
        table["chunk"],
        table["size"],
        table["reason"],
        files,
        edges,
    )


def _note_names(chunks: Chunks, columns: Columns, notes: Notes) -> None:
    said = chunks.manifest.values.get("actions") if chunks.manifest else None
    if said is not None and not columns.named:
        notes.add("names_do_not_fit", "meta.json, actions")
    for name in columns.unknown:
        notes.add("unknown_action", f"meta.json, actions: {name!r}")
    first = chunks.chunks[0].arrays
    if "mouse_deltas" not in first:
        notes.add("no_mouse_deltas", chunks.root.name)
    if "frame_indices" not in first:
        notes.add("no_frame_indices", chunks.root.name)


def _count_loose_pictures(chunks: Chunks, notes: Notes, tally: Tally) -> None:
    """Count pictures of chunks that have no rows at all."""
    known = {chunk.number for chunk in chunks.chunks} | set(chunks.left_out)
    for number, folder in sorted(chunks.folders.items()):
        count = len(list_pictures(folder)) if number not in known else 0
        if count:
            notes.add("png_without_row", chunks.relative(folder), count)
            tally.offer("frames", count)
            tally.lose("frames", "png_without_row", count)


def _note_order(table: dict[str, npt.NDArray[Any]], chunks: Chunks, notes: Notes, *, has_times: bool) -> None:
    """Find indices and times that do not rise."""
    names = {chunk.number: chunk for chunk in chunks.chunks}
    limits = (("tick", "frame_indices", 3, -_LARGEST, _LARGEST), ("t_ns", "t_ns", 4, 0, _LATEST_NS))
    for name, kind, code, low, high in limits:
        if name == "t_ns" and not has_times:
            continue
        values = table[name]
        huge = (values < low) | (values > high)
        wrong = (huge | falls(np.where(huge, np.iinfo(np.int64).min, values))) & (table["reason"] == 0)
        table["reason"][wrong] = code
        for k in np.flatnonzero(wrong)[:1]:
            chunk = names[int(table["chunk"][k])]
            notes.add(REASONS[code], f"{chunk.file(kind)}, row {int(table['local'][k]) - 1}", int(wrong.sum()))


@dataclass
class _ChunkRows:
    """Reads the rows of one chunk."""

    chunk: Chunk
    chunks: Chunks
    columns: Columns
    notes: Notes
    tally: Tally

    def __post_init__(self) -> None:
        self.wide: dict[int, str] = {}

    def read(self, place: int) -> dict[str, npt.NDArray[Any]]:
        chunk, rows = self.chunk, self.chunk.rows
        self.tally.offer("frames", chunk.offered)
        if chunk.offered > rows:
            short = min(chunk.lengths, key=lambda kind: chunk.lengths[kind])
            self.notes.add("unequal_length", f"{chunk.file(short)}, row {rows}", chunk.offered - rows)
            self.tally.lose("frames", "unequal_length", chunk.offered - rows)
        reason = np.zeros(rows, np.int8)
        actions = chunk.read("actions", 0, rows)
        self._blame(reason, 1, ~((actions == 0) | (actions == 1)).all(axis=1), chunk.file("actions"))
        motion = np.zeros((rows, 2))
        if "mouse_deltas" in chunk.arrays:
            motion[:] = chunk.read("mouse_deltas", 0, rows)
            self._blame(reason, 2, ~np.isfinite(motion).all(axis=1), chunk.file("mouse_deltas"))
        if "frame_indices" in chunk.arrays:
            tick = chunk.read("frame_indices", 0, rows).astype(np.int64)
        else:
            tick = np.arange(chunk.row + 1, chunk.row + rows + 1)
        t_ns = chunk.read("t_ns", 0, rows).astype(np.int64) if "t_ns" in chunk.arrays else np.zeros(rows, np.int64)
        return {
            "actions": (actions != 0).astype(np.int8),
            "motion": motion,
            "tick": tick,
            "t_ns": t_ns,
            "row": np.arange(chunk.row, chunk.row + rows),
            "chunk": np.full(rows, chunk.number),
            "place": np.full(rows, place),
            "local": np.arange(1, rows + 1),
            "size": self._sizes(reason),
            "reason": reason,
        }

    def _blame(self, reason: npt.NDArray[np.int8], code: int, found: Any, where: str) -> None:
        wrong = found & (reason == 0)
        reason[wrong] = code
        if wrong.any():
            self.notes.add(REASONS[code], f"{where}, row {np.flatnonzero(wrong)[0]}", int(wrong.sum()))

    def _sizes(self, reason: npt.NDArray[np.int8]) -> Ints:
        """Look at the pictures of the rows, and count those that have none."""
        rows = len(reason)
        folder = self.chunk.folder
        names = list_pictures(folder) if folder else {}
        place = self.chunks.relative(folder) if folder else f"frames/{self.chunk.name}"
        sizes = np.zeros((rows, 2), np.int64)
        missing, cut = np.zeros(rows, bool), np.zeros(rows, bool)
        for k in range(rows):
            name = names.get(k + 1)
            size = size_of(folder / name) if folder and name else None
            missing[k], cut[k] = name is None, name is not None and size is None
            if size:
                sizes[k] = size
            if name and name != f"{k + 1:06d}.png":
                self.wide[k + 1] = name
        for code, there in ((5, missing), (6, cut)):
            wrong = there & (reason == 0)
            reason[wrong] = code
            for k in np.flatnonzero(wrong)[:1]:
                self.notes.add(REASONS[code], f"{place}/{k + 1:06d}.png, row {k}", int(wrong.sum()))
        beyond = [number for number in names if not 1 <= number <= self.chunk.offered]
        if beyond:
            self.notes.add("png_without_row", f"{place}/{min(beyond):06d}.png", len(beyond))
            self.tally.offer("frames", len(beyond))
            self.tally.lose("frames", "png_without_row", len(beyond))
        return sizes
