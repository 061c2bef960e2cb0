"""Names of keys as JumpNet writes them (single characters), and the controls that they are.

Example:
    >>> found = name_controls(("w", " ", "blink"))
    >>> found.controls, found.unknown, [key_name(c) for c in found.controls]
    (('KeyW', 'Space', 'Key/blink'), ('blink',), ['w', ' ', 'blink'])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from rushes.errors import BadInputError, BadNameError
from rushes.model.controls import ALIASES, kind_of, resolve
from rushes.model.findings import Problem

WORLD: Final = "Key/"
"""What stands before the name of a key that nobody knows."""
_ODD: Final = re.compile(r"[\s/|<>,\x00-\x1f\x7f]")
"""What means something where targets are named, and what a terminal acts on."""
_CHARACTERS: Final[dict[str, str]] = {
    controls[0]: name for name, controls in reversed(list(ALIASES.items())) if len(name) == 1 and len(controls) == 1
}


class Named(NamedTuple):
    """Keys of a file.

    Attributes:
        names: As the file has them, one a column.
        controls: Physical names, one a column, each once.
        unknown: Names that are no control.
    """

    names: tuple[str, ...]
    controls: tuple[str, ...]
    unknown: tuple[str, ...]

    def problems(self, where: str) -> list[Problem]:
        """Tell which names are no control."""
        if not self.unknown:
            return []
        text = f"keys that no control is named by, kept as {WORLD}NAME: {', '.join(map(repr, self.unknown))}"
        return [Problem("unknown_key", where, len(self.unknown), text)]


def name_controls(names: Sequence[str]) -> Named:
    """Find the control of each name; of several (`shift`) the left one.

    Args:
        names: Names of columns.
    """
    controls: list[str] = []
    unknown = []
    for number, name in enumerate(names):
        try:
            control = resolve(name)[0]
            if kind_of(control) != "button" or control in controls:
                control = ""
        except BadNameError:
            control = ""
        if not control:
            unknown.append(name)
            control = WORLD + (_ODD.sub("_", name) or f"key{number}")
            control += f"_{number}" * (control in controls)
            while control in controls:
                control += "_"
        controls.append(control)
    return Named(tuple(names), tuple(controls), tuple(unknown))


def key_name(control: str) -> str:
    """Name a control as JumpNet does: its character where it has one (`w` for KeyW), else its own name."""
    return _CHARACTERS.get(control, control.removeprefix(WORLD))


def columns(there: tuple[str, ...] | None, asked: str, width: int, where: str) -> tuple[str, ...]:
    """Say what the columns of key vectors are called.

    Args:
        there: Names in the file; None where it has none.
        asked: The option `keys`: names with commas; empty takes those of the file.
        width: How many columns most rows have.
        where: The file, for the message.

    Returns:
        `width` names; `key0`, `key1` ... where neither tells.

    Raises:
        BadInputError: The option names more or fewer than there are.
    """
    if asked:
        given = tuple(name.strip() or name for name in asked.split(","))
        if len(given) != width:
            raise BadInputError(
                f"keys={asked} for {where}, whose rows have {width}",
                accepts=f"{width} names with commas between",
                fix="name each column once, in order",
            )
        return given
    if there is not None and len(there) == width:
        return there
    return tuple(f"key{number}" for number in range(width))
