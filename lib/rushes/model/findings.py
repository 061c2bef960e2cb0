"""Findings: what a check says, and the verdict that follows from all of them.

Example:
    >>> verdict([Finding(check="structure.hash", severity="error", sentence="chunk 0001 was changed")])
    ('FAIL', ['structure.hash: chunk 0001 was changed'])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Severity = Literal["info", "warning", "error"]
VerdictName = Literal["PASS", "WARN", "FAIL"]
CANNOT_TELL: Final = "cannot tell"
"""How the sentence of a rule begins that needs what is not there."""
FIGURES: Final = ("offset_ms", "offset_low_ms", "offset_high_ms", "drift_ppm", "rate_hz")
"""Figures that verdicts and cards name, null where nothing measured them."""
_RANK: Final[Mapping[str, VerdictName]] = {"info": "PASS", "warning": "WARN", "error": "FAIL"}
_ORDER: Final[tuple[VerdictName, ...]] = ("PASS", "WARN", "FAIL")


@dataclass(frozen=True)
class Finding:
    """One thing that a check has to say.

    Attributes:
        check: Stable id, `room.rule`.
        severity: `info` passes, `warning` makes WARN, `error` makes FAIL.
        sentence: What was found and what to do, for a person.
        session: Session id, or `""`.
        stream: `frames`, `actions`, `events` ... or `""`.
        frame_index: Where, or None.
        t_ns: When, ns since session start, or None.
        value: What was measured, or None.
        limit: What it was held against, or None.
        t_end_ns: End of the stretch that begins at `t_ns`, ns since session start, or None: what a mark `valid: false`
            over [t_ns, t_end_ns) would take out.
    """

    check: str
    severity: Severity
    sentence: str
    session: str = ""
    stream: str = ""
    frame_index: int | None = None
    t_ns: int | None = None
    value: float | None = None
    limit: float | None = None
    t_end_ns: int | None = None

    @property
    def tells_nothing(self) -> bool:
        """Whether the rule could not tell."""
        return self.severity == "info" and self.sentence.startswith(CANNOT_TELL)

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Problem:
    """Something in a foreign or broken file that reading had to work around.

    Attributes:
        kind: Stable id (`missing_action`, `truncated_png` ...).
        where: Path or row.
        count: How many times.
        sentence: What it means, for a person.
    """

    kind: str
    where: str
    count: int
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Return the problem as plain JSON values."""
        return asdict(self)


def common_figures(several: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the figures in which several recordings agree, null for the rest and where there is none."""
    agree = {name: {one.get(name) for one in several} for name in FIGURES}
    return {name: next(iter(values)) if len(values) == 1 else None for name, values in agree.items()}


def verdict(findings: Iterable[Finding]) -> tuple[VerdictName, list[str]]:
    """Sum findings up.

    Args:
        findings: Any number of findings.

    Returns:
        The worst of PASS, WARN and FAIL, and one reason for each finding that is not `info`.
    """
    worst, reasons = "PASS", []
    for finding in findings:
        rank = _RANK[finding.severity]
        if rank != "PASS":
            reasons.append(f"{finding.check}: {finding.sentence}")
        worst = max(worst, rank, key=_ORDER.index)
    return _ORDER[_ORDER.index(worst)], reasons
