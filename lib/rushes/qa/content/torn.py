"""Torn pictures: rows above from one moment, rows below from another.

A grab that comes while the screen is being redrawn has a part of the picture before in it. That part stands still
against the picture before, or the one two before, while the rest moves; both parts move in the pictures around it.

Example:
    >>> rng = np.random.default_rng(0)
    >>> shown = rng.normal(0, 9, (9, 90, 160))
    >>> shown[4, 50:] = shown[3, 50:]
    >>> blocks = np.abs(np.diff(shown, axis=0, prepend=0)).reshape(9, 9, 10, 16, 10).mean(axis=(2, 4))
    >>> np.flatnonzero(parts_that_stand(blocks.astype(np.float32))).tolist()
    [4]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.findings import Finding
from rushes.qa.content.seen import Bools, Seen, looks_of
from rushes.qa.rules import Rule

Blocks = npt.NDArray[np.float32]

_MOVES: Final = 0.5  # levels from which a picture differs from the one before
_ENOUGH: Final = 20  # moving pictures without which no share is told
_TWICE: Final = 2  # once may be chance
_CUT, _CUT_TIMES = 16.0, 4.0  # levels, and times the usual change: more is another scene, or a flash
_AROUND: Final = (-3, -2, -1, 1, 2, 3)  # pictures before and after, of which one may be torn too
_LIVELY: Final = 0.5  # levels by which a block changes that moves
_WIDE: Final = 0.5  # share of a row of blocks that must move, so that one figure is no tear
_STANDS, _GOES = 0.35, 0.5  # of the usual change: what a part that stands has at most, one that moves at least
_MOST: Final = 0.7  # share of the blocks that must agree
_ROWS: Final = 2  # rows of blocks that a part has at least


def parts_that_stand(blocks: Blocks) -> Bools:
    """Find pictures of which the upper or lower rows stand still while the others move.

    Args:
        blocks: (N, rows, columns), how much each block of each picture differs from an earlier one.

    Returns:
        (N,) where all rows of blocks move before and after, and only one part of them at that moment.
    """
    reach = max(_AROUND)
    found = np.zeros(len(blocks), bool)
    inner = slice(reach, len(blocks) - reach)
    if len(blocks) <= 2 * reach:
        return found
    blocks = np.nan_to_num(blocks)
    near = np.stack([blocks[reach + k : len(blocks) - reach + k] for k in _AROUND])
    usual = np.partition(near, 1, axis=0)[1]  # all of them but one move at least so much
    lively, own = usual >= _LIVELY, blocks[inner]
    wide = lively.mean(axis=2) >= _WIDE
    most = _MOST * lively.sum(axis=2)
    stands = wide & ((lively & (own <= _STANDS * usual)).sum(axis=2) >= most)
    goes = wide & ((lively & (own >= _GOES * usual)).sum(axis=2) >= most)
    for cut in range(_ROWS, blocks.shape[1] - _ROWS + 1):
        above, below = slice(0, cut - 1), slice(cut, None)  # the row of blocks between them may be of both
        found[inner] |= _apart(stands, goes, wide, above, below) | _apart(stands, goes, wide, below, above)
    return found


def _apart(stands: Bools, goes: Bools, wide: Bools, still: slice, going: slice) -> Bools:
    agree = (stands | ~wide)[:, still].all(axis=1) & (goes | ~wide)[:, going].all(axis=1)
    both = (stands[:, still].sum(axis=1) >= _ROWS) & (goes[:, going].sum(axis=1) >= _ROWS)
    return np.asarray(agree & both)


def _torn(seen: Seen, rule: Rule) -> Iterator[Finding]:
    change = seen.column("change")
    moves = ~seen.fresh & (change >= _MOVES)
    if np.count_nonzero(moves) < _ENOUGH:
        return
    usual = float(np.median(change[change > 0]))
    calm = change <= max(_CUT, _CUT_TIMES * usual)
    torn = np.zeros(len(change), bool)
    for name in ("blocks", "apart_two"):
        torn |= moves & calm & parts_that_stand(seen.column(name).astype(np.float32))
    count = int(np.count_nonzero(torn))
    share = 100.0 * count / np.count_nonzero(moves)
    if count >= _TWICE and share >= seen.subject.limit(rule):
        row = int(np.where(torn, change, 0.0).argmax())
        sentence = (
            f"{count} pictures ({share:.1f} % of those in motion) are torn: they show one moment above a seam and "
            f"another below it; the one that moves most is {seen.place(row)}; the limit is "
            f"{seen.subject.limit(rule):g} %: switch on vertical sync, or capture the window by the compositor"
        )
        yield seen.finding(rule, sentence, row=row, value=share)


LOOKS: Final = looks_of(
    (Rule("content.torn", "pictures of two moments", 2.0, "%", sees="pictures"), _torn),
)
