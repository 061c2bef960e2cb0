"""Rules that need something to compare with: upside down, mirrored, colours swapped or lost, levels, burnt-in things.

The best reference is a recording of the same play (`Expected.reference`): pictures of the same time are compared. A
screenshot of the game (`Expected.picture`) may show another scene; then only what scenes of a game have in common is
compared, and the rules that need more say that they cannot tell. For an environment its replay is the reference, and
`replay.differs` speaks for it.

Example:
    >>> sorted(LOOKS)[:3]
    ['content.greyscale', 'content.levels', 'content.mirrored']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from rushes.model.findings import Finding
from rushes.qa.content.reference import Likeness, likeness
from rushes.qa.content.seen import Look, Seen, looks_of
from rushes.qa.rules import Rule

_PATH: Final = "a recording of the same play or a screenshot of the game, the right side up and in its right colours"


def _told(
    seen: Seen, rule: Rule, look: Callable[[Likeness], tuple[float | None, str]], advice: str
) -> Iterator[Finding]:
    """Compare, and say what `look` found: its value and what it says, or None and why it cannot tell."""
    subject = seen.subject
    if subject.expected.reference is None and subject.expected.picture is None:
        if not subject.recording.is_environment:
            yield subject.cannot_tell(rule, f"it needs {_PATH}")
        return
    found = likeness(subject)
    if isinstance(found, str):
        yield subject.cannot_tell(rule, found)
        return
    value, words = look(found)
    if value is None:
        yield subject.cannot_tell(rule, words)
    elif value >= subject.limit(rule):
        sentence = f"{words}; the limit is {subject.limit(rule):g}{f' {rule.unit}' if rule.unit else ''}: {advice}"
        yield seen.finding(rule, sentence, row=int(np.flatnonzero(seen.readable)[0]), value=value)


def _turned(way: str, like: Likeness) -> tuple[float | None, str]:
    upright, turned = like.upright[way]
    if max(upright, turned) < like.least:
        return None, f"its pictures resemble {like.what} neither way (correlation {upright:.2f} and {turned:.2f})"
    words = "upside down" if way == "rows" else "mirrored"
    return turned - upright, (
        f"pictures resemble {like.what} more when they are turned: they are {words} (correlation {turned:.2f} against "
        f"{upright:.2f})"
    )


def _swapped(like: Likeness) -> tuple[float | None, str]:
    if like.tint is None:
        return None, f"there is too little red and blue in the pictures or in {like.what}"
    return -like.tint, f"red and blue stand the other way round than in {like.what} (correlation {like.tint:.2f})"


def _greyscale(like: Likeness) -> tuple[float | None, str]:
    if like.colour is None:
        return None, f"{like.what} has no colours either"
    return 100.0 * (1.0 - like.colour), f"colours are {100 * like.colour:.0f} % as strong as in {like.what}"


def _levels(like: Likeness) -> tuple[float | None, str]:
    if like.levels is None:
        return None, "brightness can be compared only picture by picture, with a recording of the same play"
    black, white = like.levels
    return max(abs(black), abs(white)), (
        f"black is {black:+.0f} levels and white {white:+.0f} levels from what {like.what} shows"
    )


def _overlay(like: Likeness) -> tuple[float | None, str]:
    if like.burnt is None:
        return None, f"too much differs from {like.what} anyway, or nothing moves"
    share, (top, left, bottom, right) = like.burnt
    return share, (
        f"something that {like.what} does not have stands in every picture, {share:.2f} % of it, within rows {top} to "
        f"{bottom} % and columns {left} to {right} %"
    )


def _look(rule: Rule, look: Callable[[Likeness], tuple[float | None, str]], advice: str) -> tuple[Rule, Look]:
    return rule, partial(_told, look=look, advice=advice)


def _rule(name: str, what: str, limit: float, unit: str) -> Rule:
    return Rule(f"content.{name}", what, limit, unit, sees="pictures", needs="a reference")


LOOKS: Final = looks_of(
    _look(
        _rule("upside_down", "pictures upside down", 0.3, "correlation"),
        partial(_turned, "rows"),
        "turn them round on export; OpenGL gives its rows from the bottom",
    ),
    _look(
        _rule("mirrored", "left and right exchanged", 0.3, "correlation"),
        partial(_turned, "columns"),
        "mirror them on export, and look whether the actions were mirrored too",
    ),
    _look(
        _rule("swapped_colours", "red and blue exchanged", 0.3, "correlation"),
        _swapped,
        "RGB was taken for BGR on the way; exchange the channels on export",
    ),
    _look(
        _rule("greyscale", "colours that were lost", 60.0, "%"),
        _greyscale,
        "record again in colour, or say on export that the pictures are grey",
    ),
    _look(
        _rule("levels", "black and white shifted", 12.0, "levels"),
        _levels,
        "limited range (16 to 235) was taken for full range or the other way round, or the exposure changed",
    ),
    _look(
        _rule("overlay", "something burnt in", 0.3, "%"),
        _overlay,
        "record without the recorder's text, cursor or counter, or mask it on export",
    ),
)
