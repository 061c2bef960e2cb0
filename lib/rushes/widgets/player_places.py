"""Where to go: the next event, finding, segment or mark, and the frame of a second source that belongs to this one.

Example:
    >>> after([3, 9, 12], 9, 1), after([3, 9, 12], 9, -1), after([3, 9, 12], 12, 1)
    (12, 3, None)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_source import Shown

KINDS: Final = ("event", "finding", "segment", "mark")
_WAYS: Final = (1, -1)


class Place(NamedTuple):
    """A frame, and why it is one to look at.

    Attributes:
        frame: Of the player; None where there is none that way.
        why: For a person.
    """

    frame: int | None
    why: str


def after(frames: Sequence[int], frame: int, direction: int) -> int | None:
    """Give the nearest of rising frames behind a frame, or before it; None where there is none."""
    at = bisect_right(frames, frame) if direction > 0 else bisect_left(frames, frame) - 1
    return frames[at] if 0 <= at < len(frames) else None


def next_place(
    kind: str,
    frame: int,
    direction: int,
    *,
    rows: Rows,
    about: Mapping[str, Any],
    marks: Sequence[Mapping[str, Any]],
    delay_ms: float = 0.0,
) -> Place:
    """Find the next thing of a kind.

    Args:
        kind: One of `KINDS`.
        frame: From where.
        direction: 1 or -1.
        rows: What was done.
        about: As the page has it.
        marks: As the page has them.
        delay_ms: Moves inputs later by ms.

    Raises:
        BadInputError: Another kind, or another way.
    """
    if kind not in KINDS or direction not in _WAYS:
        raise BadInputError(
            f"the next {kind!r} in direction {direction}", accepts=f"{', '.join(KINDS)}; 1 or -1", fix="name one"
        )
    if kind == "event":
        found = after(event_frames(rows, delay_ms), frame, direction)
        why = "" if found is None else event_words(rows, found, delay_ms)
    else:
        told = _told(kind, about, marks)
        found = after(sorted(told), frame, direction)
        why = "" if found is None else told[found]
    return Place(found, why or f"no {kind} {'after' if direction > 0 else 'before'} this frame")


def _told(kind: str, about: Mapping[str, Any], marks: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Give frame -> what is there; several at one frame are told together."""
    pairs: list[tuple[int, str]] = []
    if kind == "finding":
        pairs = [(f["frame"], f"{f['severity']}: {f['sentence']}") for f in about["findings"] if f["frame"] is not None]
    elif kind == "mark":
        pairs = [(mark["start"], mark["text"]) for mark in marks]
    else:
        total = len(about["segments"])
        pairs = [(s["start"], f"segment {k} of {total}") for k, s in enumerate(about["segments"], 1)]
    told: dict[int, str] = {}
    for frame, text in pairs:
        told[frame] = f"{told[frame]}; {text}" if frame in told else text
    return told


def event_frames(rows: Rows, delay_ms: float) -> list[int]:
    """Give the frames on which something was pressed or gained, rising; of labelled samples the positives."""
    shown = rows.shown
    if shown.samples is not None:
        return np.flatnonzero(shown.samples.rows["label"].to_numpy(float) > 0).tolist()
    inputs, steps = rows.inputs_at(delay_ms), rows.steps
    parts = [_frames(shown, times) for times in inputs.presses.values()]
    if shown.recording.is_environment:
        held = steps.holds(shown.t_ns, shown.ends_ns, rows.steps_moved(delay_ms))
        parts += [_frames(shown, holds[:, 0]) for holds in held.values()] if not inputs.presses else []
        has = np.flatnonzero(steps.row >= 0)
        parts.append(has[steps.reward[steps.row[has]] != 0])
    found: list[int] = np.unique(np.concatenate(parts)).tolist() if parts else []
    return found


def _frames(shown: Shown, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the frames that times fall on; what lies between stretches falls on none."""
    frame = np.searchsorted(shown.t_ns, times, side="right") - 1
    inside = (frame >= 0) & (times < shown.ends_ns[np.maximum(frame, 0)])
    return frame[inside]


def event_words(rows: Rows, frame: int, delay_ms: float) -> str:
    """Say what happened on a frame."""
    (row,) = rows.json(frame, frame + 1, delay_ms)
    if rows.shown.samples is not None:
        return str(row["note"])
    said = [f"{', '.join(row['pressed'])} pressed"] if row["pressed"] else []
    if not said and row["action"]:
        said.append(str(row["action"]))
    if row["reward"]:
        said.append(f"reward {row['reward']:+g}")
    return ", ".join(said)


def match(first: Shown, frame: int, second: Shown) -> int:
    """Give the frame of a second source that belongs to a frame of the first.

    By frame_index where both are of one session, or are as long as each other; else by time, since the session's start
    where both are of one session, and since their own starts where they are not. Of a table it is the nearest row.

    Args:
        first: One source.
        frame: Of it.
        second: The other one.

    Raises:
        BadInputError: No such frame, or no row of a table belongs to its recording.
        MissingError: The recording of a sample is not there.
    """
    recording, number = first.place(frame)
    if second.samples is not None:
        return _nearest_row(first, frame, second)
    same = recording.whole.info.id == second.recording.whole.info.id
    if _has_the_same_numbers(recording, second.recording):
        return second.frame_of(number)
    if len(first) == len(second):
        return frame
    at, start_ns = _time(first, frame)
    other_ns = _start_ns(second.recording, second.t_ns)
    return second.at(at if same else at - start_ns + other_ns)


def check_beside(first: Shown, second: Shown) -> None:
    """Refuse a table of which no row belongs to the recording that is shown.

    Args:
        first: One source; each row of a table is matched by itself, and what has no partner is said then.
        second: The one that is to stand beside it.

    Raises:
        BadInputError: Nothing in the second belongs to the first.
    """
    if first.samples is None and second.samples is not None:
        _rows_of(first.recording, second)


def _nearest_row(first: Shown, frame: int, second: Shown) -> int:
    """Give the row of a table that is nearest to a frame, by its number where both count the same frames."""
    recording, number = first.place(frame)
    rows = _rows_of(recording, second)
    other = second.recordings[int(second.source[rows[0]])]
    if _has_the_same_numbers(recording, other):
        far = np.abs(second.frame_index[rows] - number)
    else:
        times = np.asarray(other.index()["t_ns"])
        at, start_ns = _time(first, frame)
        same = recording.whole.info.id == other.whole.info.id
        wanted = at if same else at - start_ns + _start_ns(other, times)
        far = np.abs(times[second.frame_index[rows]] - wanted)
    return int(rows[np.argmin(far)])


def _rows_of(recording: Recording, table: Shown) -> npt.NDArray[np.int64]:
    """Give the rows of a table that can belong to a recording: those of its id, or all where they are of one other."""
    ids = [one.whole.info.id for one in table.recordings]
    own = recording.whole.info.id
    chosen = ids.index(own) if own in ids else 0 if len(ids) == 1 else -1
    rows = np.flatnonzero((table.source == chosen) & (table.frame_index >= 0)) if chosen >= 0 else np.zeros(0, np.int64)
    if not len(rows):
        raise BadInputError(
            f"{table.name} beside {own}, of which none is of that recording",
            accepts=f"samples of {own}, or of one recording alone",
            fix="show the table by itself, or beside a session that it names",
        )
    return rows


def _time(shown: Shown, frame: int) -> tuple[int, int]:
    """Give the time of a frame in its recording, and where that recording starts."""
    recording, number = shown.place(frame)
    if shown.samples is None:
        return int(shown.t_ns[frame]), _start_ns(recording, shown.t_ns)
    times = np.asarray(recording.index()["t_ns"])
    return int(times[number]), _start_ns(recording, times)


def _start_ns(recording: Recording, times: npt.NDArray[np.int64]) -> int:
    """Give the time at which a recording starts: of its first frame, unless pictures stand at certain moments only."""
    return 0 if recording.kept_at_moments else int(times[0])


def is_by_number(first: Shown, second: Shown) -> bool:
    """Say whether two sources belong together frame by frame, so that they stay together while they play."""
    if first.samples is not None or second.samples is not None:
        return False
    return len(first) == len(second) or _has_the_same_numbers(first.recording, second.recording)


def _has_the_same_numbers(first: Recording, second: Recording) -> bool:
    one, other = first.whole, second.whole
    return one.info.id == other.info.id and one.frame_count == other.frame_count
