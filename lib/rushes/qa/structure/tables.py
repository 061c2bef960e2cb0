"""Structure of a recording's tables: their columns, the numbers of frames, segments, steps and how they join.

Keys join, positions never: frames are numbered through as the segments say, they lie within their segment, and a step
stands on a frame that there is.

Example:
    >>> import pandas as pd
    >>> said(pd.DataFrame({"tick": [0.5], "late": [True]}), {"tick": "i", "late": "b", "t_ns": "i"})
    ['t_ns is not there', 'tick is float64']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.clock import NS
from rushes.model.events import COLUMNS, EVENT_KINDS
from rushes.model.findings import Finding
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject

Ints = npt.NDArray[np.int64]

RULES: Final = rules_of(
    Rule("structure.schema", "columns that are missing or of another type", severity="error"),
    Rule("structure.frames", "frames that are not numbered as the segments say", limit=0.0, unit="frames",
         severity="error"),
    Rule("structure.time", "times that stand still or run back", limit=0.0, unit="frames", severity="error"),
    Rule("structure.segment_time", "frames outside of their segment", limit=0.0, unit="frames", severity="error"),
    Rule("structure.step_keys", "steps that stand on no frame, or on another one's time", limit=0.0, unit="steps",
         severity="error"),
    Rule("structure.count", "an episode whose actions and observations do not go together", severity="error"),
    Rule("structure.action_without_outcome", "an episode that ends with an action whose outcome was not stored"),
)  # fmt: skip

_INDEX: Final = {name: "b" if name in ("duplicate", "late") else "i" for name in INDEX_COLUMNS}
_EVENTS: Final = {name: {"int64": "i", "float64": "f"}.get(kind, "s") for name, kind in COLUMNS.items()}
_FLAGS: Final = ("terminated", "truncated", "random_action", "is_human")
_STEPS: Final = {name: "b" if name in _FLAGS else "i" for name in STEP_COLUMNS} | {
    "action": "", "action_name": "s", "reward": "f", "lives": ""
}  # fmt: skip
"""Column -> kind of its type: i whole, f number, b bool, s text, "" any."""


def check_tables(subject: Subject) -> Iterator[Finding]:
    """Check the tables of a recording.

    Args:
        subject: Any recording.

    Yields:
        Findings of this module's `RULES`; nothing about rows of a table whose columns are wrong.
    """
    recording = subject.recording
    wrong = _columns(subject)
    if wrong.get("events") == []:
        kinds = pd.unique(subject.events["kind"])
        wrong["events"] += [f"kind {kind!r} is none" for kind in kinds if kind not in EVENT_KINDS]
    for stream, what in wrong.items():
        if what:
            sentence = f"the table of {stream} is not what it should be ({'; '.join(what[:3])}): restore it from a copy"
            yield subject.finding(RULES["structure.schema"], sentence, value=len(what), stream=stream)
    if wrong["frames"]:
        return
    yield from _frames(subject)
    yield from _times(subject)
    if recording.is_environment and not wrong["steps"]:
        yield from _steps(subject)


def are_tables(subject: Subject) -> bool:
    """Say whether the tables have their columns, so that other checks can read them at all."""
    return not any(_columns(subject).values())


def _columns(subject: Subject) -> dict[str, list[str]]:
    """Say what is wrong with the columns of each table; the events of an environment follow from its steps."""
    environment = subject.recording.is_environment
    other = ("steps", subject.steps, _STEPS) if environment else ("events", subject.events, _EVENTS)
    return {stream: said(table, kinds) for stream, table, kinds in (("frames", subject.index, _INDEX), other)}


def said(table: pd.DataFrame, kinds: Mapping[str, str]) -> list[str]:
    """Say what is wrong with the columns of a table.

    Args:
        table: Any table; of one without rows the types tell nothing.
        kinds: Column -> `i` whole numbers, `f` numbers, `b` bools, `s` text, `""` anything.

    Returns:
        One short sentence a column that is missing or of another type.
    """
    types = dict(zip(table.columns, table.dtypes, strict=True))
    found = [f"{name} is not there" for name in kinds if name not in types]
    return found + [
        f"{name} is {types[name]}"
        for name, kind in kinds.items()
        if kind and name in types and len(table) and not _fits(types[name], kind)
    ]


def _fits(dtype: Any, kind: str) -> bool:
    if kind == "s":
        return bool(pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype))
    return str(getattr(dtype, "kind", "?")) in {"i": "iu", "f": "iuf", "b": "b"}[kind]


def _frames(subject: Subject) -> Iterator[Finding]:
    rule, index, segments = RULES["structure.frames"], subject.index, subject.recording.segments
    stated = np.concatenate([np.zeros(0, np.int64), *(np.arange(s.first_frame, s.stop_frame) for s in segments)])
    owner = np.repeat([s.index for s in segments], [s.frames for s in segments]) if segments else stated
    if len(index) != len(stated):
        sentence = (
            f"the table has {len(index)} frames, the segments have {len(stated)}: nobody knows which ones; restore it "
            "from a copy, or run `rushes recover`"
        )
        yield subject.finding(rule, sentence, value=abs(len(index) - len(stated)), stream="frames")
        return
    number = index["frame_index"].to_numpy(np.int64)
    wrong = (number != stated) | (index["segment"].to_numpy(np.int64) != owner)
    wrong[1:] |= stated[1:] <= stated[:-1]  # segments that share frames
    if wrong.sum() > subject.limit(rule):
        first = int(wrong.argmax())
        sentence = (
            f"{wrong.sum()} rows are not the frame of the segment that stands there, the first is row {first} (frame "
            f"{number[first]}, where {stated[first]} of segment {owner[first]} is stated): restore the table from a "
            "copy"
        )
        yield subject.finding(rule, sentence, value=float(wrong.sum()), stream="frames", frame_index=int(number[first]))


def _times(subject: Subject) -> Iterator[Finding]:
    index, segments = subject.index, {s.index: s for s in subject.recording.segments}
    t_ns, segment = index["t_ns"].to_numpy(np.int64), index["segment"].to_numpy(np.int64)
    back = np.flatnonzero((np.diff(t_ns) <= 0) & (np.diff(segment) == 0)) + 1
    yield from _worst(
        subject, "structure.time", back, "time stands still or runs back at {} frames, first at {}: restore the table "
        "from a copy, or leave them out",
    )  # fmt: skip
    numbers, row = np.unique(segment, return_inverse=True)
    start = np.array([segments[n].start_ns if n in segments else 0 for n in numbers.tolist()], np.int64)
    # The last frame may be the end: of an episode, or where nobody knows what came after it (killed, damaged).
    end = np.array([segments[n].end_ns if n in segments else -1 for n in numbers.tolist()], np.int64)
    room = np.append(np.diff(segment) != 0, True) if len(t_ns) else np.zeros(0, bool)
    out = np.flatnonzero((t_ns < start[row]) | (t_ns >= end[row] + room)) if len(t_ns) else back
    yield from _worst(
        subject, "structure.segment_time", out, "{} frames lie outside of what their segment covers, first {}: times "
        "and segments are not of one recording; restore both from a copy",
    )  # fmt: skip


def _worst(subject: Subject, name: str, rows: Ints, sentence: str) -> Iterator[Finding]:
    rule, index = RULES[name], subject.index
    if len(rows) > subject.limit(rule):
        first = index.iloc[int(rows[0])]
        place = f"frame {first['frame_index']} ({first['t_ns'] / NS:.2f} s)"
        yield subject.finding(
            rule, sentence.format(len(rows), place), value=len(rows), stream="frames",
            frame_index=int(first["frame_index"]), t_ns=int(first["t_ns"]),
        )  # fmt: skip


def _steps(subject: Subject) -> Iterator[Finding]:
    index, steps, rule = subject.index, subject.steps, RULES["structure.step_keys"]
    number, on = index["frame_index"].to_numpy(np.int64), steps["frame_index"].to_numpy(np.int64)
    order = np.argsort(number, kind="stable")
    at = order[np.searchsorted(number[order], on).clip(max=len(number) - 1)] if len(number) else on * 0
    wrong = np.zeros(len(on), bool)
    if len(number):
        for name in ("frame_index", "t_ns", "segment"):
            wrong |= index[name].to_numpy(np.int64)[at] != steps[name].to_numpy(np.int64)
    right = np.flatnonzero(~wrong)
    wrong[right[1:]] = np.diff(on[right]) <= 0
    if wrong.sum() > subject.limit(rule):
        first = steps.iloc[int(wrong.argmax())]
        sentence = (
            f"{wrong.sum()} steps stand on no frame, on one twice, or on another one's time or segment, the first "
            f"names frame {first['frame_index']} at {first['t_ns'] / NS:.2f} s: restore the table from a copy"
        )
        yield subject.finding(
            rule, sentence, value=float(wrong.sum()), stream="actions", frame_index=int(first["frame_index"]),
            t_ns=int(first["t_ns"]),
        )  # fmt: skip
    yield from _counts(subject)


def _counts(subject: Subject) -> Iterator[Finding]:
    """Hold each episode to its N actions for N + 1 observations."""
    if subject.recording.kept_at_moments:
        return
    names, count = np.unique(subject.steps["segment"].to_numpy(np.int64), return_counts=True)
    many = dict(zip(names.tolist(), count.tolist(), strict=True))
    for segment in subject.recording.segments:
        actions, observations = many.get(segment.index, 0), segment.frames
        if actions == observations:
            sentence = (
                f"segment {segment.index} ends with an action whose outcome was not stored ({segment.end_reason})"
            )
            yield subject.finding(RULES["structure.action_without_outcome"], sentence, stream="actions")
        elif actions != observations - 1:
            sentence = f"segment {segment.index} has {actions} actions for {observations} observations"
            yield subject.finding(
                RULES["structure.count"], sentence, value=actions - (observations - 1), stream="actions"
            )
