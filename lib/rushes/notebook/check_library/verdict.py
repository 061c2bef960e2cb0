"""The verdict on a library: what the checks say, or, of the recipe's own, whether they found what is planted.

Example (the last cell of the recipe):
    >>> def cell(run, checked):
    ...     return run.finish(judge(checked), figures=figures_of(checked))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rushes.model.findings import Finding
from rushes.notebook.check_library.checking import Checked
from rushes.preview.qa_library import SessionLine, by_need
from rushes.preview.qa_limits import rule_of, with_unit

WORST: Final = 3
"""Findings of a session that stand in verdict.json; all of them where there is a planted fault."""


def judge(checked: Checked) -> list[Finding]:
    """Give the findings that make the verdict.

    Args:
        checked: What the checks said. Where faults were planted, a found one is a remark, a missed one an error, and
            anything else stays what it is.
    """
    found = list(checked.problems)
    for line in by_need(checked.lines):
        if line.planted is None:
            found += [*line.serious[:WORST], *_more(line)]
        else:
            found += _held(line)
    return found


def _more(line: SessionLine) -> Iterator[Finding]:
    """Say how many findings of a session do not stand here."""
    left = len(line.serious) - WORST
    if left > 0:
        sentence = f"{left} more of {line.session}: `rushes qa` on it, or notebook 02, says them"
        yield Finding("read.more", "info", sentence, line.session)
    yield from (finding for finding in line.findings if finding.check == "read.more")


def _held(line: SessionLine) -> Iterator[Finding]:
    mine = [finding for finding in line.serious if finding.check == line.planted]
    if line.planted and not mine:
        yield Finding("planted.missed", "error", f"{line.planted} was planted, and no check says so", line.session)
    if mine:
        value, limit = mine[0].value, mine[0].limit
        unit = rule.unit if (rule := rule_of(mine[0].check)) else ""
        sentence = f"planted and found: {line.planted} in {line.session}"
        sentence += "" if value is None else f", {with_unit(value, unit)}, limit {with_unit(limit, unit)}"
        yield Finding("planted.found", "info", sentence, line.session, value=value, limit=limit)
    yield from (finding for finding in line.serious if finding.check != line.planted)


def figures_of(checked: Checked) -> dict[str, Any]:
    """Give the figures of verdict.json."""
    lines = checked.lines
    known = [line for line in lines if line.figures.get("offset_ms") is not None]
    figures: dict[str, Any] = {
        "sessions": len(lines),
        **{
            f"sessions_{name.lower()}": sum(line.verdict == name for line in lines) for name in ("PASS", "WARN", "FAIL")
        },
        "frames": sum(line.frames for line in lines),
        "offset_known": len(known),
        "largest_offset_ms": max((abs(line.figures["offset_ms"] or 0.0) for line in known), default=None),
        "verdicts_kept": checked.kept,
    }
    faulty = [line for line in lines if line.planted]
    if any(line.planted is not None for line in lines):
        figures["planted_faults"] = len(faulty)
        figures["planted_found"] = sum(any(f.check == line.planted for f in line.serious) for line in faulty)
    return figures
