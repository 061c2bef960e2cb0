"""One recording under all checks: opening it, running them, and what they measured.

Example (cells of the notebook):
    >>> def cells(run):
    ...     settings = Settings.of(run.parameters)
    ...     take = open_take(run)
    ...     return examine_take(run, take, settings)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rushes.errors import BadNameError, near
from rushes.formats.base import open_any
from rushes.model.findings import Finding
from rushes.model.recording import Recording, Sessions
from rushes.notebook.alignment.planted_take import PLANTED
from rushes.notebook.alignment.sample import alignment_source
from rushes.notebook.alignment.settings import Settings
from rushes.notebook.run import Run
from rushes.preview.html import Html, table
from rushes.preview.qa_glance import glance
from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.base import CHECKS, examine, figures_of, rules_held
from rushes.qa.subject import Subject


@dataclass(frozen=True)
class Take:
    """What is looked at.

    Attributes:
        recording: It.
        format: What it was read as.
        problems: What reading the path had to work around and what lies beside it, as findings.
        planted: Rule -> planted value, for the notebook's own session; empty for any other.
    """

    recording: Recording
    format: str
    problems: tuple[Finding, ...]
    planted: dict[str, float]

    @property
    def planted_ms(self) -> float | None:
        """The planted offset, None where nobody planted one."""
        return self.planted.get("alignment.offset")

    def show(self) -> Html:
        """Show it at a glance."""
        return glance(self.recording, format=self.format)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


@dataclass(frozen=True)
class Checked:
    """What the checks said of it.

    Attributes:
        take: What was looked at.
        settings: Against what.
        subject: With what was measured.
        findings: All of them, in the order of the checks.
    """

    take: Take
    settings: Settings
    subject: Subject
    findings: tuple[Finding, ...]

    @property
    def measured(self) -> Measured:
        """The alignment; where no check wanted it, that it was not measured."""
        held = self.subject.__dict__.get("measured")
        return held or Measured(Offset("input_picture", reason="the check `alignment` did not run"))

    @property
    def figures(self) -> dict[str, Any]:
        """The figures that a verdict names."""
        return figures_of(self.subject)

    def show(self) -> Html:
        """Show what each check said, in numbers."""
        rows = []
        for name in self.settings.checks or CHECKS:
            mine = [f for f in self.findings if f.check.partition(".")[0] == name]
            cannot = sum(f.severity == "info" and f.sentence.startswith("cannot tell") for f in mine)
            counts = [sum(f.severity == severity for f in mine) for severity in ("error", "warning", "info")]
            said = "FAIL" if counts[0] else "WARN" if counts[1] else "PASS"
            rows.append([name, len(rules_held([name], quick=self.settings.quick)), *counts, cannot, said])
        return table(
            ["check", "rules", "errors", "warnings", "remarks", "of these cannot tell", ""], rows, colours=True
        )

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def open_take(run: Run) -> Take:
    """Open what the parameters name, or the notebook's own session.

    Args:
        run: With `source` and, where a path holds several recordings, `session`: an id, or a number from 0.

    Raises:
        BadNameError: No such recording in it; the message names the nearest.
    """
    source = str(run.parameters["source"])
    path = run.input(source or alignment_source(run.name, progress=run.bar("making a session")))
    sessions = open_any(path)
    recording = _chosen(sessions, str(run.parameters.get("session", "")))
    return take_of(sessions, recording, {} if source else dict(recording.info.provenance[PLANTED]))


def take_of(sessions: Sessions, recording: Recording, planted: dict[str, float]) -> Take:
    """Take one recording of what a path gave, with what reading had to work around and what lies beside it.

    Args:
        sessions: All that the path gave.
        recording: The one that is looked at.
        planted: Rule -> planted value.
    """
    problems = tuple(
        Finding(check=f"read.{p.kind}", severity="warning", sentence=f"{p.where}: {p.sentence} ({p.count})")
        for p in sessions.own_problems
    )
    if others := len(sessions) - 1:
        sentence = f"not looked at: {others} more beside it; `session` names one, recipes/check_library.ipynb takes all"
        problems = (*problems, Finding("read.others", "info", sentence, recording.info.id, value=float(others)))
    return Take(recording, sessions.format, problems, planted)


def examine_take(run: Run, take: Take, settings: Settings) -> Checked:
    """Run the checks; a bar shows how far they are.

    Args:
        run: The run.
        take: What is looked at.
        settings: Which checks, against what.
    """
    found = examine(
        take.recording,
        settings.checks,
        limits=settings.limits,
        expected=settings.expected,
        quick=settings.quick,
        progress=run.bar("checking"),
    )
    return Checked(take, settings, found.subjects[0], (*take.problems, *settings.left_out(), *found.findings))


def _chosen(sessions: Sessions, wanted: str) -> Recording:
    ids = [recording.info.id for recording in sessions]
    if not wanted and ids:
        return sessions[0]
    if wanted in ids:
        return sessions[ids.index(wanted)]
    if wanted.isdecimal() and int(wanted) < len(ids):
        return sessions[int(wanted)]
    raise BadNameError(
        f"session={wanted!r} in a path with {len(ids)} recordings",
        accepts="an id, or a number from 0: " + (", ".join(ids[:8]) or "there is none"),
        fix=near(wanted, ids) or "leave it out for the first one",
    )
