"""The verdict: what the checks say of the play, whether a planted offset was found, and whether the exports are equal.

Example (the last cell of the recipe):
    >>> def cell(run, checked, compared):
    ...     return run.finish(judge(checked, compared), figures=figures_of(checked, compared))
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rushes.model.findings import Finding
from rushes.notebook.alignment.examined import Checked
from rushes.notebook.browser_10hz.compared import Compared
from rushes.preview.timing import lateness_ms

_MS: Final = 1e6


def judge(checked: Checked, compared: Compared) -> list[Finding]:
    """Give the findings that make the verdict.

    Args:
        checked: What the checks said.
        compared: How the exports compare.
    """
    return [*checked.findings, *_planted(checked), *compared.findings]


def _planted(checked: Checked) -> list[Finding]:
    planted, offset = checked.take.planted_ms, checked.measured.offset
    if planted is None:
        return []
    if offset.ms is None or offset.low_ms is None or offset.high_ms is None:
        return [Finding("planted.missed", "error", f"planted {planted:+g} ms, and {offset.reason}")]
    within = offset.low_ms <= planted <= offset.high_ms
    said = f"planted {planted:+g} ms, measured {offset}"
    return [Finding("planted.found" if within else "planted.missed", "info" if within else "error", said)]


def figures_of(checked: Checked, compared: Compared) -> dict[str, Any]:
    """Give the figures of verdict.json: of the offset, of rate and jitter, of the exports."""
    recording = checked.take.recording
    between, late = [np.zeros(0)], [np.zeros(0)]
    for segment in recording.segments:
        index = recording.index(segment.index)
        times = index["t_ns"].to_numpy(np.int64)
        between.append(np.diff(times) / _MS)
        late.append(lateness_ms(times, index["tick"], rate_hz=recording.rate_hz) if recording.rate_hz else late[0])
    steps, behind = np.concatenate(between), np.concatenate(late)
    index = recording.index()
    return {
        **checked.figures,
        "planted_offset_ms": checked.take.planted_ms,
        "frames": recording.frame_count,
        "segments": len(recording.segments),
        "dropped": int(index["dropped_before"].sum()),
        "jitter_ms": float(steps.std()) if len(steps) else None,
        "longest_ms": float(steps.max()) if len(steps) else None,
        "late_p99_ms": float(np.percentile(behind, 99)) if len(behind) else None,
        "telemetry_rows": len(recording.telemetry()),
        "comparisons_equal": sum(line.equal for line in compared.lines),
        "comparisons": len(compared.lines),
    }
