"""What checks of samples find, in words: a row that stands for all, and the first pair that should not be one.

Example:
    >>> key, part = np.array(["a", "a", "b"], object), np.array(["train", "test", "test"], object)
    >>> in_two(key, part).tolist(), first_pair(key, part, in_two(key, part))
    ([True, True, False], (0, 1))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.findings import Finding, Severity
from rushes.qa.rules import Rule, rules_of

_SHARE: Final = 0.01
"""Share of rows with pictures of another split, or of positives with pictures of a negative, that is borne: a title
screen comes again in every session."""

RULES: Final = rules_of(
    Rule("leakage.balance", "positives and rows of each split", severity="info", sees="samples"),
    Rule("leakage.family", "a sample and its copy in two splits", severity="error", sees="samples"),
    Rule("leakage.group", "a group in two splits", severity="error", sees="samples"),
    Rule("leakage.overlap", "a frame that windows of two splits show", severity="error", sees="samples"),
    # A second of play changes a picture as much as most windows look back; a split by time promises its own gap.
    Rule("leakage.near", "windows of two splits that stand near each other", limit=1.0, unit="s", sees="samples"),
    Rule("leakage.frame_number", "a frame number in two splits", limit=_SHARE, unit="share", sees="samples"),
    Rule("leakage.undecided", "rows without a split beside rows with one", sees="samples"),
    Rule("leakage.no_such_frame", "frames that their session does not have", severity="error", sees="samples"),
    Rule("leakage.marked_invalid", "rows that show what is marked invalid", severity="error", sees="samples"),
    Rule("leakage.unseen", "rows whose pictures are not there", severity="info", sees="samples"),
    Rule("leakage.equal_pictures", "equal pictures in two splits", limit=_SHARE, unit="share", sees="samples"),
    Rule("leakage.alike_pictures", "pictures in two splits that look alike", limit=_SHARE, unit="share",
         sees="samples"),
    Rule("leakage.contradiction", "a frame with both labels", severity="error", sees="samples"),
    Rule("leakage.near_press", "a negative within the exclusion of a positive", sees="samples"),
    Rule("leakage.copies", "changed copies of one label alone", sees="samples"),
    Rule("leakage.same_look", "positives that look like a negative", limit=_SHARE, unit="share", sees="samples"),
)  # fmt: skip
"""Severity is that above the limit, or below it where a few are borne: then it is a warning, and an error above."""

Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[Any]


def finding(
    rule: str,
    severity: Severity,
    sentence: str,
    row: pd.Series[Any] | None = None,
    *,
    value: float | None = None,
    limit: float | None = None,
) -> Finding:
    """Make a finding of the check `leakage`, at the place of a row."""
    place: dict[str, Any] = {}
    if row is not None:
        place = {"session": row["session"], "frame_index": int(row["frame_index"]), "t_ns": int(row["t_ns"])}
    return Finding(f"leakage.{rule}", severity, sentence, stream="samples", value=value, limit=limit, **place)


def across(
    rule: str, sentence: str, table: pd.DataFrame, key: npt.NDArray[Any], part: Texts, *, share: float | None = None
) -> Iterator[Finding]:
    """Find rows that share a key with a row of another part.

    Args:
        rule: Name of the rule.
        sentence: What is said, with `{count}` rows, `{keys}` keys, and the first `{pair}` or its `{key}`.
        table: The rows.
        key: (N,) what no two parts may share.
        part: (N,) part of each row; a row without one counts nowhere.
        share: Share of the rows that count from which on it is an error and no warning; None makes it an error always.
    """
    rows = in_two(key, part)
    if not rows.any():
        return
    first, count = first_pair(key, part, rows), int(rows.sum())
    value = float(count / (part != "").sum()) if share is not None else float(count)
    said = sentence.format(count=count, keys=len(set(key[rows].tolist())), key=key[first[0]], pair=pair(table, first))
    severity: Severity = "warning" if share is not None and value <= share else "error"
    yield finding(rule, severity, said, table.iloc[first[0]], value=value, limit=share or 0.0)


def in_two(key: Texts, part: Texts) -> Bools:
    """Say which rows share their key with a row of another part; a row without part counts nowhere."""
    counted = np.flatnonzero(part != "")
    both = pd.DataFrame({"key": key[counted], "part": part[counted]})
    found = np.zeros(len(key), bool)
    found[counted] = (both.groupby("key")["part"].transform("nunique") > 1).to_numpy()
    return found


def first_pair(key: Texts, part: Texts, rows: Bools) -> tuple[int, int]:
    """Give the first of some rows, and the first that shares its key in another part."""
    here = int(np.flatnonzero(rows)[0])
    return here, int(np.flatnonzero(rows & (key == key[here]) & (part != part[here]))[0])


def pair(table: pd.DataFrame, rows: tuple[int, int]) -> str:
    """Name two rows with their splits."""
    one, other = (table.iloc[row] for row in rows)
    splits = [f" ({row['split']})" if row["split"] else "" for row in (one, other)]
    return f"{one['sample_id']}{splits[0]} and {other['sample_id']}{splits[1]}"
