"""What the columns of an action vector are to the eye: pairs that make a stick, motion of the mouse, and buttons.

Layouts do not agree on which way is up: in the .pt files of the NitroGen Capture program up is +1, in the NitroGen
release and for the pointer it is -1. Pictures show up as up and name the sign.

Example:
    >>> found = columns_of(["lx", "ly", "space", "unused_3"])
    >>> [(s.title, s.up) for s in found.sticks], found.buttons
    ([('Left stick', 1)], ('space',))
    >>> columns_of(["SOUTH", "J_LEFT_X", "J_LEFT_Y"]).sticks[0].up
    -1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

Floats = npt.NDArray[np.float32]

HELD: Final = 0.5
"""From here on a button counts as held, as the release's readers have it."""


@dataclass(frozen=True)
class Stick:
    """Two columns that belong together.

    Attributes:
        title: As a heading.
        x: Name of the column of right and left; right is plus.
        y: Name of the column of up and down.
        up: 1 where up is plus, -1 where it is minus.
        limit: How far it goes; 0 where there is no limit, as for motion of the mouse.
    """

    title: str
    x: str
    y: str
    up: int
    limit: float = 1.0


_STICKS: Final = (
    Stick("Left stick", "lx", "ly", 1),
    Stick("Right stick", "rx", "ry", 1),
    Stick("Left stick", "J_LEFT_X", "J_LEFT_Y", -1),
    Stick("Right stick", "J_RIGHT_X", "J_RIGHT_Y", -1),
    Stick("Mouse", "MouseDX", "MouseDY", -1, 0.0),
)


@dataclass(frozen=True)
class Columns:
    """The columns of an action vector, sorted.

    Attributes:
        names: All of them in order.
        sticks: Pairs, left before right, motion of the mouse last.
        buttons: The others, without those that are unused.
    """

    names: tuple[str, ...]
    sticks: tuple[Stick, ...]
    buttons: tuple[str, ...]

    def place(self, name: str) -> int:
        """Give the number of a column."""
        return self.names.index(name)


def columns_of(names: Sequence[str]) -> Columns:
    """Sort the columns of an action vector.

    Args:
        names: As a layout has them (`lx`, `space`, `J_LEFT_X`, `MouseDX`).

    Raises:
        BadInputError: A name that stands twice.
    """
    every = tuple(names)
    if len(set(every)) < len(every):
        raise BadInputError(
            f"columns with {next(n for n in every if every.count(n) > 1)} twice",
            accepts="names that stand once",
            fix="pass the names of the layout",
        )
    sticks = tuple(stick for stick in _STICKS if stick.x in every and stick.y in every)
    taken = {name for stick in sticks for name in (stick.x, stick.y)}
    return Columns(every, sticks, tuple(n for n in every if n not in taken and not n.startswith("unused_")))


def checked(values: npt.ArrayLike, names: Sequence[str], *, dims: int) -> Floats:
    """Bring actions to (..., A) float32 and hold them against their names.

    Args:
        values: As they were read.
        names: Of the A columns.
        dims: Dimensions that the values must have.

    Raises:
        BadInputError: Another shape, no rows, or values that are no numbers.
    """
    found = np.asarray(values, np.float32)
    if found.ndim != dims or found.shape[-1] != len(names) or not found.size:
        raise BadInputError(
            f"actions of the shape {found.shape} with {len(names)} names",
            accepts=f"{dims} dimensions, at least one row, and a name for each of the last one's columns",
            fix="pass the layout's names in their order",
        )
    if not np.isfinite(found).all():
        place = tuple(int(k) for k in np.argwhere(~np.isfinite(found))[0])
        raise BadInputError(f"an action at {place} that is no number", accepts="finite numbers", fix="mend the file")
    return found
