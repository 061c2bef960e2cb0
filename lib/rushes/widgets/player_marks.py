"""Marks of a player: stretches that are invalid, valid or labelled, and an offset, as side facts of the session.

What is marked invalid is left out by loaders and exports (`rushes.store.validity`); `valid` takes that back where it
reaches, and so does the other way round: of two marks that contradict each other the newer one holds, and the older one
stays for what is left of it. A label of a column that `rushes.prepare.edits` knows changes samples: its value names the
control, as in `Space: 0`. Any other label is kept as it is said. Nothing that was written is changed; what is taken
back is replaced.

Example:
    >>> from rushes.widgets.player_source import open_shown
    >>> def forget_the_menu(path):
    ...     return Marks(open_shown(path)).mark(0, 120, valid=False)
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.errors import BadInputError, RushesError
from rushes.model.recording import Recording
from rushes.model.targets import parse_targets
from rushes.prepare.edits import COLUMNS, DROP, check_value
from rushes.prepare.press_release import key_space
from rushes.store.facts import Fact, add_fact, read_facts
from rushes.store.pairing import MOST_MS
from rushes.widgets.player_source import Shown

AUTHOR: Final = "player"
TAKEN_BACK: Final = "player: taken back"
"""Author of a fact that stands for one that does not hold any more."""
BY_HAND: Final = "player: set by hand, to half a frame"
_EDIT: Final = re.compile(r"\s*(?P<control>[^:]+?)\s*:\s*(?P<value>true|false|none|[-+.\d][-+.\de]*)\s*", re.IGNORECASE)
_ACCEPTS: Final = {
    "label": "a number from 0 to 1",
    "hold_s": "seconds from 0 on, or none",
    "weight": "a number from 0 on",
    DROP: "true or false",
}
_WORDS: Final = {"true": True, "false": False, "none": None}


class Marks:
    """The marks of a source.

    Args:
        shown: The source.
    """

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    @property
    def can_mark(self) -> bool:
        """Whether it is a session directory of ours."""
        return self._shown.session_of_ours is not None

    def json(self) -> list[dict[str, Any]]:
        """Give the marks that hold, in order of time: id, start, stop, t_start_ns, t_end_ns, valid, label, text.

        Of an episode those that reach into it.
        """
        session = self._shown.session_of_ours
        facts = session.facts if session is not None else ()
        marks = [fact for fact in facts if fact.kind in {"validity", "label"} and not _is_gone(fact)]
        found = [self._said(fact) for fact in marks if self._shown.meets(*self.times(fact))]
        return sorted(found, key=lambda mark: (mark["t_start_ns"], mark["t_end_ns"]))

    def _said(self, fact: Fact) -> dict[str, Any]:
        start_ns, end_ns = self.times(fact)
        start, stop = np.searchsorted(self._shown.t_ns, [start_ns, end_ns], side="left").tolist()
        start = min(start, len(self._shown) - 1)
        label = dict(fact.value) if fact.kind == "label" else None
        valid = None if label else bool(fact.value["valid"])
        text = f"{label['column']} = {_value_words(label['value'])}" if label else "valid" if valid else "invalid"
        if label:
            label["value"] = _value_words(label["value"])
        return {
            "id": fact.id,
            "start": start,
            "stop": max(stop, start + 1),
            "t_start_ns": start_ns,
            "t_end_ns": end_ns,
            "valid": valid,
            "label": label,
            "text": f"{text} ({fact.author})",
            "author": fact.author,
        }

    def times(self, fact: Fact) -> tuple[int, int]:
        """Give the stretch of a fact, from the first to the end of the last frame where it is about all."""
        start = fact.t_start_ns if fact.t_start_ns is not None else int(self._shown.t_ns[0])
        return start, fact.t_end_ns if fact.t_end_ns is not None else int(self._shown.ends_ns[-1])

    def mark(self, start: int, stop: int, *, valid: bool | None = None, label: Mapping[str, Any] | None = None) -> Fact:
        """Mark frames [start, stop).

        Args:
            start: First frame.
            stop: Frame behind the last one.
            valid: Whether they can be used.
            label: `{"column": ..., "value": ...}` in place of `valid`.

        Returns:
            The fact, from the time of the first frame to the end of the last.

        Raises:
            BadInputError: No session of ours, no such frames, neither or both of the two, or a label that cannot be.
            BusyError: Somebody else is writing facts at this moment.
            StorageError: The folder cannot be written.
        """
        folder = self._folder("a mark")
        if not 0 <= start < stop <= len(self._shown):
            raise BadInputError(
                f"a mark of frames {start} to {stop}",
                accepts=f"0 to {len(self._shown)}, the second behind the first",
                fix="choose at least one frame",
            )
        if (valid is None) == (label is None):
            raise BadInputError(
                f"a mark with valid={valid} and label={label}", accepts="one of the two", fix="say valid, or a label"
            )
        times = int(self._shown.t_ns[start]), int(self._shown.ends_ns[stop - 1])
        if label is not None:
            value = _label(label, self._shown.recording)
            return add_fact(folder, "label", value, author=AUTHOR, t_start_ns=times[0], t_end_ns=times[1])
        return self._mark_validity(folder, times, valid=bool(valid))

    def _mark_validity(self, folder: Path, times: tuple[int, int], *, valid: bool) -> Fact:
        replaces = ""
        for fact in read_facts(folder):
            if fact.kind != "validity" or bool(fact.value["valid"]) == valid or _is_gone(fact):
                continue
            first = -math.inf if fact.t_start_ns is None else fact.t_start_ns
            last = math.inf if fact.t_end_ns is None else fact.t_end_ns
            if first >= times[1] or last <= times[0]:
                continue
            left: list[tuple[int | None, int | None]] = []
            left += [(fact.t_start_ns, times[0])] if first < times[0] else []
            left += [(times[1], fact.t_end_ns)] if last > times[1] else []
            for number, (start_ns, end_ns) in reversed(list(enumerate(left))):  # the one that replaces comes last
                _again(folder, fact, start_ns, end_ns, replaces="" if number else fact.id)
            if not left and replaces:
                _again(folder, fact, *times, author=TAKEN_BACK, replaces=fact.id, value={"valid": valid})
            elif not left:
                replaces = fact.id
        return add_fact(
            folder, "validity", {"valid": valid}, author=AUTHOR, t_start_ns=times[0], t_end_ns=times[1],
            replaces=replaces,
        )  # fmt: skip

    def unmark(self, mark: str) -> Fact:
        """Take a mark back.

        Args:
            mark: Its id.

        Raises:
            BadInputError: No session of ours, or no such mark.
        """
        folder = self._folder("taking a mark back")
        for fact in read_facts(folder):
            if fact.id == mark and fact.kind in {"validity", "label"}:
                value = {"valid": True} if fact.kind == "validity" else {"column": "", "value": None}
                return _again(
                    folder, fact, fact.t_start_ns, fact.t_end_ns, author=TAKEN_BACK, replaces=mark, value=value
                )
        raise BadInputError(f"mark {mark!r}", accepts="the id of a mark that holds", fix="choose one in the timeline")

    def save_offset(self, ms: float) -> Fact:
        """Store an offset of the whole session, in place of the one that was stored for it.

        Args:
            ms: By how much inputs are moved later; it is known to half a frame.

        Raises:
            BadInputError: No session of ours, or no number.
        """
        folder = self._folder("an offset")
        if not math.isfinite(ms) or abs(ms) > MOST_MS:
            raise BadInputError(f"an offset of {ms} ms", accepts=f"up to {MOST_MS:.0f} ms either way", fix="correct it")
        whole = [f for f in read_facts(folder) if f.kind == "offset" and f.t_start_ns is None and f.t_end_ns is None]
        half_ms = 500 / self._shown.rate_hz if self._shown.rate_hz else 0.0
        value = {"ms": ms, "low": round(ms - half_ms, 3), "high": round(ms + half_ms, 3), "drift_ppm": None}
        return add_fact(folder, "offset", value, author=BY_HAND, replaces=whole[-1].id if whole else "")

    def _folder(self, what: str) -> Path:
        session = self._shown.session_of_ours
        if session is None:
            raise BadInputError(
                f"{what} on {self._shown.name}, which is no session directory",
                accepts="a session of ours, which has a place for side facts",
                fix="make one of it first: rushes convert PATH FOLDER --format session",
            )
        return session.path


def fact_words(fact: Fact) -> str:
    """Say what a fact says."""
    value = fact.value
    if fact.kind == "offset":
        drift = f", drift {value['drift_ppm']:g} ppm" if value["drift_ppm"] else ""
        return f"{value['ms']:g} ms ({value['low']} to {value['high']}){drift}, {fact.author}"
    if fact.kind == "verdict":
        return ": ".join([str(value["verdict"]), *["; ".join(value["reasons"])] * bool(value["reasons"])])
    return f"{value.get('tag', value.get('text', ''))}, {fact.author}"


def _is_gone(fact: Fact) -> bool:
    return fact.author == TAKEN_BACK


def _again(
    folder: Path,
    fact: Fact,
    start_ns: int | None,
    end_ns: int | None,
    *,
    replaces: str,
    author: str = "",
    value: Mapping[str, Any] | None = None,
) -> Fact:
    """Say a fact again for another stretch, or in place of itself."""
    return add_fact(
        folder, fact.kind, fact.value if value is None else value, author=author or fact.author, t_start_ns=start_ns,
        t_end_ns=end_ns, replaces=replaces,
    )  # fmt: skip


def _label(label: Mapping[str, Any], recording: Recording) -> dict[str, Any]:
    """Check a label, and give it as it is stored."""
    column, value = label.get("column"), label.get("value")
    if not isinstance(column, str) or not column.strip() or value is None or value == "":
        raise BadInputError(f"label {dict(label)}", accepts="a column and a value", fix="name both")
    column = column.strip()
    match = _EDIT.fullmatch(value) if isinstance(value, str) and column in COLUMNS else None
    if match is not None:
        word = match["value"].lower()
        value = {"control": match["control"], "value": _WORDS[word] if word in _WORDS else _number(word)}
    elif isinstance(value, str) and _is_meant_as_edit(column, value, recording):
        raise BadInputError(
            f"label {column} = {value!r}, whose value says nothing that {column} can be",
            accepts=f"a control and {_ACCEPTS[column]}, or a text without a colon",
            fix="write it as " + ("Space: true" if column == DROP else "Space: 0"),
        )
    if isinstance(value, Mapping):
        if column not in COLUMNS or set(value) != {"control", "value"}:
            raise BadInputError(
                f"label {column} = {dict(value)}",
                accepts=f"control and value, for {', '.join(COLUMNS)}",
                fix="write it as Space: 0",
            )
        targets = parse_targets(str(value["control"]))
        if len(targets) != 1:
            raise BadInputError(f"control {value['control']!r}", accepts="one target", fix="label each by itself")
        return {"column": column, "value": {"control": str(targets[0]), "value": check_value(column, value["value"])}}
    if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise BadInputError(f"label {column} = {value!r}", accepts="a text or a number", fix="say it as a text")
    return {"column": column, "value": value}


def _is_meant_as_edit(column: str, text: str, recording: Recording) -> bool:
    """Say whether a text that is no edit was to be one: of `label` only where a control of the recording stands first.

    The other columns say nothing but of samples; a text with a colon there can be meant as nothing else.
    """
    word, colon, _ = text.partition(":")
    if not colon or column not in COLUMNS:
        return False
    if column != COLUMNS[0]:
        return True
    try:
        named = {part.control for target in parse_targets(word) for part in target.parts}
    except RushesError:
        return False
    space = key_space(recording)
    return not named.isdisjoint({name for slot in space.slots for name in (slot.name, *slot.plus)})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # which check_value refuses


def _value_words(value: Any) -> Any:
    return f"{value['control']}: {value['value']}" if isinstance(value, Mapping) else value
