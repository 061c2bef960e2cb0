"""Which recordings a part of a split is made of: whole sessions, so that no window of one looks into another.

Sessions are placed by their rows, as near to the shares as whole sessions allow, in an order that follows from the seed
and their ids. A file of splits (`rushes prepare split`) decides where it knows a session.

Example:
    >>> part_of({"a": 800, "b": 100, "c": 100}, "train=0.8,val=0.1,test=0.1", seed=0)["a"]
    'train'
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from rushes.errors import BadInputError
from rushes.prepare.placing import place
from rushes.prepare.split import parts_of
from rushes.store.splits import read_splits

SHARES: Final = "train=0.8,val=0.1,test=0.1"
SESSION: Final = "session"


def part_of(rows: Mapping[str, int], splits: str | Path = SHARES, *, seed: int = 0) -> dict[str, str]:
    """Place sessions into the parts of a split.

    Args:
        rows: Id of each session -> its rows.
        splits: Parts with their shares, or a file of splits by session.
        seed: Of the order in which sessions are placed.

    Returns:
        Id -> name of the part.

    Raises:
        BadInputError: Shares that do not read, or a file of splits that are not by session or lack one.
        MissingError: No such file.
        BadDataError: The file holds no splits.
    """
    if isinstance(splits, Path) or "=" not in splits:
        return _of_file(rows, Path(splits))
    shares = parts_of(splits)
    names, ids = list(shares), sorted(rows)
    sizes = np.array([[rows[name], 0] for name in ids], np.int64).reshape(-1, 2)
    digests = [hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest() for name in ids]
    order = np.array(sorted(range(len(ids)), key=lambda number: digests[number]), np.int64)
    placed = place(sizes, np.array([*shares.values()]), order, np.full(len(ids), -1, np.int64))
    return {name: names[part] for name, part in zip(ids, placed.tolist(), strict=True)}


def _of_file(rows: Mapping[str, int], path: Path) -> dict[str, str]:
    known = read_splits(path)
    if known.made.get("by", SESSION) != SESSION:
        raise BadInputError(
            f"{path}: splits by {known.made['by']}",
            accepts="splits by session",
            fix="pass the table of samples itself as the source, or shares such as " + SHARES,
        )
    unknown = sorted(set(rows) - set(known.parts))
    if unknown:
        raise BadInputError(
            f"{path}, which does not say where {unknown[0]} belongs",
            accepts="a file that knows every session of the source",
            fix="split anew with like= so that what it knows stays, or pass shares such as " + SHARES,
        )
    return {name: known.parts[name] for name in rows}
