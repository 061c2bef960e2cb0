"""Whether a rule finds a fault: one injection, or many of them on several processes.

Found means a finding of that very rule, of more weight than `info`, and not already on the session as it was.

Example:
    >>> Injection("timing.gap", 0, 500.0, 10_003).seed
    10003
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from injected.bases import POOL, Rows, kept, to_spoil
from injected.held import Held
from injected.plan import FAULTS, NOT_INJECTED, Fault
from rushes.errors import RushesError
from rushes.formats.base import open_any
from rushes.model.findings import Finding
from rushes.qa.base import CHECKS, SAMPLE_CHECKS
from rushes.qa.leakage.check import check_leakage
from rushes.qa.pictures.signs import Signs, read_signs
from rushes.qa.subject import Expected, Subject

KINDS = (
    "files",
    "emulator",
    "rows",
    "columns",
    "times",
    "spans",
    "hands",
    "actions",
    "pictures",
    "looks",
    "sounds",
    "offsets",
)
"""Files of faults, one for each kind of thing that is spoilt."""


WEAKER = 10
"""Injections at a strength below the stated one: enough to see from where on a fault is found."""


class Injection(NamedTuple):
    """One fault to put in: the rule, which of its faults, how strong, and the seed of its draws."""

    rule: str
    fault: int
    strength: float
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        injection: What was put in.
        found: Whether the rule found it.
        before: Whether the rule spoke on the session as it was.
        told: What it said, or the other rules that spoke.
    """

    injection: Injection
    found: bool
    before: bool
    told: str


def load_faults() -> None:
    """Fill the table of faults."""
    here = Path(__file__).parent
    for name in KINDS:
        if (here / f"{name}.py").exists():
            importlib.import_module(f"injected.{name}")


def injections(fault: Fault, number: int, *, count: int, seed: int) -> Iterator[Injection]:
    """List what is put in for a fault: `count` from the stated strength on, and up to ten of each weaker strength."""
    each = -(-count // len(fault.from_stated_on))
    for at, strength in enumerate(fault.strengths):
        for k in range(each if strength in fault.from_stated_on else min(each, WEAKER)):
            yield Injection(fault.rule, number, strength, seed + 1000 * at + k)


def judge(injection: Injection, work: Path) -> Outcome:
    """Put in one fault and ask the check to which its rule belongs."""
    fault = FAULTS[injection.rule][injection.fault]
    rng = np.random.default_rng([injection.seed, 0xFA17])
    number = 10_000 * (injection.seed >= 10_000) + injection.seed % POOL  # never a session of the seeds for tuning
    base = kept(fault.base, number, work)
    expected = fault.expected(base) if fault.expected else None
    check = fault.rule.partition(".")[0]
    before = _spoke(fault.rule, _before(fault.rule, injection.fault, number, work))
    with tempfile.TemporaryDirectory(prefix="rushes-spoilt-") as scratch:
        thing = to_spoil(base, Path(scratch), rng)
        spoilt = fault.spoil(thing, injection.strength, rng)
        findings = ask(check, thing if spoilt is None else spoilt, expected, base=(fault.base, number, work))
    mine = [f for f in findings if _spoke(fault.rule, [f])]
    told = mine[0].sentence if mine else "; ".join(f"{f.check} ({f.severity}) {f.sentence}" for f in findings)[:600]
    return Outcome(injection, bool(mine) and not before, before, told)


@lru_cache(maxsize=256)
def _before(rule: str, number: int, seed: int, work: Path) -> tuple[Finding, ...]:
    """Ask about a base as it is."""
    fault = FAULTS[rule][number]
    base = kept(fault.base, seed, work)
    expected = fault.expected(base) if fault.expected else None
    thing = base if isinstance(base, Path | Rows) else Held.of(base)
    return tuple(ask(rule.partition(".")[0], thing, expected, base=(fault.base, seed, work)))


def _spoke(rule: str, findings: Iterable[Finding]) -> bool:
    return any(f.check == rule and f.severity != "info" for f in findings)


@lru_cache(maxsize=2)
def _signs(name: str, seed: int, work: Path) -> Signs:
    return read_signs(kept(name, seed, work))


def ask(check: str, thing: Any, expected: Expected | None, *, base: tuple[str, int, Path]) -> list[Finding]:
    """Run one check over what was spoilt; a failure is a finding as `examine` makes it."""
    found: list[Finding] = []
    try:
        if isinstance(thing, Rows):
            found.extend(check_leakage(thing.samples, thing.recordings))
            return found
        several = open_any(thing) if isinstance(thing, Path) else [thing]
        for recording in several:
            subject = Subject(recording, expected=expected or Expected())
            if isinstance(recording, Held) and recording.same_pictures:  # what was decoded once stands for all of them
                subject.__dict__["signs"] = _signs(*base)
            found.extend(CHECKS.load(check)(subject))
    except (RushesError, OSError) as error:
        found.append(Finding(check=f"{check}.failed", severity="error", sentence=str(error)))
    return found


def judge_all(chosen: Sequence[Injection], work: Path, *, workers: int) -> Iterator[Outcome]:
    """Judge many; those of one base come together, so that it is made once."""
    order = sorted(chosen, key=lambda one: (FAULTS[one.rule][one.fault].base, one.seed % POOL, one.rule, one))
    if workers == 1:
        yield from (_one((one, work)) for one in order)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin) as pool:
        yield from pool.map(_one, [(one, work) for one in order], chunksize=6)


def _begin() -> None:
    import cv2

    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    load_faults()


def _one(given: tuple[Injection, Path]) -> Outcome:
    return judge(*given)


def unplanned(rules: Iterable[str]) -> list[str]:
    """Name rules for which no fault is put in and no reason is given."""
    return [rule for rule in rules if rule not in FAULTS and rule not in NOT_INJECTED]


assert set(SAMPLE_CHECKS) == {"leakage"}, "a new check of samples needs a place in `ask`"
