"""The merged files of a set of the NitroGen Capture program, made of its chunks: `rushes merge ROOT`.

`actions.npy`, `mouse_deltas.npy`, `frame_indices.npy`, `dataset.npz` (the same three, not compressed), `dataset.pt`
(the same three as tensors) and `meta.json` are made anew from the chunk files alone, also after a run that was killed
and left no meta.json. Chunks and pictures are not touched. The new files are written under another name and take the
places of the old ones when all are whole, meta.json last; when something is wrong the old ones stay as they were. Only
a piece of an array is in memory at a time.

What a kill leaves at the end, a last chunk without one of its arrays, is left out and said. A chunk in the middle that
is cut, arrays of unequal length and chunks of an earlier run are refused: the rows behind them would stand beside other
pictures than their own.

Source of the files: taisrisk/frame-capture at 4ff5523; `frame_indices` in dataset.npz and dataset.pt, which its merge
tool leaves out there, are written as its recorder writes them.

Example:
    >>> # merge("dataset/session1")                     # rushes merge dataset/session1
    >>> merged_names([("frame_indices", 0)])
    ('frame_indices.npy', 'dataset.npz', 'dataset.pt', 'meta.json')
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.errors import BadDataError, BadInputError, MissingError, StorageError
from rushes.formats.nitrogen.capture_pictures import list_pictures
from rushes.formats.nitrogen.chunks import Chunk, Chunks
from rushes.formats.nitrogen.chunks_arrays import KINDS, Array, as_stored, blocks, write_pieces
from rushes.formats.nitrogen.chunks_find import looks_like_chunks, open_chunks
from rushes.formats.nitrogen.chunks_meta import MERGED, META
from rushes.formats.nitrogen.chunks_notes import Notes
from rushes.formats.nitrogen.merge_meta import refreshed
from rushes.model.findings import Problem
from rushes.store.atomic import storage_errors, sync

NO_TORCH: Final = "torch not installed; skipped dataset.pt"
"""What stands in meta.json where there is no dataset.pt. Source: capture_logger.py at 4ff5523."""
_PARTIAL: Final = ".merged.partial"
_COPY_BYTES: Final = 1 << 22
_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Time of the entries of dataset.npz, so that the same rows give the same bytes."""


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Attributes:
        root: The set.
        rows: Rows in the merged arrays.
        chunks: Chunks that they are made of.
        pictures: Pictures of these rows that are there.
        files: What was written.
        had_meta: Whether there was a meta.json to go by.
        problems: What had to be passed over.
    """

    root: Path
    rows: int
    chunks: int
    pictures: int
    files: tuple[str, ...]
    had_meta: bool
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the keys that `rushes merge --json` promises."""
        return {
            "root": str(self.root),
            "rows": self.rows,
            "chunks": self.chunks,
            "pictures": self.pictures,
            "files": list(self.files),
            "had_meta": self.had_meta,
            "problems": [problem.to_json() for problem in self.problems],
        }


def merge(root: str | Path, *, fps: float = 30.0, trust_numbers: bool = False) -> Merged:
    """Make the merged files of a set anew.

    Args:
        root: The set.
        fps: Frames a second where no meta.json says it and there are no times.
        trust_numbers: Without meta.json, do not ask whether later chunks are older.

    Returns:
        What was written and what had to be passed over.

    Raises:
        MissingError: Nothing is there.
        BadInputError: `fps` is no rate.
        BadDataError: It is no set of chunks, chunks of an earlier run lie there, a path in meta.json leads out of the
            folder, or an array is damaged; the message names the file.
        StorageError: The disk is full or the folder cannot be written.
    """
    path = Path(root)
    if not path.exists():
        raise MissingError(f"{path}: nothing is there", accepts="a folder with chunks", fix="check the path")
    if not np.isfinite(fps) or fps <= 0:
        raise BadInputError(f"fps={fps!r}", accepts="frames a second, above 0", fix="pass fps=30")
    if not looks_like_chunks(path):
        raise BadDataError(
            f"{path}, in which there is no chunk,",
            accepts="a folder with actions_chunk_001.npy and its like",
            fix="name the folder of one session, as capture_logger.py --out was given it",
        )
    notes = Notes()
    chunks = open_chunks(path, notes, trust_numbers=trust_numbers)
    if chunks.manifest is None:
        notes.add("description_lost" if chunks.has_times else "missing_meta", path.resolve().name)
    _refuse_unfit(chunks)
    pictures = _count_pictures(chunks, notes)
    partial = path / _PARTIAL
    with storage_errors(path):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            torch = write_merged(chunks.chunks, partial)
            meta = refreshed(chunks, fps=fps, torch=torch)
            write_meta(partial, meta)
            files = tuple(name for name in merged_names(_shapes(chunks.chunks)) if (partial / name).exists())
            for name in files:
                sync(partial / name)
            for name in files:
                (partial / name).replace(path / name)
            if torch == NO_TORCH:  # an older one has the rows of an older merge
                (path / "dataset.pt").unlink(missing_ok=True)
            sync(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    rows = sum(chunk.rows for chunk in chunks.chunks)
    found = notes.problems()
    return Merged(path, rows, len(chunks.chunks), pictures, files, chunks.manifest is not None, found)


def merged_names(shapes: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Name the merged files in the order in which they are put in place.

    Args:
        shapes: What `write_merged` writes: arrays and their widths.
    """
    return (*(f"{kind}.npy" for kind, _ in shapes), "dataset.npz", "dataset.pt", META)


def write_merged(chunks: Sequence[Chunk], folder: Path) -> str:
    """Write the merged arrays, dataset.npz and dataset.pt.

    Args:
        chunks: The chunks in order; each has the same arrays, of one width.
        folder: Where to write.

    Returns:
        What to say of dataset.pt in meta.json.

    Raises:
        BadDataError: A value has no place in the file; the message names file and row.
    """
    shapes = _shapes(chunks)
    rows = sum(chunk.rows for chunk in chunks)
    for kind, width in shapes:
        write_pieces(folder / f"{kind}.npy", _pieces(chunks, kind), kind=kind, rows=rows, width=width)
    with zipfile.ZipFile(folder / "dataset.npz", "w", zipfile.ZIP_STORED) as file:
        for kind, _ in shapes:
            entry = zipfile.ZipInfo(f"{kind}.npy", _DATE)
            with (folder / f"{kind}.npy").open("rb") as source, file.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, _COPY_BYTES)
    return _write_tensors(folder, [kind for kind, _ in shapes])


def write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    """Write meta.json as the program writes it."""
    (folder / META).write_text(json.dumps(meta, indent=2), encoding="utf-8")


def _shapes(chunks: Sequence[Chunk]) -> list[tuple[str, int]]:
    first = chunks[0]
    kinds = [kind for kind in MERGED if kind in first.arrays]
    return [(kind, first.arrays[kind].width if KINDS[kind].dimensions > 1 else 0) for kind in kinds]


def _pieces(chunks: Sequence[Chunk], kind: str) -> Iterator[Array]:
    for chunk in chunks:
        for first, stop in blocks(chunk.rows):
            yield as_stored(chunk.read(kind, first, stop), kind, where=chunk.file(kind), first=first)


def _write_tensors(folder: Path, kinds: Sequence[str]) -> str:
    """Write dataset.pt from the arrays on the disk; their pages are not this process's own memory."""
    try:
        import torch
    except ImportError:
        return NO_TORCH
    arrays = {kind: np.load(folder / f"{kind}.npy", mmap_mode="c") for kind in kinds}
    path = folder / "dataset.pt"
    try:
        torch.save({kind: torch.from_numpy(array) for kind, array in arrays.items()}, path)
    except RuntimeError as error:  # PyTorch's own writer does not say what the system said
        raise StorageError(
            f"{path}: PyTorch could not write it ({str(error).splitlines()[0]})",
            accepts="a disk with room for it",
            fix="free some space and run it again",
        ) from error
    return path.name


def _refuse_unfit(chunks: Chunks) -> None:
    """Refuse what would put rows beside other pictures than their own."""
    last = chunks.chunks[-1].number
    for number, (reason, _) in chunks.left_out.items():
        if number < last and reason != "missing_chunk":
            raise BadDataError(
                f"{chunks.root}: chunk_{number:03d}, {reason.replace('_', ' ')}, stands before others",
                accepts="whole chunks; only the last may lack something",
                fix="restore its files, or move all of them away: a number that is left out is a gap",
            )
    width = chunks.chunks[0].width
    for chunk in chunks.chunks:
        if len(set(chunk.lengths.values())) > 1:
            said = ", ".join(f"{chunk.file(kind)} has {rows} rows" for kind, rows in chunk.lengths.items())
            raise BadDataError(
                f"{chunks.root}: {said}",
                accepts="arrays of one length, a row a picture",
                fix="restore the file that is too short; nobody can tell which rows are missing",
            )
        if chunk.width != width:
            raise BadDataError(
                f"{chunks.root}: {chunk.file('actions')} with {chunk.width} actions, the first chunk has {width}",
                accepts="one vocabulary a set",
                fix="move the chunks of the other run to a folder of their own",
            )


def _count_pictures(chunks: Chunks, notes: Notes) -> int:
    """Hold pictures against rows."""
    count = 0
    known = {chunk.number: chunk for chunk in chunks.chunks}
    for number in sorted({*known, *chunks.folders}):
        chunk = known.get(number)
        folder = chunk.folder if chunk else chunks.folders[number]
        there = list_pictures(folder) if folder else {}
        rows = chunk.rows if chunk else 0
        paired = sum(1 for k in range(1, rows + 1) if k in there)
        count += paired
        if paired < rows:
            row = next(k for k in range(1, rows + 1) if k not in there)
            notes.add("missing_png", f"frames/chunk_{number:03d}/{row:06d}.png, row {row - 1}", rows - paired)
        if len(there) > paired:
            notes.add("png_without_row", f"frames/chunk_{number:03d}", len(there) - paired)
    return count
