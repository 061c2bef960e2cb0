"""The verdict: of a recording of the user's own what the checks say; of the planted session whether they found it.

A planted fault is no fault of the recording. So its finding becomes a remark, planted against measured, and the verdict
is PASS when the planted fault was found, nothing else was, and the repair mended it. A fault that was missed, or one
that nobody planted, is what it is.

Example (the last cell of the notebook):
    >>> def cell(run, checked, mended):
    ...     return run.finish(judge(checked, mended), figures=figures_of(checked, mended))
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rushes.model.findings import Finding
from rushes.notebook.alignment.examined import Checked
from rushes.notebook.alignment.repair import Mended
from rushes.preview.html import Html, note, table
from rushes.preview.qa_findings import worst_first
from rushes.preview.qa_limits import rule_of, with_unit
from rushes.qa.base import every_rule
from rushes.qa.settled import settled


def judge(checked: Checked, mended: Mended) -> list[Finding]:
    """Give the findings that make the verdict.

    Args:
        checked: What the checks said.
        mended: What the repair did.
    """
    planted = checked.take.planted
    found = [_told(f, planted) for f in worst_first(checked.findings)]
    if not planted:
        return settled(found, mended.facts, every_rule())
    seen = {f.check for f in checked.findings if f.severity != "info"}
    found += [
        Finding("planted.missed", "error", f"{rule}: planted {value:g}, and no check says so", session)
        for rule, value in planted.items()
        if rule not in seen
        for session in (checked.take.recording.info.id,)
    ]
    if not mended.within:
        left = "nothing was measured" if mended.after is None else str(mended.after)
        found.append(Finding("planted.not_mended", "error", f"with the stored offset applied: {left}"))
    return found


def figures_of(checked: Checked, mended: Mended) -> dict[str, Any]:
    """Give the figures of verdict.json."""
    every = checked.findings
    figures = dict(checked.figures)
    figures |= {
        "findings_error": sum(f.severity == "error" for f in every),
        "findings_warning": sum(f.severity == "warning" for f in every),
        "findings_info": sum(f.severity == "info" for f in every),
    }
    if checked.take.planted:
        after = mended.after
        figures |= {
            "planted_offset_ms": checked.take.planted_ms,
            "repaired_offset_ms": None if after is None else after.ms,
            "repaired_low_ms": None if after is None else after.low_ms,
            "repaired_high_ms": None if after is None else after.high_ms,
        }
    return figures


def planted_table(checked: Checked) -> Html:
    """Show what was planted beside what was measured, a row a fault."""
    if not checked.take.planted:
        return note("Nothing was planted in a recording of your own; what the checks say of it stands above.")
    rows = []
    for name, value in checked.take.planted.items():
        rule = rule_of(name)
        unit = rule.unit if rule else ""
        said = next((f for f in checked.findings if f.check == name and f.severity != "info"), None)
        rows.append(
            [
                name,
                with_unit(value, unit),
                "nothing" if said is None else with_unit(said.value, unit),
                "" if said is None or said.value is None else f"{said.value - value:+.1f} {unit}",
                "NO" if said is None else "yes",
            ]
        )
    return table(["rule", "planted", "measured", "apart", "found"], rows, caption="Planted and found")


def _told(finding: Finding, planted: dict[str, float]) -> Finding:
    """Make a remark of a finding that was planted."""
    if finding.check not in planted or finding.severity == "info":
        return finding
    unit = rule.unit if (rule := rule_of(finding.check)) else ""
    told = f"planted {with_unit(planted[finding.check], unit)}, measured {with_unit(finding.value, unit)}"
    return replace(finding, severity="info", sentence=f"planted and found: {finding.check}, {told}")
