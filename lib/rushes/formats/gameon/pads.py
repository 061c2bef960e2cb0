"""What GameOn calls the parts of a pad: the codes and raw numbers of the Windows library `inputs`, read through XInput.

| code | control | raw values |
| --- | --- | --- |
| `BTN_SOUTH EAST WEST NORTH TL TR THUMBL THUMBR MODE` | by its place | 1 down, 0 up; both are stored as `press` |
| `BTN_SELECT`, `BTN_START` | `START`, `BACK`: that library takes the two for each other | likewise |
| `BTN_TL2`, `BTN_TR2` | the triggers as buttons | likewise |
| `ABS_X ABS_RX`, `ABS_Y ABS_RY` | sticks; up is positive there, -1 here | -32768 to 32767 |
| `ABS_Z`, `ABS_RZ` | triggers | 0 to 255 |
| `ABS_HAT0X`, `ABS_HAT0Y` | the d-pad | -1 left or up, 1, 0 |
| `SYN_REPORT` | nothing: the end of a report | 0 |

Where a session's sticks never leave 0 to 255 and go beyond 1, they are eight bits wide with their rest at 128, as other
drivers give them (and up is 0 there). Source: XINPUT_MAPPING of zeth/inputs; bits 5 and 6 of XInput are START and BACK.

Example:
    >>> Pad().events("BTN_SELECT", 1.0), Pad().events("ABS_Y", 32767.0)
    ([('START', 'press', None)], [('J_LEFT_Y', 'axis', -1.0)])
    >>> pad = Pad()
    >>> pad.events("ABS_HAT0X", -1.0), pad.events("ABS_HAT0X", 1.0)
    ([('DPAD_LEFT', 'press', None)], [('DPAD_LEFT', 'release', None), ('DPAD_RIGHT', 'press', None)])
    >>> code_of("J_LEFT_Y", "axis", 1.0), code_of("DPAD_LEFT", "release", None)
    (('ABS_Y', 'move', -32768.0), ('ABS_HAT0X', 'move', 0.0))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from rushes.model.controls import TRIGGERS

DEVICES: Final = ("xbox", "playstation")
"""What stands in input_device for a pad."""

BUTTONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BTN_SOUTH": "SOUTH",
        "BTN_EAST": "EAST",
        "BTN_WEST": "WEST",
        "BTN_NORTH": "NORTH",
        "BTN_TL": "LEFT_SHOULDER",
        "BTN_TR": "RIGHT_SHOULDER",
        "BTN_THUMBL": "LEFT_THUMB",
        "BTN_THUMBR": "RIGHT_THUMB",
        "BTN_SELECT": "START",
        "BTN_START": "BACK",
        "BTN_MODE": "GUIDE",
        "BTN_TL2": "LEFT_TRIGGER",
        "BTN_TR2": "RIGHT_TRIGGER",
    }
)
SWAPPED: Final = ("BTN_SELECT", "BTN_START")
STICKS: Final = MappingProxyType(
    {"ABS_X": "J_LEFT_X", "ABS_Y": "J_LEFT_Y", "ABS_RX": "J_RIGHT_X", "ABS_RY": "J_RIGHT_Y"}
)
_TRIGGERS: Final = {"ABS_Z": "LEFT_TRIGGER", "ABS_RZ": "RIGHT_TRIGGER"}
_HATS: Final = {"ABS_HAT0X": ("DPAD_LEFT", "DPAD_RIGHT"), "ABS_HAT0Y": ("DPAD_UP", "DPAD_DOWN")}
SYNC: Final = "SYN_REPORT"
_BYTE: Final = 255.0
_HIGH, _LOW = 32767.0, 32768.0

Told = tuple[str, str, float | None]
"""(control, kind, value) of an event."""


def is_byte_wide(values: Iterable[float]) -> bool:
    """Say whether the values of sticks are eight bits wide.

    Args:
        values: All that a session's sticks said.
    """
    found = list(values)
    return bool(found) and min(found) >= 0 and 1 < max(found) <= _BYTE


@dataclass
class Pad:
    """Reads the codes of one pad in their order.

    Attributes:
        byte_wide: Whether its sticks are eight bits wide.
        hats: Code -> where that axis of the d-pad stands.
    """

    byte_wide: bool = False
    hats: dict[str, int] = field(default_factory=dict)

    def events(self, code: str, value: float) -> list[Told] | None:
        """Read one row.

        Args:
            code: button_key.
            value: The raw number.

        Returns:
            What it means: nothing where it changes nothing; None for a code that is not known.
        """
        if code in BUTTONS:
            return [(BUTTONS[code], "press" if value else "release", None)]
        if code in STICKS:
            return [(STICKS[code], "axis", self._stick(code, value))]
        if code in _TRIGGERS:
            return [(_TRIGGERS[code], "axis", min(max(value / _BYTE, 0.0), 1.0))]
        if code in _HATS:
            return self._hat(code, value)
        return None

    def _stick(self, code: str, value: float) -> float:
        if self.byte_wide:
            return min(max((value - 128) / (128 if value < 128 else 127), -1.0), 1.0)  # noqa: PLR2004 - its rest
        scaled = min(max(value / (_HIGH if value > 0 else _LOW), -1.0), 1.0)
        return -scaled + 0.0 if code.endswith("Y") else scaled

    def _hat(self, code: str, value: float) -> list[Told]:
        now, before = (value > 0) - (value < 0), self.hats.get(code, 0)
        self.hats[code] = now
        if now == before:
            return []
        ways = {-1: _HATS[code][0], 1: _HATS[code][1]}
        let_go: list[Told] = [(ways[before], "release", None)] if before else []
        return let_go + ([(ways[now], "press", None)] if now else [])


_CODES: Final = {control: code for code, control in {**BUTTONS, **STICKS, **_TRIGGERS}.items()}
_BUTTON_CODES: Final = {control: code for code, control in BUTTONS.items()}
_WAYS: Final = {
    control: (code, sign) for code, two in _HATS.items() for control, sign in zip(two, (-1, 1), strict=True)
}
CONTROLS: Final = frozenset({*_CODES, *_WAYS})
"""Controls of a pad that have a code."""


def code_of(control: str, kind: str, value: float | None) -> tuple[str, str, float]:
    """Write one event as that library would.

    Args:
        control: One of `CONTROLS`.
        kind: `press`, `release`, `axis` or `state`.
        value: Position of an axis.

    Returns:
        button_key, action, value.
    """
    down = kind == "press" or (kind == "state" and bool(value))
    if control in _WAYS:
        code, sign = _WAYS[control]
        return code, "move", float(sign if down else 0)
    if control in TRIGGERS and kind in ("axis", "state"):
        return _CODES[control], "move", float(round((value or 0.0) * _BYTE))
    if control in STICKS.values():
        position = -(value or 0.0) if control.endswith("Y") else value or 0.0
        return _CODES[control], "move", float(round(position * (_HIGH if position > 0 else _LOW)))
    return _BUTTON_CODES[control], "press", float(down)
