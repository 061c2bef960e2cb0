"""What a message of a player's page says, read with care: a page may be of another version, or somebody's own.

Example:
    >>> whole({"start": 3.0}, "start"), whole({"start": 3}, "stop", 9), frames_asked({"numbers": [4, 5]})
    (3, 9, [4, 5])
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from rushes.errors import BadInputError

MOST_FRAMES: Final = 32
"""Pictures a request."""
_MOST_NUMBER: Final = 1 << 53  # as far as a page counts exactly


def whole(content: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """Read a whole number of a message.

    Args:
        content: The message.
        name: What it is called.
        default: Where it is not there; None refuses that.

    Raises:
        BadInputError: None, or no whole number.
    """
    value = content.get(name, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not _is_whole(value):
        raise BadInputError(f"{name}={value!r}", accepts="a whole number", fix="reload the page")
    return int(value or 0)


def frames_asked(content: Mapping[str, Any]) -> list[int]:
    """Read which frames are wanted.

    Raises:
        BadInputError: None, too many, or no numbers.
    """
    numbers = content.get("numbers")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= MOST_FRAMES or not all(map(_is_whole, numbers)):
        raise BadInputError(f"frames {numbers}", accepts=f"1 to {MOST_FRAMES} numbers", fix="ask for fewer at once")
    return list(numbers)


def mark_asked(content: Mapping[str, Any]) -> dict[str, Any]:
    """Read as what frames shall be marked: `valid` and `label`.

    Raises:
        BadInputError: Neither a yes or no, nor a label.
    """
    valid, label = content.get("valid"), content.get("label")
    if not isinstance(valid, bool | None) or not isinstance(label, Mapping | None):
        raise BadInputError(
            f"a mark with valid={valid!r} and label={label!r}", accepts="true or false, or a label", fix="say one"
        )
    return {"valid": valid, "label": label}


def offset_asked(content: Mapping[str, Any]) -> float:
    """Read an offset in ms.

    Raises:
        BadInputError: No number.
    """
    ms = content.get("ms")
    if not isinstance(ms, int | float) or isinstance(ms, bool) or not math.isfinite(ms):
        raise BadInputError(f"an offset of {ms!r}", accepts="a number of ms", fix="move the slider")
    return float(ms)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST_NUMBER
