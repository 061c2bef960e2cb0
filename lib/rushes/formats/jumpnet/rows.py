"""Rows of JumpNet's files: six values each, taken apart whatever NumPy made of them.

The recorder and the scripts save `np.array(rows, dtype=object)`: mostly (N, 6), an array of sequences where rows differ
in length, and a list in an array without dimensions where somebody wrapped it. A row that is none is left out and
counted under its reason. `keys` name the columns of the key vectors: an array of any shape, or nothing.

| raw row | processed row |
| --- | --- |
| picture | picture |
| seconds since the last release | label: 1 jump, 0 none |
| keys that are down after the event | keys that are down |
| hold of each key in seconds | hold of each key in seconds, NaN where it was left open |
| `press` or `release` | `press` |
| number of video frames written so far | the same |

Example:
    >>> picture, vector = np.zeros((4, 4, 3), np.float32), np.ones(1, np.float32)
    >>> found = read_rows(Objects((2,), [(picture, 1.0, vector, vector, "press", 7), (picture, 1.0)]))
    >>> found.rows[0].frame, found.malformed
    (7, {'wrong_length': 1})
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.jumpnet.arrays import is_picture, read_array
from rushes.formats.jumpnet.members import Members
from rushes.formats.jumpnet.values import Enough, Objects, Stored
from rushes.model.findings import Problem

Floats = npt.NDArray[np.float64]

DATA: Final = "data"
KEYS: Final = "keys"
RAW_FORMAT: Final = "jumpnet_raw"
PROCESSED_FORMAT: Final = "jumpnet"
PRESS: Final = "press"
RELEASE: Final = "release"
VALUES: Final = 6
_A_LOOK: Final = 1000
"""Objects that are looked at to tell raw rows from processed ones."""
_MOST_WRAPPED: Final = 4
_MOST_ROWS: Final = 1 << 19
"""324 GB of the reference's pictures; a file of 8 KB can name one row 4 million times."""
_MOST_IN_ROW: Final = 1 << 14
"""Numbers and lists in one value of a row that is no array."""
_LATEST: Final = 1 << 31


class Row(NamedTuple):
    """One row.

    Attributes:
        number: Its place in the file, from 0.
        picture: Where its picture lies, or a small one itself.
        value: Label, or seconds since the last release; NaN where the file has NaN.
        keys: (K,) keys that are down.
        holds: (K,) seconds; NaN where the file has NaN.
        phase: `press` or `release`.
        frame: Number of video frames written so far.
    """

    number: int
    picture: Stored | npt.NDArray[Any]
    value: float
    keys: Floats
    holds: Floats
    phase: str
    frame: int


@dataclass(frozen=True)
class Rows:
    """The rows of a file.

    Attributes:
        rows: Those that make sense.
        offered: How many there are.
        malformed: Reason -> how many are left out.
        first: Reason -> number of the first such row.
    """

    rows: Sequence[Row]
    offered: int
    malformed: Mapping[str, int]
    first: Mapping[str, int]

    def problems(self, where: str) -> list[Problem]:
        """Tell what is left out."""
        return [
            Problem(reason, f"{where}, row {self.first[reason]}", count, f"rows that are left out: {_WHY[reason]}")
            for reason, count in self.malformed.items()
        ]


_WHY: Final = {
    "wrong_length": "a row has six values",
    "no_picture": "the first value is no picture of (H, W, 3) numbers",
    "no_number": "the second value is no number",
    "no_vectors": "keys and holds are no vectors of one length",
    "no_phase": "the phase is neither press nor release",
    "no_frame": "the frame index is no whole number from 0 on",
}


def read_rows(data: Objects, where: str = DATA) -> Rows:
    """Take rows apart.

    Args:
        data: What `data` holds.
        where: File and key, for the message.

    Returns:
        Those that make sense, and an account of the others.

    Raises:
        BadDataError: More rows than any file has.
    """
    rows: list[Row] = []
    malformed: Counter[str] = Counter()
    first: dict[str, int] = {}
    offered = 0
    for number, values in enumerate(_each(data)):
        offered += 1
        if offered > _MOST_ROWS:
            raise BadDataError(
                f"{where}: more than {_MOST_ROWS:,} rows", accepts="at most so many", fix="split the file"
            )
        found = _row(number, values)
        if isinstance(found, Row):
            rows.append(found)
        else:
            malformed[found] += 1
            first.setdefault(found, number)
    return Rows(rows, offered, dict(malformed), first)


def _each(data: Any) -> Iterator[Sequence[Any]]:
    """Go through the rows, each as a sequence of values."""
    for _ in range(_MOST_WRAPPED):
        if isinstance(data, Objects) and math.prod(data.shape) == 1 and len(data.shape) <= 1:
            inner = data.items[0]
            values = inner.items if isinstance(inner, Objects) else inner
            if not isinstance(values, list) or (values and is_picture(values[0]) and not _is_table(inner)):
                break  # a row, or nothing
            data = inner  # the list that somebody wrapped
    if _is_table(data):
        width = data.shape[1]
        rows = data.shape[0] if width else 0  # (10**15, 0) needs no object
        yield from (data.items[k * width : (k + 1) * width] for k in range(rows))
        return
    for one in data.items if isinstance(data, Objects) else data:
        row = one.items if isinstance(one, Objects) else one
        yield row if isinstance(row, list | tuple) else ()


def _is_table(data: Any) -> bool:
    return isinstance(data, Objects) and len(data.shape) == 2  # noqa: PLR2004 - rows and their values


def _row(number: int, values: Sequence[Any]) -> Row | str:  # noqa: PLR0911 - a reason for each
    if len(values) != VALUES:
        return "wrong_length"
    picture, value, keys, holds, phase, frame = values
    if not is_picture(picture):
        return "no_picture"
    one, down, held = _vector(value), _vector(keys), _vector(holds)
    if one is None or one.size != 1:
        return "no_number"
    if down is None or held is None or down.size != held.size or not down.size:
        return "no_vectors"
    said = phase.decode("utf-8", "replace") if isinstance(phase, bytes) else phase
    word = str(said).strip().lower() if isinstance(said, str | np.str_) else ""
    if word not in {PRESS, RELEASE}:
        return "no_phase"
    place = _vector(frame)
    if place is None or place.size != 1 or not 0 <= place[0] <= _LATEST or place[0] % 1:
        return "no_frame"
    return Row(number, picture, float(one[0]), down, held, word, int(place[0]))


def _vector(value: Any) -> Floats | None:
    """Read numbers, however they are wrapped; a list that unfolds without end is left folded."""
    if isinstance(value, list | tuple | Objects):
        flat = _unfolded(value)
        if flat is None:
            return None
        value = flat
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return found.reshape(-1)


def _unfolded(value: Any) -> list[Any] | None:
    """Take what is wrapped in lists one by one; None where there is more than a row ever has."""
    left: list[Any] = [value]
    flat: list[Any] = []
    for _ in range(_MOST_IN_ROW):
        if not left:
            return flat
        one = left.pop()
        if isinstance(one, Objects):
            one = one.items
        if isinstance(one, np.ndarray):
            one = one.reshape(-1).tolist()
        if not isinstance(one, list | tuple):
            flat.append(one)
        elif len(one) + len(left) > _MOST_IN_ROW:
            return None
        else:
            left += reversed(one)
    return None


def refuse_missing(members: Members) -> BadDataError:
    """Make the error for a file without rows."""
    there = ", ".join(members) or "nothing"
    return BadDataError(
        f"{members.path}: an NPZ file without the key 'data' (KeyError: 'data'), it holds {there}",
        accepts="data: rows (image, label, keys_raw, hold_duration, phase, frame_index), and keys",
        fix="check the step that wrote it: np.savez(path, data=rows, keys=keys)",
    )


def load_rows(members: Members) -> Rows:
    """Read all rows of a file.

    Raises:
        BadDataError: No `data`, or nothing in it is a row; the message says what was found instead.
    """
    if DATA not in members:
        raise refuse_missing(members)
    data = read_array(members, DATA)
    if not isinstance(data, Objects):
        raise BadDataError(
            f"{members.path}, key 'data': numbers of the shape {data.shape}, no rows",
            accepts="an object array of rows of six values",
            fix="save it with np.array(rows, dtype=object); where it is 'object too deep', wrap it so",
        )
    found = read_rows(data, f"{members.path}, key '{DATA}'")
    if not found.rows:
        why = ", ".join(f"{count} {reason}" for reason, count in found.malformed.items()) or "it is empty"
        raise BadDataError(
            f"{members.path}, key 'data': {found.offered} rows, none of which can be used ({why})",
            accepts="rows (image, label or interval, keys, holds, phase, frame_index)",
            fix="look at the step that wrote it: `rushes info` on the file before it",
        )
    return found


def load_keys(members: Members) -> tuple[str, ...] | None:
    """Read the names of the columns: texts in an array of any shape; None where the file has none.

    Raises:
        BadDataError: They are no texts.
    """
    if KEYS not in members:
        return None
    keys = read_array(members, KEYS)
    items = keys.items if isinstance(keys, Objects) else keys.reshape(-1).tolist()
    flat = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in items]
    if not all(isinstance(one, str) for one in flat):
        odd = next(type(one).__name__ for one in flat if not isinstance(one, str))
        raise BadDataError(
            f"{members.path}, key 'keys': a {odd} among the names of keys",
            accepts="texts, such as w",
            fix="save keys=np.array(['w'])",
        )
    return tuple(str(one) for one in flat)


def tell(members: Members) -> tuple[str, ...]:
    """Tell the recorder's rows from processed ones by a look at the first.

    Releases are the recorder's alone. In its presses a key is always down and no hold is known; without a release
    before them their interval is 0. Negatives in the middle of a hold look alike: then both names are given.

    Returns:
        `jumpnet_raw`, `jumpnet`, or both, the likelier first.

    Raises:
        BadDataError: The file is damaged or hostile.
    """
    try:
        data = read_array(members, DATA, most=_A_LOOK)
    except Enough as enough:
        found = enough.items
        whole = len(found) // VALUES
        flat = isinstance(found[0], Stored | np.ndarray)
        data = Objects((whole, VALUES), found[: whole * VALUES]) if flat else Objects((len(found),), found)
    rows = read_rows(data).rows if isinstance(data, Objects) else ()
    if any(row.phase == RELEASE for row in rows):
        return (RAW_FORMAT,)
    if not rows or any((row.holds > 0).any() or not (row.keys > 0).any() for row in rows):
        return (PROCESSED_FORMAT,)
    if all(row.value in {0.0, 1.0} for row in rows) and any(row.value == 1 for row in rows):
        return (PROCESSED_FORMAT,)
    return RAW_FORMAT, PROCESSED_FORMAT
