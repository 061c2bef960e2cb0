"""Figures of the training notebook: how nets got on, what they say of unseen pictures, what was shown and heard.

Example (cells of a notebook, after an example):
    >>> def cells(example):
    ...     return curves(example), said_sheet(example)
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rushes.notebook.train.data import Answers
from rushes.notebook.train.learning import Learnt
from rushes.notebook.train.scores import CHANCE
from rushes.notebook.train.study import LEFT_OUT, Example
from rushes.notebook.train.verdict import BAR
from rushes.preview.choose import evenly
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, Shown, note
from rushes.preview.sample_sheet import COLUMNS, Cell, Line, Row, paint, shown
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE, RED, SERIES

Pixels = npt.NDArray[np.uint8]

_NONE: Final = "no key"
_PICTURES: Final = 2 * COLUMNS
_STRIP: Final = 7
_WINDOWS: Final = 5


def curves(example: Example) -> HouseFigure | Html:
    """Show the loss, and the score on unseen play, epoch by epoch, of each net.

    Args:
        example: What came out.
    """
    if not example.nets:
        return note(LEFT_OUT)
    figure = new_figure(height_px=280)
    left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    for one, colour in zip(example.every, SERIES, strict=False):
        epochs = np.arange(1, len(one.epochs) + 1)
        style: dict[str, Any] = {"color": colour, "linewidth": 2, "marker": "o", "markersize": 4}
        style |= {"linestyle": "--"} if one in example.controls else {}
        left.plot(epochs, [epoch.loss for epoch in one.epochs], label=one.name, **style)
        right.plot(epochs, [epoch.balanced for epoch in one.epochs], **style)
    most = max(len(one.epochs) for one in example.every)
    right.axhline(CHANCE, color=MUTED, linewidth=1)
    right.text(most, CHANCE - 0.015, "chance", ha="right", va="top", fontsize=9, color=MUTED)
    if example.planted:
        right.axhline(BAR, color=GREEN, linewidth=1)
        right.text(most, BAR - 0.015, f"bar {BAR}", ha="right", va="top", fontsize=9, color=GREEN)
    right.set_ylim(0.38, 1.03)
    left.set_ylim(bottom=0)
    for axes, title in ((left, "Loss while learning"), (right, "Balanced accuracy on unseen play")):
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        dress(axes, title=title, xlabel="epoch", grid="y")
    left.legend(frameon=False, fontsize=9, labelcolor=INK)
    figure.alt = "; ".join(f"{one.name}: balanced accuracy {one.score.balanced:.3f}" for one in example.every)
    return figure


def said_sheet(example: Example) -> Shown:
    """Show unseen pictures with what was pressed and what the first net says; wrong answers take half of the places.

    Args:
        example: What came out.
    """
    one = example.nets[0]
    answers = one.answers
    right = (answers.down == answers.truth).all(axis=1)
    some = _spread(np.flatnonzero(~right), _PICTURES // 2)
    chosen = [*_spread(_mixed(answers, right), _PICTURES - len(some)), *some]
    cells = [_cell(one, number) for number in chosen]
    rows = [
        Row(
            "Unseen" if not k else "",
            (f"{right.mean():.1%} of {len(right):,} rows are right in every key",) if not k else (),
            tuple(cells[k : k + COLUMNS]),
        )
        for k in range(0, len(cells), COLUMNS)
    ]
    sheet = paint("What the net says", f"pressed, and said by: {one.name}", rows)
    return shown(sheet, alt=f"{len(cells)} unseen pictures with the keys that were pressed and those that the net says")


def time_sheet(example: Example) -> Shown | Html:
    """Show pictures one after the other, with what each net says: the cue stands some pictures before its answer.

    Args:
        example: What came out; its nets were asked about the same windows.
    """
    if not example.nets:
        return note(LEFT_OUT)
    one = example.nets[0]
    rows = []
    for window in _busiest(one.answers, 2):
        numbers = np.flatnonzero(one.answers.window == window)[:_STRIP]
        early = range(max(0, int(one.answers.row[numbers[0]]) - one.sets.warm), int(one.answers.row[numbers[0]]))
        (item,) = one.sets.unseen.windows.fetch([int(window)])
        cells = [Cell(item["frames"][row], (Line("before it counts", MUTED),)) for row in early]
        for number in numbers[: _STRIP - len(cells)].tolist():
            truth = _keys(one.answers, number, one.answers.truth)
            lines = [Line(f"pressed: {truth}", INK, bold=True)]
            for net, name in zip(example.every, ("memory", "one picture"), strict=False):
                said = _keys(net.answers, number, net.answers.down)
                lines.append(Line(f"{name}: {said}", GREEN if said == truth else RED))
            cells.append(Cell(item["frames"][one.answers.row[number]], tuple(lines)))
        rows.append(Row(item["session"], (f"window {window}", "time runs to the right"), tuple(cells)))
    sheet = paint("In the order of time", f"each answer belongs to the lamp {one.sets.warm} pictures before it", rows)
    return shown(sheet, alt="pictures one after the other with what was pressed and what each net says")


def heard(example: Example) -> HouseFigure | Html:
    """Show what is heard in some windows one after the other, with the keys beneath: pressed, and said.

    Args:
        example: What came out, with sound.
    """
    if not example.nets:
        return note(LEFT_OUT)
    one = example.nets[0]
    windows = one.sets.unseen.windows
    items = windows.fetch(range(min(_WINDOWS, len(windows))))
    sound = np.concatenate([item["audio"] for item in items])
    numbers = np.flatnonzero(one.answers.window < len(items))
    figure = new_figure(height_px=380)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2.4, 1]})
    upper.imshow(sound.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
                 extent=(0, len(sound), 0, sound.shape[1]))  # fmt: skip
    for edge in np.flatnonzero(np.diff(one.answers.window[numbers])) + 1:
        for axes in (upper, lower):
            axes.axvline(edge, color=MUTED, linewidth=0.8, linestyle=":")
    for k, name in enumerate(one.answers.names):
        for place, values, colour in ((0.2, one.answers.truth, BLUE), (-0.2, one.answers.down, ORANGE)):
            _bars(lower, values[numbers, k], y=place - k, colour=colour)
        lower.text(-0.6, -k, name, ha="right", va="center", fontsize=9.5, color=INK)
    lower.set_yticks([])
    lower.set_ylim(-len(one.answers.names) + 0.4, 0.6)
    dress(upper, title="What is heard in each row: log-mel", ylabel="band, low to high", grid="")
    dress(lower, title="Keys: pressed (blue) and said (orange)", xlabel="row; dotted lines part windows", grid="")
    figure.alt = f"Log-mel of {len(sound)} rows of unseen play, with the keys that were pressed and said"
    return figure


def _bars(axes: Axes, down: npt.NDArray[np.bool_], *, y: float, colour: str) -> None:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], down.astype(np.int8), [0]])))
    for start, stop in list(pairwise(edges.tolist()))[::2]:
        axes.broken_barh([(start, stop - start)], (y - 0.17, 0.34), facecolors=colour, linewidth=0)


def _cell(one: Learnt, number: int) -> Cell:
    answers = one.answers
    right = bool((answers.down[number] == answers.truth[number]).all())
    best = int(answers.said[number].argmax())
    said = _keys(answers, number, answers.down)
    lines = (
        Line(f"pressed: {_keys(answers, number, answers.truth)}", INK, bold=True),
        Line(f"said: {said}", GREEN if right else RED),
        Line(f"{answers.names[best]} {answers.said[number, best]:.2f}", MUTED),
    )
    return Cell(one.sets.picture(answers, number), lines, frame=GREEN if right else RED)


def _keys(answers: Answers, number: int, down: npt.NDArray[np.bool_]) -> str:
    return ", ".join(name for name, is_down in zip(answers.names, down[number], strict=True) if is_down) or _NONE


def _spread(numbers: npt.NDArray[np.int64], most: int) -> list[int]:
    return [int(numbers[k]) for k in evenly(len(numbers), min(most, len(numbers)))]


def _mixed(answers: Answers, right: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Give right answers, keys by turns, so that no key and no "no key" fills the sheet."""
    kinds: dict[str, list[int]] = {}
    for number in np.flatnonzero(right).tolist():
        kinds.setdefault(_keys(answers, number, answers.truth), []).append(number)
    each = -(-_PICTURES // max(1, len(kinds)))
    taken = [_spread(np.array(numbers), each) for numbers in kinds.values()]
    turns = [group[k] for k in range(each) for group in taken if k < len(group)]
    return np.array(turns[:_PICTURES], np.int64)


def _busiest(answers: Answers, count: int) -> list[int]:
    """Give the windows in which most keys are down, apart from each other."""
    windows = np.unique(answers.window)
    down = [int(answers.truth[answers.window == window].sum()) for window in windows]
    return [int(windows[k]) for k in np.argsort(down, kind="stable")[::-1][: 3 * count : 3]]
