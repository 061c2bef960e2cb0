"""An edit by hand in the notebook: one sample relabelled, dropped or noted, and the proof that a rebuild keeps it.

An edit is a side fact of the session, not of a table: every table that is made later finds it. The notebook's own
sessions are copied into the run folder first, so that its sample stays as it is; a source that was named gets the fact,
because that is what the parameter asks for.

Example:
    >>> asked("play1 5.322 a drop")
    Asked(session='play1', at_s=5.322, control='a', what='drop', value='')
    >>> asked("12.3 w hold 0.25").value
    '0.25'
"""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.model.clock import NS
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.model.targets import parse_targets
from rushes.notebook.negatives.steps import Plan
from rushes.notebook.run import Run
from rushes.prepare.edits import drop, note, relabel
from rushes.prepare.press_release import press_release
from rushes.preview.html import Html, table
from rushes.preview.html import note as sentence
from rushes.preview.sample_words import hold_words
from rushes.store.reader import Session
from rushes.store.validity import honour_all

_WHAT: Final = ("drop", "label", "hold", "note")
_ACCEPTS: Final = "[SESSION] SECONDS CONTROL and one of: drop, label 0, hold 0.25, note TEXT"
_AUTHOR: Final = "notebook"
_PLACES: Final = (2, 3)
COPY: Final = "sessions"


@dataclass(frozen=True)
class Asked:
    """An edit as it was written.

    Attributes:
        session: Id of the session; `""` for the first.
        at_s: Time of the press, or of a negative's frame, seconds since the session's start.
        control: What the sample is labelled for.
        what: `drop`, `label`, `hold` or `note`.
        value: What stands behind it.
    """

    session: str
    at_s: float
    control: str
    what: str
    value: str


@dataclass(frozen=True)
class ByHand:
    """What became of an edit.

    Attributes:
        sessions: The recordings to go on with.
        rows: Which table, what it has at that place; empty where nothing was asked for.
        hint: How an edit is written, with a press that is there.
    """

    sessions: Sessions
    rows: tuple[tuple[str, str, str, str], ...]
    hint: str

    def _repr_html_(self) -> str:
        return self.show().html

    def show(self) -> Html:
        """Show the place before, after, and in a table that was made anew."""
        if not self.rows:
            return sentence(f"Nothing is edited. {self.hint}")
        return table(["table", "rows", "sample at this place", "ledger"], self.rows)

    def __repr__(self) -> str:
        return repr(self.show())


def asked(text: str) -> Asked:
    """Read an edit.

    Args:
        text: `[SESSION] SECONDS CONTROL drop`, `... label 0`, `... hold 0.25` or `... note TEXT`.

    Raises:
        BadInputError: It does not read.
    """
    words = text.split()
    number = next((k for k, word in enumerate(words[:2]) if _is_number(word)), -1)
    rest = words[number + 1 :]
    if number < 0 or len(rest) < _PLACES[0] or rest[1] not in _WHAT or (rest[1] != "drop" and len(rest) < _PLACES[1]):
        raise BadInputError(f"edit={text!r}", accepts=_ACCEPTS, fix="write play1 5.322 a drop")
    value = " ".join(rest[2:])
    if rest[1] in ("label", "hold") and not _is_number(value):
        raise BadInputError(f"edit={text!r}", accepts=_ACCEPTS, fix=f"write a number behind {rest[1]}")
    return Asked(words[0] if number else "", float(words[number]), rest[0], rest[1], value)


def edit_by_hand(run: Run, plan: Plan, sessions: Sessions) -> ByHand:
    """Make the edit that the plan asks for, and build the table anew to see that it is kept.

    Args:
        run: The run.
        plan: Its `edit`; `""` changes nothing.
        sessions: What the notebook works on.

    Returns:
        The recordings to go on with: copies in the run folder where the notebook's own were edited.

    Raises:
        BadInputError: An edit that does not read, a control that no sample is labelled for, a session that is not there
            or is not one of ours, no such place. A place without a press is edited all the same: a negative may stand
            there; the ledger says that no positive does.
        StorageError: The session cannot be copied or written.
    """
    if not plan.edit:
        return ByHand(sessions, (), _hint(sessions, plan))
    what = asked(plan.edit)
    _check_control(what, plan)
    if not plan.source:
        copy = run.path(COPY)
        shutil.rmtree(copy, ignore_errors=True)  # the cell was run before
        shutil.copytree(_home(sessions[0]).parent, copy)
        sessions = open_any(copy)
    session = next((one for one in sessions if what.session in ("", one.info.id)), None)
    if session is None:
        raise BadInputError(
            f"edit={plan.edit!r}: no session {what.session}",
            accepts=", ".join(one.info.id for one in sessions),
            fix="name one of them, or none for the first",
        )
    before = _row("before", _pairs(sessions, plan), session, what)
    _make(_home(session), what)
    opened = Sessions(
        [one if one is not session else open_any(_home(session))[0] for one in sessions], format="session"
    )
    after = _row("after the edit", _pairs(opened, plan), session, what)
    rebuilt = _row("made anew, windows of 2 frames", _pairs(opened, replace(plan, length=2)), session, what)
    return ByHand(opened, (before, after, rebuilt), "")


def _check_control(what: Asked, plan: Plan) -> None:
    """Refuse an edit of something that no sample is labelled for, before anything is written."""
    named = [str(target) for target in parse_targets(plan.controls)]
    if _control(what) not in named:
        raise BadInputError(
            f"edit={plan.edit!r}: no sample is labelled for {_control(what)}",
            accepts=", ".join(named),
            fix="name one of them, or add the control to controls",
        )


def _control(what: Asked) -> str:
    return ", ".join(str(target) for target in parse_targets(what.control))


def _pairs(sessions: Sessions, plan: Plan) -> Samples:
    return press_release(honour_all(sessions), plan.controls, length=plan.length)[0]


def _make(path: Path, what: Asked) -> None:
    at = round(what.at_s * NS)
    if what.what == "drop":
        drop(path, control=what.control, author=_AUTHOR, t_ns=at)
    elif what.what == "note":
        note(path, what.value, author=_AUTHOR, t_ns=at)
    else:
        column = "label" if what.what == "label" else "hold_s"
        relabel(path, column, value=float(what.value), control=what.control, author=_AUTHOR, t_ns=at)


def _row(name: str, samples: Samples, session: Recording, what: Asked) -> tuple[str, str, str, str]:
    rows = samples.rows
    index = session.index()
    starts = index["t_ns"].to_numpy()
    frame = int(starts.searchsorted(round(what.at_s * NS), side="right")) - 1
    end = starts[frame + 1] if frame + 1 < len(starts) else math.inf
    there = rows[
        (rows["session"] == session.info.id)
        & (rows["control"] == _control(what))
        & (rows["action_t_ns"] >= starts[max(frame, 0)])
        & (rows["action_t_ns"] < end)
    ]
    said = "; ".join(_words(row) for row in there.to_dict("records")) or "none"
    steps = [step for step in samples.steps if step.name == "edits"]
    ledger = (
        {k: v for _, a in steps[-1].ledger.items() for k, v in (*a.lost.items(), *a.marked.items())} if steps else {}
    )
    return name, f"{len(rows):,}", said, ", ".join(f"{k} {v}" for k, v in ledger.items()) or "no edit"


def _words(row: dict[Any, Any]) -> str:
    said = (row["control"], f"label {row['label']:g}", row["kind"], hold_words(row))
    return ", ".join(filter(None, said))


def _hint(sessions: Sessions, plan: Plan) -> str:
    pairs = _pairs(sessions, plan).rows
    first: pd.DataFrame = pairs.head(1)
    if first.empty:
        return f"An edit is written as {_ACCEPTS}."
    row = first.to_dict("records")[0]
    at = f"{row['action_t_ns'] / NS:.3f}"
    return (
        f'With edit = "{row["session"]} {at} {row["control"]} drop" the first press would be left out of this and of '
        f"every later table; from a terminal: rushes prepare edit SESSION --at {at} --control {row['control']} --drop."
    )


def _home(recording: Recording) -> Path:
    session = getattr(recording, "session", recording)
    if not isinstance(session, Session):
        raise BadInputError(
            f"an edit of {recording.info.id}, which is no session of ours",
            accepts="a session, which can hold side facts",
            fix="convert it first: rushes convert FILE FOLDER --format session",
        )
    return Path(session.path)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
