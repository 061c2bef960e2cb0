"""The grid of samples: positives, and below them each kind of negative, every picture with its reason beneath.

A row is a kind. One look says whether positives show the moment before an action, and whether the negatives are truly
none: the reason under each says how far the nearest press is and whether the control was held.

Example (any set of samples with its recordings):
    >>> def look(samples, recordings):
    ...     return sample_grid(samples, lambda some: load_pictures(some, recordings, size=227))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.sample_table import Samples
from rushes.model.samples import SampleKind
from rushes.preview.choose import evenly
from rushes.preview.sample_sheet import COLUMNS, Cell, Line, Pixels, Row, paint
from rushes.preview.sample_words import Done, action_of, hold_words, place_words
from rushes.preview.style import BLUE, GREEN, INK, MUTED

Load = Callable[[Samples], npt.NDArray[np.uint8]]
"""Gives the pictures of samples, (N, T, H, W, 3) uint8 RGB in the order of the table; `prepare.reading.load_pictures`
over their recordings is one."""

WHAT: Final = {
    SampleKind.POSITIVE: "the control goes down",
    SampleKind.UNIFORM: "drawn evenly from what is no positive",
    SampleKind.IDLE: "nothing is done at all",
    SampleKind.NEAR_MISS: "just outside the exclusion around a press",
    SampleKind.HARD: "looks most like a positive",
    SampleKind.SHIFTED: "action of a press, picture of another time",
    SampleKind.SWAPPED: "picture of another control's press",
    SampleKind.CROSS_SESSION: "action of a press, picture of another session",
    SampleKind.DURING_HOLD: "the control is down already",
}
"""What a kind is, in a few words."""


def sample_grid(
    samples: Samples, load: Load, path: str | Path | None = None, *, columns: int = COLUMNS, title: str = "Samples"
) -> Pixels:
    """Show some samples of each kind.

    Args:
        samples: Any set; augmented children are left out.
        load: Gives their pictures.
        path: Where to write it as a PNG file, new; None for nowhere.
        columns: Pictures a row.
        title: Of the sheet.

    Returns:
        (H, W, 3) uint8 RGB: a row a kind; positives first, and one beside each negative; of a window its last picture.

    Raises:
        BadInputError: No sample, or a number of columns below 1.
        OccupiedError: `path` exists.
    """
    if columns < 1:
        raise BadInputError(f"columns={columns!r}", accepts="a whole number from 1", fix="leave columns out")
    rows = samples.rows[samples.rows["parent"] == ""].reset_index(drop=True)
    if rows.empty:
        raise BadInputError("a grid of no samples", accepts="at least one row", fix="look at what left them out")
    positives = rows[rows["kind"] == SampleKind.POSITIVE]
    kinds = [kind for kind in SampleKind if (rows["kind"] == kind).any()]
    chosen: dict[SampleKind, list[int]] = {}
    for kind in kinds:
        beside = len(positives) > 0 and kind is not SampleKind.POSITIVE
        few = chosen_rows(rows[rows["kind"] == kind], max(1, columns // 2) if beside else columns)
        chosen[kind] = [at for row in few.index for at in ((_beside(rows, row, positives), row) if beside else (row,))]
    wanted = sorted({at for places in chosen.values() for at in places})
    some = replace(samples, rows=rows.iloc[wanted].reset_index(drop=True))
    pictures = dict(zip(wanted, load(some)[:, -1], strict=True))
    every = rows.to_dict("records")
    lines = []
    for kind, places in chosen.items():
        count = int((rows["kind"] == kind).sum())
        notes = (f"{count:,} row{'s' * (count != 1)}", WHAT[kind])
        cells = [sample_cell(every[at], pictures[at], samples) for at in places]
        paired = 0 if kind is SampleKind.POSITIVE or positives.empty else 2
        lines.append(Row(kind.value, notes, tuple(cells), together=paired))
    lengths = sorted(set(some.rows["length"].tolist()))
    windows = "" if lengths == [1] else f" Of each window of {'/'.join(map(str, lengths))} frames the last is shown."
    legend = (
        "Left of each pair a positive (green): the one whose action the negative has, else the nearest of its control. "
        f"Under each: its label, the keys and the mouse of its action, why it is no positive, its frame.{windows}"
    )
    return paint(title, legend, lines, path)


def _beside(rows: pd.DataFrame, row: int, positives: pd.DataFrame) -> int:
    """Find the positive to show beside a negative: the owner of its action, else the nearest in its session."""
    one: Mapping[Any, Any] = rows.loc[row].to_dict()
    owner = positives[
        (positives["action_session"] == one["action_session"]) & (positives["action_t_ns"] == one["action_t_ns"])
    ]
    if len(owner):
        return int(owner.index[0])
    for part in (
        positives[(positives["control"] == one["control"]) & (positives["session"] == one["session"])],
        positives[positives["control"] == one["control"]],
        positives,
    ):
        if len(part):
            far = np.abs(part["frame_index"].to_numpy(np.int64) - int(one["frame_index"]))
            return int(part.index[int(far.argmin())])
    return row


def chosen_rows(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose rows evenly over sessions, controls and time.

    Args:
        rows: Of one kind.
        most: How many at the most.
    """
    controls = [part.sort_values(["session", "frame_index"], kind="stable") for _, part in rows.groupby("control")]
    shares = [most // len(controls) + (k < most % len(controls)) for k in range(len(controls))]
    parts = [p.iloc[evenly(len(p), share)] for p, share in zip(controls, shares, strict=True) if share]
    left = most - sum(len(part) for part in parts)
    found = pd.concat(parts)
    if left > 0 and len(rows) > len(found):
        rest = rows.drop(found.index).sort_values(["session", "frame_index"], kind="stable")
        found = pd.concat([found, rest.iloc[evenly(len(rest), left)]])
    return found.iloc[:most]


def sample_cell(row: Mapping[Any, Any], pixels: Pixels, samples: Samples) -> Cell:
    """Make a picture with what is said about its sample; a positive has a green frame.

    Args:
        row: Of the table.
        pixels: (H, W, 3) uint8 RGB.
        samples: The set that the row is of.
    """
    done = action_of(row["keys"], samples.space)
    said = [label_line(row), Line(f"keys: {done.keys}", BLUE), *motion_lines(done)]
    hold = hold_words(row)
    said += [Line(hold)] if hold else []
    said += [Line(reason_words(row), INK)] if row["reason"] else []
    said += [Line(f"{row['session']}, {place_words(row)}", MUTED)]
    return Cell(pixels, tuple(said), arrow=done.arrow, frame=GREEN if row["label"] > 0 else "")


def label_line(row: Mapping[Any, Any]) -> Line:
    """Say what a sample is labelled for, and its label."""
    return Line(f"{row['control']}, label {row['label']:g}", GREEN if row["label"] > 0 else INK, bold=True)


def motion_lines(done: Done) -> list[Line]:
    """Say how the mouse or a stick moved, where it did."""
    return [Line(done.motion, MUTED)] if done.motion else []


def reason_words(row: Mapping[Any, Any]) -> str:
    """Give the reason of a row without the kind that its line is named by."""
    return str(row["reason"]).removeprefix(f"{row['kind']}: ")
