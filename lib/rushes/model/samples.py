"""Samples: one table of labelled rows for training. Rows name pixels and actions, they never copy pixels.

A row is a window of `length` frames from `frame_index` on, with the action at (`action_session`,
`action_t_ns`): the action has its own address, so that negatives with a shifted, swapped or foreign action
can be said. What became of a row stands in it: its `kind`, the `reason` why it is not a positive, the
`parent` that it was made from and by which `transform`. The table of splits decides by `group`; the column is
its copy, and children inherit both.

Example:
    >>> space = ActionSpace.from_names(["Space"])
    >>> press = {"control": "Space", "label": 1.0, "keys": [1.0], "hold_s": 0.294, "split": "train"}
    >>> frame = samples_frame([press | {"sample_id": "a", "session": "s1", "frame_index": 30, "t_ns": 9}])
    >>> validate_samples(frame, space)
    >>> frame.loc[0, ["action_session", "kind", "phase"]].tolist()
    ['s1', 'positive', 'press']
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace

SCHEMA: Final = "rushes/samples/1"
"""Schema name and version of the table; a reader refuses a newer one."""


class SampleKind(StrEnum):
    """What a sample is for."""

    POSITIVE = "positive"  # the control goes down in it
    UNIFORM = "uniform"  # drawn evenly from what is no positive
    IDLE = "idle"  # nothing is pressed
    NEAR_MISS = "near_miss"  # just outside the exclusion around a press
    HARD = "hard"  # looks most like a positive
    SHIFTED = "shifted"  # right pixels, action of another time
    SWAPPED = "swapped"  # right pixels, another action
    CROSS_SESSION = "cross_session"  # right pixels, action of another session
    DURING_HOLD = "during_hold"  # the control is down already


COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sample_id": "str",
        "session": "str",
        "segment": "int64",
        "frame_index": "int64",
        "t_ns": "int64",
        "length": "int64",
        "action_session": "str",
        "action_t_ns": "int64",
        "control": "str",
        "label": "float32",
        "keys": "list<float32>",
        "hold_s": "float64",
        "phase": "str",
        "kind": "str",
        "reason": "str",
        "parent": "str",
        "transform": "str",
        "group": "str",
        "split": "str",
        "weight": "float32",
    }
)
"""Columns and their types, in order. `keys` holds one (A,) float32 array a row in the order of the table's
action space; `hold_s` is NaN while a hold is open and where there is none; `transform` is JSON or empty; an
empty `parent` means that the row was made from none, an empty `split` that none was decided."""

_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {"segment": 0, "length": 1, "hold_s": np.nan, "phase": "press", "kind": SampleKind.POSITIVE.value}
    | {"reason": "", "parent": "", "transform": "", "group": "", "split": "", "weight": 1.0}
)


def samples_frame(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Make a table of samples.

    Args:
        rows: Mappings from column to value. What is left out takes its default: the action stands at the
            row's own session and time, segment 0, length 1, phase press, kind positive, weight 1, no hold,
            empty texts.

    Returns:
        A table with `COLUMNS` and their types.

    Raises:
        BadDataError: A row lacks a column without default, or has one that does not exist; the message names
            the row.
    """
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for number, row in enumerate(rows):
        own = {"action_session": row.get("session"), "action_t_ns": row.get("t_ns")}
        full = {**_DEFAULTS, **own, **row}
        if full.keys() != COLUMNS.keys():
            odd = ", ".join(sorted(full.keys() ^ COLUMNS.keys()))
            raise BadDataError(
                f"row {number} with missing or unknown columns ({odd})",
                accepts=", ".join(COLUMNS),
                fix="give each sample those columns that have no default",
            )
        for name, values in columns.items():
            values.append(full[name])
    return pd.DataFrame({name: _typed(columns[name], kind) for name, kind in COLUMNS.items()})


def samples_columns(count: int, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Make a table of samples from whole columns; much faster than `samples_frame` where there are many rows.

    Args:
        count: N, how many rows.
        columns: Column -> N values, or one value for all rows (`keys`: (N, A) or N vectors). What is left out takes
            the default of `samples_frame`.

    Returns:
        A table with `COLUMNS` and their types.

    Raises:
        BadDataError: A column without default is missing, or one does not exist or has another length.
    """
    full = {**_DEFAULTS, "action_session": columns.get("session"), "action_t_ns": columns.get("t_ns"), **columns}
    odd = sorted(full.keys() ^ COLUMNS.keys())
    odd += [n for n, v in full.items() if n in COLUMNS and (v is None or (_is_many(v) and len(v) != count))]
    if odd:
        raise BadDataError(
            f"columns that are missing, unknown or not of {count} rows ({', '.join(odd)})",
            accepts=", ".join(COLUMNS),
            fix="give those columns that have no default, each with one value a row",
        )
    whole = {name: full[name] if _is_many(full[name]) else [full[name]] * count for name in COLUMNS}
    return pd.DataFrame({name: _typed(whole[name], kind) for name, kind in COLUMNS.items()})


def _is_many(value: Any) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__")


def _typed(values: Any, kind: str) -> pd.Series[Any]:
    if kind == "list<float32>":
        return pd.Series([np.asarray(v, np.float32) for v in values], dtype=object)
    return pd.Series(values, dtype=kind)


def validate_samples(samples: pd.DataFrame, space: ActionSpace) -> None:
    """Check that a table can be trained on.

    Args:
        samples: A table with `COLUMNS`.
        space: The table's action space; gives the width of `keys`.

    Raises:
        BadDataError: A column is missing, unknown or of another type, or rows say what cannot be; the message
            counts them and names the first (row numbers from 0, by position).
    """
    if list(samples.columns) != list(COLUMNS):
        raise BadDataError(
            f"a table of samples with the columns {', '.join(map(str, samples.columns))}",
            accepts=", ".join(COLUMNS),
            fix="make it with samples_frame",
        )
    for name, kind in COLUMNS.items():
        found = str(samples[name].dtype)
        if found not in ({"str", "string", "object"} if kind in {"str", "list<float32>"} else {kind}):
            raise BadDataError(f"column {name} of type {found}", accepts=kind, fix="make it with samples_frame")
    text = {name: samples[name].to_numpy(object) for name, kind in COLUMNS.items() if kind == "str"}
    for name, values in text.items():
        _refuse([not isinstance(value, str) for value in values], values, name, "a text")
    for name in ("sample_id", "session", "action_session", "control"):
        _refuse(text[name] == "", text[name], name, "a text that is not empty")
    _refuse(samples["sample_id"].duplicated().to_numpy(), text["sample_id"], "sample_id", "an id that stands once")
    _refuse(~np.isin(text["kind"], list(SampleKind)), text["kind"], "kind", "one of " + ", ".join(SampleKind))
    for name, low in {"segment": 0, "frame_index": 0, "length": 1}.items():
        values = samples[name].to_numpy()
        _refuse(values < low, values, name, f"{low} or more")
    label, weight, hold = (samples[name].to_numpy(float) for name in ("label", "weight", "hold_s"))
    _refuse(~((label >= 0) & (label <= 1)), label, "label", "a number from 0 to 1")
    _refuse(~((weight >= 0) & np.isfinite(weight)), weight, "weight", "a finite number from 0 on")
    _refuse((hold < 0) | np.isinf(hold), hold, "hold_s", "seconds from 0 on, or NaN for an open hold")
    positive = text["kind"] == SampleKind.POSITIVE
    _refuse(positive & (label == 0), label, "label of a positive", "a number above 0")
    _refuse(~positive & (text["reason"] == ""), text["kind"], "no reason for kind", "why it is no positive")
    keys = samples["keys"].to_numpy(object)
    _refuse(
        [not _is_vector(row, len(space)) for row in keys],
        keys,
        "keys",
        f"{len(space)} finite numbers, one a slot of {space!r}",
    )
    _refuse(
        [not _is_json(value) for value in text["transform"]],
        text["transform"],
        "transform",
        "JSON, or nothing",
    )
    _check_splits(samples, text)


def _check_splits(samples: pd.DataFrame, text: Mapping[str, npt.NDArray[Any]]) -> None:
    first = samples.groupby("group")["split"].transform("first").to_numpy(object)
    grouped = text["group"] != ""
    _refuse(grouped & (text["split"] != first), text["split"], "split", "the split of the other rows of its group")
    parents = samples.set_index("sample_id")[["group", "split"]].reindex(text["parent"])
    known = samples["parent"].isin(samples["sample_id"]).to_numpy()
    for name in ("group", "split"):
        other = known & (parents[name].to_numpy(object) != text[name])
        _refuse(other, text[name], name, "the one of its parent")


def inherit(samples: pd.DataFrame) -> pd.DataFrame:
    """Give every child the group and split of the row that it descends from in the end.

    Args:
        samples: A table with `COLUMNS`. A parent that is not in it ends the line.

    Returns:
        A copy; `group` and `split` are those of the first ancestor in the table.

    Raises:
        BadDataError: A row descends from itself.
    """
    up = roots(samples)
    first = samples.iloc[up]
    return samples.assign(group=first["group"].to_numpy(object), split=first["split"].to_numpy(object)).astype(
        {"group": "str", "split": "str"}
    )


def roots(samples: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number the row that each row descends from in the end: its own where it was made from none in the table.

    Args:
        samples: A table with `COLUMNS`. A parent that is not in it ends the line.

    Returns:
        (N,) int64 positions.

    Raises:
        BadDataError: A row descends from itself.
    """
    place = {name: row for row, name in enumerate(samples["sample_id"])}
    up = np.array([place.get(name, row) for row, name in enumerate(samples["parent"])], np.int64)
    for _ in range(len(up).bit_length()):  # each turn doubles the distance looked up
        up = up[up]
    rooted = np.array([name not in place for name in samples["parent"]], bool)
    _refuse(~rooted[up], samples["sample_id"].to_numpy(object), "sample_id", "parents that lead to a beginning")
    return up


def _is_vector(value: Any, width: int) -> bool:
    try:
        return np.shape(value) == (width,) and bool(np.isfinite(np.asarray(value, float)).all())
    except (TypeError, ValueError):
        return False


def _is_json(value: str) -> bool:
    try:
        return value == "" or json.loads(value) is not None
    except ValueError:
        return False


def _refuse(wrong: npt.ArrayLike, values: npt.NDArray[Any], name: str, accepts: str) -> None:
    rows = np.flatnonzero(np.asarray(wrong, bool))
    if len(rows):
        more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        first = values[rows[0]]
        raise BadDataError(
            f"row {rows[0]}: {name} {first.item() if isinstance(first, np.generic) else first!r}{more}",
            accepts=accepts,
            fix="correct or leave out those rows where they are made",
        )
