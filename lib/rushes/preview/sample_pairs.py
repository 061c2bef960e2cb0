"""Nearest neighbours across the label: the positives and negatives that look most alike, side by side.

If a person cannot tell the two pictures of a pair apart, a model cannot either: then the negative lies too near to the
press, or the press does not depend on the picture. The distance is the root mean square difference of two tiny
pictures, in grey levels of 0 to 255.

Example (any set of samples with its recordings):
    >>> def look(samples, recordings, load):
    ...     return pairs_sheet(nearest_pairs(samples, recordings), load)
    >>> nearest([[0, 0], [9, 9]], [[8, 9], [0, 4]], most=1)
    [(1, 0, 0.7071067811865476)]
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.preview.sample_grid import Load, sample_cell
from rushes.preview.sample_sheet import Pixels, Row, paint
from rushes.store.looks import look_at

Floats = npt.NDArray[np.float64]

MOST: Final = 2
"""Pairs a control."""
MOST_CONTROLS: Final = 4
"""Controls that are shown at the most: those with the nearest pairs."""
_BLOCK: Final = 1024
"""Positives that are held against all negatives at a time."""


@dataclass(frozen=True)
class Pairs:
    """Positives with the negatives that look most like them.

    Attributes:
        samples: The set that they are of.
        found: Control -> (positive, negative, distance): positions in `samples.rows`, and grey levels; the control with
            the nearest pair first, its nearest pair first.
        equal: Pairs of one control whose pictures are equal at 64 x 64 px.
        positives: How many positives were looked at.
        negatives: How many negatives were looked at.
    """

    samples: Samples
    found: Mapping[str, tuple[tuple[int, int, float], ...]]
    equal: int
    positives: int
    negatives: int

    @property
    def nearest(self) -> float:
        """The smallest distance, grey levels; NaN where there is no pair."""
        return min((d for pairs in self.found.values() for _, _, d in pairs), default=math.nan)


def nearest_pairs(samples: Samples, recordings: Iterable[Recording], *, most: int = MOST) -> Pairs:
    """Find the positives and negatives of one control that look most alike.

    Args:
        samples: Any set; augmented copies are left out.
        recordings: Those that its pixels lie in.
        most: Pairs a control at the most; every sample stands in one pair only.

    Returns:
        The pairs; of a window the last picture counts.

    Raises:
        BadInputError: A session of the samples is not among the recordings.
    """
    rows = samples.rows
    own = np.flatnonzero((rows["parent"] == "").to_numpy())
    last = (rows["frame_index"] + rows["length"] - 1).to_numpy(np.int64)
    sessions, labels = rows["session"].to_numpy(object), rows["label"].to_numpy(float)
    given = {recording.info.id: recording for recording in recordings}
    small: npt.NDArray[Any] | None = None
    content = np.zeros(len(rows), np.uint64)
    for session in sorted(set(sessions[own])):
        if session not in given:
            raise BadInputError(
                f"samples of the session {session}",
                accepts=f"samples of {', '.join(given) or 'no recording'}",
                fix="pass the recordings that the samples were made from",
            )
        here = own[sessions[own] == session]
        looks = look_at(given[session], np.unique(last[here]))
        place = np.searchsorted(looks.frame_index, last[here])
        flat = looks.small.reshape(len(looks.small), -1)
        if small is None:
            small = np.zeros((len(rows), flat.shape[1]), np.float32)
        small[here], content[here] = flat[place], looks.content[place]
    if small is None:
        return Pairs(samples, {}, 0, 0, 0)
    found: dict[str, tuple[tuple[int, int, float], ...]] = {}
    equal = 0
    controls = rows["control"].to_numpy(object)
    for control in sorted(set(controls[own])):
        about = own[controls[own] == control]
        positive, negative = about[labels[about] > 0], about[labels[about] == 0]
        near = nearest(small[positive], small[negative], most=most)
        if near:
            found[str(control)] = tuple((int(positive[p]), int(negative[n]), d) for p, n, d in near)
        equal += int(np.isin(content[negative], content[positive]).sum())
    best = dict(sorted(found.items(), key=lambda one: one[1][0][2]))
    count = int((labels[own] > 0).sum())
    return Pairs(samples, best, equal, count, len(own) - count)


def nearest(first: npt.ArrayLike, second: npt.ArrayLike, *, most: int) -> list[tuple[int, int, float]]:
    """Find pairs that lie nearest, each row in one pair only.

    Args:
        first: (P, D) numbers.
        second: (N, D) numbers.
        most: Pairs at the most.

    Returns:
        (row of the first, row of the second, root mean square difference), nearest first.
    """
    here, there = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not len(here) or not len(there):
        return []
    candidates: list[tuple[float, int, int]] = []
    squares = (there**2).sum(1)
    keep = min(len(there), most)
    for start in range(0, len(here), _BLOCK):
        block = here[start : start + _BLOCK]
        far = (block**2).sum(1)[:, None] + squares[None] - 2 * block @ there.T
        near = np.argpartition(far, keep - 1, axis=1)[:, :keep]
        for row, columns in enumerate(near):
            exact = ((block[row] - there[columns]) ** 2).mean(1)
            candidates += [(float(d), start + row, int(n)) for d, n in zip(exact, columns, strict=True)]
    taken_first: set[int] = set()
    taken_second: set[int] = set()
    found: list[tuple[int, int, float]] = []
    for square, p, n in sorted(candidates):
        if len(found) < most and p not in taken_first and n not in taken_second:
            taken_first.add(p)
            taken_second.add(n)
            found.append((p, n, math.sqrt(square)))
    return found


def pairs_sheet(pairs: Pairs, load: Load, path: str | Path | None = None) -> Pixels:
    """Show pairs, a line a control: the positive (framed) and the negative that looks most like it.

    Args:
        pairs: See `nearest_pairs`.
        load: Gives the pictures of samples.
        path: Where to write it as a PNG file, new; None for nowhere.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadInputError: No pair.
        OccupiedError: `path` exists.
    """
    if not pairs.found:
        raise BadInputError(
            "neighbours of samples of one class", accepts="positives and negatives of one control", fix="make negatives"
        )
    table: pd.DataFrame = pairs.samples.rows
    shown = dict([*pairs.found.items()][:MOST_CONTROLS])
    wanted = [place for near in shown.values() for p, n, _ in near for place in (p, n)]
    some = replace(pairs.samples, rows=table.iloc[wanted].reset_index(drop=True))
    distinct = replace(some, rows=some.rows.drop_duplicates("sample_id").reset_index(drop=True))
    pictures = dict(zip(distinct.rows["sample_id"], load(distinct)[:, -1], strict=True))
    cells = [sample_cell(row, pictures[row["sample_id"]], some) for row in some.rows.to_dict("records")]
    lines, at = [], 0
    for control, near in shown.items():
        apart = " and ".join(f"{d:.1f}" for _, _, d in near)
        lines.append(
            Row(control, (f"apart by {apart} grey levels",), tuple(cells[at : at + 2 * len(near)]), together=2)
        )
        at += 2 * len(near)
    left = len(pairs.found) - len(shown)
    rest = (
        "Left of each pair the positive (green), right the negative that looks most like it. "
        f"The most alike of {pairs.positives:,} positives and {pairs.negatives:,} negatives; "
        f"{pairs.equal:,} negatives show a picture that is equal to a positive's."
        + (f" {left:,} more controls are not shown." if left else "")
    )
    return paint("Nearest neighbours across the label", rest, lines, path)
