"""What side facts have dealt with: findings in stretches that are marked invalid, and offsets that are stored.

Example:
    >>> mark = Fact("1", "validity", 0, 100, {"valid": False}, "me", "")
    >>> gap = Finding("timing.gap", "warning", "nothing came for 40 ns", t_ns=20, t_end_ns=60)
    >>> [one.severity for one in settled([gap], [mark], {"timing.gap": Rule("timing.gap", "a gap")})]
    ['info']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rushes.model.findings import Finding
from rushes.qa.rules import Rule
from rushes.store.facts import Fact


def settled(findings: Iterable[Finding], facts: Sequence[Fact], rules: Mapping[str, Rule]) -> list[Finding]:
    """Turn findings that side facts have dealt with into remarks.

    Args:
        findings: About one session.
        facts: Its side facts.
        rules: Rules by their ids.

    Returns:
        The same findings in the same order; of severity `info` where their stretch is marked invalid, or where the
        offset that was found is the one that is stored.
    """
    marks = [f for f in facts if f.kind == "validity" and not f.value["valid"]]
    offsets = [f for f in facts if f.kind == "offset"]
    found = []
    for finding in findings:
        rule = rules.get(finding.check)
        if finding.severity == "info" or rule is None:
            found.append(finding)
        elif any(_within(finding, mark) for mark in marks):
            told = f"{finding.sentence} (marked invalid: loaders and exports leave it out)"
            found.append(replace(finding, severity="info", sentence=told))
        elif rule.repair == "offset" and any(_explains(fact, finding) for fact in offsets):
            told = f"{finding.sentence} (stored: action_delay_ms=measured takes it away)"
            found.append(replace(finding, severity="info", sentence=told))
        else:
            found.append(finding)
    return found


def _within(finding: Finding, mark: Fact) -> bool:
    if finding.t_ns is None or finding.t_end_ns is None:
        return False
    start = mark.t_start_ns is None or mark.t_start_ns <= finding.t_ns
    return start and (mark.t_end_ns is None or finding.t_end_ns <= mark.t_end_ns)


def _explains(fact: Fact, finding: Finding) -> bool:
    """Say whether a stored offset is the one that was found, as far as its own interval reaches."""
    if fact.t_start_ns is not None or fact.t_end_ns is not None or finding.value is None:
        return False
    value = fact.value
    if finding.check.endswith(".drift"):
        return value["drift_ppm"] is not None and abs(value["drift_ppm"] - finding.value) <= (finding.limit or 0)
    slack = max(float(value["high"]) - float(value["low"]), 1.0)
    return bool(abs(float(value["ms"]) - finding.value) <= slack)
