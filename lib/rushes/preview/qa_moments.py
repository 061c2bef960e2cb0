"""Strips of frames around what was found, so that a person sees what a number says.

Each strip has the frame of its finding in the middle, with its number, its time and what was done on it. An offset that
is too large lies nowhere in particular; its moment is the input that the picture answers most clearly.

Example (a recording with frames, and what the checks said of it):
    >>> def look(recording, findings):
    ...     return worst_moments(recording, findings)
    >>> around(10, first=8, stop=40), around(39, first=8, stop=40)
    ([8, 9, 10, 11, 12], [35, 36, 37, 38, 39])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.model.recording import Recording
from rushes.preview.html import Html, Shown, note
from rushes.preview.qa_answers import Answered
from rushes.preview.qa_damage import or_why
from rushes.preview.qa_findings import where, worst_first
from rushes.preview.qa_limits import rule_of, with_unit
from rushes.preview.qa_stretch import Stretch, pixels_of
from rushes.preview.sample_sheet import Cell, Line, Row, paint, shown
from rushes.preview.style import BLUE, INK, MUTED, ORANGE, RED

FRAMES: Final = 5
"""Frames of a strip."""
MOST: Final = 5
"""Strips at the most."""
OFFSET: Final = "alignment.offset"
_COLOURS: Final = {"error": RED, "warning": ORANGE, "info": MUTED}


def around(frame_index: int, *, first: int, stop: int, frames: int = FRAMES) -> list[int]:
    """Choose frames around one, moved so that they stay inside [first, stop)."""
    start = max(first, min(frame_index - frames // 2, stop - frames))
    return list(range(start, min(stop, start + frames)))


@or_why
def worst_moments(
    recording: Recording,
    findings: Iterable[Finding],
    *,
    inputs: Sequence[Answered] = (),
    most: int = MOST,
    frames: int = FRAMES,
) -> Shown | Html:
    """Show a strip of frames around each of the worst findings.

    Args:
        recording: What they are about.
        findings: What the checks said; of one rule only the worst is shown, and no remark.
        inputs: What `rushes.preview.qa_answers.clearest` chose: the first is the moment of an offset that is too large.
        most: Strips at the most.
        frames: Frames of each.
    """
    placed = _placed(recording, findings, inputs)
    if not placed:
        return note("No moment to show: nothing was found at one place.")
    rows = []
    for finding, frame_index, why in placed[:most]:
        stretch, colour = Stretch.around(recording, frame_index), _COLOURS[finding.severity]
        wanted = around(frame_index, first=stretch.first, stop=stretch.stop, frames=frames)
        cells = []
        for k, pixels in zip(wanted, pixels_of(recording, wanted), strict=True):
            mine, held = k == frame_index, stretch.held(k)
            lines = (
                Line(f"frame {k:,}", colour if mine else INK, bold=mine),
                Line(f"{stretch.time_ns(k) / NS:.3f} s", MUTED),
                Line(held or "no input", BLUE if held else MUTED),
            )
            cells.append(Cell(pixels, lines, frame=colour if mine else ""))
        title = finding.check.replace(".", ": ", 1).replace("_", " ")
        rows.append(Row(title, (*_amount(finding), why or where(finding)), tuple(cells)))
    left = len(placed) - len(rows)
    rest = "one strip a rule, the frame of the finding framed; under each what was done until the next"
    rest += f"; {left} more rules not shown" if left > 0 else ""
    alt = "frames around the worst findings: " + ", ".join(f"{f.check} at frame {k}" for f, k, _ in placed[:most])
    return shown(paint("Worst moments", rest, rows), alt=alt)


def _amount(finding: Finding) -> tuple[str, ...]:
    """Say the value and the limit."""
    if finding.value is None:
        return ()
    rule = rule_of(finding.check)
    said = with_unit(finding.value, rule.unit if rule else "")
    return (said if finding.limit is None else f"{said}, limit {with_unit(finding.limit, '')}",)


def _placed(
    recording: Recording, findings: Iterable[Finding], inputs: Sequence[Answered]
) -> list[tuple[Finding, int, str]]:
    """Give the worst finding of each rule with its frame, and why that one where it names none itself."""
    found: dict[str, tuple[Finding, int, str]] = {}
    index = recording.index()
    for finding in worst_first(findings):
        if finding.severity == "info" or finding.check in found or finding.session not in ("", recording.info.id):
            continue
        frame_index, why = finding.frame_index, ""
        if finding.check == OFFSET and inputs:  # where it was measured says less than an input that shows it
            frame_index = inputs[0].answered
            why = f"{inputs[0].control}, stamped at {inputs[0].t_ns / NS:.3f} s, shows in the framed one"
        elif frame_index is None and finding.t_ns is not None and len(index):
            at = int(np.searchsorted(index["t_ns"].to_numpy(np.int64), finding.t_ns, side="right")) - 1
            frame_index = int(index["frame_index"].iloc[max(0, at)])
        if frame_index is not None and any(s.first_frame <= frame_index < s.stop_frame for s in recording.segments):
            found[finding.check] = (finding, frame_index, why)
    return list(found.values())
