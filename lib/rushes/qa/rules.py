"""Rules and their limits: what a check looks for, what it holds it against, in which unit.

A rule has a stable id, `check.rule`, and at most one limit. Limits are parameters: `Limits` gives the default of each
rule, and takes other values by the rule's id. Plots draw them as lines.

Example:
    >>> rules = rules_of(Rule("timing.gap", "time without a frame inside a segment", limit=250.0, unit="ms"))
    >>> Limits().of(rules["timing.gap"]), Limits({"timing.gap": 400}).of(rules["timing.gap"])
    (250.0, 400.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rushes.model.findings import Severity

Sees = Literal["metadata", "tables", "files", "pictures", "sound", "environment", "samples"]
"""What a rule reads: the description and the segments; the tables of frames, steps and events; whole files; decoded
pictures; decoded sound; an environment that is played again; labelled rows. The first two are quick."""
Repairs = Literal["", "invalid", "offset"]

QUICK: Final = frozenset({"metadata", "tables"})


@dataclass(frozen=True)
class Rule:
    """One thing that a check looks for.

    Attributes:
        id: Stable id, `check.rule`.
        what: What it finds, one line for people.
        limit: What the value is held against unless asked otherwise; None for a rule without one.
        unit: Unit of the limit and of the findings' value: `ms`, `s`, `%`, `ppm`, `frames`, `px`, `dB`, `levels` ...
        severity: Of its findings where the limit is passed.
        sees: What it reads.
        repair: What `--fix` may note beside the session: `invalid` marks the finding's stretch, `offset` stores what
            was measured; `""` where nobody but a person can decide.
        needs: What it says `cannot tell` without, or `""`: a reference, `expect_rate_hz` ...
    """

    id: str
    what: str
    limit: float | None = None
    unit: str = ""
    severity: Severity = "warning"
    sees: Sees = "tables"
    needs: str = ""
    repair: Repairs = ""


@dataclass(frozen=True)
class Limits:
    """Limits by the ids of their rules; what is not named has its default.

    Attributes:
        values: Rule id -> limit, in the rule's unit.
    """

    values: Mapping[str, float] = field(default_factory=dict)

    def of(self, rule: Rule) -> float:
        """Give the limit of a rule that has one."""
        default = 0.0 if rule.limit is None else rule.limit
        return float(self.values.get(rule.id, default))


def rules_of(*rules: Rule) -> Mapping[str, Rule]:
    """Name rules by their ids, as each check's module does in its `RULES`."""
    return {rule.id: rule for rule in rules}
