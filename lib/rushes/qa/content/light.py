"""Rules about light: black, white and plain pictures, a recording that is too dark, brightness that flickers.

Example:
    >>> sorted(LOOKS)
    ['content.black', 'content.dark', 'content.flat', 'content.flicker', 'content.white']
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from rushes.model.findings import Finding
from rushes.qa.content.seen import Bools, Seen, looks_of, stretches
from rushes.qa.rules import Rule

_BLACK: Final = 20  # levels: the black of limited range, 16, with an encoder's noise
_WHITE: Final = 235  # levels: the white of limited range
_PLAIN: Final = 8  # levels between the darkest and the brightest of a plain picture, with an encoder's noise
_RUN: Final = 10  # changes of brightness that must follow on each other, up and down in turn
_TOGETHER: Final = 0.85  # share of the blocks that must go the same way


def _uniform(kind: str, seen: Seen, rule: Rule) -> Iterator[Finding]:
    limit = seen.subject.limit(rule)
    for start, stop, more in seen.longest(_masks(seen)[kind], least_s=limit):
        seconds = seen.seconds(start, stop)
        sentence = (
            f"pictures are {_WORDS[kind]} for {seconds:.1f} s from {seen.place(start)} on{more}; the limit is "
            f"{limit:g} s: look whether the game showed this; if not, the capture lost its window, so mark the stretch "
            "as not valid or record again"
        )
        yield seen.finding(rule, sentence, row=start, stop=stop, value=seconds)


_WORDS: Final = {"black": "black", "white": "white", "flat": "of one colour"}


def _masks(seen: Seen) -> dict[str, Bools]:
    dark, bright = seen.column("darkest").astype(int), seen.column("brightest").astype(int)
    black = seen.readable & (bright <= _BLACK)
    white = seen.readable & (dark >= _WHITE)
    return {"black": black, "white": white, "flat": seen.readable & (bright - dark <= _PLAIN) & ~black & ~white}


def _dark(seen: Seen, rule: Rule) -> Iterator[Finding]:
    if not seen.any_readable:
        return
    levels = seen.column("brightest")[seen.readable].astype(int)
    row = int(np.flatnonzero(seen.readable)[levels.argmax()])
    if _BLACK < levels.max() < seen.subject.limit(rule):
        sentence = (
            f"nothing in the recording is brighter than {levels.max()} of 255 levels (brightest at {seen.place(row)}); "
            f"the limit is {seen.subject.limit(rule):g}: look at the game's gamma and at the capture's exposure"
        )
        yield seen.finding(rule, sentence, row=row, value=levels.max())


def _flicker(seen: Seen, rule: Rule) -> Iterator[Finding]:
    luma = seen.column("luma").astype(np.float32).reshape(len(seen.signs), -1)
    steps = np.diff(luma, axis=0)
    amount = np.r_[0.0, steps.mean(axis=1)]
    amount[seen.fresh] = 0.0
    up, down = (steps > 0).mean(axis=1), (steps < 0).mean(axis=1)
    together = np.r_[False, np.maximum(up, down) >= _TOGETHER]
    strong = together & (np.abs(amount) >= seen.subject.limit(rule))
    turns = np.zeros(len(amount), bool)
    turns[1:] = strong[1:] & strong[:-1] & (amount[1:] * amount[:-1] < 0)
    runs = [(a, b) for a, b in stretches(turns, seen.column("segment")) if b - a >= _RUN]
    if runs:
        start, stop = max(runs, key=lambda run: run[1] - run[0])
        value = float(np.median(np.abs(amount[start:stop])))
        count = sum(b - a for a, b in runs)
        sentence = (
            f"the brightness of the whole picture goes up and down from frame to frame by {value:.1f} levels in "
            f"{count} pictures, longest from {seen.place(start)} on; the limit is {seen.subject.limit(rule):g} levels: "
            "the capture catches every second picture at another brightness (black frames between, a light that beats "
            "with the rate); record at the screen's rate"
        )
        yield seen.finding(rule, sentence, row=start, stop=stop, value=value)


def _plain(kind: str) -> Rule:
    return Rule(
        f"content.{kind}", f"pictures {_WORDS[kind]} without a break", 5.0, "s", sees="pictures", repair="invalid"
    )


LOOKS: Final = looks_of(
    *((_plain(kind), partial(_uniform, kind)) for kind in _WORDS),
    (Rule("content.dark", "the brightest that is ever shown", 64.0, "levels", sees="pictures"), _dark),
    (Rule("content.flicker", "brightness that alternates", 4.0, "levels", sees="pictures"), _flicker),
)
