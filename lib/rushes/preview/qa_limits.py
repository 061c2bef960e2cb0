"""Limits as people see them: a labelled line in a plot, a row in a table.

A limit belongs to a rule and has the rule's unit (`rushes.qa.rules`). Where a plot shows what a rule measures, the
limit is a red line that says its name; so a value and what it is held against stand in one picture.

Example:
    >>> from rushes.preview.figure import new_figure
    >>> axes = new_figure(height_px=200).add_subplot()
    >>> limit_line(axes, 250.0, "timing.gap 250 ms")
    >>> [text.get_text() for text in axes.texts]
    ['timing.gap 250 ms']
    >>> with_unit(12.3456, "ms"), with_unit(1200.0, "frames")
    ('12.3 ms', '1,200 frames')
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from matplotlib.axes import Axes

from rushes.model.findings import Finding
from rushes.preview.html import Html, rounded, table
from rushes.preview.style import INK, PAPER, RED
from rushes.qa.base import every_rule, rules_held
from rushes.qa.rules import Limits, Rule

_WIDTH: Final = 1.3
_DASHES: Final = (0, (5, 3))
_THOUSANDS: Final = 1000.0
_SOON: Final = 0.03
_SUMMARY: Final = f"style=\"font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;color:{INK}\""
_BACKED: Final = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}


def rule_of(name: str) -> Rule | None:
    """Give a rule by its id; None where there is none of that name."""
    return every_rule().get(name)


def limit_of(name: str, limits: Limits) -> float | None:
    """Give what a rule holds its value against, None where the rule is not there or has no limit.

    Args:
        name: The rule's id.
        limits: What was asked for.
    """
    rule = rule_of(name)
    return None if rule is None or rule.limit is None else limits.of(rule)


def limit_words(name: str, limits: Limits) -> str:
    """Say a limit with its rule and its unit: `timing.gap 250 ms`."""
    rule, limit = rule_of(name), limit_of(name, limits)
    return name if rule is None or limit is None else f"{name} {with_unit(limit, rule.unit)}"


def limit_line(
    axes: Axes,
    at: float,
    words: str,
    *,
    across: Literal["x", "y"] = "x",
    colour: str = RED,
    row: int = 0,
    left: bool = False,
    below: bool = False,
) -> None:
    """Draw a limit as a dashed line with its name.

    Args:
        axes: What is drawn on; its ends stand already.
        at: Where, in the unit of the axis.
        words: What stands beside it.
        across: The axis that the limit belongs to: `x` draws it upright, `y` level.
        colour: Of the line and its words.
        row: The line of words that is used, from the top, so that two limits do not meet.
        left: Put the words of an upright line to its left.
        below: Put the words of a level line below it.
    """
    if across == "x":
        axes.axvline(at, color=colour, linewidth=_WIDTH, linestyle=_DASHES, zorder=4)
        words_beside(axes, at, words, colour=colour, row=row, left=left)
        return
    axes.axhline(at, color=colour, linewidth=_WIDTH, linestyle=_DASHES, zorder=4)
    axes.annotate(
        words, (1.0, at), xycoords=axes.get_yaxis_transform(), xytext=(-4, -3 if below else 3),
        textcoords="offset points", ha="right", va="top" if below else "bottom", fontsize=9, color=colour, zorder=6,
    ).set_in_layout(False)  # fmt: skip


def words_beside(
    axes: Axes, at: float, words: str, *, colour: str, row: int = 0, left: bool = False, bold: bool = False
) -> None:
    """Write beside an upright line, on a ground that keeps other lines off.

    Args:
        axes: What is drawn on.
        at: Where the line stands.
        words: What is said.
        colour: Of the words.
        row: The line of words that is used, from the top.
        left: Whether to the left of it.
        bold: Whether they are bold.
    """
    axes.annotate(
        words, (at, 1.0), xycoords=axes.get_xaxis_transform(), xytext=(-5 if left else 5, -4 - 14 * row),
        textcoords="offset points", ha="right" if left else "left", va="top", fontsize=9, color=colour, zorder=7,
        fontweight="bold" if bold else "normal", bbox=_BACKED,
    ).set_in_layout(False)  # fmt: skip


def from_zero(start: float, length: float) -> float:
    """Give where an axis begins: at 0 where what is shown begins soon after.

    Args:
        start: Where it begins.
        length: How much is shown.
    """
    return start if start > _SOON * length else 0.0


def with_unit(value: float | None, unit: str) -> str:
    """Say a value with its unit, with as many digits as somebody reads.

    Args:
        value: In that unit; None for none.
        unit: As the rule has it, or `""`.
    """
    if value is None:
        return "\N{EN DASH}"
    said = f"{value:,.0f}" if abs(value) >= _THOUSANDS else str(rounded(float(value)))
    return f"{said} {unit}".strip()


def limits_table(
    limits: Limits, findings: Iterable[Finding] = (), *, checks: Iterable[str] = (), quick: bool = False
) -> Html:
    """List every rule that ran and has a limit: what it looks for, its limit with the unit, what was found.

    Args:
        limits: What was asked for.
        findings: What the checks said.
        checks: Names of the checks that ran; empty for all.
        quick: Whether only rules ran that read descriptions and tables alone.
    """
    said: dict[str, list[str]] = {}
    for finding in findings:
        said.setdefault(finding.check, []).append(finding.severity)
    rows = []
    for name in rules_held(tuple(checks), quick=quick):
        rule = every_rule()[name]
        if rule.limit is None:
            continue
        given = "given" if name in limits.values else ""
        rows.append([name, rule.what, with_unit(limits.of(rule), rule.unit), given, _state(said.get(name, []))])
    found = table(["rule", "finds", "limit", "", "says"], rows, colours=True, most=len(rows))
    words = f"{len(rows)} rules with their limits; another limit is given as `limits`, by the rule's name"
    return Html(f"<details><summary {_SUMMARY}>{words}</summary>{found.html}</details>", found.text)


def _state(severities: list[str]) -> str:
    """Sum up what a rule said."""
    for severity in ("error", "warning"):
        if severity in severities:
            return severity
    return "remark" if severities else "nothing"
