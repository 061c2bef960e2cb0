"""The first and the last picture of a play beside each other, with their times; and a few between them.

Example (a cell of the recipe):
    >>> def cell(take):
    ...     return first_and_last(take.recording)
"""

from __future__ import annotations

import numpy as np

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.preview.figure import HouseFigure, new_figure
from rushes.preview.style import INK, MUTED


def first_and_last(recording: Recording) -> HouseFigure:
    """Show the first and the last frame with their times.

    Args:
        recording: With frames.

    Raises:
        BadInputError: No frame.
    """
    if not recording.frame_count:
        raise BadInputError("a play without frames", accepts="at least one frame", fix="record first")
    index = recording.index()
    begin_ns = int(index["t_ns"].iloc[0])
    figure = new_figure(height_px=450)
    last = recording.frame_count - 1
    said = []
    for axes, number, word in zip(figure.subplots(1, 2), (0, last), ("First", "Last"), strict=True):
        pixels = recording.frame(number)
        t_ns = int(index["t_ns"].iloc[number])
        axes.imshow(pixels, interpolation="nearest" if max(pixels.shape) < 256 else "antialiased")  # noqa: PLR2004 - px
        axes.set_axis_off()
        head = f"{word} frame, number {number}"
        told = f"{(t_ns - begin_ns) / NS:.3f} s after the first, {t_ns / NS:.3f} s of the session"
        axes.text(0, 1.07, head, transform=axes.transAxes, fontsize=11, fontweight="bold", color=INK)
        axes.text(0, 1.02, told, transform=axes.transAxes, fontsize=9.5, color=MUTED)
        said.append(f"{head}: {told}, mean brightness {float(np.mean(pixels)):.0f} of 255")
    figure.alt = "; ".join(said)
    return figure
