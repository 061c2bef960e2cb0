"""A whole library under its checks: session after session on all cores, one held at a time by each.

A worker opens its session itself and gives back what the checks said, a few hundred bytes; so a library of any size
takes the memory of as many sessions as there are workers. A session that cannot be opened is a line that says so.

Example (a cell of the recipe):
    >>> def cell(run):
    ...     return check_library(tasks_of("data/sessions"), Settings.of(run.parameters))
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2

from rushes.capture.env.work import Progress, pool
from rushes.errors import RushesError
from rushes.formats.base import open_any
from rushes.model.findings import Finding, verdict
from rushes.model.recording import Recording, Sessions
from rushes.notebook.alignment.planted_take import PLANTED
from rushes.notebook.alignment.settings import Settings
from rushes.preview.html import Html, note
from rushes.preview.qa_library import SessionLine, attention_table
from rushes.qa.base import examine, figures_of
from rushes.qa.repair import AUTHOR
from rushes.store.facts import add_fact
from rushes.store.reader import Session

MOST_FINDINGS: Final = 100
"""Findings of one session that are kept; further ones are counted in a remark."""


@dataclass(frozen=True)
class Task:
    """One recording of a library.

    Attributes:
        path: What to open.
        number: Which of its recordings.
        name: What it is called.
        own: Whether it is a session of ours, which side facts can be added to.
        planted: Whether it is of the recipe's own library, whose faults are planted.
    """

    path: Path
    number: int
    name: str
    own: bool
    planted: bool = False


@dataclass(frozen=True)
class Tasks:
    """What is to be checked.

    Attributes:
        each: A task a recording.
        format: What the path was read as.
        problems: What reading it had to work around, as findings.
    """

    each: tuple[Task, ...]
    format: str
    problems: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.each)

    def show(self) -> Html:
        """Say how many there are, and what they were read as."""
        return note(f"{len(self)} recordings, read as {self.format}.")

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


@dataclass(frozen=True)
class Checked:
    """What the checks said of a library.

    Attributes:
        lines: A line a recording, in the order of the library.
        problems: What concerns the whole path.
        kept: How many verdicts were stored as side facts.
    """

    lines: tuple[SessionLine, ...]
    problems: tuple[Finding, ...]
    kept: int = 0

    def show(self) -> Html:
        """Show the recordings, those that need attention first."""
        return attention_table(self.lines)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def tasks_of(path: str | Path, *, planted: bool = False) -> Tasks:
    """List what a path holds; tables and pictures are not read.

    Args:
        path: A folder of sessions, one session, or anything else that can be read.
        planted: Whether it is the recipe's own library, whose faults are planted.
    """
    sessions = open_any(path)
    found = tuple(
        Task(recording.path, 0, recording.info.id, own=True, planted=planted)
        if isinstance(recording, Session)
        else Task(Path(path), number, recording.info.id, own=False)
        for number, recording in enumerate(sessions)
    )
    problems = tuple(
        Finding(check=f"read.{p.kind}", severity="warning", sentence=f"{p.where}: {p.sentence} ({p.count})")
        for p in sessions.own_problems
    )
    return Tasks(found, sessions.format, problems)


def check_library(
    tasks: Tasks,
    settings: Settings,
    *,
    keep: bool = False,
    workers: int = 0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Run the checks over every recording.

    Args:
        tasks: What `tasks_of` listed.
        settings: Which checks, against what.
        keep: Store each verdict as a side fact of its session, where `rushes library` shows it.
        workers: Processes; 0 takes one a core.
        executor: Where to run instead; left open.
        progress: Called with (done, total, what).
    """
    found: dict[Task, SessionLine] = {}
    with pool(executor, workers=workers, tasks=len(tasks)) as where:
        futures = {where.submit(check_one, task, settings): task for task in tasks.each}
        for number, future in enumerate(as_completed(futures), 1):
            task = futures.pop(future)
            found[task] = future.result()
            if progress is not None:
                progress(number, len(tasks), task.name)
    lines = tuple(found[task] for task in tasks.each)
    kept = sum(_keep(task, found[task]) for task in tasks.each) if keep else 0
    return Checked(lines, (*tasks.problems, *settings.left_out()), kept)


def check_one(task: Task, settings: Settings) -> SessionLine:
    """Check one recording; what goes wrong is a finding.

    Args:
        task: Which.
        settings: Which checks, against what.
    """
    cv2.setNumThreads(1)  # a worker a core
    try:
        recording = _opened(str(task.path))[task.number]
        examined = examine(
            recording, settings.checks, limits=settings.limits, expected=settings.expected, quick=settings.quick
        )
    except (RushesError, OSError) as error:
        return SessionLine(task.name, "", findings=(Finding("read.failed", "error", str(error), task.name),))
    return SessionLine(
        session=recording.info.id,
        game=recording.info.game,
        seconds=recording.duration_s,
        frames=recording.frame_count,
        findings=_few(examined.findings),
        figures=figures_of(examined.subjects[0]),
        planted=_planted(recording) if task.planted else None,
    )


@lru_cache(1)
def _opened(path: str) -> Sessions:
    return open_any(path)


def _planted(recording: Recording) -> str | None:
    planted = recording.info.provenance.get(PLANTED)
    return planted if isinstance(planted, str) else None


def _few(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    ranked = sorted(findings, key=lambda f: {"error": 0, "warning": 1, "info": 2}[f.severity])
    left = len(ranked) - MOST_FINDINGS
    if left <= 0:
        return tuple(findings)
    more = Finding("read.more", "info", f"{left} more findings", ranked[0].session)
    return (*ranked[:MOST_FINDINGS], more)


def _keep(task: Task, line: SessionLine) -> int:
    """Store a verdict beside its session; 0 where it is no session of ours."""
    if not task.own:
        return 0
    name, reasons = verdict(line.findings)
    value = {"verdict": name, "reasons": list(reasons), "figures": dict(line.figures)}
    add_fact(task.path, "verdict", value, author=AUTHOR)
    return 1
