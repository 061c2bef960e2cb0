"""What the columns of a set of the NitroGen Capture program are: by the names in meta.json, else by their number.

| columns | layout | written by |
| --- | --- | --- |
| 28 | `capture28` | capture_logger.py at 4ff5523 |
| 25 | `capture25_keys` | capture.py at 0049d7a without a key profile |
| 85 | `capture85` | capture.py at 0049d7a with its own profile |

Example:
    >>> columns_of(3, ["w", "lmb", "flux"]).unknown
    ('flux',)
    >>> columns_of(28, None).space.names[:4]
    ('w', 'a', 's', 'd')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rushes.errors import BadDataError, BadInputError, BadNameError, near
from rushes.model.actions import ActionSpace
from rushes.model.controls import kind_of
from rushes.model.layouts import LAYOUTS, Slot, slot

KEY_LAYOUTS: Final = ("capture28", "capture25_keys", "capture85")
"""Layouts of keys, as the program records them."""
_BY_WIDTH: Final = {len(LAYOUTS[name].slots): name for name in KEY_LAYOUTS}
MOTION: Final = (slot("MouseDX"), slot("MouseDY"))
"""What stands beside the keys."""


@dataclass(frozen=True)
class Columns:
    """What the columns of an array of actions are.

    Attributes:
        places: Numbers of the columns that mean something.
        space: What these are.
        unknown: Names that mean nothing, or stand twice.
        named: Whether meta.json named them.
    """

    places: tuple[int, ...]
    space: ActionSpace
    unknown: tuple[str, ...]
    named: bool


def key_layout(name: str) -> ActionSpace:
    """Give a layout of keys.

    Raises:
        BadInputError: It is none that the program records.
    """
    if name not in KEY_LAYOUTS:
        raise BadInputError(
            f"layout={name!r}",
            accepts="one of " + ", ".join(KEY_LAYOUTS),
            fix=near(name, KEY_LAYOUTS) or "write layout=capture28",
        )
    return ActionSpace.from_layout(name)


def names_of(width: int, named: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of a set.

    Args:
        width: How many there are.
        named: What meta.json says; empty where it says nothing.

    Raises:
        BadDataError: Nothing is said, and no layout has so many columns.
    """
    if len(named) == width:
        return tuple(named)
    if width not in _BY_WIDTH:
        raise BadDataError(
            f"{width} actions a row, without a meta.json that names them",
            accepts=", ".join(f"{n} ({name})" for n, name in sorted(_BY_WIDTH.items())) + ", or any number with names",
            fix='write a meta.json beside the chunks: {"actions": ["w", "a", ...], "fps": 30}',
        )
    return ActionSpace.from_layout(_BY_WIDTH[width]).names


def wheel_columns(space: ActionSpace) -> list[int]:
    """Find the columns of wheels: they say what was done in a stretch of time, as motion does, not what is down.

    Args:
        space: The columns.
    """
    return [k for k, one in enumerate(space.slots) if one.role == "button" and _is_motion(*one.plus, *one.minus)]


def _is_motion(*controls: str) -> bool:
    return any(kind_of(control) == "motion" for control in controls)


def columns_of(width: int, said: Any) -> Columns:
    """Find out what the columns of a set are.

    Args:
        width: How many there are.
        said: What stands in meta.json under `actions`.

    Raises:
        BadDataError: Nothing fits is said, and no layout has so many columns.
    """
    fits = isinstance(said, list) and len(said) == width and all(isinstance(name, str) for name in said)
    named = tuple(said) if fits else ()
    places: list[int] = []
    slots: list[Slot] = []
    unknown = []
    for place, name in enumerate(names_of(width, named)):
        try:
            found = slot(name)
        except BadNameError:
            unknown.append(name)
            continue
        if found.role != "button" or any(name == other.name for other in slots):
            unknown.append(name)
            continue
        places.append(place)
        slots.append(found)
    return Columns(tuple(places), ActionSpace("buttons", tuple(slots)), tuple(unknown), fits)
