"""The figures of a card for people: how often each column is used, and what a trainer normalises by.

Example:
    >>> column = {"name": "w", "role": "button", "count": 3, "share": 0.75, "mean": 0.75, "std": 0.433, "min": 0.0,
    ...           "max": 1.0, "weight_used": 0.667, "weight_unused": 2.0}
    >>> figures_text({"rows": 4, "columns": [column], "weights": "balanced", "pictures": {"count": 0}, "sound": {}})[4]
    '| w | button | 3 | 75.0 % | 0.75 | 0.433 | 0 to 1 | 0.667 | 2 |'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def figures_text(statistics: Mapping[str, Any]) -> list[str]:
    """Write figures as lines of Markdown.

    Args:
        statistics: What `store.statistics.Statistics.to_json` gives.
    """
    lines = [
        f"What each column holds in {statistics['rows']} rows; weights: {statistics['weights']}.",
        "",
        "| column | role | used in | share | mean | deviation | range | weight, used | weight, not |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for c in statistics["columns"]:
        share = "-" if c["share"] is None else f"{c['share']:.1%}".replace("%", " %")
        span = "-" if c["min"] is None else f"{c['min']:g} to {c['max']:g}"
        figures = (_number(c[name]) for name in ("mean", "std"))
        weights = (_number(c[name]) for name in ("weight_used", "weight_unused"))
        cells = (c["name"], c["role"], str(c["count"]), share, *figures, span, *weights)
        lines.append(f"| {' | '.join(cells)} |")
    if statistics["pictures"]["count"]:
        mean, std = (", ".join(map(_number, statistics["pictures"][name])) for name in ("mean", "std"))
        lines += ["", f"Pictures, from 0 to 1 in red, green, blue: mean {mean}; deviation {std}."]
    if statistics["sound"].get("heard"):
        sound = statistics["sound"]
        told = f"mean {_number(sound['mean'])}, deviation {_number(sound['std'])}"
        lines += ["", f"Sound was heard in {sound['heard']} of {sound['rows']} rows: {told}."]
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
