"""The parameters of a checking notebook as what `rushes.qa` takes: limits, what is known beforehand, which checks.

Limits are named by their rules and given in the rule's unit, with commas between them:
`timing.gap 300, alignment.offset 40`; `=` or `:` may stand for the space.

Example:
    >>> dict(parse_limits("timing.gap 300, alignment.offset=40").values)
    {'timing.gap': 300.0, 'alignment.offset': 40.0}
    >>> parse_size("640x360")
    (360, 640)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.model.findings import Finding
from rushes.preview.html import Html, note
from rushes.qa.base import CHECKS
from rushes.qa.rules import Limits
from rushes.qa.subject import Expected

_LIMIT: Final = re.compile(r"([A-Za-z0-9_.]+)\s*[=: ]\s*(-?\d+(?:\.\d+)?)")
_SIZE: Final = re.compile(r"(\d+)\s*x\s*(\d+)")


@dataclass(frozen=True)
class Settings:
    """What is checked, and against what.

    Attributes:
        checks: Names of checks; empty for all.
        limits: Limits that were given; defaults for the rest.
        expected: What is known beforehand.
        quick: Whether only descriptions and tables are read.
    """

    checks: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    expected: Expected = field(default_factory=Expected)
    quick: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Settings:
        """Make the settings of a notebook's parameters; those that it does not have are left at their defaults.

        Args:
            parameters: `run.parameters`.

        Raises:
            BadInputError: A limit, a size or a number that means nothing.
            BadNameError: No such check.
        """
        checks = tuple(part.strip() for part in str(parameters.get("checks", "")).split(",") if part.strip())
        for check in checks:
            CHECKS[check]  # an unknown one is refused with the near names
        picture, reference = parameters.get("expect_picture", ""), parameters.get("reference", "")
        expected = Expected(
            size=parse_size(str(parameters.get("expect_size", ""))),
            rate_hz=_above_zero("expect_rate_hz", parameters.get("expect_rate_hz", 0.0)),
            picture=Path(picture) if picture else None,
            reference=open_any(reference)[0] if reference else None,
            game_latency_ms=_above_zero("game_latency_ms", parameters.get("game_latency_ms", 0.0)),
        )
        return cls(checks, parse_limits(str(parameters.get("limits", ""))), expected, bool(parameters.get("quick")))

    def left_out(self) -> tuple[Finding, ...]:
        """Say what nobody looked at, as remarks: what is not said of it is no praise."""
        said = ["pictures, sound and whole files, as `quick` asks"] * self.quick
        missing = [check for check in CHECKS if self.checks and check not in self.checks]
        said += [f"what {', '.join(missing)} would say, which `checks` leaves out"] * bool(missing)
        return tuple(Finding("read.left_out", "info", f"not looked at: {one}") for one in said)

    def show(self) -> Html:
        """Show what was given; the limits in use stand in `limits_table`."""
        said = [f"{name} {value:g}" for name, value in self.limits.values.items()]
        return note("Limits given: " + (", ".join(said) or "none; each rule has its default") + ".")


def parse_limits(text: str) -> Limits:
    """Read limits by the ids of their rules.

    Args:
        text: `timing.gap 300, alignment.offset 40`, or `""` for the defaults. Whether there is such a rule is looked
            at when the checks run.

    Raises:
        BadInputError: A part that is no rule with a number.
    """
    values = {}
    for part in (one.strip() for one in text.split(",")):
        found = _LIMIT.fullmatch(part)
        if part and not found:
            raise BadInputError(
                f"limits={text!r}, of which {part!r}",
                accepts="rules with numbers and commas between them: timing.gap 300, alignment.offset 40",
                fix="write the rule's name, a space and a number in the rule's unit",
            )
        if found:
            values[found[1]] = float(found[2])
    return Limits(values)


def parse_size(text: str) -> tuple[int, int] | None:
    """Read a size as WIDTHxHEIGHT in px, as `rushes qa --expect-size` does.

    Args:
        text: `640x360`.

    Returns:
        (height, width); None for `""`.

    Raises:
        BadInputError: Something else.
    """
    if not text.strip():
        return None
    found = _SIZE.fullmatch(text.strip().lower())
    if not found:
        raise BadInputError(f"expect_size={text!r}", accepts="WIDTHxHEIGHT in px", fix="write 640x360")
    return int(found[2]), int(found[1])


def _above_zero(name: str, value: float) -> float | None:
    """Give a number that was given, None for 0."""
    if value < 0:
        raise BadInputError(
            f"{name}={value:g}", accepts="a number above 0, or 0 where nobody knows", fix="leave it out"
        )
    return float(value) or None
