"""The end of a notebook: PASS, WARN or FAIL, with its reasons, for people and for programs.

`verdict.json` holds verdict, reasons, figures and findings; what a program reads there keeps its names.

Example:
    >>> import tempfile
    >>> write_verdict(Path(tempfile.mkdtemp()), (), figures={"rate_hz": 15.0})
    <Verdict PASS: no findings>
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from rushes.model.findings import Finding, VerdictName, verdict
from rushes.preview.html import SEVERITY, findings_table, table
from rushes.preview.style import INK, MUTED
from rushes.store.atomic import replace_text

VERDICT_FILE: Final = "verdict.json"
_SAYS: Final = {
    "PASS": "Every check passed.",
    "WARN": "Usable; what follows is worth knowing first.",
    "FAIL": "Not to be used before this is mended.",
}


@dataclass(frozen=True)
class Verdict:
    """What became of a run.

    Attributes:
        verdict: `PASS`, `WARN` or `FAIL`.
        reasons: One sentence a finding that is not `info`.
        figures: Measured values by name.
        findings: All findings.
        next_notebook: What to open next, or `""`.
        shown: The run folder as it is shown.
    """

    verdict: VerdictName
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]
    findings: tuple[Finding, ...]
    next_notebook: str = ""
    shown: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what stands in verdict.json."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "figures": {name: _plain(value) for name, value in self.figures.items()},
            "findings": [{k: _plain(v) for k, v in finding.to_json().items()} for finding in self.findings],
            "next": self.next_notebook or None,
        }

    def _repr_html_(self) -> str:
        colour = SEVERITY[self.verdict]
        head = (
            f'<div style="border-left:5px solid {colour};padding:4px 0 4px 16px;color:{INK};'
            "font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;line-height:1.5\">"
            f'<div><span style="font-size:22px;font-weight:700;color:{colour}">{self.verdict}</span>'
            f'<span style="color:{MUTED};margin-left:14px">{_SAYS[self.verdict]}</span></div>'
        )
        parts = [head]
        serious = [finding for finding in self.findings if finding.severity != "info"]
        if serious:
            parts.append(findings_table(serious, caption="").html)
        if remarks := len(self.findings) - len(serious):
            parts.append(
                f'<div style="color:{MUTED}">{remarks} remark{"s" if remarks > 1 else ""} in {VERDICT_FILE}.</div>'
            )
        if self.figures:
            rows = [[name, "cannot tell" if _plain(v) is None else _plain(v)] for name, v in self.figures.items()]
            parts.append(table(["figure", "value"], rows)._repr_html_())
        if self.shown:
            parts.append(f'<div style="margin-top:8px">Everything lies in <b>{escape(self.shown)}</b>.</div>')
        if self.next_notebook:
            parts.append(f"<div>Next: <b>{escape(self.next_notebook)}</b></div>")
        return "\n".join((*parts, "</div>"))

    def __repr__(self) -> str:
        return f"<Verdict {self.verdict}: {'; '.join(self.reasons) or 'no findings'}>"


def write_verdict(
    folder: Path,
    findings: Sequence[Finding],
    *,
    figures: Mapping[str, Any] | None = None,
    next_notebook: str = "",
    shown: str = "",
) -> Verdict:
    """Sum findings up and write verdict.json, in one step.

    Args:
        folder: Of the run.
        findings: All that checks had to say.
        figures: Measured values; what is not a finite number is written as null.
        next_notebook: What to open next.
        shown: The folder as it is shown.

    Returns:
        The verdict.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    name, reasons = verdict(findings)
    made = Verdict(name, tuple(reasons), dict(figures or {}), tuple(findings), next_notebook, shown)
    replace_text(
        folder / VERDICT_FILE, json.dumps(made.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    return made


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and not isinstance(value, float) else number
