"""What a fault is, and the table of all that are put in: for each rule how a session is spoilt, and how much.

A fault is a function of a session of its own to spoil, a strength and a random generator; where, in which colour and
for how long it draws from the generator. Strengths go from weak to strong, and from the stated one on the rule has to
find it.

Example:
    >>> @fault("mine.gap", base="play", strengths=(0.1, 0.5, 1.0), stated=0.5, unit="s without a frame")
    ... def gap(held, strength, rng):
    ...     'frames are missing'
    >>> FAULTS.pop("mine.gap")[0].from_stated_on
    (0.5, 1.0)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushes.qa.subject import Expected

Rng = np.random.Generator
Spoil = Callable[[Any, float, Rng], Any]
"""(a session of its own, strength, draws) -> the spoilt one, or None where it was changed in place."""


@dataclass(frozen=True)
class Fault:
    """A way to spoil a session that one rule has to find.

    Attributes:
        rule: Id of the rule.
        base: What is spoilt: a name of `bases.BASES`.
        strengths: From weak to strong.
        stated: From this strength on it has to be found.
        unit: Of the strength.
        what: What a person would say is wrong.
        spoil: Does it.
        expected: Gives what is known beforehand from the unspoilt session, or None.
    """

    rule: str
    base: str
    strengths: tuple[float, ...]
    stated: float
    unit: str
    what: str
    spoil: Spoil
    expected: Callable[[Any], Expected] | None = None

    @property
    def from_stated_on(self) -> tuple[float, ...]:
        """The strengths at which it has to be found."""
        return self.strengths[self.strengths.index(self.stated) :]


FAULTS: dict[str, list[Fault]] = {}
"""Rule -> its faults; most have one."""
NOT_INJECTED: dict[str, str] = {}
"""Rule -> why no fault is put in for it."""


def fault(
    rule: str,
    *,
    base: str,
    strengths: tuple[float, ...],
    stated: float,
    unit: str,
    expected: Callable[[Any], Expected] | None = None,
) -> Callable[[Spoil], Spoil]:
    """Enter a function into the table; its docstring says what a person would say is wrong."""
    assert stated in strengths, f"{rule}: {stated} is no strength"

    def enter(spoil: Spoil) -> Spoil:
        what = (spoil.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        made = Fault(rule, base, strengths, stated, unit, what, spoil, expected)
        FAULTS.setdefault(rule, []).append(made)
        return spoil

    return enter
