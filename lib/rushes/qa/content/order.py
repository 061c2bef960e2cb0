"""Rules about pictures in time: frozen, repeated without being marked, swapped, foreign ones in between.

Example:
    >>> sorted(LOOKS)
    ['content.blink', 'content.frozen', 'content.out_of_order', 'content.repeats']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.qa.content.seen import Bools, Seen, looks_of, stretches
from rushes.qa.rules import Rule

Blocks = npt.NDArray[np.float32]
_NAMED: Final = 20  # stretches that are named
_STILL: Final = 0.3  # levels that an encoder changes in a picture that stands
_STILL_BLOCK: Final = 2.0  # the same in any one block
_BIN_NS: Final = 100_000_000
_INPUTS: Final = 5  # tenths of a second with a new input, so that something should have happened
_MOVES: Final = 0.5  # levels from which a picture is said to differ from the one before
_WIDE: Final = 0.3  # share of the picture that moves with the camera; a figure alone may well rest between two steps
_SOON_NS: Final = 500_000_000
_ENOUGH: Final = 20  # moving pictures without which no share is told
_PLAIN: Final = 8  # levels between the darkest and the brightest of a plain picture, with an encoder's noise
_FOREIGN: Final = 8.0  # levels by which a foreign picture differs from those around it
_ALIKE: Final = 0.8  # by how much those around it may differ from each other, as a share of that
_TOLD, _TOLD_SHARE = 0.6, 0.1  # levels, and share, by which one change of a block is told from another
_BLOCKS: Final = 6  # of 144: so many must show which of two orders is right
_SIX: Final = 6
_TWICE: Final = 2  # once may be chance
_CLEARLY: Final = 3  # times as many blocks as show the opposite, for each of the two neighbours


def _still(seen: Seen) -> Bools:
    """Frames that show what the one before showed."""
    blocks = seen.column("blocks").astype(np.float32).reshape(len(seen.signs), -1)
    still = (seen.column("change") <= _STILL) & (blocks.max(axis=1, initial=0.0) <= _STILL_BLOCK)
    return np.asarray(still & ~seen.fresh)


def _input_bins(seen: Seen) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Tenths of a second in which something was pressed, released, moved or turned; rising, each once."""
    events = seen.subject.events
    chosen = events["kind"].isin(("press", "release", "move", "axis", "scroll"))
    return np.unique(events["t_ns"].to_numpy(np.int64)[chosen.to_numpy(bool)] // _BIN_NS)


def _frozen(seen: Seen, rule: Rule) -> Iterator[Finding]:
    if seen.subject.recording.is_environment:  # what it shows follows from its steps: `replay.differs` speaks for it
        return
    bins, times, limit = _input_bins(seen), seen.column("t_ns"), seen.subject.limit(rule)
    found = []
    for start, stop in stretches(_still(seen), seen.column("segment")):
        first = max(start - 1, 0)  # the picture that stands was new one row earlier
        seconds = (seen.end_ns[stop - 1] - times[first]) / NS
        inputs = int(np.diff(np.searchsorted(bins, [times[first] // _BIN_NS + 1, seen.end_ns[stop - 1] // _BIN_NS]))[0])
        if seconds >= limit and inputs >= _INPUTS:
            found.append((seconds, first, stop, inputs))
    kept = sorted(sorted(found, reverse=True)[:_NAMED], key=lambda run: run[1])
    for number, (seconds, start, stop, inputs) in enumerate(kept):
        more = len(found) - len(kept) if number == len(kept) - 1 else 0
        sentence = (
            f"the picture stands for {seconds:.1f} s from {seen.place(start)} on while inputs come in {inputs} tenths "
            f"of a second{f', and {more} shorter times' if more else ''}; the limit is {limit:g} s: the capture froze, "
            "or a menu was open; mark the stretch as not valid"
        )
        yield seen.finding(rule, sentence, row=start, stop=stop, value=seconds)


def _repeats(seen: Seen, rule: Rule) -> Iterator[Finding]:
    recording = seen.subject.recording
    if recording.is_environment or recording.kept_at_moments:  # a step, or a second input at once, may change nothing
        return
    index = seen.subject.index
    marked = index["duplicate"].to_numpy(bool) if len(index) == len(seen.signs) else np.zeros(len(seen.signs), bool)
    wide = (seen.column("blocks").astype(np.float32) >= _MOVES).mean(axis=(1, 2)) >= _WIDE
    moves = ~seen.fresh & (seen.column("change") >= _MOVES) & wide
    same = seen.column("same").astype(bool) & ~marked & ~seen.fresh
    lone = same & _between(seen, moves)
    total = int(np.count_nonzero(moves | lone))
    if total < _ENOUGH or not lone.any():
        return
    share = 100.0 * np.count_nonzero(lone) / total
    if share >= seen.subject.limit(rule):
        row = int(np.flatnonzero(lone)[0])
        sentence = (
            f"{np.count_nonzero(lone)} pictures ({share:.0f} % of those in motion) repeat the one before and are not "
            f"marked as duplicates, the first at {seen.place(row)}; the limit is {seen.subject.limit(rule):g} %: the "
            "game or the capture is slower than the stated rate; record or export at the rate that is really there"
        )
        yield seen.finding(rule, sentence, row=row, value=share)


def _between(seen: Seen, moves: Bools) -> Bools:
    """Frames with motion soon before and soon after them."""
    times, rows = seen.column("t_ns"), np.arange(len(moves))
    before = np.maximum.accumulate(np.where(moves, rows, -1))
    after = np.minimum.accumulate(np.where(moves, rows, len(rows))[::-1])[::-1]
    known = (before >= 0) & (after < len(rows))
    near = known.copy()
    near[known] &= times[rows[known]] - times[before[known]] <= _SOON_NS
    near[known] &= times[after[known]] - times[rows[known]] <= _SOON_NS
    return near


def _out_of_order(seen: Seen, rule: Rule) -> Iterator[Finding]:
    if seen.subject.recording.is_environment:  # its pictures come in the order of its steps
        return
    one, two = (seen.column(name).astype(np.float32) for name in ("apart", "apart_two"))
    if len(one) < _SIX:
        return
    # of pictures b d c e, with d and c exchanged, b-d and c-e are two steps long, and b-c, d-e and d-c one
    into, back, out = one[1:-2], one[2:-1], one[3:]
    over, beyond = two[2:-1], two[3:]
    swapped = _further((into, over), (out, beyond), back)
    right = _further((over, into), (beyond, out), back)
    shown = ~seen.column("same")[2:-1].astype(bool)
    rows = np.flatnonzero(swapped & shown) + 1
    ordered = int(np.count_nonzero(right & shown)) + 2 * len(rows)
    share = 100.0 * 2 * len(rows) / max(ordered, 1)
    if len(rows) >= _TWICE and ordered >= _ENOUGH and share >= seen.subject.limit(rule):
        row = int(rows[0])
        sentence = (
            f"{len(rows)} times two pictures that follow on each other stand the wrong way round ({share:.1f} % of "
            f"those whose order shows), the first at {seen.place(row)}; the limit is {seen.subject.limit(rule):g} %: "
            "the container's times were not used when it was decoded or written; write it again in their order"
        )
        yield seen.finding(rule, sentence, row=row, value=share)


def _further(before: tuple[Blocks, Blocks], behind: tuple[Blocks, Blocks], back: Blocks) -> Bools:
    """Say of which two pictures amid four the outer ones tell that they belong in that order.

    Args:
        before: How far the first of the four is from the one that should be further off, and from the other.
        behind: The same of the last.
        back: How far the two are from each other, which should be less.
    """
    with np.errstate(invalid="ignore"):
        both = _more(*before) & _more(*behind) & _more(np.minimum(before[0], behind[0]), back)
        each = [_count(_more(*pair)) >= _CLEARLY * _count(_more(*pair[::-1])) for pair in (before, behind)]
    return np.asarray((_count(both) >= _BLOCKS) & each[0] & each[1])


def _more(one: Blocks, other: Blocks) -> npt.NDArray[np.bool_]:
    """Say in which blocks one picture is further off than the other, beyond noise."""
    return np.asarray(one - other >= np.maximum(_TOLD, _TOLD_SHARE * one))


def _count(blocks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.asarray(blocks.sum(axis=(1, 2)))


def _blink(seen: Seen, rule: Rule) -> Iterator[Finding]:
    one, two = (seen.column(name).astype(float) for name in ("change", "change_two"))
    if not len(one):
        return
    plain = seen.column("brightest").astype(int) - seen.column("darkest").astype(int) <= _PLAIN
    lone = np.zeros(len(one), bool)
    with np.errstate(invalid="ignore"):
        least = np.minimum(one[1:-1], one[2:])
        lone[1:-1] = (least >= _FOREIGN) & (two[2:] <= _ALIKE * least) & plain[1:-1] & ~plain[:-2] & ~plain[2:]
    rows = np.flatnonzero(lone & seen.readable)
    share = 100.0 * len(rows) / max(int(seen.readable.sum()), 1)
    if len(rows) >= _TWICE and share >= seen.subject.limit(rule):
        row = int(rows[0])
        sentence = (
            f"{len(rows)} single pictures ({share:.2f} %) are of one colour, and those before and after them are "
            f"alike; the first at {seen.place(row)}; the limit is {seen.subject.limit(rule):g} %: the capture missed "
            "its window now and then; leave these frames out"
        )
        yield seen.finding(rule, sentence, row=row, value=share)


LOOKS: Final = looks_of(
    (
        Rule("content.frozen", "a picture that stands while inputs come", 6.0, "s", sees="pictures", repair="invalid"),
        _frozen,
    ),
    (
        Rule("content.repeats", "repeated pictures that are not marked as duplicates", 40.0, "%", sees="pictures"),
        _repeats,
    ),
    (Rule("content.out_of_order", "pictures the wrong way round", 2.5, "%", sees="pictures"), _out_of_order),
    (Rule("content.blink", "single pictures of one colour in between", 0.5, "%", sees="pictures"), _blink),
)
