"""Splits on the disk: which group is for what, in one Parquet file beside the tables that were split by it.

A later table of the same groups is split alike, and a group that was once in the test never comes into training.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "splits.parquet"
    >>> write_splits(Splits({"doom_1": "train", "doom_2": "test"}, {"by": "session"}), path)
    >>> read_splits(path).parts["doom_2"]
    'test'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from rushes.errors import BadDataError
from rushes.store.atomic import new_file
from rushes.store.tables import read_table

SCHEMA: Final = "rushes/splits/1"
_KEY: Final = b"rushes.splits"


@dataclass(frozen=True)
class Splits:
    """Which group is for what.

    Attributes:
        parts: Group -> `train`, `val`, `test` or whatever the parts are called.
        made: How the groups are formed: `by`, and `block_s` where it is time. Tables can share splits only where this
            is the same.
    """

    parts: Mapping[str, str]
    made: Mapping[str, Any] = field(default_factory=dict)


def write_splits(splits: Splits, path: str | Path) -> None:
    """Write splits.

    Raises:
        OccupiedError: The file exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    groups = sorted(splits.parts)
    table = pa.table(
        {"group": pa.array(groups, pa.string()), "split": pa.array([splits.parts[g] for g in groups], pa.string())}
    )
    about = json.dumps({"schema": SCHEMA, **splits.made}, sort_keys=True)
    with new_file(Path(path)) as partial:
        pq.write_table(table.replace_schema_metadata({_KEY: about.encode()}), partial, compression="zstd")


def read_splits(path: str | Path) -> Splits:
    """Read splits.

    Raises:
        MissingError: No such file.
        BadDataError: It holds no splits, those of another schema, or one group twice.
    """
    table = read_table(Path(path))
    try:
        made: dict[str, Any] = json.loads((table.schema.metadata or {})[_KEY])
        schema = made.pop("schema")
        groups, parts = table["group"].to_pylist(), table["split"].to_pylist()
    except (KeyError, TypeError, ValueError) as error:
        raise BadDataError(
            f"{path}, which holds no splits,", accepts="a file that `rushes prepare split` wrote", fix="check the path"
        ) from error
    if schema != SCHEMA or len(set(groups)) < len(groups):
        raise BadDataError(
            f"{path}: splits of schema {schema!r} with {len(groups) - len(set(groups))} groups twice",
            accepts=f"{SCHEMA}, each group once",
            fix="take the file as it was written",
        )
    return Splits(dict(zip(groups, parts, strict=True)), made)
