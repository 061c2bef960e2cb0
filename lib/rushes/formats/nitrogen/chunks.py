"""A set of the NitroGen Capture program: its chunks in the order of their numbers, and where their arrays stand.

```
<root>/frames/chunk_001/000001.png       a picture a row; the number begins anew in each chunk
       actions_chunk_001.npy  mouse_deltas_chunk_001.npy  frame_indices_chunk_001.npy
       t_ns_chunk_001.npy                ours alone: rows are what happened in [t_k, t_{k+1})
       actions.npy mouse_deltas.npy frame_indices.npy dataset.npz dataset.pt meta.json
```

Source of the layout: taisrisk/frame-capture at 4ff5523 and 0049d7a.

Example:
    >>> one = Chunk(7, 3000, 3000, {}, {"actions": 500, "mouse_deltas": 499})
    >>> one.name, one.rows, one.offered
    ('chunk_007', 499, 500)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rushes.formats.nitrogen.chunks_arrays import Array, Stored
from rushes.formats.nitrogen.chunks_meta import OURS, Manifest


@dataclass(frozen=True)
class Chunk:
    """One chunk that can be read.

    Attributes:
        number: Its number.
        start: Number of its first row in the merged arrays, from 0.
        row: Number of its first row in the set as it was written, from 0.
        arrays: Array -> where it stands: in a file of its own, or in the merged one.
        lengths: Array -> rows that it has of this chunk.
        said: Rows that meta.json says it has; 0 where it says nothing.
        merged: Whether its rows stand in the merged arrays, from `start` on.
        folder: Where its pictures lie; None where no folder is there.
    """

    number: int
    start: int
    row: int
    arrays: Mapping[str, Stored]
    lengths: Mapping[str, int]
    said: int = 0
    merged: bool = False
    folder: Path | None = None

    @property
    def rows(self) -> int:
        """Rows of which it has all arrays."""
        return min(self.lengths.values())

    @property
    def offered(self) -> int:
        """Rows of which it has any array, or that it is said to have."""
        return max(*self.lengths.values(), self.said)

    def read(self, kind: str, start: int, stop: int) -> Array:
        """Read rows of one of its arrays, numbered from its first row."""
        first = self.start if self.merged else 0
        return self.arrays[kind].read(first + start, first + stop)

    @cached_property
    def ends(self) -> tuple[int, int] | None:
        """Its first and last frame index; None where it has none."""
        if not self.lengths.get("frame_indices"):
            return None
        last = self.lengths["frame_indices"] - 1
        return int(self.read("frame_indices", 0, 1)[0]), int(self.read("frame_indices", last, last + 1)[0])

    @property
    def width(self) -> int:
        """Columns of its actions."""
        return self.arrays["actions"].width

    def file(self, kind: str) -> str:
        """Name the file of one of its arrays; the chunk, where it has none."""
        return self.arrays[kind].path.name if kind in self.arrays else self.name

    @property
    def name(self) -> str:
        """`chunk_001`."""
        return f"chunk_{self.number:03d}"

    def __repr__(self) -> str:
        return f"Chunk({self.name}, {self.rows} rows)"


@dataclass(frozen=True)
class Chunks:
    """The chunks of a set.

    Attributes:
        root: The set.
        manifest: Its meta.json.
        chunks: Those that can be read, by number.
        left_out: Number of a chunk that cannot -> reason and rows.
        folders: Number -> folder of pictures, for all that lie there.
    """

    root: Path
    manifest: Manifest | None
    chunks: tuple[Chunk, ...]
    left_out: Mapping[int, tuple[str, int]]
    folders: Mapping[int, Path]

    @property
    def has_times(self) -> bool:
        """Whether it has times, as this program writes them."""
        return bool(self.chunks) and "t_ns" in self.chunks[0].arrays

    @property
    def is_ours(self) -> bool:
        """Whether a row is what happened in [t_k, t_{k+1}), rather than (t_{k-1}, t_k]."""
        return self.has_times or (self.manifest is not None and OURS in self.manifest.values)

    def relative(self, path: Path) -> str:
        """Name a file of the set from its root."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name

    def __repr__(self) -> str:
        return f"Chunks({self.root.name}: {len(self.chunks)} chunks, {sum(c.rows for c in self.chunks)} rows)"
