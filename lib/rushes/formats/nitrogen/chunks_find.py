"""Finding the chunks of a set of the NitroGen Capture program, and none of an earlier run.

The program records over what lies in its folder, so that higher chunks of an earlier run stay and are merged with the
new ones. `open_chunks` refuses such a set and names the first of them. It knows them by these signs: meta.json lists
fewer chunks than lie there; `frame_indices` do not rise from one chunk to the next; a chunk that is not full is
followed by another, or has more rows than a full one (in sets of that program, which ends a chunk only when it is full
or the run is over); the arrays of a chunk are more than a minute older than those of the chunk before, and there is no
meta.json, or the rows of the chunk before are not those that were merged with it (`trust_numbers` overrides this one,
for copies that lost their times).

Order comes from the numbers alone, never from a listing: chunk_1200 stands behind chunk_999.

Example:
    >>> [number_of(name) for name in ("actions_chunk_1200.npy", "actions.npy", "actions_chunk_x.npy")]
    [1200, None, None]
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from rushes.errors import BadDataError
from rushes.formats.nitrogen.chunks import Chunk, Chunks
from rushes.formats.nitrogen.chunks_arrays import Stored, open_array
from rushes.formats.nitrogen.chunks_meta import FRAMES, MERGED, META, Entry, Manifest, inside, read_manifest, stays
from rushes.formats.nitrogen.chunks_notes import Notes
from rushes.formats.nitrogen.chunks_stale import refuse_stale, refuse_unlisted

_ARRAY: Final = re.compile(r"(actions|mouse_deltas|frame_indices|t_ns)_chunk_(\d{1,9})\.npy")
_FOLDER: Final = re.compile(r"chunk_(\d{1,9})")


def number_of(name: str) -> int | None:
    """Give the chunk's number of an array's file name, None for another file."""
    match = _ARRAY.fullmatch(name)
    return int(match[2]) if match else None


def looks_like_chunks(root: Path) -> bool:
    """Say whether a folder holds chunks, or merged arrays with a list of them; cheap."""
    if not root.is_dir():
        return False
    with os.scandir(root) as listing:
        if any(number_of(entry.name) is not None for entry in listing):
            return True
    if next(_folders(root), None) is not None:
        return True
    manifest = root / META
    if not manifest.is_file() or not (root / "actions.npy").is_file():
        return False
    text = manifest.read_text(encoding="utf-8", errors="replace")
    return '"chunks"' in text and '"frames_dir"' in text


def open_chunks(root: Path, notes: Notes, *, trust_numbers: bool = False) -> Chunks:
    """Find the chunks of a set.

    Args:
        root: The set.
        notes: Where to say what had to be passed over.
        trust_numbers: Do not ask for the age of files.

    Raises:
        BadDataError: Nothing can be read, chunks of an earlier run lie there (the message names the first), one number
            stands twice, or a path in meta.json leads out of the set.
    """
    manifest = read_manifest(root, notes)
    entries = (manifest.entries if manifest else None) or {}
    listed, folders = _arrays(root), dict(_folders(root))
    if not listed and not entries:
        pictures = any(any(folder.iterdir()) for folder in folders.values())
        raise BadDataError(
            f"{root}: {'pictures without any row' if pictures else 'no chunk'}",
            accepts="actions_chunk_001.npy and its like",
            fix="a run that is killed before its first chunk is full leaves pictures alone, and nothing tells what was "
            "done on them; record again, with a smaller --chunk-size",
        )
    finder = _Finder(root, manifest, entries, listed, folders, notes)
    if manifest is not None and manifest.entries is not None:
        refuse_unlisted(root, [n for n in listed if n not in entries and finder.is_complete(n)], len(entries))
    found, left_out, start = [], {}, 0
    for number in _in_order({*listed, *entries}, notes):
        one = finder.chunk(number, start)
        if isinstance(one, Chunk):
            found.append(one)
            start = one.start + one.rows
        else:
            left_out[number] = one
            start += one[1]
    if not found:
        problem = notes.problems()[0]
        raise BadDataError(
            f"{root}: none of its {len(left_out)} chunks can be read; at {problem.where}: {problem.sentence}",
            accepts="actions_chunk_001.npy with mouse_deltas_chunk_001.npy, or merged arrays with meta.json",
            fix="restore the files from a copy",
        )
    chunks = Chunks(root, manifest, tuple(found), left_out, folders)
    refuse_stale(chunks, trust_numbers=trust_numbers, overwritten=finder.overwritten)
    return chunks


def _arrays(root: Path) -> dict[int, dict[str, Path]]:
    """List the arrays of the chunks: number -> array -> file."""
    found: dict[int, dict[str, Path]] = {}
    with os.scandir(root) as listing:
        names = sorted((entry.name, entry.is_symlink()) for entry in listing)
    for name, is_link in names:
        match = _ARRAY.fullmatch(name)
        if match is None or (is_link and not stays(root, root / name)) or (root / name).is_fifo():
            continue
        own = found.setdefault(int(match[2]), {})
        if match[1] in own:
            raise BadDataError(
                f"{root}: {own[match[1]].name} and {name}, two files of one chunk",
                accepts="one file a chunk",
                fix="move the one of the earlier run away",
            )
        own[match[1]] = root / name
    return found


def _folders(root: Path) -> Iterator[tuple[int, Path]]:
    """List the folders of pictures."""
    frames = root / FRAMES
    if not frames.is_dir() or not stays(root, frames):
        return
    with os.scandir(frames) as listing:
        names = sorted((entry.name, entry.is_symlink()) for entry in listing if entry.is_dir())
    for name, is_link in names:
        match = _FOLDER.fullmatch(name)
        if match and not (is_link and not stays(root, frames / name)):
            yield int(match[1]), frames / name


def _in_order(numbers: Iterable[int], notes: Notes) -> list[int]:
    """Put chunks in order and say which numbers are left out."""
    order = sorted(numbers)
    expected = 1
    for number in order:
        if number > expected:
            notes.add("missing_chunk", f"chunk_{expected:03d}", number - expected)
        expected = number + 1
    return order


@dataclass(frozen=True)
class _Finder:
    """Makes chunks of what was listed."""

    root: Path
    manifest: Manifest | None
    entries: Mapping[int, Entry]
    listed: Mapping[int, Mapping[str, Path]]
    folders: Mapping[int, Path]
    notes: Notes

    def files(self, number: int) -> dict[str, Path]:
        """Give the arrays of a chunk: those that meta.json names, where they are there, else those of its number."""
        entry = self.entries.get(number)
        named = {kind: path for kind, path in entry.files.items() if path.is_file()} if entry else {}
        return {**self.listed.get(number, {}), **named}

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Arrays that each chunk must have: all that any has."""
        return frozenset(kind for n in {*self.listed, *self.entries} for kind in self.files(n)) | {"actions"}

    @cached_property
    def merged(self) -> dict[str, Path]:
        """The merged arrays."""
        values = self.manifest.values if self.manifest else {}
        named = {kind: values.get(key) for kind, key in MERGED.items()}
        paths = {
            kind: inside(self.root, name if isinstance(name, str) else f"{kind}.npy", where=f"{META}, {MERGED[kind]}")
            for kind, name in named.items()
        }
        return {kind: path for kind, path in paths.items() if path.is_file()}

    def overwritten(self, chunk: Chunk) -> bool:
        """Say whether the rows of a chunk's own files are others than those in the merged arrays."""
        merged = self._open({kind: path for kind, path in self.merged.items() if kind in chunk.arrays})
        if chunk.merged or isinstance(merged, str):
            return False
        for kind, array in merged.items():
            rows = max(min(chunk.lengths[kind], len(array) - chunk.start), 0)
            if rows:
                own, old = chunk.read(kind, 0, rows), array.read(chunk.start, chunk.start + rows)
                if not np.array_equal(own, old, equal_nan=kind == "mouse_deltas"):
                    return True
        return False

    def is_complete(self, number: int) -> bool:
        """Say whether a chunk has all its arrays, and they can be read."""
        files = self.files(number)
        return set(files) >= self.kinds and not isinstance(self._open(files), str)

    def chunk(self, number: int, start: int) -> Chunk | tuple[str, int]:
        """Make a chunk, or say why it is left out and how many rows are lost with it."""
        entry, name = self.entries.get(number), f"chunk_{number:03d}"
        said = entry.rows if entry else 0
        start = entry.start if entry and entry.start >= 0 else start
        row = entry.row if entry and entry.row >= 0 else start
        folder = entry.folder if entry and entry.folder and entry.folder.is_dir() else self.folders.get(number)
        files = self.files(number)
        if not files and said and "actions" in self.merged:
            arrays = self._open(self.merged)
            if isinstance(arrays, str):
                self.notes.add("damaged_array", arrays)
                return "damaged_array", said
            self.notes.add("merged_used", name)
            lengths = {kind: min(max(len(array) - start, 0), said) for kind, array in arrays.items()}
            return Chunk(number, start, row, arrays, lengths, said, merged=True, folder=folder)
        arrays = self._open(files)
        if isinstance(arrays, str):
            self.notes.add("damaged_array", arrays)
            return "damaged_array", said
        lengths = {kind: len(array) for kind, array in arrays.items()}
        if not set(files) >= self.kinds:
            self.notes.add("incomplete_chunk" if files else "missing_chunk", name)
            return "incomplete_chunk" if files else "missing_chunk", max([*lengths.values(), said])
        return Chunk(number, start, row, arrays, lengths, said, folder=folder)

    def _open(self, files: Mapping[str, Path]) -> dict[str, Stored] | str:
        """Open arrays, or name the one that does not read."""
        found = {}
        for kind, path in files.items():
            try:
                found[kind] = open_array(path, kind)
            except BadDataError:
                return path.name
        return found
