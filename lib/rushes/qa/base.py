"""What a check is, the tables of checks, and running them over anything that can be read.

A check is a function from a subject (a recording with what several checks want of it) to findings. It says what it
found, where, against which limit, and what to do; silence means that it has nothing to say, and where it cannot tell it
says so as `info`. Its rules stand in `RULES` of its module.

Example:
    >>> def no_frames(subject):
    ...     if not subject.recording.frame_count:
    ...         yield Finding(check="mine.empty", severity="error", sentence="there is no frame")
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from rushes.errors import BadInputError, BadNameError, RushesError, near
from rushes.model.findings import FIGURES, Finding, VerdictName, common_figures, verdict
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.qa.rules import QUICK, Limits, Rule
from rushes.qa.settled import settled
from rushes.qa.subject import Expected, Subject
from rushes.store.checked import facts_of
from rushes.table import Table

Check = Callable[[Subject], Iterable[Finding]]
"""A check; its findings carry ids that begin with its name in the table."""
SampleCheck = Callable[[Samples, Sequence[Recording], Limits], Iterable[Finding]]
"""A check of labelled rows over those of their recordings that are there, with its limits."""

CHECKS: Final = Table(
    "check",
    {
        "structure": (
            "rushes.qa.structure.check:check_structure",
            "",
            "files present and unchanged (SHA-256), ledger balances, times rise, N+1 observations for N actions",
        ),
        "timing": (
            "rushes.qa.timing.check:check_timing",
            "",
            "rate, jitter, gaps, duplicated and dropped frames, times that run back, pauses against the wall clock",
        ),
        "content": (
            "rushes.qa.content.check:check_content",
            "",
            "black, frozen, torn, of the wrong size, upside down, in swapped colours, something burnt in",
        ),
        "actions": (
            "rushes.qa.actions.check:check_actions",
            "",
            "keys that are stuck, pairs that no hand makes, dead axes, a clipped mouse, nothing but idling, repeats",
        ),
        "sound": (
            "rushes.qa.sound.check:check_sound",
            "",
            "silence, clipping, gaps, a clock that runs away from that of the frames",
        ),
        "alignment": (
            "rushes.qa.alignment.check:check_alignment",
            "",
            "how far inputs are from the pictures, with a 90 % interval, drift, and the same for sound",
        ),
        "replay": (
            "rushes.qa.replay:check_replay",
            "",
            "from seed and actions alone the environment gives back every stored frame, bit for bit",
        ),
    },
)
SAMPLE_CHECKS: Final = Table(
    "check",
    {
        "leakage": (
            "rushes.qa.leakage.check:check_leakage",
            "",
            "no sample, window or picture stands in two splits, and none has both labels",
        ),
    },
)
"""Checks of labelled rows. Every row of both tables is held to tests/contracts/test_checks.py."""


@dataclass(frozen=True)
class Examined:
    """What the checks said.

    Attributes:
        findings: All findings: what reading a set had to work around, then its labelled rows where it has some, then
            recording by recording in the order of the table.
        subjects: What was looked at, a recording each, with what was measured on it.
        own: The findings of each of them; those of all stand at the end of `findings`.
    """

    findings: tuple[Finding, ...]
    subjects: tuple[Subject, ...]
    own: tuple[tuple[Finding, ...], ...]

    @property
    def verdict(self) -> tuple[VerdictName, list[str]]:
        """The verdict on all of it, and its reasons."""
        return verdict(self.findings)

    def of(self, subject: Subject) -> list[Finding]:
        """Give the findings about one recording: those of its labelled rows, and its own; two may have one id."""
        at = next(k for k, one in enumerate(self.subjects) if one is subject)
        shared = self.findings[: len(self.findings) - sum(map(len, self.own))]
        return [*(finding for finding in shared if finding.session == subject.recording.info.id), *self.own[at]]

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures of one recording; of several those in which all agree to a microsecond, null for the rest."""
        return common_figures([figures_of(subject) for subject in self.subjects])


def figures_of(subject: Subject) -> dict[str, float | None]:
    """Give the figures of one recording, null where nothing was measured."""
    return {name: subject.figures.get(name) for name in FIGURES}


def rules_held(checks: Sequence[str] = (), *, quick: bool = False) -> list[str]:
    """Give the ids of the rules that checks of recordings hold against each; without names all checks."""
    held = [rule for rule in every_rule().values() if rule.id.partition(".")[0] in (checks or CHECKS)]
    return [rule.id for rule in held if rule.sees != "samples" and (not quick or rule.sees in QUICK)]


@cache
def every_rule() -> Mapping[str, Rule]:
    """Give every rule of both tables by its id, in the order of the tables."""
    found: dict[str, Rule] = {}
    for table in (CHECKS, SAMPLE_CHECKS):
        for name in table:
            found.update(getattr(importlib.import_module(table[name].target.partition(":")[0]), "RULES", {}))
    return found


def run_checks(
    recordings: Recording | Iterable[Recording],
    checks: Sequence[str] = (),
    *,
    limits: Limits | None = None,
    expected: Expected | None = None,
    quick: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Finding]:
    """Run checks over recordings and give their findings; see `examine`, which gives the figures too."""
    found = examine(recordings, checks, limits=limits, expected=expected, quick=quick, progress=progress)
    return list(found.findings)


def examine(
    recordings: Recording | Iterable[Recording],
    checks: Sequence[str] = (),
    *,
    limits: Limits | None = None,
    expected: Expected | None = None,
    quick: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Examined:
    """Run checks over recordings.

    Args:
        recordings: One or several.
        checks: Names of either table; empty runs all.
        limits: Limits by the ids of their rules; defaults for the rest.
        expected: What is known beforehand.
        quick: Read only descriptions and tables: no picture, no sound, no whole file, no environment.
        progress: Called with (done, total, what).

    Returns:
        Findings and figures. A check that fails on broken data becomes an error finding and hides no other; so does
        having nothing to check.

    Raises:
        BadNameError: An unknown check or rule; the message names the nearest.
        BadInputError: A limit for a rule that has none, or that is none.
        MissingError, BadDataError: The screenshot that is expected is not there, or is no picture.
    """
    limits, expected = limits or Limits(), expected or Expected()
    _refuse(limits)
    if expected.picture is not None:  # a wrong path is no fault of a recording
        from rushes.qa.content.reference import screenshot

        screenshot(expected.picture)
    names = [*checks] or [*SAMPLE_CHECKS, *CHECKS]
    for name in names:
        _row(name)
    chosen = [(name, CHECKS.load(name)) for name in names if name in CHECKS]
    every = [recordings] if isinstance(recordings, Recording) else list(recordings)
    found: list[Finding] = []
    if isinstance(recordings, Sessions):
        found += [
            Finding(check=f"read.{p.kind}", severity="warning", sentence=f"{p.where}: {p.sentence} ({p.count})")
            for p in recordings.own_problems
        ]
    samples = recordings.samples if isinstance(recordings, Sessions) else None
    if not samples and not any(recording.frame_count for recording in every):
        sentence = "nothing was checked: there is no frame to check; `rushes info` says what was found instead"
        found.append(Finding(check="read.nothing", severity="error", sentence=sentence))
    found += _about_samples(samples, every, checks, limits, progress)
    subjects, own = [], []
    for number, recording in enumerate(every):
        subject = Subject(recording, limits, expected, quick)
        subjects.append(subject)
        told: list[Finding] = []
        for name, check in chosen:
            if progress is not None:
                progress(number, len(every), f"{name} {recording.info.game}")
            told += _run(name, check, subject, session=recording.info.id)
        own.append(tuple(settled(told, facts_of(recording), every_rule())))
        subject.let_go()
    if progress is not None:
        progress(len(every), len(every), "done")
    return Examined((*found, *(finding for each in own for finding in each)), tuple(subjects), tuple(own))


def _refuse(limits: Limits) -> None:
    """Refuse limits of rules that are not there, or that have none, and such as no value could ever pass or keep."""
    rules = every_rule()
    for name, given in limits.values.items():
        if name not in rules:
            raise BadNameError(
                f"limit of rule {name!r}",
                accepts="a rule: `rushes qa --rules` lists them",
                fix=near(name, rules) or "take a name from the list",
            )
        if rules[name].limit is None:
            raise BadInputError(
                f"a limit for {name}", accepts="a rule that has a limit", fix="`rushes qa --rules` shows which have one"
            )
        usual = rules[name].limit or 0.0
        if not math.isfinite(given) or given < 0 <= usual:
            raise BadInputError(
                f"{name}={given:g} as a limit",
                accepts=f"a number{' from 0 on' if usual >= 0 else ''}, in {rules[name].unit}",
                fix=f"the usual one is {usual:g}",
            )


def _about_samples(
    samples: Samples | None,
    recordings: Sequence[Recording],
    checks: Sequence[str],
    limits: Limits,
    progress: Callable[[int, int, str], None] | None,
) -> list[Finding]:
    found: list[Finding] = []
    for name in checks or SAMPLE_CHECKS:
        if samples and name in SAMPLE_CHECKS:
            if progress is not None:
                progress(0, len(recordings), name)
            found += _run(name, SAMPLE_CHECKS.load(name), samples, recordings, limits)
        elif checks and name in SAMPLE_CHECKS:
            sentence = "nothing was checked: there are no labelled rows; give it what `rushes prepare` wrote"
            found.append(Finding(check=f"{name}.nothing", severity="error", sentence=sentence))
    return found


def _row(name: str) -> None:
    """Refuse a name that stands in neither table."""
    if name not in CHECKS and name not in SAMPLE_CHECKS:
        every = [*CHECKS, *SAMPLE_CHECKS]
        raise BadNameError(
            f"check {name!r}",
            accepts="one of " + ", ".join(every),
            fix=near(name, every) or "take a name from the list",
        )


def _run(name: str, check: Callable[..., Iterable[Finding]], *about: object, session: str = "") -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(*about))  # what it found before it failed is kept
    except (RushesError, OSError) as error:
        found.append(Finding(check=f"{name}.failed", severity="error", sentence=str(error), session=session))
    except Exception as error:  # noqa: BLE001 - tables from anywhere are damaged in any way, and hide no other check
        sentence = (
            f"it could not be looked at ({type(error).__name__}: {error}): its tables are damaged, which "
            "`rushes qa PATH --check structure` may say better, or this is a fault of rushes"
        )
        found.append(Finding(check=f"{name}.failed", severity="error", sentence=sentence, session=session))
    return found
