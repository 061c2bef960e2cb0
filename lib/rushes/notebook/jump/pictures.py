"""Figures of the jump recipe: losses, what the net says of unseen pictures, presses beside true ones, holds, survival.

Example (cells of a recipe, after training and watching):
    >>> def cells(trained, stretches, played):
    ...     return loss_curves(trained), press_timing(stretches, trained.threshold), survival_bars(played)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.notebook.jump.players import Played
from rushes.notebook.jump.scores import TOLERANCE, Stretch, match, score
from rushes.notebook.jump.training import Trained
from rushes.preview.choose import evenly
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import Html, note
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE, RED, RULE

Pixels = npt.NDArray[np.uint8]

_REACH: Final = 8
"""Frames before and after a true press that the figure shows."""
_SHOWN: Final = 8
_ABREAST: Final = 4
_BAND: Final = 0.2
_NEARLY: Final = 3
"""Frames within which a press that is not right is called early or late, and not missed."""


def loss_curves(trained: Trained) -> HouseFigure:
    """Show both losses, epoch by epoch, on training and validation rows."""
    figure = new_figure(height_px=260)
    epochs = np.arange(1, len(trained.epochs) + 1)
    for place, (name, title) in enumerate((("press", "Press or not: cross-entropy"), ("hold", "Hold: relative error"))):
        axes = figure.add_subplot(1, 2, place + 1)
        for field, colour, label in ((name, BLUE, "training"), (f"val_{name}", ORANGE, "validation")):
            values = np.array([getattr(epoch, field) for epoch in trained.epochs])
            if np.isfinite(values).any():
                axes.plot(epochs, values, color=colour, linewidth=2, marker="o", markersize=4, label=label)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        dress(axes, title=title, xlabel="epoch", grid="y")
        if place == 0:
            axes.legend(frameon=False, fontsize=9.5, labelcolor=INK)
    last = trained.epochs[-1]
    figure.alt = f"Loss of pressing {last.press:.3f} (validation {last.val_press:.3f}) after {len(epochs)} epochs"
    return figure


def press_timing(stretches: Sequence[Stretch], threshold: float) -> HouseFigure:
    """Show what the net says around true presses, and where its own presses fall beside them.

    Args:
        stretches: Of unseen play.
        threshold: From which on it presses.

    Raises:
        BadInputError: No true press to look at.
    """
    around, lags, alone = _around(stretches), *_lags(stretches, threshold)
    if not len(around):
        raise BadInputError("play without a press", accepts="at least one press", fix="look at other sessions")
    figure = new_figure(height_px=300)
    lags_shown = np.arange(-_REACH, _REACH + 1)
    axes = figure.add_subplot(1, 2, 1)
    low, middle, high = np.nanpercentile(around, (10, 50, 90), axis=0)
    axes.fill_between(lags_shown, low, high, color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(lags_shown, middle, color=BLUE, linewidth=2)
    axes.axhline(threshold, color=MUTED, linewidth=1, linestyle="--")
    axes.text(_REACH, threshold + 0.02, f"presses from {threshold:g} on", ha="right", fontsize=9, color=MUTED)
    axes.set_ylim(-0.02, 1.05)
    dress(
        axes, title="Probability of a press", xlabel="frames after a true press; median, and 10 to 90 %", grid="y"
    )  # fmt: skip
    axes = figure.add_subplot(1, 2, 2)
    result = score(stretches, threshold)
    names = [f"{lag:+d}" if lag else "0" for lag in range(-3, 4)] + ["missed", "extra"]
    places = [*range(7), 7.4, 8.8]
    counts = [int((lags == lag).sum()) for lag in range(-3, 4)]
    counts += [result.true - len(lags), alone]
    colours = [GREEN if abs(lag) <= TOLERANCE else ORANGE for lag in range(-3, 4)] + [RED, RED]
    bars = axes.bar(places, counts, color=colours, width=0.76, tick_label=names)
    axes.bar_label(bars, fontsize=9, color=INK, padding=2)
    axes.margins(y=0.14)
    dress(
        axes,
        title=f"{result.true} true presses, {result.said} made",
        xlabel="frames that the net is late, or not matched",
        grid="y",
    )
    figure.alt = (
        f"Of {result.true} true presses {result.right} were made within {TOLERANCE} frame; "
        f"{result.said - result.right} of {result.said} presses of the net were not right"
    )
    return figure


def _around(stretches: Sequence[Stretch]) -> npt.NDArray[np.float64]:
    """Cut probabilities out around each true press: (P, 2 * reach + 1), NaN outside of a stretch."""
    cut = []
    for one in stretches:
        padded = np.pad(one.press, _REACH, constant_values=np.nan)
        cut += [padded[row : row + 2 * _REACH + 1] for row in one.true_row.tolist()]
    return np.array(cut)


def _lags(stretches: Sequence[Stretch], threshold: float) -> tuple[npt.NDArray[np.int64], int]:
    """Give frames by which presses near a true one are late, and how many belong to none."""
    found, alone = [np.zeros(0, np.int64)], 0
    for one in stretches:
        made = one.fired(threshold)
        pairs = match(made, one.true_row, tolerance=_NEARLY)
        found.append(made[pairs[:, 0]] - one.true_row[pairs[:, 1]])
        alone += len(made) - len(pairs)
    return np.concatenate(found), alone


def hold_scatter(stretches: Sequence[Stretch], threshold: float) -> HouseFigure:
    """Show the holds that the net chose beside the true ones.

    Args:
        stretches: Of unseen play.
        threshold: From which on it presses.
    """
    true, said = [np.zeros(0)], [np.zeros(0)]
    for one in stretches:
        made = one.fired(threshold)
        pairs = match(made, one.true_row)
        true.append(one.true_hold_s[pairs[:, 1]])
        said.append(one.hold_s[made[pairs[:, 0]]])
    x, y = np.concatenate(true), np.concatenate(said)
    x, y = x[np.isfinite(x)], y[np.isfinite(x)]
    figure = new_figure(height_px=320, width_px=480)
    axes = figure.add_subplot()
    most = float(max(x.max(initial=0.1), y.max(initial=0.1))) * 1.08
    line = np.array([0.0, most])
    axes.fill_between(line, line * (1 - _BAND), line * (1 + _BAND), color=RULE, linewidth=0)
    axes.plot(line, line, color=MUTED, linewidth=1)
    shift = 0.004 * (((np.arange(len(x)) * 0.618) % 1) * 2 - 1)  # equal holds stand beside each other
    axes.scatter(x + shift, y, s=18, color=BLUE, alpha=0.6, linewidths=0)
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, prune="lower"))
    within = float((np.abs(y - x) <= _BAND * x).mean()) if len(x) else float("nan")
    dress(
        axes, title=f"Holds: {within:.0%} of {len(x)} within 20 %", xlabel="true hold, s", ylabel="the net's, s",
        grid="both",
    )  # fmt: skip
    figure.alt = f"{within:.0%} of {len(x)} holds lie within 20 % of the true ones"
    return figure


def survival_bars(played: Played) -> HouseFigure | Html:
    """Show how long each player survived: a bar to the mean, a dot a course.

    Args:
        played: What the players did.
    """
    if not played.steps:
        return note("Nobody played: what was recorded is not the jump world.")
    limit = played.limit
    figure = new_figure(height_px=56 + 40 * len(played.steps))
    axes = figure.add_subplot()
    colours = {"net": BLUE, "expert": GREEN}
    for row, (name, steps) in enumerate(played.steps.items()):
        mean = float(np.mean(steps))
        axes.barh(-row, mean, color=colours.get(name, MUTED), alpha=0.85, height=0.62)
        shift = 0.2 * (((np.arange(len(steps)) * 0.618) % 1) * 2 - 1)
        axes.scatter(steps, shift - row, s=12, color=INK, alpha=0.45, linewidths=0, zorder=3)
        axes.text(limit * 1.02, -row, f"{mean:.0f}", va="center", fontsize=10, color=INK)
    axes.set_yticks([-row for row in range(len(played.steps))], list(played.steps))
    axes.set_xlim(0, limit * 1.08)
    courses = len(next(iter(played.steps.values()), ()))
    dress(
        axes,
        title="Survival on the same unseen courses, mean at the right",
        xlabel=f"steps of {limit}, {courses} courses",
    )
    figure.alt = "Mean steps survived: " + ", ".join(
        f"{name} {np.mean(steps):.0f}" for name, steps in played.steps.items()
    )
    return figure


def what_it_says(
    recordings: Iterable[Recording], stretches: Sequence[Stretch], threshold: float, *, pictures: int = _SHOWN
) -> HouseFigure:
    """Show unseen pictures on which the net presses, evenly over play, and where it was wrong, with what it says.

    Args:
        recordings: The sessions of the stretches.
        stretches: Of unseen play.
        threshold: From which on it presses.
        pictures: How many; wrong ones take up to half of the places.
    """
    right, wrong = _verdicts(stretches, threshold)
    some = [wrong[k] for k in evenly(len(wrong), pictures // 2)]
    chosen = [right[k] for k in evenly(len(right), pictures - len(some))] + some
    by_id = {recording.info.id: recording for recording in recordings}
    lines = max(1, -(-len(chosen) // _ABREAST))
    figure = new_figure(height_px=40 + 185 * lines)
    for place, (one, row, colour, text) in enumerate(chosen):
        axes = figure.add_subplot(lines, _ABREAST, place + 1)
        axes.imshow(by_id[one.session].frame(int(one.frame_index[row])), interpolation="nearest")
        _frame_of(axes, colour)
        axes.set_title(text, fontsize=9, color=INK, loc="left", linespacing=1.35)
    figure.alt = f"{len(chosen) - len(some)} pictures on which the net was right, {len(some)} on which it was not"
    return figure


def _verdicts(stretches: Sequence[Stretch], threshold: float) -> tuple[list[Any], list[Any]]:
    right, wrong = [], []
    for one in stretches:
        made = one.fired(threshold)
        pairs = match(made, one.true_row)
        for a, b in pairs.tolist():
            row, hold = int(made[a]), float(one.true_hold_s[b])
            said = f"press {one.press[row]:.2f}, hold {one.hold_s[row]:.2f} s"
            right.append((one, row, GREEN, f"{said}\ntrue: press, {_hold_words(hold)}"))
        for a in sorted(set(range(len(made))) - set(pairs[:, 0].tolist())):
            row = int(made[a])
            wrong.append((one, row, RED, f"press {one.press[row]:.2f}, hold {one.hold_s[row]:.2f} s\ntrue: no press"))
        for b in sorted(set(range(len(one.true_row))) - set(pairs[:, 1].tolist())):
            row, hold = int(one.true_row[b]), float(one.true_hold_s[b])
            lag = made - row
            near = lag[np.abs(lag) <= _NEARLY]
            said = f"made {abs(int(near[0]))} frames {'early' if near[0] < 0 else 'late'}" if len(near) else "missed"
            wrong.append((one, row, ORANGE, f"press {one.press[row]:.2f}: {said}\ntrue: press, {_hold_words(hold)}"))
    return right, wrong


def _hold_words(hold_s: float) -> str:
    return "held to the end" if np.isnan(hold_s) else f"{hold_s:.2f} s"


def _frame_of(axes: Axes, colour: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(colour)
        spine.set_linewidth(3)
