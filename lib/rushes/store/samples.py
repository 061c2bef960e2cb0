"""A table of samples on the disk: one Parquet file, checked on writing and on reading.

Its footer holds the schema's version, the action space, the steps that made it with their ledgers, and where the pixels
of each session lie: relative to the file where they lie beside or below its folder's parent, so that a folder can be
moved as a whole. Paths in options (`video=`) are kept likewise.

Example:
    >>> import tempfile
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> press = {"control": "Space", "label": 1.0, "keys": [1.0], "sample_id": "a", "session": "s", "frame_index": 3}
    >>> path = Path(tempfile.mkdtemp()) / "pairs.parquet"
    >>> write_samples(Samples(samples_frame([press | {"t_ns": 9}]), ActionSpace.from_names(["Space"])), path)
    >>> read_samples(path).count()
    {'positive': 1}
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples, Source, Step
from rushes.model.samples import COLUMNS, SCHEMA, samples_frame
from rushes.store.atomic import new_file
from rushes.store.tables import open_table, read_table

_KEY: Final = b"rushes.samples"
"""Key of the footer: JSON with schema, action_space, steps and sources."""
_TYPES: Final = {"str": pa.string(), "list<float32>": pa.list_(pa.float32())}
_ARROW: Final = pa.schema(
    [(name, _TYPES.get(kind) or pa.type_for_alias(kind.replace("float64", "double").replace("float32", "float")))
     for name, kind in COLUMNS.items()]
)  # fmt: skip


def write_samples(samples: Samples, path: str | Path, *, beside: Path | None = None) -> None:
    """Write a set of samples.

    Args:
        samples: The set.
        path: A new file.
        beside: Where it will stand in the end, for the paths of its sources; None means `path`.

    Raises:
        BadDataError: Rows say what cannot be; the message counts them and names the first.
        OccupiedError: The file exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    samples.validate()
    target = Path(path)
    about = {
        "schema": SCHEMA,
        "action_space": samples.space.to_json(),
        "steps": [step.to_json() for step in samples.steps],
        "sources": {
            name: _source_to_json(source, beside or target) for name, source in sorted(samples.sources.items())
        },
    }
    columns = {name: samples.rows[name] for name in COLUMNS}
    none = np.isnan(samples.rows["hold_s"].to_numpy(float))
    arrays = [
        pa.array(columns[field.name], field.type, mask=none if field.name == "hold_s" else None) for field in _ARROW
    ]
    text = json.dumps(about, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    table = pa.Table.from_arrays(arrays, schema=_ARROW).replace_schema_metadata({_KEY: text.encode()})
    with new_file(target) as partial:
        pq.write_table(table, partial, compression="zstd")


def holds_samples(path: Path) -> bool:
    """Say whether a file is a table of samples; cheap.

    Raises:
        BadDataError: It is a Parquet file that is cut.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return False
    with open_table(path) as file:
        return _KEY in (file.schema_arrow.metadata or {})


def read_samples(path: str | Path) -> Samples:
    """Read a set of samples.

    Args:
        path: A file of `write_samples`.

    Returns:
        The set; paths of its sources are as they hold from here.

    Raises:
        MissingError: No such file.
        BadDataError: No table of samples, one of another schema, or rows that cannot be.
    """
    found = Path(path)
    table = read_table(found)
    about = _about(found, table)
    frame = table.to_pandas()
    if list(frame.columns) != list(COLUMNS):
        raise BadDataError(
            f"{found}: a table of samples with the columns {', '.join(frame.columns)}",
            accepts=", ".join(COLUMNS),
            fix="make it anew with `rushes prepare`",
        )
    for name, kind in COLUMNS.items():
        if kind == "int64" and table[name].null_count:
            row = table[name].is_null().to_pylist().index(True)
            raise BadDataError(f"{found}, row {row}: no {name}", accepts="a whole number", fix="make it anew")
    rows = samples_frame() if frame.empty else frame.astype({n: k for n, k in COLUMNS.items() if k != "list<float32>"})
    try:
        samples = Samples(
            rows,
            ActionSpace.from_json(about["action_space"]),
            tuple(Step.from_json(step) for step in about["steps"]),
            {name: _source_from_json(source, found) for name, source in about["sources"].items()},
        )
        samples.validate()
    except (KeyError, TypeError, AttributeError) as error:
        raise BadDataError(
            f"{found}: a table of samples that does not read ({error})",
            accepts="what `rushes prepare` writes",
            fix="make it anew",
        ) from error
    except BadDataError as error:
        raise BadDataError(f"{found}, {error.given}", accepts=error.accepts, fix=error.fix) from error
    return samples


def _about(path: Path, table: pa.Table) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((table.schema.metadata or {})[_KEY])
        schema = about["schema"]
    except (KeyError, TypeError, ValueError) as error:
        raise BadDataError(
            f"{path}, which is no table of samples,", accepts="a file that `rushes prepare` wrote", fix="check the path"
        ) from error
    if schema != SCHEMA:
        raise BadDataError(f"{path}: schema {schema!r}", accepts=SCHEMA, fix="read it with the version that wrote it")
    return about


def _source_to_json(source: Source, target: Path) -> dict[str, Any]:
    """Write a source; `relative` names the options whose values are paths from the file's folder."""
    options, relative = [], []
    for option in source.options:
        name, _, value = option.partition("=")
        written = _written(value, target) if Path(value).is_absolute() else value
        if not Path(written).is_absolute() and written != value:
            relative.append(name)
            options.append(f"{name}={written}")
        else:
            options.append(option)
    return {"path": _written(source.path, target), "options": options, "relative": relative}


def _source_from_json(value: dict[str, Any], path: Path) -> Source:
    """Read a source; its paths hold from here."""
    options, relative = [], set(value.get("relative", ()))
    for option in value["options"]:
        name, _, given = option.partition("=")
        options.append(f"{name}={_read(given, path)}" if name in relative else option)
    return Source(_read(value["path"], path), tuple(options))


def _written(source: str, target: Path) -> str:
    """Give the path of a source as it is written: relative where both lie in one tree."""
    there, here = Path(_plain(source)), Path(_plain(target)).parent
    inside = there.is_relative_to(here.parent) and here.parent != Path(here.anchor)
    return Path(os.path.relpath(there, here)).as_posix() if inside else there.as_posix()


def _plain(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - without following links, and without `..`


def _read(written: str, path: Path) -> str:
    given = Path(written)
    return str(given if given.is_absolute() else Path(os.path.normpath(path.absolute().parent / given)))
