"""Lines of a set's JSONL as rows, whatever the lines hold.

| a row | known by | becomes |
| --- | --- | --- |
| of a frame | `visual_frame_path`, or `event` `periodic_update_10hz` | a frame with its keys and telemetry |
| of the game | any other row that is no `player_action` | telemetry that belongs to no frame |
| of an action | `type` `player_action` | telemetry whose `event` is the action, and inputs where rows cannot say them |

`timestamp` is an ISO text in the first two and a number of ms since the start in the last. Lines that are cut, no JSON
object, too long or too deep are counted and left out; NaN and Infinity are no values.

Source: gudlaa/ReActure game.js at d04b59d, logRobotState and logPlayerAction.

Example:
    >>> import io
    >>> notes = Notes("reacture_1")
    >>> text = b'{"type":"player_action","timestamp":120,"action":"jump"}' + bytes([10]) + b'{"timestamp_ms": 2'
    >>> [(row.action, row.t_ms) for row in read_rows(io.BytesIO(text), notes)], notes.problems()[0].kind
    ([('jump', 120.0)], 'cut_line')
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final

from rushes.errors import BadDataError
from rushes.formats.reacture.fields import flat, plain
from rushes.formats.reacture.names import PERIODIC, SPLIT, number_in
from rushes.formats.reacture.remarks import Notes

KEYS: Final = ("W", "A", "S", "D", "Space", "E", "R", "inspect", "destroy", "mouse_dx", "mouse_dy")
"""Columns of `key_presses`, the motion behind the rest."""
_MOTION: Final = 2
_MOST_LINE: Final = 1 << 20
"""Bytes; a row of the game has about 2,000."""
MOST_LINES: Final = 10_000_000
"""Empty ones too: nearly three hours of a mouse that tells 1,000 moves a second. More would fill the memory."""
_MOST_MS: Final = 1e12
_MOST_PX: Final = 1e6
"""What a mouse may move in one row; float32 still tells whole px."""
_UNIX_MS: Final = 1e11
"""From here on a number of ms is Unix time: 1973; a game does not last three years."""


class TooManyLinesError(BadDataError):
    """A file of more lines than the memory is meant for."""


@dataclass(frozen=True)
class Row:
    """A line that could be read.

    Attributes:
        line: Its number, from 1.
        t_ms: ms since the game's start, or None.
        of_frame: Whether it belongs to a picture.
        number: Number of that picture, or None.
        action: What the player did, for a row of an action; else empty.
        keys: (11,) values in the order of `KEYS`; None where the row does not say them.
        fields: Columns of telemetry, `event` first.
        own: What this program wrote of the row beside the game's keys.
        given: The input event that this program wrote; None for all other rows.
        games_path: Whether it names its picture as the game alone does.
    """

    line: int
    t_ms: float | None
    of_frame: bool
    number: int | None
    action: str
    keys: tuple[float, ...] | None
    fields: Mapping[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] | None = None
    games_path: bool = False


def read_rows(stream: IO[bytes], notes: Notes, damaged: Counter[str] | None = None) -> Iterator[Row]:
    """Read rows, one line at a time.

    Args:
        stream: The file.
        notes: Where to say what was wrong.
        damaged: Counts lines that are no rows, by their reasons.

    Raises:
        TooManyLinesError: There are more than `MOST_LINES`.
    """
    lost = Counter[str]() if damaged is None else damaged
    wall = None
    for number, line, ended in _each_line(stream):
        if line is not None and not line.strip():
            continue
        found = None if line is None else _object(line)
        if found is None:
            kind = "damaged_line" if ended else "cut_line"
            lost[kind] += 1
            notes.add(kind, 1, f"line {number}")
            continue
        row, bad = _row(found, number, wall)
        notes.add("bad_value", bad, f"line {number}")
        if wall is None and row.t_ms is not None and (iso := _iso_ms(found.get("timestamp"))) is not None:
            wall = iso - row.t_ms
        yield row


def _each_line(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None, bool]]:
    """Read lines, of which none is longer than a row can be.

    Args:
        stream: The file.

    Yields:
        Its number from 1, the line, or None for one that is too long, and whether it is ended.

    Raises:
        TooManyLinesError: There are more than `MOST_LINES`.
    """
    number = 0
    while line := stream.readline(_MOST_LINE + 1):
        number += 1
        if number > MOST_LINES:
            raise TooManyLinesError(
                f"more than {MOST_LINES:,} lines",
                accepts="a row a line, and no more of them than that",
                fix="split the play into several sets; a few bytes of an archive can become any number of lines",
            )
        ended, short = line.endswith(b"\n"), len(line) <= _MOST_LINE
        while not short and not ended and (rest := stream.readline(_MOST_LINE)):
            ended = rest.endswith(b"\n")
        yield number, line if short else None, ended


def _object(line: bytes) -> dict[str, Any] | None:
    """Read a line as a JSON object; None where it is none. NaN and Infinity become None."""
    try:
        found = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _row(found: dict[str, Any], line: int, wall: float | None) -> tuple[Row, int]:
    is_action = found.get("type") == "player_action"
    event = found.get("event")
    path = found.get("visual_frame_path")
    number = number_in(path)
    of_frame = not is_action and (number is not None or event == PERIODIC)
    fields, bad = flat(found)
    said = found.get("action") if is_action else event
    told = {"event": said[:100] if isinstance(said, str) else ""}
    keys = None if is_action else _keys(found.get("key_presses"))
    own, given = found.get("rushes"), found.get("input")
    row = Row(
        line,
        _time(found, wall),
        of_frame,
        number if of_frame else None,
        told["event"] if is_action else "",
        keys,
        {**told, **fields},
        own if isinstance(own, dict) else {},
        given if isinstance(given, dict) and is_action else None,
        isinstance(path, str) and SPLIT.fullmatch(path) is not None,
    )
    return row, bad


def _time(found: Mapping[str, Any], wall: float | None) -> float | None:
    """Give ms since the start; a row's number, its seconds, or its date, whichever it has."""
    seconds = _number(found.get("time_elapsed_s"))
    stamp = _number(found.get("timestamp"))
    iso = _iso_ms(found.get("timestamp"))
    for t_ms in (
        _number(found.get("timestamp_ms")),
        None if seconds is None else seconds * 1000,
        stamp if stamp is None or stamp < _UNIX_MS else None if wall is None else stamp - wall,
        None if iso is None or wall is None else iso - wall,
    ):
        if t_ms is not None and abs(t_ms) < _MOST_MS:
            return t_ms
    return None


def _number(value: Any) -> float | None:
    kept = plain(value)
    return float(kept) if isinstance(kept, int | float) and not isinstance(kept, bool) else None


def _iso_ms(value: Any) -> float | None:
    """Read a date as Unix ms."""
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004 - longer than any date
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.timestamp() * 1000 if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _keys(value: Any) -> tuple[float, ...] | None:
    """Read which keys are down; None where a row does not say it. A motion that no hand could make is none."""
    if not isinstance(value, dict):
        return None
    held = [value.get(name) for name in KEYS[:-_MOTION]]
    moved = [_number(value.get(name)) for name in KEYS[-_MOTION:]]
    if not any(isinstance(one, bool) for one in held):
        return None
    return (*(float(one is True) for one in held), *(m if m is not None and abs(m) < _MOST_PX else 0.0 for m in moved))
