"""What a card says about how right its sessions are: what their side facts have, as it was measured before.

Example:
    >>> checked = {"verdict": "PASS", "figures": {"offset_ms": 41.0, "rate_hz": 30.0}, "by": "rushes qa"}
    >>> figures_of([checked, checked])["offset_ms"], figures_of([checked, None])["offset_ms"]
    (41.0, None)
    >>> checked_lines([{"id": "a", **checked}])
    ['- **Checked:** `a` PASS: offset_ms 41, rate_hz 30.']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rushes.model.findings import common_figures

_MOST: Final = 30


def figures_of(checked: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Give the figures in which all sessions agree; null where they do not, or where one was not checked.

    Args:
        checked: What `store.checked.checked_of` gives for each session.
    """
    return common_figures([one["figures"] if one else {} for one in checked])


def checked_lines(checked: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what is stored about each session, a line of Markdown each; figures are those of the source.

    Args:
        checked: The card's `checked`: `id`, `verdict`, `figures`, `by`.
    """
    lines = []
    for one in checked[:_MOST]:
        told = [f"{name} {value:g}" for name, value in one["figures"].items() if value is not None]
        lines.append(
            f"- **Checked:** `{one['id']}` {one['verdict'] or 'no verdict'}: {', '.join(told) or 'no figure'}."
        )
    if len(checked) > _MOST:
        lines.append(f"- and {len(checked) - _MOST} more; `checked` of the card for programs has them all.")
    return lines
