"""Findings for people: what is wrong, where, by how much against which limit, and what to do; the worst stand first.

Example:
    >>> late = Finding("alignment.offset", "warning", "store it with `rushes qa PATH --fix`", value=202.4, limit=150.0)
    >>> gap = Finding("mine.gap", "error", "look at it", frame_index=40, t_ns=2_000_000_000)
    >>> [finding.check for finding in worst_first([late, gap])]
    ['mine.gap', 'alignment.offset']
    >>> where(gap), where(late)
    ('frame 40, 2.00 s', 'all of it')
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.preview.html import Html, note, table
from rushes.preview.qa_limits import rule_of, with_unit

_RANK: Final = {"error": 0, "warning": 1, "info": 2}
_CANNOT: Final = "cannot tell"
MOST: Final = 80


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: errors before warnings before remarks, and in each those farthest beyond their limits first.

    Args:
        findings: Any number.
    """
    return sorted(findings, key=lambda f: (_RANK[f.severity], f.sentence.startswith(_CANNOT), -beyond(f)))


def beyond(finding: Finding) -> float:
    """Tell how far a value is from its limit, as a factor above 0: 2 for twice as large, or half; 0 without a limit.

    Args:
        finding: With a value and a limit, or not.
    """
    value, limit = finding.value, finding.limit
    if value is None or limit is None or not math.isfinite(value) or not math.isfinite(limit):
        return 0.0
    if not value or not limit:
        return 1.0 + abs(value - limit)
    ratio = abs(value / limit)
    return max(ratio, 1 / ratio)


def where(finding: Finding) -> str:
    """Say where a finding lies: frame and seconds of the session, a stretch, or all of it.

    Args:
        finding: Any.
    """
    parts = [] if finding.frame_index is None else [f"frame {finding.frame_index:,}"]
    if finding.t_ns is not None:
        end = "" if finding.t_end_ns is None else f" to {finding.t_end_ns / NS:.2f}"
        parts.append(f"{finding.t_ns / NS:.2f}{end} s")
    return ", ".join(parts) or "all of it"


def findings_sheet(findings: Iterable[Finding], *, most: int = MOST) -> Html:
    """Show findings, the worst first, with place, value, limit and what to do.

    Args:
        findings: Any number.
        most: Rows at the most.
    """
    every = worst_first(findings)
    if not every:
        return note("No findings: every check passed.")
    rows = []
    for group in _together(every):
        finding, rule = group[0], rule_of(group[0].check)
        unit = rule.unit if rule else ""
        alone = len(group) == 1
        rows.append(
            [
                finding.severity,
                finding.check if alone else f"{len(group)} rules",
                where(finding),
                with_unit(finding.value, unit),
                with_unit(finding.limit, unit) if alone else None,
                finding.sentence + ("" if alone else f" ({', '.join(one.check for one in group)})"),
            ]
        )
    caption = f"Findings: {counted(every)}"
    columns = ["severity", "rule", "where", "value", "limit", "what was found, what to do"]
    return table(columns, rows, caption=caption, colours=True, most=most)


def _together(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put remarks that say the same of the same place into one row, such as rules that cannot tell for one reason."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        same = (finding.sentence, finding.session, finding.t_ns, finding.frame_index)
        groups.setdefault(same if finding.severity == "info" else number, []).append(finding)
    return list(groups.values())


def counted(findings: Sequence[Finding]) -> str:
    """Say how many findings there are of each kind: `1 error, 2 warnings, 3 remarks`."""
    said = []
    for severity, word in (("error", "error"), ("warning", "warning"), ("info", "remark")):
        if many := sum(f.severity == severity for f in findings):
            said.append(f"{many} {word}" + ("s" if many != 1 else ""))
    return ", ".join(said) or "none"
