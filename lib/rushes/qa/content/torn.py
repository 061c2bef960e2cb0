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
_AROUND: Final = (-2, -1, 1, 2)  # pictures before and after, in all of which a block moves that counts
_LIVELY: Final = 0.5  # levels by which a block changes that moves
_STANDS: Final = {"blocks": 0.2, "apart_two": 0.35}  # of the usual change: what a block that stands has at most;
# pictures brought to one contrast differ a little where they stand
_GOES: Final = 0.5  # of the usual change: what a block that moves has at least
_MOST_STAND, _MOST_GO = 0.9, 0.75  # share of a part's lively blocks that must; edges of things come and go in some
_BLOCKS: Final = 6  # that many of them at least
_ROWS: Final = 2  # rows of blocks over which they lie at least
_WIDE: Final = 0.5  # share of the width over which they lie, so that one figure is no tear


def parts_that_stand(blocks: Blocks, stands: float = _STANDS["blocks"]) -> Bools:
    """Find pictures of which the upper or lower rows stand still while the others move.

    Only blocks count that move before and after: in a scene of few things these are few, and lie here and there.

    Args:
        blocks: (N, rows, columns), how much each block of each picture differs from an earlier one.
        stands: Share of its usual change that a block has at most where it stands.

    Returns:
        (N,) where blocks above and below a seam move before and after, and only those of one part at that moment.
    """
    reach = max(_AROUND)
    found = np.zeros(len(blocks), bool)
    inner = slice(reach, len(blocks) - reach)
    if len(blocks) <= 2 * reach:
        return found
    blocks = np.nan_to_num(blocks)
    near = np.stack([blocks[reach + k : len(blocks) - reach + k] for k in _AROUND])
    usual = near.min(axis=0)
    lively: Bools = np.greater_equal(usual, _LIVELY)
    own = blocks[inner]
    stood, gone = lively & (own <= stands * usual), lively & (own >= _GOES * usual)
    for cut in range(_ROWS + 1, blocks.shape[1] - _ROWS + 1):
        above, below = slice(0, cut - 1), slice(cut, None)  # the row of blocks between them may be of both
        for still, going in ((above, below), (below, above)):
            one = _alike(stood[:, still], lively[:, still], _MOST_STAND)
            found[inner] |= one & _alike(gone[:, going], lively[:, going], _MOST_GO)
    return found


def _alike(part: Bools, lively: Bools, most: float) -> Bools:
    """Say where most lively blocks of a part do the same, enough of them, and far enough from each other."""
    count, columns = part.sum(axis=(1, 2)), np.asarray(part.any(axis=1))
    width = columns.shape[1]
    wide = width - columns.argmax(axis=1) - columns[:, ::-1].argmax(axis=1)  # from the first to the last of them
    high = part.any(axis=2).sum(axis=1)
    enough = (count >= _BLOCKS) & (wide >= _WIDE * width) & (high >= _ROWS)
    return np.asarray(enough & (count >= most * lively.sum(axis=(1, 2))))


def _torn(seen: Seen, rule: Rule) -> Iterator[Finding]:
    if seen.subject.recording.is_environment:  # which gives each picture whole
        return
    change = seen.column("change")
    moves = ~seen.fresh & (change >= _MOVES)
    if np.count_nonzero(moves) < _ENOUGH:
        return
    usual = float(np.median(change[change > 0]))
    calm = change <= max(_CUT, _CUT_TIMES * usual)
    torn = np.zeros(len(change), bool)
    for name, stands in _STANDS.items():
        torn |= ~seen.fresh & calm & parts_that_stand(seen.column(name).astype(np.float32), stands)
    count = int(np.count_nonzero(torn))
    share = 100.0 * count / np.count_nonzero(moves | torn)
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
