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
            found += line.serious[:WORST]
        else:
            found += _held(line)
    return found


def _held(line: SessionLine) -> Iterator[Finding]:
    mine = [finding for finding in line.serious if finding.check == line.planted]
    if line.planted and not mine:
        yield Finding("planted.missed", "error", f"{line.planted} was planted, and no check says so", line.session)
    if mine:
        sentence = f"planted and found: {line.planted} in {line.session}"
        yield Finding("planted.found", "info", sentence, line.session, value=mine[0].value, limit=mine[0].limit)
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
