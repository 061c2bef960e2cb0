"""Rules about single pictures: readable, of the stated size, whole, sharp, without bars and without damage.

Example:
    >>> sorted(LOOKS)[:4]
    ['content.bars', 'content.blurred', 'content.corrupt', 'content.size']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.findings import Finding
from rushes.qa.content.seen import Seen, looks_of
from rushes.qa.pictures.whole import Edges
from rushes.qa.rules import Rule

_BLACK: Final = 24  # levels that a bar never exceeds: limited black with an encoder's noise
_LIT: Final = 24.0  # mean levels of the row or column inside a bar: a picture ends there, not a dark scene
_SCREEN: Final = 1.2  # width against height; 5:4 is the narrowest screen
_EVEN: Final = 2  # px by which two bars may differ
_BAR: Final = 0.02  # share of the height or width that each bar has at least
_SHARP: Final = 3  # pictures with strong edges that must have been looked at
_COLOURED: Final = 2.0  # levels between the means of red, green and blue
_DAMAGED: Final = 0.01  # share of a picture in a decoder's colours beyond what the recording usually shows


def _unreadable(seen: Seen, rule: Rule) -> Iterator[Finding]:
    lost = ~seen.readable
    if not lost.any():
        return
    problems = seen.signs.problems
    share = 100.0 * float(lost.mean())
    why = f": {problems[0][1].partition('; accepted: ')[0]}" if problems else ""  # what to do stands here
    for start, stop, more in seen.longest(lost):
        sentence = (
            f"{stop - start} pictures from {seen.place(start)} on cannot be decoded ({share:.2f} % of all{more}){why}; "
            "restore the file from a copy, or leave these frames out"
        )
        yield seen.finding(rule, sentence, row=start, stop=stop, value=share)


def _stated(seen: Seen) -> tuple[int, int] | None:
    stream = seen.subject.recording.info.stream("frames")
    return (stream.height, stream.width) if stream is not None and stream.height and stream.width else None


def _size(seen: Seen, rule: Rule) -> Iterator[Finding]:
    expected, stated = seen.subject.expected.size, _stated(seen)
    if expected is None or stated is None:
        if not seen.subject.recording.is_environment:  # which draws its own size: `replay.differs` speaks for it
            why = "no size is expected; give the one that pictures should have" if stated else "no size is described"
            yield seen.subject.cannot_tell(rule, why)
        return
    if tuple(expected) == stated:
        return
    sentence = (
        f"pictures are described as {stated[1]}x{stated[0]} px and {expected[1]}x{expected[0]} px were expected: "
        "record with the right region, or export with a size"
    )
    yield seen.subject.finding(rule, sentence, stream="frames")


def _true_size(seen: Seen, rule: Rule) -> Iterator[Finding]:
    if not seen.any_readable:
        return
    sizes = Counter(map(tuple, seen.column("size")[seen.readable].tolist()))
    usual = sizes.most_common(1)[0][0]
    stated = _stated(seen) or usual
    other = seen.readable & (seen.column("size") != np.array(stated)).any(axis=1)
    if other.any():
        row = int(np.flatnonzero(other)[0])
        height, width = seen.column("size")[row].tolist()
        share = 100.0 * float(other.sum()) / float(seen.readable.sum())
        sentence = (
            f"{int(other.sum())} pictures ({share:.1f} %) are not {stated[1]}x{stated[0]} px as "
            f"{'described' if _stated(seen) else 'most are'}, the first at {seen.place(row)} with {width}x{height} px: "
            "the window changed its size, or the description is wrong; split the session there or resize on export"
        )
        yield seen.finding(rule, sentence, row=row, value=share)


def _bars(seen: Seen, rule: Rule) -> Iterator[Finding]:
    edges = max(seen.signs.whole.edges.items(), key=lambda item: item[1].count, default=None)
    if edges is None or seen.subject.recording.is_environment or edges[0][1] < _SCREEN * edges[0][0]:
        return  # an environment draws its black itself, and what is higher than wide is no screen's
    found = []
    for name, peak, mean in _sides(edges[1]):
        lit = np.flatnonzero(peak > _BLACK)
        if not len(lit):
            return  # black altogether: another rule's
        before, behind = int(lit[0]), len(peak) - 1 - int(lit[-1])
        if min(before, behind) < max(2, _BAR * len(peak)) or abs(before - behind) > _EVEN:
            continue
        if min(mean[lit[0] : lit[0] + 3].max(), mean[lit[-1] - 2 : lit[-1] + 1].max()) < _LIT:
            continue
        found.append((100.0 * (before + behind) / len(peak), name, before, behind))
    if found and max(found)[0] >= seen.subject.limit(rule):
        share, name, before, behind = max(found)
        sentence = (
            f"black bars of {before} and {behind} px {name} are burnt into every picture ({share:.0f} % of it); the "
            f"limit is {seen.subject.limit(rule):g} %: record the game's own region, or crop on export"
        )
        yield seen.finding(rule, sentence, row=0, value=share)


def _sides(edges: Edges) -> list[tuple[str, npt.NDArray[np.uint8], npt.NDArray[np.float64]]]:
    return [
        ("above and below", edges.row_peak, edges.row_sum / edges.count),
        ("at the left and right", edges.column_peak, edges.column_sum / edges.count),
    ]


def _blurred(seen: Seen, rule: Rule) -> Iterator[Finding]:
    edge = seen.column("edge").astype(float)
    looked = np.flatnonzero(seen.readable & (edge > 0))
    if len(looked) < _SHARP:
        return
    width = float(np.median(edge[looked]))
    if width >= seen.subject.limit(rule):
        row = int(looked[edge[looked].argmax()])
        sentence = (
            f"even the sharpest edges are {width:.1f} px wide in half of the pictures, most at {seen.place(row)}; the "
            f"limit is {seen.subject.limit(rule):g} px: the pictures were enlarged or compressed too much; record at "
            "the game's own size and at a better quality"
        )
        yield seen.finding(rule, sentence, row=row, value=width)


def _corrupt(seen: Seen, rule: Rule) -> Iterator[Finding]:
    if not seen.any_readable:
        return
    lost = seen.column("lost").astype(float)
    usual = float(np.median(lost[seen.readable]))
    mean = seen.column("mean")[seen.readable].mean(axis=0)
    if mean.max() - mean.min() < _COLOURED:
        return  # in a picture without colours grey says nothing
    damaged = seen.readable & (lost >= usual + _DAMAGED)
    share = 100.0 * np.count_nonzero(damaged) / np.count_nonzero(seen.readable)
    if share < seen.subject.limit(rule):
        return
    for start, stop, more in seen.longest(damaged):
        sentence = (
            f"{stop - start} pictures from {seen.place(start)} on show areas in the green or grey of a decoder that "
            f"missed data, up to {100 * lost[start:stop].max():.0f} % of the picture ({share:.2f} % of all "
            f"pictures{more}); the limit is {seen.subject.limit(rule):g} %: the video was damaged before it came here; "
            "restore it, or mark these frames as not valid"
        )
        yield seen.finding(rule, sentence, row=start, stop=stop, value=share)


LOOKS: Final = looks_of(
    (
        Rule("content.unreadable", "pictures that cannot be decoded", None, "%", "error", "pictures", repair="invalid"),
        _unreadable,
    ),
    (Rule("content.size", "a size that was not expected", sees="metadata", needs="an expected size"), _size),
    (Rule("content.true_size", "pictures of another size than described", None, "%", sees="pictures"), _true_size),
    (Rule("content.bars", "black bars burnt in", 8.0, "%", sees="pictures"), _bars),
    (Rule("content.blurred", "width of the sharpest edges", 3.2, "px", sees="pictures"), _blurred),
    (
        Rule("content.corrupt", "pictures with a decoder's damage", 0.1, "%", sees="pictures", repair="invalid"),
        _corrupt,
    ),
)
