"""The table of formats with what each keeps, as README and docs show it.

Example:
    >>> format_table_markdown().splitlines()[0]
    '| format | what it is | frames | times | rewards | names | events | telemetry | human | audio |'
"""

from __future__ import annotations

from dataclasses import asdict

from rushes.formats.base import ALIASES, FORMATS, get_format
from rushes.formats.options import parse_options


def format_table_markdown() -> str:
    """Draw what each format keeps, for README and docs.

    Returns:
        A Markdown table with one line a format; "x / -" where `strict` loses what the default keeps.
    """
    columns = ("frames", "times", "rewards", "names", "events", "telemetry", "human", "audio")
    lines = [f"| format | what it is | {' | '.join(columns)} |", "| --- " * (len(columns) + 2) + "|"]
    for name, row in FORMATS.items():
        form = get_format(name)
        options = form.Options()
        both = [form.keeps]
        if hasattr(options, "strict"):
            both.append(form.keeps_with(parse_options(form.Options, {"strict": True})))
        cells = []
        for column in columns:
            words = [_cell(asdict(keeps)[column]) for keeps in both]
            cells.append(words[0] if len(set(words)) == 1 else f"{words[0]} (strict: {words[1]})")
        alias = next((f", `{short}`" for short, long in ALIASES.items() if long == name), "")
        lines.append(f"| `{name}`{alias} | {row.summary} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: bool | str) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"
