"""What is said about a sample under its picture: what was done, for how long, and why it is what it is.

Keys stand as the names of the controls that were down, motion of the mouse and sticks as words and as an arrow.

Example:
    >>> space = ActionSpace.from_names(["KeyW", "KeyD", "MouseDX", "MouseDY"])
    >>> done = action_of([1.0, 1.0, -12.0, 0.0], space)
    >>> done.keys, done.motion, done.arrow
    ('KeyW + KeyD', 'mouse left 12', (-0.3, 0.0))
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.actions import ActionSpace
from rushes.preview.action_columns import HELD, columns_of

NO_KEY: Final = "nothing"
FULL_ARROW: Final = 40.0
"""Counts of a mouse within a frame at which its arrow is as long as it gets."""
_REST: Final = 0.03
_WAYS: Final = (("right", "left"), ("down", "up"))
_UNITS: Final[Mapping[str, str]] = {"dx": " px", "dy": " px", "sigma": " of full scale"}


@dataclass(frozen=True)
class Done:
    """What a key vector says.

    Attributes:
        keys: Controls that were down, joined by ` + `; `nothing` where there is none.
        motion: The mouse or a stick in words, `""` where it rests.
        arrow: (right, down) from -1 to 1; None where the space has nothing that moves.
    """

    keys: str
    motion: str
    arrow: tuple[float, float] | None


def action_of(keys: npt.ArrayLike, space: ActionSpace) -> Done:
    """Read a key vector.

    Args:
        keys: (A,) numbers in the order of the space.
        space: What they are.
    """
    values = np.asarray(keys, float)
    if space.kind == "box":
        return Done(
            ", ".join(f"{name}: {value:.3g}" for name, value in zip(space.names, values, strict=True)), "", None
        )
    columns = columns_of(space.names)
    down = [name for name in columns.buttons if values[columns.place(name)] >= HELD]
    words, arrow = [], None
    for stick in columns.sticks:
        right, across = float(values[columns.place(stick.x)]), float(values[columns.place(stick.y)])
        below = -stick.up * across
        reach = stick.limit or FULL_ARROW
        if math.hypot(right, below) / reach >= _REST:
            said = [f"{way[v < 0]} {abs(v):.3g}" for way, v in zip(_WAYS, (right, below), strict=True) if v]
            words.append(f"{stick.title.lower()} {', '.join(said)}")
        if arrow is None or not any(arrow):
            arrow = (_clipped(right / reach), _clipped(below / reach))
    return Done(" + ".join(down) or NO_KEY, "; ".join(words), arrow)


def hold_words(row: Mapping[str, Any]) -> str:
    """Say how long the control of a positive was held.

    Args:
        row: With `hold_s`, `phase`.
    """
    if math.isfinite(float(row["hold_s"])):
        return f"held {float(row['hold_s']):.3f} s"
    return "left open" if row["phase"] == "open" else ""


def place_words(row: Mapping[str, Any]) -> str:
    """Say which frames a row shows.

    Args:
        row: With `frame_index`, `length`.
    """
    first, length = int(row["frame_index"]), int(row["length"])
    return f"frame {first}" if length == 1 else f"frames {first}-{first + length - 1}"


def transform_words(transform: str) -> tuple[str, ...]:
    """Say what was done to the pixels of a row, a text a transform.

    Args:
        transform: JSON as it stands in the table, or nothing.
    """
    if not transform:
        return ()
    found = json.loads(transform)
    return tuple(_transform(one) for one in (found if isinstance(found, list) else [found]))


def transform_names(transform: str) -> tuple[str, ...]:
    """Name the transforms of a row.

    Args:
        transform: JSON as it stands in the table, or nothing.
    """
    if not transform:
        return ()
    found = json.loads(transform)
    return tuple(str(one.get("name", "?")) for one in (found if isinstance(found, list) else [found]))


def _transform(one: Mapping[str, Any]) -> str:
    said = [f"{key} {_number(value)}{_UNITS.get(key, '')}" for key, value in one.items() if key not in ("name", "seed")]
    return f"{one.get('name', '?')}{': ' * bool(said)}{', '.join(said)}"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return " ".join(_number(part) for part in value)
    return str(value)


def _clipped(value: float) -> float:
    return max(-1.0, min(1.0, value)) + 0.0
