"""What a game told of itself as records: a row of telemetry a record, each field a column of its own type.

A column of numbers is float64, or int64 where all are whole; of booleans bool; of texts UTF-8 of fixed length. Where a
field has several types, numbers win over booleans and texts over all. The last column, `known`, says for each field
whether the row has it: what it has not is 0, nan, false or empty. `frame_index` is -1 in a row that is no frame's.

Example:
    >>> fields = {"battery": [99.5, None], "zone": ["safe", "red"]}
    >>> table = pd.DataFrame({"t_ns": [0, 7], "segment": [0, 0], "frame_index": [0, None], **fields})
    >>> told = Told()
    >>> told.see(table)
    >>> rows = to_records(table, told.dtype())
    >>> rows["battery"].tolist(), rows["zone"].tolist(), rows["known"].tolist()
    ([99.5, nan], [b'safe', b'red'], [[True, True], [False, True]])
    >>> telemetry_of(rows)["battery"].tolist()
    [99.5, nan]
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.formats.training.tables import Records, text_bytes

OWN: Final = ("t_ns", "segment", "frame_index")
KNOWN: Final = "known"
_NO_FRAME: Final = -1
_NUMBERS: Final = "biuf"
_EMPTY: Final[dict[str, Any]] = {"?": False, "<i8": 0, "<f8": np.nan}


class Told:
    """The columns that the telemetry of several recordings needs.

    Attributes:
        rows: How many rows were seen.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._kinds: dict[str, set[str]] = {}
        self._bytes: dict[str, int] = {}

    def see(self, table: pd.DataFrame) -> None:
        """Look at rows, as `Recording.telemetry` gives them."""
        self.rows += len(table)
        for name in table.columns:
            if name in OWN:
                continue
            values = table[name][table[name].notna()]
            kinds = self._kinds.setdefault(name, set())
            kinds.update(map(_kind, values[:1] if values.dtype.kind in _NUMBERS else values))
            if "S" in kinds:
                self._bytes[name] = max(self._bytes.get(name, 1), text_bytes(map(str, values.unique())))

    def dtype(self) -> np.dtype[np.void]:
        """Make the type of a row."""
        fields = [(name, self._column(name)) for name in self._kinds]
        taken = {*OWN, *self._kinds}
        known = next(name for name in (KNOWN + "_" * k for k in range(len(taken) + 1)) if name not in taken)
        return np.dtype([*((name, "<i8") for name in OWN), *fields, (known, "?", (len(fields),))])

    def _column(self, name: str) -> str:
        kinds = self._kinds[name]
        if "S" in kinds:
            return f"S{self._bytes[name]}"
        return "<f8" if "f" in kinds or not kinds else "<i8" if "i" in kinds else "?"


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "b"
    if isinstance(value, int | np.integer):
        return "i"
    return "f" if isinstance(value, float | np.floating) else "S"


def to_records(table: pd.DataFrame, dtype: np.dtype[np.void], *, moved: int = 0) -> Records:
    """Put rows of telemetry into records.

    Args:
        table: As `Recording.telemetry` gives them.
        dtype: See `Told.dtype`.
        moved: Added to each frame_index.
    """
    made = np.zeros(len(table), dtype)
    *names, mask = dtype.names or ()
    for name in OWN[:2]:
        made[name] = table[name].to_numpy(np.int64)
    frames = pd.to_numeric(table["frame_index"])
    made["frame_index"] = np.where(frames.notna(), frames.fillna(0).to_numpy(np.int64) + moved, _NO_FRAME)
    for place, name in enumerate(names[len(OWN) :]):
        there = table[name].notna().to_numpy() if name in table else np.zeros(len(table), bool)
        made[mask][:, place] = there
        form = dtype[name]
        if form.kind != "S":
            made[name] = _EMPTY[form.str.replace("|b1", "?")]
        if there.any():
            values = table[name][there]
            made[name][there] = [str(one).encode() for one in values] if form.kind == "S" else values.astype(form)
    return made


def telemetry_of(records: Records) -> pd.DataFrame:
    """Give rows of telemetry back as `Recording.telemetry` does; what a row has not is missing."""
    *names, mask = records.dtype.names or ()
    frames = pd.array(records["frame_index"].tolist(), dtype="Int64")
    frames[records["frame_index"] == _NO_FRAME] = pd.NA
    columns: dict[str, Any] = {name: records[name] for name in OWN[:2]} | {"frame_index": frames}
    for place, name in enumerate(names[len(OWN) :]):
        columns[name] = _column(records[name], records[mask][:, place])
    return pd.DataFrame(columns)


def _column(values: npt.NDArray[Any], there: npt.NDArray[np.bool_]) -> Any:
    if values.dtype.kind == "S":
        return [one.decode() if known else None for one, known in zip(values.tolist(), there.tolist(), strict=True)]
    if there.all():
        return values
    if values.dtype.kind == "b":
        return [bool(one) if known else None for one, known in zip(values, there.tolist(), strict=True)]
    return np.where(there, values, np.nan)
