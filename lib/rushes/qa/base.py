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

from rushes.errors import RushesError
from rushes.model.findings import Finding
from rushes.model.recording import Recording, Sessions
from rushes.table import Table

Check = Callable[[Recording], Iterable[Finding]]
"""A check; its findings carry ids that begin with its name in the table."""

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
"""Every row is held to tests/contracts/test_checks.py."""


def run_checks(
    recordings: Recording | Iterable[Recording],
    checks: Sequence[str] = (),
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Finding]:
    """Run checks over recordings.

    Args:
        recordings: One or several.
        checks: Names of the table; empty runs all.
        progress: Called with (done, total, what).

    Returns:
        All findings: what reading a set had to work around, then recording by recording in the order of the table. A
        check that fails on broken data becomes an error finding and hides no other; so does having nothing to check.

    Raises:
        BadNameError: An unknown check; the message names the nearest.
    """
    chosen = [(name, CHECKS.load(name)) for name in (checks or CHECKS)]
    every = [recordings] if isinstance(recordings, Recording) else list(recordings)
    found: list[Finding] = []
    if isinstance(recordings, Sessions):
        found += [
            Finding(check=f"read.{p.kind}", severity="warning", sentence=f"{p.where}: {p.sentence} ({p.count})")
            for p in recordings.own_problems
        ]
    if not any(recording.frame_count for recording in every):
        sentence = "nothing was checked: there is no frame to check; `rushes info` says what was found instead"
        found.append(Finding(check="read.nothing", severity="error", sentence=sentence))
    for number, recording in enumerate(every):
        for name, check in chosen:
            if progress is not None:
                progress(number, len(every), f"{name} {recording.info.game}")
            try:
                found += check(recording)
            except (RushesError, OSError) as error:
                found.append(
                    Finding(check=f"{name}.failed", severity="error", sentence=str(error), session=recording.info.id)
                )
    if progress is not None:
        progress(len(every), len(every), "done")
    return found
