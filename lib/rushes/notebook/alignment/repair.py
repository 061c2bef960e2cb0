"""The repair: what was measured is stored beside the session as side facts, and everything that is asked to applies it.

Nothing recorded is changed. The measured offset is one line in facts.jsonl; a grid and every export move the inputs by
it where `action_delay_ms` is `measured`. That this mends the recording is measured, not assumed: the inputs are moved
as an export moves them, and the offset is measured anew.

Example (a cell of the notebook, after the checks):
    >>> def cell(run, checked):
    ...     return repair(run, checked)
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.model.clock import NS
from rushes.notebook.alignment.examined import Checked
from rushes.notebook.run import Run
from rushes.preview.html import Html, note, table
from rushes.preview.qa_alignment import OFFSET
from rushes.preview.qa_limits import limit_of
from rushes.qa.alignment.measured import Offset
from rushes.qa.repair import Repair, repairs, store_repairs
from rushes.qa.subject import Subject
from rushes.store.delayed import Delayed, delayed
from rushes.store.facts import Fact
from rushes.store.fingerprint import of_file
from rushes.store.reader import Session, open_session

COPY: Final = "repaired_session"
"""Output of a run on the notebook's own session, which stays as it is, so that the next run finds the fault again."""


@dataclass(frozen=True)
class Mended:
    """What the repair did.

    Attributes:
        would: Repairs that are safe for what was found.
        place: The session that they were stored in, as it is shown; `""` where none was.
        known: How many stood there already; those are not stored again.
        before: The offset that was measured first.
        delay_ms: By how much exports move its inputs when they are asked for the measured offset.
        after: What is measured with that; None where there was no offset to apply.
        limit_ms: What it is held against.
        raw_alike: Whether every recorded file is byte for byte as it was.
        facts: What was stored now.
    """

    would: tuple[Repair, ...]
    before: Offset
    place: str = ""
    known: int = 0
    delay_ms: float | None = None
    after: Offset | None = None
    limit_ms: float | None = None
    raw_alike: bool = True
    facts: tuple[Fact, ...] = ()

    @property
    def within(self) -> bool:
        """Whether what is left lies within the limit, and nothing recorded was touched."""
        left = self.after.ms if self.after is not None else None
        return left is not None and self.limit_ms is not None and abs(left) <= self.limit_ms and self.raw_alike

    def show(self) -> Html:
        """Show what was stored and what is left, or what would be stored."""
        if not self.would:
            return note("There is nothing to repair that a program may decide.")
        rows: list[list[Any]] = [["side fact", f"{_content(one)}: {one.why}"] for one in self.would]
        if not self.place:
            caption = "Nothing was stored. `fix = True`, or `rushes qa PATH --fix`, would store as side facts:"
            return table(["", ""], rows, caption=caption)
        rows.append(["stored in", f"{self.place}: {len(self.facts)} now, {self.known} before"])
        if self.after is not None and self.delay_ms is not None:
            limit = "none" if self.limit_ms is None else f"{self.limit_ms:g} ms"
            rows += [
                ["measured before", str(self.before)],
                ["action_delay_ms=measured", f"moves every input {self.delay_ms:.1f} ms later"],
                ["measured anew with it", str(self.after)],
                [f"within the limit ({limit})", "yes" if self.within else "NO"],
            ]
        rows.append(["recorded files unchanged", "yes" if self.raw_alike else "NO"])
        return table(["", ""], rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def repair(run: Run, checked: Checked) -> Mended:
    """Store what is safe, and measure the offset anew with it applied.

    Args:
        run: With `fix`, which asks for it on a session of the user's own. The notebook's own is always repaired,
            on a copy that is the output `repaired_session`.
        checked: What the checks said.
    """
    take, before = checked.take, checked.measured.offset
    would = tuple(repairs(checked.subject, checked.findings))
    mine = isinstance(take.recording, Session)
    if not would or not mine or not (take.planted or run.parameters.get("fix")):
        return Mended(would, before)
    path = _place(run, checked)
    raw = {file: of_file(file) for file in sorted((path / "chunks").rglob("*")) if file.is_file()}
    done = store_repairs(path, would)
    session = open_session(path)
    moved = delayed(session, "measured") if any(one.kind == "offset" for one in would) else session
    after = None
    if isinstance(moved, Delayed):
        after = Subject(moved, checked.settings.limits, checked.settings.expected).measured.offset
    return Mended(
        would=would,
        before=before,
        place=COPY if take.planted else take.recording.info.id,
        facts=done.facts,
        known=done.known,
        delay_ms=float(moved.delay_ms) if isinstance(moved, Delayed) else None,
        after=after,
        limit_ms=limit_of(OFFSET, checked.settings.limits),
        raw_alike=all(of_file(file) == digest for file, digest in raw.items()),
    )


def _place(run: Run, checked: Checked) -> Path:
    """Give the session that is repaired: the user's own, or a copy of the notebook's."""
    recording = checked.take.recording
    assert isinstance(recording, Session)
    if not checked.take.planted:
        return recording.path
    target = run.path(COPY)
    shutil.copytree(recording.path, target)
    return target


def _content(one: Repair) -> str:
    """Say a side fact in words."""
    if one.kind == "validity" and one.t_start_ns is not None and one.t_end_ns is not None:
        return f"not valid from {one.t_start_ns / NS:.2f} to {one.t_end_ns / NS:.2f} s"
    said = ", ".join(
        f"{k} {v:.1f}" if isinstance(v, float) else f"{k} {v}" for k, v in one.value.items() if v is not None
    )
    return f"{one.kind} ({said})"
