"""Chunks of an earlier run: what the NitroGen Capture program leaves in a folder that it records into again.

A second, shorter run writes over the low chunks and leaves the higher ones, and the program merges both. Nothing in the
files says which run they are of, so they are known by what one run cannot have written. Each rule raises and names the
first chunk that cannot be of the run that wrote the one before.

Example:
    >>> from pathlib import Path
    >>> try:
    ...     refuse_unlisted(Path("session1"), [4, 5], 3)
    ... except BadDataError as error:
    ...     error.given
    'session1: chunk_004 is of another run: meta.json lists 3 chunks, and not this one'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rushes.errors import BadDataError
from rushes.formats.nitrogen.chunks_meta import whole

if TYPE_CHECKING:
    from rushes.formats.nitrogen.chunks import Chunk, Chunks

OLDER_S: Final = 60.0
"""By how much the arrays of a later chunk may be older than those of the one before."""


def refuse_unlisted(root: Path, unlisted: Sequence[int], listed: int) -> None:
    """Refuse whole chunks that meta.json does not list.

    Args:
        root: The set.
        unlisted: Numbers of chunks that lie there and are not listed.
        listed: How many are.

    Raises:
        BadDataError: There is one.
    """
    if unlisted:
        raise _stale(root, min(unlisted), f"meta.json lists {listed} chunks, and not this one", max(unlisted))


def refuse_stale(chunks: Chunks, *, trust_numbers: bool, overwritten: Callable[[Chunk], bool]) -> None:
    """Refuse chunks that the run of the chunk before cannot have written.

    Args:
        chunks: The set.
        trust_numbers: Do not ask for the age of files.
        overwritten: Whether the rows of a chunk are others than those that were merged when meta.json was written: a
            later run began here and was killed, and meta.json is not its own.

    Raises:
        BadDataError: There is one.
    """
    last = chunks.chunks[-1].number
    full = _full(chunks)
    for before, chunk in pairwise(chunks.chunks):
        if before.ends and chunk.ends and chunk.ends[0] <= before.ends[1]:
            why = f"its frame_indices begin with {chunk.ends[0]}, and those of {before.name} end with {before.ends[1]}"
            raise _stale(chunks.root, chunk.number, why, last)
        if not chunks.is_ours and not before.merged and max(before.lengths.values()) != full:
            why = f"{before.name} before it has {before.rows} rows, not {full}, so that its run ended there"
            raise _stale(chunks.root, chunk.number, why, last)
        rows = max(chunk.lengths.values())
        if not chunks.is_ours and not chunk.merged and rows > full:
            why = f"it has {rows} rows, more than the {full} of a full chunk"
            raise _stale(chunks.root, chunk.number, why, last)
        if not chunks.is_ours and not trust_numbers:
            older = before.arrays["actions"].path.stat().st_mtime - chunk.arrays["actions"].path.stat().st_mtime
            if older > OLDER_S and (chunks.manifest is None or overwritten(before)):
                why = f"its arrays are {older:.0f} s older than those of {before.name}"
                raise _stale(chunks.root, chunk.number, why, last, "; if a copy lost the times of files, trust_numbers")


def _full(chunks: Chunks) -> int:
    """Say how many rows a full chunk has."""
    said = whole(chunks.manifest.values.get("chunk_size")) if chunks.manifest else None
    return said or max(chunks.chunks[0].lengths.values())


def _stale(root: Path, number: int, why: str, last: int, other: str = "") -> BadDataError:
    away = f"frames/chunk_{number:03d} and *_chunk_{number:03d}.npy"
    away += f", and those up to {last:03d}," if last > number else ""
    return BadDataError(
        f"{root}: chunk_{number:03d} is of another run: {why}",
        accepts="the chunks of one run",
        fix=f"move {away} to a folder of their own{other}",
    )
