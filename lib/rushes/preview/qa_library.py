"""A whole library under its checks: a row a session, those that need attention first; the rules; the offsets.

Example:
    >>> odd = SessionLine("odd", "Doom", findings=(Finding("mine.x", "error", "mend it"),))
    >>> lines = [SessionLine("calm", "Doom"), odd]
    >>> [line.session for line in by_need(lines)], [line.verdict for line in by_need(lines)]
    (['odd', 'calm'], ['FAIL', 'PASS'])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from matplotlib.ticker import MaxNLocator

from rushes.model.findings import Finding, VerdictName, verdict
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, note, table
from rushes.preview.qa_findings import beyond, counted, worst_first
from rushes.preview.qa_limits import limit_line, limit_of, limit_words, rule_of, with_unit
from rushes.preview.style import BLUE, RED, RULE
from rushes.qa.rules import Limits

OFFSET: Final = "alignment.offset"
_RANK: Final[Mapping[VerdictName, int]] = {"FAIL": 0, "WARN": 1, "PASS": 2}
_MOST: Final = 40
_ROW_PX: Final = 24


@dataclass(frozen=True)
class SessionLine:
    """One session of a library, as its checks left it.

    Attributes:
        session: Its id.
        game: As people say it.
        seconds: Its length, s.
        frames: Its frames.
        findings: What the checks said.
        figures: What they measured; null where nothing did.
        planted: The rule of a planted fault, for a library of the recipe's own; `""` where none is, None elsewhere.
    """

    session: str
    game: str
    seconds: float = 0.0
    frames: int = 0
    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, float | None] = field(default_factory=dict)
    planted: str | None = None

    @property
    def verdict(self) -> VerdictName:
        """PASS, WARN or FAIL."""
        return verdict(self.findings)[0]

    @property
    def serious(self) -> list[Finding]:
        """Errors and warnings, the worst first."""
        return [finding for finding in worst_first(self.findings) if finding.severity != "info"]

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def by_need(lines: Iterable[SessionLine]) -> list[SessionLine]:
    """Sort sessions: FAIL, WARN, PASS; then by errors, warnings, and how far the worst is beyond its limit."""
    return sorted(
        lines,
        key=lambda one: (
            _RANK[one.verdict],
            -one.count("error"),
            -one.count("warning"),
            -max((beyond(finding) for finding in one.serious), default=0.0),
            one.session,
        ),
    )


def attention_table(lines: Iterable[SessionLine], *, most: int = 60) -> Html:
    """Show the sessions, those that need attention first, with their worst finding and their figures."""
    every = by_need(lines)
    told = any(line.planted is not None for line in every)
    drifts = any(line.figures.get("drift_ppm") is not None for line in every)
    columns = [
        "verdict",
        "session",
        *(["planted"] if told else []),
        "findings",
        "the worst, and what to do",
        "offset, ms",
    ]
    columns += [*(["drift, ppm"] if drifts else []), "rate, Hz"]
    rows = []
    for line in every:
        worst = line.serious[0] if line.serious else None
        rows.append(
            [
                line.verdict,
                line.session,
                *([line.planted or "nothing"] if told else []),
                counted(line.serious),
                "" if worst is None else f"{worst.check}: {worst.sentence}",
                _offset(line.figures),
                *([_number(line.figures, "drift_ppm")] if drifts else []),
                _number(line.figures, "rate_hz"),
            ]
        )
    need = sum(line.verdict != "PASS" for line in every)
    caption = f"{need} of {len(every)} sessions need attention"
    return table(columns, rows, caption=caption, colours=True, most=most)


def rules_table(lines: Sequence[SessionLine]) -> Html:
    """Show what each rule said over the library, errors first: in how many sessions, and where it is worst."""
    found: dict[str, list[tuple[SessionLine, Finding]]] = {}
    for line in lines:
        for finding in line.serious:
            found.setdefault(finding.check, []).append((line, finding))
    if not found:
        return note("No rule has anything to say.")
    rows: list[list[Any]] = []
    for name, each in found.items():
        rule = rule_of(name)
        unit = rule.unit if rule else ""
        worst = worst_first([finding for _, finding in each])[0]
        place = next(line.session for line, finding in each if finding is worst)
        limit = None if worst.limit is None else with_unit(worst.limit, unit)
        value = None if worst.value is None else with_unit(worst.value, unit)
        sessions = len({line.session for line, _ in each})
        rows.append([worst.severity, name, rule.what if rule else "", sessions, len(each), place, value, limit])
    rows.sort(key=lambda row: (row[0] != "error", -row[3], row[1]))
    columns = ["severity", "rule", "finds", "sessions", "findings", "worst in", "value", "limit"]
    return table(columns, rows, caption=f"{len(rows)} rules found something", colours=True, most=len(rows))


def offsets_plot(lines: Iterable[SessionLine], limits: Limits) -> HouseFigure | Html:
    """Show the offset of each session with its 90 % interval, between the limits; those without one stand below."""
    every = list(lines)
    known = sorted(
        (line for line in every if line.figures.get("offset_ms") is not None),
        key=lambda line: -abs(line.figures["offset_ms"] or 0.0),
    )
    if not known:
        return note("No offset could be told; the remarks of the check `alignment` say why.")
    shown, left = known[:_MOST], len(known) - _MOST
    figure = new_figure(height_px=110 + _ROW_PX * len(shown))
    axes = figure.add_subplot()
    limit, reach = limit_of(OFFSET, limits), [10.0]
    for row, line in enumerate(shown):
        ms = float(line.figures["offset_ms"] or 0.0)
        low, high = line.figures.get("offset_low_ms"), line.figures.get("offset_high_ms")
        low, high = ms if low is None else low, ms if high is None else high
        out = limit is not None and abs(ms) > limit
        axes.errorbar(
            [ms], [row], xerr=[[max(0.0, ms - low)], [max(0.0, high - ms)]], fmt="o", color=RED if out else BLUE,
            capsize=3, markersize=5, zorder=4,
        )  # fmt: skip
        reach += [abs(low), abs(high), abs(ms)]
    most = max([*reach, (limit or 0.0)]) * 1.25
    axes.set_xlim(-most, most)
    axes.set_ylim(len(shown) - 0.4, -1.3)
    axes.axvline(0.0, color=RULE, linewidth=1.2, zorder=2)
    if limit is not None:
        limit_line(axes, limit, limit_words(OFFSET, limits), left=True)
        limit_line(axes, -limit, f"-{limit:g}")
    axes.set_yticks(range(len(shown)), [line.session for line in shown])
    axes.xaxis.set_major_locator(MaxNLocator(12, steps=[1, 2, 5, 10]))
    cannot = len(every) - len(known)
    said = f"; of {cannot} it cannot be told" * bool(cannot) + f"; {left} smaller ones not shown" * (left > 0)
    label = "offset with its 90 % interval, ms: how much later than its stamp an input takes effect"
    dress(axes, title=f"Offset of {len(known)} sessions{said}", xlabel=label, grid="x")
    figure.alt = f"Offsets of {len(known)} sessions: " + ", ".join(
        f"{line.session} {_offset(line.figures)} ms" for line in shown[:8]
    )
    return figure


def _offset(figures: Mapping[str, float | None]) -> str:
    ms, low, high = (figures.get(name) for name in ("offset_ms", "offset_low_ms", "offset_high_ms"))
    if ms is None:
        return "cannot tell"
    half = "" if low is None or high is None else f" \N{PLUS-MINUS SIGN} {(high - low) / 2:.1f}"
    return f"{ms:+.1f}{half}"


def _number(figures: Mapping[str, float | None], name: str) -> str:
    value = figures.get(name)
    return "\N{EN DASH}" if value is None else f"{value:.1f}"
