"""Columns of a training file: their layouts in writing, their names in reading; rx and ry with their own scale.

Example:
    >>> names = [s.name for s in target_of("capture25").slots]
    >>> columns_of("a.pt", {"action_names": names}, 25)[0].names[18:]
    ('3', '4', 'x', 'z', 'enter', 'esc', 'i')
    >>> target_of("capture20", mouse_scale=100).slots[2].scale
    0.01
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, BadNameError
from rushes.model.actions import ActionSpace
from rushes.model.layouts import Slot, slot

Ints = npt.NDArray[np.int64]

LAYOUTS: Final = ("capture20", "capture25")
_BY_WIDTH: Final = {20: "capture20", 25: "capture25"}


def target_of(layout: str, *, mouse_scale: float = 300.0, mouse_clip: float = 1.0) -> ActionSpace:
    """Make the space of a file's columns.

    Args:
        layout: `capture20` or `capture25`.
        mouse_scale: Motion a step at which the stick that stands for the mouse is full.
        mouse_clip: The most that stick can say.

    Raises:
        BadInputError: Another layout, or a number that is not above 0.
    """
    if layout not in LAYOUTS:
        raise BadInputError(f"layout={layout!r}", accepts=" or ".join(LAYOUTS), fix="pass layout=capture20")
    for name, value in (("mouse_scale", mouse_scale), ("mouse_clip", mouse_clip)):
        if not (math.isfinite(value) and value > 0):
            raise BadInputError(f"{name}={value}", accepts="a number above 0", fix=f"leave {name} out")
    return scaled(ActionSpace.from_layout(layout), mouse_scale=mouse_scale, mouse_clip=mouse_clip)


def scaled(space: ActionSpace, *, mouse_scale: float, mouse_clip: float) -> ActionSpace:
    """Give rx and ry, the stick that stands for the mouse, their scale and limits."""
    slots = [
        replace(s, scale=1 / mouse_scale, low=-mouse_clip, high=mouse_clip) if s.name in ("rx", "ry") else s
        for s in space.slots
    ]
    return ActionSpace(space.kind, tuple(slots))


def columns_of(where: str | Path, meta: Mapping[str, Any], width: int) -> tuple[ActionSpace, Ints, tuple[str, ...]]:
    """Say what the columns are.

    Args:
        where: The file, for the message.
        meta: What it says.
        width: A, how many columns there are.

    Returns:
        The space of those with a known name, their numbers, and the names that nobody knows.

    Raises:
        BadDataError: Neither names nor a known number of columns, or a name that stands twice.
    """
    names = meta.get("action_names")
    if not (isinstance(names, list) and len(names) == width and all(isinstance(n, str) for n in names)):
        if width not in _BY_WIDTH:
            raise BadDataError(
                f"{where}: {width} columns without their names",
                accepts="meta.action_names with one name a column, or 20 or 25 columns",
                fix="add the names to meta, or convert the source again",
            )
        names = list(ActionSpace.from_layout(_BY_WIDTH[width]).names)
    slots: dict[int, Slot] = {}
    unknown = []
    for number, name in enumerate(names):
        try:
            slots[number] = slot(name)
        except BadNameError:
            unknown.append(name)
    try:
        space = ActionSpace("buttons", tuple(slots.values()))
    except BadInputError as error:
        raise BadDataError(f"{where}: {error.given}", accepts=error.accepts, fix="name each column once") from error
    if not len(space):
        raise BadDataError(f"{where}: no column with a known name", accepts="names of controls", fix="mend the names")
    return space, np.array(list(slots), np.int64), tuple(unknown)
