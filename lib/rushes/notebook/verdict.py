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
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from rushes.model.findings import Finding, VerdictName, verdict
from rushes.preview.html import SEVERITY, findings_table, rounded, table
from rushes.preview.page import VERDICT_MARK
from rushes.preview.style import INK, MUTED
from rushes.store.atomic import replace_text

VERDICT_FILE: Final = "verdict.json"
_MOST_REMARKS: Final = 8
_MOST_REASONS: Final = 4
_MOST_FILES: Final = 12
_SAYS: Final = {
    "PASS": "Nothing stands against using it.",
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
        files: Names of the outputs, with their sizes in bytes.
    """

    verdict: VerdictName
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]
    findings: tuple[Finding, ...]
    next_notebook: str = ""
    shown: str = ""
    files: Mapping[str, int] = field(default_factory=dict)

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
            f'<div {VERDICT_MARK} style="border-left:5px solid {colour};padding:4px 0 4px 16px;color:{INK};'
            "font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;line-height:1.5\">"
            f'<div><span style="font-size:22px;font-weight:700;color:{colour}">{self.verdict}</span>'
            f'<span style="color:{MUTED};margin-left:14px">{_SAYS[self.verdict]}</span></div>'
        )
        parts = [head]
        serious = [finding for finding in self.findings if finding.severity != "info"]
        if serious:
            parts.append(findings_table(serious, caption="").html)
        parts += self._remarks()
        sides = []
        if self.figures:
            rows = [
                [name, "cannot tell" if _plain(v) is None else rounded(_plain(v))] for name, v in self.figures.items()
            ]
            sides.append(table(["figure", "value"], rows)._repr_html_())
        if self.files:
            sizes = [[name, f"{size / 1e6:.2f}"] for name, size in [*self.files.items()][:_MOST_FILES]]
            left = len(self.files) - len(sizes)
            sides.append(table(["file", "MB"], [*sizes, *([[f"{left} more", None]] if left else [])])._repr_html_())
        if sides:
            boxes = "".join(f"<div>{side}</div>" for side in sides)
            parts.append(f'<div style="display:flex;flex-wrap:wrap;gap:4px 48px;margin-top:8px">{boxes}</div>')
        if self.shown:
            parts.append(f'<div style="margin-top:8px">Everything lies in <b>{escape(self.shown)}</b>.</div>')
        if self.next_notebook:
            parts.append(f"<div>Next: <b>{escape(self.next_notebook)}</b></div>")
        return "\n".join((*parts, "</div>"))

    def _remarks(self) -> list[str]:
        """What checks found to be so, as the proof that an export was read back or play replayed."""
        told = [finding for finding in self.findings if finding.severity == "info"]
        said = list(dict.fromkeys(finding.sentence for finding in told if not finding.tells_nothing))
        if len(said) > _MOST_REMARKS:
            said[_MOST_REMARKS:] = [f"{len(said) - _MOST_REMARKS} more remarks in {VERDICT_FILE}"]
        silent: dict[str, list[str]] = {}
        for finding in told:
            if finding.tells_nothing and finding.check not in silent.setdefault(finding.sentence, []):
                silent[finding.sentence].append(finding.check)
        reasons = [*silent.items()]
        said += [f"{', '.join(checks)}: {sentence}" for sentence, checks in reasons[:_MOST_REASONS]]
        if left := reasons[_MOST_REASONS:]:
            checks = dict.fromkeys(check for _, each in left for check in each)
            said.append(f"{', '.join(checks)}: cannot tell either; {VERDICT_FILE} says why")
        return [f'<div style="color:{MUTED}">{escape(sentence)}.</div>' for sentence in said]

    def __repr__(self) -> str:
        return f"<Verdict {self.verdict}: {'; '.join(self.reasons) or 'no findings'}>"


def write_verdict(
    folder: Path,
    findings: Sequence[Finding],
    *,
    figures: Mapping[str, Any] | None = None,
    next_notebook: str = "",
    shown: str = "",
    files: Mapping[str, int] | None = None,
) -> Verdict:
    """Sum findings up and write verdict.json, in one step.

    Args:
        folder: Of the run.
        findings: All that checks had to say.
        figures: Measured values; what is not a finite number is written as null.
        next_notebook: What to open next.
        shown: The folder as it is shown.
        files: Names of the outputs, with their sizes in bytes.

    Returns:
        The verdict.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    name, reasons = verdict(findings)
    made = Verdict(name, tuple(reasons), dict(figures or {}), tuple(findings), next_notebook, shown, dict(files or {}))
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
