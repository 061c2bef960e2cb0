"""The small tables of a training file as arrays of records: frames, steps, events, and a row a session.

Texts are UTF-8 of fixed length, so any reader takes them without running anything.

Example:
    >>> from rushes.model.events import events_frame
    >>> from rushes.model.readings import Event
    >>> told = events_frame([Event(7, "keyboard", "KeyW", "press")])
    >>> table = to_records(told.assign(segment=0), event_dtype([told]))
    >>> table["control"].tolist(), events_of(table)["control"].tolist()
    ([b'KeyW'], ['KeyW'])
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.events import COLUMNS
from rushes.model.recording import EVENT_COLUMNS, INDEX_COLUMNS, STEP_COLUMNS

Records = npt.NDArray[np.void]

FRAMES: Final = np.dtype(
    [
        *((name, "<i8") for name in ("frame_index", "at", "tick", "t_ns", "segment", "dropped_before")),
        ("duplicate", "?"),
        ("late", "?"),
    ]
)
"""A row a frame; `at` is its place among the session's pictures: those with an action first, then the others."""
_TEXTS: Final = ("device", "control", "kind", "flag")
_SHORTEST: Final = 8


def text_bytes(values: Iterable[str]) -> int:
    """Give the bytes that the longest of some texts takes, at least a few."""
    return max((len(str(value).encode()) for value in set(values)), default=0) or _SHORTEST


def event_dtype(tables: Iterable[pd.DataFrame]) -> np.dtype[np.void]:
    """Make the type of a row of events that all these tables fit into."""
    longest = dict.fromkeys(_TEXTS, _SHORTEST)
    for table in tables:
        for name in _TEXTS:
            longest[name] = max(longest[name], text_bytes(table[name].unique()))
    fields = [(n, f"S{longest[n]}" if n in _TEXTS else "<i8" if n == "t_ns" else "<f8") for n in EVENT_COLUMNS]
    return np.dtype([fields[0], ("segment", "<i8"), *fields[1:]])


def step_dtype(names: Iterable[str], numbers: int) -> np.dtype[np.void]:
    """Make the type of a row of steps.

    Args:
        names: All that actions are called.
        numbers: Of how many an action consists; 0 where it is one of several.
    """
    kinds: dict[str, Any] = dict.fromkeys(STEP_COLUMNS, "<i8") | dict.fromkeys(
        ("terminated", "truncated", "random_action", "is_human"), "?"
    )
    kinds |= {"reward": "<f8", "action_name": f"S{text_bytes(names)}"}
    fields: list[Any] = [
        (name, "<f8", (numbers,)) if name == "action" and numbers else (name, kinds[name]) for name in STEP_COLUMNS
    ]
    return np.dtype(fields)


def to_records(table: pd.DataFrame, dtype: np.dtype[np.void]) -> Records:
    """Put a table into records; a text that is missing becomes an empty one."""
    made = np.zeros(len(table), dtype)
    for name in dtype.names or ():
        column = table[name]
        if dtype[name].kind == "S":
            made[name] = [value.encode() if isinstance(value, str) else b"" for value in column]
        elif dtype[name].shape:
            made[name] = np.stack(column.to_list()) if len(column) else 0
        else:
            made[name] = column.to_numpy()
    return made


def _frame_of(records: Records) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in records.dtype.names or ():
        values = records[name]
        if values.dtype.kind == "S":
            columns[name] = [value.decode() for value in values.tolist()]
        else:
            columns[name] = list(values) if values.ndim > 1 else values
    return pd.DataFrame(columns)


def index_of(records: Records) -> pd.DataFrame:
    """Give the table of a session's frames: columns `INDEX_COLUMNS`."""
    found = _frame_of(records).assign(picture=records["frame_index"])
    return found[list(INDEX_COLUMNS)]


def steps_of(records: Records) -> pd.DataFrame:
    """Give the steps of a session: columns `STEP_COLUMNS`."""
    return _frame_of(records)[list(STEP_COLUMNS)].astype({"action_name": "str"})


def events_of(records: Records) -> pd.DataFrame:
    """Give events: columns `EVENT_COLUMNS`."""
    return _frame_of(records)[list(EVENT_COLUMNS)].astype(dict(COLUMNS))


class Widths:
    """What texts and actions the tables must have room for.

    Attributes:
        numbers: Of how many an action consists; 0 where it is one of several.
    """

    def __init__(self) -> None:
        self.numbers = 0
        self._seen = False
        self._names: set[str] = set()
        self._texts: dict[str, set[str]] = {name: set() for name in ("device", "control", "kind", "flag")}

    def see_steps(self, steps: pd.DataFrame) -> None:
        """Look at the steps of a segment.

        Raises:
            BadInputError: Their actions are of another length than those before.
        """
        self._names |= {name for name in steps["action_name"].unique() if isinstance(name, str)}
        for action in steps["action"].head(1):
            numbers = len(action) if np.ndim(action) else 0
            if self._seen and numbers != self.numbers:
                kinds = [
                    f"of {count} numbers" if count else "that are one of several" for count in (self.numbers, numbers)
                ]
                raise BadInputError(
                    f"actions {kinds[0]} and actions {kinds[1]}",
                    accepts="recordings whose actions are alike",
                    fix="write them into files of their own",
                )
            self.numbers, self._seen = numbers, True

    def see_events(self, events: pd.DataFrame) -> None:
        """Look at the events of a segment."""
        for name, texts in self._texts.items():
            texts.update(events[name].unique())

    def steps(self) -> np.dtype[np.void]:
        """Make the type of a row of steps."""
        return step_dtype(self._names, self.numbers)

    def events(self) -> np.dtype[np.void]:
        """Make the type of a row of events."""
        longest = max(map(len, self._texts.values()))
        columns = {name: [*texts, *[""] * (longest - len(texts))] for name, texts in self._texts.items()}
        return event_dtype([pd.DataFrame(columns)])
