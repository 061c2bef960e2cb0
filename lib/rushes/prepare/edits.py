"""Edits by hand: a sample relabelled, dropped or noted, as a side fact of its session, so that it survives a rebuild.

An edit names the frame and the control, not a row of some table: every later `press_release` and `negatives` finds it
among the facts and applies it. The raw streams stay; a later edit of the same column of the same place wins, and
`drop` with value False takes a drop back.

A positive is found by the time of its press, every other sample by the time of its window's last frame. A positive
that is relabelled 0 becomes a `uniform` negative that says by whom; a negative relabelled above 0 becomes a positive,
with an open hold until `hold_s` is edited too. `keys` stay as they were recorded.

Example:
    >>> from rushes.store.reader import open_session
    >>> from rushes.prepare.press_release import press_release
    >>> def without_a_slip(path):
    ...     relabel(path, "label", value=0, control="w", author="me", t_ns=12_300_000_000)
    ...     return press_release(open_session(path), "w")
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.ledger import Tally
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples, Step
from rushes.model.samples import SampleKind, roots
from rushes.model.targets import parse_targets
from rushes.store.facts import Fact, add_fact
from rushes.store.layout import is_session
from rushes.store.reader import Session, open_session
from rushes.store.validity import Valid

DROP: Final = "drop"
COLUMNS: Final = ("label", "hold_s", "weight", DROP)
"""What can be edited; `drop` takes True or False, `hold_s` also None for an open hold."""
FOREIGN: Final = (SampleKind.SHIFTED, SampleKind.SWAPPED, SampleKind.CROSS_SESSION)
"""Kinds whose action lies elsewhere than their pixels."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Edit:
    """One edit of a session.

    Attributes:
        fact: The side fact that says it.
        session: Id of the session.
        control: Target that it is about, as in the column `control`; `""` for a note.
        column: One of `COLUMNS`, or `note`.
        value: The new value, or the note's text.
    """

    fact: Fact
    session: str
    control: str
    column: str
    value: Any

    def to_json(self) -> dict[str, Any]:
        """Return what a step's parameters say of it."""
        place = {"t_start_ns": self.fact.t_start_ns, "t_end_ns": self.fact.t_end_ns}
        said = {"session": self.session, "control": self.control, "column": self.column, "value": self.value}
        return {"fact": self.fact.id, "author": self.fact.author, **said, **place}


def relabel(
    session: str | Path,
    column: str,
    *,
    value: float | bool | None,
    control: str,
    author: str,
    t_ns: int | None = None,
    frame_index: int | None = None,
) -> Fact:
    """Change one column of the sample at a place, for this and every later table.

    Args:
        session: Directory of the session.
        column: `label` (0 to 1), `hold_s` (seconds, None for open), `weight` (from 0 on) or `drop` (True, False).
        value: Its new value.
        control: The target that the sample is labelled for, as `model.targets.parse_targets` reads it.
        author: Who says so.
        t_ns: A time within the sample's frame, ns since session start.
        frame_index: The frame on which the press falls, in place of `t_ns`: the last one of the sample's window, which
            is `frame_index + length - 1` of its row (where inputs were not moved by a delay).

    Returns:
        The fact: it covers the frame, from its time to that of the next.

    Raises:
        BadInputError: No session of ours, no such place, or a value that the column cannot have.
    """
    opened = _session(session)
    start, end = _interval(opened, t_ns, frame_index)
    said = {"column": column, "value": {"control": _control(control), "value": check_value(column, value)}}
    return add_fact(opened.path, "label", said, author=author, t_start_ns=start, t_end_ns=end)


def drop(
    session: str | Path, *, control: str, author: str, t_ns: int | None = None, frame_index: int | None = None
) -> Fact:
    """Leave out the sample at a place, from this and every later table; see `relabel`."""
    return relabel(session, DROP, value=True, control=control, author=author, t_ns=t_ns, frame_index=frame_index)


def note(
    session: str | Path, text: str, *, author: str, t_ns: int | None = None, frame_index: int | None = None
) -> Fact:
    """Write a note at a place: it changes nothing, and is counted with the samples that it is about.

    Raises:
        BadInputError: No text, no session of ours, or no such place.
    """
    if not text.strip():
        raise BadInputError("an empty note", accepts="a text", fix="say what is to be seen there")
    opened = _session(session)
    start, end = _interval(opened, t_ns, frame_index)
    return add_fact(opened.path, "note", {"text": text}, author=author, t_start_ns=start, t_end_ns=end)


def edits_of(recording: Recording) -> tuple[Edit, ...]:
    """Read the edits of a recording in the order in which they were made; only a session of ours has some."""
    if not isinstance(recording, Session | Valid):
        return ()
    found = []
    for fact in recording.facts:
        if fact.t_start_ns is None or fact.t_end_ns is None:
            continue
        if fact.kind == "note":
            found.append(Edit(fact, recording.info.id, "", "note", fact.value["text"]))
        elif fact.kind == "label" and fact.value["column"] in COLUMNS:
            said = fact.value["value"]
            if isinstance(said, dict) and said.keys() == {"control", "value"}:
                found.append(Edit(fact, recording.info.id, said["control"], fact.value["column"], said["value"]))
    return tuple(found)


def edited(samples: Samples, recordings: Recording | Iterable[Recording]) -> Samples:
    """Apply the edits that stand among the facts of recordings.

    Args:
        samples: Any set. A row that descends from another of the set is edited with it.
        recordings: The recordings of the set; those without edits change nothing.

    Returns:
        The same set where there is no edit; else a new one with the step `edits`, whose ledger has the dropped rows
        under `dropped_by_hand`, marks for what was changed, and under `edits` those that met no row.
    """
    several = [recordings] if isinstance(recordings, Recording) else list(recordings)
    edits = {recording.info.id: edits_of(recording) for recording in several}
    every = [edit for found in edits.values() for edit in found]
    if not every:
        return samples
    rows, tally = samples.rows.copy(), Tally()
    tally.offer("samples", len(rows))
    tally.offer("edits", len(every))
    root, place = roots(rows), _places(rows, [r for r in several if edits[r.info.id]])
    session = rows["session"].to_numpy(object)
    dropped = np.zeros(len(rows), bool)
    touched: dict[str, Bools] = {}
    for edit in sorted(
        every, key=lambda edit: edit.column != "label"
    ):  # what a row is comes before how long it is held
        hit = (session == edit.session) & (place >= (edit.fact.t_start_ns or 0)) & (place < (edit.fact.t_end_ns or 0))
        if edit.control:
            hit &= rows["control"].to_numpy(object) == edit.control
        hit = hit[root]
        if edit.column == "hold_s":
            hit &= (rows["kind"] == SampleKind.POSITIVE).to_numpy()
        if not hit.any():
            tally.lose("edits", "no_such_sample")
            continue
        touched[edit.column] = touched.get(edit.column, np.zeros(len(rows), bool)) | hit
        if edit.column == DROP:
            dropped[hit] = bool(edit.value)
        elif edit.column != "note":
            _apply(rows, hit, edit)
    tally.lose("samples", "dropped_by_hand", int(dropped.sum()))
    for column, hit in touched.items():
        if column != DROP:
            tally.mark("samples", "noted" if column == "note" else f"{column}_by_hand", int((hit & ~dropped).sum()))
    step = Step("edits", {"edits": [edit.to_json() for edit in every]}, tally.close())
    return samples.then(rows[~dropped], step)


def _apply(rows: pd.DataFrame, hit: Bools, edit: Edit) -> None:
    """Write one edit into the rows that it is about."""
    if edit.column == "weight":
        rows.loc[hit, "weight"] = np.float32(edit.value)
        return
    if edit.column == "hold_s":
        hold = math.nan if edit.value is None else float(edit.value)
        rows.loc[hit, "hold_s"] = hold
        rows.loc[hit, "phase"] = "open" if math.isnan(hold) else "press"
        return
    positive = (rows["kind"] == SampleKind.POSITIVE).to_numpy()
    rows.loc[hit, "label"] = np.float32(edit.value)
    gone, new = hit & positive & (edit.value == 0), hit & ~positive & (edit.value > 0)
    for changed, kind, phase in ((gone, SampleKind.UNIFORM, "up"), (new, SampleKind.POSITIVE, "open")):
        was = rows.loc[changed, "kind"]
        rows.loc[changed, "reason"] = [f"relabelled by {edit.fact.author} (was {name})" for name in was]
        rows.loc[changed, "kind"], rows.loc[changed, "phase"] = kind.value, phase
        rows.loc[changed, "hold_s"] = np.nan


def _places(rows: pd.DataFrame, recordings: Iterable[Recording]) -> npt.NDArray[np.int64]:
    """Give the time by which each row is found: of its action, or of its last frame where that lies elsewhere."""
    place = rows["action_t_ns"].to_numpy(np.int64).copy()
    foreign = rows["kind"].isin(FOREIGN).to_numpy()
    last = rows["frame_index"].to_numpy(np.int64) + rows["length"].to_numpy(np.int64) - 1
    for recording in recordings:
        mine = foreign & (rows["session"] == recording.info.id).to_numpy()
        if mine.any():
            index = recording.index()
            frames, times = index["frame_index"].to_numpy(np.int64), index["t_ns"].to_numpy(np.int64)
            at = np.minimum(np.searchsorted(frames, last[mine]), len(frames) - 1)
            place[mine] = np.where(frames[at] == last[mine], times[at], -1)
    return place


def _session(path: str | Path) -> Session:
    folder = Path(path)
    if not is_session(folder):
        raise BadInputError(
            f"{folder}, which is no session,",
            accepts="the folder of one session, which can hold side facts",
            fix="edit the session that the samples come from; anything else is made one first: "
            "rushes convert FILE FOLDER --format session",
        )
    return open_session(folder)


def _interval(session: Session, t_ns: int | None, frame_index: int | None) -> tuple[int, int]:
    """Give the interval of a frame: from its time to that of the next, or to its segment's end."""
    if (t_ns is None) == (frame_index is None):
        raise BadInputError(
            f"t_ns={t_ns}, frame_index={frame_index}", accepts="one of the two", fix="say where by one of them"
        )
    for segment in session.segments:
        index = session.index(segment.index)
        starts = index["t_ns"].to_numpy(np.int64)
        ends = np.append(starts[1:], max(segment.end_ns, int(starts[-1]) + 1)) if len(starts) else starts
        if frame_index is not None:
            inside = index["frame_index"].to_numpy(np.int64) == frame_index
        else:
            inside = (starts <= t_ns) & (ends > t_ns)
        if inside.any():
            row = int(np.flatnonzero(inside)[0])
            return int(starts[row]), int(ends[row])
    spans = ", ".join(f"{s.start_ns / NS:.3f} to {s.end_ns / NS:.3f} s" for s in session.segments[:5])
    what = f"frame {frame_index}" if frame_index is not None else f"{(t_ns or 0) / NS:.3f} s"
    raise BadInputError(
        f"{what}, where {session.path} shows nothing,",
        accepts=f"frames 0 to {session.frame_count - 1}, or times within its segments ({spans})",
        fix="take action_t_ns from the row of the sample, or frame_index + length - 1, the last frame of its window",
    )


def _control(text: str) -> str:
    targets = parse_targets(text)
    if len(targets) != 1:
        raise BadInputError(f"control={text!r}", accepts="one target", fix="edit each target by itself")
    return str(targets[0])


def check_value(column: str, value: Any) -> float | bool | None:
    """Check a new value, and give it as it is stored.

    Raises:
        BadInputError: The column cannot be edited, or cannot have this value.
    """
    if column not in COLUMNS:
        raise BadInputError(f"column={column!r}", accepts="one of " + ", ".join(COLUMNS), fix="name one of them")
    if column == DROP:
        if isinstance(value, bool):
            return value
        raise BadInputError(f"drop={value!r}", accepts="True or False", fix="pass True to leave the sample out")
    if column == "hold_s" and value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    high = 1.0 if column == "label" else math.inf
    if not (0 <= number <= high and math.isfinite(number)):
        accepts = "a number from 0 to 1" if column == "label" else "a finite number from 0 on"
        raise BadInputError(f"{column}={value!r}", accepts=accepts, fix="correct the value")
    return number
