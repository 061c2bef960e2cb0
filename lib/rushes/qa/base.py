"""What a check is, the table of checks, and running them over anything that can be read.

A check is a function from a recording to findings. It says what it found and what to do; silence means that it has
nothing to say, and where it cannot tell it says so as `info`.

Example:
    >>> def no_frames(recording):
    ...     if not recording.frame_count:
    ...         yield Finding(check="mine.empty", severity="error", sentence="there is no frame")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from rushes.errors import BadNameError, RushesError, near
from rushes.model.findings import Finding
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.table import Table

Check = Callable[[Recording], Iterable[Finding]]
"""A check; its findings carry ids that begin with its name in the table."""
SampleCheck = Callable[[Samples, Sequence[Recording]], Iterable[Finding]]
"""A check of labelled rows over those of their recordings that are there."""

CHECKS: Final = Table(
    "check",
    {
        "structure": (
            "rushes.qa.structure:check_structure",
            "",
            "files present and unchanged (SHA-256), ledger balances, times rise, N+1 observations for N actions",
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
            "rushes.qa.leakage:check_leakage",
            "",
            "no sample, window or picture stands in two splits, and none has both labels",
        ),
    },
)
"""Checks of labelled rows. Every row of both tables is held to tests/contracts/test_checks.py."""


def run_checks(
    recordings: Recording | Iterable[Recording],
    checks: Sequence[str] = (),
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Finding]:
    """Run checks over recordings.

    Args:
        recordings: One or several.
        checks: Names of either table; empty runs all.
        progress: Called with (done, total, what).

    Returns:
        All findings: what reading a set had to work around, then its labelled rows where it has some, then recording
        by recording in the order of the table. A check that fails on broken data becomes an error finding and hides no
        other; so does having nothing to check.

    Raises:
        BadNameError: An unknown check; the message names the nearest.
    """
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
    found += _about_samples(samples, every, checks, progress)
    for number, recording in enumerate(every):
        for name, check in chosen:
            if progress is not None:
                progress(number, len(every), f"{name} {recording.info.game}")
            found += _run(name, check, recording, session=recording.info.id)
    if progress is not None:
        progress(len(every), len(every), "done")
    return found


def _about_samples(
    samples: Samples | None,
    recordings: Sequence[Recording],
    checks: Sequence[str],
    progress: Callable[[int, int, str], None] | None,
) -> list[Finding]:
    found: list[Finding] = []
    for name in checks or SAMPLE_CHECKS:
        if samples and name in SAMPLE_CHECKS:
            if progress is not None:
                progress(0, len(recordings), name)
            found += _run(name, SAMPLE_CHECKS.load(name), samples, recordings)
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
    return found
