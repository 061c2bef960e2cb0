"""Numbers of inputs: `action_codes` as the original's migration seeds them, or in the order in which they appear.

The recorder numbers what it meets from 0 on, a device by itself; its optional migration first gives 59 inputs fixed
numbers. `seeded` takes those; what has none gets numbers from 100 on, so that no two inputs share one (the original
goes on within a device and so meets the numbers of the next one). `first_seen` is the numbering of a database without
the migration.

Example:
    >>> codes = Codes("seeded")
    >>> codes.row("keyboard", "w"), codes.row("mouse", "scroll"), codes.row("keyboard", "m")
    ((1, 0), (2, 34), (3, 100))
    >>> Codes("first_seen").row("mouse", "scroll")
    (1, 0)
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from rushes.errors import BadInputError, near

NUMBERINGS: Final = ("seeded", "first_seen")
_SEEDED: Final = {
    ("keyboard", 0): (
        "w a s d space shift ctrl Key.shift Key.ctrl Key.space 1 2 3 4 5 e f r q tab Key.tab Key.esc"
    ),
    ("mouse", 30): "Button.left Button.right Button.middle move scroll",
    ("xbox", 40): (
        "BTN_SOUTH BTN_EAST BTN_WEST BTN_NORTH BTN_TL BTN_TR BTN_SELECT BTN_START BTN_THUMBL BTN_THUMBR ABS_X ABS_Y "
        "ABS_RX ABS_RY ABS_Z ABS_RZ"
    ),
    ("playstation", 60): (
        "BTN_SOUTH BTN_EAST BTN_WEST BTN_NORTH BTN_TL BTN_TR BTN_TL2 BTN_TR2 BTN_SELECT BTN_START BTN_THUMBL "
        "BTN_THUMBR ABS_X ABS_Y ABS_RX ABS_RY"
    ),
}  # fmt: skip
SEEDED: Final = {
    (device, name): first + number
    for (device, first), names in _SEEDED.items()
    for number, name in enumerate(names.split())
}
"""(device, button_key) -> number. Source: migrations/001_improve_schema.sql at 907d615."""
_FREE: Final = 100


class Codes:
    """The numbers of one database.

    Args:
        numbering: `seeded` or `first_seen`.

    Raises:
        BadInputError: Another word.
    """

    def __init__(self, numbering: str) -> None:
        if numbering not in NUMBERINGS:
            raise BadInputError(
                f"codes={numbering!r}",
                accepts="seeded or first_seen",
                fix=near(numbering, NUMBERINGS) or "leave it out",
            )
        self._seeded = numbering == "seeded"
        self._given: dict[tuple[str, str], tuple[int, int]] = {}
        self._next: Counter[str] = Counter()

    def row(self, device: str, name: str) -> tuple[int, int]:
        """Give the row of an input, the same each time: its id and its number.

        Args:
            device: input_device.
            name: button_key.
        """
        key = device, name
        if key not in self._given:
            self._given[key] = len(self._given) + 1, self._number(device, name)
        return self._given[key]

    def _number(self, device: str, name: str) -> int:
        if self._seeded and (device, name) in SEEDED:
            return SEEDED[device, name]
        counted = "" if self._seeded else device
        self._next[counted] += 1
        return self._next[counted] - 1 + (_FREE if self._seeded else 0)

    @property
    def rows(self) -> list[tuple[int, str, str, int]]:
        """All rows so far: id, input_device, raw_input, encoded_value."""
        return [(number, *key, code) for key, (number, code) in self._given.items()]
