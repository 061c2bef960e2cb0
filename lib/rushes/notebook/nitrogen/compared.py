"""Statements about NitroGen data that are held against its files: a line each, a table, findings and figures.

Example:
    >>> one = Compared((line("nitrogen.pt", "windows", 690, 690),), {"windows": 690})
    >>> one.findings[0].severity, figures_of(one)
    ('info', {'windows': 690, 'comparisons': 1, 'comparisons_equal': 1})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.findings import Finding
from rushes.preview.html import Html, table

_ALIKE: Final = 1e-6


@dataclass(frozen=True)
class Line:
    """One statement that was held against a file.

    Attributes:
        output: Name of the export.
        what: What was compared.
        expected: What the session says.
        found: What stands in the file.
        equal: Whether they are the same.
    """

    output: str
    what: str
    expected: str
    found: str
    equal: bool


@dataclass(frozen=True)
class Compared:
    """What was held against files.

    Attributes:
        lines: A statement each.
        figures: Measured values for a verdict.
    """

    lines: tuple[Line, ...]
    figures: Mapping[str, Any]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """An error for each line that is not equal; one remark where all are."""
        wrong = [one for one in self.lines if not one.equal]
        if not wrong:
            outputs = ", ".join(dict.fromkeys(one.output for one in self.lines))
            said = (
                f"{outputs}: all {len(self.lines)} comparisons of what a trainer loads with the session's events hold"
            )
            return (Finding("nitrogen.equal", "info", said),)
        return tuple(
            Finding("nitrogen.differs", "error", f"{x.output}: {x.what}: {x.expected} expected, {x.found} found")
            for x in wrong
        )

    def show(self) -> Html:
        """Show the comparisons, a row each."""
        rows = [[x.output, x.what, x.expected, x.found, "yes" if x.equal else "NO"] for x in self.lines]
        return table(["output", "what", "in the session", "in the file", "equal"], rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def figures_of(*compared: Compared) -> dict[str, Any]:
    """Give the figures of several, and how many of all their lines are equal."""
    lines = [one for each in compared for one in each.lines]
    return {
        **{name: value for each in compared for name, value in each.figures.items()},
        "comparisons": len(lines),
        "comparisons_equal": sum(one.equal for one in lines),
    }


def line(output: str, what: str, expected: object, found: object) -> Line:
    """Make a line of two values.

    Args:
        output: Name of the export.
        what: What was compared.
        expected: What the session says.
        found: What stands in the file.
    """
    return Line(output, what, said(expected), said(found), expected == found)


def said(value: object) -> str:
    """Write a number, a shape (a tuple) or a text for a table."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, tuple):
        return " x ".join(map(said, value))
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def equal_rows(one: npt.ArrayLike, other: npt.ArrayLike) -> int:
    """Count the rows that are the same in both; -1 where they have not the same shape.

    Args:
        one: (N, ...) numbers.
        other: (N, ...) numbers.
    """
    a, b = np.asarray(one, np.float32), np.asarray(other, np.float32)
    if a.shape != b.shape:
        return -1
    return int((np.abs(a - b) <= _ALIKE).all(tuple(range(1, a.ndim))).sum())
